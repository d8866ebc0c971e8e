"""Which modules belong to a function, where a process image holds those of all functions of the package."""

from __future__ import annotations

import sys

from pyl import hooks
from pyl.runtime.handlers.resolve import function_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType


def leave_out_hooks_of_others(table: Mapping[str, str], handler: str | None) -> None:
    """Forget the hooks that a plain start of this function would not have: those in the modules of other functions.

    A module that the function's own leads to stays, and so does every module that holds no function.

    Raises:
        Fault: the handler names none.
    """
    registrants = hooks.registrants()
    if not registrants:
        return
    own = _module(table.get(function_name(handler), ""))
    others = registrants & {_module(place) for place in table.values()} - {own}
    if others:
        hooks.leave_out(others - reached_from(own))


def reached_from(name: str) -> set[str]:
    """Return the modules that a module names, or holds something from, and so on from there."""
    reached: set[str] = set()
    pending = [name]
    while pending:
        name = pending.pop()
        module = sys.modules.get(name)
        if module is not None and name not in reached and name.partition(".")[0] not in sys.stdlib_module_names:
            reached.add(name)
            pending.extend(_named_in(module))
    return reached


def _named_in(module: ModuleType) -> Iterator[str]:
    for value in list(vars(module).values()):
        home = value.__name__ if isinstance(value, type(sys)) else getattr(value, "__module__", None)
        if isinstance(home, str):
            yield home


def _module(place: str) -> str:
    return place.partition(":")[0]
