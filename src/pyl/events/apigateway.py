"""Events of API Gateway REST APIs (proxy integration), and of HTTP APIs with payload format 1.0.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from pyl.events.request import ClientCertificate, MultiValueRequest


class APIGatewayIdentity(Struct, frozen=True, kw_only=True, rename="camel"):
    """Caller of the API. What does not apply to its way of authorization is `None`.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
    """

    source_ip: str
    """IP address of the client; `test-invoke-source-ip` for the console's test button."""
    user_agent: str | None = None
    """`User-Agent` header of the client."""
    access_key: str | None = None
    """Access key that signed the request."""
    account_id: str | None = None
    """AWS account of the caller."""
    api_key: str | None = None
    """API key of the request."""
    api_key_id: str | None = None
    """Id of that API key."""
    caller: str | None = None
    """Id of the principal that signed the request."""
    client_cert: ClientCertificate | None = None
    """Certificate of the client, with mutual TLS."""
    cognito_authentication_provider: str | None = None
    """Cognito authentication providers, separated by commas."""
    cognito_authentication_type: str | None = None
    """Whether Cognito authenticated the caller: `authenticated`, `unauthenticated`."""
    cognito_identity_id: str | None = None
    """Id of the Cognito identity."""
    cognito_identity_pool_id: str | None = None
    """Id of its identity pool."""
    principal_org_id: str | None = None
    """AWS organization of the caller."""
    user: str | None = None
    """Id of the user that signed the request."""
    user_arn: str | None = None
    """ARN of the user that signed the request."""
    vpc_id: str | None = None
    """Id of the VPC that the request came from."""
    vpce_id: str | None = None
    """Id of the VPC endpoint that the request came through."""


class APIGatewayRequestContext(Struct, frozen=True, kw_only=True, rename="camel"):
    """What API Gateway knows about the request."""

    account_id: str
    """AWS account of the API."""
    api_id: str
    """Id of the API."""
    http_method: str
    """HTTP method: `GET`."""
    identity: APIGatewayIdentity
    """Caller of the API."""
    request_id: str
    """Id of the request."""
    resource_path: str
    """Path of the resource, with its placeholders: `/orders/{id}`."""
    stage: str
    """Stage of the API: `prod`."""
    resource_id: str | None = None
    """Id of the resource."""
    path: str | None = None
    """Path of the request, with the stage in front."""
    protocol: str | None = None
    """`HTTP/1.1`."""
    request_time: str | None = None
    """When the request arrived, as in an access log: `09/Apr/2015:12:34:56 +0000`."""
    request_time_epoch: int | None = None
    """When the request arrived, in milliseconds since the epoch; see `requested_at`."""
    authorizer: dict[str, Any] | None = None
    """Cognito's `claims`, or `principalId` and the context that a Lambda authorizer returned."""
    domain_name: str | None = None
    """Domain that the client requested."""
    domain_prefix: str | None = None
    """First label of the domain."""
    extended_request_id: str | None = None
    """Id of the request that AWS Support asks for."""
    operation_name: str | None = None
    """Name of the operation, where the API definition has one."""
    deployment_id: str | None = None
    """Id of the API's deployment."""

    @property
    def requested_at(self) -> datetime | None:
        """When the request arrived, in UTC; `None` if AWS did not send it."""
        milliseconds = self.request_time_epoch
        return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)


class APIGatewayEvent(MultiValueRequest, frozen=True, kw_only=True):
    """HTTP request.

    Headers, query parameters, path parameters, stage variables and body are `None` when the request has none.
    """

    resource: str
    """Path of the resource, with its placeholders: `/orders/{id}`."""
    request_context: APIGatewayRequestContext
    """What API Gateway knows about the request."""
    path_parameters: dict[str, str] | None = None
    """Values of the placeholders, by name; `None` without any."""
    stage_variables: dict[str, str] | None = None
    """Variables of the stage, by name; `None` without any."""
    version: str | None = None
    """`1.0` from an HTTP API; `None` from a REST API."""

    def path_parameter(self, name: str, default: str | None = None) -> str | None:
        """Return the part of the path that `{name}` matched in the resource."""
        return (self.path_parameters or {}).get(name, default)
