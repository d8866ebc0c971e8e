"""JSON between Lambda and handlers, with the meaning that awslambdaric gives it.

`import json` costs a third of the start of an empty interpreter (it compiles regular expressions), so the C
scanner and encoder below it are used directly. Where something has imported msgspec anyway, it does the
work two to ten times faster. What either refuses or would change (lone surrogates, NaN, named tuples) takes
the path that decides. Measured on 10 kB: decoding 72 us by the scanner, 30 us by msgspec; encoding 140 and
45 us; simplejson, which awslambdaric uses, 80 and 145 us.
"""

from __future__ import annotations

import _json
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

_EXPECTING_VALUE, _EXTRA_DATA = "Expecting value", "Extra data"
_WHITESPACE = " \t\n\r"
_INFINITY = float("inf")

DEEPEST = 1000
"""Levels of nesting that are followed: Python's own limit."""


def _refuse_constant(name: str) -> NoReturn:
    msg = f"Expecting value: {name} is not JSON"
    raise ValueError(msg)


class _ScannerSettings:
    """What `json.decoder.JSONDecoder` would hand to the C scanner."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = staticmethod(_refuse_constant)
    memo: dict[str, str] = {}  # noqa: RUF012 - the scanner asks for the attribute


_scan = _json.make_scanner(_ScannerSettings())  # type: ignore[arg-type]


def decode(body: bytes) -> Any:
    """Return the value of a JSON document.

    Raises:
        ValueError: it is not JSON in UTF-8.
    """
    msgspec = sys.modules.get("msgspec")
    if msgspec is not None:
        try:
            return msgspec.json.decode(body)
        except Exception:  # noqa: BLE001, S110 - the scanner accepts it after all, or says what is wrong
            pass
    return _decode_by_scanner(body.decode("utf-8"))


def _decode_by_scanner(text: str) -> Any:
    text = text.removeprefix("\ufeff")
    start = len(text) - len(text.lstrip(_WHITESPACE))
    try:
        value, end = _scan_from(text, start)
    except StopIteration as stop:
        raise _malformed(text, stop.value) from None
    rest = len(text) - len(text[end:].lstrip(_WHITESPACE))
    if rest != len(text):
        raise _malformed(text, rest, _EXTRA_DATA)
    return value


def _scan_from(text: str, start: int) -> tuple[Any, int]:
    try:
        return _scan(text, start)
    except SystemError:
        # The scanner of Python 3.11 can only say what is wrong once `json.decoder` has been imported.
        import json.decoder  # noqa: F401

        return _scan(text, start)


def _malformed(text: str, position: int, problem: str = _EXPECTING_VALUE) -> ValueError:
    from json import JSONDecodeError

    return JSONDecodeError(problem, text, position)


def _not_plain(value: object) -> NoReturn:
    msg = f"Object of type {type(value).__name__} is not JSON serializable"
    raise TypeError(msg)


def _encoder(escape: Any) -> Any:
    return _json.make_encoder({}, _not_plain, escape, None, ":", ",", False, False, True)


_chunks = _encoder(_json.encode_basestring)
_ascii_chunks = _encoder(_json.encode_basestring_ascii)


def encode(value: object) -> bytes:
    """Return a result of a handler as JSON in UTF-8.

    Raises:
        TypeError: something in it has no form in JSON.
        ValueError: it contains itself.
        RecursionError: it is nested too deeply.
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
    """Return plain JSON without any character beyond ASCII, as a header needs it."""
    return "".join(_ascii_chunks(value, 0))


def is_plain(value: object) -> bool:
    """Whether this is made of exactly JSON's own types, which every encoder writes alike."""
    try:
        return _is_plain(value, 0)
    except RecursionError:
        return True  # the encoder will say whether it is too deep, or contains itself


def _is_plain(value: Any, depth: int) -> bool:
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return True
    if kind is float:
        return value == value and value not in (_INFINITY, -_INFINITY)
    if depth > DEEPEST:  # compiled code has no limit of its own but the stack's end
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
