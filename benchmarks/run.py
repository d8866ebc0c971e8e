"""Runs pyl's own benchmark on the examples hello and orders, and checks the targets of `benchmarks/targets.py`.

Usage: `python -m benchmarks.run --help`.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import click

from benchmarks import compute, growth, targets
from pyl.bench import suite
from pyl.bench.rounds import Plan
from pyl.cli import bench_report
from pyl.cli.bench_options import measurement_options, report_options
from pyl.cli.progress import ConsoleProgress
from pyl.errors import PylError
from pyl.project import load_project

EXAMPLES = Path(__file__).parents[1] / "examples"
MEASUREMENTS = {"growth": growth.measure, "compute": compute.measure}


@click.command()
@click.option(
    "--also", type=click.Choice([*MEASUREMENTS, "crowds", "memory"]), multiple=True, help="Measure this as well."
)
@measurement_options(default_seconds="60")
@report_options()
def main(
    also: tuple[str, ...],
    no_build: bool,
    rounds: int,
    seconds: float | None,
    json_file: Path | None,
    html_file: Path | None,
    markdown_file: Path | None,
) -> None:
    """Measure the examples hello and orders as native and interpreted packages, and check the targets."""
    if html_file:
        bench_report.require_plots()
    projects = [load_project(EXAMPLES / name, environ=os.environ) for name in ("hello", "orders")]
    longest = seconds or 60.0
    settings = suite.Settings(
        plan=Plan(least=min(10, rounds), most=rounds, seconds=longest, precision=0.03),
        warm_plan=Plan(least=min(7, rounds), most=min(20, rounds), seconds=longest / 3),
        build=not no_build,
        functions=("hello", "order"),
        concurrent_cold_starts="crowds" in also,
        memory_sizes="memory" in also,
    )
    additional = [measure for name, measure in MEASUREMENTS.items() if name in also]
    try:
        outcome = suite.run(projects, settings, ConsoleProgress(), additional=additional)
    except PylError as error:
        raise click.ClickException("\n".join(filter(None, (error.message, error.hint)))) from error
    report = replace(outcome.report, targets=targets.judge(outcome.report))
    bench_report.write(report, json_file, html_file, markdown_file)
    bench_report.print_tables(report)
    if outcome.stopped:
        raise outcome.stopped
    if report.failures:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
