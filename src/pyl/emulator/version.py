"""One version of a project that is served: its unpacked package, and the environments of its functions."""

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
from pyl.emulator.reaper import Reaper
from pyl.project.model import Function, Project
from pyl.sandbox.memory_limits import MemoryLimits


@dataclass(frozen=True, kw_only=True)
class SharedResources:
    """What the environments of all versions share."""

    show: Callable[[str, str], None]
    """Called with the name of a function and a line of its log."""
    reaper: Reaper
    memory: MemoryLimits


class Version:
    """A package, with a pool of environments for each function.

    Args:
        project: The project as it was when the package was made.
        package: The unpacked package.
        folder: The folder that contains the package. The version removes it.
        resources: What the environments of all versions share.
    """

    def __init__(self, project: Project, package: Unpacked, folder: Path, resources: SharedResources) -> None:
        self.project = project
        self.package = package
        self.functions = {function.name: function for function in project.functions}
        self._folder = folder
        self._resources = resources
        self._pools = {function.name: Pool(partial(self._start, function)) for function in project.functions}

    def pool(self, name: str) -> Pool:
        """Return the pool of a function, by its name."""
        return self._pools[name]

    @property
    def size(self) -> int:
        """Number of environments."""
        return sum(pool.size for pool in self._pools.values())

    async def close(self, *, at_once: bool = False) -> None:
        """End all environments and remove the folder.

        Args:
            at_once: Do not wait for invocations that are running.
        """
        await asyncio.gather(*(pool.close(at_once=at_once) for pool in self._pools.values()))
        remove_version_folder(self._folder, self._resources.reaper)

    async def _start(self, function: Function) -> AsyncEnvironment:
        resources = self._resources
        environment = AsyncEnvironment(
            self.package,
            function,
            region=self.project.configuration.region,
            logs=Logs(lambda line: resources.show(function.name, line)),
            memory=resources.memory.create_group(function.configuration.memory << 20),
            reaper=resources.reaper,
        )
        return await environment.__aenter__()


def make_version_folder(reaper: Reaper) -> Path:
    """Return a new folder for a version. The reaper removes it if this process cannot."""
    folder = Path(tempfile.mkdtemp(prefix="pyl-task-"))
    folder.chmod(0o755)
    reaper.add_folder(folder)
    return folder


def remove_version_folder(folder: Path, reaper: Reaper) -> None:
    """Remove a folder of `make_version_folder`."""
    shutil.rmtree(folder, ignore_errors=True)
    reaper.forget(folder)
