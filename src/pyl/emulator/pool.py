"""The environments of one function: one per concurrent invocation, kept warm for the next, as Lambda keeps them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from pyl.emulator.environment import AsyncEnvironment
from pyl.emulator.invocation import Invocation, Outcome, Sink

_KEPT_FOR = 300.0
"""Seconds that an environment without work is kept; Lambda says nothing precise, and it is of this order."""


class Pool:
    """Starts environments as they are needed by `start`, which returns one that has been entered."""

    def __init__(self, start: Callable[[], Awaitable[AsyncEnvironment]], *, kept_for: float = _KEPT_FOR) -> None:
        self._start = start
        self._kept_for = kept_for
        self._idle: dict[AsyncEnvironment, asyncio.TimerHandle] = {}
        self._busy: set[AsyncEnvironment] = set()
        self._under_way = 0
        self._endings: dict[AsyncEnvironment, asyncio.Task[None]] = {}
        self._closing = False
        self._done = asyncio.Event()

    @property
    def size(self) -> int:
        """How many environments there are."""
        return len(self._idle) + self._under_way

    async def invoke(self, invocation: Invocation, sink: Sink | None = None) -> Outcome:
        """Run the invocation in an environment of its own: the one used last, or a new one."""
        self._under_way += 1
        try:
            environment = self._take() or await self._start()
            self._busy.add(environment)
            try:
                outcome = await environment.invoke(invocation, sink)
            except BaseException:
                self._end(environment)  # nobody knows what it is at
                raise
            self._give_back(environment)
            return outcome
        finally:
            self._under_way -= 1
            self._done.set()

    async def close(self, *, at_once: bool = False) -> None:
        """End all environments; those at work when they are done, or `at_once`."""
        self._closing = True
        for environment in (*self._idle, *(self._busy if at_once else ())):
            self._end(environment)
        while self._under_way:
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
        self._idle[environment] = loop.call_later(self._kept_for, self._end, environment)
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
