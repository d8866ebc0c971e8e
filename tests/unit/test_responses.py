from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pydantic
import pytest

from pyl.responses import APIGatewayResponse, FunctionURLResponse, HTTPAPIResponse, StreamingResponse

KINDS = [APIGatewayResponse, HTTPAPIResponse, FunctionURLResponse]


def encoded(response: Any) -> Any:
    as_json = json.loads(msgspec.json.encode(response))
    assert as_json == msgspec.to_builtins(response)
    return as_json


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_response_is_a_status(kind: Any) -> None:
    assert encoded(kind()) == {"statusCode": 200}
    assert encoded(kind(status_code=204)) == {"statusCode": 204}


@pytest.mark.parametrize("kind", KINDS)
def test_text_is_sent_as_it_is(kind: Any) -> None:
    response = kind(headers={"content-type": "text/plain"}, body="hello")
    assert encoded(response) == {"statusCode": 200, "headers": {"content-type": "text/plain"}, "body": "hello"}


@pytest.mark.parametrize("body", [b"\x89PNG\xff", bytearray(b"\x89PNG\xff"), memoryview(b"\x89PNG\xff")])
def test_bytes_are_sent_as_base64(body: Any) -> None:
    answer = encoded(FunctionURLResponse(headers={"content-type": "image/png"}, body=body))
    assert base64.b64decode(answer["body"]) == b"\x89PNG\xff"
    assert answer["isBase64Encoded"] is True


def test_long_bytes_are_one_line_of_base64() -> None:
    assert "\n" not in HTTPAPIResponse(body=bytes(1000)).body


@dataclass
class Order:
    order_id: str
    total: Decimal
    at: datetime


class Model(pydantic.BaseModel):
    order_id: str


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"a": [1, None, "ü"]}, {"a": [1, None, "ü"]}),
        ([], []),
        (0, 0),
        (False, False),
        (
            Order("A-1", Decimal("1.5"), datetime(2024, 10, 29, tzinfo=UTC)),
            {"order_id": "A-1", "total": 1.5, "at": "2024-10-29T00:00:00Z"},
        ),
        (Model(order_id="A-1"), {"order_id": "A-1"}),
        ({"orders": [Model(order_id="A-1")]}, {"orders": [{"order_id": "A-1"}]}),
    ],
)
def test_anything_else_is_sent_as_json_with_its_content_type(body: Any, expected: Any) -> None:
    answer = encoded(HTTPAPIResponse(status_code=201, body=body))
    assert json.loads(answer["body"]) == expected
    assert answer["headers"] == {"content-type": "application/json"}


def test_a_content_type_that_is_given_stays() -> None:
    headers = {"Content-Type": "application/problem+json"}
    assert HTTPAPIResponse(headers=headers, body={}).headers == headers
    rest = APIGatewayResponse(multi_value_headers={"Content-Type": ["application/hal+json"]}, body={})
    assert rest.headers == {}


def test_the_headers_of_the_caller_are_not_changed() -> None:
    headers = {"x-a": "1"}
    response = HTTPAPIResponse(headers=headers, body={})
    assert headers == {"x-a": "1"}
    assert response.headers == {"content-type": "application/json", "x-a": "1"}


def test_what_json_cannot_express_is_refused_when_the_response_is_made() -> None:
    with pytest.raises(TypeError, match="object"):
        HTTPAPIResponse(body={"a": object()})


def test_cookies_go_where_each_service_looks_for_them() -> None:
    cookies = ["a=1; HttpOnly", "b=2"]
    assert encoded(HTTPAPIResponse(cookies=cookies))["cookies"] == cookies
    assert encoded(FunctionURLResponse(cookies=cookies))["cookies"] == cookies
    rest = APIGatewayResponse(multi_value_headers={"Set-Cookie": cookies})
    assert encoded(rest)["multiValueHeaders"] == {"Set-Cookie": cookies}


@pytest.mark.parametrize("kind", KINDS)
def test_a_response_read_back_from_its_json_is_the_same(kind: Any) -> None:
    response = kind(status_code=418, headers={"x-a": "1"}, body=b"\x00")
    assert msgspec.convert(encoded(response), kind) == response


def test_a_streaming_response_names_its_head_as_aws_does() -> None:
    response = StreamingResponse(
        ["body"], status_code=201, headers={"a": "b"}, cookies=("c=1",), multi_value_headers={"d": ("1", "2")}
    )
    assert response.metadata() == {
        "statusCode": 201,
        "headers": {"a": "b"},
        "cookies": ["c=1"],
        "multiValueHeaders": {"d": ["1", "2"]},
    }
    assert StreamingResponse(["body"]).metadata() == {"statusCode": 200, "headers": {}}


@pytest.mark.parametrize("body", [None, 5, {"a": 1}, object()])
def test_a_streaming_response_needs_a_body_in_parts(body: Any) -> None:
    with pytest.raises(TypeError, match="gives text or bytes, part by part"):
        StreamingResponse(body)
