"""Function URLs and routes over HTTP: requests become events, responses become HTTP, pages are kept to their origin."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from pyl.emulator.origin_policy import OriginPolicy
from pyl.emulator.routes import Route
from unit.emulator.fakes import Serving, function, package, serving, with_deployment

BODY = """
if name in ("echo", "rest", "open"):
    result = event
elif name == "say":
    result = base64.b64decode(event["body"]) if event.get("isBase64Encoded") else event.get("body", "").encode()
elif name == "fail":
    post("error", json.dumps({"errorType": "Oops", "errorMessage": "no"}))
elif name == "stream":
    prelude = {"statusCode": 201, "headers": {"content-type": "text/plain", "x-a": "b"}, "cookies": ["a=1", "b=2"]}
    text = json.dumps(prelude).encode() + bytes(8)
    stream([text[:10], text[10:] + b"one ", b"two"], "application/vnd.awslambda.http-integration-response")
elif name == "plain":
    stream([b"one ", b"two"], "text/csv")
elif name == "breaks":
    stream([b"so far"], "text/plain", error={"errorType": "Function.Oops", "errorMessage": "in mid-stream"})
elif name == "endless":
    stream([b"{}"], "application/vnd.awslambda.http-integration-response")
"""
ORIGIN = "https://shop.example.com"


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    task = package(tmp_path_factory.mktemp("http"), BODY)
    functions = [
        *map(function, ("echo", "say", "fail", "stream", "plain", "breaks", "endless")),
        with_deployment(function("open"), url="public", url_origins=(ORIGIN,)),
        with_deployment(function("whole"), url="public", url_mode="BUFFERED"),
        function("rest", event="pyl.events.APIGatewayEvent"),
    ]
    routes = [
        Route(key="GET /orders/{id}", function="echo"),
        Route(key="ANY /files/{path+}", function="rest"),
        Route(key="POST /say", function="say"),
    ]
    with serving(task, *functions, routes=routes) as running:
        yield running


class Answer:
    def __init__(self, response: http.client.HTTPResponse, body: bytes) -> None:
        self.status, self.headers, self.body = response.status, response.headers, body

    @property
    def json(self) -> dict[str, object]:
        content: dict[str, object] = json.loads(self.body)
        return content


def ask(
    emulator: Serving, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", emulator.port, timeout=20)
    try:
        connection.request(method, path, body, dict(headers or {}))
        response = connection.getresponse()
        return Answer(response, response.read())
    finally:
        connection.close()


def say(emulator: Serving, response: object, **headers: str) -> Answer:
    text = response if isinstance(response, bytes) else json.dumps(response).encode()
    return ask(emulator, "POST", "/url/say/", text, {"Content-Type": "application/octet-stream", **headers})


def test_a_request_becomes_an_event_of_version_2(emulator: Serving) -> None:
    headers = {"Cookie": "a=1; b=2", "X-Twice": "1", "User-Agent": "test", "Content-Type": "application/json"}
    event = ask(emulator, "POST", "/url/echo/a%20b/c?x=1&y=&x=2%20", b'{"a":1}', headers).json
    assert event["version"] == "2.0"
    assert (event["routeKey"], event["rawPath"], event["rawQueryString"]) == ("$default", "/a%20b/c", "x=1&y=&x=2%20")
    assert event["queryStringParameters"] == {"x": "1,2 ", "y": ""}
    assert event["cookies"] == ["a=1", "b=2"]
    assert (event["body"], event["isBase64Encoded"]) == ('{"a":1}', False)
    sent = event["headers"]
    assert isinstance(sent, dict)
    assert sent["x-twice"] == "1"
    assert "cookie" not in sent
    context = event["requestContext"]
    assert isinstance(context, dict)
    assert context["http"] == {
        "method": "POST",
        "path": "/a%20b/c",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "test",
    }
    assert (context["accountId"], context["stage"]) == ("anonymous", "$default")


def test_the_url_itself_is_the_path_slash(emulator: Serving) -> None:
    assert ask(emulator, "GET", "/url/echo").json["rawPath"] == "/"
    assert ask(emulator, "GET", "/url/echo/?a").json["rawPath"] == "/"


@pytest.mark.parametrize(
    ("content_type", "body", "encoded"),
    [
        ("text/plain; charset=utf-8", "ä".encode(), False),
        ("application/problem+json", b"{}", False),
        ("application/x-www-form-urlencoded", b"a=b", True),
        ("image/png", b"\x89PNG", True),
        ("text/plain", b"\xff", True),
    ],
)
def test_binary_bodies_travel_as_base64(emulator: Serving, content_type: str, body: bytes, encoded: bool) -> None:
    event = ask(emulator, "POST", "/url/echo/", body, {"Content-Type": content_type}).json
    assert event["isBase64Encoded"] is encoded
    text = str(event["body"])
    assert (base64.b64decode(text) if encoded else text.encode()) == body


def test_json_without_a_status_is_the_body(emulator: Serving) -> None:
    answer = say(emulator, "Hello, world!")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.body == b'"Hello, world!"'


def test_a_response_with_status_headers_and_cookies_is_sent_as_such(emulator: Serving) -> None:
    cookies = ["a=1; Path=/", "b=2; HttpOnly"]
    response = {"statusCode": 404, "headers": {"X-A": "b", "Content-Length": "3"}, "cookies": cookies, "body": "none"}
    answer = say(emulator, response)
    assert (answer.status, answer.body) == (404, b"none")
    assert answer.headers["X-A"] == "b"
    assert answer.headers.get_all("Set-Cookie") == cookies
    assert answer.headers["Content-Type"] == "application/json"


def test_a_body_in_base64_is_sent_as_bytes(emulator: Serving) -> None:
    body = base64.b64encode(bytes(range(256))).decode()
    headers = {"content-type": "image/png"}
    answer = say(emulator, {"statusCode": 200, "headers": headers, "body": body, "isBase64Encoded": True})
    assert answer.body == bytes(range(256))
    assert answer.headers["Content-Type"] == "image/png"


@pytest.mark.parametrize(
    ("response", "why"),
    [
        ({"statusCode": "many"}, "its statusCode is 'many'"),
        ({"statusCode": 99}, "its statusCode is 99"),
        ({"statusCode": 200, "headers": []}, None),
        ({"statusCode": 200, "headers": [1]}, "its headers are not an object"),
        ({"statusCode": 200, "headers": {"a": "b\r\nc: d"}}, "cannot be sent"),
        ({"statusCode": 200, "body": "?", "isBase64Encoded": True}, "not base64"),
    ],
)
def test_a_response_that_cannot_be_sent_is_a_bad_gateway_and_the_log_says_why(
    emulator: Serving, response: object, why: str | None
) -> None:
    answer = say(emulator, response)
    assert answer.status == (502 if why else 200)
    if why:
        assert answer.json == {"Message": "Internal Server Error"}
        assert why in emulator.lines[-1][1] or any(why in line for _, line in emulator.lines)


def test_a_failure_of_the_function_is_a_bad_gateway(emulator: Serving) -> None:
    assert ask(emulator, "GET", "/url/fail/").status == 502


def test_an_unknown_function_is_answered_with_those_that_exist(emulator: Serving) -> None:
    answer = ask(emulator, "GET", "/url/missing/")
    assert answer.status == 404
    assert b"the project has: echo, say" in answer.body


def test_a_streamed_response_begins_with_status_headers_and_cookies(emulator: Serving) -> None:
    answer = ask(emulator, "GET", "/url/stream/")
    assert (answer.status, answer.body) == (201, b"one two")
    assert (answer.headers["Content-Type"], answer.headers["X-A"]) == ("text/plain", "b")
    assert answer.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
    assert answer.headers["Transfer-Encoding"] == "chunked"


def test_a_stream_without_a_prelude_has_its_own_content_type(emulator: Serving) -> None:
    answer = ask(emulator, "GET", "/url/plain/")
    assert (answer.status, answer.headers["Content-Type"], answer.body) == (200, "text/csv", b"one two")


def test_an_error_in_mid_stream_cuts_the_response_off(emulator: Serving) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", emulator.port, timeout=20)
    connection.request("GET", "/url/breaks/")
    response = connection.getresponse()
    assert response.status == 200
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        response.read()
    connection.close()


def test_a_stream_that_ends_in_its_prelude_is_a_bad_gateway(emulator: Serving) -> None:
    assert ask(emulator, "GET", "/url/endless/").status == 502


def test_routes_find_their_functions_and_variables(emulator: Serving) -> None:
    event = ask(emulator, "GET", "/orders/a%2Fb?x=1").json
    assert event["routeKey"] == "GET /orders/{id}"
    assert event["pathParameters"] == {"id": "a/b"}
    assert ask(emulator, "PUT", "/orders/1").status == 404


def test_functions_with_rest_events_get_those(emulator: Serving) -> None:
    answer = ask(emulator, "PUT", "/files/a/b?x=1&x=2", b"text", {"X-A": "1"})
    assert answer.status == 502  # an event returned is no response in version 1.0
    line = next(line for name, line in reversed(emulator.lines) if name == "rest" and "cannot be sent" in line)
    assert line.endswith("it has no statusCode")


def test_an_unknown_path_is_answered_with_what_there_is(emulator: Serving) -> None:
    assert ask(emulator, "GET", "/").status == 200
    answer = ask(emulator, "GET", "/nothing")
    assert answer.status == 404
    assert b"GET /orders/{id}" in answer.body
    assert b"/url/echo/" in answer.body


PAGE = {"Origin": ORIGIN}
PREFLIGHT = {**PAGE, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-a"}


def test_a_page_of_an_allowed_origin_may_call_the_url(emulator: Serving) -> None:
    answer = ask(emulator, "GET", "/url/open/", None, PAGE)
    assert answer.status == 200
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert answer.headers["Vary"] == "Origin"


def test_the_url_answers_preflights_itself(emulator: Serving) -> None:
    before = len(emulator.lines)
    answer = ask(emulator, "OPTIONS", "/url/open/", None, PREFLIGHT)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Access-Control-Allow-Headers"] == "x-a"
    assert "PUT" in answer.headers["Access-Control-Allow-Methods"]
    assert len(emulator.lines) == before


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/url/echo/", PAGE),
        ("/url/open/", {"Origin": "https://evil.example.com"}),
        ("/url/open/", {"Sec-Fetch-Site": "cross-site"}),
        ("/url/open/", {"Origin": "null"}),
        ("/url/echo/", {"Sec-Fetch-Site": "same-site"}),
        ("/orders/1", PAGE),
    ],
)
def test_pages_of_other_origins_are_refused(emulator: Serving, path: str, headers: Mapping[str, str]) -> None:
    before = len(emulator.lines)
    answer = ask(emulator, "GET", path, None, headers)
    assert answer.status == 403
    assert b"another origin" in answer.body
    assert len(emulator.lines) == before


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_pages_of_the_url_itself_may_call_it(emulator: Serving, site: str) -> None:
    origin = f"http://127.0.0.1:{emulator.port}"
    assert ask(emulator, "GET", "/url/echo/", None, {"Sec-Fetch-Site": site}).status == 200
    assert ask(emulator, "POST", "/url/echo/", b"", {"Origin": origin, "Sec-Fetch-Site": site}).status == 200


def test_origins_may_be_allowed_for_everything(tmp_path: Path) -> None:
    policy = OriginPolicy(origins=[ORIGIN + "/"], hosts=["docker.internal"])
    with serving(package(tmp_path, "result = 1"), function(), policy=policy) as emulator:
        assert ask(emulator, "GET", "/url/f/", None, PAGE).body == b"1"
        assert ask(emulator, "POST", "/2015-03-31/functions/f/invocations", b"1", PAGE).body == b"1"
        assert ask(emulator, "GET", "/url/f/", None, {"Origin": "https://else.example.com"}).status == 403
        assert ask(emulator, "GET", "/url/f/", None, {"Host": "docker.internal:1"}).status == 200
