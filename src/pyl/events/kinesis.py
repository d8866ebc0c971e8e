"""Events of Kinesis data streams: batches of records of one shard.

https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from msgspec import Struct, field

from pyl.events.payload import decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    T = TypeVar("T")


class KinesisPayload(Struct, frozen=True, kw_only=True, rename="camel"):
    """Content and position of a record."""

    kinesis_schema_version: str
    """Version of the record's format; `1.0`."""
    partition_key: str
    """Key that the producer chose; it decides about the shard."""
    sequence_number: str
    """Position of the record in its shard."""
    data: bytes
    """Bytes that the producer sent, already decoded from the base64 of AWS's JSON."""
    approximate_arrival_timestamp: float
    """When the record arrived, in seconds since the epoch; see `arrived_at`."""
    encryption_type: str | None = None
    """`NONE` or `KMS`."""

    @property
    def arrived_at(self) -> datetime:
        """When the record arrived in the stream, in UTC."""
        return datetime.fromtimestamp(self.approximate_arrival_timestamp, UTC)

    def json(self) -> Any:
        """Return the data, decoded from JSON.

        Raises:
            msgspec.DecodeError: It is not JSON.
        """
        return msgspec.json.decode(self.data)

    def decode(self, kind: type[T]) -> T:
        """Return the data, decoded from JSON and converted into a type.

        Args:
            kind: A struct, dataclass, `TypedDict`, pydantic model or other annotation; see `pyl.events.payload.decode`.

        Raises:
            msgspec.ValidationError: The JSON does not fit the type (a pydantic model raises its own error).
            msgspec.DecodeError: It is not JSON.
        """
        return decode(self.data, kind)


class KinesisRecord(Struct, frozen=True, kw_only=True, rename="camel"):
    """One record of a stream."""

    kinesis: KinesisPayload
    """Content and position of the record."""
    event_source: str
    """Always `aws:kinesis`."""
    event_version: str
    """Version of the event's format; `1.0`."""
    event_id: str = field(name="eventID")
    """`<shard id>:<sequence number>`."""
    event_name: str
    """Always `aws:kinesis:record`."""
    invoke_identity_arn: str
    """ARN of the role that Lambda reads the stream with."""
    aws_region: str
    """Region of the stream."""
    event_source_arn: str = field(name="eventSourceARN")
    """ARN of the stream or of its consumer."""


class KinesisEvent(Struct, frozen=True, kw_only=True, rename="camel"):
    """Batch of records of one shard."""

    records: list[KinesisRecord] = field(name="Records")
    """The records, in the order of the shard."""
