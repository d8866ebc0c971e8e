"""Local Lambda for all functions of a project: finds the function, starts environments, replaces versions."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Coroutine, Iterator
from typing import Any, Self

from pyl.emulator.invocation import Invocation, Outcome, Sink, trace_id
from pyl.emulator.variables import arn
from pyl.emulator.version import Version
from pyl.errors import PylError
from pyl.project.model import Function, Project


class UnknownFunction(PylError):
    """The project has no such function."""

    exit_code = 2


class Throttled(PylError):
    """As many invocations as allowed are under way."""


class NotReady(PylError):
    """There is no version yet that could serve."""


class Emulator:
    """Serves one version at a time; an async context manager that ends all of them."""

    def __init__(self, *, concurrency: int = 100) -> None:
        self._concurrency = concurrency
        self._running: dict[str, int] = {}
        self._version: Version | None = None
        self._why_not: str = "the project has not been read yet"
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
        """What serves now."""
        return self._version

    @property
    def project(self) -> Project:
        """The project as it is served. Raises `NotReady`."""
        return self._current().project

    def replace(self, version: Version) -> None:
        """Serve another version from now on; what runs in the earlier one comes to its end there."""
        earlier, self._version = self._version, version
        if earlier:
            self._retiring.add(earlier)
            self._in_background(self._retire(earlier))

    def refuse(self, why: str) -> None:
        """Tell callers why nothing can be served, as long as there has been no version."""
        self._why_not = why

    def function(self, name: str) -> Function:
        """The function of that name, with or without the prefix of names in AWS.

        Raises `UnknownFunction`, `NotReady`.
        """
        version = self._current()
        prefix = version.project.configuration.prefix
        found = version.functions.get(name) or version.functions.get(name.removeprefix(prefix))
        if found is None:
            msg = f"there is no function {name}"
            raise UnknownFunction(msg, hint=f"there are {', '.join(version.functions)}")
        return found

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
        """An invocation of `function`, with a trace of its own, and an id unless one is given."""
        name = arn(function.name, self.project.configuration.region)
        return Invocation(
            event=event,
            timeout=float(function.configuration.timeout),
            arn=f"{name}:{qualifier}" if qualifier else name,
            trace_id=trace_id(),
            client_context=client_context,
            tenant_id=tenant_id,
            request_id=request_id or str(uuid.uuid4()),
        )

    async def invoke(self, function: Function, invocation: Invocation, sink: Sink | None = None) -> Outcome:
        """Run the invocation. Raises `Throttled` at once where Lambda would."""
        pool = self._current().pool(self.function(function.name).name)
        with self._place(function):
            return await pool.invoke(invocation, sink)

    def invoke_later(self, function: Function, invocation: Invocation) -> None:
        """Run the invocation without anyone waiting for it; its failure is in the log."""
        self._in_background(self._invoke_patiently(function, invocation))

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _retire(self, version: Version) -> None:
        await version.close()
        self._retiring.discard(version)

    async def _invoke_patiently(self, function: Function, invocation: Invocation) -> None:
        """Asynchronous events wait in a queue while there is no room for them."""
        while True:
            try:
                await self.invoke(function, invocation)
            except Throttled:
                await asyncio.sleep(0.2)
            else:
                return

    @contextlib.contextmanager
    def _place(self, function: Function) -> Iterator[None]:
        reserved = function.configuration.deployment.reserved_concurrency
        running = self._running.get(function.name, 0)
        if sum(self._running.values()) >= self._concurrency:
            msg = f"{self._concurrency} invocations are under way, and no more are allowed"
            raise Throttled(msg, hint="raise the limit with --concurrency")
        if reserved is not None and 0 <= reserved <= running:
            msg = f"{function.name} has {running} invocations under way, which is its reserved concurrency"
            raise Throttled(msg)
        self._running[function.name] = running + 1
        try:
            yield
        finally:
            self._running[function.name] -= 1

    def _current(self) -> Version:
        if self._version is None:
            raise NotReady(self._why_not)
        return self._version
