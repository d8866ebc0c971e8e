"""A payload inside an event (a message body, a stream record's data) as what the user's code works with."""

from __future__ import annotations

import msgspec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    T = TypeVar("T")


def decode(payload: str | bytes, kind: type[T]) -> T:
    """Decode JSON text into `kind`: a struct, dataclass, TypedDict, pydantic model, or other annotation.

    Raises:
        msgspec.ValidationError: the JSON does not fit the type (a pydantic model raises its own error).
        msgspec.DecodeError: the text is not JSON.
    """
    validate = getattr(kind, "model_validate_json", None)
    if validate is not None:
        model: T = validate(payload)
        return model
    return msgspec.json.decode(payload, type=kind)


def convert(value: object, kind: type[T]) -> T:
    """Convert decoded JSON into `kind`, like `decode` does with text."""
    validate = getattr(kind, "model_validate", None)
    if validate is not None:
        model: T = validate(value)
        return model
    return msgspec.convert(value, kind)
