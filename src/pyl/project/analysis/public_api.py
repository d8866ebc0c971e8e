"""The public names of pyl itself, to report a name that does not exist before it is imported."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Literal

from pyl.project.config.pyproject import find_nearest

_PUBLIC = ("pyl", "pyl.batch", "pyl.context", "pyl.events", "pyl.function", "pyl.hooks", "pyl.responses")

NameKind = Literal["class", "module", "other", "missing", "private"]
"""`private`: outside of the public modules."""


def classify_public_name(name: str) -> NameKind:
    """Return what a dotted name that begins with `pyl` stands for."""
    if name == "pyl":
        return "module"
    home, _, attribute = name.rpartition(".")
    if home.startswith("pyl.events.") and home.count(".") == 2:
        module = _module(home)
        if module is None:
            return "missing"
    elif home not in _PUBLIC:
        return "private"
    else:
        module = _module(home)
    value = getattr(module, attribute, None)
    if value is None:
        return "module" if _module(name) is not None else "missing"
    return "class" if isinstance(value, type) else "other"


def find_nearest_public_name(name: str) -> str | None:
    """Return the dotted name that was probably meant by one that is `missing`."""
    home, _, attribute = name.rpartition(".")
    module = _module(home)
    if module is None:
        return None
    similar = find_nearest(attribute, getattr(module, "__all__", ()))
    return f"{home}.{similar}" if similar else None


def event_classes() -> Mapping[str, str]:
    """Return the public names of event classes, by the source of the events."""
    from pyl.events import EVENTS

    return {source: f"pyl.events.{path.rpartition(':')[2]}" for source, path in EVENTS.items()}


def _module(name: str) -> object | None:
    if not all(part.isidentifier() for part in name.split(".")):
        return None
    if name not in _PUBLIC and not name.startswith("pyl.events."):
        return None
    try:
        return importlib.import_module(name)
    except ImportError:
        return None
