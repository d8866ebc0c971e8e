"""`pyl delete`: delete functions from AWS."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from pyl.cli.deploy import confirm, show_plan
from pyl.cli.options import complete_functions, json_option, profile_option, project_option, region_option
from pyl.cli.progress import ConsoleProgress


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=complete_functions)
@click.option("--keep-logs", is_flag=True, help="Keep the log groups.")
@click.option("--dry-run", is_flag=True, help="Show the plan without applying it.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask for confirmation.")
@profile_option
@region_option
@project_option
@json_option
def command(
    names: tuple[str, ...],
    keep_logs: bool,
    dry_run: bool,
    yes: bool,
    profile: str | None,
    region: str | None,
    directory: Path,
    as_json: bool,
) -> None:
    """Delete what pyl created in AWS for these functions, or for the whole project.

    This deletes all resources with the project's tag: functions with their versions, aliases and URLs, triggers, roles
    and log groups, including those of functions that the code no longer has. Queues, tables, buckets and topics are
    kept.
    """
    from pyl.deploy.aws import connect
    from pyl.deploy.desired_state import owner_of
    from pyl.deploy.inventory import find_target, find_targets
    from pyl.deploy.plan import apply_plan, make_plan
    from pyl.deploy.removal import find_removals
    from pyl.deploy.report import plan_json
    from pyl.project import load_project

    project = load_project(directory, environ=os.environ, overrides={"region": region})
    aws = connect(region=project.configuration.region, environ=os.environ, profile=profile)
    if names:
        targets = [find_target(aws, project, name) for name in dict.fromkeys(names)]
    else:
        targets = list(find_targets(aws, project).values())
    plan = make_plan(aws, [], find_removals(aws, owner_of(project), targets, keep_logs=keep_logs))
    if plan.pending:
        show_plan(plan, show_values=False, err=as_json)
    else:
        click.echo(
            f"Nothing to delete: pyl created none of these for {owner_of(project).tag} in {aws.region}.", err=True
        )
    applied = bool(plan.pending) and not dry_run
    if applied:
        confirm(f"Delete these {len(plan.pending)} resources in {aws.region} permanently?", yes=yes)
        apply_plan(aws, plan, ConsoleProgress())
    if as_json:
        answer = {"account": aws.account, "region": aws.region, "applied": applied, "plan": plan_json(plan)}
        click.echo(json.dumps(answer))
