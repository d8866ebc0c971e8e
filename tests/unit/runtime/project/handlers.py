"""Decorated handlers: events by type, results by type, orders of parameters. Imports nothing that starts slowly."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
from typing import Any, TypedDict

import msgspec

from pyl import Context, function


class Item(msgspec.Struct, rename="camel"):
    item_id: str
    price: decimal.Decimal
    size: int = 0


class Order(msgspec.Struct, rename="camel"):
    items: list[Item]
    placed_at: dt.datetime | None = None
    raw: bytes = b""


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


class Named(TypedDict):
    name: str


@function
def struct(context: Context, event: Order) -> dict[str, Any]:
    return {
        "ids": [item.item_id for item in event.items],
        "types": [type(event).__name__, type(event.items[0].price).__name__],
        "year": event.placed_at and event.placed_at.year,
        "raw": event.raw.decode(),
    }


@function
def struct_back(event: Order, context: Context) -> Order:
    return event


@function(name="other-name", description="renamed")
def dataclass(event: Point, context):
    return event


@function
def typed_dict(context: Context, event: Named) -> str:
    return event["name"]


@function
def optional(context: Context, event: Point | None) -> list[Any]:
    return [event is None, event]


@function
def several(context: Context, event: list[Point]) -> int:
    return sum(point.x for point in event)


@function
async def asynchronous(context: Context, event: dict) -> dict:
    import asyncio

    await asyncio.sleep(0)
    return {"loop": id(asyncio.get_running_loop()), "event": event}


@function
async def asynchronous_failure(context: Context, event: dict) -> None:
    raise LookupError(event)


@function
def returned_error(context: Context, event: Any) -> dict | Exception:
    return KeyError("returned")


@function
def surface(context: Context, event: Any) -> dict:
    return {
        "id": context.request_id,
        "deadline": context.deadline_ms,
        "remaining": context.remaining_time_ms,
        "arn": context.invoked_function_arn,
        "trace": context.trace_id,
        "class": type(context).__module__,
    }


@function
def by_position(first, second):
    return [type(first).__name__, second]
