"""Measures warm invocations of handlers that compute, to show where compiled code is faster, and where slower."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks import generated, workloads
from benchmarks.growth import settings_to_build
from pyl.bench import case, suite, variants
from pyl.bench.case import PAYLOADS, Payload
from pyl.bench.rounds import Contestants, Plan
from pyl.errors import PylError
from pyl.progress import Progress
from pyl.project import load_project

CASE = "compute"
FUNCTIONS = ("echo", "numbers", "objects", "text", "transform")
PLAN = Plan(least=6, most=12, precision=0.03, seconds=30)


def measure(settings: suite.Settings, results: suite.RunResults, progress: Progress) -> None:
    """Build one project with all workloads, and measure each of them. A build that fails is noted."""
    source = Path(workloads.__file__).read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="pyl-compute-") as temporary:
        folder = Path(temporary) / CASE
        generated.write_project(folder, CASE, source, functions=FUNCTIONS, event=b"{}")
        try:
            project = load_project(folder, environ=os.environ)
            packages = suite.make_packages(project, settings_to_build(settings), results, progress, cases=[CASE])
        except PylError as error:
            results.notes.append(f"{CASE}: not measured: {error.message.splitlines()[0]}")
            return
        with suite.unpacked_variants(packages, settings, results) as measured_variants:
            computing = [variant for variant in measured_variants if variant.name in _COMPUTING]
            for function in project.functions:
                payloads = [Payload(title=function.name, event=b"{}", invocations=200)]
                if function.name == "echo":
                    payloads = [replace(item, title=f"echo, {item.title}") for item in PAYLOADS]
                with (
                    Contestants(CASE, computing, function, region="us-east-1") as contestants,
                    suite.record_failures(contestants, results, progress),
                    progress.step(f"{CASE}: {function.name}"),
                ):
                    series = case.warm_invocations(contestants, payloads, PLAN.within(settings.plan), progress.detail)
                    results.keep(item for item in series if item.measure in {"warm_p50", "warm_processor"})


_COMPUTING = {variants.INTERPRETED, variants.NATIVE, variants.PLAIN}
"""Names of the variants to measure. The baseline runtimes compute nothing."""
