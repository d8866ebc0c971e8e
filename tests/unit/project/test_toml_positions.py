"""Keys are found where they stand, in every way that TOML lets one write them."""

from __future__ import annotations

import tomllib
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyl.project.config.toml_positions import KeyPath, Position, locate_keys


def place(text: str, *path: str | int) -> tuple[int, int, int]:
    position = locate_keys(dedent(text).lstrip("\n"))[path]
    return position.line, position.column, position.width


def test_a_key_of_a_table_stands_at_its_name() -> None:
    assert place("[tool.pyl]\nmemory = 1", "tool", "pyl", "memory") == (2, 1, 6)


def test_every_part_of_a_table_header_has_a_position() -> None:
    assert place("\n[tool.pyl]\n", "tool") == (1, 2, 4)
    assert place("\n[tool.pyl]\n", "tool", "pyl") == (1, 7, 3)


def test_dotted_keys_nest() -> None:
    assert place("[tool]\n  pyl . native.image = false", "tool", "pyl", "native", "image") == (2, 16, 5)


def test_quoted_keys_are_unquoted() -> None:
    text = """
        [tool."pyl"]
        'a.b'."c\\u0041" = 1
    """
    assert place(text, "tool", "pyl", "a.b", "cA") == (2, 7, 9)


def test_keys_of_inline_tables_are_found() -> None:
    text = 'environment = { A = "}", "B" = { C.D = 1 } } # { E = 1 }'
    assert place(text, "environment", "A") == (1, 17, 1)
    assert place(text, "environment", "B", "C", "D") == (1, 36, 1)


def test_elements_of_arrays_are_numbered() -> None:
    text = """
        include = [
          "a,]", # "no"
          'b', { c = 1 },
          [2, 3],
        ]
        last = 1
    """
    assert place(text, "include", 0) == (2, 3, 5)
    assert place(text, "include", 1) == (3, 3, 3)
    assert place(text, "include", 2, "c") == (3, 10, 1)
    assert place(text, "include", 3, 1) == (4, 7, 1)
    assert place(text, "last") == (6, 1, 4)


def test_arrays_of_tables_count_their_elements() -> None:
    text = """
        [[index]]
        name = 1
        [index.sub]
        x = 1
        [[index]]
        name = 2
        [[index.deep]]
        y = 1
    """
    assert place(text, "index", 0, "name") == (2, 1, 4)
    assert place(text, "index", 0, "sub", "x") == (4, 1, 1)
    assert place(text, "index", 1) == (5, 3, 5)
    assert place(text, "index", 1, "name") == (6, 1, 4)
    assert place(text, "index", 1, "deep", 0, "y") == (8, 1, 1)


@pytest.mark.parametrize(
    "value",
    [
        '"""\n[no]\nkey = "\\""\n""""',
        "'''\n[no] # no\n''''",
        '""',
        '""""""',
        "''",
        r'"\" # no"',
        "1979-05-27 07:32:00Z",
        "[\n]",
        "{}",
        "-1_000 # no = 1",
    ],
)
def test_the_key_after_any_value_is_found(value: str) -> None:
    text = f"first = {value}\nlast = 1"
    assert tomllib.loads(text)
    assert place(text, "last") == (text.count("\n") + 1, 1, 4)
    assert set(locate_keys(text)) == {("first",), ("last",)}


def test_windows_line_ends_do_not_move_columns() -> None:
    assert locate_keys("a = 1\r\nb = 2\r\n")["b",] == Position(2, 1, 1)


def test_a_table_named_twice_stands_where_it_is_named_first() -> None:
    assert place("[a.b]\n[a.c]\n[a]\n", "a") == (1, 2, 1)


BARE = st.text("abzAZ019-_", min_size=1, max_size=4)
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=5)
SPACE = st.sampled_from(["", " ", "\t "])


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


KEY = st.one_of(BARE, TEXT.map(quoted), TEXT.filter(lambda text: "'" not in text).map("'{}'".format))
DOTTED = st.lists(KEY, min_size=1, max_size=3).map(" . ".join)
STRINGS = st.one_of(
    TEXT.map(quoted),
    TEXT.map(lambda text: f'"""\n{quoted(text)[1:-1]}\\\n  """'),
    TEXT.filter(lambda text: "'" not in text).map("'''\n{}\n'''".format),
)
SCALARS = st.one_of(STRINGS, st.sampled_from(["1", "-0.5e3", "true", "inf", "1979-05-27 07:32:00", "07:32:00"]))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[ # [\n" + ",\n ".join(items) + "\n]"),
        st.lists(st.tuples(DOTTED, inner), max_size=3).map(
            lambda pairs: "{" + ", ".join(f"{key} = {value}" for key, value in pairs) + "}"
        ),
    ),
    max_leaves=5,
)
LINES = st.one_of(
    st.builds("{1}{0}={1}{2} # x = '".format, DOTTED, SPACE, VALUES),
    st.builds("{1}[{1}{0}{1}]".format, DOTTED, SPACE),
    st.builds("[[{0}]]".format, DOTTED),
    st.just("# [x]\n"),
)


def paths(value: Any, path: KeyPath = ()) -> set[KeyPath]:
    children: Any = ()
    if isinstance(value, dict):
        children = value.items()
    elif isinstance(value, list):
        children = enumerate(value)
    found = {path} if path else set()
    return found.union(*(paths(child, (*path, key)) for key, child in children))


@settings(max_examples=settings().max_examples // 2, deadline=None)
@given(st.lists(LINES, max_size=6).map("\n".join))
def test_exactly_the_paths_that_tomllib_reads_have_positions(text: str) -> None:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    positions = locate_keys(text)
    assert set(positions) == paths(document)
    lines = text.split("\n")
    for path, position in positions.items():
        shown = lines[position.line - 1][position.column - 1 :][: position.width]
        if isinstance(path[-1], str):
            assert list(tomllib.loads(f"{shown} = 1")) == [path[-1]]
