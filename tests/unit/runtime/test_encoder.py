"""Results beyond plain JSON have one text, whatever they are nested in."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import json
import uuid
from typing import Any, ClassVar

import msgspec
import pydantic
import pytest

from pyl.json.encoder import encode_any


class Colour(enum.Enum):
    RED = "red"
    BOTH = (1, 2)


class Number(enum.IntEnum):
    ONE = 1


Pair = collections.namedtuple("Pair", "x y")


class Model(pydantic.BaseModel):
    when: dt.date
    price: decimal.Decimal


class Struct(msgspec.Struct, rename="camel", omit_defaults=True, tag=True):
    some_price: decimal.Decimal
    left_out: int = 0
    other: Any = None


@dataclasses.dataclass
class Record:
    constant: ClassVar[int] = 1
    inner: Any
    hidden: dataclasses.InitVar[int] = 0


class Attrs:
    """As attrs marks its classes."""

    __attrs_attrs__ = (type("Attribute", (), {"name": "a"}),)

    def __init__(self, a: Any) -> None:
        self.a = a


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (dt.datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=dt.UTC), '"2026-01-02T03:04:05.000600Z"'),
        (dt.datetime(2026, 1, 2), '"2026-01-02T00:00:00"'),  # noqa: DTZ001
        (dt.datetime(2026, 1, 2, tzinfo=dt.timezone(dt.timedelta(hours=2))), '"2026-01-02T00:00:00+02:00"'),
        (dt.date(2026, 1, 2), '"2026-01-02"'),
        (dt.time(3, 4), '"03:04:00"'),
        (dt.timedelta(days=1, seconds=2), '"P1DT2S"'),
        (uuid.UUID(int=5), '"00000000-0000-0000-0000-000000000005"'),
        (decimal.Decimal("1.10"), "1.10"),
        (decimal.Decimal("sNaN"), "NaN"),
        (b"\x00\xff", '"AP8="'),
        (bytearray(b"a"), '"YQ=="'),
        pytest.param(memoryview(b"a"), '"YQ=="', id="memoryview"),
        (Colour.RED, '"red"'),
        (Colour.BOTH, "[1,2]"),
        ({Number.ONE: Number.ONE}, '{"1":1}'),
        (Pair(1, b""), '{"x":1,"y":""}'),
        ((), "[]"),
        (set(), "[]"),
        ({}, "{}"),
        (frozenset({1}), "[1]"),
        ([float("nan"), float("-inf")], "[NaN,-Infinity]"),
        (Model(when=dt.date(2026, 1, 2), price=decimal.Decimal("1.10")), '{"when":"2026-01-02","price":"1.10"}'),
        (Struct(decimal.Decimal("1.10")), '{"type":"Struct","somePrice":1.10}'),
        (Record(Record(Pair(1, 2))), '{"inner":{"inner":{"x":1,"y":2}}}'),
        (Attrs([Attrs(1)]), '{"a":[{"a":1}]}'),
        ({None: 1, True: 2, 1.5: 3, 7: 4}, '{"null":1,"true":2,"1.5":3,"7":4}'),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_values_have_this_text(value: object, text: str) -> None:
    assert encode_any(value) == text
    assert encode_any({"nested": [value]}) == f'{{"nested":[{text}]}}'
    if "NaN" not in text:
        json.loads(text)


@pytest.mark.parametrize(
    "value",
    [
        dt.datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=dt.UTC),
        dt.datetime(2026, 1, 2, tzinfo=dt.timezone(dt.timedelta(hours=-2))),
        dt.datetime(2026, 1, 2),  # noqa: DTZ001
        dt.date(2026, 1, 2),
        dt.time(3, 4, 5, 600),
        uuid.UUID(int=5),
        b"\x00\xff",
        Colour.RED,
    ],
)
def test_values_have_the_same_text_inside_structs_and_outside(value: object) -> None:
    assert encode_any(value) == msgspec.json.encode(value).decode()


def test_what_msgspec_does_not_know_comes_back_from_inside_a_struct() -> None:
    model = Model(when=dt.date(2026, 1, 2), price=decimal.Decimal(1))
    struct = Struct(decimal.Decimal("1.10"), other=[model, Attrs(b"a")])
    assert encode_any(struct) == (
        '{"type":"Struct","somePrice":1.10,"other":[{"when":"2026-01-02","price":"1"},{"a":"YQ=="}]}'
    )


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (object(), "Object of type object is not JSON serializable"),
        ([{1j}], "Object of type complex is not JSON serializable"),
        ((x for x in ""), "Object of type generator is not JSON serializable"),
        ({(1,): 1}, "keys must be str, int, float, bool or None, not tuple"),
        ({b"k": 1}, "keys must be str, int, float, bool or None, not bytes"),
        (Record, "Object of type type is not JSON serializable"),
    ],
)
def test_what_has_no_json_is_refused(value: object, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        encode_any(value)


def test_a_value_that_contains_itself_is_refused() -> None:
    loop: dict[str, Any] = {"pair": Pair(1, 2)}
    loop["again"] = [loop]
    with pytest.raises(ValueError, match="Circular reference detected"):
        encode_any(loop)


def test_a_value_may_occur_twice_side_by_side() -> None:
    pair = Pair(1, 2)
    assert encode_any([pair, pair]) == '[{"x":1,"y":2},{"x":1,"y":2}]'
