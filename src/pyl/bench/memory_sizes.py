"""Invocations with the share of a processor that Lambda gives to a memory size.

Lambda does not throttle initialisation; an invocation gets `MB / 1769` of a processor.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from pyl.bench import case
from pyl.bench.case import Payload
from pyl.bench.figures import Series
from pyl.bench.rounds import Lineup, Plan

MEGABYTES_OF_ONE_PROCESSOR = 1769
SIZES = (128, 512, 1769)
PLAN = Plan(least=6, most=12, precision=0.05, seconds=30)

_PERIOD = 20_000
"""Microseconds in which the quota is counted; Lambda's is 20 ms."""

_GONE_WITHIN = 2.0
"""Seconds."""

_ROOT = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")


def measure(
    lineup: Lineup, event: bytes, limits: Plan, tell: Callable[[str], None], note: Callable[[str], None]
) -> Iterator[Series]:
    """The first and later invocations by memory size; `note` is told when this machine allows no limits."""
    for size in SIZES:
        try:
            with limited(size) as group:
                payload = Payload(title=f"{size} MB", event=event, invocations=150)
                yield from case.throttled(lineup, payload, group, f"{size} MB", PLAN.within(limits), tell)
        except OSError as error:
            note(f"processor shares by memory size were not measured: no cgroup can be made here ({error})")
            return


@contextmanager
def limited(megabytes: int, root: Path = _ROOT) -> Iterator[Path]:
    """A cgroup with the processor share of that memory size. Raises `OSError` when it cannot be made."""
    quota = max(1000, _PERIOD * megabytes // MEGABYTES_OF_ONE_PROCESSOR)
    group = _made(f"pyl-bench-{os.getpid()}-{megabytes}", quota, root)
    try:
        yield group
    finally:
        _remove(group)


def _made(name: str, quota: int, root: Path) -> Path:
    """The group in the first place that allows it."""
    version = 2 if (root / "cgroup.controllers").is_file() else 1
    refusal = OSError("there is no cgroup file system")
    for parent in _parents(root, _OWN.read_text(encoding="ascii")) if version == 2 else [root / "cpu"]:
        group = parent / name
        try:
            if version == 2:
                with suppress(OSError):  # done already, or not allowed: the group tells
                    (parent / "cgroup.subtree_control").write_text("+cpu", encoding="ascii")
            group.mkdir()
            _limit(group, quota, version)
            _try(group)
        except OSError as error:
            refusal = error
            _remove(group)
        else:
            return group
    raise refusal


def _remove(group: Path) -> None:
    """End what an interrupted measurement has left in the group, and remove it: a group with processes stays."""
    deadline = time.monotonic() + _GONE_WITHIN
    while group.is_dir() and time.monotonic() < deadline:
        with suppress(OSError):
            for process in (group / "cgroup.procs").read_text(encoding="ascii").split():
                os.kill(int(process), signal.SIGKILL)
        try:
            group.rmdir()
        except OSError:
            time.sleep(0.01)


def _parents(root: Path, own: str) -> list[Path]:
    """Where a group may be made: at the top, as root; else in what has been handed to the user, by systemd mostly.

    `own` is `/proc/self/cgroup`. A group that has processes of its own cannot limit groups in it, so this
    process's own is none. https://docs.kernel.org/admin-guide/cgroup-v2.html#no-internal-process-constraint
    """
    line = next((line for line in own.splitlines() if line.startswith("0::")), "0::/")
    inner = PurePosixPath(line.removeprefix("0::")).parents
    return [root, *(root / str(path).lstrip("/") for path in reversed(inner) if str(path) != "/")]


def _limit(group: Path, quota: int, version: int) -> None:
    if version == 2:
        (group / "cpu.max").write_text(f"{quota} {_PERIOD}", encoding="ascii")
    else:
        (group / "cpu.cfs_period_us").write_text(str(_PERIOD), encoding="ascii")
        (group / "cpu.cfs_quota_us").write_text(str(quota), encoding="ascii")


def _try(group: Path) -> None:
    """Put a process in: some groups can be made by those who may not fill them."""
    with subprocess.Popen(["sleep", "60"], stdin=subprocess.DEVNULL) as process:  # noqa: S607
        try:
            (group / "cgroup.procs").write_text(str(process.pid), encoding="ascii")
        finally:
            process.kill()
            process.wait()
