"""Builds the events of function URLs and API Gateway from HTTP requests.

https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

import base64
import datetime as dt
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

from pyl.emulator.variables import ACCOUNT

_TEXT = re.compile(r"text/.*|application/(.+\+)?(json|xml|javascript)", re.IGNORECASE)
"""Content types of bodies that are passed as text. All others are passed as base64."""


@dataclass(frozen=True, kw_only=True)
class HTTPRequest:
    """The parts of an HTTP request that events contain."""

    method: str
    path: str
    """The path as it was sent: with its escapes, without the query."""
    query: str = ""
    """The query as it was sent, without the question mark."""
    headers: tuple[tuple[str, str], ...] = ()
    """Names and values, in the order sent. Names may repeat."""
    body: bytes = b""
    source: str = "127.0.0.1"
    """IP address of the client."""
    protocol: str = "HTTP/1.1"
    at: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def header(self, name: str) -> str:
        """Return the last header of a name, given in lower case; empty if there is none."""
        return next((text for key, text in reversed(self.headers) if key.lower() == name), "")

    def parameters(self) -> list[tuple[str, str]]:
        """Return the names and values of the query, decoded."""
        return parse_qsl(self.query, keep_blank_values=True)


def url_event(request: HTTPRequest, *, api: str) -> dict[str, Any]:
    """Return the event of a function URL: payload format 2.0. `api` is the URL's id."""
    return _version_2(request, "$default", api=api, account="anonymous")


def http_api_event(request: HTTPRequest, *, route: str, path_parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return the event of an HTTP API for a route such as `GET /orders/{id}`: payload format 2.0."""
    event = _version_2(request, route, api="local", account=ACCOUNT)
    if path_parameters:
        event["pathParameters"] = dict(path_parameters)
    return event


def rest_api_event(request: HTTPRequest, *, resource: str, path_parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return the event of a REST API for a resource such as `/orders/{id}`: payload format 1.0."""
    headers, query = _group_by_name(request.headers), _group_by_name(request.parameters())
    path = unquote(request.path)
    body = _body(request)
    return {
        "resource": resource,
        "path": path,
        "httpMethod": request.method,
        "headers": _last_values(headers),
        "multiValueHeaders": headers,
        "queryStringParameters": _last_values(query),
        "multiValueQueryStringParameters": query or None,
        "pathParameters": dict(path_parameters) or None,
        "stageVariables": None,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "local",
            "domainName": _host(request),
            "domainPrefix": _host(request).partition(":")[0].partition(".")[0],
            "extendedRequestId": uuid.uuid4().hex,
            "httpMethod": request.method,
            "identity": {"sourceIp": request.source, "userAgent": request.header("user-agent") or None},
            "path": path,
            "protocol": request.protocol,
            "requestId": request.id,
            "requestTime": _access_log_time(request.at),
            "requestTimeEpoch": _milliseconds(request.at),
            "resourceId": "local",
            "resourcePath": resource,
            "stage": "local",
        },
        "body": body.get("body"),
        "isBase64Encoded": body["isBase64Encoded"],
    }


def _version_2(request: HTTPRequest, route: str, *, api: str, account: str) -> dict[str, Any]:
    headers = _join_by_name((name.lower(), text) for name, text in request.headers)
    cookies = [part.strip() for part in headers.pop("cookie", "").replace(",", ";").split(";") if part.strip()]
    parameters = _join_by_name(request.parameters())
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": request.path,
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": {
            "accountId": account,
            "apiId": api,
            "domainName": _host(request),
            "domainPrefix": _host(request).partition(":")[0].partition(".")[0],
            "http": {
                "method": request.method,
                "path": request.path,
                "protocol": request.protocol,
                "sourceIp": request.source,
                "userAgent": request.header("user-agent"),
            },
            "requestId": request.id,
            "routeKey": route,
            "stage": "$default",
            "time": _access_log_time(request.at),
            "timeEpoch": _milliseconds(request.at),
        },
    }
    if cookies:
        event["cookies"] = cookies
    if parameters:
        event["queryStringParameters"] = parameters
    return event | _body(request)


def _body(request: HTTPRequest) -> dict[str, Any]:
    if not request.body:
        return {"isBase64Encoded": False}
    content_type = request.header("content-type").partition(";")[0].strip()
    if (not content_type or _TEXT.fullmatch(content_type)) and not request.header("content-encoding"):
        try:
            return {"body": request.body.decode(), "isBase64Encoded": False}
        except UnicodeDecodeError:
            pass  # not text, whatever its content type says
    return {"body": base64.b64encode(request.body).decode(), "isBase64Encoded": True}


def _join_by_name(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, text in pairs:
        joined[name] = f"{joined[name]},{text}" if name in joined else text
    return joined


def _group_by_name(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, text in pairs:
        values.setdefault(name, []).append(text)
    return values


def _last_values(values: Mapping[str, list[str]]) -> dict[str, str] | None:
    return {name: texts[-1] for name, texts in values.items()} or None


def _host(request: HTTPRequest) -> str:
    return request.header("host") or "localhost"


def _access_log_time(at: dt.datetime) -> str:
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    return f"{at:%d}/{months[at.month - 1]}/{at:%Y:%H:%M:%S} +0000"  # %b depends on the locale


def _milliseconds(at: dt.datetime) -> int:
    return int(at.timestamp() * 1000)
