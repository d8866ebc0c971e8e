"""The conformance project as native packages, and how they are started."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from integration.projects import run, write_project
from pyl.image.file import names
from pyl.packaging.extraction import unpacked
from pyl.sandbox import execution
from unit.runtime.api_server import PROJECT, RuntimeCommand
from unit.runtime.project.functions import TABLE

DEPENDENCIES = ("pydantic", "snapshot-restore-py")
DECORATED = ("handlers", "models", "streams")
REFUSED = frozenset(("broken_syntax", "broken_signature", "missing_attribute"))
"""What `pyl build` refuses, so that no package can hold it."""
LATE = frozenset(("broken_import", "broken_value", "broken_exit", "log_setup"))
"""Functions that show something while their modules are imported, which no process image can hold."""


@dataclass(frozen=True)
class NativeCommand(RuntimeCommand):
    """A native package at `/var/task`, as Lambda has it."""

    package: Path = Path()
    compiled: bool = True

    def command(self, variables: Mapping[str, str]) -> list[str]:
        function = variables["_HANDLER"].rpartition(".")[2]
        if function in REFUSED:
            pytest.skip("`pyl build` refuses such a function")
        if function in LATE and self.name == "image":
            pytest.skip("a package with such a function has no full image")
        return execution.command(["/var/task/bootstrap"], task=self.package, environment=variables)

    @contextmanager
    def shared_folder(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:  # in the sandbox /tmp is empty
            yield Path(folder)


def build(project: Path) -> Path:
    """Build the native package; returns the folder in which it is unpacked."""
    places = {name: TABLE[name] for name in sorted(frozenset(TABLE) - LATE - REFUSED)}
    modules = {_module(place) for place in places.values()}
    adopted = {name: place for name, place in places.items() if _module(place) not in DECORATED}
    tables = [f'[tool.pyl.functions.{name}]\nhandler = "{place}"\n' for name, place in adopted.items()]
    project.mkdir()
    write_project(
        project,
        {f"{module}.py": (PROJECT / f"{module}.py").read_text("utf-8") for module in modules},
        dependencies=DEPENDENCIES,
        configuration="".join([*tables, '[tool.pyl.native]\nimage = "require"\nallow_failing_imports = true\n']),
    )
    report = run("build", "--native", "--json", "--project", project).succeeded().json
    with unpacked(Path(report["package"])) as folder:
        return Path(shutil.copytree(folder, project / "unpacked"))


def starting_plainly(package: Path) -> Path:
    """A copy without a process image, and with the modules that none can hold (as sources: compiling them would show
    nothing more)."""
    copy = Path(shutil.copytree(package, package.with_name("plain")))
    names.remove(copy)
    site = copy / "pyl" / "app" / "site"
    for name in LATE:
        shutil.copy(PROJECT / f"{_module(TABLE[name])}.py", site)
    for name in ("functions.py", "functions.pyc"):
        (site / name).unlink(missing_ok=True)
    (site / "functions.py").write_text(f"TABLE = {TABLE!r}\n", "utf-8")
    return copy


def _module(place: str) -> str:
    return place.partition(":")[0]
