"""A pool of environments of one function: one for each concurrent invocation, kept warm for later ones."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from pyl.emulator.environment import AsyncEnvironment
from pyl.emulator.invocation import Invocation, Outcome, Sink

_IDLE_LIMIT = 300.0
"""Seconds that an idle environment is kept. Lambda documents no number; it keeps them for some minutes."""


class Pool:
    """Starts environments on demand.

    Args:
        start: Starts an environment and returns it, entered.
        idle_limit: Seconds that an idle environment is kept.
    """

    def __init__(self, start: Callable[[], Awaitable[AsyncEnvironment]], *, idle_limit: float = _IDLE_LIMIT) -> None:
        self._start = start
        self._idle_limit = idle_limit
        self._idle: dict[AsyncEnvironment, asyncio.TimerHandle] = {}
        self._busy: set[AsyncEnvironment] = set()
        self._running = 0
        self._endings: dict[AsyncEnvironment, asyncio.Task[None]] = {}
        self._closing = False
        self._done = asyncio.Event()

    @property
    def size(self) -> int:
        """Number of environments."""
        return len(self._idle) + self._running

    async def invoke(self, invocation: Invocation, sink: Sink | None = None) -> Outcome:
        """Run an invocation in the environment that was used last, or in a new one if all are busy."""
        self._running += 1
        try:
            environment = self._take() or await self._start()
            self._busy.add(environment)
            try:
                outcome = await environment.invoke(invocation, sink)
            except BaseException:
                self._end(environment)  # its state is unknown
                raise
            self._give_back(environment)
            return outcome
        finally:
            self._running -= 1
            self._done.set()

    async def close(self, *, at_once: bool = False) -> None:
        """End all environments.

        Args:
            at_once: Do not wait for invocations that are running.
        """
        self._closing = True
        for environment in (*self._idle, *(self._busy if at_once else ())):
            self._end(environment)
        while self._running:
            self._done.clear()
            await self._done.wait()
        while self._endings:
            await asyncio.wait(self._endings.values())

    def _take(self) -> AsyncEnvironment | None:
        while self._idle:
            environment, timer = self._idle.popitem()
            timer.cancel()
            environment.on_exit = None
            if environment.usable:
                return environment
            self._end(environment)
        return None

    def _give_back(self, environment: AsyncEnvironment) -> None:
        if self._closing or not environment.usable:
            self._end(environment)
            return
        self._busy.discard(environment)
        loop = asyncio.get_running_loop()
        self._idle[environment] = loop.call_later(self._idle_limit, self._end, environment)
        environment.on_exit = lambda: self._end(environment)

    def _end(self, environment: AsyncEnvironment) -> None:
        self._busy.discard(environment)
        if timer := self._idle.pop(environment, None):
            timer.cancel()
        if environment in self._endings:
            return
        task = asyncio.create_task(environment.__aexit__())
        self._endings[environment] = task
        task.add_done_callback(lambda _: self._endings.pop(environment, None))
