"""Prints the report of a benchmark, and writes it to files."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table as Grid

from pyl.bench.figures import Report
from pyl.errors import EngineError

_WIDTH = 180
"""Width of the output without a terminal, in characters: fits eight columns of figures with their intervals."""

_COLORS = {"met": "green", "missed": "red", "not measured": "yellow"}


def require_plots() -> None:
    """Check that an HTML report can be drawn.

    Raises:
        EngineError: jinja2 or matplotlib is missing.
    """
    try:
        import jinja2  # noqa: F401
        import matplotlib as _  # noqa: F401, ICN001
    except ImportError as error:
        msg = f"the HTML report needs {error.name}"
        raise EngineError(msg, hint="install it with `pip install 'pyl[bench]'`") from error


def write(report: Report, json_file: Path | None, html_file: Path | None, markdown_file: Path | None) -> None:
    """Write the report to each of the files that is not None, and create their folders."""
    from pyl.bench import markdown

    for path in (json_file, html_file, markdown_file):
        if path:
            path.absolute().parent.mkdir(parents=True, exist_ok=True)
    if json_file:
        json_file.write_text(json.dumps(report.to_json(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if markdown_file:
        markdown_file.write_text(markdown.write(report), encoding="utf-8")
    if html_file:
        from pyl.bench import page

        html_file.write_text(page.write(report), encoding="utf-8")


def print_tables(report: Report) -> None:
    """Print all figures, verdicts, failures and notes to stdout."""
    from pyl.bench import views

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH)
    for table in [*(views.table(report, case) for case in report.cases), views.packages(report)]:
        grid = Grid("", title=table.title, title_justify="left", title_style="bold")
        for column in table.columns:
            grid.add_column(column, justify="right")
        for row in table.rows:
            grid.add_row(escape(row.title), *(f"{cell.value}\n[dim]{cell.interval}[/]" for cell in row.cells))
        console.print(grid)
    if report.targets:
        grid = Grid("case", "measure", "target", "reached", "95 % interval", "", title="Targets", title_justify="left")
        for verdict in report.targets:
            color = _COLORS[verdict.verdict]
            grid.add_row(
                verdict.case, verdict.measure, verdict.target, f"[{color}]{verdict.reached}[/]", verdict.interval,
                f"[{color}]{escape(verdict.words)}[/]",
            )  # fmt: skip
        console.print(grid)
    for failure in report.failures:
        console.print(
            f"[red]failed[/] {failure.case}, {failure.variant} ({failure.condition}): {escape(failure.reason)}"
        )
    for note in report.notes:
        console.print(f"[yellow]•[/] {escape(note)}")
