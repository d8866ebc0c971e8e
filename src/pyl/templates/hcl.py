"""Writer for HCL, the language of Terraform. Users review and edit the file, so it is not in Terraform's JSON syntax.

https://developer.hashicorp.com/terraform/language/syntax/configuration
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Expression:
    """An expression, written unquoted: `aws_lambda_function.notify.arn`."""

    text: str


@dataclass(frozen=True)
class Template:
    """A string in which `${...}` is evaluated."""

    text: str


@dataclass(frozen=True)
class Call:
    """A function call: `jsonencode(...)`."""

    function: str
    argument: Any


@dataclass(frozen=True)
class Block:
    """`kind "label" { ... }`. Its body has attributes, blocks by kind, and lists of blocks."""

    kind: str
    labels: tuple[str, ...]
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Nested:
    """A block within a block. Its key is its kind."""

    body: Mapping[str, Any]


def render(blocks: Sequence[Block], comment: str) -> str:
    """Return the text of a file.

    Args:
        blocks: Top-level blocks.
        comment: Text at the beginning of the file.
    """
    texts = ["\n".join(f"# {line}" for line in comment.splitlines())]
    for block in blocks:
        labels = "".join(f" {json.dumps(label)}" for label in block.labels)
        texts.append("\n".join([f"{block.kind}{labels} {{", *_body(block.body, 1), "}"]))
    return "\n\n".join(texts) + "\n"


def block_name(*parts: str) -> str:
    """Return a name for a block, of lower-case letters, digits and underscores, that does not begin with a digit."""
    joined = re.sub(r"[^A-Za-z0-9]+", "_", "_".join(parts)).strip("_").lower()
    return f"_{joined}" if joined[:1].isdigit() else joined


def _body(body: Mapping[str, Any], depth: int) -> Iterator[str]:
    """Yield aligned attributes, as `terraform fmt` writes them, then blocks."""
    indent = "  " * depth
    attributes = {key: _value(value, depth) for key, value in body.items() if not _is_nested(value)}
    single = [key for key, text in attributes.items() if "\n" not in text]
    width = max(map(len, single), default=0)
    for key, text in attributes.items():
        yield f"{indent}{key:{width if key in single else 0}} = {text}"
    for key, value in body.items():
        for nested in value if isinstance(value, list) else [value]:
            if isinstance(nested, Nested):
                yield f"{indent}{key} {{"
                yield from _body(nested.body, depth + 1)
                yield f"{indent}}}"


def _is_nested(value: Any) -> bool:
    return isinstance(value, Nested) or (isinstance(value, list) and any(isinstance(each, Nested) for each in value))


def _value(value: Any, depth: int) -> str:
    match value:
        case Expression():
            return value.text
        case Template():
            return _quoted(value.text)
        case Call():
            return f"{value.function}({_value(value.argument, depth)})"
        case str():
            return _quoted(value.replace("${", "$${").replace("%{", "%%{"))
        case bool() | int() | float() | None:
            return json.dumps(value)
        case Mapping():
            return _object(value, depth)
        case _:
            return f"[{', '.join(_value(each, depth) for each in value)}]"


def _object(value: Mapping[str, Any], depth: int) -> str:
    if not value:
        return "{}"
    indent = "  " * (depth + 1)
    lines = [f"{indent}{_key(key)} = {_value(inner, depth + 1)}" for key, inner in value.items()]
    return "\n".join(["{", *lines, f"{'  ' * depth}}}"])


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", key) else _quoted(key)


def _quoted(text: str) -> str:
    """Quote a string. HCL has JSON's escapes except for two."""
    parts = re.split("([\b\f])", text)
    inner = (
        f"\\u{ord(part):04x}" if part in {"\b", "\f"} else json.dumps(part, ensure_ascii=False)[1:-1] for part in parts
    )
    return f'"{"".join(inner)}"'
