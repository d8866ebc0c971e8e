"""Turn values that passed their checks into the Structs that the rest of the program uses."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from pyl.project.config.keys import Key, Kind, keys_of
from pyl.project.config.patterns import canonical_json

_IMAGE_MODES: Mapping[object, str] = {True: "auto", False: "off", "require": "require"}

S = TypeVar("S", bound=msgspec.Struct)


def build(struct: type[S], values: Mapping[str, Any], root: Path, **fields: Any) -> S:
    """Make a Struct from the values of its keys.

    Args:
        struct: The class to make an instance of.
        values: Valid values by the names of keys. Names that are no keys of the Struct are ignored.
        root: The folder that paths are relative to.
        fields: The values of fields that are not taken from `values`.
    """
    named = (key for key in keys_of(struct) if key.name in values and key.name not in fields)
    return struct(**{key.name: _convert(key, values[key.name], root) for key in named}, **fields)


def _convert(key: Key, value: Any, root: Path) -> Any:
    def resolve_path(_: type, path: str) -> Path:
        return root / path

    match key.kind:
        case Kind.IMAGE:
            value = _IMAGE_MODES[value]
        case Kind.JSON | Kind.PATTERN:
            value = canonical_json(value)
        case Kind.PATTERNS:
            value = [canonical_json(item) for item in value]
    return msgspec.convert(value, key.type, dec_hook=resolve_path)
