"""Prepares a package at `/var/task` for a capture without a sandbox of its own, as in a container."""

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
    """Put the starter in the place of the package's loader, and yield where the loader is meanwhile.

    Nothing of the package can be written meanwhile, as in Lambda, unless root runs this.
    """
    place = package / Path(capture.loader_path(architecture)).relative_to(TASK_ROOT)
    loader = starter.with_name("loader")
    shutil.move(place, loader)
    shutil.copy(starter, place)
    try:
        with _read_only(package):
            yield loader
    finally:
        place.unlink()
        shutil.move(loader, place)


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
