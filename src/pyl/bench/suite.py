"""Runs the benchmark: builds the packages, measures every case, and writes the report."""

from __future__ import annotations

import datetime as dt
import json
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from pyl.bench import case, machine, notes, variants
from pyl.bench.case import PAYLOADS, Payload
from pyl.bench.figures import Failure, PackageFacts, Report, Series
from pyl.bench.rounds import Contestants, Plan
from pyl.bench.variants import INTERPRETED, NATIVE, Variant
from pyl.errors import PylError, UsageError
from pyl.events import samples
from pyl.packaging.locations import package_folder, package_path
from pyl.progress import Progress
from pyl.project.config.model import BenchVariant
from pyl.project.model import Function, Project

_PLAIN_JSON = {"Any", "typing.Any", "dict", "list", "object"}
"""Annotations of events that accept any JSON, so that payloads of several sizes can be sent."""

COLD_PLAN = Plan()
WARM_PLAN = Plan(least=7, most=20, precision=0.03, seconds=20)
CONCURRENT_PLAN = Plan(least=6, most=10, precision=0.05, seconds=40)
CONCURRENT_ENVIRONMENTS = (1, 8, 64)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What to measure, and for how long."""

    plan: Plan = COLD_PLAN
    warm_plan: Plan = WARM_PLAN
    build: bool = True
    """False to measure the packages that exist."""
    functions: tuple[str, ...] = ()
    """Names of functions; empty for all."""
    further: tuple[BenchVariant, ...] = ()
    """Variants besides the suite's own and those of each project's configuration."""
    cold_cache: bool = True
    concurrent_cold_starts: bool = False
    memory_sizes: bool = False


@dataclass
class RunResults:
    """What a run has measured so far."""

    series: list[Series] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    packages: list[PackageFacts] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    titles: dict[str, str] = field(default_factory=dict)

    def keep(self, measured: Iterable[Series]) -> None:
        """Add each series as soon as it is measured, so that an interrupt loses none that is complete."""
        for series in measured:
            self.series.append(series)


@dataclass(frozen=True, kw_only=True)
class Packages:
    """The two packages of a project."""

    interpreted: Path
    native: Path


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A run's report, and what ended the run early, if anything."""

    report: Report
    stopped: BaseException | None = None
    """Ctrl-C, or a package that could not be built. The report has what was measured until then."""


Measurement = Callable[[Settings, RunResults, Progress], None]
"""Adds series to the results of a run."""


def run(
    projects: Sequence[Project], settings: Settings, progress: Progress, *, additional: Sequence[Measurement] = ()
) -> Outcome:
    """Measure the projects' functions in all variants.

    A variant that fails is recorded in the report, and the others go on.

    Args:
        projects: The projects to measure.
        settings: What to measure, and for how long.
        progress: Receives steps and notes.
        additional: Measurements to make after those of the projects.

    Raises:
        BuildError: A package cannot be built, and nothing has been measured yet.
    """
    begun = time.monotonic()
    created = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    watch = machine.NoiseWatch()
    results = RunResults()
    facts = machine.describe(projects[0].root)
    stopped: BaseException | None = None
    try:
        for project in projects:
            _measure_project(project, settings, results, progress)
        for measure in additional:
            measure(settings, results, progress)
    except (KeyboardInterrupt, SystemExit, PylError) as error:
        if not results.series:
            raise
        stopped = error
        results.notes.insert(0, notes.interruption(error))
    report = Report(
        created=created,
        seconds=round(time.monotonic() - begun, 1),
        machine=facts,
        settings=_recorded(settings),
        variants=results.titles,
        series=tuple(results.series),
        packages=tuple(results.packages),
        failures=tuple(results.failures),
        notes=(*dict.fromkeys(results.notes), *watch.notes(), *notes.uncertainties(results.series, settings.plan)),
    )
    return Outcome(report=report, stopped=stopped)


def _measure_project(project: Project, settings: Settings, results: RunResults, progress: Progress) -> None:
    chosen = chosen_functions(project, settings)
    settings = with_own_variants(settings, project)
    packages = make_packages(project, settings, results, progress, cases=[name_of(project, f) for f in chosen])
    with unpacked_variants(packages, settings, results) as contestants:
        for function in chosen:
            measure_function(project, function, contestants, settings, results, progress)


def chosen_functions(project: Project, settings: Settings) -> list[Function]:
    """Return the functions to measure.

    Raises:
        UsageError: The project has none of the functions that `settings` name.
    """
    chosen = [f for f in project.functions if not settings.functions or f.name in settings.functions]
    if not chosen:
        msg = f"{project.name} has none of the functions {', '.join(settings.functions)}"
        raise UsageError(msg, hint=f"its functions are {', '.join(function.name for function in project.functions)}")
    return chosen


def with_own_variants(settings: Settings, project: Project) -> Settings:
    """Return the settings with the variants of the project's configuration, unless they name those already."""
    names = {variant.name for variant in settings.further}
    own = (variant for variant in project.configuration.bench if variant.name not in names)
    return replace(settings, further=(*settings.further, *own))


def name_of(project: Project, function: Function) -> str:
    """Return the case's name: the project's, and the function's if the project's alone is ambiguous."""
    only = len(project.functions) == 1 or function.name == project.name
    return project.name if only else f"{project.name}.{function.name}"


def make_packages(
    project: Project, settings: Settings, results: RunResults, progress: Progress, *, cases: Sequence[str]
) -> Packages:
    """Build or find the project's packages, and record facts about them for each of `cases`.

    Raises:
        UsageError: `settings` ask for existing packages, and there are none.
    """
    out = package_folder(project)
    packages = Packages(interpreted=package_path(project, "interpreted"), native=package_path(project, "native"))
    build_seconds: dict[str, float | None] = {INTERPRETED: None, NATIVE: None}
    if settings.build:
        from pyl.packaging import builders, interpreted

        for kind, build in ((INTERPRETED, interpreted.build), (NATIVE, builders.build)):
            progress.note(f"{project.name}: building the {kind} package")
            begun = time.monotonic()
            build(project, out, progress)
            build_seconds[kind] = round(time.monotonic() - begun, 2)
    for kind, path in ((INTERPRETED, packages.interpreted), (NATIVE, packages.native)):
        if not path.exists():
            msg = f"there is no package {path}"
            raise UsageError(msg, hint="run `pyl bench` without --no-build, so that it builds the package")
        for name in cases:
            results.packages.append(_facts(name, kind, path, build_seconds[kind]))
    return packages


def _facts(name: str, kind: str, path: Path, seconds: float | None) -> PackageFacts:
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(info.file_size for info in archive.infolist())
        image = None
        reasons: tuple[str, ...] = ()
        if kind == NATIVE:
            image_report = json.loads(archive.read("pyl/manifest.json")).get("image", {})
            image, reasons = image_report.get("kind", "none"), tuple(image_report.get("reasons", ()))
    return PackageFacts(
        case=name,
        variant=kind,
        zip_bytes=path.stat().st_size,
        unpacked_bytes=unpacked,
        build_seconds=seconds,
        image=image,
        image_reasons=reasons,
    )


@contextmanager
def unpacked_variants(packages: Packages, settings: Settings, results: RunResults) -> Iterator[list[Variant]]:
    """Unpack the variants to measure, and note which ones this machine cannot provide."""
    with ExitStack() as stack:
        contestants = stack.enter_context(variants.own(packages.interpreted, packages.native))
        contestants += [stack.enter_context(variants.further(variant)) for variant in settings.further]
        results.titles.update({variant.name: variant.title for variant in contestants})
        results.notes += notes.machine_limits()
        if NATIVE not in results.titles:
            results.notes.append("the native package has no process image, so only its plain start was measured")
        if variants.GLIBC_BASELINE not in results.titles:
            results.notes.append("this machine has no static glibc, so the only baseline is the program with musl")
        yield contestants


def measure_function(
    project: Project,
    function: Function,
    measured_variants: Sequence[Variant],
    settings: Settings,
    results: RunResults,
    progress: Progress,
) -> None:
    """Measure one function in all variants."""
    name = name_of(project, function)
    event = event_of(function, results.notes.append)
    if settings.cold_cache and any(facts.case == name and facts.image == "full" for facts in results.packages):
        results.notes += notes.lack_of_warm_up(function)
    on_progress = progress.detail
    with (
        Contestants(name, measured_variants, function, region=project.configuration.region) as contestants,
        record_failures(contestants, results, progress),
    ):
        with progress.step(f"{name}: cold starts, page cache warm"):
            results.series += case.cold_starts(contestants, event, settings.plan, on_progress)
        if settings.cold_cache:
            with progress.step(f"{name}: cold starts, page cache cold"):
                results.series += case.uncached_cold_starts(
                    contestants, event, settings.plan, on_progress, results.notes.append
                )
        with progress.step(f"{name}: warm invocations"):
            results.keep(
                case.warm_invocations(contestants, payloads_of(function, event), settings.warm_plan, on_progress)
            )
        if settings.concurrent_cold_starts:
            with progress.step(f"{name}: fresh environments at once"):
                results.keep(
                    case.concurrent_cold_starts(
                        contestants, event, CONCURRENT_ENVIRONMENTS, CONCURRENT_PLAN.within(settings.plan), on_progress
                    )
                )
        if settings.memory_sizes:
            from pyl.bench import memory_sizes

            with progress.step(f"{name}: processor share by memory size"):
                results.keep(memory_sizes.measure(contestants, event, settings.plan, on_progress, results.notes.append))


@contextmanager
def record_failures(contestants: Contestants, results: RunResults, progress: Progress) -> Iterator[None]:
    """Add failures and remarks to the results at the end of the block, also when the run is interrupted."""
    try:
        yield
    finally:
        results.failures += contestants.failures
        results.notes += contestants.remarks
        for failure in contestants.failures:
            progress.note(
                f"{contestants.case}: {failure.variant} failed and is not measured any further: {failure.reason}"
            )


def event_of(function: Function, note: Callable[[str], None]) -> bytes:
    """Return the function's event: from its file, else a sample for the type of its event, else `{}`."""
    if function.configuration.event is not None:
        return function.configuration.event.read_bytes()
    kind = (function.event or "").rsplit(".", 1)[-1].lower().removesuffix("event")
    if kind in samples.names():
        return samples.load(kind)
    note(f"{function.name} was invoked with {{}}: it has no `event` in its table of pyproject.toml")
    return b"{}"


def payloads_of(function: Function, event: bytes) -> list[Payload]:
    """Return the function's own event, and payloads of several sizes if it accepts any JSON."""
    own = [Payload(title="its own event", event=event)]
    return [*own, *PAYLOADS] if (function.event or "Any").split("[")[0] in _PLAIN_JSON else own


def _recorded(settings: Settings) -> dict[str, object]:
    return {
        "least_rounds": settings.plan.least,
        "most_rounds": settings.plan.most,
        "precision": settings.plan.precision,
        "seconds": settings.plan.seconds,
        "further": [variant.name for variant in settings.further],
    }
