"""One invocation between the Runtime API and its caller: handed over, answered at once or in a stream, or failed."""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from pyl.emulator.connection import Connection, Request
from pyl.emulator.invocation import JSON_TYPE, Answer, Invocation, Sink, failed

_UNREAD_LIMIT = 1 << 20
"""Bytes of a stream that wait for the caller before the runtime is made to wait."""
_STREAM_LIMIT = 200 << 20
"""Bytes of a streamed response: 200 MB."""

ERROR_TYPE = "lambda-runtime-function-error-type"
ERROR_BODY = "lambda-runtime-function-error-body"


class Exchange:
    """An invocation under way. `answer` is done when the runtime has answered, or the environment has failed."""

    def __init__(self, invocation: Invocation) -> None:
        self.invocation = invocation
        self.answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.begun: int | None = None
        """When the event was handed over; CLOCK_MONOTONIC in nanoseconds."""
        self.on_begun: Callable[[], None] | None = None
        self.on_over: Callable[[], None] | None = None
        self.stream: Stream | None = None

    def begin(self) -> None:
        """The event is on its way to the runtime: the function's time begins."""
        self.begun = time.monotonic_ns()
        if self.on_begun:
            self.on_begun()

    def settle(self, answer: Answer) -> None:
        """Give the answer; later ones are ignored."""
        if self.stream:
            self.stream.end(answer if answer.error else None)
        if not self.answer.done():
            self.answer.set_result(answer)
        self._over()

    def stream_from(self, connection: Connection, request: Request) -> None:
        """Take the response piece by piece, as `request` brings it."""
        self.stream = Stream(connection, request.headers.get("content-type") or "application/octet-stream")
        request.sink = self.stream.feed
        if not self.answer.done():
            # The pieces go by `stream`; this tells that they have begun.
            self.answer.set_result(
                Answer(
                    payload=b"",
                    error=False,
                    error_type=None,
                    received=time.monotonic_ns(),
                    content_type=self.stream.content_type,
                    streamed=True,
                )
            )

    def stream_ended(self, request: Request) -> None:
        """The stream is complete, well or with an error in its trailers."""
        if self.stream is None:
            return
        error_type = request.trailers.get(ERROR_TYPE)
        self.stream.end(_trailed(error_type, request.trailers.get(ERROR_BODY, "")) if error_type else None)
        self._over()

    def stream_broken(self) -> None:
        """The connection was closed before the end of the stream."""
        if self.stream:
            text = f"RequestId: {self.invocation.request_id} Error: the response stream was cut off"
            self.stream.end(failed("Runtime.TruncatedResponse", text))
            self._over()

    def _over(self) -> None:
        if self.on_over:
            self.on_over()

    async def forward(self, sink: Sink | None) -> Answer:
        """Hand the stream to `sink`, or put it together without one, and return the answer that it ends with."""
        assert self.stream  # noqa: S101 - the answer said so
        whole = bytearray()
        if sink:
            await sink.begin(self.stream.content_type)
        while piece := await self.stream.read():
            if sink:
                await sink.write(piece)
            else:
                whole += piece
        received = time.monotonic_ns()
        if self.stream.error:
            return replace(self.stream.error, streamed=sink is not None, received=received)
        return Answer(
            payload=bytes(whole),
            error=False,
            error_type=None,
            received=received,
            content_type=self.stream.content_type,
            streamed=sink is not None,
        )


class Stream:
    """The pieces of a response, between the runtime's pace and the caller's."""

    def __init__(self, connection: Connection, content_type: str) -> None:
        self.content_type = content_type
        self.error: Answer | None = None
        """Why it ended before its end."""
        self._connection = connection
        self._pieces: deque[bytes] = deque()
        self._unread = 0
        self._total = 0
        self._ended = False
        self._changed = asyncio.Event()

    def feed(self, piece: bytes) -> None:
        """Take a piece from the runtime."""
        if self._ended:
            return
        self._total += len(piece)
        if self._total > _STREAM_LIMIT:
            kind = "Function.ResponseSizeTooLarge"
            self.end(failed(kind, f"the streamed response exceeded {_STREAM_LIMIT} bytes"))
            return
        self._pieces.append(piece)
        self._unread += len(piece)
        self._changed.set()
        if self._unread > _UNREAD_LIMIT:
            self._connection.pause()

    def end(self, error: Answer | None) -> None:
        """There will be no further piece."""
        if not self._ended:
            self._ended, self.error = True, error
            self._changed.set()
            self._connection.resume()

    async def read(self) -> bytes:
        """What has come since the last call; empty at the end."""
        while not self._pieces and not self._ended:
            self._changed.clear()
            await self._changed.wait()
        piece = b"".join(self._pieces)
        self._pieces.clear()
        self._unread = 0
        self._connection.resume()
        return piece


def _trailed(error_type: str, body: str) -> Answer:
    try:
        payload = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        payload = b""
    return Answer(
        payload=payload, error=True, error_type=error_type, received=time.monotonic_ns(), content_type=JSON_TYPE
    )
