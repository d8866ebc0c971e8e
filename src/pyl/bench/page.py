"""Writes a report as one self-contained HTML file with plots."""

from __future__ import annotations

from pathlib import Path

from pyl.bench import plots, views
from pyl.bench.figures import MEASURES, Report

_TEMPLATE = Path(__file__).parent / "report.html.j2"


def write(report: Report) -> str:
    """Return the page as HTML. It loads no other resources."""
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        report=report,
        cases=[_case(report, case) for case in report.cases],
        packages=views.packages(report),
        growth=plots.growth(report),
        computing=plots.computing(report),
        headlines=views.headlines(report),
        colors={name: plots.color(name, report) for name in report.variants},
        reading=views.reading(report),
        place=views.place(report),
        measures=MEASURES,
    )


_WORDS = {
    "growth": "Generated projects: cold starts by the number of imported modules and by the size of a data file.",
    "compute": "Handlers in pure Python, which the native variants compile: where this helps, and where it does not.",
}


def _case(report: Report, case: str) -> dict[str, object]:
    drawn = [
        ("Every cold start", plots.cold_starts(report, case)),
        ("Where a cold start spends its time: until it asks for work (full), the first invocation (pale)",
         plots.timeline(report, case)),
        ("Memory", plots.memory(report, case)),
        ("Warm invocations: median (bar), p90 (dash), p99 (triangle)", plots.latencies(report, case)),
    ]  # fmt: skip
    return {
        "name": case,
        "words": _WORDS.get(case, ""),
        "table": views.table(report, case),
        "plots": [(title, svg) for title, svg in drawn if svg] if case not in {"growth", "compute"} else [],
    }
