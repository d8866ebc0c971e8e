"""The Invoke API, which SDKs and the AWS CLI call if `AWS_ENDPOINT_URL_LAMBDA` is set.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import re
import uuid
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from pyl.emulator import event_stream
from pyl.emulator.emulator import Emulator, NotReady, Throttled, UnknownFunction
from pyl.emulator.invocation import Invocation, Outcome
from pyl.emulator.logs import TAIL
from pyl.emulator.variables import function_arn
from pyl.errors import PylError
from pyl.project.model import Function

INVOKE = "/2015-03-31/functions/{name}/invocations"
INVOKE_STREAM = "/2021-11-15/functions/{name}/response-streaming-invocations"
FUNCTIONS = "/2015-03-31/functions"

_SYNCHRONOUS_LIMIT = 6 << 20
_ASYNCHRONOUS_LIMIT = 1 << 20
"""Bytes of an event."""
LARGEST_REQUEST = _SYNCHRONOUS_LIMIT + 1
_CLIENT_CONTEXT_LIMIT = 3583

_NAME = re.compile(
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?"
    r"(?P<name>[a-zA-Z0-9-_.]+)(:(?P<qualifier>\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?"
)
_QUALIFIER = re.compile(r"\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9$_-]{1,128}")


class _Refusal(Exception):
    """An error response, in the format of AWS."""

    def __init__(self, status: int, kind: str, message: str, **more: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.body = {"Type": "User" if status < 500 else "Service", **more, "message": message, "Message": message}


@dataclass(frozen=True, kw_only=True)
class _Call:
    """A parsed request to invoke a function."""

    function: Function
    invocation: Invocation
    version: str
    """The function version that the response names."""
    kind: str
    """The invocation type: RequestResponse, Event or DryRun."""
    tail: bool
    """Whether to return the end of the log."""


class InvokeAPI:
    """HTTP handlers of the Invoke API."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the handlers."""
        return [
            web.post(INVOKE, self.invoke),
            web.post(INVOKE_STREAM, self.invoke_stream),
            web.get(FUNCTIONS, self.functions),
            web.get(f"{FUNCTIONS}/", self.functions),
        ]

    async def invoke(self, request: web.Request) -> web.StreamResponse:
        """Handle `Invoke`."""
        try:
            call = await self._parse(request)
            if call.kind == "DryRun":
                return _accepted(204, call)
            if call.kind == "Event":
                self._emulator.invoke_later(call.function, call.invocation)
                return _accepted(202, call)
            outcome = await self._emulator.invoke(call.function, call.invocation)
        except (_Refusal, PylError) as error:
            return _error_response(error, request.match_info["name"])
        headers = _headers(call)
        headers["Content-Type"] = "application/json"
        if outcome.error:
            headers["X-Amz-Function-Error"] = "Unhandled"
        if call.tail:
            headers["X-Amz-Log-Result"] = _tail(outcome)
        return web.Response(body=outcome.payload, headers=headers)

    async def invoke_stream(self, request: web.Request) -> web.StreamResponse:
        """Handle `InvokeWithResponseStream`."""
        sink = None
        try:
            call = await self._parse(request)
            if call.kind == "Event":
                msg = "InvocationType Event cannot be streamed"
                raise _invalid(msg)
            if call.kind == "DryRun":
                return _accepted(204, call)
            sink = _EventStreamSink(request, _headers(call))
            outcome = await self._emulator.invoke(call.function, call.invocation, sink)
        except (_Refusal, PylError) as error:
            return _error_response(error, request.match_info["name"])
        return await sink.end(outcome, tail=call.tail)

    async def functions(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002
        """Handle `ListFunctions`."""
        try:
            project = self._emulator.project
        except PylError as error:
            return _error_response(error, "")
        descriptions = [_describe(function, project.configuration.region) for function in project.functions]
        return web.json_response({"Functions": descriptions})

    async def _parse(self, request: web.Request) -> _Call:
        name = _NAME.fullmatch(request.match_info["name"])
        if name is None:
            msg = f"1 validation error detected: {request.match_info['name']!r} is not a function name or ARN"
            raise _invalid(msg)
        function = self._emulator.function(name["name"])
        qualifier = _qualifier(name["qualifier"], request.query.get("Qualifier"))
        kind = request.headers.get("X-Amz-Invocation-Type", "RequestResponse")
        if kind not in {"RequestResponse", "Event", "DryRun"}:
            msg = f"1 validation error detected: {kind!r} is not an invocation type"
            raise _invalid(msg)
        invocation = self._emulator.invocation(
            function,
            await _event(request, _ASYNCHRONOUS_LIMIT if kind == "Event" else _SYNCHRONOUS_LIMIT),
            qualifier=qualifier,
            client_context=_client_context(request.headers.get("X-Amz-Client-Context")),
            tenant_id=request.headers.get("X-Amz-Tenant-Id"),
        )
        return _Call(
            function=function,
            invocation=invocation,
            version=qualifier if qualifier and qualifier.isdecimal() else "$LATEST",
            kind=kind,
            tail=request.headers.get("X-Amz-Log-Type", "None") == "Tail",
        )


class _EventStreamSink:
    """Sends a streamed response as messages of an event stream."""

    def __init__(self, request: web.Request, headers: dict[str, str]) -> None:
        self._request = request
        self._response = web.StreamResponse(headers=headers | {"Content-Type": event_stream.CONTENT_TYPE})

    async def begin(self, content_type: str) -> None:  # noqa: ARG002 - that of the event stream is sent
        """See `Sink`."""
        with contextlib.suppress(ConnectionError):
            await self._response.prepare(self._request)

    async def write(self, piece: bytes) -> None:
        """See `Sink`."""
        with contextlib.suppress(ConnectionError):  # the caller has left; as in Lambda, the function continues
            await self._response.write(event_stream.encode_event("PayloadChunk", "application/octet-stream", piece))

    async def end(self, outcome: Outcome, *, tail: bool) -> web.StreamResponse:
        """Send what was not streamed and the final event, and return the response."""
        complete = {}
        if not self._response.prepared:
            await self.begin(outcome.content_type)
        if outcome.error:
            complete = {"ErrorCode": outcome.error, "ErrorDetails": outcome.payload.decode("utf-8", "replace")}
        elif not outcome.streamed:
            await self.write(outcome.payload)
        if tail:
            complete["LogResult"] = _tail(outcome)
        with contextlib.suppress(ConnectionError):
            end = event_stream.encode_event("InvokeComplete", "application/json", json.dumps(complete).encode())
            await self._response.write(end)
            await self._response.write_eof()
        return self._response


async def _event(request: web.Request, limit: int) -> bytes:
    try:
        event = await request.read()
    except web.HTTPRequestEntityTooLarge:
        event = b" " * (limit + 1)
    if len(event) > limit:
        text = f"Request must be smaller than {limit} bytes for the InvokeFunction operation"
        raise _Refusal(413, "RequestTooLargeException", text)
    try:
        json.loads(event or b"{}")
    except (ValueError, RecursionError) as error:
        text = f"Could not parse request body into json: {error}"
        raise _Refusal(400, "InvalidRequestContentException", text) from error
    return event or b"{}"


def _qualifier(in_name: str | None, in_query: str | None) -> str | None:
    if in_query and not _QUALIFIER.fullmatch(in_query):
        msg = f"1 validation error detected: {in_query!r} is not a qualifier"
        raise _invalid(msg)
    if in_query and in_name and in_query != in_name:
        msg = "The derived qualifier from the function name does not match the specified qualifier."
        raise _invalid(msg)
    return in_query or in_name


def _client_context(header: str | None) -> str | None:
    """Return the JSON of the header, on one line and in ASCII, because it is sent as a header again."""
    if not header:
        return None
    if len(header) > _CLIENT_CONTEXT_LIMIT:
        raise _Refusal(400, "InvalidRequestContentException", "Client context must be at most 3583 bytes.")
    try:
        return json.dumps(json.loads(base64.b64decode(header, validate=True)), separators=(",", ":"))
    except (binascii.Error, ValueError, RecursionError) as error:
        text = "Client context must be a valid Base64-encoded JSON object."
        raise _Refusal(400, "InvalidRequestContentException", text) from error


def _invalid(message: str) -> _Refusal:
    return _Refusal(400, "InvalidParameterValueException", message)


def _headers(call: _Call) -> dict[str, str]:
    trace = call.invocation.trace_id or ""
    return {
        "x-amzn-RequestId": call.invocation.request_id,
        "X-Amzn-Trace-Id": trace,
        "X-Amz-Executed-Version": call.version,
    }


def _accepted(status: int, call: _Call) -> web.Response:
    headers = _headers(call)
    if status == 202:
        del headers["X-Amz-Executed-Version"]
    return web.Response(status=status, headers=headers)


def _tail(outcome: Outcome) -> str:
    return base64.b64encode(outcome.logs[-TAIL:]).decode()


def _error_response(error: _Refusal | PylError, name: str) -> web.Response:
    refusal = error if isinstance(error, _Refusal) else _to_refusal(error, name)
    headers = {"x-amzn-ErrorType": refusal.kind, "x-amzn-RequestId": str(uuid.uuid4())}
    return web.json_response(refusal.body, status=refusal.status, headers=headers)


def _to_refusal(error: PylError, name: str) -> _Refusal:
    text = f"{error.message}; {error.hint}" if error.hint else error.message
    if isinstance(error, UnknownFunction):
        full = name if name.startswith("arn:") else function_arn(name, None)
        return _Refusal(404, "ResourceNotFoundException", f"Function not found: {full} ({text})")
    if isinstance(error, Throttled):
        return _Refusal(429, "TooManyRequestsException", text, Reason="ConcurrentInvocationLimitExceeded")
    if isinstance(error, NotReady):
        return _Refusal(502, "ResourceNotReadyException", text)
    return _Refusal(500, "ServiceException", text)


def _describe(function: Function, region: str | None) -> dict[str, Any]:
    configuration = function.configuration
    return {
        "FunctionName": function.name,
        "FunctionArn": function_arn(function.name, region),
        "Handler": f"functions.{function.name}",
        "Description": function.description or "",
        "MemorySize": configuration.memory,
        "Timeout": configuration.timeout,
        "Version": "$LATEST",
    }
