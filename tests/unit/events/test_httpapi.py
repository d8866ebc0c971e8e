from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import msgspec

from pyl.events import FunctionURLEvent, HTTPAPIEvent, samples


def event(**changes: Any) -> HTTPAPIEvent:
    return msgspec.convert(json.loads(samples.load("httpapi")) | changes, HTTPAPIEvent)


def context(**changes: Any) -> dict[str, Any]:
    context: dict[str, Any] = json.loads(samples.load("httpapi"))["requestContext"]
    return context | changes


def test_the_form_in_the_body_is_decoded_from_base64() -> None:
    assert event().text == "name=Zo%C3%AB&note=thanks"


def test_repeated_parameters_survive_their_commas() -> None:
    assert event().query("tag") == "gift,red, large"
    assert event().query_values("tag") == ["gift", "red, large"]
    assert event(rawQueryString="flag=&other=1").query_values("flag") == [""]


def test_headers_and_path_parameters_are_found() -> None:
    assert event().header("Authorization") == "Bearer sample.jwt.token"
    assert event().path_parameter("order_id") == "A-1041"
    assert event().cookies == ["session=s4mpl3", "theme=dark"]


def test_a_jwt_has_claims_and_scopes() -> None:
    authorizer = event().request_context.authorizer
    assert authorizer is not None
    assert authorizer.jwt is not None
    assert authorizer.jwt.claims["sub"] == "user-17"
    assert authorizer.jwt.scopes == ["orders:write"]


def test_a_lambda_authorizer_leaves_what_it_returned() -> None:
    request = event(requestContext=context(authorizer={"lambda": {"tier": 2}}))
    assert request.request_context.authorizer is not None
    assert request.request_context.authorizer.lambda_ == {"tier": 2}


def test_a_jwt_without_scopes_is_a_jwt() -> None:
    request = event(requestContext=context(authorizer={"jwt": {"claims": {}, "scopes": None}}))
    assert request.request_context.authorizer is not None
    assert request.request_context.authorizer.jwt is not None


def test_the_time_of_the_request_is_a_datetime() -> None:
    assert event().request_context.requested_at == datetime(2024, 10, 29, 10, 29, 55, 604000, tzinfo=UTC)


def test_a_request_needs_neither_query_nor_cookies_nor_body() -> None:
    raw = json.loads(samples.load("httpapi"))
    for name in ("queryStringParameters", "cookies", "body", "pathParameters"):
        del raw[name]
    del raw["requestContext"]["authorizer"]
    request = msgspec.convert(raw | {"rawQueryString": "", "isBase64Encoded": False}, HTTPAPIEvent)
    assert (request.cookies, request.content, request.query("tag"), request.query_values("tag")) == (
        None,
        b"",
        None,
        [],
    )


def test_a_public_function_url_has_an_anonymous_caller() -> None:
    request = msgspec.json.decode(samples.load("functionurl"), type=FunctionURLEvent)
    assert request.request_context.account_id == "anonymous"
    assert request.request_context.authorizer is None
    assert request.query("sku") == "MUG-BLUE"


def test_a_function_url_with_iam_names_its_caller() -> None:
    raw = json.loads(samples.load("functionurl"))
    raw["requestContext"] |= {
        "authentication": None,
        "authorizer": {
            "iam": {
                "accessKey": "AKIAEXAMPLE",
                "accountId": "123456789012",
                "callerId": "AIDAEXAMPLE",
                "cognitoIdentity": None,
                "principalOrgId": None,
                "userArn": "arn:aws:iam::123456789012:user/ci",
                "userId": "AIDAEXAMPLE",
            }
        },
    }
    raw |= {"pathParameters": None, "stageVariables": None}
    authorizer = msgspec.convert(raw, FunctionURLEvent).request_context.authorizer
    assert authorizer is not None
    assert authorizer.iam is not None
    assert authorizer.iam.user_arn == "arn:aws:iam::123456789012:user/ci"
