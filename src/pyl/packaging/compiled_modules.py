"""Compiles Python modules and packages into extension modules, once for the same content."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from pyl import cache
from pyl.architecture import Architecture
from pyl.progress import Progress
from pyl.toolchain import nuitka


def pieces(root: Path) -> Iterator[Path]:
    """Yield the modules and packages below `root` that are compiled into one extension module each.

    A package (a folder with `__init__.py`) is compiled together with everything below it. Folders without
    `__init__.py` are namespaces: their content is compiled separately.
    """
    for path in sorted(root.iterdir()):
        if path.is_dir() and not (path / "__init__.py").is_file():
            yield from pieces(path)
        elif path.is_dir() or path.suffix == ".py":
            yield path


def compile_in_place(
    source: Path, dependencies: Path, architecture: Architecture, progress: Progress, log: Path
) -> None:
    """Compile a module or package, put the extension module beside it, and remove the sources. Data files stay.

    Args:
        source: The module's file or the package's folder.
        dependencies: Folder with the distributions of the native package.
        architecture: Processor architecture to compile for.
        progress: Receives details.
        log: File to which the compilers' output is appended.

    Raises:
        BuildError: A compiler failed.
    """
    sources = sorted(source.rglob("*.py")) if source.is_dir() else [source]
    progress.detail(f"compile {source.name}")
    extension = _compiled(source, sources, dependencies, architecture, progress, log)
    shutil.copy(extension, source.parent / extension.name)
    for file in sources:
        file.unlink()
    if source.is_dir():
        _remove_empty_folders(source)


def _compiled(
    source: Path, sources: list[Path], dependencies: Path, architecture: Architecture, progress: Progress, log: Path
) -> Path:
    content = [part for file in sources for part in (file.relative_to(source.parent).as_posix(), file.read_bytes())]
    build_sources = [Path(file).read_bytes() for file in (nuitka.__file__, nuitka.MAIN)]
    distributions = sorted(dependencies.glob("*.dist-info"))
    metadata = [part for folder in distributions for part in (folder.name, _entry_points(folder))]
    name = cache.key("module", nuitka.toolchain(), architecture, *build_sources, source.name, *content, *metadata)

    def build(folder: Path) -> None:
        with cache.workspace(source.stem) as work:
            inputs = work / "in"
            for file in sources:  # without data files
                copy = inputs / file.relative_to(source.parent)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)
            visible = work / "distributions"
            visible.mkdir()
            for distribution in distributions:  # without their code, which Nuitka would examine
                (visible / distribution.name).symlink_to(distribution.resolve())
            extension = nuitka.compile_module(
                inputs / source.name,
                work / "out",
                architecture,
                distributions=visible,
                log=log,
                on_progress=progress.detail,
            )
            shutil.copy(extension, folder / extension.name)

    (extension,) = cache.entry("modules", name, build).iterdir()
    return extension


def _entry_points(distribution: Path) -> bytes:
    """Return the entry points of a distribution, which Nuitka may compile into code, like its version."""
    path = distribution / "entry_points.txt"
    return path.read_bytes() if path.is_file() else b""


def _remove_empty_folders(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    if not any(folder.iterdir()):
        folder.rmdir()
