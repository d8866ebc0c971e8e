"""Finds and imports the handler that `_HANDLER` names, with Lambda's error types for each failure."""

from __future__ import annotations

import sys

from pyl.runtime.errors import (
    HANDLER_NOT_FOUND,
    IMPORT_MODULE_ERROR,
    MALFORMED_HANDLER_NAME,
    USER_CODE_SYNTAX_ERROR,
    Fault,
    message_of,
)
from pyl.runtime.handlers.binding import bind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from pyl.runtime.handlers.binding import Binding


class Functions:
    """The functions of a package, loaded on demand.

    Attributes:
        table: `module:attribute` of each function, by name.
    """

    def __init__(self, table: Mapping[str, str]) -> None:
        self.table = table
        self._loaded: dict[str, Binding] = {}

    def choose(self, handler: str | None) -> Binding:
        """Load and return the function of a handler string.

        Args:
            handler: Value of `_HANDLER`.

        Raises:
            Fault: It cannot be loaded, for a reason that has one of Lambda's error types.
            Exception: What the import of the user's module raised.
        """
        return self.load(function_name(handler))

    def load(self, name: str) -> Binding:
        """Return a function by name; its module is imported at the first call.

        Raises:
            Fault: It cannot be loaded, for a reason that has one of Lambda's error types.
            Exception: What the import of the user's module raised.
        """
        binding = self._loaded.get(name)
        if binding is None:
            reference = self.table.get(name)
            if reference is None:
                existing = ", ".join(sorted(self.table)) or "none"
                msg = f"Handler '{name}' missing on module 'functions'; the package has: {existing}"
                raise Fault(HANDLER_NOT_FOUND, msg)
            binding = self._loaded[name] = bind(_find(reference))
        return binding

    def load_all(self, names: Iterable[str] | None = None) -> dict[str, Exception]:
        """Load functions, by default all; return the exception of each that cannot be loaded, by name."""
        failures: dict[str, Exception] = {}
        for name in self.table if names is None else names:
            try:
                self.load(name)
            except Exception as error:  # noqa: BLE001 - the user's code may raise anything
                failures[name] = error
        return failures


def function_name(handler: str | None) -> str:
    """Return the function's name in a handler string: the part after the last dot of `functions.<name>`.

    Raises:
        Fault: The string has another form.
    """
    prefix, dot, name = (handler or "").rpartition(".")
    if not dot or not prefix or not name:
        msg = f"Bad handler '{handler or ''}': it must read functions.<name>"
        raise Fault(MALFORMED_HANDLER_NAME, msg)
    return name


def _find(reference: str) -> Any:
    module_name, _, path = reference.partition(":")
    target = _import(module_name)
    for attribute in path.split("."):
        try:
            target = getattr(target, attribute)
        except AttributeError:
            msg = f"Handler '{path}' missing on module '{module_name}'"
            raise Fault(HANDLER_NOT_FOUND, msg) from None
    return target


def _import(name: str) -> Any:
    try:
        __import__(name)
    except ImportError as error:
        msg = f"Unable to import module '{name}': {message_of(error)}"
        raise Fault(IMPORT_MODULE_ERROR, msg) from error
    except SyntaxError as error:
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}']
        msg = f"Syntax error in module '{name}': {message_of(error)}"
        raise Fault(USER_CODE_SYNTAX_ERROR, msg, trace) from error
    return sys.modules[name]
