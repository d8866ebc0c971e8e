from __future__ import annotations

import json
from datetime import UTC, datetime

import msgspec
import pydantic

from pyl.events import EventBridgeEvent, samples


class Order(msgspec.Struct):
    order_id: str
    total: float


class OrderModel(pydantic.BaseModel):
    order_id: str
    total: float


def event() -> EventBridgeEvent:
    return msgspec.json.decode(samples.load("eventbridge"), type=EventBridgeEvent)


def test_the_envelope_arrives() -> None:
    assert (event().detail_type, event().source) == ("Order Placed", "example.shop")
    assert event().time == datetime(2024, 10, 29, 10, 12, 30, tzinfo=UTC)


def test_the_detail_converts() -> None:
    assert event().decode(Order) == Order("A-1041", 31.7)
    assert event().decode(OrderModel) == OrderModel(order_id="A-1041", total=31.7)
    assert event().detail["items"][0]["sku"] == "MUG-BLUE"


def test_a_replayed_event_names_its_replay() -> None:
    raw = json.loads(samples.load("eventbridge")) | {"replay-name": "october"}
    assert msgspec.convert(raw, EventBridgeEvent).replay_name == "october"
    assert event().replay_name is None
