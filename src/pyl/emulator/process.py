"""The process of an environment: in a session of its own, watched without polling, ended with all its children."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from pyl.emulator.launch import Launch
from pyl.emulator.reaper import Keeper
from pyl.errors import EngineError
from pyl.sandbox.memory_limits import MemoryGroup

_GRACE = 0.5
"""Seconds that Lambda leaves a runtime after SIGTERM, where an internal extension is registered."""
_GONE_WITHIN = 2.0
"""Seconds; a killed process that nobody has waited for yet (no init in a container) still counts as a member."""


class EnvironmentProcess:
    """A running process, made by `start`."""

    def __init__(self, process: asyncio.subprocess.Process, memory: MemoryGroup | None, keeper: Keeper | None) -> None:
        self._process = process
        self._memory = memory
        self._keeper = keeper
        self.pid = process.pid
        self.spawned: int | None = None
        """When the program was executed; CLOCK_MONOTONIC in nanoseconds."""
        self.exit: asyncio.Task[int] = asyncio.create_task(process.wait())
        """Done when the process has ended; its exit status, negative for a signal."""

    @classmethod
    async def start(
        cls,
        launch: Callable[[int], Launch],
        *,
        logs: IO[bytes] | int | None,
        memory: MemoryGroup | None = None,
        keeper: Keeper | None = None,
        pass_fds: tuple[int, ...] = (),
    ) -> EnvironmentProcess:
        """Start what `launch`, given the file descriptor of the clock, says. Raises `EngineError`."""
        reading, writing = os.pipe()
        wanted = launch(writing)
        begun = time.monotonic_ns()
        try:
            process = await asyncio.create_subprocess_exec(
                *wanted.command,
                env=wanted.environment,
                cwd=wanted.folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=logs,
                stderr=logs,
                pass_fds=(writing, *pass_fds),
                start_new_session=True,
            )
        except OSError as error:
            os.close(reading)
            msg = f"cannot start {wanted.program}: {error.strerror}"
            raise EngineError(msg) from error
        finally:
            os.close(writing)
        started = cls(process, memory, keeper)
        started._tell_keeper()
        if memory:
            memory.add(process.pid)
        started._watch_clock(reading, without=begun if wanted.environment is not None else None)
        return started

    def peak_memory(self) -> int:
        """Bytes of resident memory at its peak; 0 when it has ended."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        except OSError:
            return 0
        line = next((line for line in status.splitlines() if line.startswith("VmHWM:")), "VmHWM: 0 kB")
        return int(line.split()[1]) * 1024

    def out_of_memory(self) -> bool:
        """Whether the kernel ended it at its memory limit."""
        return self._memory is not None and self._memory.exceeded()

    def kill(self) -> None:
        """End it and its children at once."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    async def end(self, *, graceful: bool) -> None:
        """End it and its children; `graceful` lets it run its shutdown hooks before. Returns when all are gone."""
        if graceful and not self.exit.done():
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)
            await asyncio.wait({self.exit}, timeout=_GRACE)
        self.kill()
        await self.exit
        await self._group_gone()
        if self._memory:
            await self._memory.remove()
        if self._keeper:
            self._keeper.forget(self.pid)
            if self._memory:
                self._keeper.forget(self._memory.folder)

    def _tell_keeper(self) -> None:
        if self._keeper:
            self._keeper.group(self.pid)
            if self._memory:
                self._keeper.cgroup(self._memory.folder)

    async def _group_gone(self) -> None:
        for _ in range(int(_GONE_WITHIN / 0.01)):
            try:
                os.killpg(self.pid, 0)
            except OSError:
                return
            await asyncio.sleep(0.01)

    def _watch_clock(self, reading: int, *, without: int | None) -> None:
        """Take the time of the `exec` from the command; `without` stands for it where the command tells none."""
        self.spawned = without
        loop = asyncio.get_running_loop()

        def read() -> None:
            loop.remove_reader(reading)
            data = os.read(reading, 8)
            os.close(reading)
            if len(data) == 8:
                self.spawned = int(struct.unpack("=q", data)[0])

        loop.add_reader(reading, read)
