"""Selects the hooks of one function in a process image that holds the modules of all functions."""

from __future__ import annotations

import sys

from pyl import hooks
from pyl.runtime.handlers.binding import function_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType


def drop_hooks_of_other_functions(table: Mapping[str, str], handler: str | None) -> None:
    """Drop the hooks that a plain start of this function would not register: those in modules of other functions.

    Hooks stay in modules that the function's own module refers to, and in modules that hold no function.

    Args:
        table: `module:attribute` of each function of the package, by name.
        handler: Value of `_HANDLER`.

    Raises:
        Fault: The handler string names no function.
    """
    registering_modules = hooks.registering_modules()
    if not registering_modules:
        return
    own_module = _module(table.get(function_name(handler), ""))
    other_modules = registering_modules & {_module(reference) for reference in table.values()} - {own_module}
    if other_modules:
        hooks.drop(other_modules - reachable_modules(own_module))


def reachable_modules(name: str) -> set[str]:
    """Return the modules that a module's globals refer to, directly or through other modules, and itself.

    Modules of the standard library are left out.
    """
    reachable: set[str] = set()
    pending = [name]
    while pending:
        name = pending.pop()
        module = sys.modules.get(name)
        if module is not None and name not in reachable and name.partition(".")[0] not in sys.stdlib_module_names:
            reachable.add(name)
            pending.extend(_referenced_modules(module))
    return reachable


def _referenced_modules(module: ModuleType) -> Iterator[str]:
    for value in list(vars(module).values()):
        defining_module = value.__name__ if isinstance(value, type(sys)) else getattr(value, "__module__", None)
        if isinstance(defining_module, str):
            yield defining_module


def _module(reference: str) -> str:
    return reference.partition(":")[0]
