"""Check event patterns (EventBridge, filters of event sources, SNS) and other JSON in TOML, without AWS.

A pattern is an object whose leaves are arrays of what may match: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def canonical_json(value: object) -> str:
    """Return a table, or a text in JSON, as JSON with sorted keys.

    Raises:
        ValueError: It is not JSON, or TOML that cannot be written as JSON (a date, `nan`).
    """
    content = json.loads(value, parse_constant=_no_constant) if isinstance(value, str) else value
    try:
        return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except (TypeError, RecursionError) as error:
        reason = str(error).removeprefix("Object of type ")
        raise ValueError(reason) from None


def find_pattern_mistake(text: str) -> str | None:
    """Return why a JSON text is not an event pattern, or `None`."""
    content = json.loads(text)
    if not isinstance(content, dict):
        return "a pattern is a table of fields"
    if not content:
        return "a pattern names at least one field"
    return _field_mistake(content, "")


def _field_mistake(fields: Mapping[str, Any], path: str) -> str | None:
    for name, value in fields.items():
        place = f"{path}{name}"
        if name == "$or":
            mistake = _alternatives_mistake(value, path)
        elif isinstance(value, dict):
            mistake = _field_mistake(value, f"{place}.") if value else f"`{place}` is empty"
        elif not isinstance(value, list):
            mistake = f"`{place}` must be an array of what may match: [{json.dumps(value)}]"
        else:
            mistake = None if value else f"`{place}` is empty, so that nothing matches"
        if mistake is not None:
            return mistake
    return None


def _alternatives_mistake(value: object, path: str) -> str | None:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        return f"`{path}$or` must be an array of patterns"
    return next(filter(None, (_field_mistake(item, path) for item in value)), None)


def _no_constant(name: str) -> None:
    msg = f"JSON has no {name}"
    raise ValueError(msg)
