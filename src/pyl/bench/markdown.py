"""Writes a report as Markdown, for a README."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pyl.bench import views
from pyl.bench.figures import Report
from pyl.bench.views import Table


def write(report: Report) -> str:
    """Return the report's tables, notes and machine as GitHub-flavored Markdown."""
    parts = [_heading(report)]
    if report.targets:
        parts.append("## Targets\n\n" + _targets(report))
    parts += [f"## {case}\n\n" + _table(views.table(report, case)) for case in report.cases]
    if report.packages:
        parts.append("## Packages\n\n" + _table(views.packages(report)))
    if report.failures:
        parts.append("## Failed\n\n" + "\n".join(_failure(report)))
    variants = [f"`{name}`: {title}" for name, title in report.variants.items()]
    parts.append(
        "## How to read this\n\n"
        + "\n".join(f"- {text}" for text in [*variants, *views.reading(report), *report.notes])
    )
    return "\n\n".join(parts) + "\n"


def _heading(report: Report) -> str:
    return (
        f"# Benchmark of {report.created[:10]}\n\n"
        f"{views.place(report)}; {report.seconds / 60:.0f} minutes, variants in turns."
    )


def _targets(report: Report) -> str:
    rows = [
        [verdict.case, verdict.measure, verdict.target, verdict.reached, verdict.interval, verdict.words]
        for verdict in report.targets
    ]
    return _grid(["case", "measure", "target", "reached", "95 % interval", ""], rows)


def _table(table: Table) -> str:
    return _grid(["", *table.columns], [[row.title, *(str(cell) for cell in row.cells)] for row in table.rows])


def _grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_escaped(text) for text in line) + " |" for line in lines)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _failure(report: Report) -> list[str]:
    return [
        f"- **{item.case}, {item.variant}** ({item.condition}): {_escaped(item.reason)}" for item in report.failures
    ]
