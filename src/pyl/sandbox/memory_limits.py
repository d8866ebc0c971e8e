"""Memory limits of environments, by cgroups of either version, if this machine allows creating them."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
from dataclasses import dataclass
from pathlib import Path

from pyl.sandbox import cgroups

_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class _Hierarchy:
    """A folder in which groups can be created, and the names of their files."""

    parent: Path
    limit: str
    swap: str
    swap_allowed: str
    """Value that turns swap off, which Lambda does not have. `{limit}` is the limit in bytes."""
    events: str


class MemoryGroup:
    """A cgroup with a memory limit."""

    def __init__(self, folder: Path, hierarchy: _Hierarchy) -> None:
        self.folder = folder
        self._hierarchy = hierarchy

    def add(self, process: int) -> None:
        """Add a process to the group, unless it has ended."""
        with contextlib.suppress(OSError):
            cgroups.add_process(self.folder, process)

    def exceeded(self) -> bool:
        """Return whether the kernel has killed a process of the group at the limit."""
        try:
            text = (self.folder / self._hierarchy.events).read_text(encoding="ascii")
        except OSError:
            return False
        counts = dict(line.split(maxsplit=1) for line in text.splitlines() if " " in line)
        return int(counts.get("oom_kill", 0)) > 0

    async def remove(self) -> None:
        """Kill all processes in the group and remove it."""
        for _ in range(100):
            cgroups.kill_members(self.folder)
            try:
                self.folder.rmdir()
            except FileNotFoundError:
                return
            except OSError:
                await asyncio.sleep(0.01)  # its processes are not gone yet
            else:
                return


class MemoryLimits:
    """Creates groups with memory limits.

    Attributes:
        unavailable: Why this machine does not allow it; None if it does.
    """

    def __init__(self) -> None:
        self._hierarchy: _Hierarchy | None = None
        self.unavailable: str | None = "there is no memory cgroup in which groups can be created"
        for hierarchy in _hierarchies():
            try:
                _create_group(hierarchy, 1 << 30).rmdir()
            except OSError as error:
                self.unavailable = f"{error.filename or hierarchy.parent}: {error.strerror}"
            else:
                self._hierarchy, self.unavailable = hierarchy, None
                break

    def create_group(self, limit: int) -> MemoryGroup | None:
        """Return a new group that may use `limit` bytes, or None if it cannot be created."""
        if self._hierarchy is None:
            return None
        try:
            return MemoryGroup(_create_group(self._hierarchy, limit), self._hierarchy)
        except OSError:
            return None


def _create_group(hierarchy: _Hierarchy, limit: int) -> Path:
    folder = hierarchy.parent / f"pyl-{os.getpid()}-{next(_NUMBERS)}"
    folder.mkdir()
    try:
        (folder / hierarchy.limit).write_text(str(limit), encoding="ascii")
        (folder / "cgroup.procs").read_text(encoding="ascii")
    except OSError:
        folder.rmdir()
        raise
    with contextlib.suppress(OSError):  # the kernel may not account for swap
        (folder / hierarchy.swap).write_text(hierarchy.swap_allowed.format(limit=limit), encoding="ascii")
    return folder


def _hierarchies() -> list[_Hierarchy]:
    """Return all folders in which a group might be created, the likelier ones first."""
    own = cgroups.own_groups()
    hierarchies = [
        _Hierarchy(parent, "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "{limit}", "memory.oom_control")
        for parent in (_folder_and_parents(cgroups.ROOT / "memory", own["memory"]) if "memory" in own else ())
    ]
    for parent in _folder_and_parents(cgroups.ROOT, own.get("", "/")):
        with contextlib.suppress(OSError):
            if "memory" in (parent / "cgroup.subtree_control").read_text(encoding="ascii").split():
                hierarchies.append(_Hierarchy(parent, "memory.max", "memory.swap.max", "0", "memory.events"))
    return [hierarchy for hierarchy in hierarchies if os.access(hierarchy.parent, os.W_OK)]


def _folder_and_parents(root: Path, path: str) -> list[Path]:
    folder = root / path.lstrip("/")
    folders = [folder, *folder.parents]
    return [each for each in folders if each.is_relative_to(root) and each.is_dir()]
