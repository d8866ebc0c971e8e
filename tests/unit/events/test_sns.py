from __future__ import annotations

import msgspec

from pyl.events import SNSEvent, samples


class Shipment(msgspec.Struct):
    order_id: str
    carrier: str


def event() -> SNSEvent:
    return msgspec.json.decode(samples.load("sns"), type=SNSEvent)


def test_the_message_decodes() -> None:
    message = event().records[0].sns
    assert message.decode(Shipment) == Shipment("A-1041", "Example Post")
    assert message.json()["carrier"] == "Example Post"


def test_a_message_without_a_subject_has_none() -> None:
    assert event().records[0].sns.subject is None


def test_attributes_arrive_with_their_bytes() -> None:
    attributes = event().records[0].sns.message_attributes
    assert attributes["kind"].value == "dispatched"
    assert attributes["checksum"].content == b"\xde\xad\xbe\xef"
