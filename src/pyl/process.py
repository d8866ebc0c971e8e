"""The one place that runs other programs to their end."""

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
"""Seconds; a killed process that nobody has waited for yet (no init in a container) still counts as a member."""


class CommandFailed(BuildError):
    """A program ended with a failure; `output` holds what it printed, stdout and stderr together."""

    def __init__(self, message: str, *, returncode: int, output: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.returncode = returncode
        self.output = output


class Family:
    """Programs that several threads run for one purpose, and that end together."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._members: set[subprocess.Popen[str]] = set()
        self.ended = False

    @contextlib.contextmanager
    def adopted(self) -> Iterator[None]:
        """What `run` starts meanwhile, in this context, is one of the family."""
        token = _family.set(self)
        try:
            yield
        finally:
            _family.reset(token)

    def end(self) -> None:
        """Kill every member, and whatever is still to be started; each one's `run` then fails."""
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


_family: ContextVar[Family | None] = ContextVar("family", default=None)


def run(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    log: Path | None = None,
    label: str = "",
    on_line: Callable[[str], None] | None = None,
) -> str:
    """Run `command` to its end and return its output (stdout and stderr, in the order written).

    Every line goes to `log` (appended, behind `label`) and to `on_line` as it comes. The program gets a process
    group of its own: whatever ends the wait (Ctrl-C too) ends the whole group, compilers' children included.

    Raises `CommandFailed` on a non-zero exit or when the program cannot be started.
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
    family = _family.get()
    sink = None
    try:
        assert process.stdout is not None  # noqa: S101 - asked for with PIPE
        with family._member(process) if family else contextlib.nullcontext():  # noqa: SLF001 - this module's own
            sink = log.open("a", encoding="utf-8") if log else None
            for line in process.stdout:
                lines.append(line)
                if sink:
                    sink.write(f"{label}: {line}" if label else line)
                    sink.flush()
                if on_line:
                    on_line(line.rstrip("\n"))
            returncode = process.wait()
        if family and family.ended:
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
    """Kill the process group and wait until its last member is gone, so that none writes any more."""
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
