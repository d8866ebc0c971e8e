"""Finds what in the project's modules leads to an open file descriptor, for messages."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_OWN_FOLDER = __file__.rpartition("runtime/")[0]


def is_packaged(file: str) -> bool:
    """Return whether this is a file of the user's project or of its dependencies."""
    functions = sys.modules.get("functions")
    site = os.path.dirname(getattr(functions, "__file__", None) or "/")  # noqa: PTH120
    return file.startswith(site + "/") and not file.startswith(_OWN_FOLDER)


_SEARCH_DEPTH = 3
"""Attributes from a module's global to an object with a descriptor."""


def find() -> dict[int, str]:
    """Return, by open descriptor, the global of a packaged module that leads to it."""
    holders: dict[int, str] = {}
    for name, module in list(sys.modules.items()):
        if is_packaged(getattr(module, "__file__", None) or ""):
            for attribute, value in list(vars(module).items()):
                _search(value, f"{name}.{attribute}", holders, _SEARCH_DEPTH)
    return holders


def _search(value: Any, name: str, holders: dict[int, str], depth: int) -> None:
    if isinstance(value, type) or (type(value).__module__ == "builtins" and not hasattr(value, "fileno")):
        return
    try:
        # From the class: ctypes libraries resolve any attribute, and their `fileno` is C's, which takes a `FILE *`.
        holders.setdefault(type(value).fileno(value), f"{name} ({type(value).__name__})")
    except Exception:  # noqa: BLE001 - `fileno` may be anything
        if depth and not callable(value):
            for attribute, inner in list(getattr(value, "__dict__", {}).items()):
                _search(inner, f"{name}.{attribute}", holders, depth - 1)
