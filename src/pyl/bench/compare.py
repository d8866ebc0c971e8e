"""Compares two reports, and finds the changes that chance does not explain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyl.bench import statistics
from pyl.bench.figures import MEASURES, Report, Series
from pyl.bench.statistics import Interval
from pyl.bench.variants import BASELINE, GLIBC_BASELINE

TOLERANCE = 0.05
"""Smaller relative changes are ignored: kernels and caches differ by as much from boot to boot."""

_COMPARED = (
    "cold_start",
    "init",
    "processor",
    "peak_memory",
    "private_memory",
    "warm_p50",
    "warm_p90",
    "warm_processor",
    "remote_cold_start",
    "remote_init",
    "remote_first",
    "remote_warm",
    "remote_memory",
)
"""Measures in which more is worse and that are repeatable enough; p99 and page faults are not."""

_SAME = ("lambda", "processor", "processors", "kernel", "python")


@dataclass(frozen=True, kw_only=True)
class Change:
    """A figure that both reports have."""

    case: str
    variant: str
    measure: str
    condition: str
    ratio: Interval
    """The new median divided by the old one."""

    @property
    def worse(self) -> bool:
        """The whole interval lies above the tolerance."""
        return self.ratio.low > 1 + TOLERANCE

    @property
    def better(self) -> bool:
        """The whole interval lies below the tolerance."""
        return self.ratio.high < 1 - TOLERANCE


def changes(old: Report, new: Report) -> list[Change]:
    """Return every figure that both reports have.

    Those of the baseline runtimes are left out: they show how the machine itself changed.
    """
    compared = []
    for series in new.series:
        earlier = old.find(series.case, series.variant, series.measure, series.condition)
        if earlier is None or series.measure not in _COMPARED or series.variant in {BASELINE, GLIBC_BASELINE}:
            continue
        if min(earlier.samples) <= 0 or min(series.samples) <= 0:
            continue
        compared.append(
            Change(
                case=series.case,
                variant=series.variant,
                measure=series.measure,
                condition=series.condition,
                ratio=statistics.ratio(series.samples, earlier.samples),
            )
        )
    compared += _sizes(old, new)
    return compared


def describe(old: Report, new: Report, compared: Sequence[Change]) -> list[str]:
    """Return the changes as lines of text, the worst first."""
    lines = [f"Compared with the run of {old.created}: {len(compared)} figures"]
    different = [name for name in _SAME if old.machine.get(name) != new.machine.get(name)]
    if different:
        lines.append(f"  the machines differ ({', '.join(different)}), which may be the reason for changes")
    lines += _baseline_changes(old, new)
    for change in sorted(compared, key=lambda change: -change.ratio.value):
        if change.worse or change.better:
            title = MEASURES.get(change.measure, (change.measure, ""))[0]
            name = f"{change.case}, {change.variant}, {title}, {change.condition}"
            lines.append(
                f"  {'worse ' if change.worse else 'better'} {name}: "
                f"{change.ratio.value - 1:+.1%} ({change.ratio.low - 1:+.1%} to {change.ratio.high - 1:+.1%})"
            )
    if not any(change.worse or change.better for change in compared):
        lines.append(f"  no significant change of more than {TOLERANCE:.0%}")
    return lines


def _baseline_changes(old: Report, new: Report) -> list[str]:
    lines = []
    for series in new.series:
        if series.variant == BASELINE and series.measure == "cold_start":
            earlier = old.find(series.case, BASELINE, "cold_start", series.condition)
            change = _ratio(series, earlier)
            if change and (change.low > 1 + TOLERANCE or change.high < 1 - TOLERANCE):
                lines.append(
                    f"  the machine itself changed: the baseline's cold start ({series.case}, {series.condition}) "
                    f"by {change.value - 1:+.1%}"
                )
    return lines


def _ratio(series: Series, earlier: Series | None) -> Interval | None:
    return statistics.ratio(series.samples, earlier.samples) if earlier else None


def _sizes(old: Report, new: Report) -> list[Change]:
    before = {(facts.case, facts.variant): facts for facts in old.packages}
    compared = []
    for facts in new.packages:
        if earlier := before.get((facts.case, facts.variant)):
            value = facts.zip_bytes / earlier.zip_bytes
            compared.append(
                Change(
                    case=facts.case,
                    variant=facts.variant,
                    measure="package size",
                    condition="zip",
                    ratio=Interval(value=value, low=value, high=value),
                )
            )
    return compared
