"""What a Kinesis data stream sends to a function: a batch of records of one shard.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
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
    kinesis_schema_version: str
    partition_key: str
    sequence_number: str
    data: bytes
    """What the producer put in: the base64 of AWS's JSON is decoded."""
    approximate_arrival_timestamp: float
    """Seconds since 1970."""
    encryption_type: str | None = None

    @property
    def arrived_at(self) -> datetime:
        return datetime.fromtimestamp(self.approximate_arrival_timestamp, UTC)

    def json(self) -> Any:
        """The data, decoded from JSON."""
        return msgspec.json.decode(self.data)

    def decode(self, kind: type[T]) -> T:
        """The data, decoded from JSON into a type (see `pyl.events.payload.decode`)."""
        return decode(self.data, kind)


class KinesisRecord(Struct, frozen=True, kw_only=True, rename="camel"):
    kinesis: KinesisPayload
    event_source: str
    event_version: str
    event_id: str = field(name="eventID")
    """`<shard>:<sequence number>`."""
    event_name: str
    invoke_identity_arn: str
    aws_region: str
    event_source_arn: str = field(name="eventSourceARN")


class KinesisEvent(Struct, frozen=True, kw_only=True, rename="camel"):
    records: list[KinesisRecord] = field(name="Records")
