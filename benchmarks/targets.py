"""Performance targets as data, and whether a report reaches them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pyl.bench import statistics
from pyl.bench.figures import COLD, WARM, Report, Series, Verdict
from pyl.bench.statistics import Interval
from pyl.bench.variants import BASELINE, GLIBC_BASELINE, INTERPRETED, NATIVE


@dataclass(frozen=True, kw_only=True)
class Target:
    """A bound on a ratio or difference of two series."""

    case: str
    title: str
    measure: str
    condition: str
    over: str
    """Variant of the numerator, or of the minuend if this is a difference."""
    under: str
    """Variant of the denominator, or of the subtrahend."""
    bound: Literal["at least", "at most"]
    limit: float
    over_condition: str | None = None
    """If set, a difference in `measure`'s unit: `over` under this condition minus `under` under `condition`."""


@dataclass(frozen=True, kw_only=True)
class SizeTarget:
    """An upper bound on the size of the native package's zip."""

    case: str
    megabytes: float


def _cold(
    case: str, condition: str, over: str, under: str, bound: Literal["at least", "at most"], limit: float
) -> Target:
    against = {INTERPRETED: "interpreted / native", NATIVE: "native / static glibc C"}[over]
    title = f"cold start, {condition}: {against}"
    return Target(
        case=case,
        title=title,
        measure="cold_start",
        condition=condition,
        over=over,
        under=under,
        bound=bound,
        limit=limit,
    )


def _ratio(case: str, title: str, measure: str, condition: str, limit: float) -> Target:
    return Target(
        case=case,
        title=f"{title}: interpreted / native",
        measure=measure,
        condition=condition,
        over=INTERPRETED,
        under=NATIVE,
        bound="at least",
        limit=limit,
    )


TARGETS: tuple[Target | SizeTarget, ...] = (
    _cold("hello", WARM, INTERPRETED, NATIVE, "at least", 40),
    _cold("orders", WARM, INTERPRETED, NATIVE, "at least", 150),
    _cold("hello", COLD, INTERPRETED, NATIVE, "at least", 20),
    _cold("orders", COLD, INTERPRETED, NATIVE, "at least", 60),
    _cold("hello", WARM, NATIVE, GLIBC_BASELINE, "at most", 1.5),
    _cold("orders", WARM, NATIVE, GLIBC_BASELINE, "at most", 3),
    _cold("hello", COLD, NATIVE, GLIBC_BASELINE, "at most", 1.5),
    _cold("orders", COLD, NATIVE, GLIBC_BASELINE, "at most", 2.5),
    _ratio("hello", "peak memory", "peak_memory", WARM, 4),
    _ratio("orders", "peak memory", "peak_memory", WARM, 5),
    _ratio("hello", "warm invocation p50, 100 B", "warm_p50", "100 B", 5),
    _ratio("hello", "warm invocation p50, 10 kB", "warm_p50", "10 kB", 4),
    SizeTarget(case="hello", megabytes=8),
    SizeTarget(case="orders", megabytes=32),
    Target(
        case="growth",
        title="cold start, native: 2,000 imported modules less none",
        measure="cold_start",
        condition="0 modules",
        over=NATIVE,
        under=NATIVE,
        bound="at most",
        limit=1.0,
        over_condition="2000 modules",
    ),
)


def judge(report: Report) -> tuple[Verdict, ...]:
    """Return one verdict for each target, also for those that were not measured."""
    return tuple(
        _judge_size(target, report) if isinstance(target, SizeTarget) else _judge(target, report) for target in TARGETS
    )


def _judge(target: Target, report: Report) -> Verdict:
    difference = target.over_condition is not None
    over = report.find(target.case, target.over, target.measure, target.over_condition or target.condition)
    under = report.find(target.case, target.under, target.measure, target.condition)
    remark = ""
    if under is None and target.under == GLIBC_BASELINE:
        under = report.find(target.case, BASELINE, target.measure, target.condition)
        remark = " (relative to musl, which is stricter: this machine has no static glibc)"
    unit = " ms" if difference else ""
    bound = f"{'>=' if target.bound == 'at least' else '<='} {'+' if difference else ''}{target.limit:g}{unit}"
    if over is None or under is None:
        return Verdict(
            case=target.case,
            measure=target.title,
            target=bound,
            reached="",
            interval="",
            verdict="not measured",
            words=_why_missing(target, report, over),
        )
    result = (statistics.difference if difference else statistics.ratio)(over.samples, under.samples)
    shown = f"{result.value:{'+' if difference else ''}.3g}{unit}"
    interval = f"{result.low:.3g} to {result.high:.3g}{unit}"
    verdict, words = _compare(target.bound, target.limit, result)
    detail = "" if difference else f"; {_medians(over, under)}"
    return Verdict(
        case=target.case,
        measure=target.title,
        target=bound,
        reached=shown,
        interval=interval,
        verdict=verdict,
        words=words + remark + detail,
    )


def _compare(bound: str, limit: float, result: Interval) -> tuple[str, str]:
    def better(value: float) -> bool:
        return value >= limit if bound == "at least" else value <= limit

    met = better(result.value)
    sure = better(result.low) == better(result.high)
    if met:
        return "met", "met" if sure else "met, but the interval reaches beyond the target"
    return "missed", "missed" if sure else "missed, though the interval reaches the target"


def _medians(over: Series, under: Series) -> str:
    unit = "MB" if over.measure.endswith("memory") else "ms"
    return f"{over.median.value:.3g} {unit} / {under.median.value:.3g} {unit}"


def _judge_size(target: SizeTarget, report: Report) -> Verdict:
    facts = next((item for item in report.packages if item.case == target.case and item.variant == NATIVE), None)
    size = facts.zip_bytes / 1e6 if facts else None
    without_image = facts is not None and facts.image == "none"
    met = size is not None and size <= target.megabytes
    words = "" if facts else f"the case {target.case} was not part of this run"
    words = "the package has no process image, which is part of its size" if without_image else words
    return Verdict(
        case=target.case,
        measure="native package, zip",
        target=f"<= {target.megabytes:g} MB",
        reached=f"{size:.1f} MB" if size is not None else "",
        interval="exact" if size is not None else "",
        verdict="not measured" if size is None or (without_image and met) else "met" if met else "missed",
        words=words or ("met" if met else "missed"),
    )


def _why_missing(target: Target, report: Report, over: Series | None) -> str:
    for failure in report.failures:
        if failure.case == target.case and failure.variant in {target.over, target.under}:
            return f"{failure.variant} failed: {failure.reason}"
    if target.case not in report.cases:
        return f"the case {target.case} was not part of this run"
    names = {series.variant for series in report.series if series.case == target.case}
    if NATIVE not in names:
        return "the native package has no process image"
    return f"{target.measure} was not measured" if over is None else f"{target.under} was not measured"
