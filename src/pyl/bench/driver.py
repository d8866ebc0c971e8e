"""Runs measurements of one variant. A C program, started in the variant's own file tree, takes the times."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from pyl.bench import programs
from pyl.bench.variants import Variant
from pyl.emulator.variables import environment_variables
from pyl.errors import EngineError
from pyl.lambda_environment import RUNTIME_ROOT as RUNTIME
from pyl.lambda_environment import TASK_ROOT
from pyl.project.model import Function
from pyl.sandbox import execution

_DRIVER_FOLDER = "/var/bench"

_FAILURES = {
    "exec": "it cannot be started: {error}",
    "socket": "no socket could be opened for it: {error}",
    "exit": "it exited with status {detail}",
    "signal": "it was killed by signal {signal}",
    "never-asked": "it did not ask for work within {seconds:g} s",
    "timeout": "it asked for work but did not respond within {seconds:g} s",
    "error": "it reported an error: {body}",
    "init-error": "its initialisation failed: {body}",
    "protocol": "it sent something that is not a request of the Runtime API",
    "closed": "it closed its connection before it had received the event",
    "cgroup": "its processor limit could not be set: {error}",
    "not-json": "its response is not valid JSON: {body}",
}


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Resources that a process has used, read while it waits for its response to be acknowledged.

    Memory is in bytes, processor time in nanoseconds; page faults are counted.
    """

    processor: int
    peak: int
    resident: int
    proportional: int
    private: int
    minor: int
    major: int


@dataclass(frozen=True, kw_only=True)
class Start:
    """The result of one new environment. Times are nanoseconds since its exec."""

    failure: str | None
    """What went wrong; None when every invocation was answered."""
    asked: int
    answered: int
    server: int
    """Processor time of the driver between the first request and the first response."""
    first: Usage
    last: Usage
    latencies: tuple[int, ...]
    """Time from sending each event to its response. The first is part of the cold start."""
    servers: tuple[int, ...]
    """The driver's own processor time within each latency."""
    span: int
    """Time from the first response to the last."""
    body: bytes
    log: bytes


class Driver:
    """Context manager that runs the measuring program for one variant and function."""

    def __init__(self, variant: Variant, function: Function, *, region: str | None = None) -> None:
        self.variant = variant
        self._function = function
        self._region = region
        self._process: subprocess.Popen[bytes] | None = None
        self._messages = tempfile.TemporaryFile()  # noqa: SIM115 - closed on exit

    def __enter__(self) -> Self:
        boxed = execution.unavailable() is None
        command, environment, driver = self._command(boxed=boxed), self._variables(boxed=boxed), programs.driver()
        argv = [f"{_DRIVER_FOLDER}/driver" if boxed else str(driver), *command]
        binds = {**self.variant.binds, _DRIVER_FOLDER: driver.parent}
        self._process = subprocess.Popen(
            execution.command(argv, task=self.variant.task, binds=binds, environment=environment) if boxed else argv,
            env=None if boxed else environment,
            cwd=None if boxed else self.variant.task,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._messages,
            start_new_session=True,
        )
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._process:
            # The variant's programs die with it: each sets a parent death signal.
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdin, self._process.stdout):
                if stream:
                    stream.close()
        self._messages.close()

    def run(
        self,
        event: bytes,
        *,
        environments: int = 1,
        invocations: int = 1,
        timeout: float = 30.0,
        inspect: bool = True,
        group: Path | None = None,
    ) -> list[Start]:
        """Start environments, invoke each of them, and end them.

        Args:
            event: The event of every invocation.
            environments: How many environments to start at the same time.
            invocations: How often to invoke each environment.
            timeout: Seconds that an environment may take.
            inspect: Read memory and processor time at the first and the last response. This takes a moment, so it is
                not for measurements of many environments at once.
            group: Folder of a cgroup that each process joins after its initialisation.

        Returns:
            One result for each environment. A program that fails is a `Start` with `failure` set.

        Raises:
            EngineError: The driver itself fails.
        """
        assert self._process, "enter the context first"  # noqa: S101
        assert self._process.stdin  # noqa: S101
        assert self._process.stdout  # noqa: S101
        head = f"{environments} {invocations} {int(timeout * 1000)} {int(inspect)} {len(event)} {group or '-'}\n"
        try:
            self._process.stdin.write(head.encode() + event)
            self._process.stdin.flush()
            return [self._read(timeout) for _ in range(environments)]
        except (OSError, ValueError, KeyError) as error:
            self._messages.seek(0)
            messages = self._messages.read().decode("utf-8", "replace").strip() or str(error)
            msg = f"the measuring program of {self.variant.name} failed: {messages}"
            raise EngineError(msg) from error

    def _read(self, timeout: float) -> Start:
        assert self._process and self._process.stdout  # noqa: S101, PT018
        line = json.loads(self._process.stdout.readline())
        body = self._process.stdout.read(line["body"])
        log = self._process.stdout.read(line["log"])
        return Start(
            failure=_failure(line, body, timeout),
            asked=line["asked"],
            answered=line["answered"],
            server=line["server"],
            first=Usage(**line["first"]),
            last=Usage(**line["last"]),
            latencies=tuple(line["latencies"]),
            servers=tuple(line["servers"]),
            span=line["span"],
            body=body,
            log=log,
        )

    def _command(self, *, boxed: bool) -> list[str]:
        places = self._places(boxed=boxed) | {"handler": f"functions.{self._function.name}"}
        return [part.format_map(places) for part in self.variant.command]

    def _variables(self, *, boxed: bool) -> Mapping[str, str]:
        places = self._places(boxed=boxed)
        lambda_own = environment_variables(
            self._function,
            region=self._region,
            api="",
            task_root=places["task"],
            runtime=self.variant.runtime,
            environ={},  # figures must not depend on whose credentials the caller has
        )
        return lambda_own | {name: text.format_map(places) for name, text in self.variant.variables.items()}

    def _places(self, *, boxed: bool) -> dict[str, str]:
        runtime = self.variant.binds.get(RUNTIME, Path(RUNTIME))
        return {
            "task": TASK_ROOT if boxed else str(self.variant.task),
            "runtime": RUNTIME if boxed else str(runtime),
        }


def _failure(line: dict[str, Any], body: bytes, timeout: float) -> str | None:
    kind = line["failure"]
    if not kind:
        try:
            json.loads(body)
        except ValueError:
            kind = "not-json"
        else:
            return None
    detail = line["detail"]
    return _FAILURES[kind].format(
        detail=detail,
        error=os.strerror(detail),
        signal=signal.Signals(detail).name if kind == "signal" else "",
        seconds=timeout,
        body=body[:300].decode("utf-8", "replace"),
    )
