"""Draws a report's figures as SVG. Text colours come from the page, so plots suit light and dark mode."""

from __future__ import annotations

import functools
import io
import re
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

from pyl.bench import statistics
from pyl.bench.figures import COLD, WARM, Report, Series
from pyl.bench.variants import BASELINE, GLIBC_BASELINE, INTERPRETED, NATIVE, PLAIN

_INK, _FAINT = "#010203", "#040506"
"""Placeholders in matplotlib's output for colours that the page defines."""

COLORS = {
    INTERPRETED: "#d9822b",
    NATIVE: "#159a80",
    PLAIN: "#5b7fd4",
    BASELINE: "#8d8d8d",
    GLIBC_BASELINE: "#b07fb8",
}
_OTHERS = ("#c4516c", "#9a9a2e", "#3d9bc9", "#a5673f")

_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "pyl",
    "font.family": "sans-serif",
    "font.size": 10.5,
    "text.color": _INK,
    "axes.edgecolor": _FAINT,
    "axes.labelcolor": _INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": _FAINT,
    "grid.linewidth": 0.6,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}


_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


def _styled(draw: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
    """Draw with this module's style, whatever the machine's configuration of matplotlib is."""

    @functools.wraps(draw)
    def within(*arguments: _Parameters.args, **named: _Parameters.kwargs) -> _Result:
        import matplotlib as mpl

        with mpl.rc_context(_STYLE):
            return draw(*arguments, **named)

    return within


def color(variant: str, report: Report) -> str:
    """Return the variant's colour, the same in every plot of the report."""
    if variant in COLORS:
        return COLORS[variant]
    others = [name for name in report.variants if name not in COLORS]
    return _OTHERS[others.index(variant) % len(_OTHERS)] if variant in others else _OTHERS[0]


_LABELS = {WARM: "", COLD: ", cold cache"}


def _starts(report: Report, case: str) -> tuple[str, Sequence[str]]:
    """Return the measure of whole cold starts, here or on AWS, and its conditions."""
    series = [item for item in report.series if (item.case, item.measure) == (case, "remote_cold_start")]
    if series:
        return "remote_cold_start", list(dict.fromkeys(item.condition for item in series))
    return "cold_start", (WARM, COLD)


@_styled
def cold_starts(report: Report, case: str) -> str | None:
    """Draw every cold start as a dot on a logarithmic axis, and the median; one row for each variant and condition."""
    measure, conditions = _starts(report, case)
    rows = [
        series
        for condition in conditions
        for name in report.variants
        if (series := report.find(case, name, measure, condition))
    ]
    if not rows:
        return None
    figure, axes = _figure(0.34 * len(rows) + 0.8)
    for place, series in enumerate(rows):
        paint = color(series.variant, report)
        spots = [place + 0.28 * (((number * 7919) % 100) / 100 - 0.5) for number in range(len(series.samples))]
        axes.scatter(series.samples, spots, s=9, color=paint, alpha=0.45, linewidths=0)
        axes.plot([series.median.value] * 2, [place - 0.32, place + 0.32], color=paint, linewidth=2.4)
        axes.annotate(
            f"{series.median.value:.3g} ms",
            (max(series.samples), place),
            xytext=(7, 0),
            textcoords="offset points",
            va="center",
            fontsize=9.5,
        )
    labels = [series.variant + _LABELS.get(series.condition, f", {series.condition}") for series in rows]
    axes.set_yticks(range(len(rows)), labels)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.grid(visible=False, axis="y")
    axes.margins(x=0.14)
    _plain_numbers(axes.xaxis)
    axes.set_xlabel("cold start, ms (logarithmic)")
    return _svg(figure)


@_styled
def timeline(report: Report, case: str) -> str | None:
    """Draw how long cold starts take until the program asks for work, and then for their first invocation."""
    rows = []
    measure, (condition, *_) = _starts(report, case)
    until_asked = "init" if measure == "cold_start" else "remote_init"
    for name in report.variants:
        asked, whole = report.find(case, name, until_asked, condition), report.find(case, name, measure, condition)
        if asked and whole:
            rows.append((name, asked.median.value, max(0.0, whole.median.value - asked.median.value)))
    if not rows:
        return None
    # The second scale is for the fast variants, whose bars are too short on the first.
    wholes = [init + rest for _, init, rest in rows]
    near = max([whole for whole in wholes if whole < max(wholes) / 4] or wholes)
    figure, both = _figure(0.34 * len(rows) + 0.8, columns=2)
    for axes, limit in zip(both, (None, 1.1 * near), strict=True):
        for place, (name, init, rest) in enumerate(rows):
            paint = color(name, report)
            axes.barh(place, init, height=0.55, color=paint)
            axes.barh(place, rest, left=init, height=0.55, color=paint, alpha=0.45)
        axes.set_yticks(range(len(rows)), [name for name, _, _ in rows])
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set_xlim(0, limit)
        since = "ms since exec" if measure == "cold_start" else "ms, Init Duration and Duration"
        axes.set_xlabel(since + (", enlarged" if limit else ""))
    both[1].set_yticklabels([])
    return _svg(figure)


@_styled
def memory(report: Report, case: str) -> str | None:
    """Draw memory at the first response: the peak, and what belongs to the process alone."""
    names = [name for name in report.variants if report.find(case, name, "peak_memory", WARM)]
    if not names:
        return None
    figure, axes = _figure(0.42 * len(names) + 0.8)
    for place, name in enumerate(names):
        paint = color(name, report)
        for measure, shift, strength in (("peak_memory", -0.18, 1.0), ("private_memory", 0.18, 0.5)):
            if series := report.find(case, name, measure, WARM):
                value = series.median.value
                axes.barh(place + shift, value, height=0.34, color=paint, alpha=strength)
                axes.annotate(
                    f"{value:.3g}",
                    (value, place + shift),
                    xytext=(4, 0),
                    textcoords="offset points",
                    va="center",
                    fontsize=9,
                )
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("MB at the first response: peak (full), private (pale)")
    return _svg(figure)


@_styled
def latencies(report: Report, case: str) -> str | None:
    """Draw warm invocations by payload: the median as a bar, p90 and p99 as marks."""
    series_shown = [series for series in report.series if series.case == case and series.measure == "warm_p50"]
    payloads = list(dict.fromkeys(series.condition for series in series_shown))
    names = [name for name in report.variants if any(series.variant == name for series in series_shown)]
    if not series_shown:
        return None
    figure, axes = _figure(2.9)
    width = 0.8 / len(names)
    for number, name in enumerate(names):
        paint = color(name, report)
        for place, payload in enumerate(payloads):
            x = place - 0.4 + width * (number + 0.5)
            for measure in ("warm_p50", "warm_p90", "warm_p99"):
                series = report.find(case, name, measure, payload)
                if series and measure == "warm_p50":
                    axes.bar(x, series.median.value, width=width * 0.9, color=paint, label=name if not place else None)
                elif series:
                    axes.plot(x, series.median.value, marker="_" if measure == "warm_p90" else "^", color=paint, ms=5)
    axes.set_xticks(range(len(payloads)), payloads)
    axes.set_yscale("log")
    axes.grid(visible=False, axis="x")
    _plain_numbers(axes.yaxis)
    axes.set_ylabel("ms (logarithmic)")
    axes.legend(ncols=3, fontsize=9, loc="upper left")
    axes.margins(y=0.3)
    return _svg(figure)


@_styled
def growth(report: Report) -> str | None:
    """Draw cold starts by the number of imported modules and by the package's size, with the medians' intervals."""
    series_shown = [series for series in report.series if series.case == "growth" and series.measure == "cold_start"]
    svg = [
        (title, series)
        for ending, title in ((" modules", "imported modules"), (" MB more", "MB more in the package"))
        if (series := [item for item in series_shown if item.condition.endswith(ending)])
    ]
    if not svg:
        return None
    figure, both = _figure(3.1, columns=len(svg), same_height=True)
    for axes, (title, series) in zip(both, svg, strict=True):
        for name in dict.fromkeys(item.variant for item in series):
            points = sorted((int(item.condition.split()[0]), item) for item in series if item.variant == name)
            _line(axes, points, name, color(name, report))
        axes.set_yscale("log")
        _plain_numbers(axes.yaxis)
        axes.set_xlabel(title)
    both[0].set_ylabel("cold start, ms (logarithmic)")
    figure.legend(*both[0].get_legend_handles_labels(), ncols=5, fontsize=9, loc="outside upper left")
    return _svg(figure)


@_styled
def computing(report: Report) -> str | None:
    """Draw warm invocations of each workload by variant, as bars with the medians' intervals."""
    series_shown = [series for series in report.series if series.case == "compute" and series.measure == "warm_p50"]
    if not series_shown:
        return None
    workloads = list(dict.fromkeys(series.condition for series in series_shown))
    names = [name for name in report.variants if any(series.variant == name for series in series_shown)]
    figure, axes = _figure(0.42 * len(workloads) * len(names) * 0.55 + 0.9)
    height = 0.8 / len(names)
    for number, name in enumerate(names):
        for place, workload in enumerate(workloads):
            if series := report.find("compute", name, "warm_p50", workload):
                middle, y = series.median, place - 0.4 + height * (number + 0.5)
                label = name if not place else None
                axes.barh(y, middle.value, height=height * 0.9, color=color(name, report), label=label)
                axes.plot([middle.low, middle.high], [y, y], color=_INK, linewidth=1)
    axes.set_yticks(range(len(workloads)), workloads)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.grid(visible=False, axis="y")
    _plain_numbers(axes.xaxis)
    axes.set_xlabel("warm invocation p50, ms (logarithmic)")
    figure.legend(*axes.get_legend_handles_labels(), ncols=5, fontsize=9, loc="outside upper left")
    return _svg(figure)


def _line(axes: Any, points: Sequence[tuple[int, Series]], name: str, paint: str) -> None:
    middles = [statistics.median(series.samples) for _, series in points]
    places = [count for count, _ in points]
    below = [middle.value - middle.low for middle in middles]
    above = [middle.high - middle.value for middle in middles]
    values = [middle.value for middle in middles]
    axes.errorbar(places, values, yerr=[below, above], color=paint, marker="o", ms=4, capsize=3, label=name)


def _figure(height: float, columns: int = 1, *, same_height: bool = False) -> tuple[Any, Any]:
    """Create a figure and its axes: with `same_height`, a list of axes that share their vertical scale."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.6, height))
    axes = figure.subplots(1, columns, sharey=same_height, squeeze=not same_height)
    return figure, list(axes[0]) if same_height else axes


def _plain_numbers(axis: Any) -> None:
    from matplotlib.ticker import FuncFormatter, NullFormatter

    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _svg(figure: Any) -> str:
    text = io.StringIO()
    figure.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    return svg.replace(_INK, "currentColor").replace(_FAINT, "var(--rule)")
