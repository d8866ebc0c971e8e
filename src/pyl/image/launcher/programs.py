"""Compiles the small C programs of the process image: the launcher, and the capture loader."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pyl.architecture import Architecture
from pyl.image import arch
from pyl.image.arch.interface import Processor
from pyl.toolchain.zig import compile_c, kernel_headers

SOURCES = Path(__file__).parent
_LAUNCHER = (
    "launcher.c",
    "fatal_signals.c",
    "guards.c",
    "header.c",
    "page_cache.c",
    "page_codec.c",
    "report.c",
    "restore.c",
    "system.c",
    "tables.c",
)
_CAPTURE_LOADER = ("capture_loader.c", "system.c")
_PLAIN_LAUNCHER = ("plain_launcher.c",)
"""The launcher of architectures that have no process images."""

CAPTURE_LOADER_BYTES = 1 << 30
"""Of address space, from the capture loader's address on, that nothing else uses."""

_WARNINGS = ("-Wall", "-Wextra", "-Werror")
_FREESTANDING = (
    "-std=c11",
    "-Os",  # a cold start reads it from the disk: the kernel takes 16 kB at once
    "-ffreestanding",
    "-fPIC",
    "-no-pie",  # position-independent code at a fixed address
    "-fno-stack-protector",
    "-fno-sanitize=all",
    "-fno-asynchronous-unwind-tables",
    "-fno-unwind-tables",
    "-fno-builtin",
    *_WARNINGS,
    "-nostdlib",
    "-static",
    "-Wl,--build-id=none",
    "-Wl,-z,norelro",
    "-Wl,-z,noexecstack",
    "-s",
)


def build_launcher(output: Path, architecture: Architecture = Architecture.X86_64) -> None:
    """Compile the launcher (`bootstrap` of a native package) to `output`.

    Raises:
        BuildError: zig is missing or the compilation fails.
    """
    processor = arch.of(architecture)
    if processor is None:
        flags = ["-target", architecture.musl_target, "-Os", "-static", "-s", *_WARNINGS, _loader(architecture)]
        _compile(flags, [SOURCES / name for name in _PLAIN_LAUNCHER], output, [])
    else:
        _compile_freestanding(processor, _LAUNCHER, output, place=f"-Wl,-T,{processor.folder / 'launcher.ld'}")


def build_capture_loader(output: Path, processor: Processor) -> None:
    """Compile the program that starts another one for its capture. It is no part of a package.

    Raises:
        BuildError: zig is missing or the compilation fails.
    """
    place = f"-Wl,--image-base={processor.capture_loader_address:#x}"
    _compile_freestanding(processor, _CAPTURE_LOADER, output, place=place)


def freestanding_flags(processor: Processor) -> list[str]:
    """Return the compiler's flags for programs without a C library, without where they are linked."""
    target = ["-target", processor.architecture.musl_target]
    folders = kernel_headers(processor.kernel_headers, "any-linux-any")
    include = [argument for folder in folders for argument in ("-isystem", str(folder))]
    return [*target, *_FREESTANDING, *processor.compiler_flags, *include, _loader(processor.architecture)]


def _compile_freestanding(processor: Processor, sources: Sequence[str], output: Path, *, place: str) -> None:
    paths = [*(SOURCES / name for name in sources), *(processor.folder / name for name in processor.sources)]
    _compile([*freestanding_flags(processor), place], paths, output, [SOURCES, processor.folder])


def _loader(architecture: Architecture) -> str:
    return f'-DLOADER="{architecture.loader_name}"'


def _compile(flags: Sequence[str], sources: Sequence[Path], output: Path, headers: Sequence[Path]) -> None:
    compile_c(flags, sources, output, what=f"{sources[0].name} of the process image", headers=headers)
