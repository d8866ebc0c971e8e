"""`pyl deploy`: create or update functions in AWS."""

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
@click.option("--native", is_flag=True, help="Deploy native packages, except for functions with a managed `runtime`.")
@click.option(
    "--builder",
    type=click.Choice(["auto", "container", "local"]),
    help="Builder of native packages, as for `pyl build`.",
)
@click.option(
    "--package",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Deploy this zip file, made by `pyl build`, instead of building.",
)
@click.option("--dry-run", is_flag=True, help="Show the plan without applying it.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask for confirmation.")
@click.option("--show-values", is_flag=True, help="Show the values of environment variables in the plan.")
@click.option("--print-policy", is_flag=True, help="Print the policies that the roles need, without deploying.")
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

    Compares the configuration with AWS, shows the differences, asks for confirmation, and applies them. Settings that
    the configuration does not mention are left unchanged.
    """
    from pyl.deploy.aws import connect
    from pyl.deploy.desired_state import find_desired_state
    from pyl.deploy.plan import apply_plan, make_plan
    from pyl.packaging.lifecycle import today

    project = load_project(directory, environ=os.environ, overrides={"region": region, "native.builder": builder})
    functions = select_functions(project, names)
    aws = connect(region=project.configuration.region, environ=os.environ, profile=profile)
    aws.hide(text for function in functions for text in function.configuration.environment.values())
    with aws.errors("check the credentials"):
        identity = aws.identity  # fail before the build, which takes long
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
        confirm(f"{len(plan.pending)} of {len(plan.actions)} resources will change. Continue?", yes=yes)
        apply_plan(aws, plan, progress)
    _report(aws, plan, desired_state, as_json=as_json, applied=applied, dry_run=dry_run, show_values=show_values)


def select_functions(project: Project, names: Sequence[str]) -> list[Function]:
    """Return the functions with these names, or all functions if there are no names.

    Raises:
        UsageError: The project has no such function.
    """
    by_name = {function.name: function for function in project.functions}
    for name in names:
        if name not in by_name:
            suggestion = find_nearest(name, by_name)
            msg = f'the project has no function "{name}"'
            raise UsageError(
                msg, hint=f"did you mean {suggestion}?" if suggestion else f"the functions are {', '.join(by_name)}"
            )
    return [by_name[name] for name in dict.fromkeys(names)] or list(project.functions)


def show_plan(plan: Plan, *, show_values: bool, err: bool) -> None:
    """Print the steps of a plan."""
    from pyl.deploy.report import plan_lines

    click.echo("\n".join(plan_lines(plan, show_values=show_values)), err=err)
    if not plan.pending:
        click.echo("Everything is up to date.", err=err)


def confirm(question: str, *, yes: bool) -> None:
    """Ask for confirmation.

    Raises:
        UsageError: There is no terminal to ask on.
        click.exceptions.Exit: The answer is no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        msg = "cannot ask for confirmation without a terminal"
        raise UsageError(msg, hint="review the plan with --dry-run, then confirm it with --yes")
    if not click.confirm(question, err=True):
        raise click.exceptions.Exit(1)


def _packages(
    project: Project, functions: Sequence[Function], package: Path | None, *, native: bool
) -> Mapping[str, FunctionPackage]:
    from pyl.deploy.packages import build_packages, use_package
    from pyl.packaging.locations import package_folder

    def build(variant_project: Project, variant: Variant) -> Package:
        out = package_folder(project, variant.architecture)
        return (
            build_native(variant_project, out) if variant.kind == "native" else build_interpreted(variant_project, out)
        )

    if package is None:
        return build_packages(project, functions, "native" if native else "interpreted", build)
    return use_package(project, functions, package.absolute())


def _note_runtimes(
    desired_state: DesiredState, plan: Plan, packages: Mapping[str, FunctionPackage], progress: ConsoleProgress
) -> None:
    """Print each notice once, with the functions that it applies to."""
    from pyl.deploy.functions import FunctionResource, FunctionState
    from pyl.packaging.lifecycle import notice, today

    states: dict[str, FunctionState | None] = {
        action.resource.name: action.state for action in plan.actions if isinstance(action.resource, FunctionResource)
    }
    functions_by_notice: dict[str, list[str]] = {}
    for target in desired_state.targets:
        state = states[target.name]
        present = state.configuration.get("Runtime") if state else None
        text = notice(packages[target.function.name].runtime, today(), present=present)
        if text:
            functions_by_notice.setdefault(text, []).append(target.name)
    for text, names in functions_by_notice.items():
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
    from pyl.deploy.desired_state import role_statements, targets_of
    from pyl.deploy.policy import policy_document

    targets = targets_of(aws, project, functions)
    policies = {target.function.name: policy_document(role_statements(target)) for target in targets}
    click.echo(json.dumps(policies, indent=2))
