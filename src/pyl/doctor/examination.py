"""Runs the checks of all requested areas."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

from pyl.doctor.findings import Area, Finding


def examine(areas: Collection[Area], *, directory: Path, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield the findings for `areas`, in the order of `Area`.

    Args:
        areas: Areas to check.
        directory: Folder of the project, if there is one. It determines the processor, the region and the
            permissions to check.
        environ: Environment variables.
    """
    examinations: dict[Area, Callable[[], Iterator[Finding]]] = {
        Area.PYTHON: _python,
        Area.NATIVE: lambda: _native(directory, environ),
        Area.IMAGE: _image,
        Area.ENGINE: lambda: _engine(environ),
        Area.AWS: lambda: _aws(directory, environ),
    }
    for area in Area:
        if area in areas:
            yield from examinations[area]()


def _python() -> Iterator[Finding]:
    from pyl.doctor import python

    return python.examine()


def _native(directory: Path, environ: Mapping[str, str]) -> Iterator[Finding]:
    from pyl.doctor import native

    return native.examine(directory, environ)


def _image() -> Iterator[Finding]:
    from pyl.doctor import image

    return image.examine()


def _engine(environ: Mapping[str, str]) -> Iterator[Finding]:
    from pyl.doctor import engine

    return engine.examine(environ)


def _aws(directory: Path, environ: Mapping[str, str]) -> Iterator[Finding]:
    from pyl.doctor import aws

    return aws.examine(directory, environ)
