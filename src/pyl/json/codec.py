"""JSON codec that reads and writes as awslambdaric does, without importing `json`.

`import json` takes a third of the start of an empty interpreter (it compiles regular expressions), so the C scanner and
encoder below it are used directly. If something has imported msgspec anyway, msgspec is used: it is two to ten times
faster. Values that one of them refuses or would change (lone surrogates, NaN, named tuples) are left to the other path.
Measured on 10 kB: decoding takes 72 us with the scanner and 30 us with msgspec, encoding 140 and 45 us; simplejson,
which awslambdaric uses, takes 80 and 145 us.
"""

from __future__ import annotations

import _json
import sys

from pyl.json import MAX_DEPTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

_EXPECTING_VALUE, _EXTRA_DATA = "Expecting value", "Extra data"
_WHITESPACE = " \t\n\r"
_INFINITY = float("inf")


def _refuse_constant(name: str) -> NoReturn:
    msg = f"Expecting value: {name} is not JSON"
    raise ValueError(msg)


class _ScannerSettings:
    """The attributes of `json.decoder.JSONDecoder` that the C scanner reads."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = staticmethod(_refuse_constant)
    memo: dict[str, str] = {}  # noqa: RUF012 - the scanner reads the attribute


_scan = _json.make_scanner(_ScannerSettings())  # type: ignore[arg-type]


def decode(body: bytes) -> Any:
    """Return the value of a JSON document.

    Raises:
        ValueError: It is not JSON in UTF-8.
        RecursionError: It is nested too deeply.
    """
    msgspec = sys.modules.get("msgspec")
    if msgspec is not None:
        try:
            return msgspec.json.decode(body)
        except Exception:  # noqa: BLE001, S110 - the scanner accepts it, or describes the error
            pass
    return _decode_by_scanner(body.decode("utf-8"))


def _decode_by_scanner(text: str) -> Any:
    text = text.removeprefix("\ufeff")
    start = len(text) - len(text.lstrip(_WHITESPACE))
    try:
        value, end = _scan_from(text, start)
    except StopIteration as stop:
        raise _decode_error(text, stop.value) from None
    extra_data = len(text) - len(text[end:].lstrip(_WHITESPACE))
    if extra_data != len(text):
        raise _decode_error(text, extra_data, _EXTRA_DATA)
    return value


def _scan_from(text: str, start: int) -> tuple[Any, int]:
    try:
        return _scan(text, start)
    except SystemError:
        # The scanner of Python 3.11 can only raise its error once `json.decoder` has been imported.
        import json.decoder  # noqa: F401

        return _scan(text, start)


def _decode_error(text: str, position: int, problem: str = _EXPECTING_VALUE) -> ValueError:
    from json import JSONDecodeError

    return JSONDecodeError(problem, text, position)


def _refuse_type(value: object) -> NoReturn:
    msg = f"Object of type {type(value).__name__} is not JSON serializable"
    raise TypeError(msg)


def _encoder(escape: Any) -> Any:
    return _json.make_encoder({}, _refuse_type, escape, None, ":", ",", False, False, True)


_chunks = _encoder(_json.encode_basestring)
_ascii_chunks = _encoder(_json.encode_basestring_ascii)


def encode(value: object) -> bytes:
    """Return a result of a handler as JSON in UTF-8.

    Raises:
        TypeError: A part of it has no form in JSON.
        ValueError: It contains itself.
        RecursionError: It is nested too deeply.
    """
    if not is_plain(value):
        from pyl.json.encoder import encode_any

        text = encode_any(value)
    else:
        msgspec = sys.modules.get("msgspec")
        if msgspec is not None:
            try:
                encoded: bytes = msgspec.json.encode(value)
            except Exception:  # noqa: BLE001, S110 - a lone surrogate, or too deep
                pass
            else:
                return encoded
        text = "".join(_chunks(value, 0))
    # A lone surrogate becomes the escape that JSON has for it, `\udXXX`.
    return text.encode("utf-8", "backslashreplace")


def encode_ascii(value: object) -> str:
    """Return plain JSON in ASCII, for a header."""
    return "".join(_ascii_chunks(value, 0))


def is_plain(value: object) -> bool:
    """Return whether a value consists of JSON's own types only, which every encoder writes alike."""
    try:
        return _is_plain(value, 0)
    except RecursionError:
        return True  # the encoder finds out whether it is too deep, or contains itself


def _is_plain(value: Any, depth: int) -> bool:
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return True
    if kind is float:
        return value == value and value not in (_INFINITY, -_INFINITY)
    if depth > MAX_DEPTH:  # compiled code has no limit but the end of the stack
        raise RecursionError
    if kind is dict:
        for key, item in value.items():
            if type(key) is not str:
                return False
            if type(item) is not str and not _is_plain(item, depth + 1):
                return False
        return True
    if kind is list:
        return all(type(item) is str or _is_plain(item, depth + 1) for item in value)
    return False
