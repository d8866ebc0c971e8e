"""Runs SCons for Nuitka on a machine that has no compiler of its own.

Nuitka is told to compile with zig, yet SCons sets up its defaults first: it looks for a GNU linker, then for a tool
named `ilink`, which Nuitka's copy of SCons does not hold, and gives up. This is a Python for Nuitka's option
`--python-for-scons`, and answers that there is no `ilink` either, after which SCons goes on.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import runpy
import sys
from types import ModuleType

TOOL = "SCons.Tool.ilink"


class AbsentLinker(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the tool, which says that it does not exist."""

    def find_spec(
        self,
        fullname: str,
        path: object = None,  # noqa: ARG002
        target: object = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        """Answer for `TOOL` only."""
        return importlib.util.spec_from_loader(fullname, self) if fullname == TOOL else None

    def exec_module(self, module: ModuleType) -> None:
        """Give the module SCons' two functions of a tool."""
        module.exists = lambda _environment: False  # type: ignore[attr-defined]
        module.generate = lambda _environment: None  # type: ignore[attr-defined]


if __name__ == "__main__":
    sys.meta_path.append(AbsentLinker())
    while sys.argv[1] == "-W":
        del sys.argv[1:3]
    del sys.argv[0]
    runpy.run_path(sys.argv[0], run_name="__main__")
