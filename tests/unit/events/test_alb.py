from __future__ import annotations

import json
from typing import Any

import msgspec

from pyl.events import ALBEvent, samples


def event(**changes: Any) -> ALBEvent:
    return msgspec.convert(json.loads(samples.load("alb")) | changes, ALBEvent)


def test_query_parameters_are_decoded_by_the_methods_alone() -> None:
    assert event().query_string_parameters == {"q": "green%20tea", "page": "2"}
    assert event().query("q") == "green tea"
    assert event(queryStringParameters={"%66ull+name": "a%2Bb"}).query("full name") == "a+b"


def test_the_body_decodes() -> None:
    assert event().json() == {"in_stock_only": True}


def test_a_target_group_with_multi_value_headers_sends_lists_alone() -> None:
    raw = json.loads(samples.load("alb"))
    del raw["headers"]
    del raw["queryStringParameters"]
    raw |= {
        "multiValueHeaders": {"accept": ["application/json", "text/html"]},
        "multiValueQueryStringParameters": {"q": ["green%20tea", "mug"]},
    }
    request = msgspec.convert(raw, ALBEvent)
    assert request.header("Accept") == "text/html"
    assert request.header_values("Accept") == ["application/json", "text/html"]
    assert request.query_values("q") == ["green tea", "mug"]
    assert request.query("q") == "mug"


def test_a_health_check_is_a_request() -> None:
    check = event(headers={"user-agent": "ELB-HealthChecker/2.0"}, queryStringParameters={}, body="", httpMethod="GET")
    assert check.header("User-Agent") == "ELB-HealthChecker/2.0"
    assert check.content == b""
