"""The client reads any response, and any nonsense, without hanging."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pyl.runtime.loop import client
from pyl.runtime.loop.client import Client, Invocation, Response, RuntimeAPIError

SECONDS = 5.0


def receive(data: bytes) -> Response:
    """Read a response from a server that sends this and closes."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(SECONDS)
        theirs.sendall(data)
        theirs.shutdown(socket.SHUT_WR)
        return Client("127.0.0.1:1")._receive(ours)


def receive_from(connection: socket.socket) -> Response:
    waiting = Client("127.0.0.1:1")
    waiting._socket = connection
    return waiting.receive()


token = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-", min_size=1, max_size=20)
value = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=50).map(str.strip)


@given(st.dictionaries(token.map(lambda name: f"x-{name}".lower()), value, max_size=8), st.binary(max_size=3000))
def test_headers_and_body_arrive_as_they_were_sent(headers: dict[str, str], body: bytes) -> None:
    lines = "".join(f"{name}: {text}\r\n" for name, text in headers.items())
    head = f"HTTP/1.1 200 OK\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
    response = receive(head.encode() + body)
    assert (response.status, response.body) == (200, body)
    assert response.headers == {**headers, "content-length": str(len(body))}


@given(st.lists(st.binary(min_size=1, max_size=500), max_size=6))
def test_chunks_are_put_together(chunks: list[bytes]) -> None:
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    assert receive(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body).body == b"".join(chunks)


@given(st.binary(max_size=300) | st.binary(max_size=300).map(b"HTTP/1.1 200 OK\r\n".__add__))
@example(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nabc\r\n0\r\n\r\n")
@example(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1_0\r\nabc\r\n0\r\n\r\n")
@example(b"HTTP/1.1 200 OK\r\nContent-Length: \xc2\xb2\r\n\r\n")
@example(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n")
@example(b"HTTP/1.1 \xc2\xb2\xc2\xb2\xc2\xb2 OK\r\n\r\n")
def test_nonsense_ends_in_a_response_or_a_connection_error(data: bytes) -> None:
    try:
        response = receive(data)
    except TimeoutError:
        raise
    except OSError:
        return
    assert response.status >= 200


@pytest.mark.parametrize("in_first_packet", [True, False])
@pytest.mark.parametrize("missing", [1, 99_999])
def test_a_body_that_is_cut_is_an_error(missing: int, in_first_packet: bool) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(SECONDS)
        head, body = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", bytes(100_000 - missing)
        reader = threading.Thread(target=lambda: outcomes.append(outcome(ours)), daemon=True)
        outcomes: list[str] = []
        reader.start()
        if in_first_packet:
            theirs.sendall(head + body)
        else:
            theirs.sendall(head)
            time.sleep(0.05)
            theirs.sendall(body)
        theirs.shutdown(socket.SHUT_WR)
        reader.join(SECONDS)
    assert outcomes == ["ConnectionError: the connection was closed before the response was complete"]


def test_a_chunk_that_is_cut_is_an_error() -> None:
    with pytest.raises(ConnectionError, match="before the response was complete"):
        receive(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n" + bytes(50))


def outcome(connection: socket.socket) -> str:
    try:
        return repr(receive_from(connection).body[:20])
    except OSError as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("header", ["Content-Length: {}", "Transfer-Encoding: chunked\r\n\r\n{:x}"])
def test_a_length_above_the_limit_is_refused_before_memory_is_allocated(
    monkeypatch: pytest.MonkeyPatch, header: str
) -> None:
    monkeypatch.setattr(client, "MAX_BODY_BYTES", 1000)
    for length, message in ((1001, "a body of 1001 bytes"), (1000, "before the response was complete")):
        with pytest.raises(OSError, match=message):
            receive(f"HTTP/1.1 200 OK\r\n{header.format(length)}\r\n\r\n".encode())


def test_the_limit_allows_every_length_of_lambdas_and_no_nonsense() -> None:
    assert 200 * 1024 * 1024 < client.MAX_BODY_BYTES < 10**10


@given(st.dictionaries(st.sampled_from(["lambda-runtime-deadline-ms", "content-type"]), st.text(max_size=30)))
def test_any_header_makes_an_invocation(headers: dict[str, str]) -> None:
    invocation = Invocation(Response(200, headers, b""))
    assert invocation.deadline_ms >= 0
    assert invocation.trace_id == ""


@pytest.mark.parametrize("address", ["", "host", "host:", ":80", "host:port", "http://host:80/x"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(RuntimeAPIError, match="must read host:port"):
        Client(address)
