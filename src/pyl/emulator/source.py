"""Prepares a project's source to be run: copies its files and installs its dependencies, as in a package."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from pyl import cache
from pyl.emulator.launch import Unpacked
from pyl.lambda_environment import PYTHON_LAYERS
from pyl.packaging import bytecode, contents
from pyl.progress import Progress
from pyl.project import dependencies
from pyl.project.model import Project


def copy_source(project: Project, folder: Path, progress: Progress, *, earlier: Path | None = None) -> Unpacked:
    """Copy the project's files that its package would contain, and install the dependencies.

    It is a copy so that an edit takes effect only when the new version is known to be good.

    Args:
        project: The project.
        folder: The folder to copy to.
        progress: Receives reports.
        earlier: An earlier copy. Files that are unchanged since are linked to it.

    Raises:
        BuildError: A dependency cannot be installed.
    """
    for file in project.files:
        relative = file.relative_to(project.configuration.source)
        _copy(file, folder / relative, earlier / relative if earlier else None)
    contents.write_function_module(project, folder, interpreted=False)
    return Unpacked(task=folder, layer=_layer(project, progress), source=True)


def _copy(file: Path, target: Path, earlier: Path | None) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    current = file.stat()
    if earlier and earlier.is_file():
        previous = earlier.stat()
        if (previous.st_size, previous.st_mtime_ns) == (current.st_size, current.st_mtime_ns):
            os.link(earlier, target)
            return
    shutil.copy2(file, target)


def _layer(project: Project, progress: Progress) -> Path:
    """Return a folder with the dependencies and pyl's runtime in `python`, cached by their content."""
    with tempfile.TemporaryDirectory(prefix="pyl-requirements-") as scratch:
        arguments, source = dependencies.requirements(project.root, Path(scratch))
        lock_files = [Path(argument).read_bytes() for argument in arguments if Path(argument).is_file()]
    runtime = [path.read_bytes() for path, _ in contents.runtime_files()]
    name = cache.key("1", sys.version, *lock_files, *runtime)

    def make(folder: Path) -> None:
        target = folder / "python"
        target.mkdir()
        here = dependencies.Platform(python=f"{sys.version_info.major}.{sys.version_info.minor}", tag=None)
        with progress.step(f"Install dependencies of {source}"), tempfile.TemporaryDirectory() as scratch:
            dependencies.install(project.root, target, here, Path(scratch))
            contents.copy_runtime(target)
            bytecode.compile_tree(target, prefix=PYTHON_LAYERS, keep_sources=True)

    return cache.entry("local-dependencies", name, make)
