"""Chooses the builder of a native package: this Linux host, or a container."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from pyl import cache
from pyl.architecture import Architecture
from pyl.errors import EngineError
from pyl.packaging.package import Package
from pyl.progress import Progress
from pyl.project.model import Project

if TYPE_CHECKING:
    from pyl.packaging.container.engine import Engine

TIMEOUT = 3600.0
"""Seconds that a build in a container may take."""


def build(
    project: Project,
    out: Path,
    progress: Progress,
    *,
    environ: Mapping[str, str] = os.environ,
    cached: bool = True,
    timeout: float = TIMEOUT,
) -> Package:
    """Build the native package of a project with the configured builder.

    The builder `auto` is the container if an engine answers, else this host.

    Args:
        project: The project to build.
        out: Folder to write to.
        progress: Receives steps, details and notes.
        environ: Environment variables, to find the container engine.
        cached: Use compiled modules of earlier builds.
        timeout: Seconds that a build in a container may take.

    Raises:
        EngineError: The builder is not available.
        BuildError: A step of the build failed.
    """
    builder = project.configuration.native.builder
    if builder == "local":
        return _local(project, out, progress, cached=cached)
    try:
        engine = connect(environ)
    except EngineError as error:
        if builder == "container" or sys.platform != "linux":
            raise
        why = error.message.partition("\n")[0]
        progress.note(f"using the local builder on this host: {why}")
        return _local(project, out, progress, cached=cached)
    from pyl.packaging.container import driver

    with engine:
        return driver.build(project, out, progress, engine, environ=environ, cached=cached, timeout=timeout)


def connect(environ: Mapping[str, str] = os.environ) -> Engine:
    """Connect to the container engine.

    Raises:
        EngineError: No engine answers, or pyl's native extra is not installed.
    """
    try:
        from pyl.packaging.container.engine import Engine
    except ImportError as error:
        msg = f"the container builder needs {error.name}, which this Python lacks"
        raise EngineError(msg, hint="install pyl with its native extra: `pip install 'pyl[native]'`") from error
    return Engine.connect(environ)


def _local(project: Project, out: Path, progress: Progress, *, cached: bool) -> Package:
    from pyl.packaging import native

    if sys.platform != "linux":
        msg = "the local builder needs Linux"
        raise EngineError(msg, hint="start a container engine and use `--builder container`")
    architecture = project.configuration.architecture
    if architecture is not Architecture.host():
        msg = f"the local builder builds for this machine's processor, {platform.machine()}, not for {architecture}"
        hint = f"start a container engine and use `--builder container`, or build on an {architecture} machine"
        raise EngineError(msg, hint=hint)
    with nullcontext() if cached else cache.temporary_cache():
        return native.build(project, out, progress)
