"""Compiles `pyl.runtime._native`, the C part of a native package's runtime, for one version of CPython."""

from __future__ import annotations

import sys
from pathlib import Path

from pyl.architecture import Architecture
from pyl.errors import BuildError
from pyl.image import arch
from pyl.image.capture.protocol import EXTENSION
from pyl.image.launcher.programs import SOURCES as CAPTURE_SOURCES
from pyl.toolchain.nuitka import GLIBC
from pyl.toolchain.zig import compile_c

NAME = EXTENSION
SOURCES = Path(__file__).parent.parent / "runtime" / "c"
FILES = (
    "module.c",
    "tracer_call.c",
    "snapshot.c",
    "restore_entry.c",
    "environment.c",
    "fork_handlers.c",
    "generators.c",
    "heap.c",
    "libraries.c",
    "loop.c",
    "call.c",
    "plan.c",
    "places.c",
    "exceptions.c",
    "decode.c",
    "encode.c",
    "http.c",
    "wiping.c",
)
FLAGS = (
    "-std=c11",
    "-D_GNU_SOURCE",
    "-O2",
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


def build_extension(include: Path, output: Path, architecture: Architecture = Architecture.X86_64) -> None:
    """Compile the extension module.

    Args:
        include: Folder with the headers of the CPython that loads it (`sysconfig`'s `include`).
        output: The file to write.
        architecture: Processor architecture to compile for. The code for process images is left out where these are not
            supported.

    Raises:
        BuildError: zig or the headers are missing.
    """
    if not (include / "Python.h").is_file():
        msg = f"the headers of this Python are missing: {include / 'Python.h'}"
        raise BuildError(msg, hint="install them (python3-dev), or use a Python from `uv python install`")
    flags = ["-target", architecture.gnu_target(GLIBC), *FLAGS]
    headers = [CAPTURE_SOURCES]
    if processor := arch.of(architecture):
        flags += ["-DPYL_IMAGES", *processor.runtime_flags]
        headers.append(processor.folder)
    compile_c(
        [*flags, "-isystem", include, "-idirafter", include.parent],
        [SOURCES / name for name in FILES],
        output,
        what="the native runtime",
        headers=headers,
        context=sys.version,
    )
