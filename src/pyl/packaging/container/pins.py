"""Pinned versions of what the builder's image consists of: base images, Pythons and tools."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from pathlib import Path

from pyl.errors import EngineError


@functools.cache
def folder() -> Path:
    """Return the folder `builders`, which is beside this file in a wheel, and at the root of a checkout."""
    candidates = (Path(__file__).with_name("builders"), Path(__file__).parents[4] / "builders")
    return next(path for path in candidates if path.is_dir())


def dockerfile() -> Path:
    """Return the path of `Dockerfile.build`, which is in `builders` in a wheel, and beside it in a checkout."""
    name = "Dockerfile.build"
    return next(path for path in (folder() / name, folder().parent / name) if path.is_file())


def tools() -> Path:
    """Return the requirements file, with hashes, of the tools in the container."""
    return folder() / "tools.txt"


def base_image(target: str) -> str:
    """Return the name of the base image for a Lambda runtime."""
    return _tables()["images"][target]


def python_release(version: str) -> str:
    """Return the release of a minor version of Python (such as `3.12`) to install in the image.

    Raises:
        EngineError: No release of this version is pinned.
    """
    releases = _tables()["python"]
    if version not in releases:
        msg = f"the container builder has no Python {version}"
        known = ", ".join(releases)
        raise EngineError(msg, hint=f"run pyl with one of {known}, or use `--builder local` on Linux")
    return releases[version]


@functools.cache
def _tables() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads((folder() / "pins.toml").read_text(encoding="utf-8"))
