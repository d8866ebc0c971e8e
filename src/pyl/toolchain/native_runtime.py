"""Compiles `pyl.runtime._native`, the part of a native package's runtime that is C, for one CPython."""

from __future__ import annotations

import sys
from pathlib import Path

from pyl.errors import BuildError
from pyl.image.launcher.programs import SOURCES as CAPTURE_SOURCES
from pyl.toolchain.zig import compile_c

SOURCES = Path(__file__).parent.parent / "runtime" / "c"
FILES = (
    "module.c",
    "stop.c",
    "resume.c",
    "environment.c",
    "heap.c",
    "libraries.c",
    "loop.c",
    "call.c",
    "decode.c",
    "encode.c",
    "http.c",
)
NAME = "_native.so"
"""File name of the extension module; it stands in the package folder `pyl/runtime`."""

_FLAGS = (
    "-target",
    "x86_64-linux-gnu.2.26",
    "-std=c11",
    "-D_GNU_SOURCE",
    "-O2",
    "-march=x86_64",
    "-fPIC",
    "-shared",
    "-fno-sanitize=all",
    "-fno-semantic-interposition",
    "-fvisibility=hidden",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wl,--allow-shlib-undefined",
    "-Wl,-z,undefs",
    "-s",
)


def build_extension(include: Path, output: Path) -> None:
    """Compile the extension against the headers in `include` (`sysconfig`'s `include`) to `output`.

    Raises `BuildError` when zig or the headers are missing.
    """
    if not (include / "Python.h").is_file():
        msg = f"the headers of this Python are missing: {include / 'Python.h'}"
        raise BuildError(msg, hint="install them (python3-dev), or use a Python that `uv python install` made")
    compile_c(
        [*_FLAGS, "-isystem", include, "-idirafter", include.parent],
        [SOURCES / name for name in FILES],
        output,
        what="the native runtime",
        headers=[CAPTURE_SOURCES],
        context=sys.version,
    )
