"""Results that are sent while they are made, as Lambda wants to receive them."""

from __future__ import annotations

import base64
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from unit.runtime.api_server import INTERPRETED, PATIENCE, RuntimeAPI, RuntimeCommand

PATH = "/2018-06-01/runtime/invocation/request-1/response"
KINDS = ["parts", "asynchronous_parts"]


class Streamed:
    """A streamed answer as its bytes arrive: head, chunks, trailers."""

    def __init__(self, api: RuntimeAPI) -> None:
        self._api = api
        self.connection = api.accept()
        self._received = b""
        self.request_line = self._line()
        self.headers = dict(self._fields())
        self.body = b""
        self.trailers: dict[str, str] = {}

    def chunk(self) -> bytes:
        """The next chunk; empty at the end, after which the trailers are there."""
        size = int(self._line(), 16)
        if not size:
            self.trailers = dict(self._fields())
            return b""
        while len(self._received) < size + 2:
            self._receive()
        data, end, self._received = self._received[:size], self._received[size : size + 2], self._received[size + 2 :]
        assert end == b"\r\n"
        return data

    def rest(self) -> bytes:
        """Everything that is still to come."""
        return b"".join(iter(self.chunk, b""))

    def reply(self, status: str = "202 Accepted") -> None:
        self.connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())

    def was_closed(self) -> bool:
        """Whether the runtime closed the connection, and sent nothing more; waits for it."""
        return not self._received and self.connection.recv(1) == b""

    def drop(self) -> None:
        """Close the connection."""
        self._api.drop(self.connection)

    def _fields(self) -> Iterator[tuple[str, str]]:
        while line := self._line():
            name, _, value = line.partition(": ")
            yield name.lower(), value

    def _line(self) -> str:
        while b"\r\n" not in self._received:
            self._receive()
        line, _, self._received = self._received.partition(b"\r\n")
        return line.decode()

    def _receive(self) -> None:
        data = self.connection.recv(1 << 24)
        assert data, "the runtime closed the connection"
        self._received += data


def begin(api: RuntimeAPI, event: Any, **headers: str | None) -> Streamed:
    """Have the runtime handle an event, and return the answer that it streams."""
    request = api.expect("next")
    request.connection.sendall(api.event(json.dumps(event).encode(), **headers))
    return Streamed(api)


def whole(api: RuntimeAPI, event: Any) -> Streamed:
    """As `begin`, read to its end and accepted."""
    streamed = begin(api, event)
    streamed.body = streamed.rest()
    streamed.reply()
    return streamed


@pytest.mark.parametrize("function", KINDS)
def test_parts_are_sent_as_they_are_made(api: RuntimeAPI, runtime: RuntimeCommand, function: str) -> None:
    with runtime.start(api, function):
        streamed = begin(api, ["erste Größe", 3, "last"])
        assert streamed.request_line == f"POST {PATH} HTTP/1.1"
        assert streamed.headers["lambda-runtime-function-response-mode"] == "streaming"
        assert streamed.headers["transfer-encoding"] == "chunked"
        assert streamed.headers["content-type"] == "application/octet-stream"
        assert streamed.headers["trailer"] == ("Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body")
        assert "content-length" not in streamed.headers
        assert "lambda-runtime-invocation-id" not in streamed.headers
        chunks = [streamed.chunk(), streamed.chunk(), streamed.chunk(), streamed.chunk()]
        assert chunks == ["erste Größe".encode(), b"\xff\xff\xff", b"last", b""]
        assert streamed.trailers == {}
        streamed.reply()
        assert streamed.was_closed()
        assert whole(api, ["again"]).body == b"again"


@pytest.mark.parametrize("function", ["gated", "asynchronous_gated"])
def test_a_part_is_sent_before_the_next_is_made(api: RuntimeAPI, runtime: RuntimeCommand, function: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gate, runtime.start(api, function):
        gate.settimeout(PATIENCE)
        streamed = begin(api, gate.getsockname()[1])
        assert streamed.chunk() == b"first"
        waiting, _ = gate.accept()
        with waiting:
            waiting.sendall(b"!")
        assert streamed.rest() == b"second"


def test_the_invocation_id_is_echoed(api: RuntimeAPI, runtime: RuntimeCommand) -> None:
    with runtime.start(api, "parts"):
        assert begin(api, ["x"], invocation_id="inv-1").headers["lambda-runtime-invocation-id"] == "inv-1"


@pytest.mark.parametrize("function", KINDS)
def test_a_stream_without_parts_is_an_empty_answer(api: RuntimeAPI, runtime: RuntimeCommand, function: str) -> None:
    with runtime.start(api, function):
        for _ in range(2):
            streamed = whole(api, [])
            assert (streamed.body, streamed.trailers) == (b"", {})


def test_empty_parts_do_not_end_a_stream(api: RuntimeAPI, runtime: RuntimeCommand) -> None:
    with runtime.start(api, "parts"):
        assert whole(api, ["", "a", 0, "b", ""]).body == b"ab"


@pytest.mark.parametrize("function", KINDS)
@pytest.mark.parametrize("size", [65_536, 65_537, 30_000_000])
def test_large_parts_arrive_whole(api: RuntimeAPI, runtime: RuntimeCommand, function: str, size: int) -> None:
    with runtime.start(api, function):
        assert whole(api, ["first", size, "last"]).body == b"first" + b"\xff" * size + b"last"


def test_a_response_has_its_head_before_its_body(api: RuntimeAPI, runtime: RuntimeCommand) -> None:
    with runtime.start(api, "page"):
        streamed = whole(api, ["a", "b"])
    assert streamed.headers["content-type"] == "application/vnd.awslambda.http-integration-response"
    head, _, body = streamed.body.partition(bytes(8))
    assert json.loads(head) == {
        "statusCode": 418,
        "headers": {"content-type": "text/plain; charset=utf-8"},
        "cookies": ["a=1", "b=2; HttpOnly"],
    }
    assert body == b"ab"


def test_an_empty_part_sends_the_head_of_a_response(api: RuntimeAPI, runtime: RuntimeCommand) -> None:
    with runtime.start(api, "asynchronous_page"):
        streamed = begin(api, ["", "later"])
        assert streamed.chunk() == b'{"statusCode":200,"headers":{"content-type":"text/plain"}}' + bytes(8)
        assert streamed.chunk() == b"later"


def test_headers_may_repeat_for_rest_apis(api: RuntimeAPI, runtime: RuntimeCommand) -> None:
    with runtime.start(api, "rest_page"):
        head, _, body = whole(api, None).body.partition(bytes(8))
        assert json.loads(head)["multiValueHeaders"] == {"Set-Cookie": ["a=1", "b=2"]}
        assert body == b"whole"


def test_an_open_file_is_streamed(api: RuntimeAPI, runtime: RuntimeCommand) -> None:
    with runtime.start(api, "file"):
        assert whole(api, None).body == b"one\ntwo\n"


@pytest.mark.parametrize("function", [*KINDS, "page", "asynchronous_page"])
def test_what_fails_before_the_first_part_is_an_error_like_any_other(
    api: RuntimeAPI, runtime: RuntimeCommand, function: str
) -> None:
    with runtime.start(api, function) as process:
        payload = api.error(["fail"])
        assert payload["errorType"] == "LookupError"
        assert payload["errorMessage"] == "größe fail"
        assert "parts\n" in payload["stackTrace"][0]
        assert not any("/pyl/runtime/" in frame or "asyncio" in frame for frame in payload["stackTrace"])
        assert whole(api, ["after"]).body.endswith(b"after")
        assert "[ERROR] LookupError: größe fail" in process.stdout()


@pytest.mark.parametrize("function", KINDS)
def test_what_fails_in_mid_stream_is_told_by_trailers(api: RuntimeAPI, runtime: RuntimeCommand, function: str) -> None:
    with runtime.start(api, function) as process:
        streamed = whole(api, ["sent", "fail"])
        assert streamed.body == b"sent"
        assert streamed.trailers["lambda-runtime-function-error-type"] == "Function.LookupError"
        payload = json.loads(base64.b64decode(streamed.trailers["lambda-runtime-function-error-body"]))
        assert list(payload) == ["errorMessage", "errorType", "requestId", "stackTrace"]
        assert (payload["errorType"], payload["errorMessage"]) == ("LookupError", "größe fail")
        assert payload["requestId"] == "request-1"
        assert f"in {function}\n" in payload["stackTrace"][0]
        assert "[ERROR] LookupError: größe fail" in process.stdout()
        assert whole(api, ["after"]).body == b"after"


@pytest.mark.parametrize("function", KINDS)
def test_parts_are_text_or_bytes(api: RuntimeAPI, runtime: RuntimeCommand, function: str) -> None:
    message = "Unable to marshal response: a streamed result is made of text or bytes, not int"
    with runtime.start(api, function):
        payload = api.error(["number"])
        assert (payload["errorType"], payload["errorMessage"]) == ("Runtime.MarshalError", message)
        streamed = whole(api, ["sent", "number"])
        assert streamed.trailers["lambda-runtime-function-error-type"] == "Runtime.MarshalError"


def test_a_head_that_has_no_json_is_a_marshal_error(api: RuntimeAPI, runtime: RuntimeCommand) -> None:
    with runtime.start(api, "bad_head"):
        assert api.error(None)["errorType"] == "Runtime.MarshalError"
        assert api.error(None)["errorMessage"].endswith("Object of type object is not JSON serializable")


@pytest.mark.parametrize("function", KINDS)
def test_an_exit_in_mid_stream_ends_the_process_and_its_connection(
    api: RuntimeAPI, runtime: RuntimeCommand, function: str
) -> None:
    with runtime.start(api, function) as process:
        streamed = begin(api, ["sent", "exit"])
        assert streamed.chunk() == b"sent"
        assert process.wait() == 3
        assert streamed.was_closed()


@pytest.mark.parametrize("function", KINDS)
@pytest.mark.parametrize("status", ["400 Bad Request", "413 Too Large"])
def test_a_stream_that_is_refused_midway_is_logged_and_closed(
    api: RuntimeAPI, runtime: RuntimeCommand, function: str, status: str
) -> None:
    with runtime.start(api, function) as process:
        streamed = begin(api, ["first", *[1_000_000] * 100])
        assert streamed.chunk() == b"first"
        streamed.reply(status)
        streamed.drop()
        assert whole(api, ["after"]).body == b"after"
        text = process.stderr()
        assert f"was refused with {status[:3]}" in text or "could not be streamed" in text


@pytest.mark.parametrize("function", KINDS)
def test_a_caller_that_goes_away_closes_the_generator(api: RuntimeAPI, runtime: RuntimeCommand, function: str) -> None:
    with runtime.start(api, function) as process:
        streamed = begin(api, ["first", *[1_000_000] * 100])
        assert streamed.chunk() == b"first"
        streamed.drop()
        assert whole(api, ["after"]).body == b"after"
        assert "could not be streamed" in process.stderr()
        assert "closed request-1\n" in process.stdout()


def test_a_container_error_after_a_stream_ends_the_process(api: RuntimeAPI, runtime: RuntimeCommand) -> None:
    with runtime.start(api, "parts") as process:
        streamed = begin(api, ["x"])
        streamed.rest()
        streamed.reply("500 Internal Server Error")
        assert process.wait() == 1


def test_other_tasks_go_on_while_the_caller_reads_slowly(api: RuntimeAPI, runtime: RuntimeCommand) -> None:
    with runtime.start(api, "heartbeat"):
        streamed = begin(api, 30_000_000)
        time.sleep(0.5)
        body = streamed.rest()
        streamed.reply()
        assert int(body.rpartition(b"\n")[2]) > 5


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc")
@pytest.mark.parametrize("function", KINDS)
def test_a_thousand_streams_do_not_make_the_process_grow(
    api: RuntimeAPI, runtime: RuntimeCommand, function: str
) -> None:
    with runtime.start(api, function) as process:
        proc = Path(f"/proc/{process.popen.pid}")

        def size_after(count: int) -> tuple[int, int]:
            for _ in range(count):
                streamed = whole(api, ["a", 5000, "b"])
                assert streamed.was_closed()
                streamed.drop()
            return int((proc / "statm").read_text().split()[1]), len(list((proc / "fd").iterdir()))

        pages, descriptors = size_after(200)
        later_pages, later_descriptors = size_after(800)
        assert later_pages - pages <= 16
        assert later_descriptors - descriptors <= 1  # the connection of the next question may be open or not


@pytest.mark.parametrize("function", KINDS)
def test_awslambdaric_sends_a_stream_as_a_whole(api: RuntimeAPI, function: str) -> None:
    with INTERPRETED.start(api, function):
        posted = api.invoke(["text ", 2])
        assert (posted.kind, posted.body) == ("response", b"text \xff\xff")
        payload = api.error(["lost", "fail"])
        assert (payload["errorType"], payload["errorMessage"]) == ("LookupError", "größe fail")
        assert f"in {function}\n" in payload["stackTrace"][0]
        assert not any("/pyl/runtime/" in frame for frame in payload["stackTrace"])


def test_awslambdaric_sends_a_streamed_response_as_a_buffered_one(api: RuntimeAPI) -> None:
    with INTERPRETED.start(api, "page"):
        assert api.result(["größe", "!"]) == {
            "statusCode": 418,
            "headers": {"content-type": "text/plain; charset=utf-8"},
            "cookies": ["a=1", "b=2; HttpOnly"],
            "body": "größe!",
            "isBase64Encoded": False,
        }
        assert api.result([2])["body"] == base64.b64encode(b"\xff\xff").decode()
        assert api.result([2])["isBase64Encoded"] is True
