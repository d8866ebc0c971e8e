"""Converts events into the types that handlers annotate, from JSON text or from decoded JSON.

msgspec converts Structs (all of `pyl.events`), dataclasses, TypedDicts and attrs classes; pydantic converts its own
models. Either is imported only if a handler needs it.
"""

from __future__ import annotations

import sys

from pyl.runtime.errors import UNMARSHAL_ERROR, Fault
from pyl.runtime.handlers.annotations import NOTHING, Unresolved

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Protocol

    class Converter(Protocol):
        """Converts events into one type. Both methods return equal events."""

        def from_json(self, body: bytes) -> Any:
            """Convert an event in JSON.

            Raises:
                Fault: It does not fit the type; the message has the JSON path.
            """

        def from_object(self, decoded: Any) -> Any:
            """Convert an event that has been decoded from JSON.

            Raises:
                Fault: It does not fit the type; the message has the JSON path.
            """


_PLAIN = (object, dict, list, str, int, float, bool, type(None), None, tuple)
_PLAIN_ORIGINS = ("Mapping", "MutableMapping", "Sequence", "MutableSequence", "Iterable", "Collection")


class UnsupportedEvent(Exception):
    """Events cannot be converted into the annotated type."""


def converter(annotation: Any) -> Converter | None:
    """Return the converter for an annotation, `None` for plain JSON.

    Raises:
        UnsupportedEvent: Events cannot be converted into this type.
    """
    if isinstance(annotation, Unresolved):
        msg = (
            f"the annotation {annotation.text!r} has no meaning at run time ({annotation.reason}); "
            "import its names outside of `if TYPE_CHECKING`"
        )
        raise UnsupportedEvent(msg)
    if is_plain(annotation):
        return None
    optional = _strip_none(annotation)
    if optional is not None:
        inner = converter(optional)
        return None if inner is None else _Optional(inner)
    if hasattr(annotation, "model_validate_json"):
        return _Pydantic(annotation.model_validate, annotation.model_validate_json)
    if hasattr(annotation, "__pydantic_validator__"):
        adapter = sys.modules["pydantic"].TypeAdapter(annotation)
        return _Pydantic(adapter.validate_python, adapter.validate_json)
    if not _is_known(annotation):
        name = getattr(annotation, "__qualname__", None) or repr(annotation)
        msg = (
            f"no event can be made for the annotation {name}: use plain JSON (dict, list, str, Any), a type of "
            "pyl.events, a dataclass, TypedDict, msgspec Struct, attrs class or pydantic model"
        )
        raise UnsupportedEvent(msg)
    return _Msgspec(annotation)


def is_plain(annotation: Any) -> bool:
    """Return whether this annotation stands for the decoded JSON as it is."""
    if annotation is NOTHING or annotation in _PLAIN:
        return True
    typing = sys.modules.get("typing")
    if typing is not None and annotation in (typing.Any, typing.Dict, typing.List, typing.Tuple):
        return True
    if getattr(annotation, "__name__", "") in _PLAIN_ORIGINS and not getattr(annotation, "__args__", ()):
        return getattr(annotation, "__module__", "") in ("collections.abc", "typing")
    arguments = getattr(annotation, "__args__", ())
    origin = getattr(annotation, "__origin__", None)
    if not arguments or not (origin is None or origin in _PLAIN or _is_plain_origin(origin)):
        return False
    return all(is_plain(argument) for argument in arguments if argument is not Ellipsis)


def is_typed_dict(annotation: Any) -> bool:
    """Return whether this is a TypedDict, whose values are plain dicts."""
    return isinstance(annotation, type) and issubclass(annotation, dict) and hasattr(annotation, "__total__")


def _is_plain_origin(origin: Any) -> bool:
    named = getattr(origin, "__name__", "") in _PLAIN_ORIGINS
    is_union = type(origin).__name__ == "_SpecialForm" and getattr(origin, "_name", "") == "Union"
    return (named and getattr(origin, "__module__", "") == "collections.abc") or is_union


def _is_known(annotation: Any) -> bool:
    """Return whether msgspec converts into this type."""
    if isinstance(annotation, type) and not hasattr(annotation, "__origin__"):
        class_attributes = ("__struct_fields__", "__dataclass_fields__", "__attrs_attrs__")
        return is_typed_dict(annotation) or any(hasattr(annotation, name) for name in class_attributes)
    arguments = getattr(annotation, "__args__", ())
    origin = getattr(annotation, "__origin__", None)
    if origin is None or origin in _PLAIN or _is_plain_origin(origin):
        return bool(arguments) and all(
            argument is Ellipsis or is_plain(argument) or _is_known(argument) for argument in arguments
        )
    return _is_known(origin)  # a parameterised generic class, or Annotated


def _strip_none(annotation: Any) -> Any:
    """Return `X` of `X | None`, `None` for anything else."""
    arguments = getattr(annotation, "__args__", ())
    if type(annotation).__name__ not in ("UnionType", "_UnionGenericAlias", "Union") or len(arguments) != 2:
        return None
    others = [argument for argument in arguments if argument is not type(None)]
    return others[0] if len(others) == 1 else None


class _Msgspec:
    def __init__(self, annotation: Any) -> None:
        import msgspec

        self._annotation = annotation
        self._decoder = msgspec.json.Decoder(annotation)
        self._convert = msgspec.convert
        self._error = msgspec.MsgspecError

    def from_json(self, body: bytes) -> Any:
        try:
            return self._decoder.decode(body)
        except self._error as error:
            raise _conversion_fault(_with_path(str(error))) from error
        except (UnicodeDecodeError, RecursionError) as error:
            raise _conversion_fault(str(error)) from error

    def from_object(self, decoded: Any) -> Any:
        try:
            return self._convert(decoded, self._annotation, str_keys=True)
        except self._error as error:
            raise _conversion_fault(_with_path(str(error))) from error
        except RecursionError as error:
            raise _conversion_fault(str(error)) from error


class _Pydantic:
    def __init__(self, from_object: Any, from_json: Any) -> None:
        self._from_object = from_object
        self._from_json = from_json

    def from_json(self, body: bytes) -> Any:
        try:
            return self._from_json(body)
        except ValueError as error:
            raise _conversion_fault(_pydantic_message(error)) from error

    def from_object(self, decoded: Any) -> Any:
        try:
            return self._from_object(decoded)
        except ValueError:
            # A strict model accepts a date in JSON text, but not a Python string.
            import json

            return self.from_json(json.dumps(decoded).encode())


class _Optional:
    def __init__(self, inner: Converter) -> None:
        self._inner = inner

    def from_json(self, body: bytes) -> Any:
        return None if body.strip() == b"null" else self._inner.from_json(body)

    def from_object(self, decoded: Any) -> Any:
        return None if decoded is None else self._inner.from_object(decoded)


def _conversion_fault(message: str) -> Fault:
    return Fault(UNMARSHAL_ERROR, f"Unable to unmarshal input: {message}")


def _with_path(message: str) -> str:
    """Change msgspec's message for a missing field to name the path of the field, not of its object."""
    text, _, path = message.partition(" - at `")
    if not text.startswith("Object missing required field `"):
        return message
    field = text.rpartition("field `")[2].rstrip("`")
    return f"{text} - at `{path.rstrip('`') or '$'}.{field}`"


def _pydantic_message(error: Any) -> str:
    details = error.errors(include_url=False) if hasattr(error, "errors") else []
    if not details:
        return str(error)
    first = details[0]
    more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
    return f"{first['msg']} - at `{_json_path(first['loc'])}`{more}"


def _json_path(location: Iterable[str | int]) -> str:
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
