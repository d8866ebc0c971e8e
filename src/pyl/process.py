"""Runs other programs and waits for them to end. All of pyl runs programs this way."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from pyl.errors import BuildError

_GONE_WITHIN = 2.0
"""Seconds to wait for a killed group. Without an init process, as in some containers, nobody reaps its members."""


class CommandFailed(BuildError):
    """A program failed. `output` is what it printed: stdout and stderr, in the order written."""

    def __init__(self, message: str, *, returncode: int, output: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.returncode = returncode
        self.output = output


class ProcessGroup:
    """Programs that several threads run for one task, and that are killed together.

    Attributes:
        ended: Whether the group was killed; programs that are started afterwards are killed at once.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._members: set[subprocess.Popen[str]] = set()
        self.ended = False

    @contextlib.contextmanager
    def track(self) -> Iterator[None]:
        """Add every program that `run` starts in this context to the group."""
        token = _current_group.set(self)
        try:
            yield
        finally:
            _current_group.reset(token)

    def end(self) -> None:
        """Kill all members, and those that are started later. Their `run` raises `CommandFailed`."""
        with self._lock:
            self.ended = True
            for process in self._members:
                _kill_group(process)

    @contextlib.contextmanager
    def _member(self, process: subprocess.Popen[str]) -> Iterator[None]:
        with self._lock:
            self._members.add(process)
            if self.ended:
                _kill_group(process)
        try:
            yield
        finally:
            with self._lock:
                self._members.discard(process)


_current_group: ContextVar[ProcessGroup | None] = ContextVar("current_group", default=None)


def run(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    log: Path | None = None,
    label: str = "",
    on_line: Callable[[str], None] | None = None,
) -> str:
    """Run a program and return its output: stdout and stderr, in the order written.

    The program runs in a process group of its own. If the wait is interrupted, by Ctrl-C for example, the whole group
    is killed, including the children of compilers.

    Args:
        command: The program and its arguments.
        environment: All variables of the program; by default those of this process.
        cwd: The folder to start it in.
        log: A file to which each line is appended as it is printed.
        label: Prefix of the lines in `log`.
        on_line: Called with each line, without its end, as it is printed.

    Raises:
        CommandFailed: The program could not be started, or its exit code is not 0.
    """
    lines: list[str] = []
    try:
        process = subprocess.Popen(
            [str(part) for part in command],
            env=dict(environment) if environment is not None else None,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        msg = f"cannot run {command[0]}: {error.strerror}"
        raise CommandFailed(msg, returncode=127, output="") from error
    group = _current_group.get()
    sink = None
    try:
        assert process.stdout is not None  # noqa: S101 - opened with PIPE
        with group._member(process) if group else contextlib.nullcontext():  # noqa: SLF001 - this module's own
            sink = log.open("a", encoding="utf-8") if log else None
            for line in process.stdout:
                lines.append(line)
                if sink:
                    sink.write(f"{label}: {line}" if label else line)
                    sink.flush()
                if on_line:
                    on_line(line.rstrip("\n"))
            returncode = process.wait()
        if group and group.ended:
            end_group(process)
    except BaseException:
        end_group(process)
        raise
    finally:
        if process.stdout:
            process.stdout.close()
        if sink:
            sink.close()
    output = "".join(lines)
    if returncode != 0:
        msg = f"{Path(str(command[0])).name} ended with {_describe(returncode)}"
        raise CommandFailed(msg, returncode=returncode, output=output)
    return output


def end_group(process: subprocess.Popen[Any]) -> None:
    """Kill the group of a process, and wait until its last member is gone: none of them writes to files any more."""
    _kill_group(process)
    process.wait()
    deadline = time.monotonic() + _GONE_WITHIN
    while time.monotonic() < deadline:
        try:
            os.killpg(process.pid, 0)
        except OSError:
            return
        time.sleep(0.01)


def _kill_group(process: subprocess.Popen[Any]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _describe(returncode: int) -> str:
    if returncode < 0:
        return f"signal {signal.Signals(-returncode).name}"
    return f"exit code {returncode}"
