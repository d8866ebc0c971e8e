"""Compiles the suite's two C programs: the measuring driver, and the floor that variants are held against."""

from __future__ import annotations

import functools
import os
import shutil
import sys
from pathlib import Path

from pyl import cache
from pyl.architecture import Architecture
from pyl.errors import EngineError
from pyl.process import CommandFailed, run

_HERE = Path(__file__).parent
_DRIVER = sorted((_HERE / "c").glob("*.c"))
_FLOOR = [_HERE / "baseline_runtime.c"]

FLOOR_TITLE = "static C program, musl: the floor"
GLIBC_FLOOR_TITLE = "static C program, glibc"

_TARGET = (Architecture.host() or Architecture.X86_64).musl_target
_FLAGS = (
    *("-target", _TARGET, "-static", "-O2", "-s", "-std=gnu11", "-D_GNU_SOURCE"),
    *("-fno-sanitize=all", "-Wall", "-Wextra", "-Werror"),
)


def driver() -> Path:
    """The measuring driver; see the head of `c/driver.c`."""
    return _program("driver", _DRIVER) / "driver"


def floor() -> Path:
    """A folder with the floor as `bootstrap`: a custom runtime in static C, with musl, which zig brings along."""
    return _program("bootstrap", _FLOOR)


@functools.cache
def glibc_floor() -> Path | None:
    """The same program with this machine's static glibc, which starts later than musl; None without one."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        return None

    def make(folder: Path) -> None:
        flags = ("-static", "-O2", "-s", "-std=gnu11", "-D_GNU_SOURCE")
        run([compiler, *flags, "-o", folder / "bootstrap", *_FLOOR])

    try:
        return cache.entry("bench", cache.key("glibc", compiler, *[path.read_bytes() for path in _FLOOR]), make)
    except CommandFailed:
        return None


def _program(name: str, sources: list[Path]) -> Path:
    headers = sorted(sources[0].parent.glob("*.h"))

    def make(folder: Path) -> None:
        command: list[str | Path] = [sys.executable, "-m", "ziglang", "cc", *_FLAGS, "-o", folder / name, *sources]
        try:
            run(command, environment=os.environ | {"ZIG_GLOBAL_CACHE_DIR": str(cache.root() / "zig")})
        except CommandFailed as failure:
            msg = f"cannot compile the benchmark's {sources[0].name}:\n{failure.output.strip()}"
            raise EngineError(msg, hint="install the compiler with `pip install 'pyl[native]'`") from failure

    texts = [path.read_bytes() for path in [*sources, *headers]]
    return cache.entry("bench", cache.key(name, *_FLAGS, *texts), make)
