"""Checks for all commands: Python, uv and the cache folder."""

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
"""Versions of Python that pyl is tested with and that Lambda has managed runtimes for."""

_ROOM = 2_000_000_000
"""Bytes of free space. Compiled modules of one Python and a few packages need about half of it."""

_finding = functools.partial(Finding, area=Area.PYTHON)


def examine() -> Iterator[Finding]:
    """Check Python, uv and the cache."""
    yield _python(sys.version_info[:2])
    yield _uv()
    yield _cache(cache.root())


def _python(version: tuple[int, int]) -> Finding:
    name = platform.python_implementation()
    detail = f"{name} {platform.python_version()}, {sys.executable}"
    if name != "CPython" or version not in MANAGED:
        supported = ", ".join(f"{major}.{minor}" for major, minor in MANAGED)
        fix = f"use CPython {supported}: run `uv venv --python 3.13`, and install pyl there"
        newer = name == "CPython" and version > MANAGED[-1]
        return _finding(name="Python", status=Status.WARNING if newer else Status.FAILED, found=detail, fix=fix)
    return _finding(name="Python", status=Status.OK, found=detail)


def _uv() -> Finding:
    try:
        return _finding(name="uv", status=Status.OK, found=run([uv(), "--version"]).strip().removeprefix("uv "))
    except (BuildError, FileNotFoundError, ImportError) as error:
        fix = "install it beside pyl: `pip install uv`"
        return _finding(name="uv", status=Status.FAILED, found=f"does not run: {error}", fix=fix)


def _cache(folder: Path) -> Finding:
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        fix = "make it writable, or set PYL_CACHE_DIR to another folder"
        return _finding(name="cache", status=Status.FAILED, found=f"{folder} is not writable", fix=fix)
    free = shutil.disk_usage(existing).free
    detail = f"{folder}, {free / 1e9:.1f} GB free"
    if free < _ROOM:
        fix = "free some space, or set PYL_CACHE_DIR to a folder elsewhere"
        return _finding(name="cache", status=Status.WARNING, found=detail, fix=fix)
    return _finding(name="cache", status=Status.OK, found=detail)
