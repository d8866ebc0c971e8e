"""Events of DynamoDB streams: changes of items.

https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
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
    """Service that made the change: DynamoDB itself, for an item that expired (TTL)."""

    type: str
    """Always `Service`."""
    principal_id: str
    """`dynamodb.amazonaws.com`."""


class DynamoDBStreamRecord(Struct, frozen=True, kw_only=True, rename="pascal"):
    """Change of an item.

    `keys`, `new_image` and `old_image` hold AWS's JSON; `item_key`, `new_item` and `old_item` are the same as Python
    values.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html
    """

    keys: dict[str, AttributeValue]
    """Primary key of the item; see `item_key`."""
    new_image: dict[str, AttributeValue] | None = None
    """Item after the change; see `new_item`. Present for the view types `NEW_IMAGE` and `NEW_AND_OLD_IMAGES`, unless
    the item was removed.
    """
    old_image: dict[str, AttributeValue] | None = None
    """Item before the change; see `old_item`. Present for the view types `OLD_IMAGE` and `NEW_AND_OLD_IMAGES`, unless
    the item is new.
    """
    sequence_number: str
    """Position of the change in its shard."""
    size_bytes: int
    """Size of the change, in bytes."""
    stream_view_type: str
    """`KEYS_ONLY`, `NEW_IMAGE`, `OLD_IMAGE` or `NEW_AND_OLD_IMAGES`."""
    approximate_creation_date_time: float | None = None
    """When the change was made, in seconds since the epoch; see `created_at`."""

    @property
    def item_key(self) -> dict[str, Any]:
        """Primary key of the item, as Python values."""
        return item(self.keys)

    @property
    def new_item(self) -> dict[str, Any] | None:
        """Item after the change, as Python values; `None` where `new_image` is."""
        return None if self.new_image is None else item(self.new_image)

    @property
    def old_item(self) -> dict[str, Any] | None:
        """Item before the change, as Python values; `None` where `old_image` is."""
        return None if self.old_image is None else item(self.old_image)

    @property
    def created_at(self) -> datetime | None:
        """When the change was made, in UTC; `None` if AWS did not send it."""
        seconds = self.approximate_creation_date_time
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


class DynamoDBRecord(Struct, frozen=True, kw_only=True, rename="camel"):
    """One change of one item."""

    event_id: str = field(name="eventID")
    """Id of the event."""
    event_name: str
    """`INSERT`, `MODIFY` or `REMOVE`."""
    event_version: str
    """Version of the event's format: `1.1`."""
    event_source: str
    """Always `aws:dynamodb`."""
    event_source_arn: str = field(name="eventSourceARN")
    """ARN of the stream."""
    aws_region: str
    """Region of the table."""
    dynamodb: DynamoDBStreamRecord
    """The change."""
    user_identity: DynamoDBIdentity | None = None
    """Service that made the change; `None` when it was a user."""


class DynamoDBEvent(Struct, frozen=True, kw_only=True, rename="camel"):
    """Batch of changes of one shard."""

    records: list[DynamoDBRecord] = field(name="Records")
    """The changes, in the order of the shard."""


def item(image: Mapping[str, AttributeValue]) -> dict[str, Any]:
    """Convert an item of DynamoDB's JSON into Python values."""
    return {name: python_value(value) for name, value in image.items()}


def python_value(value: AttributeValue) -> Any:
    """Convert one value of DynamoDB's JSON into Python.

    Returns:
        What boto3's resources return (`str`, `Decimal`, `set`, ...), but `bytes` for binary values.

    Raises:
        ValueError: It is not an object with one member that is named after a type of DynamoDB.
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
