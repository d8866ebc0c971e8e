"""What an API Gateway REST API sends to a Lambda authorizer.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
"""

from __future__ import annotations

from msgspec import Struct

from pyl.events.apigateway import APIGatewayRequestContext
from pyl.events.request import MultiValueRequest


class APIGatewayTokenAuthorizerEvent(Struct, frozen=True, kw_only=True, rename="camel"):
    """A caller's token, to be judged."""

    type: str
    """`TOKEN`."""
    authorization_token: str
    method_arn: str


class APIGatewayRequestAuthorizerEvent(MultiValueRequest, frozen=True, kw_only=True):
    """A caller's request, to be judged."""

    type: str
    """`REQUEST`."""
    method_arn: str
    resource: str
    request_context: APIGatewayRequestContext
    path_parameters: dict[str, str] | None = None
    stage_variables: dict[str, str] | None = None
