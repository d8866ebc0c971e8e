"""Measures cold starts by the number of imported modules, and by the package's size."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from benchmarks import generated
from pyl.bench import case, suite
from pyl.bench.figures import Series
from pyl.bench.rounds import Contestants, Plan
from pyl.errors import PylError
from pyl.progress import Progress
from pyl.project import load_project

CASE = "growth"
MODULES = (0, 100, 500, 2000)
MEGABYTES = (10, 50, 150)
PLAN = Plan(least=8, most=25, precision=0.03, seconds=45)

_HANDLER = """\
{imports}
from pyl import function


@function
def grown(context, event):
    return event
"""


def measure(settings: suite.Settings, results: suite.RunResults, progress: Progress) -> None:
    """Build and measure a project for each number of modules, and for each size of a data file."""
    with tempfile.TemporaryDirectory(prefix="pyl-growth-") as temporary:
        folder = Path(temporary)
        for count in MODULES:
            _measure_one(folder, f"{count} modules", {"grown": count}, settings, results, progress)
        for size in MEGABYTES:
            _measure_one(folder, f"{size} MB more", {"ballast": size}, settings, results, progress)


def _measure_one(
    folder: Path,
    condition: str,
    kind: dict[str, int],
    settings: suite.Settings,
    results: suite.RunResults,
    progress: Progress,
) -> None:
    """Build and measure one project. A build that fails is noted, and the others go on."""
    root = folder / condition.replace(" ", "-")
    write(root, kind.get("grown", 0), kind.get("ballast", 0))
    try:
        project = load_project(root, environ=os.environ)
        facts: list[str] = [f"{CASE}, {condition}"]
        packages = suite.make_packages(project, settings_to_build(settings), results, progress, cases=facts)
        with (
            suite.unpacked_variants(packages, settings, results) as variants,
            Contestants(CASE, variants, project.functions[0], region="us-east-1") as contestants,
            suite.record_failures(contestants, results, progress),
            progress.step(f"{CASE}: {condition}"),
        ):
            series = case.cold_starts(contestants, b"{}", PLAN.within(settings.plan), progress.detail)
        results.series += _renamed(series, condition)
    except PylError as error:
        results.notes.append(f"{CASE}, {condition}: not measured: {error.message.splitlines()[0]}")


def settings_to_build(settings: suite.Settings) -> suite.Settings:
    """Return the settings with builds turned on: generated projects have no packages yet."""
    return replace(settings, build=True)


def write(root: Path, modules: int, megabytes: int) -> None:
    """Write a project whose only function imports `modules` generated modules, with `megabytes` of other data."""
    dependencies: tuple[str, ...] = ()
    imports = ""
    if modules or megabytes:
        files = generated.modules("grown_package", modules) if modules else {"grown_package/__init__.py": b""}
        if megabytes:
            files["grown_package/ballast.bin"] = generated.incompressible(megabytes * 1_000_000)
        wheels = root.with_name(f"{root.name}-wheel")
        wheels.mkdir()
        wheel = generated.write_wheel(wheels, "grown_package", files)
        dependencies = (f"grown_package @ {wheel.as_uri()}",)
        imports = "import grown_package\n"
    source = _HANDLER.format(imports=imports)
    generated.write_project(root, "growth", source, functions=("grown",), dependencies=dependencies, event=b"{}")


def _renamed(series: Iterable[Series], condition: str) -> list[Series]:
    measures = {"cold_start", "init", "peak_memory"}
    return [replace(item, condition=condition) for item in series if item.measure in measures]
