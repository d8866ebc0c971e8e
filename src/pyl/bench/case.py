"""Measures one function in all variants: cold starts with a warm and with a cold page cache, and warm invocations."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pyl.bench import page_cache, statistics
from pyl.bench.driver import Driver, Start
from pyl.bench.figures import COLD, WARM, Series
from pyl.bench.rounds import Contestants, Plan

_MILLION = 1e6
_TIMEOUT = 60.0
_NOT_COUNTED = 50
"""Invocations that are not counted at first, while caches fill and Python specialises its bytecode."""

_COLD_START: Mapping[str, Callable[[Start], float]] = {
    "cold_start": lambda start: (start.answered - start.server) / _MILLION,
    "init": lambda start: start.asked / _MILLION,
    "first_invocation": lambda start: (start.latencies[0] - start.servers[0]) / _MILLION,
    "processor": lambda start: start.first.processor / _MILLION,
    "peak_memory": lambda start: start.first.peak / _MILLION,
    "proportional_memory": lambda start: start.first.proportional / _MILLION,
    "private_memory": lambda start: start.first.private / _MILLION,
    "minor_faults": lambda start: start.first.minor,
    "major_faults": lambda start: start.first.major,
}
_WITH_COLD_CACHE = ("cold_start", "init", "first_invocation", "peak_memory", "major_faults")

_WARM: Mapping[str, Callable[[Start], float]] = {
    "warm_p50": lambda start: statistics.quantile(_latencies(start), 0.5),
    "warm_p90": lambda start: statistics.quantile(_latencies(start), 0.9),
    "warm_p99": lambda start: statistics.quantile(_latencies(start), 0.99),
    "throughput": lambda start: (len(start.latencies) - 1) / (start.span / 1e9),
    "warm_processor": lambda start: (
        (start.last.processor - start.first.processor) / (len(start.latencies) - 1) / _MILLION
    ),
}

_OnProgress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Payload:
    """An event for warm invocations."""

    title: str
    event: bytes
    invocations: int = 450
    """Number in each environment. The first 50 (at most half of them) do not count."""


def payload(size: int) -> bytes:
    """Return a JSON event of exactly `size` bytes (at least 60) with typical records."""
    records: list[dict[str, object]] = []
    used = len(json.dumps({"records": [], "note": ""}))
    while True:
        number = len(records)
        record = {"id": number, "name": f"item {number}", "price": number * 1.25, "tags": ["a", "b"], "ready": True}
        used += len(json.dumps(record)) + (2 if records else 0)
        if used > size:
            break
        records.append(record)
    empty = len(json.dumps({"records": records, "note": ""}))
    return json.dumps({"records": records, "note": "x" * (size - empty)}).encode()


PAYLOADS = (
    Payload(title="100 B", event=payload(100)),
    Payload(title="10 kB", event=payload(10_000)),
    Payload(title="1 MB", event=payload(1_000_000), invocations=16),
)


def cold_starts(contestants: Contestants, event: bytes, plan: Plan, on_progress: _OnProgress) -> list[Series]:
    """Measure cold starts with every file in memory, and what a new process has used by its first response."""
    for variant in contestants.variants:  # an earlier case may have dropped them, and a start does not read them all
        page_cache.fill(page_cache.files(variant.folders))
    starts_by_variant = contestants.measure(
        WARM,
        lambda driver: driver.run(event, timeout=_TIMEOUT),
        plan,
        watch=_COLD_START["cold_start"],
        on_progress=on_progress,
    )
    return _series(
        contestants.case,
        WARM,
        starts_by_variant,
        _COLD_START,
        {"cold_start": _cold_server, "first_invocation": _first_server},
    )


def uncached_cold_starts(
    contestants: Contestants, event: bytes, plan: Plan, on_progress: _OnProgress, note: Callable[[str], None]
) -> list[Series]:
    """Measure cold starts with none of the variant's files in memory.

    Args:
        contestants: The variants to measure.
        event: The event of every invocation.
        plan: How often to repeat.
        on_progress: Called with the condition and round that is being measured.
        note: Called when files could not be dropped from the page cache.
    """
    files = {variant.name: page_cache.files(variant.folders) for variant in contestants.variants}
    for name, paths in files.items():
        page_cache.write_back(paths)
        page_cache.drop(paths)
        cached_share = page_cache.resident(paths)
        if cached_share > 0.01:
            note(
                f"{contestants.case}, {name}: {cached_share:.0%} of its files stayed in the page cache, "
                "so its figures for a cold page cache are too good"
            )

    def run_variant(driver: Driver) -> list[Start]:
        page_cache.drop(files[driver.variant.name])
        return driver.run(event, timeout=_TIMEOUT)

    starts_by_variant = contestants.measure(
        COLD, run_variant, plan, watch=_COLD_START["cold_start"], on_progress=on_progress
    )
    measures = {name: _COLD_START[name] for name in _WITH_COLD_CACHE}
    return _series(
        contestants.case,
        COLD,
        starts_by_variant,
        measures,
        {"cold_start": _cold_server, "first_invocation": _first_server},
    )


def warm_invocations(
    contestants: Contestants, payloads: Sequence[Payload], plan: Plan, on_progress: _OnProgress
) -> Iterator[Series]:
    """Measure many invocations of one environment. A sample is one environment's quantile.

    Yields:
        The series of each payload as soon as it is measured.
    """
    for item in payloads:

        def run_variant(driver: Driver, item: Payload = item) -> list[Start]:
            return driver.run(item.event, invocations=item.invocations, timeout=_TIMEOUT)

        starts_by_variant = contestants.measure(
            item.title, run_variant, plan, watch=_WARM["warm_p50"], on_progress=on_progress
        )
        server = dict.fromkeys(("warm_p50", "warm_p90", "warm_p99"), _warm_server)
        yield from _series(contestants.case, item.title, starts_by_variant, _WARM, server)


def concurrent_cold_starts(
    contestants: Contestants, event: bytes, sizes: Sequence[int], plan: Plan, on_progress: _OnProgress
) -> Iterator[Series]:
    """Measure environments that are started at the same time.

    Args:
        contestants: The variants to measure.
        event: The event of every invocation.
        sizes: Numbers of environments to start together.
        plan: How often to repeat.
        on_progress: Called with the condition and round that is being measured.

    Yields:
        `cold_start`, whose samples are each round's median environment, and `all_answered`, the time until the last
        environment has answered.
    """
    for size in sizes:
        condition = f"{size} at once"
        last: dict[str, list[float]] = {variant.name: [] for variant in contestants.variants}

        def run_variant(driver: Driver, size: int = size, last: dict[str, list[float]] = last) -> list[Start]:
            starts = driver.run(event, environments=size, timeout=_TIMEOUT * 2, inspect=False)
            if any(start.failure for start in starts):
                return starts
            last[driver.variant.name].append(max(start.answered for start in starts) / _MILLION)
            ordered = sorted(starts, key=lambda start: start.answered)
            return [ordered[len(ordered) // 2]]

        starts_by_variant = contestants.measure(
            condition, run_variant, plan, watch=_COLD_START["cold_start"], on_progress=on_progress
        )
        yield from _series(
            contestants.case, condition, starts_by_variant, {"cold_start": _COLD_START["cold_start"]}, {}
        )
        for name in starts_by_variant:
            yield Series(
                case=contestants.case,
                variant=name,
                measure="all_answered",
                condition=condition,
                samples=tuple(last[name][1:]),  # the first round is not counted
            )


def throttled(
    contestants: Contestants, payloads: Payload, group: Path, condition: str, plan: Plan, on_progress: _OnProgress
) -> list[Series]:
    """Measure invocations under the processor limit of a cgroup, which each process joins after its init.

    Cold starts are not measured: the kernel takes milliseconds to move a process into a cgroup.

    Args:
        contestants: The variants to measure.
        payloads: The event, and how often to send it.
        group: Folder of the cgroup.
        condition: Name of the condition in the report.
        plan: How often to repeat.
        on_progress: Called with the condition and round that is being measured.
    """

    def run_variant(driver: Driver) -> list[Start]:
        return driver.run(payloads.event, invocations=payloads.invocations, timeout=_TIMEOUT, group=group)

    starts_by_variant = contestants.measure(
        condition, run_variant, plan, watch=_COLD_START["first_invocation"], on_progress=on_progress
    )
    measures = {
        "first_invocation": _COLD_START["first_invocation"],
        "warm_p50": _WARM["warm_p50"],
        "warm_p99": _WARM["warm_p99"],
    }
    return _series(contestants.case, condition, starts_by_variant, measures, {})


def _series(
    case: str,
    condition: str,
    starts_by_variant: Mapping[str, Sequence[Start]],
    measures: Mapping[str, Callable[[Start], float]],
    servers: Mapping[str, Callable[[Start], float]],
) -> list[Series]:
    return [
        Series(
            case=case,
            variant=variant,
            measure=measure,
            condition=condition,
            samples=tuple(of(start) for start in starts),
            server=statistics.quantile([servers[measure](start) for start in starts], 0.5)
            if measure in servers
            else 0.0,
        )
        for variant, starts in starts_by_variant.items()
        if starts
        for measure, of in measures.items()
    ]


def _latencies(start: Start) -> list[float]:
    """Return the milliseconds of the invocations that count, without the driver's own time."""
    skipped = min(_NOT_COUNTED, len(start.latencies) // 2)
    pairs = zip(start.latencies[skipped:], start.servers[skipped:], strict=True)
    return [(whole - own) / _MILLION for whole, own in pairs]


def _cold_server(start: Start) -> float:
    return start.server / _MILLION


def _first_server(start: Start) -> float:
    return start.servers[0] / _MILLION


def _warm_server(start: Start) -> float:
    return statistics.quantile(start.servers, 0.5) / _MILLION
