"""`pyl rollback`: give callers an earlier version."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from pyl.cli.deploy import confirm, show_plan
from pyl.cli.options import complete_functions, json_option, profile_option, project_option, region_option
from pyl.cli.progress import ConsoleProgress


@click.command()
@click.argument("name", shell_complete=complete_functions)
@click.option("--to", "version", metavar="VERSION", help="This version.  [default: the one before]")
@click.option("--alias", help="The alias to move.  [default: the function's]")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@profile_option
@region_option
@project_option
@json_option
def command(
    name: str,
    version: str | None,
    alias: str | None,
    dry_run: bool,
    yes: bool,
    profile: str | None,
    region: str | None,
    directory: Path,
    as_json: bool,
) -> None:
    """Move the alias of the function NAME back to the version before its own.

    Versions are what `pyl deploy` publishes for functions with an `alias`. The next deployment moves it on again.
    """
    from pyl.deploy.aws import connect
    from pyl.deploy.inventory import target_in_aws
    from pyl.deploy.plan import apply_plan, make_plan
    from pyl.deploy.rollback import plan_rollback
    from pyl.project import load_project

    project = load_project(directory, environ=os.environ, overrides={"region": region})
    aws = connect(region=project.configuration.region, environ=os.environ, profile=profile)
    goal = plan_rollback(aws, target_in_aws(aws, project, name), alias=alias, version=version)
    plan = make_plan(aws, [goal])
    show_plan(plan, show_values=False, err=True)
    applied = bool(plan.pending) and not dry_run
    if applied:
        confirm(f"Callers of {goal.name} get version {goal.version}. Go on?", yes=yes)
        apply_plan(aws, plan, ConsoleProgress())
    if as_json:
        click.echo(
            json.dumps({"name": goal.target.name, "alias": goal.alias, "version": goal.version, "applied": applied})
        )
    elif applied:
        click.echo(f"{goal.name} is version {goal.version}")
