"""Measures invocations with the share of a processor that Lambda gives to a memory size."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pyl.bench import case
from pyl.bench.case import Payload
from pyl.bench.figures import Series
from pyl.bench.rounds import Lineup, Plan
from pyl.sandbox.processor_limits import MEGABYTES_OF_ONE_PROCESSOR, limit_processor

SIZES = (128, 512, MEGABYTES_OF_ONE_PROCESSOR)
PLAN = Plan(least=6, most=12, precision=0.05, seconds=30)


def measure(
    lineup: Lineup, event: bytes, limits: Plan, tell: Callable[[str], None], note: Callable[[str], None]
) -> Iterator[Series]:
    """The first and later invocations by memory size; `note` is told when this machine allows no limits."""
    for size in SIZES:
        try:
            with limit_processor(size) as group:
                payload = Payload(title=f"{size} MB", event=event, invocations=150)
                yield from case.throttled(lineup, payload, group, f"{size} MB", PLAN.within(limits), tell)
        except OSError as error:
            note(f"processor shares by memory size were not measured: no cgroup can be made here ({error})")
            return
