"""Prepares a package at `/var/task` for a capture without a sandbox, as in a container."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyl.architecture import Architecture
from pyl.lambda_environment import TASK_ROOT
from pyl.sandbox import capture


@contextmanager
def prepare_package(package: Path, starter: Path, architecture: Architecture) -> Iterator[Path]:
    """Replace the package's loader with the starter, and yield the loader's temporary path. Undo it at the end.

    Meanwhile the package is read-only, as in Lambda, except for root.
    """
    target = package / Path(capture.loader_path(architecture)).relative_to(TASK_ROOT)
    loader = starter.with_name("loader")
    shutil.move(target, loader)
    shutil.copy(starter, target)
    try:
        with _read_only(package):
            yield loader
    finally:
        target.unlink()
        shutil.move(loader, target)


@contextmanager
def _read_only(package: Path) -> Iterator[None]:
    folders = {path: stat.S_IMODE(path.stat().st_mode) for path in (package, *package.rglob("*")) if path.is_dir()}
    for path, mode in folders.items():
        path.chmod(mode & ~0o222)
    try:
        yield
    finally:
        for path, mode in folders.items():
            path.chmod(mode)
