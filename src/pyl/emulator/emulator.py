"""Serves the functions of a project: finds functions, limits concurrency, replaces versions."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Coroutine, Iterator
from typing import Any, Self

from pyl.emulator.invocation import Invocation, Outcome, Sink, new_trace_id
from pyl.emulator.variables import function_arn
from pyl.emulator.version import Version
from pyl.errors import PylError
from pyl.project.model import Function, Project


class UnknownFunction(PylError):
    """The project has no such function."""

    exit_code = 2


class Throttled(PylError):
    """The concurrency limit is reached."""


class NotReady(PylError):
    """No version of the project could be loaded yet."""


class Emulator:
    """Serves one version of a project at a time. An async context manager that closes all versions at its end.

    Args:
        concurrency: How many invocations may run at the same time, over all functions.
    """

    def __init__(self, *, concurrency: int = 100) -> None:
        self._concurrency = concurrency
        self._running: dict[str, int] = {}
        self._version: Version | None = None
        self._not_ready_reason: str = "the project has not been read yet"
        self._retiring: set[Version] = set()
        self._background: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        for task in self._background:
            task.cancel()
        current = {self._version} if self._version else set()
        await asyncio.gather(*(version.close(at_once=True) for version in self._retiring | current))

    @property
    def version(self) -> Version | None:
        """The version that is being served; None until one could be loaded."""
        return self._version

    @property
    def project(self) -> Project:
        """The project of the version that is being served.

        Raises:
            NotReady: No version could be loaded yet.
        """
        return self._current().project

    def replace(self, version: Version) -> None:
        """Serve another version from now on. Invocations of the earlier one run to their end."""
        earlier, self._version = self._version, version
        if earlier:
            self._retiring.add(earlier)
            self._run_in_background(self._retire(earlier))

    def set_not_ready(self, reason: str) -> None:
        """Set the message of `NotReady`, which callers get until there is a version."""
        self._not_ready_reason = reason

    def function(self, name: str) -> Function:
        """Return a function by its name, with or without the prefix that names in AWS have.

        Raises:
            UnknownFunction: The project has no such function.
            NotReady: No version could be loaded yet.
        """
        version = self._current()
        prefix = version.project.configuration.prefix
        function = version.functions.get(name) or version.functions.get(name.removeprefix(prefix))
        if function is None:
            msg = f"there is no function {name}"
            raise UnknownFunction(msg, hint=f"the project has: {', '.join(version.functions)}")
        return function

    def invocation(
        self,
        function: Function,
        event: bytes,
        *,
        qualifier: str | None = None,
        client_context: str | None = None,
        tenant_id: str | None = None,
        request_id: str | None = None,
    ) -> Invocation:
        """Return a new invocation of `function`, with a new trace id, and a new request id unless one is passed."""
        name = function_arn(function.name, self.project.configuration.region)
        return Invocation(
            event=event,
            timeout=float(function.configuration.timeout),
            arn=f"{name}:{qualifier}" if qualifier else name,
            trace_id=new_trace_id(),
            client_context=client_context,
            tenant_id=tenant_id,
            request_id=request_id or str(uuid.uuid4()),
        )

    async def invoke(self, function: Function, invocation: Invocation, sink: Sink | None = None) -> Outcome:
        """Run an invocation and return its outcome.

        Args:
            function: The function to invoke.
            invocation: The event and what goes with it.
            sink: Receives a streamed response while it is written.

        Raises:
            Throttled: The concurrency limit is reached.
            UnknownFunction: The version that is now served has no such function.
        """
        pool = self._current().pool(self.function(function.name).name)
        with self._limit_concurrency(function):
            return await pool.invoke(invocation, sink)

    def invoke_later(self, function: Function, invocation: Invocation) -> None:
        """Run an invocation in the background. The log shows its failure."""
        self._run_in_background(self._invoke_when_possible(function, invocation))

    def _run_in_background(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(coroutine)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _retire(self, version: Version) -> None:
        await version.close()
        self._retiring.discard(version)

    async def _invoke_when_possible(self, function: Function, invocation: Invocation) -> None:
        """Run the invocation as soon as the concurrency limits allow it; Lambda queues asynchronous events."""
        while True:
            try:
                await self.invoke(function, invocation)
            except Throttled:
                await asyncio.sleep(0.2)
            else:
                return

    @contextlib.contextmanager
    def _limit_concurrency(self, function: Function) -> Iterator[None]:
        reserved = function.configuration.deployment.reserved_concurrency
        running = self._running.get(function.name, 0)
        if sum(self._running.values()) >= self._concurrency:
            msg = f"{self._concurrency} invocations are running, which is the limit"
            raise Throttled(msg, hint="raise the limit with --concurrency")
        if reserved is not None and 0 <= reserved <= running:
            msg = f"{function.name} has {running} invocations running, which is its reserved concurrency"
            raise Throttled(msg)
        self._running[function.name] = running + 1
        try:
            yield
        finally:
            self._running[function.name] -= 1

    def _current(self) -> Version:
        if self._version is None:
            raise NotReady(self._not_ready_reason)
        return self._version
