"""Checks for a container engine."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator, Mapping

from pyl.doctor.findings import Area, Finding, Status
from pyl.errors import EngineError
from pyl.packaging import builders

_finding = functools.partial(Finding, area=Area.ENGINE, name="engine")

_NEEDED = "start Docker, Podman, Colima or Finch, or set DOCKER_HOST to its address"
_OPTIONAL = f"nothing if you build packages on this machine; to build in a container, {_NEEDED}"

_MEMORY = 2_000_000_000
"""Bytes of memory below which compilers may fail."""


def examine(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Check the engine. It is required only where this machine cannot build native packages."""
    try:
        with builders.connect(environ) as engine:
            address, memory = engine.address, engine.memory()
    except EngineError as error:
        status, fix = (Status.WARNING, _OPTIONAL) if sys.platform == "linux" else (Status.FAILED, _NEEDED)
        yield _finding(status=status, found=error.message.partition("\n")[0], fix=fix)
        return
    detail = f"{address}, {memory / 1e9:.1f} GB of memory"
    if memory < _MEMORY:
        yield _finding(status=Status.WARNING, found=detail, fix="give the engine 2 GB or more, for compilers")
    else:
        yield _finding(status=Status.OK, found=detail)
