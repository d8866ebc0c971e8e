"""Takes the process image of a native package."""

from __future__ import annotations

import functools
import json
from pathlib import Path

from pyl.errors import ConfigurationError
from pyl.image import arch
from pyl.image.capture.environment_groups import common_variables
from pyl.image.create import FunctionFacts, ImageRefused, capture
from pyl.packaging import archive
from pyl.packaging.package import UNPACKED_LIMIT, ImageReport
from pyl.progress import Progress
from pyl.project.deployment import deployment_of
from pyl.project.model import Function, Project


def take(project: Project, task: Path, progress: Progress) -> ImageReport:
    """Take the process image of the unpacked package in `task`, and write it to that folder.

    Raises:
        BuildError: The configuration requires an image, and none can be taken.
    """
    if project.configuration.native.image == "off":
        return ImageReport(kind="none", reasons=("`image = false` in [tool.pyl.native]",))
    if arch.of(project.configuration.architecture) is None:
        reason = f"process images are supported on {' and '.join(arch.supported())} only"
        if project.configuration.native.image == "require":
            raise ImageRefused(reason, hint="`image = true` in [tool.pyl.native] builds without one")
        progress.note(f"process image: none: {reason}")
        return ImageReport(kind="none", reasons=(reason,))
    take_one = functools.partial(
        capture,
        task,
        environment=_environment(project),
        warm_up=_warm_up(project),
        mode=project.configuration.native.image,
        accept=project.configuration.native.accept,
        progress=progress,
    )
    result = take_one(functions={function.name: _facts(project, function) for function in project.functions})
    if result.groups and archive.unpacked_size(task) > UNPACKED_LIMIT:
        limit = UNPACKED_LIMIT / 1e6
        progress.note(
            "process image: one for all functions, since with one for each environment "
            f"the package would exceed {limit:.0f} MB unpacked"
        )
        first = project.functions[0]
        result = take_one(functions={first.name: _facts(project, first)})
    return ImageReport(kind=result.kind, reasons=result.reasons)


def _facts(project: Project, function: Function) -> FunctionFacts:
    return FunctionFacts(function.configuration.environment, deployment_of(project, function))


def _environment(project: Project) -> dict[str, str]:
    """Return the environment variables that have the same value in all functions."""
    return common_variables([function.configuration.environment for function in project.functions])


def _warm_up(project: Project) -> dict[str, object]:
    events: dict[str, object] = {}
    for function in project.functions:
        path = function.configuration.warm_up
        if path is None:
            continue
        try:
            events[function.name] = json.loads(path.read_bytes())
        except (OSError, ValueError) as error:
            msg = f"{path}: cannot read the warm-up event of {function.name}: {error}"
            raise ConfigurationError(msg) from error
    return events
