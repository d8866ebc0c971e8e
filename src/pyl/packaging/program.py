"""Builds what all native packages have in common: interpreter, pyl's runtime and standard library."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from pyl import cache, lambda_environment
from pyl.architecture import Architecture
from pyl.packaging import bytecode, contents, docstrings, path_rewriting, standard_library
from pyl.progress import Progress
from pyl.toolchain import nuitka

_START_UP = ("_opcode", "typing") if sys.version_info >= (3, 12) else ()
"""Modules that Nuitka's start-up imports (to patch `inspect`) before the program sets the path of the standard
library."""

_MAIN = Path(__file__).with_name("program_main.py")


def make(architecture: Architecture, progress: Progress, log: Path) -> Path:
    """Return a folder in the cache with everything of `pyl/app` that does not depend on the project.

    It contains `program` (which includes pyl's runtime), the interpreter's library, and `lib/` (the standard library).
    It is built once for each Python, toolchain and version of pyl.
    """
    build_sources = [
        Path(module).read_bytes()
        for module in (
            __file__,
            standard_library.__file__,
            bytecode.__file__,
            contents.__file__,
            docstrings.__file__,
            path_rewriting.__file__,
            nuitka.__file__,
            nuitka.ORIGIN,
            nuitka.MAIN,
        )
    ]
    runtime = [
        part for source, relative in contents.runtime_files() for part in (relative.as_posix(), source.read_bytes())
    ]
    name = cache.key("program", nuitka.toolchain(), architecture, _MAIN.read_bytes(), *build_sources, *runtime)

    def build(folder: Path) -> None:
        with cache.workspace("program") as work:
            main = work / "program.py"
            shutil.copyfile(_MAIN, main)
            contents.copy_runtime(work)
            compiled = nuitka.compile_program(
                main, "pyl", work, architecture,
                interpreted=contents.INTERPRETED, log=log, on_progress=progress.detail,
            )  # fmt: skip
            (compiled.folder / "program.bin").rename(compiled.folder / "program")
            shutil.copytree(compiled.folder, folder, dirs_exist_ok=True)
            _copy_interpreted(work / "pyl", folder / "site")
        progress.detail("standard library")
        standard_library.copy(folder / "lib", prefix=f"{lambda_environment.APP}/lib")
        _move_start_up(folder)
        _remove_duplicates(folder, compiled.frozen)

    return cache.entry("programs", name, build)


def _copy_interpreted(package: Path, site: Path) -> None:
    """Write the modules of `package` that are not compiled to `site`, as bytecode."""
    for name in contents.INTERPRETED:
        source = package / name if (package / name).is_dir() else package / f"{name}.py"
        target = site / package.name / source.name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)
    bytecode.compile_tree(
        site, prefix=f"{lambda_environment.APP}/site", keep_sources=False, legacy=True, keep_docstrings=False
    )


def _move_start_up(folder: Path) -> None:
    """Move modules to where the start-up looks for them: beside the program."""
    for name in _START_UP:
        for module in (folder / "lib" / f"{name}.pyc", *(folder / "lib" / "lib-dynload").glob(f"{name}.*.so")):
            if module.is_file():
                module.rename(folder / f"{name}{module.suffix}")


def _remove_duplicates(folder: Path, frozen: Iterable[str]) -> None:
    """Remove modules from the standard library that are in the program or beside it.

    Nuitka puts modules that its start-up may import into the program, and extension modules beside it. Python finds
    them there first.
    """
    for name in frozen:
        path = folder / "lib" / name.replace(".", "/")
        path.with_name(f"{path.name}.pyc").unlink(missing_ok=True)
        (path / "__init__.pyc").unlink(missing_ok=True)
    for module in sorted((folder / "lib" / "lib-dynload").iterdir()):
        if (folder / f"{module.name.partition('.')[0]}.so").is_file():
            module.unlink()
