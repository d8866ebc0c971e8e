"""A project's source as something to run: a copy of its files, beside its dependencies as they would be packaged."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from pyl import cache
from pyl.emulator.launch import Unpacked
from pyl.packaging import bytecode, contents
from pyl.progress import Progress
from pyl.project import dependencies
from pyl.project.model import Project

_LAYER = "/opt/python"


def copy_source(project: Project, folder: Path, progress: Progress, *, earlier: Path | None = None) -> Unpacked:
    """Copy what the project's package would hold of its own into `folder`, and install what it depends on.

    A copy, because the file that is being edited must not change what answers until it is known to be good.
    Files that are as in `earlier`, an older copy, are linked to it.

    Raises `BuildError` when a dependency cannot be installed.
    """
    for file in project.files:
        relative = file.relative_to(project.configuration.source)
        _copy(file, folder / relative, earlier / relative if earlier else None)
    contents.write_function_module(project, folder, interpreted=False)
    return Unpacked(task=folder, layer=_layer(project, progress), source=True)


def _copy(file: Path, target: Path, earlier: Path | None) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    now = file.stat()
    if earlier and earlier.is_file():
        then = earlier.stat()
        if (then.st_size, then.st_mtime_ns) == (now.st_size, now.st_mtime_ns):
            os.link(earlier, target)
            return
    shutil.copy2(file, target)


def _layer(project: Project, progress: Progress) -> Path:
    """A folder with the dependencies and pyl's runtime below `python`, made once for the same requirements."""
    with tempfile.TemporaryDirectory(prefix="pyl-requirements-") as scratch:
        arguments, source = dependencies.requirements(project.root, Path(scratch))
        wanted = [Path(argument).read_bytes() for argument in arguments if Path(argument).is_file()]
    runtime = [path.read_bytes() for path, _ in contents.runtime_files()]
    name = cache.key("1", sys.version, *wanted, *runtime)

    def make(folder: Path) -> None:
        target = folder / "python"
        target.mkdir()
        here = dependencies.Platform(python=f"{sys.version_info.major}.{sys.version_info.minor}", tag=None)
        with progress.step(f"Install dependencies of {source}"), tempfile.TemporaryDirectory() as scratch:
            dependencies.install(project.root, target, here, Path(scratch))
            contents.copy_runtime(target)
            bytecode.compile_tree(target, prefix=_LAYER, keep_sources=True)

    return cache.entry("local-dependencies", name, make)
