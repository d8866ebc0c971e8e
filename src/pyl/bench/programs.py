"""Compiles the suite's two C programs: the measuring driver, and the baseline runtime to compare variants with."""

from __future__ import annotations

import functools
import shutil
from pathlib import Path

from pyl import cache
from pyl.architecture import Architecture
from pyl.errors import EngineError
from pyl.process import CommandFailed, run
from pyl.toolchain.zig import run_zig

_HERE = Path(__file__).parent
_DRIVER_SOURCES = sorted((_HERE / "c").glob("*.c"))
_BASELINE_SOURCES = [_HERE / "baseline_runtime.c"]

BASELINE_TITLE = "static C program, musl: the lower bound"
GLIBC_BASELINE_TITLE = "static C program, glibc"

_TARGET = (Architecture.host() or Architecture.X86_64).musl_target
_FLAGS = (
    *("-target", _TARGET, "-static", "-O2", "-s", "-std=gnu11", "-D_GNU_SOURCE"),
    *("-fno-sanitize=all", "-Wall", "-Wextra", "-Werror"),
)


def driver() -> Path:
    """Compile the measuring driver (described in `c/driver.c`) and return its path."""
    return _program("driver", _DRIVER_SOURCES) / "driver"


def baseline_runtime() -> Path:
    """Return a folder whose `bootstrap` is a custom runtime in C, linked statically with the musl that zig ships."""
    return _program("bootstrap", _BASELINE_SOURCES)


@functools.cache
def glibc_baseline_runtime() -> Path | None:
    """Return a folder with the same program, linked with this machine's static glibc; None if there is none.

    glibc takes longer to start than musl.
    """
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        return None

    def make(folder: Path) -> None:
        flags = ("-static", "-O2", "-s", "-std=gnu11", "-D_GNU_SOURCE")
        run([compiler, *flags, "-o", folder / "bootstrap", *_BASELINE_SOURCES])

    try:
        return cache.entry(
            "bench", cache.key("glibc", compiler, *[path.read_bytes() for path in _BASELINE_SOURCES]), make
        )
    except CommandFailed:
        return None


def _program(name: str, sources: list[Path]) -> Path:
    headers = sorted(sources[0].parent.glob("*.h"))

    def make(folder: Path) -> None:
        try:
            run_zig([*_FLAGS, "-o", folder / name, *sources])
        except CommandFailed as failure:
            msg = f"cannot compile the benchmark's {sources[0].name}:\n{failure.output.strip()}"
            raise EngineError(msg, hint="install the compiler with `pip install 'pyl[native]'`") from failure

    texts = [path.read_bytes() for path in [*sources, *headers]]
    return cache.entry("bench", cache.key(name, *_FLAGS, *texts), make)
