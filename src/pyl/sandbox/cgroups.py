"""Memory limits of environments, by cgroups of either version where this machine lets us make some."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
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
            (self.folder / "cgroup.procs").write_text(str(process), encoding="ascii")

    def exceeded(self) -> bool:
        """Whether the kernel has killed a process of the group for its memory."""
        try:
            text = (self.folder / self._hierarchy.events).read_text(encoding="ascii")
        except OSError:
            return False
        counts = dict(line.split(maxsplit=1) for line in text.splitlines() if " " in line)
        return int(counts.get("oom_kill", 0)) > 0

    async def remove(self) -> None:
        """Kill what is left in the group, and remove it."""
        for _ in range(100):
            kill_members(self.folder)
            try:
                self.folder.rmdir()
            except FileNotFoundError:
                return
            except OSError:
                await asyncio.sleep(0.01)  # its processes are not gone yet
            else:
                return


def kill_members(folder: Path) -> None:
    """Kill every process in a cgroup."""
    with contextlib.suppress(OSError):
        for process in (folder / "cgroup.procs").read_text(encoding="ascii").split():
            with contextlib.suppress(OSError):
                os.kill(int(process), signal.SIGKILL)


class MemoryLimits:
    """Makes groups, if this machine allows it. `unavailable` says why not."""

    def __init__(self) -> None:
        self._hierarchy: _Hierarchy | None = None
        self.unavailable: str | None = "this system has no memory cgroup that may be divided"
        for hierarchy in _hierarchies():
            try:
                _make(hierarchy, 1 << 30).rmdir()
            except OSError as error:
                self.unavailable = f"{error.filename or hierarchy.parent}: {error.strerror}"
            else:
                self._hierarchy, self.unavailable = hierarchy, None
                break

    def group(self, limit: int) -> MemoryGroup | None:
        """A new group that may use `limit` bytes; None where there can be none."""
        if self._hierarchy is None:
            return None
        try:
            return MemoryGroup(_make(self._hierarchy, limit), self._hierarchy)
        except OSError:
            return None


def _make(hierarchy: _Hierarchy, limit: int) -> Path:
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
    """Every place where a group might be made, the likelier ones first."""
    own = _own_groups()
    found = [
        _Hierarchy(parent, "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "{limit}", "memory.oom_control")
        for parent in (_and_above(_ROOT / "memory", own["memory"]) if "memory" in own else ())
    ]
    for parent in _and_above(_ROOT, own.get("", "/")):
        with contextlib.suppress(OSError):
            if "memory" in (parent / "cgroup.subtree_control").read_text(encoding="ascii").split():
                found.append(_Hierarchy(parent, "memory.max", "memory.swap.max", "0", "memory.events"))
    return [hierarchy for hierarchy in found if os.access(hierarchy.parent, os.W_OK)]


def _own_groups() -> dict[str, str]:
    """Controller to the path of this process's group; the empty name is version 2's."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    rows = [line.split(":", 2) for line in lines]
    return {controller: path for _, controllers, path in rows for controller in controllers.split(",")}


def _and_above(root: Path, path: str) -> list[Path]:
    folder = root / path.lstrip("/")
    folders = [folder, *folder.parents]
    return [each for each in folders if each.is_relative_to(root) and each.is_dir()]
