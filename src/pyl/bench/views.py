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


_HEADLINES = (
    ("cold_start", WARM, "times faster cold start"),
    ("cold_start", COLD, "times faster cold start, page cache cold"),
    ("peak_memory", WARM, "times less memory"),
)


def headlines(report: Report) -> list[Headline]:
    """The ratios of interpreted to native, where both were measured."""
    found = []
    for case in report.cases:
        for measure, condition, title in _HEADLINES:
            over = report.find(case, INTERPRETED, measure, condition)
            under = report.find(case, NATIVE, measure, condition)
            if over and under:
                ratio, unit = statistics.ratio(over.samples, under.samples), MEASURES[measure][1]
                values = f"{number(over.median.value)} {unit} against {number(under.median.value)} {unit}"
                found.append(Headline(title=f"{case}: {title}", value=number(ratio.value), detail=values))
    return found
