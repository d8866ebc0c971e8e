"""The process of an environment: started in its own session, and ended together with its children."""

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
from pyl.emulator.reaper import Reaper
from pyl.errors import EngineError
from pyl.sandbox.memory_limits import MemoryGroup

_GRACE = 0.5
"""Seconds between SIGTERM and SIGKILL for a runtime that has registered an internal extension, as in Lambda."""
_GONE_WITHIN = 2.0
"""Seconds to wait for a killed group. Without an init process, as in some containers, nobody reaps its members."""


class EnvironmentProcess:
    """A running process. Create it with `start`.

    Attributes:
        pid: Id of the process and of its process group.
        spawned: When the program was executed, in nanoseconds of CLOCK_MONOTONIC; None as long as it is unknown.
        exit: Done when the process has ended; its exit status, negative for a signal.
    """

    def __init__(self, process: asyncio.subprocess.Process, memory: MemoryGroup | None, reaper: Reaper | None) -> None:
        self._process = process
        self._memory = memory
        self._reaper = reaper
        self.pid = process.pid
        self.spawned: int | None = None
        self.exit: asyncio.Task[int] = asyncio.create_task(process.wait())

    @classmethod
    async def start(
        cls,
        launch: Callable[[int], Launch],
        *,
        logs: IO[bytes] | int | None,
        memory: MemoryGroup | None = None,
        reaper: Reaper | None = None,
        pass_fds: tuple[int, ...] = (),
    ) -> EnvironmentProcess:
        """Start a process.

        Args:
            launch: Returns what to start, for a file descriptor that receives the time of the `exec`.
            logs: Receives standard output and error.
            memory: The cgroup to put the process into; it is removed when the process ends.
            reaper: Ends the process if this one cannot.
            pass_fds: Further file descriptors that the process inherits.

        Raises:
            EngineError: The program cannot be started.
        """
        reading, writing = os.pipe()
        plan = launch(writing)
        begun = time.monotonic_ns()
        try:
            process = await asyncio.create_subprocess_exec(
                *plan.command,
                env=plan.environment,
                cwd=plan.folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=logs,
                stderr=logs,
                pass_fds=(writing, *pass_fds),
                start_new_session=True,
            )
        except OSError as error:
            os.close(reading)
            msg = f"cannot start {plan.program}: {error.strerror}"
            raise EngineError(msg) from error
        finally:
            os.close(writing)
        started = cls(process, memory, reaper)
        started._register_with_reaper()
        if memory:
            memory.add(process.pid)
        started._read_spawn_time(reading, default=begun if plan.environment is not None else None)
        return started

    def peak_memory(self) -> int:
        """Return the peak of resident memory in bytes; 0 if the process has ended."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        except OSError:
            return 0
        line = next((line for line in status.splitlines() if line.startswith("VmHWM:")), "VmHWM: 0 kB")
        return int(line.split()[1]) * 1024

    def out_of_memory(self) -> bool:
        """Return whether the kernel killed the process at its memory limit."""
        return self._memory is not None and self._memory.exceeded()

    def kill(self) -> None:
        """Kill the process and its children."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    async def end(self, *, graceful: bool) -> None:
        """End the process and its children, and wait until all are gone.

        Args:
            graceful: Send SIGTERM first, so that shutdown hooks run.
        """
        if graceful and not self.exit.done():
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)
            await asyncio.wait({self.exit}, timeout=_GRACE)
        self.kill()
        await self.exit
        await self._wait_for_group()
        if self._memory:
            await self._memory.remove()
        if self._reaper:
            self._reaper.forget(self.pid)
            if self._memory:
                self._reaper.forget(self._memory.folder)

    def _register_with_reaper(self) -> None:
        if self._reaper:
            self._reaper.add_group(self.pid)
            if self._memory:
                self._reaper.add_cgroup(self._memory.folder)

    async def _wait_for_group(self) -> None:
        for _ in range(int(_GONE_WITHIN / 0.01)):
            try:
                os.killpg(self.pid, 0)
            except OSError:
                return
            await asyncio.sleep(0.01)

    def _read_spawn_time(self, reading: int, *, default: int | None) -> None:
        """Set `spawned` to `default`, and to the time that the command sends as soon as it does."""
        self.spawned = default
        loop = asyncio.get_running_loop()

        def read() -> None:
            loop.remove_reader(reading)
            data = os.read(reading, 8)
            os.close(reading)
            if len(data) == 8:
                self.spawned = int(struct.unpack("=q", data)[0])

        loop.add_reader(reading, read)
