"""Notices child processes that are started at import: an image keeps what they answered, and not what they did."""

from __future__ import annotations

import os

from pyl.runtime import import_hooks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_FUNCTIONS = ("posix_spawn", "posix_spawnp", "system")
"""Of `os`."""


def watch(record: Callable[[], None]) -> list[Callable[[], None]]:
    """Start to watch; return the callables that end it.

    Args:
        record: Called from the frame below the code that starts a child.
    """
    undo = [_patch(os, name, record) for name in _FUNCTIONS]
    # The one way to a child that all of the module's functions go.
    return [*undo, import_hooks.after_import("subprocess", lambda module: _patch(module, "_fork_exec", record))]


def _patch(module: Any, name: str, record: Callable[[], None]) -> Callable[[], None]:
    original = getattr(module, name)

    def start(*arguments: Any, **keywords: Any) -> Any:
        record()
        return original(*arguments, **keywords)

    setattr(module, name, start)
    return lambda: setattr(module, name, original)
