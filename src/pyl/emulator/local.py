"""One function of a project in one environment, for a while: what `pyl invoke` and tests use."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from pyl.emulator.environment import Environment
from pyl.emulator.launch import Unpacked
from pyl.emulator.packages import SOURCE, package_path
from pyl.emulator.source import copy_source
from pyl.emulator.unpacked import layer_of, unpacked
from pyl.progress import Progress
from pyl.project.model import Function, Project


@contextmanager
def prepared(project: Project, package: str | None, progress: Progress) -> Iterator[Unpacked]:
    """The package that `package` means (`source`, a kind, a path, None for the newest), unpacked."""
    with ExitStack() as stack:
        if package == SOURCE:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pyl-task-")))
            folder.chmod(0o755)
            yield copy_source(project, folder, progress)
            return
        path = package_path(project, package)
        task = stack.enter_context(unpacked(path))
        layer = layer_of(path, task)
        yield Unpacked(task=task, layer=stack.enter_context(unpacked(layer)) if layer else None)


def environment(
    project: Project, function: Function, package: Unpacked, *, logs: IO[bytes] | int | None
) -> Environment:
    """An environment of `function`, to be entered."""
    return Environment(
        package.task,
        function,
        region=project.configuration.region,
        logs=logs,
        layer=package.layer,
        source=package.source,
    )
