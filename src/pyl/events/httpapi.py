"""What an API Gateway HTTP API sends to a function (payload format 2.0).

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec import Struct, field

from pyl.events.request import ClientCertificate, Request


class HTTPAPIAuthentication(Struct, frozen=True, kw_only=True, rename="camel"):
    client_cert: ClientCertificate | None = None


class HTTPAPIJWTAuthorizer(Struct, frozen=True, kw_only=True, rename="camel"):
    claims: dict[str, Any]
    scopes: list[str] | None = None


class HTTPAPIIAMAuthorizer(Struct, frozen=True, kw_only=True, rename="camel"):
    access_key: str | None = None
    account_id: str | None = None
    caller_id: str | None = None
    cognito_identity: dict[str, Any] | None = None
    principal_org_id: str | None = None
    user_arn: str | None = None
    user_id: str | None = None


class HTTPAPIAuthorizer(Struct, frozen=True, kw_only=True, rename="camel"):
    """Who let the request in; one of the three."""

    jwt: HTTPAPIJWTAuthorizer | None = None
    iam: HTTPAPIIAMAuthorizer | None = None
    lambda_: dict[str, Any] | None = field(default=None, name="lambda")
    """What a Lambda authorizer returned."""


class HTTPAPIRequestLine(Struct, frozen=True, kw_only=True, rename="camel"):
    method: str
    path: str
    protocol: str
    source_ip: str
    user_agent: str | None = None


class HTTPAPIRequestContext(Struct, frozen=True, kw_only=True, rename="camel"):
    """What the gateway knows about the request."""

    account_id: str
    api_id: str
    domain_name: str
    domain_prefix: str
    http: HTTPAPIRequestLine
    request_id: str
    route_key: str
    stage: str
    time: str
    """As in an access log: `12/Mar/2020:19:03:58 +0000`."""
    time_epoch: int
    """Milliseconds since 1970."""
    authentication: HTTPAPIAuthentication | None = None
    authorizer: HTTPAPIAuthorizer | None = None

    @property
    def requested_at(self) -> datetime:
        return datetime.fromtimestamp(self.time_epoch / 1000, UTC)


class HTTPAPIEvent(Request, frozen=True, kw_only=True):
    """A request. The gateway joins repeated headers and query parameters with commas (see `query_values`)."""

    version: str
    route_key: str
    raw_path: str
    raw_query_string: str
    headers: dict[str, str]
    request_context: HTTPAPIRequestContext
    cookies: list[str] | None = None
    """`name=value` each."""
    path_parameters: dict[str, str] | None = None
    stage_variables: dict[str, str] | None = None

    def path_parameter(self, name: str, default: str | None = None) -> str | None:
        """The part of the path that `{name}` stands for in the route."""
        return (self.path_parameters or {}).get(name, default)

    def query_values(self, name: str) -> list[str]:
        """Every query parameter of that name, in the order sent, whatever commas they hold."""
        from urllib.parse import parse_qsl  # it costs milliseconds that most functions need not pay

        pairs = parse_qsl(self.raw_query_string, keep_blank_values=True)
        return [value for key, value in pairs if key == name]
