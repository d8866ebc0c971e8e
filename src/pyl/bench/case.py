"""Measures one function in all variants: cold starts with a warm and a cold page cache, and warm invocations."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pyl.bench import page_cache, statistics
from pyl.bench.driver import Driver, Start
from pyl.bench.figures import COLD, WARM, Series
from pyl.bench.rounds import Lineup, Plan

_MILLION = 1e6
_TIMEOUT = 60.0
_NOT_COUNTED = 50
"""Invocations before those that count: caches fill, Python specialises its bytecode."""

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

_Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Payload:
    """An event for warm invocations."""

    title: str
    event: bytes
    invocations: int = 450
    """In each environment; the first 50, at most half of them, do not count."""


def payload(size: int) -> bytes:
    """A JSON event of exactly `size` bytes: records as programs exchange them. At least 60 bytes."""
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


def cold_starts(lineup: Lineup, event: bytes, plan: Plan, tell: _Tell) -> list[Series]:
    """Cold starts with every file in memory, and what a fresh process has used by its first answer."""
    for variant in lineup.variants:  # an earlier case may have dropped them, and a start does not read them all
        page_cache.fill(page_cache.files(variant.folders))
    taken = lineup.measure(
        WARM, lambda driver: driver.run(event, timeout=_TIMEOUT), plan, watch=_COLD_START["cold_start"], tell=tell
    )
    return _series(
        lineup.case, WARM, taken, _COLD_START, {"cold_start": _cold_server, "first_invocation": _first_server}
    )


def uncached_cold_starts(
    lineup: Lineup, event: bytes, plan: Plan, tell: _Tell, note: Callable[[str], None]
) -> list[Series]:
    """Cold starts with none of the variant's files in memory; `note` is told what could not be dropped."""
    files = {variant.name: page_cache.files(variant.folders) for variant in lineup.variants}
    for name, paths in files.items():
        page_cache.write_back(paths)
        page_cache.drop(paths)
        kept = page_cache.resident(paths)
        if kept > 0.01:
            note(
                f"{lineup.case}, {name}: {kept:.0%} of its files stayed in the page cache; its cold figures flatter it"
            )

    def take(driver: Driver) -> list[Start]:
        page_cache.drop(files[driver.variant.name])
        return driver.run(event, timeout=_TIMEOUT)

    taken = lineup.measure(COLD, take, plan, watch=_COLD_START["cold_start"], tell=tell)
    measures = {name: _COLD_START[name] for name in _WITH_COLD_CACHE}
    return _series(lineup.case, COLD, taken, measures, {"cold_start": _cold_server, "first_invocation": _first_server})


def warm_invocations(lineup: Lineup, payloads: Sequence[Payload], plan: Plan, tell: _Tell) -> Iterator[Series]:
    """Many invocations of one environment; a sample is one environment's quantile. Yields payload by payload."""
    for item in payloads:

        def take(driver: Driver, item: Payload = item) -> list[Start]:
            return driver.run(item.event, invocations=item.invocations, timeout=_TIMEOUT)

        taken = lineup.measure(item.title, take, plan, watch=_WARM["warm_p50"], tell=tell)
        server = dict.fromkeys(("warm_p50", "warm_p90", "warm_p99"), _warm_server)
        yield from _series(lineup.case, item.title, taken, _WARM, server)


def crowds(lineup: Lineup, event: bytes, sizes: Sequence[int], plan: Plan, tell: _Tell) -> Iterator[Series]:
    """Fresh environments started at once; a sample of `cold_start` is one round's median environment."""
    for size in sizes:
        condition = f"{size} at once"
        last: dict[str, list[float]] = {variant.name: [] for variant in lineup.variants}

        def take(driver: Driver, size: int = size, last: dict[str, list[float]] = last) -> list[Start]:
            starts = driver.run(event, environments=size, timeout=_TIMEOUT * 2, inspect=False)
            if any(start.failure for start in starts):
                return starts
            last[driver.variant.name].append(max(start.answered for start in starts) / _MILLION)
            ordered = sorted(starts, key=lambda start: start.answered)
            return [ordered[len(ordered) // 2]]

        taken = lineup.measure(condition, take, plan, watch=_COLD_START["cold_start"], tell=tell)
        yield from _series(lineup.case, condition, taken, {"cold_start": _COLD_START["cold_start"]}, {})
        for name in taken:
            yield Series(
                case=lineup.case,
                variant=name,
                measure="all_answered",
                condition=condition,
                samples=tuple(last[name][1:]),  # the first round is not counted
            )


def throttled(lineup: Lineup, payloads: Payload, group: Path, condition: str, plan: Plan, tell: _Tell) -> list[Series]:
    """Invocations under the processor limit of the cgroup `group`, which a process joins after its init.

    Joining takes the kernel milliseconds, so there is no cold start here.
    """

    def take(driver: Driver) -> list[Start]:
        return driver.run(payloads.event, invocations=payloads.invocations, timeout=_TIMEOUT, group=group)

    taken = lineup.measure(condition, take, plan, watch=_COLD_START["first_invocation"], tell=tell)
    measures = {
        "first_invocation": _COLD_START["first_invocation"],
        "warm_p50": _WARM["warm_p50"],
        "warm_p99": _WARM["warm_p99"],
    }
    return _series(lineup.case, condition, taken, measures, {})


def _series(
    case: str,
    condition: str,
    taken: Mapping[str, Sequence[Start]],
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
        for variant, starts in taken.items()
        if starts
        for measure, of in measures.items()
    ]


def _latencies(start: Start) -> list[float]:
    """Milliseconds of the invocations that count, less the driver's own time."""
    skipped = min(_NOT_COUNTED, len(start.latencies) // 2)
    pairs = zip(start.latencies[skipped:], start.servers[skipped:], strict=True)
    return [(whole - own) / _MILLION for whole, own in pairs]


def _cold_server(start: Start) -> float:
    return start.server / _MILLION


def _first_server(start: Start) -> float:
    return start.servers[0] / _MILLION


def _warm_server(start: Start) -> float:
    return statistics.quantile(start.servers, 0.5) / _MILLION
