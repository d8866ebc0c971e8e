"""Generate what documentation and editors know of the configuration: tables of keys, and a JSON Schema.

`python -m pyl.project.config.reference` brings `docs/` up to date: `configuration.md` and `triggers.md` between their
`<!-- keys: ... -->` and `<!-- end of keys -->` lines, and `pyproject.schema.json`. A test checks that they are current.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pyl.project.config import tables
from pyl.project.config.checks import RELATIVE_PATH, RESERVED_VARIABLES, STATEMENT_PATTERNS, TAGS_LIMIT
from pyl.project.config.keys import Key, Kind

PAGES = ("configuration.md", "triggers.md")
SCHEMA = "pyproject.schema.json"

_SECTIONS: Mapping[str, tuple[Key, ...]] = {
    "project": (*tables.PROJECT_OWN_KEYS, *tables.FUNCTION_DEFAULT_KEYS),
    "native": tables.NATIVE_KEYS,
    "function": (
        *(replace(key, default="the project's") for key in tables.FUNCTION_DEFAULT_KEYS),
        *tables.FUNCTION_OWN_KEYS,
    ),
    "deployment of the project": tables.PROJECT_DEPLOYMENT_KEYS,
    "deployment of the project and its functions": tables.SHARED_DEPLOYMENT_KEYS,
    "deployment of a function": tables.FUNCTION_DEPLOYMENT_KEYS,
    "bench": tables.BENCH_KEYS,
    **tables.TRIGGER_KEYS,
}
_MARKED = re.compile(r"(<!-- keys: ([a-z0-9 ]+) -->\n).*?\n(<!-- end of keys -->\n)", re.DOTALL)

_TEXT_OR_TABLE: Mapping[str, Any] = {"type": ["string", "object"], "additionalProperties": True}
_KIND_SCHEMAS: Mapping[Kind, Mapping[str, Any]] = {
    Kind.STRING: {"type": "string"},
    Kind.INTEGER: {"type": "integer"},
    Kind.STRINGS: {"type": "array", "items": {"type": "string"}},
    Kind.VARIABLES: {
        "type": "object",
        "propertyNames": {"pattern": "^[A-Za-z][A-Za-z0-9_]+$", "not": {"enum": sorted(RESERVED_VARIABLES)}},
        "additionalProperties": {"type": "string"},
    },
    Kind.FILE: {"type": "string", "pattern": RELATIVE_PATH},
    Kind.FOLDER: {"type": "string", "pattern": RELATIVE_PATH},
    Kind.IMAGE: {"enum": [True, False, "require"]},
    Kind.BOOLEAN: {"type": "boolean"},
    Kind.TAGS: {
        "type": "object",
        "maxProperties": TAGS_LIMIT,
        "propertyNames": {"maxLength": 128},
        "additionalProperties": {"type": "string", "maxLength": 256},
    },
    Kind.STATEMENTS: {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                name: {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": f"^({pattern})$"}}
                for name, pattern in STATEMENT_PATTERNS.items()
            },
            "required": sorted(STATEMENT_PATTERNS),
            "additionalProperties": False,
        },
    },
    Kind.JSON: {},
    Kind.PATTERN: _TEXT_OR_TABLE,
    Kind.PATTERNS: {"type": "array", "items": _TEXT_OR_TABLE},
}


def markdown_table(keys: Sequence[Key]) -> str:
    """Return a table of keys, with a column of variables if any key has one."""
    has_variables = any(key.variable for key in keys)
    header = ["key", "takes", "default", *(["variable"] if has_variables else []), "meaning"]
    rows = [header, ["---"] * len(header)]
    for key in keys:
        variable = [f"`{key.variable}`" if key.variable else ""] if has_variables else []
        rows.append([f"`{key.name}`", _describe_values(key), _describe_default(key), *variable, key.description])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def update_page(text: str) -> str:
    """Return a page of the documentation with current tables."""
    return _MARKED.sub(lambda section: f"{section[1]}\n{markdown_table(_SECTIONS[section[2]])}\n{section[3]}", text)


def json_schema() -> dict[str, Any]:
    """Return a JSON Schema (draft 7) for `pyproject.toml`, which constrains `[tool.pyl]` alone."""
    function = _table_schema(tables.FUNCTION_KEYS)
    function["properties"]["triggers"] = {
        "type": "array",
        "items": {"oneOf": [_trigger_schema(kind, keys) for kind, keys in tables.TRIGGER_KEYS.items()]},
    }
    project = _table_schema(tables.PROJECT_KEYS)
    project["properties"] |= {
        "native": _table_schema(tables.NATIVE_KEYS),
        "functions": {"type": "object", "additionalProperties": function},
        "bench": {"type": "object", "additionalProperties": _table_schema(tables.BENCH_KEYS)},
    }
    tool = {"type": "object", "properties": {"pyl": {"$ref": "#/definitions/pyl"}}, "additionalProperties": True}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "pyproject.toml with [tool.pyl]",
        "type": "object",
        "properties": {"tool": tool},
        "additionalProperties": True,
        "definitions": {"pyl": project},
    }


def _describe_values(key: Key) -> str:
    match key:
        case Key(choices=[_, *_]):
            return " or ".join(f'`"{choice}"`' for choice in key.choices)
        case Key(steps=[_, *_]):
            return f"one of {', '.join(map(str, key.steps))}"
        case Key(kind=Kind.BOOLEAN):
            return "`true` or `false`"
        case Key(kind=Kind.INTEGER):
            return f"{key.minimum} to {key.maximum}"
        case Key(kind=Kind.IMAGE):
            return '`true`, `false` or `"require"`'
        case Key(kind=Kind.STRING, max_length=int()):
            return f"{key.kind}, at most {key.max_length} characters"
        case Key(max_length=int()):
            return f"{key.kind}, at most {key.max_length}"
    return str(key.kind)


def _describe_default(key: Key) -> str:
    if key.required:
        return "required"
    if key.default is None or "`" in key.default or (" " in key.default and not key.default.startswith("[")):
        return key.default or ""
    return f"`{key.default}`"


def _table_schema(keys: Sequence[Key]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {key.name: _value_schema(key) for key in keys},
        "additionalProperties": False,
    }


def _trigger_schema(kind: str, keys: Sequence[Key]) -> dict[str, Any]:
    schema = _table_schema(keys)
    schema["properties"] = {"type": {"const": kind}, **schema["properties"]}
    schema["required"] = ["type", *(key.name for key in keys if key.required)]
    return schema


def _value_schema(key: Key) -> dict[str, Any]:
    schema = {"description": key.description, **_KIND_SCHEMAS[key.kind]}
    is_list = schema.get("type") == "array"
    constraints = {
        "enum": list(key.choices or key.steps),
        "minimum": key.minimum,
        "maximum": key.maximum,
        "maxItems" if is_list else "maxLength": key.max_length,
    }
    schema |= {name: value for name, value in constraints.items() if value not in (None, [])}
    if key.pattern and is_list:
        schema["items"] = {"type": "string", "pattern": key.pattern}
    elif key.pattern:
        schema["pattern"] = key.pattern
    schema["examples"] = [key.example_value]
    return schema


def main(docs: Path) -> None:
    """Write the tables and the schema into the folder of the documentation."""
    for page in PAGES:
        path = docs / page
        path.write_text(update_page(path.read_text("utf-8")), "utf-8")
    (docs / SCHEMA).write_text(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
