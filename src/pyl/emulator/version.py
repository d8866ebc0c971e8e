"""The functions of a project as they were at one save: unpacked, with the environments that run them."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pyl.emulator.environment import AsyncEnvironment
from pyl.emulator.launch import Unpacked
from pyl.emulator.logs import Logs
from pyl.emulator.pool import Pool
from pyl.emulator.reaper import Keeper
from pyl.project.model import Function, Project
from pyl.sandbox.memory_limits import MemoryLimits


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What the environments of every version share."""

    show: Callable[[str, str], None]
    """Receives the name of a function and a line of its log."""
    keeper: Keeper
    memory: MemoryLimits


class Version:
    """A package with a pool of environments for each function; owns `folder`, which the package is in."""

    def __init__(self, project: Project, package: Unpacked, folder: Path, surroundings: Surroundings) -> None:
        self.project = project
        self.package = package
        self.functions = {function.name: function for function in project.functions}
        self._folder = folder
        self._surroundings = surroundings
        self._pools = {function.name: Pool(partial(self._start, function)) for function in project.functions}

    def pool(self, name: str) -> Pool:
        """The environments of a function."""
        return self._pools[name]

    @property
    def size(self) -> int:
        """How many environments there are."""
        return sum(pool.size for pool in self._pools.values())

    async def close(self, *, at_once: bool = False) -> None:
        """End the environments, those at work when they are done or `at_once`, and remove the folder."""
        await asyncio.gather(*(pool.close(at_once=at_once) for pool in self._pools.values()))
        discard(self._folder, self._surroundings.keeper)

    async def _start(self, function: Function) -> AsyncEnvironment:
        around = self._surroundings
        environment = AsyncEnvironment(
            self.package,
            function,
            region=self.project.configuration.region,
            logs=Logs(lambda line: around.show(function.name, line)),
            memory=around.memory.group(function.configuration.memory << 20),
            keeper=around.keeper,
        )
        return await environment.__aenter__()


def scratch(keeper: Keeper) -> Path:
    """A folder for one version, which the keeper removes if this process cannot."""
    folder = Path(tempfile.mkdtemp(prefix="pyl-task-"))
    folder.chmod(0o755)
    keeper.folder(folder)
    return folder


def discard(folder: Path, keeper: Keeper) -> None:
    """Remove such a folder."""
    shutil.rmtree(folder, ignore_errors=True)
    keeper.forget(folder)
