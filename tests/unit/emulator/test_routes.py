"""Routes are found as API Gateway finds them."""

from __future__ import annotations

import msgspec
import pytest

from pyl.emulator.http_events import HTTPRequest, http_api_event, rest_api_event, url_event
from pyl.emulator.routes import Route, RouteTable
from pyl.errors import UsageError
from pyl.events import APIGatewayEvent, FunctionURLEvent, HTTPAPIEvent
from pyl.project.config.triggers import HTTPAPITrigger
from unit.emulator.fakes import function

TABLE = RouteTable(
    Route(key=key, function=key)
    for key in (
        "GET /orders",
        "GET /orders/{id}",
        "ANY /orders/{id}",
        "GET /orders/new",
        "GET /orders/{id}/items/{item}",
        "ANY /files/{path+}",
        "GET /files/{name}/size",
        "$default",
    )
)


@pytest.mark.parametrize(
    ("method", "path", "key", "parameters"),
    [
        ("GET", "/orders", "GET /orders", {}),
        ("GET", "/orders/7", "GET /orders/{id}", {"id": "7"}),
        ("PUT", "/orders/7", "ANY /orders/{id}", {"id": "7"}),
        ("GET", "/orders/new", "GET /orders/new", {}),
        ("GET", "/orders/a%2Fb/items/%C3%A4", "GET /orders/{id}/items/{item}", {"id": "a/b", "item": "ä"}),
        ("POST", "/files/a/b/c", "ANY /files/{path+}", {"path": "a/b/c"}),
        ("GET", "/files/a/size", "GET /files/{name}/size", {"name": "a"}),
        ("GET", "/files", "$default", {}),
        ("POST", "/orders", "$default", {}),
        ("GET", "/", "$default", {}),
    ],
)
def test_the_most_specific_route_wins(method: str, path: str, key: str, parameters: dict[str, str]) -> None:
    match = TABLE.match(method, path)
    assert match is not None
    assert (match.route.key, match.parameters) == (key, parameters)


def test_without_a_default_there_may_be_none() -> None:
    assert RouteTable([Route(key="GET /a", function="f")]).match("GET", "/b") is None


def test_triggers_are_routes() -> None:
    table = RouteTable.from_functions([function("order", triggers=(HTTPAPITrigger(route="GET /orders/{id}"),))])
    match = table.match("GET", "/orders/1")
    assert match is not None
    assert match.route.function == "order"


@pytest.mark.parametrize("key", ["/orders", "FETCH /orders", "GET orders", "GET", ""])
def test_what_is_no_route_is_refused(key: str) -> None:
    with pytest.raises(UsageError, match="is not a route"):
        Route(key=key, function="f")


REQUEST = HTTPRequest(
    method="POST",
    path="/orders/7",
    query="a=1&a=2&b",
    headers=(("Host", "localhost:9000"), ("X-A", "1"), ("X-A", "2"), ("Cookie", "c=d"), ("Content-Type", "image/png")),
    body=b"\x89PNG",
)


def test_events_are_what_the_typed_ones_expect() -> None:
    url = msgspec.convert(url_event(REQUEST, api="f"), FunctionURLEvent)
    assert (url.content, url.cookies, url.header("x-a")) == (b"\x89PNG", ["c=d"], "1,2")
    assert url.query_values("a") == ["1", "2"]
    http = msgspec.convert(http_api_event(REQUEST, route="$default", path_parameters={"id": "7"}), HTTPAPIEvent)
    assert (http.path_parameter("id"), http.request_context.http.method) == ("7", "POST")
    rest = msgspec.convert(
        rest_api_event(REQUEST, resource="/orders/{id}", path_parameters={"id": "7"}), APIGatewayEvent
    )
    assert (rest.content, rest.header_values("x-a"), rest.query_values("a")) == (b"\x89PNG", ["1", "2"], ["1", "2"])
    assert (rest.path, rest.path_parameter("id"), rest.resource) == ("/orders/7", "7", "/orders/{id}")
