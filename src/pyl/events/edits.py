"""Changes to sample events: `Records.0.body=hello` sets the value at a path. Not part of Lambda packages."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from pyl.errors import UsageError


def edited(event: bytes, edits: Iterable[str]) -> bytes:
    """Return an event with values set.

    Args:
        event: The event, as JSON.
        edits: Changes of the form `PATH=VALUE`. PATH is keys and indices, separated by dots. VALUE is text where the
            event has text; elsewhere it is JSON, or text if it is not valid JSON. A new key is added to its object,
            and the index after the last one to its list.

    Raises:
        UsageError: The event is not JSON, an edit has another form, or a path leads nowhere.
    """
    edits = list(edits)
    if not edits:
        return event
    try:
        value = json.loads(event)
    except ValueError as error:
        msg = f"the event is not JSON: {error}"
        raise UsageError(msg) from error
    for edit in edits:
        path, separator, text = edit.partition("=")
        if not separator or not path:
            msg = f"--set {edit!r} is not PATH=VALUE"
            raise UsageError(msg, hint="for instance --set Records.0.body=hello")
        _set(value, path.split("."), text, path)
    return json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n"


def _set(value: Any, keys: list[str], text: str, path: str) -> None:
    *before, last = keys
    for key in before:
        place = _key(value, key, path)
        try:
            value = value[place]
        except (KeyError, IndexError):
            raise _no_such_place(path, key, value) from None
    place = _key(value, last, path)
    if isinstance(value, list) and place == len(value):
        value.append(_parse_value(None, text))
    elif isinstance(value, list) and place > len(value):
        raise _no_such_place(path, last, value)
    else:
        current = value[place] if isinstance(value, list) else value.get(place)
        value[place] = _parse_value(current, text)


def _key(value: Any, key: str, path: str) -> Any:
    if isinstance(value, dict):
        return key
    if isinstance(value, list) and key.isdecimal():
        return int(key)
    raise _no_such_place(path, key, value)


def _no_such_place(path: str, key: str, value: Any) -> UsageError:
    msg = f"--set {path}: there is no {key!r} to set"
    if isinstance(value, dict):
        return UsageError(msg, hint=f"there are {', '.join(value)}")
    if isinstance(value, list):
        return UsageError(msg, hint=f"it is a list of {len(value)}")
    return UsageError(msg, hint=f"what is there is {json.dumps(value)[:80]}")


def _parse_value(current: Any, text: str) -> Any:
    if isinstance(current, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
