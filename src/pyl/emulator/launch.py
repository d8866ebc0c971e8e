"""The command that starts a package for one function, in a sandbox where this machine allows one."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pyl.emulator import managed_runtime
from pyl.emulator.variables import variables
from pyl.lambda_environment import TASK_ROOT
from pyl.project.model import Function
from pyl.sandbox import execution

Client = Literal["bootstrap", "awslambdaric", "pyl"]
"""What talks to the Runtime API: the native package's own program, AWS's client, or pyl's runtime from source."""


@dataclass(frozen=True, kw_only=True)
class Unpacked:
    """A package in a folder."""

    task: Path
    """What stands at /var/task."""
    layer: Path | None = None
    """What stands at /opt, for what is interpreted."""
    source: bool = False
    """The project's own files rather than a built package; its dependencies and pyl's runtime are in `layer`."""

    @property
    def client(self) -> Client:
        """Who talks to the Runtime API."""
        if self.source:
            return "pyl"
        return "bootstrap" if (self.task / "bootstrap").is_file() else "awslambdaric"


@dataclass(frozen=True, kw_only=True)
class Launch:
    """What to start."""

    command: tuple[str, ...]
    environment: dict[str, str] | None
    """None when the command sets it."""
    folder: Path | None
    """Where to start it; None when the command goes there itself."""
    program: str
    """For messages."""


def launch(
    package: Unpacked, function: Function, *, region: str | None, api: str, clock: int, arguments: Sequence[str] = ()
) -> Launch:
    """How to start `function` from `package`, with its Runtime API at `api`.

    `clock` is a file descriptor that receives the time of the `exec` (see `sandbox.command`). `arguments`, given to
    the interpreter in place of the Runtime API's client, run something else in the same surroundings.
    """
    boxed = execution.unavailable() is None
    root = TASK_ROOT if boxed else str(package.task)
    native = package.client == "bootstrap"
    environment = variables(
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
        path = _import_path(package, binds, boxed=boxed)
        environment["PYTHONPATH"] = os.pathsep.join(path)
        # -S: the functions see the package and the runtime's own modules, nothing of this machine's.
        argv = [_interpreter(), "-S", *(arguments or _client(package, environment["_HANDLER"]))]
    if not boxed:
        return Launch(command=tuple(argv), environment=environment, folder=package.task, program=argv[0])
    command = execution.command(
        argv, task=package.task, binds=binds, environment=environment, clock=clock, dies_with_parent=True
    )
    return Launch(command=tuple(command), environment=None, folder=None, program=argv[0])


def _client(package: Unpacked, handler: str) -> list[str]:
    return ["-m", "pyl.runtime"] if package.client == "pyl" else ["-m", "awslambdaric", handler]


def _import_path(package: Unpacked, binds: dict[str, Path], *, boxed: bool) -> list[str]:
    """Where the interpreter imports from, besides the package; adds to `binds` what has to stand there."""
    path = []
    if package.client == "awslambdaric":
        client = managed_runtime.awslambdaric()
        binds[managed_runtime.PLACE] = client
        path.append(managed_runtime.PLACE if boxed else str(client))
    if package.layer:
        binds["/opt"] = package.layer
        return [*path, "/opt/python" if boxed else f"{package.layer}/python"]
    return [*path, "/opt/python"]


def _interpreter() -> str:
    """The Python that a virtual environment was made from: its path holds no symlinks of other folders."""
    return os.path.realpath(getattr(sys, "_base_executable", sys.executable))


def _interpreter_binds() -> dict[str, Path]:
    """The interpreter's own folder, when a sandbox would hide it behind its empty /tmp."""
    prefix = Path(sys.base_prefix).resolve()
    return {str(prefix): prefix} if prefix.is_relative_to("/tmp") else {}  # noqa: S108
