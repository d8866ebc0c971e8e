"""Several invocations at once in one environment, as Lambda Managed Instances have it: one process for each.

As under AWS's own client each process initialises by itself, so what the function's code opens at import is opened
once a process. In a native package the processes share the memory of the image that none of them has changed.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances-python-runtime.html
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # the C module below `signal`, which imports much more
import contextlib
import os
import sys
import time

from pyl.runtime.logging import logs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

VARIABLE = "AWS_LAMBDA_MAX_CONCURRENCY"
LOG_SOCKET_VARIABLE = "_LAMBDA_TELEMETRY_LOG_FD_PROVIDER_SOCKET"
"""A Unix socket; what a process writes to a connection of its own becomes its log."""

_READY, _LOST = b"r", b"l"
_PAUSE = 0.1
"""Seconds before another process takes the place of one that ended, so that failure never becomes a storm."""


class Worker:
    """The process that calls this, one of several, as its supervisor knows it."""

    def __init__(self, reports: int, *, is_first: bool) -> None:
        self.is_first = is_first
        self._reports = reports

    def ready(self) -> None:
        """Tell that the function is loaded and will ask for events."""
        os.write(self._reports, _READY)

    def lost(self) -> None:
        """Tell that the Runtime API is gone, for every process."""
        with contextlib.suppress(BrokenPipeError):  # the supervisor is gone as well
            os.write(self._reports, _LOST)


def spread(environ: Mapping[str, str]) -> Worker | None:
    """Become as many processes as Lambda wants: returns in each of them, `None` where it wants one.

    The calling process stays as their supervisor, and never returns.
    """
    count = environ.get(VARIABLE, "")
    if not (count.isascii() and count.isdigit()) or int(count) < 2:
        return None
    _announce(int(count))
    return _Supervisor(environ.get(LOG_SOCKET_VARIABLE, "")).run(int(count))


class _Process:
    """A process, and the end of a pipe at which it is heard."""

    def __init__(self, reading: int) -> None:
        self._reading = reading
        self._told = b""

    def wait_until_ready(self) -> bool:
        """Whether it could initialise."""
        self._told = os.read(self._reading, 1)
        return self._told == _READY

    def may_have_a_successor(self) -> bool:
        """Whether another process would fare better than this one, which has ended."""
        os.set_blocking(self._reading, False)  # processes that it started may hold the pipe open
        with contextlib.suppress(BlockingIOError):
            self._told += os.read(self._reading, 2)
        os.close(self._reading)
        return self._told == _READY

    def forget(self) -> None:
        """Leave it to the supervisor."""
        os.close(self._reading)


class _Supervisor:
    def __init__(self, log_socket: str) -> None:
        self._log_socket = log_socket
        self._processes: dict[int, _Process] = {}
        self._is_stopping = False

    def run(self, count: int) -> Worker:
        """Start the first process alone: where it cannot initialise, the others would not either."""
        _signal.signal(_signal.SIGTERM, self._stop)
        worker = self._start(is_first=True)
        if worker is not None:
            return worker
        (first,) = self._processes.values()
        if first.wait_until_ready():
            for _ in range(count - 1):
                worker = self._start()
                if worker is not None:
                    return worker
        return self._supervise()

    def _start(self, *, is_first: bool = False) -> Worker | None:
        """Start a process: returns its `Worker` there, `None` here."""
        logs.flush()
        reading, writing = os.pipe()
        child = os.fork()
        if child:
            os.close(writing)
            self._processes[child] = _Process(reading)
            return None
        _signal.signal(_signal.SIGTERM, _signal.SIG_DFL)
        os.close(reading)
        for sibling in self._processes.values():
            sibling.forget()
        if self._log_socket:
            _redirect_output(self._log_socket)
        return Worker(writing, is_first=is_first)

    def _supervise(self) -> Worker:
        while self._processes:
            child, status = os.wait()
            process = self._processes.pop(child, None)  # the user's code may have started others before us
            if process is None or not process.may_have_a_successor() or self._is_stopping:
                continue
            logs.warn(f"process {child} ended with {_how(status)}; another takes its place")
            time.sleep(_PAUSE)
            worker = self._start()
            if worker is not None:
                return worker
        sys.exit(0 if self._is_stopping else 1)

    def _stop(self, _number: int, _frame: Any) -> None:
        self._is_stopping = True
        for child in self._processes:
            os.kill(child, _signal.SIGTERM)


def _announce(count: int) -> None:
    """Log what AWS's own client logs, for who looks for it."""
    if logs.state.level == "DEBUG":
        import logging

        event = {
            "event": "runtime_worker_pool_initializing",
            "workerCount": count,
            "executionEnvironmentMaxConcurrency": count,
        }
        logging.getLogger().debug(event)


def _redirect_output(path: str) -> None:
    import _socket

    for descriptor in (1, 2):
        connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        connection.connect(path)
        os.dup2(connection.fileno(), descriptor)
        connection.close()


def _how(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"exit status {code}" if code >= 0 else f"signal {-code}"
