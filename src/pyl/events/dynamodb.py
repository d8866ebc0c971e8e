"""What a DynamoDB stream sends to a function: changes of items.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
"""

from __future__ import annotations

from binascii import a2b_base64
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from msgspec import Struct, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

AttributeValue = dict[str, Any]
"""DynamoDB's JSON for one value: an object of one member that is named after the type, `{"N": "101"}`."""


class DynamoDBIdentity(Struct, frozen=True, kw_only=True, rename="camel"):
    """Who made the change, when it was not a user: `dynamodb.amazonaws.com` for an expired item (TTL)."""

    type: str
    principal_id: str


class DynamoDBStreamRecord(Struct, frozen=True, kw_only=True, rename="pascal"):
    """The change.

    `keys`, `new_image`, `old_image` are AWS's JSON; `item_key`, `new_item`, `old_item` Python values.
    """

    keys: dict[str, AttributeValue]
    new_image: dict[str, AttributeValue] | None = None
    """With the view types `NEW_IMAGE` and `NEW_AND_OLD_IMAGES`, unless the item was removed."""
    old_image: dict[str, AttributeValue] | None = None
    """With the view types `OLD_IMAGE` and `NEW_AND_OLD_IMAGES`, unless the item is new."""
    sequence_number: str
    size_bytes: int
    stream_view_type: str
    approximate_creation_date_time: float | None = None
    """Seconds since 1970."""

    @property
    def item_key(self) -> dict[str, Any]:
        return item(self.keys)

    @property
    def new_item(self) -> dict[str, Any] | None:
        return None if self.new_image is None else item(self.new_image)

    @property
    def old_item(self) -> dict[str, Any] | None:
        return None if self.old_image is None else item(self.old_image)

    @property
    def created_at(self) -> datetime | None:
        seconds = self.approximate_creation_date_time
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


class DynamoDBRecord(Struct, frozen=True, kw_only=True, rename="camel"):
    """One change of one item."""

    event_id: str = field(name="eventID")
    event_name: str
    """`INSERT`, `MODIFY` or `REMOVE`."""
    event_version: str
    event_source: str
    event_source_arn: str = field(name="eventSourceARN")
    aws_region: str
    dynamodb: DynamoDBStreamRecord
    user_identity: DynamoDBIdentity | None = None


class DynamoDBEvent(Struct, frozen=True, kw_only=True, rename="camel"):
    records: list[DynamoDBRecord] = field(name="Records")


def item(image: Mapping[str, AttributeValue]) -> dict[str, Any]:
    """Turn an item of AttributeValues into Python values."""
    return {name: python_value(value) for name, value in image.items()}


def python_value(value: AttributeValue) -> Any:
    """Turn one AttributeValue into what boto3's resources give (`Decimal`, `set`, …), binary into `bytes`.

    Raises:
        ValueError: it is not an object of one member named after a type of DynamoDB.
    """
    if len(value) == 1:
        [(kind, content)] = value.items()
        convert = _PYTHON.get(kind)
        if convert is not None:
            return convert(content)
    msg = f"not a DynamoDB AttributeValue: {value!r}"
    raise ValueError(msg)


_PYTHON: dict[str, Callable[[Any], Any]] = {
    "S": str,
    "N": Decimal,
    "B": a2b_base64,
    "BOOL": bool,
    "NULL": lambda _: None,
    "L": lambda values: [python_value(value) for value in values],
    "M": item,
    "SS": set,
    "NS": lambda numbers: {Decimal(number) for number in numbers},
    "BS": lambda texts: {a2b_base64(text) for text in texts},
}
