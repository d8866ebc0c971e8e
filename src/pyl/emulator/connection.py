"""HTTP/1.1 as runtimes speak it to the Runtime API: requests as they come in, with chunks and trailers.

Runtimes are handed whole connections here because what they send goes beyond what servers of the field pass on:
the trailers of a response that failed while it was streamed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

_HEAD_LIMIT = 2 << 20
"""Bytes of a request's head or trailers: X-Ray causes and error bodies are up to 1 MiB each."""

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
    """One request; its body is collected here unless `sink` takes it."""

    method: str
    path: str
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytearray = field(default_factory=bytearray)
    trailers: dict[str, str] = field(default_factory=dict)
    limit: int | None = None
    """Bytes of the body that are kept; what is beyond is counted only."""
    length: int = 0
    """Bytes that the body has so far."""
    sink: Callable[[bytes], None] | None = None

    def feed(self, piece: bytes) -> None:
        """Take a piece of the body."""
        self.length += len(piece)
        if self.sink:
            self.sink(piece)
        elif self.limit is None or self.length <= self.limit:
            self.body += piece


class Service(Protocol):
    """Who answers requests."""

    def begun(self, connection: Connection, request: Request) -> None:
        """The head of a request has arrived."""

    def complete(self, connection: Connection, request: Request) -> None:
        """All of a request has arrived. The connection waits until `reply` is called, now or later."""

    def lost(self, connection: Connection, request: Request | None) -> None:
        """The connection is closed; in the middle of a request, or while it waits for a reply to the last one."""


class Connection(asyncio.Protocol):
    """One connection of a runtime."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._step: Callable[[], bool] = self._head
        self._request: Request | None = None
        self._missing = 0
        self._waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self._transport = transport

    def connection_lost(self, exception: Exception | None) -> None:  # noqa: ARG002
        """Tell the service."""
        self._transport = None
        self._service.lost(self, self._request)

    def data_received(self, data: bytes) -> None:
        """Go on with the request."""
        self._buffer += data
        self._advance()

    def pause(self) -> None:
        """Read no more until `resume`."""
        if self._transport:
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read again."""
        if self._transport:
            self._transport.resume_reading()

    def close(self) -> None:
        """Close it at once."""
        if self._transport:
            self._transport.abort()

    def reply(self, status: int, body: bytes, headers: Mapping[str, str | None] | None = None) -> None:
        """Answer the request that is complete, and go on to the next one."""
        fields = {"Content-Type": "application/json"} | {name: text for name, text in (headers or {}).items() if text}
        head = "".join(f"{name}: {text}\r\n" for name, text in fields.items())
        lines = f"HTTP/1.1 {status} {_REASONS[status]}\r\n{head}Content-Length: {len(body)}\r\n\r\n"
        if self._transport:
            # UTF-8, as Lambda sends a client context; what was read is not replaced on the way.
            self._transport.write(lines.encode("utf-8", "surrogateescape") + body)
        self._request = None
        self._waiting = False
        if self._buffer:
            asyncio.get_running_loop().call_soon(self._advance)

    def _advance(self) -> None:
        try:
            while not self._waiting and self._step():
                pass
        except ValueError:
            self.close()  # it speaks no HTTP: the exit of the process tells the rest

    def _head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > _HEAD_LIMIT:
                raise ValueError
            return False
        lines = self._take(end, 4).decode("utf-8", "surrogateescape").split("\r\n")
        method, path, _ = lines[0].split(" ", 2)
        self._request = Request(method=method, path=path, headers=_fields(lines[1:]))
        headers = self._request.headers
        if headers.get("expect", "").lower() == "100-continue" and self._transport:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._service.begun(self, self._request)
        if headers.get("transfer-encoding", "").lower() == "chunked":
            self._step = self._chunk_size
        else:
            self._missing = _number(headers.get("content-length") or "0", 10)
            self._step = self._sized
        return True

    def _sized(self) -> bool:
        self._feed()
        return not self._missing and self._complete()

    def _chunk_size(self) -> bool:
        end = self._buffer.find(b"\r\n")
        if end < 0:
            if len(self._buffer) > _HEAD_LIMIT:
                raise ValueError
            return False
        self._missing = _number(self._take(end, 2).partition(b";")[0].strip().decode("ascii"), 16)
        self._step = self._chunk if self._missing else self._trailers
        return True

    def _chunk(self) -> bool:
        self._feed()
        if self._missing or len(self._buffer) < 2:
            return False
        if self._take(0, 2, keep=2) != b"\r\n":
            raise ValueError
        self._step = self._chunk_size
        return True

    def _trailers(self) -> bool:
        end = self._buffer.find(b"\r\n")
        if end < 0:
            if len(self._buffer) > _HEAD_LIMIT:
                raise ValueError
            return False
        line = self._take(end, 2).decode("utf-8", "surrogateescape")
        if not line:
            return self._complete()
        assert self._request  # noqa: S101 - its head came first
        self._request.trailers |= _fields([line])
        return True

    def _feed(self) -> None:
        assert self._request  # noqa: S101 - its head came first
        if piece := bytes(self._buffer[: self._missing]):
            del self._buffer[: len(piece)]
            self._missing -= len(piece)
            self._request.feed(piece)

    def _complete(self) -> bool:
        assert self._request  # noqa: S101 - its head came first
        self._step = self._head
        self._waiting = True
        self._service.complete(self, self._request)
        return True

    def _take(self, end: int, separator: int, *, keep: int = 0) -> bytes:
        taken = bytes(self._buffer[: end + keep])
        del self._buffer[: end + separator]
        return taken


def _fields(lines: list[str]) -> dict[str, str]:
    fields = {}
    for line in lines:
        name, _, value = line.partition(":")
        fields[name.strip().lower()] = value.strip()
    return fields


def _number(text: str, base: int) -> int:
    if not text.isascii() or not text.isalnum() or len(text) > 15:
        raise ValueError
    return int(text, base)
