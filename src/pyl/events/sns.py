"""What SNS sends to a function: a message of a topic.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
"""

from __future__ import annotations

from binascii import a2b_base64
from datetime import datetime

import msgspec
from msgspec import Struct, field

from pyl.events.payload import decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    import builtins
    from typing import Any, TypeVar

    T = TypeVar("T")


class SNSMessageAttribute(Struct, frozen=True, kw_only=True, rename="pascal"):
    type: str
    """`String`, `String.Array`, `Number` or `Binary`."""
    value: str

    @property
    def content(self) -> bytes:
        """The value of a `Binary` attribute, decoded from base64."""
        return a2b_base64(self.value)


class SNSMessage(Struct, frozen=True, kw_only=True, rename="pascal"):
    type: str
    message_id: str
    topic_arn: str
    subject: str | None = None
    message: str
    timestamp: datetime
    signature_version: str
    signature: str
    signing_cert_url: str | None = None
    unsubscribe_url: str | None = None
    message_attributes: dict[str, SNSMessageAttribute] = field(default_factory=dict)

    def json(self) -> Any:
        """The message, decoded from JSON."""
        return msgspec.json.decode(self.message)

    def decode(self, kind: builtins.type[T]) -> T:
        """The message, decoded from JSON into a type (see `pyl.events.payload.decode`)."""
        return decode(self.message, kind)


class SNSRecord(Struct, frozen=True, kw_only=True, rename="pascal"):
    event_source: str
    event_version: str
    event_subscription_arn: str
    sns: SNSMessage


class SNSEvent(Struct, frozen=True, kw_only=True, rename="camel"):
    records: list[SNSRecord] = field(name="Records")
