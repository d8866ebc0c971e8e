"""Copies the standard library into a native package, as bytecode and extension modules of the Python that builds."""

from __future__ import annotations

import shutil
import sysconfig
from pathlib import Path

from pyl.packaging import bytecode, path_rewriting

LEFT_OUT = frozenset(
    {
        "__pycache__", "config", "ensurepip", "idlelib", "lib2to3", "lib-dynload", "pydoc_data", "site-packages",
        "dist-packages", "test", "tests", "tkinter", "turtle.py", "turtledemo", "venv", "sitecustomize.py",
        "_tkinter", "xxlimited", "xxlimited_35", "xxsubtype", "_ctypes_test", "curses", "_curses", "_curses_panel",
        "readline", "rlcompleter.py", "nis", "_dbm", "_gdbm",
    }
)  # fmt: skip
"""What no function needs: tests, graphical and terminal interfaces, installers, documentation, host databases."""


def copy(target: Path, *, prefix: str) -> None:
    """Write the standard library to `target` and its extension modules to `target/lib-dynload`.

    Args:
        target: The folder to write to.
        prefix: Where `target` is when the package runs.
    """
    shutil.copytree(sysconfig.get_path("stdlib"), target, ignore=_ignore, dirs_exist_ok=True)
    _copy_extension_modules(target / "lib-dynload")
    for settings in target.glob("_sysconfigdata*.py"):
        settings.write_text(path_rewriting.text(settings.read_text(encoding="utf-8")), encoding="utf-8")
    bytecode.compile_tree(target, prefix=prefix, keep_sources=False, legacy=True, keep_docstrings=False)
    for source in list(target.rglob("*.py")):  # those that do not compile
        source.unlink()


def _ignore(_folder: str, names: list[str]) -> set[str]:
    suffixes = (".a", ".txt", ".exe")
    return {name for name in names if name in LEFT_OUT or name.startswith("config-") or name.endswith(suffixes)}


def _copy_extension_modules(target: Path) -> None:
    target.mkdir(exist_ok=True)
    # Not "platstdlib": in a virtual environment, that is the environment's folder.
    for source in sorted(Path(sysconfig.get_path("stdlib"), "lib-dynload").glob("*.so")):
        name = source.name.partition(".")[0]
        if name not in LEFT_OUT and not name.startswith("_test"):
            shutil.copyfile(source, target / source.name)
