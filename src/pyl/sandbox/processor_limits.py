"""The share of a processor that Lambda gives to a memory size, by cgroups.

Lambda does not throttle initialisation; an invocation gets `MB / 1769` of a processor.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from pyl.sandbox import cgroups

MEGABYTES_OF_ONE_PROCESSOR = 1769

_PERIOD = 20_000
"""Microseconds in which the quota is counted, as in Lambda."""

_REMOVED_WITHIN = 2.0
"""Seconds."""


@contextmanager
def limit_processor(megabytes: int, root: Path = cgroups.ROOT) -> Iterator[Path]:
    """Yield a cgroup with the processor share of a memory size.

    Args:
        megabytes: The memory size.
        root: Where the cgroup file system is mounted.

    Raises:
        OSError: No group can be created.
    """
    quota = max(1000, _PERIOD * megabytes // MEGABYTES_OF_ONE_PROCESSOR)
    group = _create_group(f"pyl-bench-{os.getpid()}-{megabytes}", quota, root)
    try:
        yield group
    finally:
        _remove(group)


def _create_group(name: str, quota: int, root: Path) -> Path:
    """Create the group in the first folder that allows it."""
    version = 2 if (root / "cgroup.controllers").is_file() else 1
    refusal = OSError("there is no cgroup file system")
    own = cgroups.own_groups(cgroups.OWN_GROUPS)
    for parent in _parents(root, own.get("", "/")) if version == 2 else [root / "cpu"]:
        group = parent / name
        try:
            if version == 2:
                with suppress(OSError):  # already enabled, or not allowed: writing the limit shows which
                    (parent / "cgroup.subtree_control").write_text("+cpu", encoding="ascii")
            group.mkdir()
            _set_quota(group, quota, version)
            _check_usable(group)
        except OSError as error:
            refusal = error
            _remove(group)
        else:
            return group
    raise refusal


def _remove(group: Path) -> None:
    cgroups.remove_group(group, within=_REMOVED_WITHIN)


def _parents(root: Path, own: str) -> list[Path]:
    """Return the folders in which a group may be created: the root, and the groups that systemd delegates to the user.

    A group that contains processes cannot limit groups below it. So this process's group, `own`, is not among them.
    https://docs.kernel.org/admin-guide/cgroup-v2.html#no-internal-process-constraint
    """
    inner = PurePosixPath(own).parents
    return [root, *(root / str(path).lstrip("/") for path in reversed(inner) if str(path) != "/")]


def _set_quota(group: Path, quota: int, version: int) -> None:
    if version == 2:
        (group / "cpu.max").write_text(f"{quota} {_PERIOD}", encoding="ascii")
    else:
        (group / "cpu.cfs_period_us").write_text(str(_PERIOD), encoding="ascii")
        (group / "cpu.cfs_quota_us").write_text(str(quota), encoding="ascii")


def _check_usable(group: Path) -> None:
    """Add a process to the group: some users can create groups that they may not write to."""
    with subprocess.Popen(["sleep", "60"], stdin=subprocess.DEVNULL) as process:  # noqa: S607
        try:
            cgroups.add_process(group, process.pid)
        finally:
            process.kill()
            process.wait()
