"""The emulator answers any input or closes the connection. It neither hangs nor crashes."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyl.emulator.http_responses import BadResponse, parse_whole_response
from pyl.emulator.runtime_api import Invocation, RuntimeAPI
from unit.emulator.fakes import Serving, function, package, serving

BODY = (
    "result = base64.b64decode(event['body']) if event.get('isBase64Encoded') else (event.get('body') or '').encode()"
)
pytestmark = pytest.mark.filterwarnings("default::ResourceWarning")
quick = settings(
    max_examples=60,
    deadline=None,  # and no limit for making inputs: both depend on what else the machine does
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

tokens = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=12)
values = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=40)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=8,
)
responses = st.fixed_dictionaries(
    {},
    optional={
        "statusCode": json_values,
        "headers": json_values,
        "multiValueHeaders": json_values,
        "cookies": json_values,
        "body": json_values,
        "isBase64Encoded": json_values,
    },
)
PATHS = [
    "/2018-06-01/runtime/init/error",
    "/2018-06-01/runtime/invocation/x/response",
    "/2020-01-01/extension/register",
    "/",
]
NAMES = [b"Content-Length", b"Transfer-Encoding", b"Expect", b"X"]
VALUES = [b"0", b"5", b"-1", b"1e3", b"chunked", b"100-continue", b"99999999999999999999", b"\xff"]
BODIES = [b"", b"hello", b"5\r\nhello\r\n0\r\n\r\n", b"5\r\nhello", b"zz\r\n", b"0\r\na: b\r\n\r\n"]


def request(method: str, path: str, fields: list[tuple[bytes, bytes]], body: bytes) -> bytes:
    head = f"{method} {path} HTTP/1.1\r\n".encode() + b"".join(b"%s: %s\r\n" % field for field in fields)
    return head + b"\r\n" + body


requests = st.binary(max_size=200) | st.builds(
    request,
    st.sampled_from(["GET", "POST", "PUT"]),
    st.sampled_from(PATHS),
    st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)), max_size=4),
    st.sampled_from(BODIES),
)


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(package(tmp_path_factory.mktemp("fuzz"), BODY), function()) as running:
        yield running


@quick
@given(requests)
def test_the_runtime_api_goes_on_whatever_a_runtime_sends(sent: bytes) -> None:
    with RuntimeAPI() as api:
        host, _, port = api.address.partition(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
        if api.init_error is None:
            api.submit(Invocation(event=b"1", timeout=3, arn="arn"))
            with closing(http.client.HTTPConnection(api.address, timeout=10)) as client:
                client.request("GET", "/2018-06-01/runtime/invocation/next")
                assert client.getresponse().read() == b"1"


@quick
@given(st.dictionaries(tokens, values, max_size=5), st.binary(max_size=200), values)
def test_every_invoke_request_is_answered(
    emulator: Serving, headers: dict[str, str], body: bytes, context: str
) -> None:
    sent = {f"x-{name}": text.strip() for name, text in headers.items()} | {"X-Amz-Client-Context": context.strip()}
    with closing(http.client.HTTPConnection("127.0.0.1", emulator.port, timeout=20)) as client:
        client.request("POST", "/2015-03-31/functions/f/invocations", body, sent)
        response = client.getresponse()
        assert response.status in {200, 400}
        response.read()


@quick
@given(st.one_of(responses.map(lambda value: json.dumps(value).encode()), st.binary(max_size=100)))
def test_every_response_of_a_function_is_sent_or_a_bad_gateway(emulator: Serving, payload: bytes) -> None:
    try:
        expected = parse_whole_response(payload, "application/json").status
    except BadResponse:
        expected = 502
    with closing(http.client.HTTPConnection("127.0.0.1", emulator.port, timeout=20)) as client:
        client.request("POST", "/url/f/", payload, {"Content-Type": "application/octet-stream"})
        response = client.getresponse()
        response.read()
        assert response.status == expected
