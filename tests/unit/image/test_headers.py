"""The generated C headers are those of the declarations in Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyl.image.headers import generate
from pyl.image.structures import Field, Structure

HEADERS = dict(generate())


@pytest.mark.parametrize("path", HEADERS, ids=[path.name for path in HEADERS])
def test_the_header_is_up_to_date(path: Path) -> None:
    assert path.read_text("utf-8") == HEADERS[path], "run `make generate`"


def test_a_structure_packs_its_members_by_name() -> None:
    inner = Structure("inner", Field("a", "uint32_t"), Field("b", "uint32_t"))
    outer = Structure("outer", Field("number"), Field("inner", inner))
    assert outer.pack(inner={"b": 2}, number=1) == bytes((1, *[0] * 11, 2, 0, 0, 0))
    assert outer.unpack_from(outer.pack(number=7, inner={"a": 3})) == {"number": 7, "inner.a": 3, "inner.b": 0}
    assert (outer.size, outer.offset("inner"), inner.offset("b")) == (16, 8, 4)


def test_a_member_that_a_structure_lacks_is_refused() -> None:
    with pytest.raises(TypeError, match="struct one has no other"):
        Structure("one", Field("number")).pack(other=1)


def test_a_structure_in_which_a_compiler_would_leave_gaps_is_refused() -> None:
    with pytest.raises(ValueError, match="struct gap has padding"):
        Structure("gap", Field("small", "uint32_t"), Field("large"))
