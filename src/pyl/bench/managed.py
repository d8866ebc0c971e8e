"""Rebuilds AWS's managed Python runtime on this machine, as favourably as possible, to compare native packages with.

All modules have their bytecode, and `site` is not imported. The interpreter is a copy of this one: the pages of the
original cannot be dropped from the page cache, since this process uses them.
"""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from pyl import cache
from pyl.emulator import managed_runtime
from pyl.lambda_environment import RUNTIME_ROOT
from pyl.process import run

CLIENT_PLACE = RUNTIME_ROOT

_MAIN = """\
import os
import sys

sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]  # as the managed runtime has it: task root, layers, runtime

from awslambdaric.__main__ import main

main(sys.argv)
"""
_NOT_COPIED = shutil.ignore_patterns("site-packages", "test", "tests", "config-*", "idlelib", "ensurepip", "turtledemo")


@dataclass(frozen=True, kw_only=True)
class Interpreter:
    """A copy of the Python that runs pyl, and the prefix that it must be mounted at."""

    prefix: str
    copy: Path


def executable() -> str:
    """Return the real path of this Python, or of the one that this virtual environment was made from."""
    return os.path.realpath(getattr(sys, "_base_executable", sys.executable))


def client() -> Path:
    """Return a folder like `/var/runtime`: awslambdaric with its bytecode, and a main program."""
    source = managed_runtime.install_awslambdaric()

    def make(folder: Path) -> None:
        shutil.copytree(source, folder, dirs_exist_ok=True)
        (folder / "bootstrap.py").write_text(_MAIN, encoding="utf-8")
        _compile(folder)

    return cache.entry("bench-awslambdaric", cache.key(source, _MAIN, sys.version), make)


def interpreter() -> Interpreter | None:
    """Return a copy of the interpreter; None when it shares its prefix with the rest of the system."""
    prefix = Path(sys.base_prefix).resolve()
    if prefix in {Path("/"), Path("/usr")}:
        return None

    def make(folder: Path) -> None:
        (folder / "bin").mkdir()
        shutil.copy2(executable(), folder / "bin")
        standard = Path(sysconfig.get_paths()["stdlib"]).resolve()
        library = folder / standard.parent.relative_to(prefix)
        library.mkdir(parents=True, exist_ok=True)
        for file in (prefix / "lib").glob("libpython*"):
            shutil.copy2(file, folder / "lib", follow_symlinks=False)
        shutil.copytree(standard, library / standard.name, symlinks=True, ignore=_NOT_COPIED)
        _compile(library / standard.name)

    copy = cache.entry("bench-python", cache.key(prefix, sys.version), make)
    return Interpreter(prefix=str(prefix), copy=copy)


def _compile(folder: Path) -> None:
    # A read-only runtime needs no checks of timestamps.
    run([sys.executable, "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash", folder])
