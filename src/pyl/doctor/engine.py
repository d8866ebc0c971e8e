"""Looks for a container engine that answers."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator, Mapping

from pyl.doctor.findings import Area, Finding, Status
from pyl.errors import EngineError
from pyl.packaging import builders

_finding = functools.partial(Finding, area=Area.ENGINE, name="engine")

_NEEDED = "start Docker, Podman, Colima or Finch, or name its address in DOCKER_HOST"
_OPTIONAL = f"nothing, while packages are built on this machine; to build in a container, {_NEEDED}"

_MEMORY = 2_000_000_000
"""Bytes below which the compiler may not get through."""


def examine(environ: Mapping[str, str]) -> Iterator[Finding]:
    """The engine: only needed where this machine cannot build by itself."""
    try:
        with builders.connect(environ) as engine:
            address, memory = engine.address, engine.memory()
    except EngineError as error:
        status, fix = (Status.WARNING, _OPTIONAL) if sys.platform == "linux" else (Status.FAILED, _NEEDED)
        yield _finding(status=status, found=error.message.partition("\n")[0], fix=fix)
        return
    found = f"{address}, {memory / 1e9:.1f} GB of memory"
    if memory < _MEMORY:
        yield _finding(status=Status.WARNING, found=found, fix="give the engine 2 GB or more: compilers need it")
    else:
        yield _finding(status=Status.OK, found=found)
