"""JSON means what it means to awslambdaric, whichever library does the work."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import simplejson
from hypothesis import given
from hypothesis import strategies as st

from pyl.json import codec

DOCUMENTS = [
    b"123456789012345678901234567890",
    b"18446744073709551616",
    b"1e400",
    b"-0",
    b"-0.0",
    b"1E2",
    b"5e-324",
    b"0.1",
    b"1.7976931348623157e309",
    b'{"a":1,"a":2}',
    b'"\\ud800"',
    b'"\\ud83d\\ude00"',
    b'{"\\udfff":1}',
    b'"\x7f"',
    b'"a\\u0000b"',
    b"\t[1]\n\r ",
    b"\xef\xbb\xbf1",
    '"größe ☃ \U0001f600"'.encode(),
    b"[]",
    b"{}",
    b"null",
]

REFUSED = [
    b"",
    b"  ",
    b"1 2",
    b'{"a":1} x',
    b"1.",
    b"01",
    b"\x0c1",
    b"nul",
    b'{"a" 1}',
    b"{a:1}",
    b'"abc',
    b"[1,]",
    b'{"a":1,}',
    b"NaN",
    b"[Infinity]",
    b"-Infinity",
    b'"\x01"',
    b'"\xff"',
    b'"\xed\xa0\x80"',
    '"x"'.encode("utf-16"),
    b"[" * 100_000,
    b"9" * 5000,
]

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)
"""Everything that JSON can say, lone surrogates excepted (hypothesis makes none by itself)."""


@pytest.fixture(params=["scanner", "msgspec"], autouse=True)
def library(request: pytest.FixtureRequest) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "scanner":
            patch.delitem(sys.modules, "msgspec")
        else:
            patch.setitem(sys.modules, "msgspec", msgspec)
        yield request.param


def same(left: Any, right: Any) -> bool:
    return repr(left) == repr(right)


@pytest.mark.parametrize("document", DOCUMENTS, ids=repr)
def test_documents_decode_as_awslambdaric_decodes_them(document: bytes) -> None:
    assert same(codec.decode(document), simplejson.loads(document))


@pytest.mark.parametrize("document", REFUSED, ids=lambda document: repr(document[:20]))
def test_documents_that_awslambdaric_refuses_are_refused(document: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        simplejson.loads(document)
    with pytest.raises((ValueError, RecursionError)):
        codec.decode(document)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b"", "Expecting value: line 1 column 1 (char 0)"),
        (b" x", "Expecting value: line 1 column 2 (char 1)"),
        (b"1 2", "Extra data: line 1 column 3 (char 2)"),
        (b'{"a" 1}', "Expecting ':' delimiter: line 1 column 6 (char 5)"),
        (b"[NaN]", "Expecting value: NaN is not JSON"),
    ],
)
def test_a_refusal_says_where(document: bytes, message: str) -> None:
    with pytest.raises(ValueError, match="^" + message.replace("(", r"\(").replace(")", r"\)") + "$"):
        codec.decode(document)


@given(plain)
def test_any_value_decodes_as_awslambdaric_decodes_it(value: Any) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)):
        assert same(codec.decode(text.encode()), simplejson.loads(text))


@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:0123456789.eE+-\\utrnfalse \n').map(str.encode))
def test_any_bytes_are_decoded_or_refused_as_by_awslambdaric(document: bytes) -> None:
    try:
        expected = simplejson.loads(document)
    except (ValueError, RecursionError):
        with pytest.raises((ValueError, RecursionError)):
            codec.decode(document)
    else:
        assert same(codec.decode(document), expected)


@given(plain)
def test_any_plain_value_survives_encoding(value: Any) -> None:
    encoded = codec.encode(value)
    assert same(json.loads(encoded), json.loads(json.dumps(value)))
    assert encoded == codec.encode(json.loads(encoded))


@pytest.mark.parametrize(
    ("value", "text"),
    [(float("nan"), b"NaN"), (float("inf"), b"Infinity"), (float("-inf"), b"-Infinity")],
)
def test_numbers_beyond_json_are_written_as_awslambdaric_writes_them(value: float, text: bytes) -> None:
    assert codec.encode(value) == text
    assert codec.encode({"a": [1, value]}) == b'{"a":[1,' + text + b"]}"
    assert text.decode() == simplejson.dumps(value, allow_nan=True)


@pytest.mark.parametrize("value", ["\ud800", {"\udfff": ["\ud83d"]}, ["a\ud800é"]])
def test_lone_surrogates_become_escapes(value: Any) -> None:
    assert json.loads(codec.encode(value)) == value


def test_text_stays_readable_and_compact() -> None:
    assert codec.encode({"ö": ["☃", '\x7f\x00\n"\\']}) == '{"ö":["☃","\x7f\\u0000\\n\\"\\\\"]}'.encode()


def test_text_for_headers_is_ascii() -> None:
    text = codec.encode_ascii({"ö": "\U0001f600\r\n\ud800"})
    assert text.isascii()
    assert "\r" not in text
    assert json.loads(text) == {"ö": "\U0001f600\r\n\ud800"}


@pytest.mark.parametrize("depth", [500, 100_000])
def test_deep_values_are_encoded_or_refused_without_harm(depth: int) -> None:
    value: Any = []
    for _ in range(depth):
        value = [value]
    if depth > 1000:
        with pytest.raises(RecursionError):
            codec.encode(value)
    else:
        assert codec.encode(value) == b"[" * (depth + 1) + b"]" * (depth + 1)


def test_a_value_that_contains_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises((ValueError, RecursionError)):
        codec.encode(loop)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": [1, "b", None, True, 1.5]}, True),
        ((1,), False),
        ([float("nan")], False),
        (float("inf"), False),
        (float("-inf"), False),
        ({"a": [-1.5, 0.0, 1e308]}, True),
        ({1: 2}, False),
        ({"a": {"b": b""}}, False),
        (type("Text", (str,), {})("x"), False),
    ],
)
def test_plain_is_what_every_encoder_writes_alike(value: Any, expected: bool) -> None:
    assert codec.is_plain(value) is expected
