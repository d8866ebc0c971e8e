"""Configuration keys, derived from the annotated Structs that hold their values.

A field of such a Struct is a key if its `Annotated` type has the metadata that `key` returns. From the declaration come

- the type, bounds, lengths and patterns of valid values: the type of the field and its `msgspec.Meta`, and the type of
  the elements of a list. `Meta.extra["steps"]` are the only integers that AWS accepts;
- the default: that of the field, unless `key` describes one that is computed;
- for documentation, hints and editors: a description and an example;
- the environment variable that overrides the key. Command line options are named after the key.

Checks, documentation and JSON Schema all read `Key`. See `checks.py`, `tables.py` and `reference.py`.
"""

from __future__ import annotations

import functools
import inspect
import json
import re
import types
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

_META_FIELDS = ("ge", "le", "max_length", "pattern", "description", "examples")


class Kind(StrEnum):
    """The type of a key's value, as documentation and messages name it."""

    STRING = "string"
    INTEGER = "integer"
    STRINGS = "list of strings"
    VARIABLES = "table of strings"
    FILE = "path of a file"
    FOLDER = "path of a folder"
    IMAGE = 'true, false or "require"'
    BOOLEAN = "true or false"
    TAGS = "table of tags"
    STATEMENTS = "list of tables"
    JSON = "table or JSON text"
    PATTERN = "pattern"
    PATTERNS = "list of patterns"


@dataclass(frozen=True, kw_only=True)
class Key:
    """One key of a configuration table, without the name of the table."""

    name: str
    kind: Kind
    type: Any
    """The annotation of the field."""
    description: str
    """One sentence for documentation and editors."""
    example: str
    """A valid value in TOML."""
    example_value: Any
    default: str | None
    """The default in TOML, or a description of it; `None` if the key has none."""
    required: bool
    variable: str | None = None
    """The environment variable that overrides the key."""
    minimum: int | None = None
    maximum: int | None = None
    """Bounds of an integer."""
    steps: tuple[int, ...] = ()
    """The only integers that are accepted; empty if any within the bounds is."""
    max_length: int | None = None
    """Characters of a string, or elements of a list."""
    pattern: str | None = None
    """Regular expression for a string, or for each element of a list."""
    choices: tuple[str, ...] = ()
    """The only strings that are accepted; empty if others are too."""

    def parse(self, text: str) -> object:
        """Convert the text of an environment variable or an option; return it unchanged if it cannot be converted."""
        if self.kind is Kind.INTEGER and re.fullmatch(r"[+-]?[0-9]{1,18}", text.strip()):
            return int(text)
        if self.kind is Kind.IMAGE:
            return {"true": True, "auto": True, "false": False, "off": False}.get(text.lower(), text.lower())
        return text


def key(
    description: str,
    example: object,
    *,
    default: str | None = None,
    variable: str | None = None,
    kind: Kind | None = None,
    pattern: str | None = None,
) -> Meta:
    """Declare a field of a Struct to be a key, as metadata of its `Annotated` type.

    Args:
        description: One sentence for documentation and editors.
        example: A valid value, as it is written in the file.
        default: The default as documentation describes it, where that of the field does not say it.
        variable: The environment variable that overrides the key.
        kind: The kind of value, where the type does not say it.
        pattern: The pattern of a string that is read into something else.
    """
    named = {"default": default, "variable": variable, "kind": kind, "pattern": pattern}
    extra = {name: value for name, value in named.items() if value is not None}
    return Meta(description=description, examples=[example], extra=extra)


@functools.cache
def keys_of(struct: type[Struct]) -> tuple[Key, ...]:
    """Return the keys that a Struct declares: its own first, then those of its bases."""
    classes = [cls for cls in struct.__mro__ if issubclass(cls, Struct) and cls is not Struct]
    return tuple(declared for cls in classes for declared in own_keys(cls))


def own_keys(struct: type[Struct]) -> tuple[Key, ...]:
    """Return the keys that a Struct declares itself, in the order of its fields."""
    fields = {field.name: field for field in msgspec.structs.fields(struct)}
    annotations = inspect.get_annotations(struct, eval_str=True)
    return tuple(
        _key(name, annotation, fields[name])
        for name, annotation in annotations.items()
        if name in fields and "description" in _unwrap(annotation)[1]
    )


def _key(name: str, annotation: Any, field: msgspec.structs.FieldInfo) -> Key:
    plain, meta, extra = _unwrap(annotation)
    item_pattern = None
    if get_origin(plain) is tuple:
        item_pattern = _unwrap(get_args(plain)[0])[1].get("pattern")
    kind = extra.get("kind") or _kind(plain)
    example = next(iter(meta.get("examples") or ()), None)
    default = extra.get("default", _default(field))
    return Key(
        name=name,
        kind=kind,
        type=annotation,
        description=meta["description"],
        example=to_toml(example),
        example_value=example,
        default=default,
        required=field.required and default is None,
        variable=extra.get("variable"),
        minimum=meta.get("ge"),
        maximum=meta.get("le"),
        steps=extra.get("steps", ()),
        max_length=meta.get("max_length"),
        pattern=extra.get("pattern") or meta.get("pattern") or item_pattern,
        choices=_choices(plain) if kind is Kind.STRING else (),
    )


def _unwrap(annotation: Any) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """Return the bare type of an annotation without `None`, the values of its `Meta`, and their `extra`."""
    meta: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    while get_origin(annotation) in {Annotated, Union, types.UnionType}:
        if get_origin(annotation) is Annotated:
            annotation, *metadata = get_args(annotation)
            for item in metadata:
                if isinstance(item, Meta):
                    meta |= {name: value for name in _META_FIELDS if (value := getattr(item, name)) is not None}
                    extra |= item.extra or {}
        else:
            (annotation,) = (member for member in get_args(annotation) if member is not type(None))
    return annotation, meta, extra


def _kind(plain: Any) -> Kind:
    if get_origin(plain) is tuple:
        return Kind.STRINGS
    if get_origin(plain) is Literal or issubclass(plain, str):
        return Kind.STRING
    return {bool: Kind.BOOLEAN, int: Kind.INTEGER, Path: Kind.FILE}[plain]


def _choices(plain: Any) -> tuple[str, ...]:
    if get_origin(plain) is Literal:
        return get_args(plain)
    return tuple(plain) if isinstance(plain, type) and issubclass(plain, Enum) else ()


def _default(field: msgspec.structs.FieldInfo) -> str | None:
    value = field.default
    if field.default_factory is not msgspec.NODEFAULT:
        value = field.default_factory()
    return None if value is None or value is msgspec.NODEFAULT else to_toml(value)


def to_toml(value: object) -> str:
    """Return a value as TOML in one line; tables are inline."""
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{name} = {to_toml(item)}' for name, item in value.items())} }}" if value else "{}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(to_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)
