"""The table of an interpreted package's functions, behind the module that awslambdaric imports.

The generated `functions` module holds `__getattr__ = Table(TABLE)`. awslambdaric looks for failures of two
kinds in two places: what goes wrong while it imports the module has error types
(`Runtime.ImportModuleError`, …), what goes wrong while it looks up the function does not. So the function
that was asked for is loaded with the module.
"""

from __future__ import annotations

import os
import sys

from pyl.runtime.bootstrap import as_foreign, entry
from pyl.runtime.handlers.resolve import Functions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

MODULE = "functions"
"""The name of the generated module, the prefix of every handler string."""


class Table:
    """Looks up the functions of a package by name; only the module that holds the function is imported."""

    def __init__(self, table: Mapping[str, str]) -> None:
        self._functions = Functions(table)
        self._entries: dict[str, Callable[[Any, Any], Any]] = {}
        asked = _asked_function()
        if asked is not None and "awslambdaric" in sys.modules:
            self._load_for_awslambdaric(asked)

    def __call__(self, name: str) -> Callable[[Any, Any], Any]:
        """Return what awslambdaric is to call for this function: the module's `__getattr__`."""
        if name not in self._functions.table:
            msg = f"module {MODULE!r} has no attribute {name!r}"
            raise AttributeError(msg)
        found = self._entries.get(name)
        if found is None:
            found = self._entries[name] = entry(self._functions.load(name))
        return found

    def _load_for_awslambdaric(self, name: str) -> None:
        try:
            self._entries[name] = entry(self._functions.load(name))
        except Exception as error:
            raise as_foreign(error) from error
        if "pyl.hooks" in sys.modules:
            _prepare_hooks()


def _asked_function() -> str | None:
    """Return the function that awslambdaric was started for; Lambda says it twice, a local start only once."""
    for handler in (*sys.argv[1:2], os.environ.get("_HANDLER", "")):
        module, _, name = handler.rpartition(".")
        if module == MODULE:
            return name
    return None


def _prepare_hooks() -> None:
    from pyl import hooks

    if hooks.has_before_shutdown():
        from pyl.runtime.loop import shutdown

        shutdown.prepare_beside(os.environ.get("AWS_LAMBDA_RUNTIME_API", ""))
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        _register_hooks()


def _register_hooks() -> None:
    """Let SnapStart run the function's hooks: its snapshot is an image too."""
    import snapshot_restore_py

    from pyl import hooks

    for hook in reversed(hooks.before_image_hooks()):
        snapshot_restore_py.register_before_snapshot(hook)
    for hook in hooks.after_restore_hooks():
        snapshot_restore_py.register_after_restore(hook)
