"""Runs SCons for Nuitka on a machine without a compiler.

Nuitka compiles with zig, but SCons sets up its defaults first: it looks for a GNU linker, then for a tool named
`ilink`, which Nuitka's copy of SCons does not contain, and fails. This script is for Nuitka's option
`--python-for-scons`. It provides a module `ilink` which reports that the tool does not exist, so that SCons goes on.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import runpy
import sys
from types import ModuleType

TOOL = "SCons.Tool.ilink"


class AbsentLinker(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Import hook that provides a module for `TOOL`, which reports that the tool does not exist."""

    def find_spec(
        self,
        fullname: str,
        path: object = None,  # noqa: ARG002
        target: object = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        """Return a spec for `TOOL`, and None for every other module."""
        return importlib.util.spec_from_loader(fullname, self) if fullname == TOOL else None

    def exec_module(self, module: ModuleType) -> None:
        """Add the two functions that SCons expects of a tool."""
        module.exists = lambda _environment: False  # type: ignore[attr-defined]
        module.generate = lambda _environment: None  # type: ignore[attr-defined]


if __name__ == "__main__":
    sys.meta_path.append(AbsentLinker())
    while sys.argv[1] == "-W":
        del sys.argv[1:3]
    del sys.argv[0]
    runpy.run_path(sys.argv[0], run_name="__main__")
