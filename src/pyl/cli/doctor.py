"""`pyl doctor`: check what pyl needs on this machine and in AWS."""

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
    """Check what pyl needs, in all areas or in the named ones, and explain how to fix what is missing.

    Nothing is changed, here or in AWS. The exit code is 4 if something is missing on this machine, 5 if something is
    missing only in AWS.
    """
    chosen = {Area(area) for area in areas} or set(Area)
    findings = examination.examine(chosen, directory=directory, environ=os.environ)
    if as_json:
        results = list(findings)
        click.echo(json.dumps([finding.as_json() for finding in results], indent=2, ensure_ascii=False))
    else:
        results = _print(findings)
    ctx.exit(exit_code(results))


def exit_code(findings: Iterable[Finding]) -> int:
    """Return the exit code: 0 if nothing is missing. Warnings do not count."""
    failed = {finding.area for finding in findings if finding.status is Status.FAILED}
    if failed - {Area.AWS}:
        return EngineError.exit_code
    return AWSError.exit_code if failed else 0


def _print(findings: Iterable[Finding]) -> list[Finding]:
    """Print each finding as soon as it is there, because some take seconds. Return all of them."""
    printed: list[Finding] = []
    for finding in findings:
        if not printed or printed[-1].area is not finding.area:
            click.echo(("\n" if printed else "") + click.style(TITLES[finding.area], bold=True))
        printed.append(finding)
        mark, color = _MARKS[finding.status]
        click.echo(f"  {click.style(mark, fg=color)} {finding.name:13}{finding.found}")
        if finding.fix:
            click.echo(f"    {'':13}{click.style('fix:', fg='cyan')} {finding.fix}")
    failures = sum(finding.status is Status.FAILED for finding in printed)
    warnings = sum(finding.status is Status.WARNING for finding in printed)
    click.echo(f"\n{count_noun(failures, 'problem')}, {count_noun(warnings, 'warning')}")
    return printed
