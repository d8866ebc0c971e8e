"""Compiles pyl's own C code with zig, once for the same sources and flags."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pyl import cache
from pyl.errors import BuildError
from pyl.process import CommandFailed, run

_HINT = "install the compiler with `pip install 'pyl[native]'`"


def compile_c(
    flags: Sequence[str | Path],
    sources: Sequence[Path],
    output: Path,
    *,
    what: str,
    headers: Sequence[Path] = (),
    context: str = "",
) -> None:
    """Compile C files to an executable file, or take it from the cache.

    The cache key consists of the flags, the context, and all C files, headers and linker scripts in the folders of
    `sources` and in `headers`.

    Args:
        flags: Options of the compiler.
        sources: C files.
        output: The file to write.
        what: What is compiled, for error messages.
        headers: More folders of pyl with headers.
        context: Identifies headers from elsewhere, for the cache key.

    Raises:
        BuildError: The code cannot be compiled, or zig is missing.
    """
    try:
        compiler = importlib.metadata.version("ziglang")
    except importlib.metadata.PackageNotFoundError as error:
        msg = f"cannot compile {what}: this Python lacks ziglang"
        raise BuildError(msg, hint=_HINT) from error
    folders = dict.fromkeys([*(source.parent for source in sources), *headers])
    inputs = [part for file in _own_files(folders) for part in (file.name, file.read_bytes())]
    key = cache.key("compile_c", compiler, context, *map(str, flags), *(source.name for source in sources), *inputs)

    def build(folder: Path) -> None:
        include = [f"-I{path}" for path in headers]
        try:
            run_zig([*flags, *include, "-o", folder / "output", *sources])
        except CommandFailed as error:
            msg = f"cannot compile {what}\n{error.output}"
            raise BuildError(msg, hint=_HINT) from error

    shutil.copyfile(cache.entry("c", key, build) / "output", output)
    output.chmod(0o755)


def run_zig(arguments: Sequence[str | Path], *, log: Path | None = None, label: str = "") -> None:
    """Run zig's C compiler with the cache that all compilations share.

    Raises:
        CommandFailed: The compiler failed.
    """
    command = [sys.executable, "-m", "ziglang", "cc", *arguments]
    run(command, environment=os.environ | shared_cache(), log=log, label=label)


def kernel_headers(*names: str) -> list[Path]:
    """Return folders of the Linux uapi headers that zig ships, for programs without a C library.

    Raises:
        BuildError: zig is missing.
    """
    spec = importlib.util.find_spec("ziglang")
    if spec is None or spec.origin is None:
        msg = "cannot compile for Linux: this Python lacks ziglang"
        raise BuildError(msg, hint=_HINT)
    return [Path(spec.origin).parent / "lib" / "libc" / "include" / name for name in names]


def shared_cache() -> dict[str, str]:
    """Return the environment variable that sets the folder of zig's cache."""
    return {"ZIG_GLOBAL_CACHE_DIR": str(cache.root() / "zig")}


def _own_files(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        yield from sorted(path for path in folder.iterdir() if path.suffix in {".c", ".h", ".ld"})
