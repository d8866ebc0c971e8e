"""The Runtime API, which the runtime of one execution environment calls.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
"""

from __future__ import annotations

import asyncio
import json
import queue
import time
import uuid
from collections import deque
from typing import Any, Self

from pyl.emulator.background_loop import BackgroundLoop
from pyl.emulator.connection import Connection, Request
from pyl.emulator.exchange import ERROR_TYPE, Exchange
from pyl.emulator.invocation import JSON_TYPE, Answer, Invocation, platform_error

__all__ = ["Answer", "AsyncRuntimeAPI", "Invocation", "RuntimeAPI"]

_RUNTIME = "/2018-06-01/runtime/"
_EXTENSIONS = "/2020-01-01/extension/"
_RESPONSE_LIMIT = 6_291_556
"""Largest synchronous response in bytes: Lambda allows 6 MiB and 100 bytes."""
_UNTIL_EXIT = 0.5
"""Seconds that may pass between the end of a connection and the notice that the process has ended."""
_OK = b'{"status":"OK"}'


class AsyncRuntimeAPI:
    """A server on loopback for one execution environment. An async context manager.

    An environment may request several invocations at once, as on Managed Instances.

    Attributes:
        address: Host and port, the value of `AWS_LAMBDA_RUNTIME_API`.
    """

    def __init__(self) -> None:
        self.address = ""
        self.first_next: int | None = None
        """When the runtime first requested an invocation, in nanoseconds of CLOCK_MONOTONIC; None before."""
        self.init_error: Answer | None = None
        """The error of the initialisation; None if there was none."""
        self.extensions = 0
        """Number of registered internal extensions. If there are any, the runtime gets SIGTERM before it is killed."""
        self._server: asyncio.Server | None = None
        self._connections: set[Connection] = set()
        self._waiting: deque[Connection] = deque()
        self._pending: deque[Exchange] = deque()
        self._current: dict[str, Exchange] = {}
        self._streaming: dict[Connection, Exchange] = {}
        self._disconnected = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.get_running_loop().create_server(self._connection, "127.0.0.1", 0)
        self.address = "{}:{}".format(*self._server.sockets[0].getsockname())
        return self

    async def __aexit__(self, *_exception: object) -> None:
        if self._server:
            self._server.close()
        for connection in tuple(self._connections):
            connection.close()
        await asyncio.sleep(0)  # transports close in the loop's next turn

    def submit(self, invocation: Invocation) -> Exchange:
        """Answer the next `GET /invocation/next` with an invocation."""
        exchange = Exchange(invocation)
        if self.init_error:
            exchange.settle(self.init_error)
        elif self._waiting:
            self._hand_over(self._waiting.popleft(), exchange)
        else:
            self._pending.append(exchange)
        return exchange

    def forget(self, exchange: Exchange) -> None:
        """Drop an exchange. What the runtime still posts for it is refused."""
        self._current.pop(exchange.invocation.request_id, None)
        if exchange in self._pending:
            self._pending.remove(exchange)

    async def wait_until_disconnected(self) -> None:
        """Wait until the runtime has no open connection. All that it sent has then been read."""
        while self._connections:
            self._disconnected.clear()
            await self._disconnected.wait()

    def _connection(self) -> Connection:
        connection = Connection(self)
        self._connections.add(connection)
        return connection

    def request_started(self, connection: Connection, request: Request) -> None:
        """See `RequestHandler`."""
        request.limit = _RESPONSE_LIMIT
        if request.headers.get("lambda-runtime-function-response-mode", "").lower() != "streaming":
            return
        if (exchange := self._current.get(_request_id(request, "response"))) and not exchange.stream:
            exchange.stream_from(connection, request)
            self._streaming[connection] = exchange

    def request_complete(self, connection: Connection, request: Request) -> None:
        """See `RequestHandler`."""
        if request.path.startswith(_EXTENSIONS):
            self._extension(connection, request, request.path.removeprefix(_EXTENSIONS))
            return
        path = request.path.removeprefix(_RUNTIME)
        if request.method == "GET" and path == "invocation/next":
            self._next(connection)
        elif request.method == "POST" and path == "init/error":
            self._fail_init(_answer(request, error=True))
            connection.reply(202, _OK)
        elif request.method == "POST" and (request_id := _request_id(request, "response")):
            self._respond(connection, request, request_id)
        elif request.method == "POST" and (request_id := _request_id(request, "error")):
            self._settle(connection, request_id, _answer(request, error=True))
        else:
            connection.reply(404, _error_body("NotFound", f"no such resource: {request.method} {request.path}"))

    def connection_lost(self, connection: Connection, request: Request | None) -> None:  # noqa: ARG002
        """See `RequestHandler`."""
        self._connections.discard(connection)
        if connection in self._waiting:
            self._waiting.remove(connection)
        if exchange := self._streaming.pop(connection, None):
            self._current.pop(exchange.invocation.request_id, None)
            # If the process has ended, its exit status is the better explanation.
            asyncio.get_running_loop().call_later(_UNTIL_EXIT, exchange.fail_stream)
        self._disconnected.set()

    def _next(self, connection: Connection) -> None:
        if self.first_next is None:
            self.first_next = time.monotonic_ns()
        if self._pending:
            self._hand_over(connection, self._pending.popleft())
        else:
            self._waiting.append(connection)

    def _hand_over(self, connection: Connection, exchange: Exchange) -> None:
        invocation = exchange.invocation
        self._current[invocation.request_id] = exchange
        exchange.begin()
        connection.reply(
            200,
            invocation.event,
            {
                "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                "Lambda-Runtime-Deadline-Ms": str(int((time.time() + invocation.timeout) * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": invocation.arn,
                "Lambda-Runtime-Trace-Id": invocation.trace_id,
                "Lambda-Runtime-Client-Context": invocation.client_context,
                "Lambda-Runtime-Aws-Tenant-Id": invocation.tenant_id,
            },
        )

    def _fail_init(self, error: Answer) -> None:
        self.init_error = error
        for exchange in (*self._pending, *self._current.values()):
            exchange.settle(error)
        self._pending.clear()
        self._current.clear()

    def _respond(self, connection: Connection, request: Request, request_id: str) -> None:
        if self._streaming.pop(connection, None):
            exchange = self._current.pop(request_id, None)
            if exchange:
                exchange.end_stream(request)
            connection.reply(202, _OK)
        elif request.length > _RESPONSE_LIMIT:
            text = (
                f"Response payload size ({request.length} bytes) exceeded maximum allowed payload size "
                f"({_RESPONSE_LIMIT} bytes)."
            )
            answer = platform_error("Function.ResponseSizeTooLarge", text)
            self._settle(connection, request_id, answer, refused=_error_body("RequestEntityTooLarge", text))
        else:
            self._settle(connection, request_id, _answer(request, error=False))

    def _settle(self, connection: Connection, request_id: str, answer: Answer, *, refused: bytes | None = None) -> None:
        exchange = self._current.pop(request_id, None)
        if exchange is None:
            connection.reply(400, _error_body("InvalidRequestID", f"no invocation {request_id} is running"))
            return
        exchange.settle(answer)
        if refused:
            connection.reply(413, refused)
        else:
            connection.reply(202, _OK)

    def _extension(self, connection: Connection, request: Request, path: str) -> None:
        if request.method == "POST" and path == "register":
            self._register(connection, request)
        elif request.method == "GET" and path == "event/next":
            pass  # no event follows: the end is announced by a signal
        elif request.method == "POST" and path in {"init/error", "exit/error"}:
            connection.reply(202, _OK)
        else:
            connection.reply(404, _error_body("NotFound", f"no such resource: {request.method} {request.path}"))

    def _register(self, connection: Connection, request: Request) -> None:
        try:
            events = json.loads(request.body or b"{}").get("events", [])
        except (ValueError, AttributeError):
            connection.reply(400, _error_body("InvalidRequestFormat", "the body is not a JSON object"))
            return
        if "SHUTDOWN" in events:
            text = "internal extensions cannot register for SHUTDOWN"
            connection.reply(403, _error_body("ShutdownEventNotSupportedForInternalExtension", text))
            return
        self.extensions += 1
        body = json.dumps({"functionName": "", "functionVersion": "$LATEST", "handler": ""}).encode()
        connection.reply(200, body, {"Lambda-Extension-Identifier": str(uuid.uuid4())})


class RuntimeAPI:
    """`AsyncRuntimeAPI` for callers without an event loop. A context manager.

    Attributes:
        answers: Receives an `Answer` for every invocation. An error of the initialisation is the answer of each.
    """

    def __init__(self) -> None:
        self.answers: queue.Queue[Answer] = queue.Queue()
        self._background = BackgroundLoop()
        self._api: AsyncRuntimeAPI | None = None

    def __enter__(self) -> Self:
        self._background.__enter__()
        try:
            self._api = self._background.run(_start())
        except BaseException:
            self._background.__exit__()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        self._background.run(self._running.__aexit__())
        self._background.__exit__()

    @property
    def address(self) -> str:
        """Host and port, the value of `AWS_LAMBDA_RUNTIME_API`."""
        return self._running.address

    @property
    def first_next(self) -> int | None:
        """When the runtime first requested an invocation, in nanoseconds of CLOCK_MONOTONIC; None before."""
        return self._running.first_next

    @property
    def init_error(self) -> Answer | None:
        """The error of the initialisation; None if there was none."""
        return self._running.init_error

    def submit(self, invocation: Invocation) -> None:
        """Answer the next `GET /invocation/next` with an invocation."""

        async def submit() -> None:
            exchange = self._running.submit(invocation)
            exchange.answer.add_done_callback(lambda done: self.answers.put(done.result()))

        self._background.run(submit())

    @property
    def _running(self) -> AsyncRuntimeAPI:
        assert self._api, "enter the context first"  # noqa: S101
        return self._api


async def _start() -> AsyncRuntimeAPI:
    return await AsyncRuntimeAPI().__aenter__()


def _request_id(request: Request, kind: str) -> str:
    """Return the request id in `/runtime/invocation/<id>/<kind>`; empty if the path is another."""
    parts = request.path.removeprefix(_RUNTIME).split("/")
    return parts[1] if len(parts) == 3 and (parts[0], parts[2]) == ("invocation", kind) else ""


def _answer(request: Request, *, error: bool) -> Answer:
    return Answer(
        payload=bytes(request.body),
        error=error,
        error_type=request.headers.get(ERROR_TYPE),
        received=time.monotonic_ns(),
        content_type=request.headers.get("content-type") or JSON_TYPE,
    )


def _error_body(kind: str, message: str) -> bytes:
    body: dict[str, Any] = {"errorMessage": message, "errorType": kind}
    return json.dumps(body).encode()
