"""Runs the benchmark on AWS: builds the packages, deploys, measures, deletes, and writes the report."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import platform
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pyl.bench import machine, notes
from pyl.bench.figures import Report
from pyl.bench.remote.measurement import Remote
from pyl.bench.remote.throwaway import deployed
from pyl.bench.remote.variant_packages import variant_packages
from pyl.bench.suite import (
    Outcome,
    RunResults,
    Settings,
    chosen_functions,
    event_of,
    make_packages,
    name_of,
    with_own_variants,
)
from pyl.deploy.aws import AWS
from pyl.errors import PylError
from pyl.progress import Progress
from pyl.project.config.model import DEFAULT_COMMAND, BenchVariant
from pyl.project.model import Function, Project

WARM = 5
"""Warm invocations after each cold start; their median is one sample."""


def run(
    projects: Sequence[Project], settings: Settings, memory: Sequence[int], aws: AWS, progress: Progress
) -> Outcome:
    """Measure the projects' functions on AWS.

    Everything that was deployed is deleted before this returns or raises. A variant that fails is recorded in the
    report, and the others are measured further.

    Args:
        projects: The projects to measure.
        settings: What to measure, and for how long.
        memory: Memory sizes in MB; empty for the size that each function is configured with.
        aws: Clients for the account and region to measure in.
        progress: Receives steps and notes.

    Raises:
        AWSError: AWS refuses something before anything was measured.
    """
    begun = time.monotonic()
    created = dt.datetime.now(dt.UTC)
    results = RunResults()
    stopped: BaseException | None = None
    try:
        for project in projects:
            _measure_project(project, settings, memory, aws, results, progress, today=created.date())
    except (KeyboardInterrupt, SystemExit, PylError) as error:
        if not results.series:
            raise
        stopped = error
        results.notes.insert(0, notes.interruption(error))
    report = Report(
        created=created.isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - begun, 1),
        machine=_facts(projects[0], aws),
        settings={
            "least_rounds": settings.plan.least,
            "most_rounds": settings.plan.most,
            "precision": settings.plan.precision,
            "seconds": settings.plan.seconds,
            "warm": WARM,
        },
        variants=results.titles,
        series=tuple(results.series),
        packages=tuple(results.packages),
        failures=tuple(results.failures),
        notes=tuple(dict.fromkeys(results.notes)),
    )
    return Outcome(report=report, stopped=stopped)


def _measure_project(
    project: Project,
    settings: Settings,
    memory: Sequence[int],
    aws: AWS,
    results: RunResults,
    progress: Progress,
    *,
    today: dt.date,
) -> None:
    functions = chosen_functions(project, settings)
    settings = with_own_variants(settings, project)
    names = [name_of(project, function) for function in functions]
    packages = make_packages(project, settings, results, progress, cases=names)
    with tempfile.TemporaryDirectory(prefix="pyl-bench-") as scratch:
        further = [variant for variant in settings.further if variant.command == DEFAULT_COMMAND]
        results.notes += [_not_deployed(variant) for variant in settings.further if variant not in further]
        deployable = variant_packages(
            project, packages.interpreted, packages.native, further, scratch=Path(scratch), today=today
        )
        results.titles.update({variant_package.name: variant_package.title for variant_package in deployable})
        for function, name in zip(functions, names, strict=True):
            event = event_of(function, results.notes.append)
            with deployed(aws, project, function, deployable, progress) as throwaways:
                remote = Remote(aws, name, throwaways, event, progress, warm=WARM)
                try:
                    _measure_function(remote, function, memory, settings, results, progress)
                finally:
                    results.failures += remote.failures
                    if remote.not_counted:
                        results.notes.append(_not_counted(name, remote.not_counted))


def _measure_function(
    remote: Remote,
    function: Function,
    memory: Sequence[int],
    settings: Settings,
    results: RunResults,
    progress: Progress,
) -> None:
    for megabytes in memory or (function.configuration.memory,):
        with progress.step(f"{remote.case}: {megabytes} MB"):
            results.series += remote.measure(megabytes, settings.plan)


def _not_deployed(variant: BenchVariant) -> str:
    return f"{variant.name} was not measured: it sets a command, which runs on this machine only; AWS runs `bootstrap`"


def _not_counted(case: str, count: int) -> str:
    what = "invocation was" if count == 1 else "invocations were"
    return f"{case}: {count} {what} not counted: cold instead of warm, or warm instead of cold"


def _facts(project: Project, aws: AWS) -> dict[str, Any]:
    """Return what a reader must know about the run. The account is left out: reports get published."""
    return {
        "lambda": f"AWS Lambda in {aws.region}, {project.configuration.architecture}",
        "region": aws.region,
        "architecture": project.configuration.architecture,
        "python": platform.python_version(),
        "pyl": importlib.metadata.version("pyl"),
        "commit": machine.commit(project.root),
    }
