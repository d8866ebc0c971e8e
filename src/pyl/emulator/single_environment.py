"""Runs one function in one environment, for `pyl invoke` and the pytest plugin."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from pyl.emulator.environment import Environment
from pyl.emulator.launch import Unpacked
from pyl.emulator.packages import SOURCE, find_package
from pyl.emulator.source import copy_source
from pyl.packaging.extraction import find_layer, unpacked
from pyl.progress import Progress
from pyl.project.model import Function, Project


@contextmanager
def prepare_package(project: Project, package: str | None, progress: Progress) -> Iterator[Unpacked]:
    """Yield a package, unpacked into a temporary folder.

    Args:
        project: The project.
        package: `source`, `interpreted`, `native`, the path of a zip, or None for the newest package.
        progress: Receives reports.

    Raises:
        UsageError: The package does not exist or cannot be read.
        BuildError: A dependency of the source cannot be installed.
    """
    with ExitStack() as stack:
        if package == SOURCE:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pyl-task-")))
            folder.chmod(0o755)
            yield copy_source(project, folder, progress)
            return
        path = find_package(project, package)
        task = stack.enter_context(unpacked(path))
        layer = find_layer(path, task)
        yield Unpacked(task=task, layer=stack.enter_context(unpacked(layer)) if layer else None)


def create_environment(
    project: Project, function: Function, package: Unpacked, *, logs: IO[bytes] | int | None
) -> Environment:
    """Return an environment of a function. It starts when it is entered."""
    return Environment(
        package.task,
        function,
        region=project.configuration.region,
        logs=logs,
        layer=package.layer,
        source=package.source,
    )
