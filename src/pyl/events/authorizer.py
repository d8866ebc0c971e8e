"""Events of Lambda authorizers of API Gateway REST APIs.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
"""

from __future__ import annotations

from msgspec import Struct

from pyl.events.apigateway import APIGatewayRequestContext
from pyl.events.request import MultiValueRequest


class APIGatewayTokenAuthorizerEvent(Struct, frozen=True, kw_only=True, rename="camel"):
    """Event of an authorizer of type `TOKEN`: the caller's token."""

    type: str
    """Always `TOKEN`."""
    authorization_token: str
    """Token from the header that the authorizer names as its source."""
    method_arn: str
    """ARN of the method that the caller requests."""


class APIGatewayRequestAuthorizerEvent(MultiValueRequest, frozen=True, kw_only=True):
    """Event of an authorizer of type `REQUEST`: the caller's request without its body."""

    type: str
    """Always `REQUEST`."""
    method_arn: str
    """ARN of the method that the caller requests."""
    resource: str
    """Path of the resource, with its placeholders: `/orders/{id}`."""
    request_context: APIGatewayRequestContext
    """What API Gateway knows about the request."""
    path_parameters: dict[str, str] | None = None
    """Values of the placeholders, by name; `None` without any."""
    stage_variables: dict[str, str] | None = None
    """Variables of the stage, by name; `None` without any."""
