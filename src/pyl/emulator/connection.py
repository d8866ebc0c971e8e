"""An HTTP/1.1 server for the Runtime API, with chunked bodies and trailers.

The runtime reports an error in mid-stream in the trailers of its request, and aiohttp's server does not pass trailers
on. So this parses requests itself; docs/adr/0009-own-http-server.md says why it does not use h11.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

_HEAD_LIMIT = 2 << 20
"""Largest head or trailer of a request in bytes. X-Ray causes and error bodies have up to 1 MiB each."""

_REASONS = {
    200: "OK",
    202: "Accepted",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    413: "Payload Too Large",
}


@dataclass(kw_only=True)
class Request:
    """A request. Its body is collected in `body`, or passed to `sink` if there is one."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Values by name in lower case."""
    body: bytearray = field(default_factory=bytearray)
    trailers: dict[str, str] = field(default_factory=dict)
    limit: int | None = None
    """How many bytes of the body to collect. Bytes beyond are only counted."""
    length: int = 0
    """Number of bytes of the body that were received."""
    sink: Callable[[bytes], None] | None = None
    """Called with each piece of the body."""

    def feed(self, piece: bytes) -> None:
        """Add a piece of the body."""
        self.length += len(piece)
        if self.sink:
            self.sink(piece)
        elif self.limit is None or self.length <= self.limit:
            self.body += piece


class RequestHandler(Protocol):
    """Handles the requests of connections."""

    def request_started(self, connection: Connection, request: Request) -> None:
        """Handle the head of a request, before its body is received."""

    def request_complete(self, connection: Connection, request: Request) -> None:
        """Handle a complete request. The connection reads no other one until `reply` is called, now or later."""

    def connection_lost(self, connection: Connection, request: Request | None) -> None:
        """Handle the end of a connection. `request` is the one that was not answered, if there is one."""


class Connection(asyncio.Protocol):
    """A connection of the runtime."""

    def __init__(self, handler: RequestHandler) -> None:
        self._handler = handler
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._parse: Callable[[], bool] = self._parse_head
        self._request: Request | None = None
        self._remaining = 0
        self._waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self._transport = transport

    def connection_lost(self, exception: Exception | None) -> None:  # noqa: ARG002
        """Tell the handler."""
        self._transport = None
        self._handler.connection_lost(self, self._request)

    def data_received(self, data: bytes) -> None:
        """Parse what was received."""
        self._buffer += data
        self._advance()

    def pause(self) -> None:
        """Stop reading until `resume` is called."""
        if self._transport:
            self._transport.pause_reading()

    def resume(self) -> None:
        """Continue to read."""
        if self._transport:
            self._transport.resume_reading()

    def close(self) -> None:
        """Close the connection at once."""
        if self._transport:
            self._transport.abort()

    def reply(self, status: int, body: bytes, headers: Mapping[str, str | None] | None = None) -> None:
        """Answer the complete request, and continue with the next one.

        Args:
            status: HTTP status.
            body: The body.
            headers: Further headers; those without a value are left out.
        """
        fields = {"Content-Type": "application/json"} | {name: text for name, text in (headers or {}).items() if text}
        head = "".join(f"{name}: {text}\r\n" for name, text in fields.items())
        lines = f"HTTP/1.1 {status} {_REASONS[status]}\r\n{head}Content-Length: {len(body)}\r\n\r\n"
        if self._transport:
            # Lambda sends a client context as UTF-8. Bytes that are not UTF-8 are sent as they were received.
            self._transport.write(lines.encode("utf-8", "surrogateescape") + body)
        self._request = None
        self._waiting = False
        if self._buffer:
            asyncio.get_running_loop().call_soon(self._advance)

    def _advance(self) -> None:
        try:
            while not self._waiting and self._parse():
                pass
        except ValueError:
            self.close()  # not HTTP; the exit of the process is reported instead

    def _parse_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > _HEAD_LIMIT:
                raise ValueError
            return False
        lines = self._take(end, 4).decode("utf-8", "surrogateescape").split("\r\n")
        method, path, _ = lines[0].split(" ", 2)
        self._request = Request(method=method, path=path, headers=_parse_fields(lines[1:]))
        headers = self._request.headers
        if headers.get("expect", "").lower() == "100-continue" and self._transport:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._handler.request_started(self, self._request)
        if headers.get("transfer-encoding", "").lower() == "chunked":
            self._parse = self._parse_chunk_size
        else:
            self._remaining = _parse_number(headers.get("content-length") or "0", 10)
            self._parse = self._parse_sized_body
        return True

    def _parse_sized_body(self) -> bool:
        self._feed_body()
        return not self._remaining and self._complete()

    def _parse_chunk_size(self) -> bool:
        end = self._buffer.find(b"\r\n")
        if end < 0:
            if len(self._buffer) > _HEAD_LIMIT:
                raise ValueError
            return False
        self._remaining = _parse_number(self._take(end, 2).partition(b";")[0].strip().decode("ascii"), 16)
        self._parse = self._parse_chunk if self._remaining else self._parse_trailer
        return True

    def _parse_chunk(self) -> bool:
        self._feed_body()
        if self._remaining or len(self._buffer) < 2:
            return False
        if self._take(0, 2, keep=2) != b"\r\n":
            raise ValueError
        self._parse = self._parse_chunk_size
        return True

    def _parse_trailer(self) -> bool:
        end = self._buffer.find(b"\r\n")
        if end < 0:
            if len(self._buffer) > _HEAD_LIMIT:
                raise ValueError
            return False
        line = self._take(end, 2).decode("utf-8", "surrogateescape")
        if not line:
            return self._complete()
        assert self._request  # noqa: S101 - its head came first
        self._request.trailers |= _parse_fields([line])
        return True

    def _feed_body(self) -> None:
        assert self._request  # noqa: S101 - its head came first
        if piece := bytes(self._buffer[: self._remaining]):
            del self._buffer[: len(piece)]
            self._remaining -= len(piece)
            self._request.feed(piece)

    def _complete(self) -> bool:
        assert self._request  # noqa: S101 - its head came first
        self._parse = self._parse_head
        self._waiting = True
        self._handler.request_complete(self, self._request)
        return True

    def _take(self, end: int, separator: int, *, keep: int = 0) -> bytes:
        line = bytes(self._buffer[: end + keep])
        del self._buffer[: end + separator]
        return line


def _parse_fields(lines: list[str]) -> dict[str, str]:
    fields = {}
    for line in lines:
        name, _, value = line.partition(":")
        fields[name.strip().lower()] = value.strip()
    return fields


def _parse_number(text: str, base: int) -> int:
    if not text.isascii() or not text.isalnum() or len(text) > 15:
        raise ValueError
    return int(text, base)
