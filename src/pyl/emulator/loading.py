"""Makes versions to serve: from source, examined and loaded once on trial, or from a built package."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

from pyl.emulator import trial_load
from pyl.emulator.launch import Unpacked
from pyl.emulator.packages import SOURCE, package_path
from pyl.emulator.source import copy_source
from pyl.emulator.unpacked import extract, layer_of
from pyl.emulator.version import Surroundings, Version, discard, scratch
from pyl.errors import ConfigurationError
from pyl.progress import Progress
from pyl.project import load_project
from pyl.project.model import Project

Fingerprint = frozenset[tuple[str, int, int]]
"""Paths, sizes and times of all that a version was made from."""

_SETTINGS = ("pyproject.toml", "uv.lock", "requirements.txt")


class BrokenSource(ConfigurationError):
    """Functions cannot be imported."""


class Loader:
    """Knows where a project is and which of its packages is wanted: `source`, a kind, a path, or None (the newest)."""

    def __init__(
        self,
        directory: Path,
        package: str | None,
        surroundings: Surroundings,
        progress: Progress,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.directory = directory
        self.package = package
        self._surroundings = surroundings
        self._progress = progress
        self._environ = environ
        self._seen: Fingerprint | None = None
        self._copy: Path | None = None

    async def load(self, *, strict: bool) -> Version | None:
        """A version of what is there now; None when nothing has changed since the last call.

        With `strict`, functions that cannot be imported raise `BrokenSource`; without, they are served and each
        reports its own failure, as in Lambda. Raises `PylError`.
        """
        project = await asyncio.to_thread(load_project, self.directory, environ=self._environ)
        seen = self._fingerprint(project)
        if seen == self._seen:
            return None
        self._seen = seen
        folder = scratch(self._surroundings.keeper)
        try:
            version = Version(project, await self._prepare(project, folder), folder, self._surroundings)
            if self.package == SOURCE:
                await self._try(version, strict=strict)
                self._copy = folder
        except BaseException:
            discard(folder, self._surroundings.keeper)
            raise
        return version

    async def _prepare(self, project: Project, folder: Path) -> Unpacked:
        if self.package == SOURCE:
            return await asyncio.to_thread(copy_source, project, folder, self._progress, earlier=self._copy)
        return await asyncio.to_thread(_unpack, package_path(project, self.package), folder)

    async def _try(self, version: Version, *, strict: bool) -> None:
        failures = await trial_load.failures(version.package, version.project)
        if not failures:
            return
        text = "\n".join(f"{name}: {why}" for name, why in failures.items())
        if strict:
            raise BrokenSource(text)
        self._progress.note(text)

    def _fingerprint(self, project: Project) -> Fingerprint:
        if self.package == SOURCE:
            files = [*project.files, *(project.root / name for name in _SETTINGS)]
        else:
            package = package_path(project, self.package)
            files = [package, package.with_name("layer.zip"), project.root / _SETTINGS[0]]
        found = set()
        for file in files:
            if file.exists():
                status = file.stat()
                found.add((str(file), status.st_size, status.st_mtime_ns))
        return frozenset(found)


def _unpack(package: Path, folder: Path) -> Unpacked:
    if package.is_dir():
        return Unpacked(task=package)
    task, layer_folder = folder / "task", folder / "opt"
    extract(package, task)
    layer = layer_of(package, task)
    if layer:
        extract(layer, layer_folder)
    return Unpacked(task=task, layer=layer_folder if layer else None)
