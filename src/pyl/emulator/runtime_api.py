"""The Runtime API, as Lambda offers it to one execution environment.

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

from pyl.emulator.background import Background
from pyl.emulator.connection import Connection, Request
from pyl.emulator.exchange import ERROR_TYPE, Exchange
from pyl.emulator.invocation import JSON_TYPE, Answer, Invocation, failed

__all__ = ["Answer", "AsyncRuntimeAPI", "Invocation", "RuntimeAPI"]

_RUNTIME = "/2018-06-01/runtime/"
_EXTENSIONS = "/2020-01-01/extension/"
_RESPONSE_LIMIT = 6_291_556
"""Bytes of a synchronous response: 6 MB and 100 bytes, as Lambda counts."""
_UNTIL_EXIT = 0.5
"""Seconds that the end of a process may be noticed later than that of its connection."""
_OK = b'{"status":"OK"}'


class AsyncRuntimeAPI:
    """A server on loopback for one execution environment; an async context manager.

    An environment may ask for several invocations at once, as on Managed Instances.
    """

    def __init__(self) -> None:
        self.address = ""
        self.first_next: int | None = None
        """When the runtime first asked for work; CLOCK_MONOTONIC in nanoseconds."""
        self.init_error: Answer | None = None
        self.extensions = 0
        """How many internal extensions have registered: with any, the runtime is told before it ends."""
        self._server: asyncio.Server | None = None
        self._connections: set[Connection] = set()
        self._waiting: deque[Connection] = deque()
        self._pending: deque[Exchange] = deque()
        self._current: dict[str, Exchange] = {}
        self._streaming: dict[Connection, Exchange] = {}
        self._deserted = asyncio.Event()

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
        """Hand `invocation` to the next `GET /invocation/next`."""
        exchange = Exchange(invocation)
        if self.init_error:
            exchange.settle(self.init_error)
        elif self._waiting:
            self._hand_over(self._waiting.popleft(), exchange)
        else:
            self._pending.append(exchange)
        return exchange

    def forget(self, exchange: Exchange) -> None:
        """The caller waits no longer: what the runtime still posts for it is refused."""
        self._current.pop(exchange.invocation.request_id, None)
        if exchange in self._pending:
            self._pending.remove(exchange)

    async def deserted(self) -> None:
        """Wait until the runtime has no open connection: whatever it has sent has then been read."""
        while self._connections:
            self._deserted.clear()
            await self._deserted.wait()

    def _connection(self) -> Connection:
        connection = Connection(self)
        self._connections.add(connection)
        return connection

    def begun(self, connection: Connection, request: Request) -> None:
        """See `Service`."""
        request.limit = _RESPONSE_LIMIT
        if request.headers.get("lambda-runtime-function-response-mode", "").lower() != "streaming":
            return
        if (exchange := self._current.get(_request_id(request, "response"))) and not exchange.stream:
            exchange.stream_from(connection, request)
            self._streaming[connection] = exchange

    def complete(self, connection: Connection, request: Request) -> None:
        """See `Service`."""
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
            connection.reply(404, _problem("NotFound", f"no such resource: {request.method} {request.path}"))

    def lost(self, connection: Connection, request: Request | None) -> None:  # noqa: ARG002
        """See `Service`."""
        self._connections.discard(connection)
        if connection in self._waiting:
            self._waiting.remove(connection)
        if exchange := self._streaming.pop(connection, None):
            self._current.pop(exchange.invocation.request_id, None)
            # If the process has ended, its exit says more.
            asyncio.get_running_loop().call_later(_UNTIL_EXIT, exchange.stream_broken)
        self._deserted.set()

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
                exchange.stream_ended(request)
            connection.reply(202, _OK)
        elif request.length > _RESPONSE_LIMIT:
            text = (
                f"Response payload size ({request.length} bytes) exceeded maximum allowed payload size "
                f"({_RESPONSE_LIMIT} bytes)."
            )
            answer = failed("Function.ResponseSizeTooLarge", text)
            self._settle(connection, request_id, answer, refused=_problem("RequestEntityTooLarge", text))
        else:
            self._settle(connection, request_id, _answer(request, error=False))

    def _settle(self, connection: Connection, request_id: str, answer: Answer, *, refused: bytes | None = None) -> None:
        exchange = self._current.pop(request_id, None)
        if exchange is None:
            connection.reply(400, _problem("InvalidRequestID", f"no invocation {request_id} is under way"))
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
            pass  # no event comes: the process is told to end by a signal
        elif request.method == "POST" and path in {"init/error", "exit/error"}:
            connection.reply(202, _OK)
        else:
            connection.reply(404, _problem("NotFound", f"no such resource: {request.method} {request.path}"))

    def _register(self, connection: Connection, request: Request) -> None:
        try:
            events = json.loads(request.body or b"{}").get("events", [])
        except (ValueError, AttributeError):
            connection.reply(400, _problem("InvalidRequestFormat", "the body is no JSON object"))
            return
        if "SHUTDOWN" in events:
            text = "internal extensions get no shutdown event"
            connection.reply(403, _problem("ShutdownEventNotSupportedForInternalExtension", text))
            return
        self.extensions += 1
        body = json.dumps({"functionName": "", "functionVersion": "$LATEST", "handler": ""}).encode()
        connection.reply(200, body, {"Lambda-Extension-Identifier": str(uuid.uuid4())})


class RuntimeAPI:
    """`AsyncRuntimeAPI` for callers without an event loop; a context manager.

    `answers` receives an `Answer` for every invocation; an initialisation error arrives there too.
    """

    def __init__(self) -> None:
        self.answers: queue.Queue[Answer] = queue.Queue()
        self._background = Background()
        self._api: AsyncRuntimeAPI | None = None

    def __enter__(self) -> Self:
        self._background.__enter__()
        try:
            self._api = self._background.run(_started())
        except BaseException:
            self._background.__exit__()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        self._background.run(self._running.__aexit__())
        self._background.__exit__()

    @property
    def address(self) -> str:
        """What belongs into `AWS_LAMBDA_RUNTIME_API`."""
        return self._running.address

    @property
    def first_next(self) -> int | None:
        """When the runtime first asked for work; CLOCK_MONOTONIC in nanoseconds."""
        return self._running.first_next

    @property
    def init_error(self) -> Answer | None:
        """What the runtime said went wrong with its initialisation."""
        return self._running.init_error

    def submit(self, invocation: Invocation) -> None:
        """Hand `invocation` to the next `GET /invocation/next`."""

        async def submit() -> None:
            exchange = self._running.submit(invocation)
            exchange.answer.add_done_callback(lambda done: self.answers.put(done.result()))

        self._background.run(submit())

    @property
    def _running(self) -> AsyncRuntimeAPI:
        assert self._api, "enter the context first"  # noqa: S101
        return self._api


async def _started() -> AsyncRuntimeAPI:
    return await AsyncRuntimeAPI().__aenter__()


def _request_id(request: Request, kind: str) -> str:
    """The request id in `/runtime/invocation/<id>/<kind>`; empty when the path is another."""
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


def _problem(kind: str, message: str) -> bytes:
    problem: dict[str, Any] = {"errorMessage": message, "errorType": kind}
    return json.dumps(problem).encode()
