"""Events of API Gateway HTTP APIs (payload format 2.0).

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec import Struct, field

from pyl.events.request import ClientCertificate, Request


class HTTPAPIAuthentication(Struct, frozen=True, kw_only=True, rename="camel"):
    """How the client authenticated with TLS."""

    client_cert: ClientCertificate | None = None
    """Certificate of the client, with mutual TLS."""


class HTTPAPIJWTAuthorizer(Struct, frozen=True, kw_only=True, rename="camel"):
    """Result of a JWT authorizer."""

    claims: dict[str, Any]
    """Claims of the token, by name."""
    scopes: list[str] | None = None
    """Scopes of the route's authorization; `None` without any."""


class HTTPAPIIAMAuthorizer(Struct, frozen=True, kw_only=True, rename="camel"):
    """Caller that signed the request, with IAM authorization."""

    access_key: str | None = None
    """Access key that signed the request."""
    account_id: str | None = None
    """AWS account of the caller."""
    caller_id: str | None = None
    """Id of the caller."""
    cognito_identity: dict[str, Any] | None = None
    """Cognito identity of the caller, as AWS sends it."""
    principal_org_id: str | None = None
    """AWS organization of the caller."""
    user_arn: str | None = None
    """ARN of the user or role."""
    user_id: str | None = None
    """Id of the user or role."""


class HTTPAPIAuthorizer(Struct, frozen=True, kw_only=True, rename="camel"):
    """Result of the authorizer. Only the field of the authorizer's kind is set."""

    jwt: HTTPAPIJWTAuthorizer | None = None
    """Result of a JWT authorizer."""
    iam: HTTPAPIIAMAuthorizer | None = None
    """Caller, with IAM authorization."""
    lambda_: dict[str, Any] | None = field(default=None, name="lambda")
    """Context that a Lambda authorizer returned."""


class HTTPAPIRequestLine(Struct, frozen=True, kw_only=True, rename="camel"):
    """Request line and client of an HTTP request."""

    method: str
    """HTTP method: `GET`."""
    path: str
    """Path of the request, with the stage in front unless it is `$default`."""
    protocol: str
    """`HTTP/1.1`."""
    source_ip: str
    """IP address of the client."""
    user_agent: str | None = None
    """`User-Agent` header of the client."""


class HTTPAPIRequestContext(Struct, frozen=True, kw_only=True, rename="camel"):
    """What API Gateway knows about the request."""

    account_id: str
    """AWS account of the API; `anonymous` for a function URL without IAM authorization."""
    api_id: str
    """Id of the API or URL."""
    domain_name: str
    """Domain that the client requested."""
    domain_prefix: str
    """First label of the domain."""
    http: HTTPAPIRequestLine
    """Request line and client."""
    request_id: str
    """Id of the request."""
    route_key: str
    """Route that matched: `GET /orders/{id}` or `$default`."""
    stage: str
    """Stage of the API: `$default`."""
    time: str
    """When the request arrived, as in an access log: `12/Mar/2020:19:03:58 +0000`."""
    time_epoch: int
    """When the request arrived, in milliseconds since the epoch; see `requested_at`."""
    authentication: HTTPAPIAuthentication | None = None
    """How the client authenticated with TLS; `None` without mutual TLS."""
    authorizer: HTTPAPIAuthorizer | None = None
    """Result of the authorizer; `None` without one."""

    @property
    def requested_at(self) -> datetime:
        """When the request arrived, in UTC."""
        return datetime.fromtimestamp(self.time_epoch / 1000, UTC)


class HTTPAPIEvent(Request, frozen=True, kw_only=True):
    """HTTP request.

    API Gateway joins the values of a repeated header or query parameter with commas; see `query_values`.
    """

    version: str
    """Version of the payload's format; `2.0`."""
    route_key: str
    """Route that matched: `GET /orders/{id}` or `$default`."""
    raw_path: str
    """Path of the request, with the stage in front unless it is `$default`."""
    raw_query_string: str
    """Query string as sent, without the question mark."""
    headers: dict[str, str]
    """Headers by name, in lower case."""
    request_context: HTTPAPIRequestContext
    """What API Gateway knows about the request."""
    cookies: list[str] | None = None
    """Cookies, `name=value` each; `None` without any."""
    path_parameters: dict[str, str] | None = None
    """Values of the route's placeholders, by name; `None` without any."""
    stage_variables: dict[str, str] | None = None
    """Variables of the stage, by name; `None` without any."""

    def path_parameter(self, name: str, default: str | None = None) -> str | None:
        """Return the part of the path that `{name}` matched in the route."""
        return (self.path_parameters or {}).get(name, default)

    def query_values(self, name: str) -> list[str]:
        """Return all values of a query parameter in the order sent, whatever commas they contain."""
        from urllib.parse import parse_qsl  # it costs milliseconds that most functions need not pay

        pairs = parse_qsl(self.raw_query_string, keep_blank_values=True)
        return [value for key, value in pairs if key == name]
