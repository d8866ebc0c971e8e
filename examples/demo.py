"""Builds an example both ways, invokes it with a sample SQS event, and shows what native changes.

make demo                        # examples/sqs, function notify
python examples/demo.py orders order event
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from pyl.cli.build import build_interpreted, build_native
from pyl.cli.invoke import find_function, sample_event
from pyl.emulator.environment import Environment, Outcome
from pyl.errors import PylError
from pyl.packaging.extraction import unpacked
from pyl.packaging.package import Package
from pyl.project import load_project
from pyl.project.model import Function, Project

ROUNDS = 5
"""Cold starts of each package, taken in turns; the medians are shown."""


def main(example: str = "sqs", name: str = "notify", event: str = "sqs") -> None:
    """Run the demo for one function of one example."""
    console = Console(highlight=False, soft_wrap=True)
    project = load_project(Path(__file__).parent / example, environ=os.environ, overrides={"native.builder": "local"})
    function = find_function(project, name)
    out = project.root / "build" / "pyl"
    console.print(f"[bold]pyl build[/]            examples/{example}, for a managed runtime")
    interpreted = build_interpreted(project, out)
    console.print(f"[bold]pyl build --native[/]   examples/{example}, for {project.configuration.target}")
    native = build_native(project, out)
    console.print(f"[bold]pyl invoke {name}[/]    {ROUNDS} cold starts each, in the emulator, with a sample event")
    outcomes = _cold_starts(project, function, [interpreted, native], sample_event(function, event))
    console.print(f"\nanswer: {outcomes[native.kind][0].payload.decode()}\n")
    console.print(_table(interpreted, native, outcomes))
    if native.image.kind != "full":
        console.print(f"process image: {native.image.kind} ({'; '.join(native.image.reasons)})")


def _cold_starts(
    project: Project, function: Function, packages: list[Package], event: bytes
) -> dict[str, list[Outcome]]:
    outcomes: dict[str, list[Outcome]] = {package.kind: [] for package in packages}
    with _all_unpacked(packages) as folders, tempfile.TemporaryFile() as logs:
        for _ in range(ROUNDS):
            for kind, task in folders.items():
                with Environment(task, function, region=project.configuration.region, logs=logs) as environment:
                    outcome = environment.invoke(event)
                if outcome.error:
                    logs.seek(0)
                    msg = f"{function.name} ({kind}) reported {outcome.error}:\n{logs.read().decode()}"
                    raise PylError(msg)
                outcomes[kind].append(outcome)
    return outcomes


@contextmanager
def _all_unpacked(packages: list[Package]) -> Iterator[dict[str, Path]]:
    first, second = packages
    with unpacked(first.path) as one, unpacked(second.path) as two:
        yield {first.kind: one, second.kind: two}


def _table(interpreted: Package, native: Package, outcomes: dict[str, list[Outcome]]) -> Table:
    def cold(package: Package) -> float:
        return statistics.median(outcome.cold_start or 0 for outcome in outcomes[package.kind]) * 1000

    def memory(package: Package) -> float:
        return statistics.median(outcome.max_memory for outcome in outcomes[package.kind]) / 1e6

    table = Table("", "interpreted", "native", "ratio")
    for title, unit, of in (("cold start", "ms", cold), ("peak memory", "MB", memory)):
        one, two = of(interpreted), of(native)
        table.add_row(title, f"{one:.1f} {unit}", f"{two:.1f} {unit}", f"{one / two:.1f} x")
    sizes = interpreted.bytes / 1e6, native.bytes / 1e6
    table.add_row("zip", f"{sizes[0]:.1f} MB", f"{sizes[1]:.1f} MB", "")
    return table


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except PylError as error:
        sys.exit(f"error: {error.message}" + (f"\n  hint: {error.hint}" if error.hint else ""))
