"""JSON encoder for values beyond JSON's own types.

What awslambdaric can encode has the same form here: named tuples are objects, a `Decimal` is a number, NaN and
infinities are written as such. In addition msgspec Structs, dataclasses, attrs classes and pydantic models are objects,
dates and times are ISO 8601, UUIDs and enums are their values, bytes are base64, and sets are arrays.
"""

from __future__ import annotations

import _json
import sys

from pyl.json import MAX_DEPTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

_KEY_TYPES = "keys must be str, int, float, bool or None, not "


def encode_any(value: object) -> str:
    """Return the JSON text of a value.

    Raises:
        TypeError: A part of it has no form in JSON.
        ValueError: It contains itself.
        RecursionError: It is nested too deeply.
    """
    chunks: list[str] = []
    _Writer(chunks.append).write(value)
    return "".join(chunks)


class _Writer:
    """Writes one value. Keeps the ids of the containers that it is in, to detect one that contains itself."""

    def __init__(self, emit: Callable[[str], object]) -> None:
        self.emit = emit
        self.open: set[int] = set()

    def write(self, value: Any) -> None:
        scalar = _scalar(value)
        if scalar is not None:
            self.emit(scalar)
            return
        if len(self.open) > MAX_DEPTH:
            msg = "nested too deeply"
            raise RecursionError(msg)
        if id(value) in self.open:
            msg = "Circular reference detected"
            raise ValueError(msg)
        self.open.add(id(value))
        if isinstance(value, dict):
            self.write_object(value.items())
        elif isinstance(value, tuple) and (as_dict := getattr(value, "_asdict", None)) is not None:
            self.write_object(as_dict().items())
        elif isinstance(value, (list, tuple, set, frozenset)):
            self.write_array(value)
        else:
            self.write_instance(value)
        self.open.discard(id(value))

    def write_array(self, values: Iterable[Any]) -> None:
        separator = "["
        for value in values:
            self.emit(separator)
            self.write(value)
            separator = ","
        self.emit("[]" if separator == "[" else "]")

    def write_object(self, items: Iterable[tuple[Any, Any]]) -> None:
        separator = "{"
        for key, value in items:
            self.emit(separator + _json.encode_basestring(_key(key)) + ":")
            self.write(value)
            separator = ","
        self.emit("{}" if separator == "{" else "}")

    def write_instance(self, value: Any) -> None:
        kind = type(value)
        if hasattr(kind, "__struct_fields__"):
            self.emit(_struct_encoder().encode(value).decode())
        elif callable(getattr(kind, "model_dump_json", None)):
            self.emit(value.model_dump_json())
        elif hasattr(kind, "__dataclass_fields__"):
            fields = sys.modules["dataclasses"].fields(value)
            self.write_object((field.name, getattr(value, field.name)) for field in fields)
        elif hasattr(kind, "__attrs_attrs__"):
            self.write_object((field.name, getattr(value, field.name)) for field in kind.__attrs_attrs__)
        elif kind.__name__ == "timedelta" and kind.__module__ == "datetime":
            self.emit(_struct_encoder().encode(value).decode())
        else:
            msg = f"Object of type {kind.__name__} is not JSON serializable"
            raise TypeError(msg)


def _scalar(value: Any) -> str | None:
    """Return the JSON text of a scalar, `None` for everything else."""
    if isinstance(value, str):
        text: str = _json.encode_basestring(value)
        return text
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        import binascii

        return f'"{binascii.b2a_base64(value, newline=False).decode()}"'
    return _library_scalar(value)


def _library_scalar(value: Any) -> str | None:
    """Return the JSON text of scalars from standard modules that are not always imported, else `None`."""
    if _is_instance(value, "decimal", "Decimal"):
        return "NaN" if value.is_nan() else str(value)
    if _is_instance(value, "uuid", "UUID"):
        return f'"{value}"'
    if _is_instance(value, "datetime", "date") or _is_instance(value, "datetime", "time"):
        text: str = value.isoformat()
        return f'"{text[:-6]}Z"' if text.endswith("+00:00") else f'"{text}"'
    if _is_instance(value, "enum", "Enum"):
        return encode_any(value.value)
    return None


def _is_instance(value: object, module: str, name: str) -> bool:
    """Return whether this is an instance of a class, without importing the class's module."""
    loaded_module = sys.modules.get(module)
    return loaded_module is not None and isinstance(value, getattr(loaded_module, name))


def _number(value: float) -> str:
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return float.__repr__(value)


def _key(key: Any) -> str:
    if isinstance(key, str):
        return key
    if key is None or key is True or key is False or isinstance(key, (int, float)):
        text = _scalar(key)
        assert text is not None  # noqa: S101 - numbers and constants are scalars
        return text
    msg = f"{_KEY_TYPES}{type(key).__name__}"
    raise TypeError(msg)


def _struct_encoder() -> Any:
    """Return msgspec's encoder, which handles renamed, tagged and omitted fields.

    It calls `encode_any` for values that it does not know.
    """
    import msgspec

    global _cached_struct_encoder  # noqa: PLW0603 - created once, at its first use
    if _cached_struct_encoder is None:
        _cached_struct_encoder = msgspec.json.Encoder(
            enc_hook=lambda value: msgspec.Raw(encode_any(value).encode("utf-8", "backslashreplace")),
            decimal_format="number",
        )
    return _cached_struct_encoder


_cached_struct_encoder: Any = None
