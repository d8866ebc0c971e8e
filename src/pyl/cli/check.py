"""`pyl check`: report problems of a project, without importing its code."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from pyl.cli.options import json_option, project_option
from pyl.project import Examination, examine
from pyl.project.diagnostics import count_noun, render_diagnostic
from pyl.project.model import Project

_COLORS = {"place": None, "code": "red", "frame": "blue", "mark": "red", "hint": "cyan"}
_BOLD = {"place", "code", "mark"}


@click.command()
@project_option
@json_option
@click.pass_context
def command(ctx: click.Context, directory: Path, as_json: bool) -> None:
    """Check signatures, names and configuration of a project.

    The code is parsed, never imported. The exit code is 1 if there is a problem. For all codes, see
    docs/diagnostics.md.
    """
    examination = examine(directory, environ=os.environ)
    if as_json:
        diagnostics = [diagnostic.as_json(examination.root) for diagnostic in examination.diagnostics]
        click.echo(json.dumps(diagnostics, indent=2, ensure_ascii=False))
    elif examination.project is not None:
        _print_functions(examination.project)
    else:
        _print_diagnostics(examination)
    ctx.exit(1 if examination.diagnostics else 0)


def _print_diagnostics(examination: Examination) -> None:
    for diagnostic in examination.diagnostics:
        click.echo(render_diagnostic(diagnostic, examination.root, paint=_paint) + "\n")
    click.echo(count_noun(len(examination.diagnostics), "problem"))


def _print_functions(project: Project) -> None:
    rows = [
        (function.name, function.event or "JSON", f"{_relative(function.file, project.root)}:{function.line}")
        for function in project.functions
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    for name, event, location in rows:
        click.echo(f"{name:{widths[0]}}  {event:{widths[1]}}  {location}")
    click.echo(f"{count_noun(len(rows), 'function')}, no problems")


def _relative(file: Path, root: Path) -> str:
    return file.relative_to(root).as_posix()


def _paint(role: str, text: str) -> str:
    return click.style(text, fg=_COLORS[role], bold=role in _BOLD or None)
