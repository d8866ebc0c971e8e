"""Memory limits of environments, by cgroups of either version where this machine lets us make some."""

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
    """Where groups can be made, and what their files are called."""

    parent: Path
    limit: str
    swap: str
    swap_allowed: str
    """What to write so that what is over the limit is not put on a disk; Lambda has none."""
    events: str


class MemoryGroup:
    """A cgroup with a memory limit."""

    def __init__(self, folder: Path, hierarchy: _Hierarchy) -> None:
        self.folder = folder
        self._hierarchy = hierarchy

    def add(self, process: int) -> None:
        """Put a process under the limit; one that has ended already needs none."""
        with contextlib.suppress(OSError):
            cgroups.add_process(self.folder, process)

    def exceeded(self) -> bool:
        """Return whether the kernel has killed a process of the group for its memory."""
        try:
            text = (self.folder / self._hierarchy.events).read_text(encoding="ascii")
        except OSError:
            return False
        counts = dict(line.split(maxsplit=1) for line in text.splitlines() if " " in line)
        return int(counts.get("oom_kill", 0)) > 0

    async def remove(self) -> None:
        """Kill what is left in the group and remove it."""
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
    """Makes groups, if this machine allows it; `unavailable` says why not."""

    def __init__(self) -> None:
        self._hierarchy: _Hierarchy | None = None
        self.unavailable: str | None = "this system has no memory cgroup that may be divided"
        for hierarchy in _hierarchies():
            try:
                _make_group(hierarchy, 1 << 30).rmdir()
            except OSError as error:
                self.unavailable = f"{error.filename or hierarchy.parent}: {error.strerror}"
            else:
                self._hierarchy, self.unavailable = hierarchy, None
                break

    def group(self, limit: int) -> MemoryGroup | None:
        """Return a new group that may use `limit` bytes, or None where there can be none."""
        if self._hierarchy is None:
            return None
        try:
            return MemoryGroup(_make_group(self._hierarchy, limit), self._hierarchy)
        except OSError:
            return None


def _make_group(hierarchy: _Hierarchy, limit: int) -> Path:
    folder = hierarchy.parent / f"pyl-{os.getpid()}-{next(_NUMBERS)}"
    folder.mkdir()
    try:
        (folder / hierarchy.limit).write_text(str(limit), encoding="ascii")
        (folder / "cgroup.procs").read_text(encoding="ascii")
    except OSError:
        folder.rmdir()
        raise
    with contextlib.suppress(OSError):  # swap may not be counted
        (folder / hierarchy.swap).write_text(hierarchy.swap_allowed.format(limit=limit), encoding="ascii")
    return folder


def _hierarchies() -> list[_Hierarchy]:
    """Return every place where a group might be made, the likelier ones first."""
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
