"""Lets `posix.environ` be the environment of the process that asks for it.

CPython fills it once, when the interpreter starts. In a restored process it would be the capture's.
"""

from __future__ import annotations

import os
import posix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def install() -> None:
    """Make each access to `posix.environ` look at `os.environ`."""
    del posix.environ
    vars(posix)["__getattr__"] = _get_attribute


def _get_attribute(name: str) -> Any:
    if name == "environ":
        return dict(os.environb)
    msg = f"module 'posix' has no attribute {name!r}"
    raise AttributeError(msg)
