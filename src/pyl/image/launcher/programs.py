"""Compiles the small freestanding C programs of the process image: the launcher, and capture's starter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pyl.architecture import Architecture
from pyl.toolchain.zig import compile_c

SOURCES = Path(__file__).parent
LAUNCHER = ("launcher.c", "guards.c", "header.c", "page_cache.c", "report.c", "restore.c", "system.c", "words.c")
LAUNCHER_ADDRESS = 0x1000_0000_0000
"""Where the launcher is linked, by its script: far from everything that the kernel or an image places."""

STARTER = ("starter.c", "system.c")
STARTER_ADDRESS = 0x1100_0000_0000
STARTER_LIMIT = STARTER_ADDRESS + (1 << 30)

FLAGS = (
    "-target",
    "x86_64-linux-musl",
    "-std=c11",
    "-Os",  # a cold start reads it from the disk: the kernel takes 16 kB at once
    "-ffreestanding",
    "-fPIC",
    "-no-pie",  # position-independent code at a fixed address
    "-mno-sse",  # the kernel's state of vector registers stays untouched until the image sets its own
    "-mno-red-zone",
    "-fno-stack-protector",
    "-fno-sanitize=all",
    "-fno-asynchronous-unwind-tables",
    "-fno-unwind-tables",
    "-fno-builtin",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-nostdlib",
    "-static",
    "-Wl,--build-id=none",
    "-Wl,-z,norelro",
    "-Wl,-z,noexecstack",
    "-s",
)


PLAIN = ("plain.c",)
"""The launcher where there are no process images."""

PLAIN_FLAGS = ("-target", "aarch64-linux-musl", '-DLOADER="ld-linux-aarch64.so.1"', "-Os", "-static", "-s")


def build_launcher(output: Path, architecture: Architecture = Architecture.X86_64) -> None:
    """Compile the launcher (`bootstrap` of a native package) to `output`.

    Raises `BuildError` when zig is missing or the compilation fails.
    """
    if architecture is Architecture.X86_64:
        compile_freestanding(LAUNCHER, output, place=f"-Wl,-T,{SOURCES / 'launcher.ld'}")
    else:
        _compile([*PLAIN_FLAGS, "-Wall", "-Wextra", "-Werror"], PLAIN, output)


def build_starter(output: Path) -> None:
    """Compile the program that starts another one for its capture. It is no part of a package."""
    compile_freestanding(STARTER, output, place=f"-Wl,--image-base={STARTER_ADDRESS:#x}")


def compile_freestanding(sources: tuple[str, ...], output: Path, *, place: str) -> None:
    """Compile C files of this package into a static program without a C library; `place` tells the linker where."""
    _compile([*FLAGS, place], sources, output)


def _compile(flags: Sequence[str], sources: Sequence[str], output: Path) -> None:
    what = f"{sources[0]} of the process image"
    compile_c(flags, [SOURCES / source for source in sources], output, what=what)
