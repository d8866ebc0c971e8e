"""Finds the package that a command runs."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from pyl.errors import UsageError
from pyl.packaging.locations import package_path
from pyl.packaging.package import Kind
from pyl.project.model import Project

SOURCE = "source"


def find_package(project: Project, name: str | None) -> Path:
    """Return the path of a package.

    Args:
        project: The project.
        name: `interpreted`, `native`, the path of a zip, or None for the newest package of the project.

    Raises:
        UsageError: The package does not exist.
    """
    packages = {kind: package_path(project, kind) for kind in get_args(Kind)}
    if name is None:
        built = [path for path in packages.values() if path.exists()]
        if not built:
            msg = "no package has been built yet"
            hint = "run `pyl build` or `pyl build --native` first, or use `--package source`"
            raise UsageError(msg, hint=hint)
        return max(built, key=lambda path: path.stat().st_mtime)
    path = packages.get(name, Path(name))
    if not path.exists():
        msg = f"there is no package at {path}"
        raise UsageError(msg, hint=f"run `pyl build{' --native' if name == 'native' else ''}` first")
    return path
