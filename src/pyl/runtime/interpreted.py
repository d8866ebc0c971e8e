"""The function table of an interpreted package, used by the module that awslambdaric imports.

The generated `functions` module contains `__getattr__ = Table(TABLE)`. awslambdaric reports failures of the import with
their error types (`Runtime.ImportModuleError` and others), but not failures of the attribute lookup that follows. So
the requested function is loaded while the module is imported.
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
"""Name of the generated module, and first part of every handler string."""


class Table:
    """Looks up functions by name, and imports only the module of the requested function."""

    def __init__(self, table: Mapping[str, str]) -> None:
        self._functions = Functions(table)
        self._entries: dict[str, Callable[[Any, Any], Any]] = {}
        requested = _requested_function()
        if requested is not None and "awslambdaric" in sys.modules:
            self._load_for_awslambdaric(requested)

    def __call__(self, name: str) -> Callable[[Any, Any], Any]:
        """Return the handler of a function; this is the `__getattr__` of the generated module.

        Raises:
            AttributeError: The package has no such function.
            Exception: What the import of its module raised.
        """
        if name not in self._functions.table:
            msg = f"module {MODULE!r} has no attribute {name!r}"
            raise AttributeError(msg)
        handler = self._entries.get(name)
        if handler is None:
            handler = self._entries[name] = entry(self._functions.load(name))
        return handler

    def _load_for_awslambdaric(self, name: str) -> None:
        try:
            self._entries[name] = entry(self._functions.load(name))
        except Exception as error:
            raise as_foreign(error) from error
        if "pyl.hooks" in sys.modules:
            _prepare_hooks()


def _requested_function() -> str | None:
    """Return the function that awslambdaric was started for, from its command line or `_HANDLER`."""
    for handler in (*sys.argv[1:2], os.environ.get("_HANDLER", "")):
        module, _, name = handler.rpartition(".")
        if module == MODULE:
            return name
    return None


def _prepare_hooks() -> None:
    from pyl import hooks

    if hooks.has_before_shutdown():
        from pyl.runtime.loop import shutdown

        shutdown.install_in_thread(os.environ.get("AWS_LAMBDA_RUNTIME_API", ""))
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        _register_hooks()


def _register_hooks() -> None:
    """Register the function's hooks with SnapStart, whose snapshot is a process image as well."""
    import snapshot_restore_py

    from pyl import hooks

    for hook in reversed(hooks.before_image_hooks()):
        snapshot_restore_py.register_before_snapshot(hook)
    for hook in hooks.after_restore_hooks():
        snapshot_restore_py.register_after_restore(hook)
