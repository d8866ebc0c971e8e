"""Invocations with the share of a processor that Lambda gives to a memory size.

Lambda does not throttle initialisation; an invocation gets `MB / 1769` of a processor.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pyl.bench import case
from pyl.bench.case import Payload
from pyl.bench.figures import Series
from pyl.bench.rounds import Lineup, Plan

MEGABYTES_OF_ONE_PROCESSOR = 1769
SIZES = (128, 512, 1769)
PLAN = Plan(least=6, most=12, precision=0.05, seconds=30)

_PERIOD = 20_000
"""Microseconds in which the quota is counted; Lambda's is 20 ms."""

_ROOT = Path("/sys/fs/cgroup")


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
def limited(megabytes: int) -> Iterator[Path]:
    """A cgroup with the processor share of that memory size. Raises `OSError` when it cannot be made."""
    quota = max(1000, _PERIOD * megabytes // MEGABYTES_OF_ONE_PROCESSOR)
    unified = (_ROOT / "cgroup.controllers").is_file()
    group = (_ROOT if unified else _ROOT / "cpu") / f"pyl-bench-{os.getpid()}-{megabytes}"
    if unified:
        # The group's parent must hand the controller down.
        with suppress(OSError):
            (_ROOT / "cgroup.subtree_control").write_text("+cpu", encoding="ascii")
    group.mkdir()
    try:
        if unified:
            (group / "cpu.max").write_text(f"{quota} {_PERIOD}", encoding="ascii")
        else:
            (group / "cpu.cfs_period_us").write_text(str(_PERIOD), encoding="ascii")
            (group / "cpu.cfs_quota_us").write_text(str(quota), encoding="ascii")
        yield group
    finally:
        with suppress(OSError):
            group.rmdir()
