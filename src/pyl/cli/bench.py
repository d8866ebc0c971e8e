"""The command `pyl bench`, which compares native and interpreted packages."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from pyl.bench.figures import Report, load
from pyl.cli import bench_report
from pyl.cli.bench_options import measurement_options, report_options
from pyl.cli.options import complete_functions
from pyl.cli.progress import ConsoleProgress
from pyl.errors import FunctionFailed, UsageError
from pyl.project import load_project
from pyl.project.config.model import BenchVariant

if TYPE_CHECKING:
    from pyl.bench import suite
    from pyl.project.model import Project

EXTRAS = ("crowds", "memory")


def _variant(_context: click.Context, _parameter: click.Parameter, texts: tuple[str, ...]) -> tuple[BenchVariant, ...]:
    variants = []
    for text in texts:
        name, separator, path = text.partition("=")
        if not separator or not name or not Path(path).exists():
            msg = f"{text!r} is not NAME=PATH with an existing path"
            raise click.BadParameter(msg)
        variants.append(BenchVariant(name=name, path=Path(path).absolute()))
    return tuple(variants)


@click.command()
@click.option(
    "--project",
    "directories",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    multiple=True,
    help="Folder of a project; may be repeated.  [default: the current folder]",
)
@click.option("--function", "functions", multiple=True, shell_complete=complete_functions,
              help="Measure only this function; may be repeated.")  # fmt: skip
@click.option(
    "--variant", "further", multiple=True, callback=_variant, metavar="NAME=PATH",
    help="Another variant to measure: a zip or folder with a `bootstrap`, or an executable.",
)  # fmt: skip
@click.option("--also", type=click.Choice(EXTRAS), multiple=True, help="Measure this as well; may be repeated.")
@measurement_options(default_seconds="60; with --remote 600")
@click.option("--remote", is_flag=True,
              help="Measure on AWS: deploy all variants under temporary names, then delete them.")  # fmt: skip
@click.option("--memory", "memory", type=click.IntRange(128, 10240), multiple=True, metavar="MB",
              help="With --remote: memory size; may be repeated.  [default: the function's]")  # fmt: skip
@click.option("--profile", envvar="AWS_PROFILE", help="With --remote: AWS profile.")
@click.option("--region", help="With --remote: AWS region.  [default: the project's]")
@report_options()
@click.option("--compare", type=click.Path(path_type=Path, dir_okay=False, exists=True), metavar="OLD.json",
              help="Show what changed since the run that wrote this --json file.")  # fmt: skip
@click.option("--fail-on-regression", is_flag=True, help="With --compare: exit with code 1 if a figure became worse.")
def command(
    directories: tuple[Path, ...],
    functions: tuple[str, ...],
    further: tuple[BenchVariant, ...],
    also: tuple[str, ...],
    no_build: bool,
    rounds: int,
    seconds: float | None,
    remote: bool,
    memory: tuple[int, ...],
    profile: str | None,
    region: str | None,
    json_file: Path | None,
    html_file: Path | None,
    markdown_file: Path | None,
    compare: Path | None,
    fail_on_regression: bool,
) -> None:
    """Compare the native package with the interpreted one, and both with a static C program.

    Each function is invoked with its example event, in all variants in turns. docs/benchmarks.md explains what is
    measured and how.
    """
    from pyl.bench import suite
    from pyl.bench.rounds import Plan

    _check_options(remote=remote, also=also, memory=memory, region=region)
    if fail_on_regression and compare is None:
        msg = "--fail-on-regression needs an earlier run to compare with"
        raise UsageError(msg, hint="add --compare OLD.json")
    if html_file:
        bench_report.require_plots()
    earlier = load(compare) if compare else None
    overrides = {"region": region}
    projects = [
        load_project(directory, environ=os.environ, overrides=overrides) for directory in directories or (Path(),)
    ]
    longest = seconds or (600.0 if remote else 60.0)
    precision = 0.05 if remote else 0.03
    settings = suite.Settings(
        plan=Plan(least=min(10, rounds), most=rounds, seconds=longest, precision=precision),
        warm_plan=Plan(least=min(7, rounds), most=min(20, rounds), seconds=longest / 3),
        build=not no_build,
        functions=functions,
        further=further,
        concurrent_cold_starts="crowds" in also,
        memory_sizes="memory" in also,
    )
    if remote:
        outcome = _run_remotely(projects, settings, memory, profile)
    else:
        outcome = suite.run(projects, settings, ConsoleProgress())
    report = outcome.report
    bench_report.write(report, json_file, html_file, markdown_file)
    bench_report.print_tables(report)
    if outcome.stopped:
        raise outcome.stopped
    if earlier:
        _compare(earlier, report, fail=fail_on_regression)
    if report.failures:
        msg = f"{len(report.failures)} of the variants failed; see the report"
        raise FunctionFailed(msg)


def _check_options(*, remote: bool, also: tuple[str, ...], memory: tuple[int, ...], region: str | None) -> None:
    """Check that no option is only for measurements on this machine, or only for those on AWS.

    Raises:
        UsageError: An option does not fit.
    """
    local_options = [f"--also {name}" for name in also]
    remote_options = [*(["--memory"] if memory else []), *(["--region"] if region else [])]
    if remote and local_options:
        msg = f"{local_options[0]} is measured on this machine, but --remote measures on AWS"
        raise UsageError(msg, hint=f"remove one of them; {_MEMORY_HINT}" if "memory" in also else None)
    if not remote and remote_options:
        msg = f"{remote_options[0]} is for measurements on AWS"
        raise UsageError(msg, hint="add --remote")


_MEMORY_HINT = "with --remote, use --memory to choose memory sizes"


def _run_remotely(
    projects: list[Project], settings: suite.Settings, memory: tuple[int, ...], profile: str | None
) -> suite.Outcome:
    from pyl.bench.remote import suite as remote_suite
    from pyl.deploy.aws import connect

    regions = {project.configuration.region for project in projects}
    if len(regions) > 1:
        msg = f"the projects are for several regions: {', '.join(sorted(map(str, regions)))}"
        raise UsageError(msg, hint="choose one with --region")
    aws = connect(region=regions.pop(), environ=os.environ, profile=profile)
    aws.hide(
        text
        for project in projects
        for function in project.functions
        for text in function.configuration.environment.values()
    )
    return remote_suite.run(projects, settings, memory, aws, ConsoleProgress())


def _compare(earlier: Report, report: Report, *, fail: bool) -> None:
    from pyl.bench import compare

    changes = compare.changes(earlier, report)
    console = Console(highlight=False)
    for line in compare.describe(earlier, report, changes):
        console.print(line)
    worse = [change for change in changes if change.worse]
    if fail and worse:
        msg = f"{len(worse)} of {len(changes)} figures became worse since {earlier.created}"
        raise FunctionFailed(msg)
