"""The packages to deploy for a comparison on AWS: one zip and one Lambda runtime for each variant."""

from __future__ import annotations

import datetime as dt
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pyl.architecture import Architecture
from pyl.bench import programs
from pyl.bench.variants import BASELINE, INTERPRETED, NATIVE, PLAIN, TITLES
from pyl.errors import UsageError
from pyl.image.file.names import FILES, IMAGE
from pyl.packaging import archive, interpreted
from pyl.packaging.lifecycle import runtime_for
from pyl.project.config.model import BenchVariant
from pyl.project.model import Project


@dataclass(frozen=True, kw_only=True)
class VariantPackage:
    """A variant's package, and the Lambda runtime that it is made for."""

    name: str
    title: str
    package: Path
    runtime: str


def variant_packages(
    project: Project,
    interpreted_zip: Path,
    native_zip: Path,
    further: Sequence[BenchVariant],
    *,
    scratch: Path,
    today: dt.date,
) -> list[VariantPackage]:
    """Return the packages of a project's variants. Zips that do not exist yet are written to `scratch`."""
    custom = runtime_for(project.configuration.target, today, present=None)
    packages = [_variant_package(INTERPRETED, interpreted_zip, interpreted.runtime())]
    if _has_image(native_zip):
        packages.append(_variant_package(NATIVE, native_zip, custom))
        packages.append(_variant_package(PLAIN, _without_image(native_zip, scratch), custom))
    else:
        packages.append(_variant_package(PLAIN, native_zip, custom))
    if project.configuration.architecture is Architecture.X86_64:
        packages.append(_variant_package(BASELINE, _zipped(programs.baseline_runtime(), scratch / "floor.zip"), custom))
    packages += [
        VariantPackage(
            name=variant.name,
            title=f"{variant.path.name}, as the user provided it",
            package=_packaged(variant.name, variant.path, scratch),
            runtime=custom,
        )
        for variant in further
    ]
    return packages


def _variant_package(name: str, package: Path, runtime: str) -> VariantPackage:
    return VariantPackage(name=name, title=f"{TITLES[name]}, {runtime}", package=package, runtime=runtime)


def _has_image(package: Path) -> bool:
    with zipfile.ZipFile(package) as opened:
        return IMAGE in opened.namelist()


def _without_image(package: Path, scratch: Path) -> Path:
    """Write a copy of the package without its process image."""
    target = scratch / "native-plain.zip"
    with zipfile.ZipFile(package) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            if info.filename not in FILES:
                new.writestr(info, old.read(info))
    return target


def _packaged(name: str, path: Path, scratch: Path) -> Path:
    """Return the user's zip, folder or executable as a zip with a `bootstrap`."""
    if not path.exists():
        msg = f"the variant {name} does not exist: there is nothing at {path}"
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
