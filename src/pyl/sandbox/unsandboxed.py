"""Prepares a package at `/var/task` for a capture without a sandbox of its own, as in a container."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyl.sandbox import capture


@contextmanager
def prepared(package: Path, starter: Path) -> Iterator[Path]:
    """Put the starter where the package's loader stands; returns where the loader is meanwhile.

    Nothing of the package can be written meanwhile, as in Lambda, unless root runs this.
    """
    place = package / Path(capture.LOADER).relative_to(capture.TASK_ROOT)
    loader = starter.with_name("loader")
    shutil.move(place, loader)
    shutil.copy(starter, place)
    try:
        with _sealed(package):
            yield loader
    finally:
        place.unlink()
        shutil.move(loader, place)


@contextmanager
def _sealed(package: Path) -> Iterator[None]:
    folders = {path: stat.S_IMODE(path.stat().st_mode) for path in (package, *package.rglob("*")) if path.is_dir()}
    for path, mode in folders.items():
        path.chmod(mode & ~0o222)
    try:
        yield
    finally:
        for path, mode in folders.items():
            path.chmod(mode)
