"""Whatever the Runtime API sends: an event is answered, and the runtime neither hangs nor dies without a word."""

from __future__ import annotations

import contextlib
import itertools
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unit.runtime.api_server import FAR_DEADLINE, Process, Request, RuntimeAPI, RuntimeCommand

FIELDS = ["deadline_ms", "invoked_function_arn", "trace_id", "client_context", "cognito_identity", "aws_tenant_id"]
ANY_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=60)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELD = st.none() | ANY_TEXT | JSON.map(json.dumps) | st.sampled_from([FAR_DEADLINE, "0", "-1", "9" * 30, " 5 "])
HEADERS = st.fixed_dictionaries({}, optional=dict.fromkeys([*FIELDS, "content_type", "invocation_id"], FIELD))
BODY = st.binary(max_size=400) | JSON.map(lambda value: json.dumps(value).encode()) | st.just(b"[" * 3000)
CUTS = st.lists(st.integers(1, 3000), max_size=4)
CARELESS = settings(
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def send(request: Request, data: bytes, cuts: list[int]) -> None:
    """Send the bytes in pieces that end at `cuts`."""
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for start, end in itertools.pairwise(edges):
        request.connection.sendall(data[start:end])


def chunked(event: bytes, size: int) -> bytes:
    head, _, body = event.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length")]
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return b"\r\n".join([*lines, b"Transfer-Encoding: chunked", b"", chunks + b"0\r\n\r\n"])


def accept(api: RuntimeAPI, posted: Request) -> None:
    """Check that an answer has Lambda's form, and accept it."""
    assert posted.kind in ("response", "error")
    if posted.kind == "error":
        assert list(posted.json) == ["errorMessage", "errorType", "requestId", "stackTrace"]
        assert posted.json["errorType"]
    api.reply(posted)


@pytest.mark.parametrize("function", ["echo", "attributes", "struct", "surface"])
def test_every_event_is_answered_whatever_its_headers_and_body(
    api: RuntimeAPI, runtime: RuntimeCommand, function: str
) -> None:
    with runtime.start(api, function) as process:

        @CARELESS
        @given(HEADERS, BODY, CUTS, st.none() | st.integers(1, 500))
        def answers(headers: dict[str, Any], body: bytes, cuts: list[int], chunk: int | None) -> None:
            request = api.expect("next")
            event = api.event(body, **headers)
            send(request, event if chunk is None else chunked(event, chunk), cuts)
            accept(api, api.receive())
            assert process.popen.poll() is None

        answers()
        process.stdout()  # is text in UTF-8, whatever was logged


def next_request(api: RuntimeAPI, process: Process) -> Request | None:
    """The runtime's next request; `None` when it has ended, which it must say."""
    while True:
        try:
            return api.receive(1.0)
        except TimeoutError:
            if process.popen.poll() is None:
                continue
            assert process.wait() == 1
            assert "pyl: cannot go on without the Runtime API: " in process.stderr()
            return None


@pytest.mark.parametrize("to", ["next", "response"])
def test_nonsense_instead_of_an_answer_is_survived_or_told(api: RuntimeAPI, runtime: RuntimeCommand, to: str) -> None:
    heads = [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 202 Accepted\r\nContent-Length: ", b"HTTP/1.1 ", b"\r\n\r\n"]
    heads += [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"]
    nonsense = st.tuples(st.sampled_from(heads), st.binary(max_size=300)).map(b"".join)
    with contextlib.ExitStack() as stack:
        process = stack.enter_context(runtime.start(api, "echo"))

        @CARELESS
        @given(nonsense)
        def goes_on(answer: bytes) -> None:
            nonlocal process
            request = api.expect("next")
            if to == "response":
                request.connection.sendall(api.event(b"1"))
                request = api.expect("response")
            with contextlib.suppress(OSError):
                request.connection.sendall(answer)
            api.drop(request.connection)
            again = next_request(api, process)
            if again is None:
                process = stack.enter_context(runtime.start(api, "echo"))
                again = api.expect("next")
            elif again.kind == "response":  # nobody may have received it
                api.reply(again)
                again = api.expect("next")
            again.connection.sendall(api.event(b'"after"'))
            posted = api.expect("response")
            assert posted.json == "after"
            api.reply(posted)

        goes_on()
