from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pydantic
import pytest

from pyl.events import SQSEvent, samples


@dataclass
class Item:
    sku: str
    quantity: int


@dataclass
class Order:
    order_id: str
    items: list[Item]


class OrderModel(pydantic.BaseModel):
    order_id: str
    customer: str


def raw() -> Any:
    return json.loads(samples.load("sqs"))


def event(value: Any = None) -> SQSEvent:
    return msgspec.convert(raw() if value is None else value, SQSEvent)


def test_the_body_decodes_from_json() -> None:
    assert event().records[1].json()["order_id"] == "A-1042"


def test_the_body_decodes_into_a_dataclass() -> None:
    assert event().records[0].decode(Order) == Order("A-1041", [Item("MUG-BLUE", 2), Item("TEA-GREEN", 1)])


def test_the_body_decodes_into_a_pydantic_model() -> None:
    assert event().records[0].decode(OrderModel).customer == "maria.silva@example.com"


def test_a_body_that_does_not_fit_says_where() -> None:
    value = raw()
    value["Records"][0]["body"] = '{"order_id": "1", "items": [{"sku": "a", "quantity": "two"}]}'
    with pytest.raises(msgspec.ValidationError, match=r"Expected `int`, got `str` - at `\$\.items\[0\]\.quantity`"):
        event(value).records[0].decode(Order)


def test_attributes_of_the_sender_have_the_values_of_their_types() -> None:
    attributes = event().records[0].message_attributes
    assert attributes["channel"].value == "web"
    assert attributes["priority"].value == Decimal(3)
    assert attributes["signature"].value == b"\x00\x01pyl\xff"
    assert attributes["signature"].data_type == "Binary.hmac"


def test_times_and_counts_are_given_as_such() -> None:
    record = event().records[1]
    assert record.receive_count == 2
    assert record.sent_at == datetime(2024, 10, 29, 10, 0, 10, 417000, tzinfo=UTC)
    assert record.first_received_at > record.sent_at


def test_a_message_of_a_fifo_queue_has_its_group_and_number() -> None:
    value = raw()
    first = value["Records"][0]
    first["eventSourceARN"] += ".fifo"
    first["attributes"] |= {
        "MessageGroupId": "A-1041",
        "MessageDeduplicationId": "d",
        "SequenceNumber": "18849496460467696128",
    }
    record, other = event(value).records
    assert record.is_fifo
    assert record.attributes.message_group_id == "A-1041"
    assert record.attributes.sequence_number == "18849496460467696128"
    assert not other.is_fifo


def test_a_message_from_a_dead_letter_queue_names_its_source() -> None:
    value = raw()
    value["Records"][0]["attributes"]["DeadLetterQueueSourceArn"] = "arn:aws:sqs:us-east-1:123456789012:orders"
    assert (
        event(value).records[0].attributes.dead_letter_queue_source_arn == "arn:aws:sqs:us-east-1:123456789012:orders"
    )
    assert event().records[0].attributes.aws_trace_header is not None
    assert event().records[1].attributes.aws_trace_header is None
