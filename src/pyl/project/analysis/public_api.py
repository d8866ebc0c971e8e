"""What pyl itself offers to handlers, so that a name that it does not have is noticed before it is imported."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Literal

from pyl.project.config.pyproject import nearest

_PUBLIC = ("pyl", "pyl.batch", "pyl.context", "pyl.events", "pyl.function", "pyl.hooks", "pyl.responses")

Thing = Literal["class", "module", "other", "missing", "private"]


def thing(name: str) -> Thing:
    """What a dotted name that begins with `pyl` is; `private` is what lies outside of the public modules."""
    if name == "pyl":
        return "module"
    home, _, attribute = name.rpartition(".")
    if home.startswith("pyl.events.") and home.count(".") == 2:
        known = _module(home)
        if known is None:
            return "missing"
    elif home not in _PUBLIC:
        return "private"
    else:
        known = _module(home)
    found = getattr(known, attribute, None)
    if found is None:
        return "module" if _module(name) is not None else "missing"
    return "class" if isinstance(found, type) else "other"


def nearest_name(name: str) -> str | None:
    """What was probably meant by a name that is `missing`, dotted as well."""
    home, _, attribute = name.rpartition(".")
    module = _module(home)
    if module is None:
        return None
    found = nearest(attribute, getattr(module, "__all__", ()))
    return f"{home}.{found}" if found else None


def event_classes() -> Mapping[str, str]:
    """Source to the public name of its event class."""
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
