"""Converts a payload inside of an event (a message's body, a record's data) into the user's types."""

from __future__ import annotations

import msgspec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    T = TypeVar("T")


def decode(payload: str | bytes, kind: type[T]) -> T:
    """Decode JSON text into a type.

    Args:
        payload: JSON in UTF-8.
        kind: A struct, dataclass, `TypedDict`, pydantic model, or any other annotation that msgspec supports.

    Raises:
        msgspec.ValidationError: The JSON does not fit the type (a pydantic model raises its own error).
        msgspec.DecodeError: The text is not JSON.
    """
    validate = getattr(kind, "model_validate_json", None)
    if validate is not None:
        model: T = validate(payload)
        return model
    return msgspec.json.decode(payload, type=kind)


def convert(value: object, kind: type[T]) -> T:
    """Convert decoded JSON into a type, as `decode` does with text.

    Raises:
        msgspec.ValidationError: The value does not fit the type (a pydantic model raises its own error).
    """
    validate = getattr(kind, "model_validate", None)
    if validate is not None:
        model: T = validate(value)
        return model
    return msgspec.convert(value, kind)
