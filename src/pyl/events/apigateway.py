"""What an API Gateway REST API sends to a function (proxy integration), or an HTTP API in payload format 1.0.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from pyl.events.request import ClientCertificate, MultiValueRequest


class APIGatewayIdentity(Struct, frozen=True, kw_only=True, rename="camel"):
    """The caller."""

    source_ip: str
    """`test-invoke-source-ip` when the console's test button calls."""
    user_agent: str | None = None
    access_key: str | None = None
    account_id: str | None = None
    api_key: str | None = None
    api_key_id: str | None = None
    caller: str | None = None
    client_cert: ClientCertificate | None = None
    cognito_authentication_provider: str | None = None
    cognito_authentication_type: str | None = None
    cognito_identity_id: str | None = None
    cognito_identity_pool_id: str | None = None
    principal_org_id: str | None = None
    user: str | None = None
    user_arn: str | None = None
    vpc_id: str | None = None
    vpce_id: str | None = None


class APIGatewayRequestContext(Struct, frozen=True, kw_only=True, rename="camel"):
    """What API Gateway knows about the request."""

    account_id: str
    api_id: str
    http_method: str
    identity: APIGatewayIdentity
    request_id: str
    resource_path: str
    stage: str
    resource_id: str | None = None
    path: str | None = None
    protocol: str | None = None
    request_time: str | None = None
    """As in an access log: `09/Apr/2015:12:34:56 +0000`."""
    request_time_epoch: int | None = None
    """Milliseconds since 1970."""
    authorizer: dict[str, Any] | None = None
    """Cognito's `claims`, or `principalId` and whatever else a Lambda authorizer returned."""
    domain_name: str | None = None
    domain_prefix: str | None = None
    extended_request_id: str | None = None
    operation_name: str | None = None
    deployment_id: str | None = None

    @property
    def requested_at(self) -> datetime | None:
        milliseconds = self.request_time_epoch
        return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)


class APIGatewayEvent(MultiValueRequest, frozen=True, kw_only=True):
    """A request. AWS writes null for what it has none of: headers, query, path and stage variables, body."""

    resource: str
    request_context: APIGatewayRequestContext
    path_parameters: dict[str, str] | None = None
    stage_variables: dict[str, str] | None = None
    version: str | None = None
    """`1.0` from an HTTP API; REST APIs send none."""

    def path_parameter(self, name: str, default: str | None = None) -> str | None:
        """The part of the path that `{name}` stands for in the resource."""
        return (self.path_parameters or {}).get(name, default)
