"""The progress of one invocation, between the caller and the Runtime API: submitted, started, answered or streamed."""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from pyl.emulator.connection import Connection, Request
from pyl.emulator.invocation import JSON_TYPE, Answer, Invocation, Sink, platform_error

_UNREAD_LIMIT = 1 << 20
"""Bytes of a stream that may wait for the caller. Above it, the emulator stops reading from the runtime."""
_STREAM_LIMIT = 200 << 20
"""Bytes of a streamed response: 200 MB."""

ERROR_TYPE = "lambda-runtime-function-error-type"
ERROR_BODY = "lambda-runtime-function-error-body"


class Exchange:
    """An invocation in progress.

    Attributes:
        invocation: What was submitted.
        answer: Done when the runtime has answered, a stream has begun, or the environment has failed.
        on_begun: Called when the runtime receives the event.
        on_over: Called when the invocation is finished.
        stream: The streamed response; None while there is none.
    """

    def __init__(self, invocation: Invocation) -> None:
        self.invocation = invocation
        self.answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.begun: int | None = None
        """When the runtime received the event, in nanoseconds of CLOCK_MONOTONIC; None before."""
        self.on_begun: Callable[[], None] | None = None
        self.on_over: Callable[[], None] | None = None
        self.stream: Stream | None = None

    def begin(self) -> None:
        """Record that the event was sent to the runtime. The function's time starts now."""
        self.begun = time.monotonic_ns()
        if self.on_begun:
            self.on_begun()

    def settle(self, answer: Answer) -> None:
        """Set the answer. Later answers are ignored."""
        if self.stream:
            self.stream.end(answer if answer.error else None)
        if not self.answer.done():
            self.answer.set_result(answer)
        self._over()

    def stream_from(self, connection: Connection, request: Request) -> None:
        """Start to stream the body of `request` as the response."""
        self.stream = Stream(connection, request.headers.get("content-type") or "application/octet-stream")
        request.sink = self.stream.feed
        if not self.answer.done():
            # The payload is in `stream`. This answer only reports that it has begun.
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

    def end_stream(self, request: Request) -> None:
        """Finish the stream, with the error in the trailers of `request` if there is one."""
        if self.stream is None:
            return
        error_type = request.trailers.get(ERROR_TYPE)
        self.stream.end(_error_from_trailers(error_type, request.trailers.get(ERROR_BODY, "")) if error_type else None)
        self._over()

    def fail_stream(self) -> None:
        """Finish the stream with an error: the connection was closed before the end of it."""
        if self.stream:
            text = f"RequestId: {self.invocation.request_id} Error: the response stream was cut off"
            self.stream.end(platform_error("Runtime.TruncatedResponse", text))
            self._over()

    def _over(self) -> None:
        if self.on_over:
            self.on_over()

    async def forward(self, sink: Sink | None) -> Answer:
        """Write the stream to `sink`, or collect it if there is none, and return the final answer."""
        assert self.stream  # noqa: S101 - the answer has `streamed`
        payload = bytearray()
        if sink:
            await sink.begin(self.stream.content_type)
        while piece := await self.stream.read():
            if sink:
                await sink.write(piece)
            else:
                payload += piece
        received = time.monotonic_ns()
        if self.stream.error:
            return replace(self.stream.error, streamed=sink is not None, received=received)
        return Answer(
            payload=bytes(payload),
            error=False,
            error_type=None,
            received=received,
            content_type=self.stream.content_type,
            streamed=sink is not None,
        )


class Stream:
    """A streamed response: a queue of pieces between the runtime and the caller, with back pressure."""

    def __init__(self, connection: Connection, content_type: str) -> None:
        self.content_type = content_type
        self.error: Answer | None = None
        """The error that ended the stream early; None if there was none."""
        self._connection = connection
        self._pieces: deque[bytes] = deque()
        self._unread = 0
        self._total = 0
        self._ended = False
        self._changed = asyncio.Event()

    def feed(self, piece: bytes) -> None:
        """Add a piece from the runtime. Above the size limit, the stream ends with an error."""
        if self._ended:
            return
        self._total += len(piece)
        if self._total > _STREAM_LIMIT:
            kind = "Function.ResponseSizeTooLarge"
            self.end(platform_error(kind, f"the streamed response exceeded {_STREAM_LIMIT} bytes"))
            return
        self._pieces.append(piece)
        self._unread += len(piece)
        self._changed.set()
        if self._unread > _UNREAD_LIMIT:
            self._connection.pause()

    def end(self, error: Answer | None) -> None:
        """End the stream. Only the first call counts."""
        if not self._ended:
            self._ended, self.error = True, error
            self._changed.set()
            self._connection.resume()

    async def read(self) -> bytes:
        """Wait for data and return all that has come since the last call; empty at the end."""
        while not self._pieces and not self._ended:
            self._changed.clear()
            await self._changed.wait()
        piece = b"".join(self._pieces)
        self._pieces.clear()
        self._unread = 0
        self._connection.resume()
        return piece


def _error_from_trailers(error_type: str, body: str) -> Answer:
    try:
        payload = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        payload = b""
    return Answer(
        payload=payload, error=True, error_type=error_type, received=time.monotonic_ns(), content_type=JSON_TYPE
    )
