"""Builds the command that runs a function of a package, in a sandbox if this machine allows one."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pyl.emulator import managed_runtime
from pyl.emulator.variables import environment_variables
from pyl.lambda_environment import LAYERS_ROOT, PYTHON_LAYERS, RUNTIME_ROOT, TASK_ROOT
from pyl.project.model import Function
from pyl.sandbox import execution

Client = Literal["bootstrap", "awslambdaric", "pyl"]
"""The client of the Runtime API: a native package's program, AWS's Python client, or pyl's runtime from source."""


@dataclass(frozen=True, kw_only=True)
class Unpacked:
    """An unpacked package."""

    task: Path
    """The folder to show at `/var/task`."""
    layer: Path | None = None
    """The folder to show at `/opt`: dependencies of an interpreted package."""
    source: bool = False
    """Whether `task` is a copy of the project's files. Dependencies and pyl's runtime are then in `layer`."""

    @property
    def client(self) -> Client:
        """The client of the Runtime API."""
        if self.source:
            return "pyl"
        return "bootstrap" if (self.task / "bootstrap").is_file() else "awslambdaric"


@dataclass(frozen=True, kw_only=True)
class Launch:
    """A command to start, and what it needs."""

    command: tuple[str, ...]
    environment: dict[str, str] | None
    """All variables; None if the command sets them."""
    folder: Path | None
    """The folder to start in; None if the command changes to it."""
    program: str
    """Path of the program, for messages."""


def launch(
    package: Unpacked, function: Function, *, region: str | None, api: str, clock: int, arguments: Sequence[str] = ()
) -> Launch:
    """Return how to start a function.

    Args:
        package: The unpacked package.
        function: The function to start.
        region: AWS region for the function's variables.
        api: Host and port of the Runtime API.
        clock: File descriptor that receives the time of the `exec` (see `pyl.sandbox.execution.command`).
        arguments: Arguments of the interpreter in place of the Runtime API's client, to run something else in the same
            environment.
    """
    sandboxed = execution.unavailable() is None
    root = TASK_ROOT if sandboxed else str(package.task)
    native = package.client == "bootstrap"
    environment = environment_variables(
        function,
        region=region,
        api=api,
        task_root=root,
        runtime=None if native else f"python{sys.version_info.major}.{sys.version_info.minor}",
    )
    binds: dict[str, Path] = {}
    argv = [f"{root}/bootstrap"]
    if not native:
        binds = _interpreter_binds()
        path = _import_path(package, binds, sandboxed=sandboxed)
        environment["PYTHONPATH"] = os.pathsep.join(path)
        # -S: functions can import the package and the runtime, not what is installed on this machine.
        argv = [_interpreter(), "-S", *(arguments or _client(package, environment["_HANDLER"]))]
    if not sandboxed:
        return Launch(command=tuple(argv), environment=environment, folder=package.task, program=argv[0])
    command = execution.command(
        argv, task=package.task, binds=binds, environment=environment, clock=clock, dies_with_parent=True
    )
    return Launch(command=tuple(command), environment=None, folder=None, program=argv[0])


def _client(package: Unpacked, handler: str) -> list[str]:
    return ["-m", "pyl.runtime"] if package.client == "pyl" else ["-m", "awslambdaric", handler]


def _import_path(package: Unpacked, binds: dict[str, Path], *, sandboxed: bool) -> list[str]:
    """Return where the interpreter imports from besides the package. Adds the folders of a sandbox to `binds`."""
    path = []
    if package.client == "awslambdaric":
        client = managed_runtime.install_awslambdaric()
        binds[RUNTIME_ROOT] = client
        path.append(RUNTIME_ROOT if sandboxed else str(client))
    if package.layer:
        binds[LAYERS_ROOT] = package.layer
        return [*path, PYTHON_LAYERS if sandboxed else f"{package.layer}/python"]
    return [*path, PYTHON_LAYERS]


def _interpreter() -> str:
    """Return the Python that a virtual environment was made from. Its path contains no symlinks."""
    return os.path.realpath(getattr(sys, "_base_executable", sys.executable))


def _interpreter_binds() -> dict[str, Path]:
    """Return the interpreter's folder if it is below /tmp, which is empty in a sandbox."""
    prefix = Path(sys.base_prefix).resolve()
    return {str(prefix): prefix} if prefix.is_relative_to("/tmp") else {}  # noqa: S108
