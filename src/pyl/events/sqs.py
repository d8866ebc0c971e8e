"""Events of SQS queues: batches of messages.

https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
"""

from __future__ import annotations

from binascii import a2b_base64
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
from msgspec import Struct, field

from pyl.events.payload import decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    T = TypeVar("T")


class SQSAttributes(Struct, frozen=True, kw_only=True, rename="pascal"):
    """System attributes of a message. All values are text, as in AWS's JSON.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
    """

    approximate_receive_count: str
    """How often the message has been received; see `SQSRecord.receive_count`."""
    approximate_first_receive_timestamp: str
    """First receipt, in milliseconds since the epoch; see `SQSRecord.first_received_at`."""
    sent_timestamp: str
    """When it was sent, in milliseconds since the epoch; see `SQSRecord.sent_at`."""
    sender_id: str
    """Id of the user or role that sent it."""
    sequence_number: str | None = None
    """Position in a FIFO queue."""
    message_group_id: str | None = None
    """Message group, in a FIFO queue."""
    message_deduplication_id: str | None = None
    """Deduplication id, in a FIFO queue."""
    aws_trace_header: str | None = field(default=None, name="AWSTraceHeader")
    """X-Ray trace header of the sender."""
    dead_letter_queue_source_arn: str | None = None
    """ARN of the queue that a dead-letter queue received the message from."""


class SQSMessageAttribute(Struct, frozen=True, kw_only=True, rename="camel"):
    """Attribute that the sender attached to a message."""

    data_type: str
    """`String`, `Number` or `Binary`, optionally followed by a dot and a label of the sender's."""
    string_value: str | None = None
    """Value of a `String` or `Number`."""
    binary_value: str | None = None
    """Value of a `Binary`, in base64; see `value`."""
    string_list_values: list[str] | None = None
    """Not used by AWS yet."""
    binary_list_values: list[str] | None = None
    """Not used by AWS yet."""

    @property
    def value(self) -> str | bytes | Decimal | None:
        """Value in Python: text for `String`, `Decimal` for `Number`, bytes for `Binary`."""
        if self.binary_value is not None:
            return a2b_base64(self.binary_value)
        if self.string_value is not None and self.data_type.partition(".")[0] == "Number":
            return Decimal(self.string_value)
        return self.string_value


class SQSRecord(Struct, frozen=True, kw_only=True, rename="camel"):
    """One message."""

    message_id: str
    """Id of the message."""
    receipt_handle: str
    """Handle with which the message can be deleted."""
    body: str
    """Body of the message; see `json` and `decode`."""
    attributes: SQSAttributes
    """System attributes."""
    message_attributes: dict[str, SQSMessageAttribute]
    """Attributes that the sender attached, by name."""
    md5_of_body: str = field(name="md5OfBody")
    """MD5 of the body, in hexadecimal."""
    md5_of_message_attributes: str | None = field(default=None, name="md5OfMessageAttributes")
    """MD5 of the message attributes, in hexadecimal; `None` without any."""
    event_source: str
    """Always `aws:sqs`."""
    event_source_arn: str = field(name="eventSourceARN")
    """ARN of the queue."""
    aws_region: str
    """Region of the queue."""

    def json(self) -> Any:
        """Return the body, decoded from JSON.

        Raises:
            msgspec.DecodeError: It is not JSON.
        """
        return msgspec.json.decode(self.body)

    def decode(self, kind: type[T]) -> T:
        """Return the body, decoded from JSON and converted into a type.

        Args:
            kind: A struct, dataclass, `TypedDict`, pydantic model or other annotation; see `pyl.events.payload.decode`.

        Raises:
            msgspec.ValidationError: The JSON does not fit the type (a pydantic model raises its own error).
            msgspec.DecodeError: It is not JSON.
        """
        return decode(self.body, kind)

    @property
    def receive_count(self) -> int:
        """How often the message has been received, including this time."""
        return int(self.attributes.approximate_receive_count)

    @property
    def sent_at(self) -> datetime:
        """When the message was sent, in UTC."""
        return _utc_from_milliseconds(self.attributes.sent_timestamp)

    @property
    def first_received_at(self) -> datetime:
        """When the message was received for the first time, in UTC."""
        return _utc_from_milliseconds(self.attributes.approximate_first_receive_timestamp)

    @property
    def is_fifo(self) -> bool:
        """Whether the queue is a FIFO queue, so that failures must not break the order."""
        return self.event_source_arn.endswith(".fifo")


class SQSEvent(Struct, frozen=True, kw_only=True, rename="camel"):
    """Batch of messages."""

    records: list[SQSRecord] = field(name="Records")
    """The messages; at least one."""


def _utc_from_milliseconds(milliseconds: str) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
