"""`pyl deploy`: make AWS as the project wants it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pyl.cli.build import build_interpreted, build_native
from pyl.cli.options import complete_functions, json_option, profile_option, project_option, region_option
from pyl.cli.progress import ConsoleProgress
from pyl.errors import UsageError
from pyl.project import load_project
from pyl.project.config.pyproject import find_nearest
from pyl.project.model import Function, Project

if TYPE_CHECKING:
    from pyl.deploy.aws import AWS
    from pyl.deploy.desired_state import DesiredState, FunctionPackage
    from pyl.deploy.packages import Variant
    from pyl.deploy.plan import Plan
    from pyl.packaging.package import Package


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=complete_functions)
@click.option("--native", is_flag=True, help="Deploy native packages; functions with a `runtime` get its kind.")
@click.option(
    "--builder",
    type=click.Choice(["auto", "container", "local"]),
    help="What compiles native packages, as in pyl build.",
)
@click.option(
    "--package",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Deploy this zip of `pyl build` instead of building.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--show-values", is_flag=True, help="Show the values of environment variables in the plan.")
@click.option("--print-policy", is_flag=True, help="Print what each function's role must allow, and do nothing.")
@profile_option
@region_option
@project_option
@json_option
def command(
    names: tuple[str, ...],
    native: bool,
    builder: str | None,
    package: Path | None,
    profile: str | None,
    region: str | None,
    dry_run: bool,
    yes: bool,
    show_values: bool,
    print_policy: bool,
    directory: Path,
    as_json: bool,
) -> None:
    """Create or update functions in AWS, with their roles and triggers: all of the project, or those named.

    Compares what is wanted with what is there, shows the difference, asks, and does it. What AWS has and
    configuration does not mention stays.
    """
    from pyl.deploy.aws import connect
    from pyl.deploy.desired_state import find_desired_state
    from pyl.deploy.plan import apply_plan, make_plan
    from pyl.packaging.lifecycle import today

    project = load_project(directory, environ=os.environ, overrides={"region": region, "native.builder": builder})
    functions = chosen(project, names)
    aws = connect(region=project.configuration.region, environ=os.environ, profile=profile)
    aws.hide(text for function in functions for text in function.configuration.environment.values())
    with aws.errors("find out whose credentials these are"):
        identity = aws.identity  # before a build, which takes its time
    if print_policy:
        _print_policies(aws, project, functions)
        return
    packages = _packages(project, functions, package, native=native)
    desired_state = find_desired_state(aws, project, packages, today())
    progress = ConsoleProgress()
    with progress.step(f"Compare with account {identity.account}, {aws.region}"):
        plan = make_plan(aws, desired_state.resources, desired_state.to_delete)
    _note_runtimes(desired_state, plan, packages, progress)
    show_plan(plan, show_values=show_values, err=as_json)
    applied = bool(plan.pending) and not dry_run
    if applied:
        confirm(f"{len(plan.pending)} of {len(plan.actions)} things change. Go on?", yes=yes)
        apply_plan(aws, plan, progress)
    _report(aws, plan, desired_state, as_json=as_json, applied=applied, dry_run=dry_run, show_values=show_values)


def chosen(project: Project, names: Sequence[str]) -> list[Function]:
    """The functions that were named, or all.

    Raises:
        UsageError: there is no such function.
    """
    by_name = {function.name: function for function in project.functions}
    for name in names:
        if name not in by_name:
            meant = find_nearest(name, by_name)
            msg = f'the project has no function "{name}"'
            raise UsageError(msg, hint=f"did you mean {meant}?" if meant else f"it has {', '.join(by_name)}")
    return [by_name[name] for name in dict.fromkeys(names)] or list(project.functions)


def show_plan(plan: Plan, *, show_values: bool, err: bool) -> None:
    """Print what is to be done."""
    from pyl.deploy.report import plan_lines

    click.echo("\n".join(plan_lines(plan, show_values=show_values)), err=err)
    if not plan.pending:
        click.echo("Everything is as wanted.", err=err)


def confirm(question: str, *, yes: bool) -> None:
    """Ask on a terminal.

    Raises:
        UsageError: there is nobody to ask.
        click.exceptions.Exit: the answer is no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        msg = "this would change things in AWS, and there is no terminal to ask at"
        raise UsageError(msg, hint="look at the plan with --dry-run, and confirm it with --yes")
    if not click.confirm(question, err=True):
        raise click.exceptions.Exit(1)


def _packages(
    project: Project, functions: Sequence[Function], package: Path | None, *, native: bool
) -> Mapping[str, FunctionPackage]:
    from pyl.deploy.packages import build_packages, use_package

    def build(template_function: Project, variant: Variant) -> Package:
        out = template_function.root / "build" / "pyl"
        if variant.architecture != project.configuration.architecture:
            out /= variant.architecture
        return (
            build_native(template_function, out)
            if variant.kind == "native"
            else build_interpreted(template_function, out)
        )

    if package is None:
        return build_packages(project, functions, "native" if native else "interpreted", build)
    return use_package(project, functions, package.absolute())


def _note_runtimes(
    desired_state: DesiredState, plan: Plan, packages: Mapping[str, FunctionPackage], progress: ConsoleProgress
) -> None:
    """One line per notice, with the functions that it is about."""
    from pyl.deploy.functions import FunctionResource, FunctionState
    from pyl.packaging.lifecycle import notice, today

    states: dict[str, FunctionState | None] = {
        action.resource.name: action.state for action in plan.actions if isinstance(action.resource, FunctionResource)
    }
    said: dict[str, list[str]] = {}
    for target in desired_state.targets:
        state = states[target.name]
        present = state.configuration.get("Runtime") if state else None
        text = notice(packages[target.function.name].runtime, today(), present=present)
        if text:
            said.setdefault(text, []).append(target.name)
    for text, names in said.items():
        progress.note(f"{', '.join(names)}: {text}")


def _report(
    aws: AWS, plan: Plan, desired_state: DesiredState, *, as_json: bool, applied: bool, dry_run: bool, show_values: bool
) -> None:
    from pyl.deploy.report import collect_outcomes, outcome_lines, plan_json

    functions: list[dict[str, Any]] = [] if dry_run else collect_outcomes(aws, plan, desired_state.targets)
    if as_json:
        answer = {
            "account": aws.account,
            "region": aws.region,
            "applied": applied,
            "plan": plan_json(plan, show_values=show_values),
            "functions": functions,
        }
        click.echo(json.dumps(answer))
    elif functions:
        click.echo("\n" + "\n".join(outcome_lines(functions)))


def _print_policies(aws: AWS, project: Project, functions: Sequence[Function]) -> None:
    from pyl.deploy.desired_state import statements, targets_of
    from pyl.deploy.policy import policy_document

    targets = targets_of(aws, project, functions)
    policies = {target.function.name: policy_document(statements(target)) for target in targets}
    click.echo(json.dumps(policies, indent=2))
