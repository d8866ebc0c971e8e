from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from boto3.dynamodb.types import Binary, TypeDeserializer

from pyl.events import DynamoDBEvent, samples
from pyl.events.dynamodb import item, python_value


def event() -> DynamoDBEvent:
    return msgspec.json.decode(samples.load("dynamodb"), type=DynamoDBEvent)


def test_an_item_becomes_python_values() -> None:
    assert event().records[0].dynamodb.new_item == {
        "order_id": "A-1041",
        "total": Decimal("31.70"),
        "paid": False,
        "note": None,
        "tags": {"gift", "express"},
        "bins": {Decimal(4), Decimal("7.5")},
        "digest": b"\x01\x02\x03\x04",
        "photos": {b"front", b"back"},
        "items": [{"sku": "MUG-BLUE", "quantity": Decimal(2)}],
        "address": {"city": "Lisboa", "floor": Decimal(-1)},
    }


def test_the_images_stay_as_aws_wrote_them() -> None:
    change = event().records[1].dynamodb
    assert change.keys == {"order_id": {"S": "A-1041"}}
    assert change.item_key == {"order_id": "A-1041"}
    assert change.new_image is not None
    assert change.new_image["paid"] == {"BOOL": True}
    assert change.old_item is not None
    assert change.old_item["paid"] is False


def test_the_values_are_those_of_boto3s_deserializer() -> None:
    raw = json.loads(samples.load("dynamodb"))["Records"][0]["dynamodb"]["NewImage"]

    def as_boto3_receives(node: Any) -> Any:
        """botocore decodes base64 before boto3's deserializer sees it."""
        if isinstance(node, dict) and list(node) == ["B"]:
            return {"B": base64.b64decode(node["B"])}
        if isinstance(node, dict) and list(node) == ["BS"]:
            return {"BS": [base64.b64decode(text) for text in node["BS"]]}
        return node

    expected = {name: TypeDeserializer().deserialize(as_boto3_receives(value)) for name, value in raw.items()}

    def plain(value: Any) -> Any:
        if isinstance(value, set):
            return {plain(element) for element in value}
        return value.value if isinstance(value, Binary) else value

    assert item(raw) == {name: plain(value) for name, value in expected.items()}


def test_numbers_keep_every_digit() -> None:
    digits = "1234567890123456789012345678901234.5678"
    assert str(python_value({"N": digits})) == digits


@pytest.mark.parametrize("value", [{}, {"S": "a", "N": "1"}, {"X": "a"}])
def test_what_is_no_attribute_value_is_refused(value: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not a DynamoDB AttributeValue"):
        python_value(value)


def test_an_expired_item_was_removed_by_dynamodb_itself() -> None:
    inserted, _, removed = event().records
    assert removed.user_identity is not None
    assert removed.user_identity.principal_id == "dynamodb.amazonaws.com"
    assert inserted.user_identity is None


def test_a_stream_of_keys_only_has_no_images() -> None:
    raw = json.loads(samples.load("dynamodb"))
    change = raw["Records"][0]["dynamodb"]
    del change["NewImage"]
    del change["ApproximateCreationDateTime"]
    change["StreamViewType"] = "KEYS_ONLY"
    decoded = msgspec.convert(raw, DynamoDBEvent).records[0].dynamodb
    assert (decoded.new_item, decoded.old_item, decoded.created_at) == (None, None, None)


def test_the_time_of_the_change_is_a_datetime() -> None:
    assert event().records[0].dynamodb.created_at == datetime(2024, 10, 29, 10, 12, 31, tzinfo=UTC)


def test_a_whole_number_of_seconds_decodes_the_same_both_ways() -> None:
    raw = json.loads(samples.load("dynamodb"))
    raw["Records"][0]["dynamodb"]["ApproximateCreationDateTime"] = 1730196751
    assert msgspec.convert(raw, DynamoDBEvent) == msgspec.json.decode(json.dumps(raw), type=DynamoDBEvent)
