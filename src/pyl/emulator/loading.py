"""Loads versions of a project to serve: from source, which is checked and imported first, or from a built package."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

from pyl.emulator import trial_import
from pyl.emulator.launch import Unpacked
from pyl.emulator.packages import SOURCE, find_package
from pyl.emulator.source import copy_source
from pyl.emulator.version import SharedResources, Version, make_version_folder, remove_version_folder
from pyl.errors import ConfigurationError
from pyl.packaging.extraction import extract, find_layer
from pyl.progress import Progress
from pyl.project import load_project
from pyl.project.model import Project

Fingerprint = frozenset[tuple[str, int, int]]
"""Path, size in bytes, and time of modification (ns since the epoch) of each file that a version is made from."""

_SETTINGS = ("pyproject.toml", "uv.lock", "requirements.txt")


class BrokenSource(ConfigurationError):
    """Functions could not be imported."""


class Loader:
    """Loads versions of one project.

    Args:
        directory: The project's folder.
        package: What to serve: `source`, `interpreted`, `native`, the path of a zip, or None for the newest package.
        resources: What the environments of all versions share.
        progress: Receives reports.
        environ: Variables that may override the configuration.
    """

    def __init__(
        self,
        directory: Path,
        package: str | None,
        resources: SharedResources,
        progress: Progress,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.directory = directory
        self.package = package
        self._resources = resources
        self._progress = progress
        self._environ = environ
        self._last_fingerprint: Fingerprint | None = None
        self._last_copy: Path | None = None

    async def load(self, *, strict: bool) -> Version | None:
        """Return a version of the current files, or None if they have not changed since the last call.

        Args:
            strict: Fail if a function cannot be imported. Otherwise it is served and reports the failure when it is
                invoked, as in Lambda.

        Raises:
            BrokenSource: Functions could not be imported.
            PylError: The project is invalid, or a package cannot be read.
        """
        project = await asyncio.to_thread(load_project, self.directory, environ=self._environ)
        fingerprint = self._fingerprint_of(project)
        if fingerprint == self._last_fingerprint:
            return None
        self._last_fingerprint = fingerprint
        folder = make_version_folder(self._resources.reaper)
        try:
            version = Version(project, await self._prepare(project, folder), folder, self._resources)
            if self.package == SOURCE:
                await self._import_on_trial(version, strict=strict)
                self._last_copy = folder
        except BaseException:
            remove_version_folder(folder, self._resources.reaper)
            raise
        return version

    async def _prepare(self, project: Project, folder: Path) -> Unpacked:
        if self.package == SOURCE:
            return await asyncio.to_thread(copy_source, project, folder, self._progress, earlier=self._last_copy)
        return await asyncio.to_thread(_unpack, find_package(project, self.package), folder)

    async def _import_on_trial(self, version: Version, *, strict: bool) -> None:
        failures = await trial_import.find_failures(version.package, version.project)
        if not failures:
            return
        text = "\n".join(f"{name}: {reason}" for name, reason in failures.items())
        if strict:
            raise BrokenSource(text)
        self._progress.note(text)

    def _fingerprint_of(self, project: Project) -> Fingerprint:
        if self.package == SOURCE:
            files = [*project.files, *(project.root / name for name in _SETTINGS)]
        else:
            package = find_package(project, self.package)
            files = [package, package.with_name("layer.zip"), project.root / _SETTINGS[0]]
        fingerprint = set()
        for file in files:
            if file.exists():
                status = file.stat()
                fingerprint.add((str(file), status.st_size, status.st_mtime_ns))
        return frozenset(fingerprint)


def _unpack(package: Path, folder: Path) -> Unpacked:
    if package.is_dir():
        return Unpacked(task=package)
    task, layer_folder = folder / "task", folder / "opt"
    extract(package, task)
    layer = find_layer(package, task)
    if layer:
        extract(layer, layer_folder)
    return Unpacked(task=task, layer=layer_folder if layer else None)
