"""The tables of a report as text cells, which the terminal, Markdown and HTML show alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyl.bench import statistics
from pyl.bench.figures import COLD, MEASURES, WARM, Report, Series
from pyl.bench.statistics import Interval
from pyl.bench.variants import FLOOR, GLIBC_FLOOR, INTERPRETED, NATIVE, PLAIN

_RATIOS = ((INTERPRETED, NATIVE), (INTERPRETED, PLAIN), (NATIVE, GLIBC_FLOOR), (NATIVE, FLOOR))
"""Numerator and denominator; of two with the same numerator the first that was measured is shown."""

_NO_RATIO = {"major_faults"}


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A figure: its value, and what is known of its uncertainty."""

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
    """All measures of `case` by variant, with the ratios that matter."""
    here = [series for series in report.series if series.case == case]
    names = [name for name in report.variants if any(series.variant == name for series in here)]
    ratios = _ratios(names)
    keys = dict.fromkeys((series.measure, series.condition) for series in here)
    rows = [_row(report, case, measure, condition, names, ratios) for measure, condition in keys]
    columns = (*names, *(f"{over} / {under}" for over, under in ratios))
    return Table(title=case, columns=columns, rows=tuple(rows))


def packages(report: Report) -> Table:
    """Sizes and build times."""
    rows = []
    for facts in report.packages:
        image = f", image: {facts.image}" if facts.image else ""
        rows.append(
            Row(
                title=f"{facts.case}, {facts.variant}{image}",
                cells=(
                    Cell(value=f"{facts.zip_bytes / 1e6:.1f} MB"),
                    Cell(value=f"{facts.unpacked_bytes / 1e6:.1f} MB"),
                    Cell(value=f"{facts.build_seconds:.1f} s" if facts.build_seconds is not None else "was there"),
                ),
            )
        )
    return Table(title="Packages", columns=("zip", "unpacked", "build"), rows=tuple(rows))


def place(report: Report) -> str:
    """Where the run took place, in one sentence without its end."""
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
    "Figures are medians, with their 95 % confidence intervals: order statistics, bootstrap for ratios.",
    "Outliers are counted in the JSON report and never left out.",
)
_READING_LOCAL = (
    "A cold start is the time from the program's exec to its first complete answer at the Runtime API.",
    "Page cache cold: none of the files of package, interpreter and runtime are in memory.",
    "The system's own libraries, which only the interpreted variant uses, stay in memory all the time.",
)
_READING_LAMBDA = (
    "Figures are what Lambda reports: milliseconds as in its REPORT lines; its MB are 1,048,576 bytes.",
    "A cold start is Init Duration and Duration together, of an invocation for which Lambda reports an init.",
    "What Lambda does before (placing the function, fetching its code, starting a microVM) is in no REPORT line.",
    "Cold starts were forced by changes of the configuration, one per variant and round, in an order shuffled anew.",
    "The first round is not counted.",
)


def reading(report: Report) -> tuple[str, ...]:
    """What a reader must know of all figures."""
    return (*_READING, *(_READING_LAMBDA if "lambda" in report.machine else _READING_LOCAL))


def number(value: float) -> str:
    """Three significant digits, without exponents."""
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    digits = 2 if abs(value) >= 1 else 3
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.{digits}f}"


def interval(found: Interval) -> str:
    """`low to high`, or nothing when all samples agree."""
    return "" if found.low == found.high else f"{number(found.low)} to {number(found.high)}"


def _ratios(names: Sequence[str]) -> list[tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for pair in _RATIOS:
        if set(pair) <= set(names):
            found.setdefault(pair[0], pair)
    return list(found.values())


def _row(
    report: Report, case: str, measure: str, condition: str, names: Sequence[str], ratios: Sequence[tuple[str, str]]
) -> Row:
    found = {name: report.find(case, name, measure, condition) for name in names}
    cells = [_cell(found[name]) for name in names]
    cells += [_ratio(found[over], found[under], measure) for over, under in ratios]
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
    found = statistics.ratio(over.samples, under.samples)
    return Cell(value=f"{number(found.value)} x", interval=interval(found))


@dataclass(frozen=True, kw_only=True)
class Headline:
    """One ratio that a summary shows."""

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
"""Measure, condition (None: the first that was measured), title."""


def headlines(report: Report) -> list[Headline]:
    """The ratios of interpreted to native, where both were measured."""
    found = []
    for case in report.cases:
        for measure, wanted, title in _HEADLINES:
            condition = wanted or _first_condition(report, case, measure)
            over = report.find(case, INTERPRETED, measure, condition)
            under = report.find(case, NATIVE, measure, condition)
            if over and under:
                ratio, unit = statistics.ratio(over.samples, under.samples), MEASURES[measure][1]
                values = f"{number(over.median.value)} {unit} against {number(under.median.value)} {unit}"
                where = "" if wanted else f", {condition}"
                found.append(Headline(title=f"{case}: {title}{where}", value=f"{number(ratio.value)} x", detail=values))
    return found


def _first_condition(report: Report, case: str, measure: str) -> str:
    found = (series.condition for series in report.series if (series.case, series.measure) == (case, measure))
    return next(found, "")
