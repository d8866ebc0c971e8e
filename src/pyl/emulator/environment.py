"""An execution environment: one process of one function, its Runtime API, and what it reports."""

from __future__ import annotations

import json
import math
import os
import queue
import signal
import struct
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from pyl.emulator import managed_runtime, sandbox
from pyl.emulator.runtime_api import Answer, Invocation, RuntimeAPI
from pyl.emulator.variables import arn, variables
from pyl.errors import EngineError
from pyl.process import end_group
from pyl.project.model import Function

_POLL = 0.05
"""Seconds between two looks at whether a process that has not answered still lives."""

_INIT_LIMIT = 10.0
"""Seconds that Lambda gives to initialisation."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one invocation."""

    payload: bytes
    error: str | None
    """Lambda's error type, None when the function returned."""
    request_id: str
    duration: float
    """Seconds from the hand-over of the event to the answer."""
    init: float | None
    """Seconds from process spawn to the first request for work; None on a warm start."""
    cold_start: float | None
    """Seconds from process spawn to the first answer; None on a warm start."""
    max_memory: int
    """Bytes of resident memory at its peak (VmHWM)."""

    def report(self, function: Function) -> str:
        """The line that Lambda logs after an invocation."""
        parts = [
            f"REPORT RequestId: {self.request_id}",
            f"Duration: {self.duration * 1000:.2f} ms",
            f"Billed Duration: {math.ceil((self.duration + (self.init or 0)) * 1000)} ms",
            f"Memory Size: {function.configuration.memory} MB",
            f"Max Memory Used: {self.max_memory / 1e6:.1f} MB",
        ]
        if self.init is not None and self.cold_start is not None:
            parts += [
                f"Init Duration: {self.init * 1000:.2f} ms",
                f"Cold Start: {self.cold_start * 1000:.2f} ms",
            ]
        return "\t".join(parts)


class Environment:
    """Starts the package unpacked in `task` for `function`; a context manager that ends the process.

    The process runs with the package at `/var/task` when this machine allows it (`sandbox.unavailable`),
    else where it is. Its standard output and error go to `logs`. `layer` is an unpacked layer, which stands
    at `/opt` for an interpreted package.
    """

    def __init__(
        self,
        task: Path,
        function: Function,
        *,
        region: str | None,
        logs: IO[bytes] | int | None = None,
        layer: Path | None = None,
    ) -> None:
        self._task = task
        self._function = function
        self._region = region
        self._logs = logs
        self._layer = layer
        self._api = RuntimeAPI()
        self._process: subprocess.Popen[bytes] | None = None
        self._spawned: int | None = None
        self._warm = False

    def __enter__(self) -> Self:
        self._api.__enter__()
        try:
            self._spawn()
        except BaseException:
            self._api.__exit__()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._process and self._process.poll() is None:
            end_group(self._process)
        self._api.__exit__()

    def invoke(self, event: bytes, *, client_context: str | None = None) -> Outcome:
        """Hand `event` to the function and wait for its answer, at most for the function's timeout."""
        invocation = Invocation(
            event=event,
            timeout=float(self._function.configuration.timeout),
            arn=arn(self._function.name, self._region),
            trace_id=f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Parent={uuid.uuid4().hex[:16]};Sampled=0",
            client_context=client_context,
        )
        submitted = time.monotonic_ns()
        self._api.submit(invocation)
        answer = self._wait(invocation, submitted)
        begun = max(submitted, self._api.first_next or submitted)
        outcome = self._outcome(invocation, answer, begun)
        self._warm = True
        return outcome

    def _spawn(self) -> None:
        native = (self._task / "bootstrap").is_file()
        boxed = sandbox.unavailable() is None
        root = sandbox.TASK_ROOT if boxed else str(self._task)
        environment = variables(
            self._function,
            region=self._region,
            api=self._api.address,
            task_root=root,
            runtime=None if native else f"python{sys.version_info.major}.{sys.version_info.minor}",
        )
        binds: dict[str, Path] = {}
        if native:
            argv: Sequence[str] = [f"{root}/bootstrap"]
        else:
            client = managed_runtime.awslambdaric()
            binds = _interpreter_binds() | {managed_runtime.PLACE: client}
            opt = "/opt"
            if self._layer:
                binds[opt] = self._layer
                opt = opt if boxed else str(self._layer)
            environment["PYTHONPATH"] = os.pathsep.join(
                [managed_runtime.PLACE if boxed else str(client), f"{opt}/python"]
            )
            # -S: the functions see the package and the runtime's own modules, nothing of this machine's.
            argv = [_interpreter(), "-S", "-m", "awslambdaric", environment["_HANDLER"]]
        reading, writing = os.pipe()
        try:
            command = (
                sandbox.command(argv, task=self._task, binds=binds, environment=environment, clock=writing)
                if boxed
                else list(argv)
            )
            self._process = subprocess.Popen(
                command,
                env=None if boxed else environment,
                cwd=None if boxed else self._task,
                stdin=subprocess.DEVNULL,
                stdout=self._logs,
                stderr=self._logs,
                pass_fds=[writing] if boxed else [],
                start_new_session=True,
            )
            os.close(writing)
            self._spawned = _exec_time(reading) if boxed else time.monotonic_ns()
        except OSError as error:
            msg = f"cannot start {argv[0]}: {error.strerror}"
            raise EngineError(msg) from error
        finally:
            os.close(reading)

    def _wait(self, invocation: Invocation, submitted: int) -> Answer:
        assert self._process  # noqa: S101 - spawned by __enter__
        while time.monotonic() < self._limit(invocation, submitted):
            try:
                return self._api.answers.get(timeout=_POLL)
            except queue.Empty:
                if self._process.poll() is not None and self._api.answers.empty():
                    return _exited(self._process.returncode, invocation)
        os.killpg(self._process.pid, signal.SIGKILL)
        return _timed_out(self._function, invocation)

    def _limit(self, invocation: Invocation, submitted: int) -> float:
        """When the wait is over: the function's time begins when the runtime has asked for work."""
        if self._api.first_next is None:
            return submitted / 1e9 + _INIT_LIMIT
        return max(submitted, self._api.first_next) / 1e9 + invocation.timeout

    def _outcome(self, invocation: Invocation, answer: Answer, begun: int) -> Outcome:
        error = (answer.error_type or _error_type(answer.payload)) if answer.error else None
        first = not self._warm and self._spawned is not None
        asked = self._api.first_next or answer.received
        return Outcome(
            payload=answer.payload,
            error=error,
            request_id=invocation.request_id,
            duration=max(0, answer.received - begun) / 1e9,
            init=(asked - (self._spawned or asked)) / 1e9 if first else None,
            cold_start=(answer.received - (self._spawned or answer.received)) / 1e9 if first else None,
            max_memory=self._peak_memory(),
        )

    def _peak_memory(self) -> int:
        assert self._process  # noqa: S101 - spawned by __enter__
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        except OSError:
            return 0
        line = next((line for line in status.splitlines() if line.startswith("VmHWM:")), "VmHWM: 0 kB")
        return int(line.split()[1]) * 1024


def _interpreter() -> str:
    """The Python that a virtual environment was made from: its path holds no symlinks of other folders."""
    return os.path.realpath(getattr(sys, "_base_executable", sys.executable))


def _interpreter_binds() -> dict[str, Path]:
    """The interpreter's own folder, when a sandbox would hide it behind its empty /tmp."""
    prefix = Path(sys.base_prefix).resolve()
    return {str(prefix): prefix} if prefix.is_relative_to("/tmp") else {}  # noqa: S108


def _exec_time(reading: int) -> int | None:
    data = os.read(reading, 8)
    return int(struct.unpack("=q", data)[0]) if len(data) == 8 else None


def _error_type(payload: bytes) -> str:
    try:
        return str(json.loads(payload)["errorType"])
    except (ValueError, KeyError, TypeError):
        return "Unhandled"


def _exited(status: int, invocation: Invocation) -> Answer:
    how = f"signal: {signal.strsignal(-status)}".lower() if status < 0 else f"exit status {status}"
    text = f"RequestId: {invocation.request_id} Error: Runtime exited with error: {how}"
    if status == 0:
        text = f"RequestId: {invocation.request_id} Error: Runtime exited without providing a reason"
    return _failed("Runtime.ExitError", text)


def _timed_out(function: Function, invocation: Invocation) -> Answer:
    seconds = function.configuration.timeout
    return _failed(
        "Sandbox.Timedout",
        f"RequestId: {invocation.request_id} Error: Task timed out after {seconds:.2f} seconds",
    )


def _failed(kind: str, message: str) -> Answer:
    payload = json.dumps({"errorType": kind, "errorMessage": message}).encode()
    return Answer(payload=payload, error=True, error_type=kind, received=time.monotonic_ns())
