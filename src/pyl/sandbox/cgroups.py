"""Cgroups of both versions: find this process's groups, add and kill processes, remove groups.

https://docs.kernel.org/admin-guide/cgroup-v2.html
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")


def own_groups(table: Path = OWN_GROUPS) -> dict[str, str]:
    """Return the path of this process's group for each controller. The group of version 2 has an empty name.

    Args:
        table: A file in the format of `/proc/PID/cgroup`.
    """
    try:
        lines = table.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    rows = [line.split(":", 2) for line in lines]
    return {controller: path for _, controllers, path in rows for controller in controllers.split(",")}


def add_process(group: Path, process: int) -> None:
    """Move a process into a group.

    Raises:
        OSError: The process has ended, or this user may not write to the group.
    """
    (group / "cgroup.procs").write_text(str(process), encoding="ascii")


def kill_members(group: Path) -> None:
    """Kill every process in a group."""
    with contextlib.suppress(OSError):
        for process in (group / "cgroup.procs").read_text(encoding="ascii").split():
            with contextlib.suppress(OSError):
                os.kill(int(process), signal.SIGKILL)


def remove_group(group: Path, *, within: float) -> None:
    """Kill all processes in a group and remove it, retrying for up to `within` seconds until they are gone."""
    deadline = time.monotonic() + within
    while group.is_dir() and time.monotonic() < deadline:
        kill_members(group)
        try:
            group.rmdir()
        except OSError:
            time.sleep(0.01)
