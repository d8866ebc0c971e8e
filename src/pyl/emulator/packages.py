"""Finds what a command is to run: the project's source, one of its packages, or a zip by its path."""

from __future__ import annotations

from pathlib import Path

from pyl.errors import UsageError
from pyl.project.model import Project

SOURCE = "source"


def package_path(project: Project, name: str | None) -> Path:
    """The package that `name` means: a kind, a path, or None for the newest of the project's own.

    Raises `UsageError` when it does not exist.
    """
    folder = project.root / "build" / "pyl"
    native = folder / f"native-{project.configuration.architecture}.zip"
    known = {"interpreted": folder / "interpreted.zip", "native": native}
    if name is None:
        built = [path for path in known.values() if path.exists()]
        if not built:
            msg = "no package has been built yet"
            hint = "run `pyl build` or `pyl build --native` first, or use `--package source`"
            raise UsageError(msg, hint=hint)
        return max(built, key=lambda path: path.stat().st_mtime)
    path = known.get(name, Path(name))
    if not path.exists():
        msg = f"there is no package at {path}"
        raise UsageError(msg, hint=f"run `pyl build{' --native' if name == 'native' else ''}` first")
    return path
