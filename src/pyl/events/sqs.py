"""What SQS sends to a function: a batch of messages.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
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
    """What SQS itself notes about a message; all values are text, as in AWS's JSON."""

    approximate_receive_count: str
    approximate_first_receive_timestamp: str
    sent_timestamp: str
    sender_id: str
    sequence_number: str | None = None
    message_group_id: str | None = None
    message_deduplication_id: str | None = None
    aws_trace_header: str | None = field(default=None, name="AWSTraceHeader")
    dead_letter_queue_source_arn: str | None = None


class SQSMessageAttribute(Struct, frozen=True, kw_only=True, rename="camel"):
    """An attribute that the sender attached to a message."""

    data_type: str
    """`String`, `Number` or `Binary`, possibly with a label of the sender behind a dot."""
    string_value: str | None = None
    binary_value: str | None = None
    """Base64; see `value`."""
    string_list_values: list[str] | None = None
    binary_list_values: list[str] | None = None

    @property
    def value(self) -> str | bytes | Decimal | None:
        """Text for `String`, `Decimal` for `Number`, bytes for `Binary`."""
        if self.binary_value is not None:
            return a2b_base64(self.binary_value)
        if self.string_value is not None and self.data_type.partition(".")[0] == "Number":
            return Decimal(self.string_value)
        return self.string_value


class SQSRecord(Struct, frozen=True, kw_only=True, rename="camel"):
    """One message."""

    message_id: str
    receipt_handle: str
    body: str
    attributes: SQSAttributes
    message_attributes: dict[str, SQSMessageAttribute]
    md5_of_body: str = field(name="md5OfBody")
    md5_of_message_attributes: str | None = field(default=None, name="md5OfMessageAttributes")
    event_source: str
    event_source_arn: str = field(name="eventSourceARN")
    aws_region: str

    def json(self) -> Any:
        """The body, decoded from JSON."""
        return msgspec.json.decode(self.body)

    def decode(self, kind: type[T]) -> T:
        """The body, decoded from JSON into a type (see `pyl.events.payload.decode`)."""
        return decode(self.body, kind)

    @property
    def receive_count(self) -> int:
        """How often the message has been received, this time included."""
        return int(self.attributes.approximate_receive_count)

    @property
    def sent_at(self) -> datetime:
        return _moment(self.attributes.sent_timestamp)

    @property
    def first_received_at(self) -> datetime:
        return _moment(self.attributes.approximate_first_receive_timestamp)

    @property
    def is_fifo(self) -> bool:
        """Whether the queue is a FIFO queue, whose order failures must not break."""
        return self.event_source_arn.endswith(".fifo")


class SQSEvent(Struct, frozen=True, kw_only=True, rename="camel"):
    records: list[SQSRecord] = field(name="Records")


def _moment(milliseconds: str) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
