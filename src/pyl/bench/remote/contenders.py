"""What is deployed for a comparison: the suite's variants, each as a zip and a runtime of Lambda."""

from __future__ import annotations

import datetime as dt
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pyl.architecture import Architecture
from pyl.bench import programs
from pyl.bench.variants import FLOOR, INTERPRETED, NATIVE, PLAIN, TITLES
from pyl.errors import UsageError
from pyl.image.file.names import FILES, IMAGE
from pyl.packaging import archive, interpreted
from pyl.packaging.lifecycle import runtime_for
from pyl.project.config.model import BenchVariant
from pyl.project.model import Project


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A package and the runtime that it is for."""

    name: str
    title: str
    package: Path
    runtime: str


def contenders(
    project: Project,
    interpreted_zip: Path,
    native_zip: Path,
    further: Sequence[BenchVariant],
    *,
    scratch: Path,
    today: dt.date,
) -> list[Contender]:
    """The variants of a project; zips that are not there are made in `scratch`."""
    custom = runtime_for(project.configuration.target, today, present=None)
    found = [_contender(INTERPRETED, interpreted_zip, interpreted.runtime())]
    if _has_image(native_zip):
        found.append(_contender(NATIVE, native_zip, custom))
        found.append(_contender(PLAIN, _without_image(native_zip, scratch), custom))
    else:
        found.append(_contender(PLAIN, native_zip, custom))
    if project.configuration.architecture is Architecture.X86_64:
        found.append(_contender(FLOOR, _zipped(programs.floor(), scratch / "floor.zip"), custom))
    found += [
        Contender(
            name=variant.name,
            title=f"{variant.path.name}, as the user gave it",
            package=_packaged(variant.name, variant.path, scratch),
            runtime=custom,
        )
        for variant in further
    ]
    return found


def _contender(name: str, package: Path, runtime: str) -> Contender:
    return Contender(name=name, title=f"{TITLES[name]}, {runtime}", package=package, runtime=runtime)


def _has_image(package: Path) -> bool:
    with zipfile.ZipFile(package) as opened:
        return IMAGE in opened.namelist()


def _without_image(package: Path, scratch: Path) -> Path:
    """The package, as it is but for its image."""
    target = scratch / "native-plain.zip"
    with zipfile.ZipFile(package) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            if info.filename not in FILES:
                new.writestr(info, old.read(info))
    return target


def _packaged(name: str, path: Path, scratch: Path) -> Path:
    """A zip, folder or executable of the user's as a zip with a `bootstrap`."""
    if not path.exists():
        msg = f"the variant {name} is at {path}, where nothing is"
        raise UsageError(msg, hint=f"build it first, or correct `path` in [tool.pyl.bench.{name}]")
    if path.is_file() and path.suffix != ".zip":
        folder = scratch / f"variant-{name}"
        folder.mkdir()
        shutil.copy(path, folder / "bootstrap")
        path = folder
    package = _zipped(path, scratch / f"variant-{name}.zip") if path.is_dir() else path
    with zipfile.ZipFile(package) as opened:
        if "bootstrap" not in opened.namelist():
            msg = f"the variant {name} has no file `bootstrap`"
            raise UsageError(msg, hint="a variant is a folder or a zip with an executable `bootstrap`, or such a file")
    return package


def _zipped(folder: Path, target: Path) -> Path:
    archive.write(folder, target)
    return target
