"""Measures invocations with the processor share that Lambda gives to a memory size."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pyl.bench import case
from pyl.bench.case import Payload
from pyl.bench.figures import Series
from pyl.bench.rounds import Contestants, Plan
from pyl.sandbox.processor_limits import MEGABYTES_OF_ONE_PROCESSOR, limit_processor

SIZES = (128, 512, MEGABYTES_OF_ONE_PROCESSOR)
PLAN = Plan(least=6, most=12, precision=0.05, seconds=30)


def measure(
    contestants: Contestants,
    event: bytes,
    limits: Plan,
    on_progress: Callable[[str], None],
    note: Callable[[str], None],
) -> Iterator[Series]:
    """Measure the first and later invocations by memory size.

    Args:
        contestants: The variants to measure.
        event: The event of every invocation.
        limits: Upper limits for the number of rounds and the time.
        on_progress: Called with the condition and round that is being measured.
        note: Called when this machine does not allow processor limits; nothing is measured then.

    Yields:
        One series for each measure, variant and memory size.
    """
    for size in SIZES:
        try:
            with limit_processor(size) as group:
                payload = Payload(title=f"{size} MB", event=event, invocations=150)
                yield from case.throttled(contestants, payload, group, f"{size} MB", PLAN.within(limits), on_progress)
        except OSError as error:
            note(f"invocations by memory size were not measured: this machine allows no cgroups ({error})")
            return
