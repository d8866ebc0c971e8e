"""Concurrent invocations in one environment, as on Lambda Managed Instances: one process for each.

As with AWS's own client each process initialises by itself, so what the function's code opens at import is opened once
in each process. In a native package the processes share the image's memory, except what they change.
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
"""Path of a Unix socket. Lambda logs what each process writes to its own connection."""

_READY, _LOST = b"r", b"l"
"""Messages of a worker to the supervisor."""
_RESTART_DELAY = 0.1
"""Seconds before a process that ended is replaced, so that failing processes do not restart in a busy loop."""


class Worker:
    """This process, one of several.

    Attributes:
        is_first: Whether it is the first process of the environment.
    """

    def __init__(self, supervisor_pipe: int, *, is_first: bool) -> None:
        self.is_first = is_first
        self._supervisor_pipe = supervisor_pipe

    def report_ready(self) -> None:
        """Report to the supervisor that the function is loaded and that this process requests events."""
        os.write(self._supervisor_pipe, _READY)

    def report_api_lost(self) -> None:
        """Report to the supervisor that the Runtime API cannot be reached, so that no process is replaced."""
        with contextlib.suppress(BrokenPipeError):  # the supervisor has ended
            os.write(self._supervisor_pipe, _LOST)


def fork_workers(environ: Mapping[str, str]) -> Worker | None:
    """Fork as many processes as Lambda sends events at once.

    Returns:
        In each new process its `Worker`; `None` in the calling process if one is enough. Otherwise the calling process
        becomes the supervisor, and does not return.
    """
    count = environ.get(VARIABLE, "")
    if not (count.isascii() and count.isdigit()) or int(count) < 2:
        return None
    _log_start(int(count))
    return _Supervisor(environ.get(LOG_SOCKET_VARIABLE, "")).run(int(count))


class _Process:
    """A worker as the supervisor sees it, with the pipe that it reports to."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._messages = b""

    def wait_until_ready(self) -> bool:
        """Wait until the process is initialised, and return whether it succeeded."""
        self._messages = os.read(self._pipe, 1)
        return self._messages == _READY

    def should_be_replaced(self) -> bool:
        """Return whether this process, which has ended, should be replaced by another."""
        os.set_blocking(self._pipe, False)  # its own child processes may keep the pipe open
        with contextlib.suppress(BlockingIOError):
            self._messages += os.read(self._pipe, 2)
        os.close(self._pipe)
        return self._messages == _READY

    def close_pipe(self) -> None:
        """Close the pipe in another worker."""
        os.close(self._pipe)


class _Supervisor:
    def __init__(self, log_socket: str) -> None:
        self._log_socket = log_socket
        self._processes: dict[int, _Process] = {}
        self._is_stopping = False

    def run(self, count: int) -> Worker:
        """Start `count` processes, and replace those that end.

        The first starts alone: if it cannot initialise, the others could not either.
        """
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
        """Fork a process. Return its `Worker` in the new process, `None` in the supervisor."""
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
            sibling.close_pipe()
        if self._log_socket:
            _redirect_output(self._log_socket)
        return Worker(writing, is_first=is_first)

    def _supervise(self) -> Worker:
        while self._processes:
            child, status = os.wait()
            process = self._processes.pop(child, None)  # the user's code may have started others before
            if process is None or not process.should_be_replaced() or self._is_stopping:
                continue
            logs.warn(f"process {child} ended with {_describe_status(status)}; another takes its place")
            time.sleep(_RESTART_DELAY)
            worker = self._start()
            if worker is not None:
                return worker
        sys.exit(0 if self._is_stopping else 1)

    def _stop(self, _number: int, _frame: Any) -> None:
        self._is_stopping = True
        for child in self._processes:
            os.kill(child, _signal.SIGTERM)


def _log_start(count: int) -> None:
    """Log the record that AWS's own client logs at the debug level."""
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


def _describe_status(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"exit status {code}" if code >= 0 else f"signal {-code}"
