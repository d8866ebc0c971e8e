"""Chooses what compiles a native package: this Linux host, or a container."""

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
    """Make the native package of `project` in `out` with the configured builder.

    `auto` is the container when an engine answers, else this host. Without `cached` everything is compiled anew.
    Raises `EngineError` when no builder can be had.
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
        progress.note(f"built on this host with the local builder: {why}")
        return _local(project, out, progress, cached=cached)
    from pyl.packaging.container import driver

    with engine:
        return driver.build(project, out, progress, engine, environ=environ, cached=cached, timeout=timeout)


def connect(environ: Mapping[str, str] = os.environ) -> Engine:
    """The container engine. Raises `EngineError` when none answers."""
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
        msg = f"the local builder makes packages for this machine's processor, {platform.machine()}, not {architecture}"
        raise EngineError(
            msg, hint="start a container engine and use `--builder container`, or build on such a machine"
        )
    with nullcontext() if cached else cache.temporary_cache():
        return native.build(project, out, progress)
