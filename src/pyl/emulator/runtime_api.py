"""The Runtime API, as Lambda offers it to one execution environment.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import contextlib
import json
import queue
import socket
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

_PREFIX = "/2018-06-01/runtime/"
_RESPONSE_LIMIT = 6_291_556
"""Bytes of a synchronous response: 6 MB and 100 bytes, as Lambda counts."""

_REASONS = {
    200: "OK",
    202: "Accepted",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    413: "Payload Too Large",
}


@dataclass(kw_only=True)
class Invocation:
    """One event on its way to the function."""

    event: bytes
    timeout: float
    """Seconds that the function may take, from the hand-over on."""
    arn: str
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    trace_id: str | None = None
    client_context: str | None = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the runtime posted for an invocation, or for its initialisation."""

    payload: bytes
    error: bool
    error_type: str | None
    received: int
    """CLOCK_MONOTONIC in nanoseconds when the request was complete."""


class RuntimeAPI:
    """A server on loopback for one execution environment; a context manager.

    `answers` receives an `Answer` for every invocation; an initialisation error arrives there too, with
    `init_error` set. `first_next` is when the runtime first asked for work (CLOCK_MONOTONIC, ns).
    """

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.answers: queue.Queue[Answer] = queue.Queue()
        self.first_next: int | None = None
        self.init_error: Answer | None = None
        self._pending: queue.Queue[Invocation | None] = queue.Queue()
        self._current: Invocation | None = None
        self._connections: set[socket.socket] = set()
        self._closed = False

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, name="runtime-api", daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._closed = True
        self._pending.put(None)
        for connection in [*self._connections, self._listener]:
            # close() alone does not wake a thread that waits in accept() or recv().
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def submit(self, invocation: Invocation) -> None:
        """Hand `invocation` to the next `GET /invocation/next`."""
        self._pending.put(invocation)

    def _accept(self) -> None:
        while not self._closed:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connections.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            reader = _Reader(connection)
            while request := reader.request():
                connection.sendall(self._respond(request))
        except (OSError, ValueError):
            pass  # the environment died or speaks no HTTP: its exit tells the rest
        finally:
            self._connections.discard(connection)
            connection.close()

    def _respond(self, request: _Request) -> bytes:
        path = request.path.removeprefix(_PREFIX)
        if request.method == "GET" and path == "invocation/next":
            return self._next()
        if request.method == "POST" and path == "init/error":
            self.init_error = _answer(request, error=True)
            self.answers.put(self.init_error)
            return _reply(202, b'{"status":"OK"}')
        parts = path.split("/")
        if request.method == "POST" and len(parts) == 3 and parts[0] == "invocation":
            return self._finish(parts[1], parts[2], request)
        return _reply(404, _problem("NotFound", f"no such resource: {request.method} {request.path}"))

    def _next(self) -> bytes:
        if self.first_next is None:
            self.first_next = time.monotonic_ns()
        invocation = self._pending.get()
        if invocation is None:
            raise OSError
        self._current = invocation
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + invocation.timeout) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": invocation.arn,
            "Lambda-Runtime-Trace-Id": invocation.trace_id,
            "Lambda-Runtime-Client-Context": invocation.client_context,
        }
        return _reply(200, invocation.event, headers)

    def _finish(self, request_id: str, kind: str, request: _Request) -> bytes:
        if self._current is None or request_id != self._current.request_id:
            return _reply(400, _problem("InvalidRequestID", f"no invocation {request_id} is under way"))
        if kind not in {"response", "error"}:
            return _reply(404, _problem("NotFound", f"no such resource: {request.path}"))
        if kind == "response" and len(request.body) > _RESPONSE_LIMIT:
            size = len(request.body)
            text = f"Response payload size ({size} bytes) exceeded maximum allowed payload size (6291556 bytes)."
            kind_of_error = "Function.ResponseSizeTooLarge"
            payload = json.dumps({"errorMessage": text, "errorType": kind_of_error}).encode()
            self._current = None
            self.answers.put(
                Answer(payload=payload, error=True, error_type=kind_of_error, received=time.monotonic_ns())
            )
            return _reply(413, _problem("RequestEntityTooLarge", text))
        self._current = None
        self.answers.put(_answer(request, error=kind == "error"))
        return _reply(202, b'{"status":"OK"}')


@dataclass(frozen=True, kw_only=True)
class _Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class _Reader:
    """Reads HTTP/1.1 requests from one connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._file = connection.makefile("rb")

    def request(self) -> _Request | None:
        """The next request; None when the other side has closed."""
        line = self._file.readline(65536)
        if not line:
            return None
        method, path, _ = line.decode("latin-1").split(" ", 2)
        headers: dict[str, str] = {}
        while (line := self._file.readline(2 << 20)).strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return _Request(method=method, path=path, headers=headers, body=self._chunks())
        body = self._exactly(int(headers.get("content-length") or 0))
        return _Request(method=method, path=path, headers=headers, body=body)

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self._file.readline(1024).split(b";")[0], 16):
            body += self._exactly(size)
            self._file.readline(16)
        while self._file.readline(1 << 20).strip():
            pass  # trailers
        return body

    def _exactly(self, size: int) -> bytes:
        body = self._file.read(size)
        if len(body) < size:
            msg = "the connection closed in the middle of a body"
            raise ValueError(msg)
        return body


def _answer(request: _Request, *, error: bool) -> Answer:
    received = time.monotonic_ns()
    error_type = request.headers.get("lambda-runtime-function-error-type")
    return Answer(payload=request.body, error=error, error_type=error_type, received=received)


def _reply(status: int, body: bytes, headers: Mapping[str, str | None] | None = None) -> bytes:
    fields = {"Content-Type": "application/json"} | {name: text for name, text in (headers or {}).items() if text}
    head = "".join(f"{name}: {text}\r\n" for name, text in fields.items())
    return f"HTTP/1.1 {status} {_REASONS[status]}\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode("latin-1") + body


def _problem(kind: str, message: str) -> bytes:
    problem: dict[str, Any] = {"errorMessage": message, "errorType": kind}
    return json.dumps(problem).encode()
