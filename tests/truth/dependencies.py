"""Installs the popular packages that cases import, once for all runs, and copies what a case needs of them."""

from __future__ import annotations

import fcntl
import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement

HERE = Path(__file__).parent
_REQUIREMENTS = HERE / "requirements.txt"
_CACHE = HERE.parents[1] / ".tools" / "truth"


def install() -> Path:
    """Return the folder with all packages of `requirements.txt`, installed by the first process that asks."""
    key = f"{sys.version_info.major}.{sys.version_info.minor}-{_digest()}"
    folder = _CACHE / key
    _CACHE.mkdir(parents=True, exist_ok=True)
    with (_CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / ".complete").exists():
            options = ["--quiet", "--require-hashes", "--only-binary", ":all:", "--compile-bytecode", "--target"]
            command = [sys.executable, "-m", "uv", "pip", "install", "--python", sys.executable, *options, str(folder)]
            subprocess.run([*command, "--requirements", str(_REQUIREMENTS)], check=True)
            (folder / ".complete").touch()
    return folder


def add_distributions(site: Path, names: Iterable[str]) -> None:
    """Copy distributions, with all that they depend on, into the folder `site` of a package."""
    source = install()
    for top in sorted({top for name in _closure(tuple(names)) for top in _top_levels(name)}):
        if (source / top).is_dir():
            shutil.copytree(source / top, site / top, copy_function=_link, dirs_exist_ok=True)
        elif not (site / top).exists():
            _link(str(source / top), str(site / top))


@cache
def _installed() -> dict[str, Distribution]:
    return {_normal(item.metadata["Name"]): item for item in distributions(path=[str(install())])}


@cache
def _closure(names: tuple[str, ...]) -> frozenset[str]:
    """Return the normalised names of distributions and of what they depend on here."""
    pending, closure = [_normal(name) for name in names], set[str]()
    while pending:
        name = pending.pop()
        if name in closure:
            continue
        closure.add(name)
        requirements = [Requirement(text) for text in _installed()[name].requires or ()]
        extra = {"extra": ""}
        pending += [_normal(r.name) for r in requirements if r.marker is None or r.marker.evaluate(extra)]
    return frozenset(closure)


def _top_levels(name: str) -> set[str]:
    """Return the files and folders of a distribution in the site folder."""
    files = _installed()[name].files or ()
    return {file.parts[0] for file in files} - {"..", "bin", "__pycache__"}


def _link(source: str, target: str) -> None:
    if not Path(target).exists():
        try:
            Path(target).hardlink_to(source)
        except OSError:  # another file system
            shutil.copy2(source, target)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _digest() -> str:
    return hashlib.sha256(_REQUIREMENTS.read_bytes()).hexdigest()[:12]
