"""Decorated handlers that use pydantic, which takes half a second to import."""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from typing import Any

import pydantic
from handlers import Item, Point

from pyl import Context, function


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(strict=True)
    name: str
    day: dt.date
    tags: list[str] = []


@function
def model(context: Context, event: Model) -> Model:
    return event


@function
def library_types(context: Context, event: Any) -> dict:
    return {
        "datetime": dt.datetime(2026, 11, 23, 10, 0, tzinfo=dt.UTC),
        "date": dt.date(2026, 11, 23),
        "uuid": uuid.UUID(int=1),
        "decimal": decimal.Decimal("1.10"),
        "bytes": b"\x00\xff",
        "set": {1},
        "nested": [Point(1), Item("a", decimal.Decimal("2.50")), Model(name="n", day=dt.date(2026, 1, 2))],
        "duration": dt.timedelta(seconds=90),
    }
