"""`pyl doctor`: what is missing on this machine and in AWS, and how to get it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

import click

from pyl.cli.options import json_option, project_option
from pyl.doctor import examination
from pyl.doctor.findings import TITLES, Area, Finding, Status
from pyl.errors import AWSError, EngineError
from pyl.project.diagnostics import count_noun

_MARKS = {
    Status.OK: ("✓", "green"),
    Status.WARNING: ("!", "yellow"),
    Status.FAILED: ("✗", "red"),
    Status.SKIPPED: ("-", None),
}


@click.command(epilog="\b\nAreas:\n" + "\n".join(f"  {area:9}{TITLES[area]}" for area in Area))
@click.argument("areas", nargs=-1, type=click.Choice(list(map(str, Area))), metavar="[AREA]...")
@project_option
@json_option
@click.pass_context
def command(ctx: click.Context, areas: tuple[str, ...], directory: Path, as_json: bool) -> None:
    """Look for what pyl needs, in all areas or in those named, and tell how to get what is missing.

    Nothing is changed, here or in AWS. Exit code 4 when something is missing on this machine, 5 when only in AWS.
    """
    wanted = {Area(area) for area in areas} or set(Area)
    findings = examination.examine(wanted, directory=directory, environ=os.environ)
    if as_json:
        found = list(findings)
        click.echo(json.dumps([finding.as_json() for finding in found], indent=2, ensure_ascii=False))
    else:
        found = _print(findings)
    ctx.exit(exit_code(found))


def exit_code(findings: Iterable[Finding]) -> int:
    """0 when nothing is missing; warnings are no failures."""
    failed = {finding.area for finding in findings if finding.status is Status.FAILED}
    if failed - {Area.AWS}:
        return EngineError.exit_code
    return AWSError.exit_code if failed else 0


def _print(findings: Iterable[Finding]) -> list[Finding]:
    """Each as it comes: some take seconds."""
    found: list[Finding] = []
    for finding in findings:
        if not found or found[-1].area is not finding.area:
            click.echo(("\n" if found else "") + click.style(TITLES[finding.area], bold=True))
        found.append(finding)
        mark, color = _MARKS[finding.status]
        click.echo(f"  {click.style(mark, fg=color)} {finding.name:13}{finding.found}")
        if finding.fix:
            click.echo(f"    {'':13}{click.style('fix:', fg='cyan')} {finding.fix}")
    failures = sum(finding.status is Status.FAILED for finding in found)
    warnings = sum(finding.status is Status.WARNING for finding in found)
    click.echo(f"\n{count_noun(failures, 'problem')}, {count_noun(warnings, 'warning')}")
    return found
