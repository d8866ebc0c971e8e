"""The JSON of the C loop reads and writes as `pyl.json.codec` does, or leaves it to that."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import os
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyl.json import codec
from pyl.packaging.native_runtime import build_extension

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=30)
PIECES = st.sampled_from(
    [
        *('"', "\\", "\\u00e4", "\\ud83d", "\\ude00", "{", "}", "[", "]", ",", ":", " ", "\n", "true", "null", "-"),
        *("0", "1", "1.5", "e3", "E-2", ".", "NaN", "Infinity", "\ufeff", "ä", "😀", "\x00", "\x1f", "x" * 40, "key"),
    ]
)


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Any:
    library = Path(os.environ.get("PYL_TEST_NATIVE") or tmp_path_factory.mktemp("native") / "_native.so")
    if not library.exists():  # else it is one with sanitizers: `make test-sanitizers`
        build_extension(Path(sysconfig.get_path("include")), library)
    loader = importlib.machinery.ExtensionFileLoader("_native", str(library))
    specification = importlib.util.spec_from_loader("_native", loader)
    assert specification is not None
    module = importlib.util.module_from_spec(specification)
    loader.exec_module(module)
    return module


def read(decode: Callable[[bytes], Any], document: bytes) -> str:
    try:
        return repr(decode(document))  # tells 1 from 1.0, and NaN from itself
    except (ValueError, RecursionError):
        return "refused"


def assert_reads_alike(native: Any, document: bytes) -> None:
    got = native.decode(document)
    if got is not NotImplemented:
        assert repr(got) == read(codec.decode, document)


def test_every_written_value_is_read_again(native: Any) -> None:
    @given(VALUES)
    def check(value: Any) -> None:
        document = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
        assert_reads_alike(native, document)
        assert_reads_alike(native, json.dumps(value, indent=1).encode())

    check()


def test_what_it_takes_of_broken_documents_means_the_same(native: Any) -> None:
    @given(st.lists(PIECES, max_size=12).map("".join) | st.text())
    def check(text: str) -> None:
        assert_reads_alike(native, text.encode("utf-8", "surrogatepass"))

    check()


def test_bytes_that_are_no_text_are_left_to_python(native: Any) -> None:
    @given(st.binary(max_size=40))
    def check(document: bytes) -> None:
        assert_reads_alike(native, document)
        assert_reads_alike(native, b'"' + document + b'"')

    check()


def test_decimals_are_read_and_written_to_the_last_digit(native: Any) -> None:
    @given(st.integers(-(10**16), 10**16), st.integers(0, 18))
    def check(digits: int, places: int) -> None:
        text = str(digits).rjust(places + 1, "0") if digits >= 0 else "-" + str(-digits).rjust(places + 1, "0")
        document = f"{text[: len(text) - places]}.{text[len(text) - places :]}" if places else f"{text}.0"
        value = native.decode(document.encode())
        assert repr(value) == repr(float(document))
        assert native.encode(value) == repr(value).encode()

    check()


def test_what_it_writes_is_what_python_writes(native: Any) -> None:
    @given(VALUES)
    def check(value: Any) -> None:
        got = native.encode(value)
        if got is not NotImplemented:
            assert got == "".join(codec._chunks(value, 0)).encode()

    check()


@pytest.mark.parametrize(
    "document",
    [
        b'{"name": "World"}',
        b' [1, -2.5e3, true, false, null, "\\u00e4\\n\\ud83d\\ude00"] ',
        '{"schlüssel": "wert", "a": {"b": [{}, []]}}'.encode(),
        b"123456789012345678",
        json.dumps({"records": [{"body": "x" * 500, "index": i} for i in range(20)]}).encode(),
    ],
)
def test_usual_documents_are_read_and_written_in_c(native: Any, document: bytes) -> None:
    value = native.decode(document)
    assert value == json.loads(document)
    assert native.decode(native.encode(value)) == value


@pytest.mark.parametrize(
    "document",
    [b"", b"{", b"[1,]", b'{"a" 1}', b"01", b"1.", b"-", b"NaN", b'"\\ud800"', b'"\x01"', b'"\\x"', b"1 2", b"[" * 300],
)
def test_what_is_wrong_is_left_to_python(native: Any, document: bytes) -> None:
    assert native.decode(document) is NotImplemented


def test_a_later_member_replaces_an_earlier_one(native: Any) -> None:
    assert native.decode(b'{"a": 1, "b": 2, "a": 3}') == {"a": 3, "b": 2}


def test_types_beyond_jsons_own_are_left_to_python(native: Any) -> None:
    for value in ({1: 2}, (1, 2), {"a": {1}}, float("nan"), float("inf"), "\ud800", 2**70, type("S", (str,), {})("x")):
        assert native.encode(value) is NotImplemented


def test_a_list_that_contains_itself_is_left_to_python(native: Any) -> None:
    value: list[Any] = []
    value.append(value)
    assert native.encode(value) is NotImplemented
