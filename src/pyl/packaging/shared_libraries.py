"""Collects the shared libraries of a native package, with glibc and its loader, so that it needs no others."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Iterable
from pathlib import Path

from pyl.architecture import Architecture
from pyl.errors import BuildError
from pyl.process import CommandFailed, run
from pyl.toolchain import elf

_NAME_SERVICE = ("libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2")
"""Libraries that glibc before 2.34 loads to resolve host names. They are part of newer versions."""

_LOADED_LATE = ("libgcc_s.so.1",)
"""Library that glibc loads to cancel a thread, as Python does with daemon threads at exit."""


def collect(app: Path, architecture: Architecture) -> None:
    """Copy all missing shared libraries that files below `app` need into `app`.

    Raises:
        BuildError: A library cannot be found, or a file is for another processor.
    """
    loader = Path(architecture.loader)
    if not loader.exists():
        msg = f"this machine has no glibc loader at {loader}"
        raise BuildError(msg, hint="build in the container: `pyl build --native --builder container`")
    _copy(loader.resolve(), app / loader.name)
    pending = list(elf.files(app))
    while pending:
        for file in pending:
            _check_machine(file, app, architecture)
        libraries = _host_libraries(pending, app, loader)
        pending = [_copy(path, app / name) for name, path in libraries.items() if not (app / name).exists()]
    for name in (*_NAME_SERVICE, *_LOADED_LATE):
        path = (app / "libc.so.6").exists() and _beside_libc(loader, name)
        if path and not (app / name).exists():
            _copy(path, app / name)


def check_versions(app: Path) -> dict[str, str]:
    """Check that the package's libraries have all symbol versions that files below `app` need.

    Returns:
        The highest glibc version that each file needs, by its path below `app`.

    Raises:
        BuildError: A library does not define a symbol version that a file needs.
    """
    facts = {path: elf.read(path) for path in elf.files(app)}
    versions = {path.name: fact.defines for path, fact in facts.items()}
    versions |= {fact.soname: fact.defines for fact in facts.values() if fact.soname}
    for path, fact in facts.items():
        for library, version in fact.requires:
            if library in versions and version not in versions[library]:
                msg = f"{path.relative_to(app)} needs {version} of {library}; the package's {library} is older"
                hint = "build on a newer Linux (its C library goes into the package), or choose an older wheel"
                raise BuildError(msg, hint=hint)
    return {str(path.relative_to(app)): fact.glibc for path, fact in facts.items() if fact.glibc}


def strip(app: Path) -> None:
    """Remove debug information from every ELF file below `app`."""
    for path in elf.files(app):
        elf.drop_debug_information(path)


def _check_machine(file: Path, app: Path, architecture: Architecture) -> None:
    machine = elf.read(file).machine
    if machine != architecture.elf_machine:
        msg = f"{file.relative_to(app)} is built for {machine.removeprefix('EM_')}; the package is for {architecture}"
        raise BuildError(msg, hint="replace the file, or leave it out with `exclude` in [tool.pyl]")


def _host_libraries(files: Iterable[Path], app: Path, loader: Path) -> dict[str, Path]:
    """Return the libraries outside of `app` that `files` need, by soname, as this machine's loader finds them."""
    inside = {path.name for path in elf.files(app)}
    libraries: dict[str, Path] = {}
    for file in files:
        if file.name == loader.name:
            continue
        for name, path in _resolve(file, app, loader).items():
            if path is None:
                if name not in inside:
                    msg = f"{file.relative_to(app)} needs the library {name}, which this machine does not have"
                    raise BuildError(
                        msg,
                        hint="install the system package that contains it, or use a wheel that includes it",
                    )
            elif not path.is_relative_to(app):
                libraries[name] = path
    return libraries


def _resolve(file: Path, app: Path, loader: Path) -> dict[str, Path | None]:
    """Return the libraries that `file` needs, by soname, as `ldd` does; None for those that cannot be found."""
    try:
        output = run([loader, "--library-path", app, "--list", file], environment={})
    except CommandFailed as failure:
        if "statically linked" in failure.output or "not a dynamic executable" in failure.output:
            return {}
        output = failure.output
    result: dict[str, Path | None] = {}
    for line in output.splitlines():
        name, arrow, rest = line.strip().partition(" => ")
        if not arrow or "/" in name:
            continue
        location = rest.rpartition(" (")[0]
        result[name] = Path(location) if location.startswith("/") else None
    return result


def _beside_libc(loader: Path, name: str) -> Path | None:
    candidate = loader.resolve().parent / name
    return candidate if candidate.exists() else None


def _copy(source: Path, target: Path) -> Path:
    shutil.copyfile(source.resolve(), target)
    target.chmod(target.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return target
