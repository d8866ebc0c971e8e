"""Looks at what every command needs: Python itself, uv, and a folder for the cache."""

from __future__ import annotations

import functools
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from pyl import cache
from pyl.doctor.findings import Area, Finding, Status
from pyl.errors import BuildError
from pyl.process import run
from pyl.project.dependencies import uv

MANAGED = ((3, 11), (3, 12), (3, 13))
"""The Pythons that pyl is tested with and that Lambda has managed runtimes of."""

_ROOM = 2_000_000_000
"""Bytes; the compiled parts of one Python and a handful of packages take about half of it."""

_finding = functools.partial(Finding, area=Area.PYTHON)


def examine() -> Iterator[Finding]:
    """Python, uv, the cache."""
    yield _python(sys.version_info[:2])
    yield _uv()
    yield _cache(cache.root())


def _python(version: tuple[int, int]) -> Finding:
    name = platform.python_implementation()
    found = f"{name} {platform.python_version()}, {sys.executable}"
    if name != "CPython" or version not in MANAGED:
        wanted = ", ".join(f"{major}.{minor}" for major, minor in MANAGED)
        fix = f"use CPython {wanted}: `uv venv --python 3.13`, and install pyl there"
        newer = name == "CPython" and version > MANAGED[-1]
        return _finding(name="Python", status=Status.WARNING if newer else Status.FAILED, found=found, fix=fix)
    return _finding(name="Python", status=Status.OK, found=found)


def _uv() -> Finding:
    try:
        return _finding(name="uv", status=Status.OK, found=run([uv(), "--version"]).strip().removeprefix("uv "))
    except (BuildError, FileNotFoundError, ImportError) as error:
        fix = "install it where pyl is: `pip install uv`"
        return _finding(name="uv", status=Status.FAILED, found=f"does not run: {error}", fix=fix)


def _cache(folder: Path) -> Finding:
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        fix = "make it yours, or name another folder with PYL_CACHE_DIR"
        return _finding(name="cache", status=Status.FAILED, found=f"{folder} cannot be written to", fix=fix)
    free = shutil.disk_usage(existing).free
    found = f"{folder}, {free / 1e9:.1f} GB free"
    if free < _ROOM:
        fix = "make room, or name a folder elsewhere with PYL_CACHE_DIR"
        return _finding(name="cache", status=Status.WARNING, found=found, fix=fix)
    return _finding(name="cache", status=Status.OK, found=found)
