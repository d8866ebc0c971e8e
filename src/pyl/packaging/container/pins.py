"""What the builder's image is made of: base images, Pythons and tools, each of one version."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from pathlib import Path

from pyl.errors import EngineError


@functools.cache
def folder() -> Path:
    """The folder `builders`: in a wheel beside this file, in a checkout at its root."""
    candidates = (Path(__file__).with_name("builders"), Path(__file__).parents[4] / "builders")
    return next(path for path in candidates if path.is_dir())


def dockerfile() -> Path:
    """`Dockerfile.build`: in a wheel it stands in `builders`, in a checkout beside it."""
    name = "Dockerfile.build"
    return next(path for path in (folder() / name, folder().parent / name) if path.is_file())


def tools() -> Path:
    """The requirements, with hashes, of what runs in the container."""
    return folder() / "tools.txt"


def base_image(target: str) -> str:
    """The base image for a Lambda runtime."""
    return _tables()["images"][target]


def python_release(version: str) -> str:
    """The release of a minor version of Python (`3.12`) that goes into the image.

    Raises `EngineError` when there is none.
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
