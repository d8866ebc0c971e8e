"""A whole run on AWS: builds the packages, deploys, measures, deletes, and gathers the report."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import platform
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pyl.bench import machine
from pyl.bench.figures import Report
from pyl.bench.remote.contenders import contenders
from pyl.bench.remote.measurement import Remote
from pyl.bench.remote.throwaway import deployed
from pyl.bench.suite import (
    Gathered,
    Outcome,
    Settings,
    chosen_functions,
    event_of,
    interruption,
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
    """Measure the projects' functions on AWS, with these memory sizes (none: that of their configuration).

    Everything that was deployed is deleted before this returns or raises. A contender that fails is in the report,
    and the rest goes on; `AWSError` when AWS refuses something before anything was measured.
    """
    begun = time.monotonic()
    created = dt.datetime.now(dt.UTC)
    found = Gathered()
    stopped: BaseException | None = None
    try:
        for project in projects:
            _measure_project(project, settings, memory, aws, found, progress, today=created.date())
    except (KeyboardInterrupt, SystemExit, PylError) as error:
        if not found.series:
            raise
        stopped = error
        found.notes.insert(0, interruption(error))
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
        variants=found.titles,
        series=tuple(found.series),
        packages=tuple(found.packages),
        failures=tuple(found.failures),
        notes=tuple(dict.fromkeys(found.notes)),
    )
    return Outcome(report=report, stopped=stopped)


def _measure_project(
    project: Project,
    settings: Settings,
    memory: Sequence[int],
    aws: AWS,
    found: Gathered,
    progress: Progress,
    *,
    today: dt.date,
) -> None:
    functions = chosen_functions(project, settings)
    settings = with_own_variants(settings, project)
    names = [name_of(project, function) for function in functions]
    packages = make_packages(project, settings, found, progress, cases=names)
    with tempfile.TemporaryDirectory(prefix="pyl-bench-") as scratch:
        further = [variant for variant in settings.further if variant.command == DEFAULT_COMMAND]
        found.notes += [_not_deployed(variant) for variant in settings.further if variant not in further]
        contending = contenders(
            project, packages.interpreted, packages.native, further, scratch=Path(scratch), today=today
        )
        found.titles.update({contender.name: contender.title for contender in contending})
        for function, name in zip(functions, names, strict=True):
            event = event_of(function, found.notes.append)
            with deployed(aws, project, function, contending, progress) as throwaways:
                remote = Remote(aws, name, throwaways, event, progress, warm=WARM)
                try:
                    _measure_function(remote, function, memory, settings, found, progress)
                finally:
                    found.failures += remote.failures
                    if remote.not_counted:
                        found.notes.append(_not_counted(name, remote.not_counted))


def _measure_function(
    remote: Remote,
    function: Function,
    memory: Sequence[int],
    settings: Settings,
    found: Gathered,
    progress: Progress,
) -> None:
    for megabytes in memory or (function.configuration.memory,):
        with progress.step(f"{remote.case}: {megabytes} MB"):
            found.series += remote.measure(megabytes, settings.plan)


def _not_deployed(variant: BenchVariant) -> str:
    return f"{variant.name} was not measured: its command is one of this machine, and AWS starts a `bootstrap`"


def _not_counted(case: str, count: int) -> str:
    times = "once" if count == 1 else f"{count} times"
    return (
        f"{case}: {times} an invocation was cold where it should be warm, or warm where it should be cold; not counted"
    )


def _facts(project: Project, aws: AWS) -> dict[str, Any]:
    """Where it ran; the account is nobody's business."""
    return {
        "lambda": f"AWS Lambda in {aws.region}, {project.configuration.architecture}",
        "region": aws.region,
        "architecture": project.configuration.architecture,
        "python": platform.python_version(),
        "pyl": importlib.metadata.version("pyl"),
        "commit": machine.commit(project.root),
    }
