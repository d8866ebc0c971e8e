from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import msgspec

from pyl.events import APIGatewayEvent, APIGatewayRequestAuthorizerEvent, APIGatewayTokenAuthorizerEvent, samples

NULLABLE = (
    "headers",
    "multiValueHeaders",
    "queryStringParameters",
    "multiValueQueryStringParameters",
    "pathParameters",
    "stageVariables",
    "body",
)


def event(**changes: Any) -> APIGatewayEvent:
    return msgspec.convert(json.loads(samples.load("apigateway")) | changes, APIGatewayEvent)


def test_headers_are_found_in_any_case() -> None:
    assert event().header("content-TYPE") == "application/json"
    assert event().header("x-none", "nothing") == "nothing"
    assert event().header_values("accept") == ["application/json"]


def test_the_console_sends_null_for_what_it_has_none_of() -> None:
    request = event(**dict.fromkeys(NULLABLE))
    assert request.header("accept") is None
    assert request.header_values("accept") == []
    assert request.query("notify") is None
    assert request.path_parameter("order_id") is None
    assert request.stage_variables is None
    assert (request.content, request.text) == (b"", "")


def test_what_is_left_out_counts_as_null() -> None:
    raw = json.loads(samples.load("apigateway"))
    for name in (*NULLABLE, "isBase64Encoded"):
        del raw[name]
    assert msgspec.convert(raw, APIGatewayEvent).headers is None


def test_repeated_parameters_and_headers_are_lists_whose_last_counts() -> None:
    request = event(multiValueHeaders={"X-Tag": ["a", "b"]}, headers={"X-Tag": "b"})
    assert request.header_values("x-tag") == ["a", "b"]
    assert request.header("x-tag") == "b"
    assert request.query_values("notify") == ["mail", "sms"]
    assert request.query("notify") == "sms"


def test_the_identity_is_an_object() -> None:
    identity = event().request_context.identity
    assert identity.source_ip == "203.0.113.24"
    assert identity.user_agent == "example-client/1.4"
    assert identity.user_arn is None


def test_the_body_is_decoded_from_base64() -> None:
    request = event(body=base64.b64encode("Zoë".encode()).decode(), isBase64Encoded=True)
    assert request.content == "Zoë".encode()
    assert request.text == "Zoë"


def test_a_text_body_is_taken_as_it_is() -> None:
    assert event().json()["order_id"] == "A-1041"
    assert event(body="Zoë").content == "Zoë".encode()


def test_the_time_of_the_request_is_a_datetime() -> None:
    assert event().request_context.requested_at == datetime(2024, 10, 29, 10, 24, 49, 217000, tzinfo=UTC)


def test_an_authorizer_leaves_what_it_found() -> None:
    context = json.loads(samples.load("apigateway"))["requestContext"]
    request = event(requestContext=context | {"authorizer": {"principalId": "user-17", "tier": 2}})
    assert request.request_context.authorizer == {"principalId": "user-17", "tier": 2}


def test_an_http_api_in_payload_format_1_has_no_resource_id() -> None:
    context = json.loads(samples.load("apigateway"))["requestContext"] | {"resourceId": None}
    request = event(version="1.0", requestContext=context)
    assert request.version == "1.0"
    assert request.request_context.resource_id is None


def test_authorizers_receive_a_token_or_a_request() -> None:
    arn = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/prod/PUT/orders/A-1041"
    token = msgspec.convert(
        {"type": "TOKEN", "authorizationToken": "Bearer x", "methodArn": arn}, APIGatewayTokenAuthorizerEvent
    )
    raw = json.loads(samples.load("apigateway")) | {"type": "REQUEST", "methodArn": arn}
    request = msgspec.convert(raw, APIGatewayRequestAuthorizerEvent)
    assert token.authorization_token == "Bearer x"
    assert request.method_arn == arn
    assert request.header("host") == "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"
