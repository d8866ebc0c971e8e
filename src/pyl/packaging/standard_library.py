"""The standard library of a native package: bytecode and extension modules of the Python that builds."""

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
"""What no function uses: tests, windows, terminals, installers, documentation, databases of the host."""


def copy(target: Path, *, prefix: str) -> None:
    """Write the standard library to `target` and its extension modules to `target/lib-dynload`.

    `prefix` is the folder that `target` will be at when it runs.
    """
    shutil.copytree(sysconfig.get_path("stdlib"), target, ignore=_ignore, dirs_exist_ok=True)
    _copy_extension_modules(target / "lib-dynload")
    for settings in target.glob("_sysconfigdata*.py"):
        settings.write_text(path_rewriting.text(settings.read_text(encoding="utf-8")), encoding="utf-8")
    bytecode.compile_tree(target, prefix=prefix, keep_sources=False, legacy=True, keep_docstrings=False)
    for leftover in list(target.rglob("*.py")):
        leftover.unlink()


def _ignore(_folder: str, names: list[str]) -> set[str]:
    useless = (".a", ".txt", ".exe")
    return {name for name in names if name in LEFT_OUT or name.startswith("config-") or name.endswith(useless)}


def _copy_extension_modules(target: Path) -> None:
    target.mkdir(exist_ok=True)
    # Beside the standard library, also when pyl runs in a virtual environment ("platstdlib" is that one's).
    for source in sorted(Path(sysconfig.get_path("stdlib"), "lib-dynload").glob("*.so")):
        name = source.name.partition(".")[0]
        if name not in LEFT_OUT and not name.startswith("_test"):
            shutil.copyfile(source, target / source.name)
