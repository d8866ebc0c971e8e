"""Makes unpacked native packages around a plain CPython: a real ELF program with its own loader and libraries."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from pyl.image.launcher.programs import build_launcher
from pyl.image.result import CaptureResult
from pyl.packaging.contents import copy_runtime
from pyl.packaging.native_runtime import NAME, build_extension

PROGRAM = """
#include <Python.h>
int main(void)
{
    char *arguments[] = {"/var/task/pyl/app/program", "-B", "-S", "/var/task/pyl/app/main.py", 0};
    return Py_BytesMain(4, arguments);
}
"""
MAIN = """
import sys
sys.path.insert(0, "/var/task/pyl/app/site")
sys.dont_write_bytecode = True
from pyl.runtime.native import main
main()
"""
_FOR_WHEELS = ("libgcc_s.so.1", "libstdc++.so.6", "librt.so.1", "libpthread.so.0", "libdl.so.2", "libutil.so.1")


class CaptureHandlers(Protocol):
    """Type of the fixture `captured`, which writes a package of handlers and captures its image."""

    def __call__(
        self,
        source: str,
        *functions: str,
        environment: Mapping[str, str] | None = None,
        imports: tuple[str, ...] = (),
        **options: Any,
    ) -> tuple[Path, CaptureResult]: ...


def make_base(folder: Path) -> Path:
    """The part of a package that no function changes; copy it with `shutil.copytree(symlinks=True)`."""
    app = folder / "pyl" / "app"
    site = app / "site"
    site.mkdir(parents=True)
    build_launcher(folder / "bootstrap")
    (app / "main.py").write_text(MAIN)
    _build_program(app)
    _copy_standard_library(app)
    _copy_libraries(app)
    _copy_runtime(site)
    return folder


def _build_program(app: Path) -> None:
    source = app / "program.c"
    source.write_text(PROGRAM)
    variables = sysconfig.get_config_vars()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    compiler = [sys.executable, "-m", "ziglang", "cc", "-target", "x86_64-linux-gnu.2.26", "-fno-sanitize=all"]
    inputs = ["-isystem", sysconfig.get_paths()["include"], f"-L{variables['LIBDIR']}", f"-lpython{version}"]
    command: list[str | Path] = [*compiler, "-Wl,--allow-shlib-undefined", *inputs, "-o", app / "program", source]
    subprocess.run(command, check=True, capture_output=True)
    source.unlink()


def _copy_standard_library(app: Path) -> None:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    target = app / "lib" / version
    ignored = shutil.ignore_patterns(
        "site-packages",
        "test",
        "tests",
        "config-*",
        "idlelib",
        "turtledemo",
        "_tkinter*",
        "nis*",
        "_test*",
        "readline*",
        "_curses*",
        "ensurepip",
        "tkinter",
    )
    shutil.copytree(sysconfig.get_paths()["stdlib"], target, ignore=ignored)


def _copy_libraries(app: Path) -> None:
    """Everything that the program and the extension modules link, the loader included."""
    binaries = [app / "program", *app.rglob("*.so")]
    for binary in binaries:
        for line in subprocess.run(["ldd", binary], capture_output=True, text=True).stdout.splitlines():
            match = re.search(r"(\S+) => (/\S+)", line) or re.search(r"()(/\S*ld-linux\S+)", line)
            if match:
                library = Path(match[2])
                name = match[1] or library.name
                if not (app / Path(name).name).exists():
                    shutil.copy(library.resolve(), app / Path(name).name)
    for name in _FOR_WHEELS:
        shutil.copy(_library(name), app / name)
    variables = sysconfig.get_config_vars()
    shutil.copy(Path(variables["LIBDIR"]) / variables["INSTSONAME"], app)


def _library(name: str) -> Path:
    listing = subprocess.run(["ldconfig", "-p"], capture_output=True, text=True, env={"PATH": "/sbin:/usr/sbin"})
    return Path(next(line.split("=> ")[1] for line in listing.stdout.splitlines() if line.strip().startswith(name)))


def _copy_runtime(site: Path) -> None:
    copy_runtime(site)
    build_extension(Path(sysconfig.get_paths()["include"]), site / "pyl" / "runtime" / NAME)
    import msgspec

    shutil.copytree(Path(msgspec.__file__).parent, site / "msgspec", ignore=shutil.ignore_patterns("__pycache__"))


def add_package(package: Path, *names: str) -> None:
    """Copy installed import packages (and modules) into the package."""
    import importlib.util

    for name in names:
        spec = importlib.util.find_spec(name)
        assert spec is not None, name
        origin = Path(str(spec.origin))
        site = package / "pyl" / "app" / "site"
        if origin.name == "__init__.py":
            shutil.copytree(
                origin.parent, site / name, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(origin, site)


def with_functions(base: Path, folder: Path, sources: Mapping[str, str], table: Mapping[str, str]) -> Path:
    """A package with user modules (`{file name: source}`) and a function table."""
    shutil.copytree(base, folder, copy_function=_link)
    site = folder / "pyl" / "app" / "site"
    for name, text in sources.items():
        (site / name).write_text(text)
    (site / "functions.py").write_text(f"TABLE = {dict(table)!r}\n")
    return folder


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)
