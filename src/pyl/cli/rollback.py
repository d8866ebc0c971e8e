"""`pyl rollback`: move an alias back to an earlier version."""

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
@click.option("--to", "version", metavar="VERSION", help="The version to move to.  [default: the previous one]")
@click.option("--alias", help="The alias to move.  [default: the configured one]")
@click.option("--dry-run", is_flag=True, help="Show the plan without applying it.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask for confirmation.")
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
    """Move the alias of the function NAME back to the previous version.

    `pyl deploy` publishes a version at each change of a function with an `alias`. The next deployment moves the alias
    forward again.
    """
    from pyl.deploy.aws import connect
    from pyl.deploy.inventory import find_target
    from pyl.deploy.plan import apply_plan, make_plan
    from pyl.deploy.rollback import plan_rollback
    from pyl.project import load_project

    project = load_project(directory, environ=os.environ, overrides={"region": region})
    aws = connect(region=project.configuration.region, environ=os.environ, profile=profile)
    rollback = plan_rollback(aws, find_target(aws, project, name), alias=alias, version=version)
    plan = make_plan(aws, [rollback])
    show_plan(plan, show_values=False, err=True)
    applied = bool(plan.pending) and not dry_run
    if applied:
        confirm(f"Callers of {rollback.name} will get version {rollback.version}. Continue?", yes=yes)
        apply_plan(aws, plan, ConsoleProgress())
    if as_json:
        click.echo(
            json.dumps(
                {
                    "name": rollback.target.name,
                    "alias": rollback.alias,
                    "version": rollback.version,
                    "applied": applied,
                }
            )
        )
    elif applied:
        click.echo(f"{rollback.name} now points to version {rollback.version}")
