"""An execution environment: a process of one function, and the Runtime API that it talks to."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import IO, Self

from pyl.emulator.background_loop import BackgroundLoop
from pyl.emulator.environment_process import EnvironmentProcess
from pyl.emulator.exchange import Exchange
from pyl.emulator.invocation import Answer, Invocation, Outcome, Sink, new_trace_id, platform_error
from pyl.emulator.launch import Unpacked, launch
from pyl.emulator.logs import Logs
from pyl.emulator.reaper import Reaper
from pyl.emulator.runtime_api import AsyncRuntimeAPI
from pyl.emulator.variables import function_arn
from pyl.project.model import Function
from pyl.sandbox.memory_limits import MemoryGroup

__all__ = ["AsyncEnvironment", "Environment", "Outcome"]

_INIT_LIMIT = 10.0
"""Seconds that Lambda gives to initialisation. When they are over, it starts again within the function's timeout."""
_DRAIN_TIMEOUT = 0.25
"""Seconds to wait for responses that a process may have sent just before it ended."""


class AsyncEnvironment:
    """Runs a function of a package in a process. An async context manager that ends the process.

    The process finds the package at `/var/task` if this machine allows it (see `pyl.sandbox.execution.unavailable`),
    else in its own folder.

    Args:
        package: The unpacked package.
        function: The function to run.
        region: AWS region in the function's ARN and variables.
        logs: Receives standard output and error. The lines of a `Logs` become part of the outcomes. The environment
            closes it.
        memory: The cgroup that limits the memory of the process. The environment removes it.
        reaper: Ends the process if this one cannot.
    """

    def __init__(
        self,
        package: Unpacked,
        function: Function,
        *,
        region: str | None,
        logs: IO[bytes] | int | Logs | None = None,
        memory: MemoryGroup | None = None,
        reaper: Reaper | None = None,
    ) -> None:
        self._package = package
        self._function = function
        self._region = region
        self._logs = logs
        self._memory = memory
        self._reaper = reaper
        self._api = AsyncRuntimeAPI()
        self._process: EnvironmentProcess | None = None
        self._exchanges: set[Exchange] = set()
        self._warm = False
        self._timed_out = False
        self.on_exit: Callable[[], None] | None = None
        """Called when the process has ended on its own."""

    async def __aenter__(self) -> Self:
        await self._api.__aenter__()
        logs = self._logs
        try:
            if isinstance(logs, Logs):
                logs.__enter__()
            self._process = await EnvironmentProcess.start(
                lambda clock: launch(
                    self._package, self._function, region=self._region, api=self._api.address, clock=clock
                ),
                logs=logs.writing if isinstance(logs, Logs) else logs,
                memory=self._memory,
                reaper=self._reaper,
            )
        except BaseException:
            await self.__aexit__()
            raise
        if isinstance(logs, Logs):
            logs.close_writing()
        self._process.exit.add_done_callback(lambda _: self._process_ended())
        return self

    async def __aexit__(self, *_exception: object) -> None:
        self.on_exit = None
        if self._process:
            await self._process.end(graceful=self._api.extensions > 0)
        elif self._memory:
            await self._memory.remove()
        await self._api.__aexit__()
        if isinstance(self._logs, Logs):
            self._logs.__exit__()

    @property
    def pid(self) -> int:
        """Id of the process, and of its process group."""
        return self._running.pid

    @property
    def usable(self) -> bool:
        """Whether the environment can take another event."""
        return not self._timed_out and not self._running.exit.done() and self._api.init_error is None

    async def invoke(self, invocation: Invocation, sink: Sink | None = None) -> Outcome:
        """Send an event to the function and return the outcome, at the latest when the timeout is over.

        Args:
            invocation: The event and what goes with it.
            sink: Receives a streamed response while it is written. Without one, the response is collected.
        """
        logs = self._logs if isinstance(self._logs, Logs) else None
        if logs:
            logs.begin(f"START RequestId: {invocation.request_id} Version: $LATEST")
        exchange = self._submit(invocation)
        try:
            answer = await exchange.answer
            first = answer
            if answer.streamed:
                answer = await exchange.forward(sink)
        finally:
            self._exchanges.discard(exchange)
            self._api.forget(exchange)
        outcome = self._outcome(invocation, exchange, first, answer)
        self._warm = True
        if logs:
            logs.drain()
            outcome = self._log_outcome(outcome, logs)
        return outcome

    def _submit(self, invocation: Invocation) -> Exchange:
        """Submit the invocation. The end of the process and the timeout settle it too."""
        exchange = self._api.submit(invocation)
        self._exchanges.add(exchange)
        loop = asyncio.get_running_loop()
        if self._running.exit.done():
            self._fail_exited(exchange)
        seconds = invocation.timeout if exchange.begun or self._api.first_next else _INIT_LIMIT + invocation.timeout
        timer = loop.call_later(seconds, self._time_out, exchange)

        def restart() -> None:
            nonlocal timer
            timer.cancel()
            timer = loop.call_later(invocation.timeout, self._time_out, exchange)

        def stop() -> None:
            timer.cancel()

        exchange.on_begun, exchange.on_over = restart, stop
        return exchange

    def _time_out(self, exchange: Exchange) -> None:
        self._timed_out = True
        self._running.kill()
        seconds = exchange.invocation.timeout
        request = exchange.invocation.request_id
        text = f"RequestId: {request} Error: Task timed out after {seconds:.2f} seconds"
        exchange.settle(platform_error("Sandbox.Timedout", text))

    def _process_ended(self) -> None:
        """Settle all exchanges, after reading the responses that the process sent just before its end."""
        if self._exchanges:
            asyncio.create_task(self._fail_all())  # noqa: RUF006 - the exchanges keep the task alive
        if self.on_exit:
            self.on_exit()

    async def _fail_all(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_TIMEOUT):
                await self._api.wait_until_disconnected()
        for exchange in tuple(self._exchanges):
            self._fail_exited(exchange)

    def _fail_exited(self, exchange: Exchange) -> None:
        exchange.settle(_exited(self._running.exit.result(), exchange.invocation))

    def _outcome(self, invocation: Invocation, exchange: Exchange, first: Answer, answer: Answer) -> Outcome:
        error = (answer.error_type or _error_type(answer.payload)) if answer.error else None
        spawned, asked = self._running.spawned, self._api.first_next or first.received
        cold = not self._warm and spawned is not None
        return Outcome(
            payload=answer.payload,
            error=error,
            request_id=invocation.request_id,
            duration=max(0, answer.received - (exchange.begun or answer.received)) / 1e9,
            init=(asked - (spawned or asked)) / 1e9 if cold else None,
            cold_start=(first.received - (spawned or first.received)) / 1e9 if cold else None,
            max_memory=self._running.peak_memory(),
            content_type=answer.content_type,
            streamed=answer.streamed,
        )

    def _log_outcome(self, outcome: Outcome, logs: Logs) -> Outcome:
        logs.write_line(f"END RequestId: {outcome.request_id}")
        report = outcome.report(self._function)
        if outcome.error == "Runtime.ExitError" and self._running.out_of_memory():
            report += "\tStatus: error\tError Type: Runtime.OutOfMemory"
        elif outcome.error == "Sandbox.Timedout":
            report += "\tStatus: timeout"
        logs.write_line(report)
        return outcome.with_logs(logs.whole())

    @property
    def _running(self) -> EnvironmentProcess:
        assert self._process, "enter the context first"  # noqa: S101
        return self._process


class Environment:
    """`AsyncEnvironment` for callers without an event loop; a context manager."""

    def __init__(
        self,
        task: Path,
        function: Function,
        *,
        region: str | None,
        logs: IO[bytes] | int | None = None,
        layer: Path | None = None,
        source: bool = False,
    ) -> None:
        self._function = function
        self._region = region
        self._background = BackgroundLoop()
        package = Unpacked(task=task, layer=layer, source=source)
        self._environment = AsyncEnvironment(package, function, region=region, logs=logs)

    def __enter__(self) -> Self:
        self._background.__enter__()
        try:
            self._background.run(self._environment.__aenter__())
        except BaseException:
            self._background.__exit__()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        self._background.run(self._environment.__aexit__())
        self._background.__exit__()

    @property
    def usable(self) -> bool:
        """Whether the environment can take another event."""
        return self._environment.usable

    def invoke(self, event: bytes, *, client_context: str | None = None) -> Outcome:
        """Send an event to the function and return the outcome, at the latest when its timeout is over.

        Args:
            event: The event, as JSON.
            client_context: The client context, as JSON.
        """
        invocation = Invocation(
            event=event,
            timeout=float(self._function.configuration.timeout),
            arn=function_arn(self._function.name, self._region),
            trace_id=new_trace_id(),
            client_context=client_context,
        )
        return self._background.run(self._environment.invoke(invocation))


def _error_type(payload: bytes) -> str:
    try:
        return str(json.loads(payload)["errorType"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return "Unhandled"


def _exited(status: int, invocation: Invocation) -> Answer:
    reason = f"signal: {signal.strsignal(-status)}".lower() if status < 0 else f"exit status {status}"
    text = f"RequestId: {invocation.request_id} Error: Runtime exited with error: {reason}"
    if status == 0:
        text = f"RequestId: {invocation.request_id} Error: Runtime exited without providing a reason"
    return platform_error("Runtime.ExitError", text)
