"""The tables of a report as text, for the terminal, Markdown and HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyl.bench import statistics
from pyl.bench.figures import COLD, MEASURES, WARM, Report, Series
from pyl.bench.statistics import Interval
from pyl.bench.variants import BASELINE, GLIBC_BASELINE, INTERPRETED, NATIVE, PLAIN

_RATIOS = ((INTERPRETED, NATIVE), (INTERPRETED, PLAIN), (NATIVE, GLIBC_BASELINE), (NATIVE, BASELINE))
"""Numerators and denominators. Of ratios with the same numerator, the first that was measured is shown."""

_NO_RATIO = {"major_faults"}


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A figure with its uncertainty."""

    value: str
    interval: str = ""
    outliers: int = 0

    def __str__(self) -> str:
        return f"{self.value} ({self.interval})" if self.interval else self.value


@dataclass(frozen=True, kw_only=True)
class Row:
    """A measure under a condition."""

    title: str
    cells: tuple[Cell, ...]
    """One for each column of the table."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Figures of one case."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def table(report: Report, case: str) -> Table:
    """Return all measures of `case` by variant, with the most important ratios."""
    here = [series for series in report.series if series.case == case]
    names = [name for name in report.variants if any(series.variant == name for series in here)]
    ratios = _ratios(names)
    keys = dict.fromkeys((series.measure, series.condition) for series in here)
    rows = [_row(report, case, measure, condition, names, ratios) for measure, condition in keys]
    columns = (*names, *(f"{over} / {under}" for over, under in ratios))
    return Table(title=case, columns=columns, rows=tuple(rows))


def packages(report: Report) -> Table:
    """Return the packages' sizes and build times."""
    rows = []
    for facts in report.packages:
        image = f", image: {facts.image}" if facts.image else ""
        rows.append(
            Row(
                title=f"{facts.case}, {facts.variant}{image}",
                cells=(
                    Cell(value=f"{facts.zip_bytes / 1e6:.1f} MB"),
                    Cell(value=f"{facts.unpacked_bytes / 1e6:.1f} MB"),
                    Cell(value=f"{facts.build_seconds:.1f} s" if facts.build_seconds is not None else "not built"),
                ),
            )
        )
    return Table(title="Packages", columns=("zip", "unpacked", "build"), rows=tuple(rows))


def place(report: Report) -> str:
    """Return where the run took place, as part of a sentence."""
    facts = report.machine
    commit = f", commit {facts['commit']}" if facts.get("commit") else ""
    if "lambda" in facts:
        return f"{facts['lambda']}; Python {facts['python']}, pyl {facts['pyl']}{commit}"
    return (
        f"{facts['processor']}, {facts['processors']} processors, {facts['memory_mb'] / 1000:.0f} GB, "
        f"{facts['system']}, Linux {facts['kernel']}, Python {facts['python']}, "
        f"awslambdaric {facts['awslambdaric']}, pyl {facts['pyl']}{commit}"
    )


_READING = (
    "Figures are medians with 95 % confidence intervals, from order statistics, or bootstrapped for ratios.",
    "Outliers are never left out. The JSON report counts them.",
)
_READING_LOCAL = (
    "A cold start is the time from the program's exec to its first complete response at the Runtime API.",
    "Page cache cold: no file of the package, the interpreter or the runtime is in memory.",
    "The system's own libraries, which only the interpreted variant uses, always stay in memory.",
)
_READING_LAMBDA = (
    "Figures are those of Lambda's REPORT lines, in milliseconds and MB (of 1,048,576 bytes).",
    "A cold start is Init Duration plus Duration of an invocation for which Lambda reports an init.",
    "REPORT lines leave out what Lambda does before: placing the function, fetching its code, starting a microVM.",
    "Cold starts were forced by changing the configuration, once per variant and round, in a random order.",
    "The first round is not counted.",
)


def reading(report: Report) -> tuple[str, ...]:
    """Return what a reader must know about all figures."""
    return (*_READING, *(_READING_LAMBDA if "lambda" in report.machine else _READING_LOCAL))


def number(value: float) -> str:
    """Format a figure with three significant digits, without exponents."""
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    digits = 2 if abs(value) >= 1 else 3
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.{digits}f}"


def interval(bounds: Interval) -> str:
    """Format an interval as `low to high`; empty when both are equal."""
    return "" if bounds.low == bounds.high else f"{number(bounds.low)} to {number(bounds.high)}"


def _ratios(names: Sequence[str]) -> list[tuple[str, str]]:
    by_numerator: dict[str, tuple[str, str]] = {}
    for pair in _RATIOS:
        if set(pair) <= set(names):
            by_numerator.setdefault(pair[0], pair)
    return list(by_numerator.values())


def _row(
    report: Report, case: str, measure: str, condition: str, names: Sequence[str], ratios: Sequence[tuple[str, str]]
) -> Row:
    series = {name: report.find(case, name, measure, condition) for name in names}
    cells = [_cell(series[name]) for name in names]
    cells += [_ratio(series[over], series[under], measure) for over, under in ratios]
    title, unit = MEASURES[measure]
    where = "" if condition == WARM else f", {condition}"
    return Row(title=f"{title}{where}{f' [{unit}]' if unit else ''}", cells=tuple(cells))


def _cell(series: Series | None) -> Cell:
    if series is None:
        return Cell(value="-")
    middle = series.median
    return Cell(value=number(middle.value), interval=interval(middle), outliers=series.outliers)


def _ratio(over: Series | None, under: Series | None, measure: str) -> Cell:
    if over is None or under is None or measure in _NO_RATIO or min(*over.samples, *under.samples) <= 0:
        return Cell(value="-")
    ratio = statistics.ratio(over.samples, under.samples)
    return Cell(value=f"{number(ratio.value)} x", interval=interval(ratio))


@dataclass(frozen=True, kw_only=True)
class Headline:
    """A ratio for the summary at the top of a report."""

    title: str
    value: str
    detail: str


_HEADLINES: tuple[tuple[str, str | None, str], ...] = (
    ("cold_start", WARM, "times faster cold start"),
    ("cold_start", COLD, "times faster cold start, page cache cold"),
    ("peak_memory", WARM, "times less memory"),
    ("remote_cold_start", None, "times faster cold start on AWS"),
    ("remote_memory", None, "times less memory on AWS"),
)
"""Measure, condition (None for the first that was measured), title."""


def headlines(report: Report) -> list[Headline]:
    """Return the ratios of interpreted to native, where both were measured."""
    shown = []
    for case in report.cases:
        for measure, fixed_condition, title in _HEADLINES:
            condition = fixed_condition or _first_condition(report, case, measure)
            over = report.find(case, INTERPRETED, measure, condition)
            under = report.find(case, NATIVE, measure, condition)
            if over and under:
                ratio, unit = statistics.ratio(over.samples, under.samples), MEASURES[measure][1]
                values = f"{number(over.median.value)} {unit} against {number(under.median.value)} {unit}"
                where = "" if fixed_condition else f", {condition}"
                shown.append(Headline(title=f"{case}: {title}{where}", value=f"{number(ratio.value)} x", detail=values))
    return shown


def _first_condition(report: Report, case: str, measure: str) -> str:
    conditions = (series.condition for series in report.series if (series.case, series.measure) == (case, measure))
    return next(conditions, "")
