"""Events of SNS topics: messages.

https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
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
    """Attribute that the publisher attached to a message."""

    type: str
    """`String`, `String.Array`, `Number` or `Binary`."""
    value: str
    """Value as text: a `String.Array` is JSON, a `Binary` is base64 (see `content`)."""

    @property
    def content(self) -> bytes:
        """Value of a `Binary` attribute as bytes, decoded from base64."""
        return a2b_base64(self.value)


class SNSMessage(Struct, frozen=True, kw_only=True, rename="pascal"):
    """Message of a topic.

    https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
    """

    type: str
    """Always `Notification`."""
    message_id: str
    """Id of the message."""
    topic_arn: str
    """ARN of the topic."""
    subject: str | None = None
    """Subject; `None` without one."""
    message: str
    """Text of the message; see `json` and `decode`."""
    timestamp: datetime
    """When the message was published, in UTC."""
    signature_version: str
    """Version of the signature: `1` or `2`."""
    signature: str
    """Signature in base64."""
    signing_cert_url: str | None = None
    """URL of the certificate that verifies the signature."""
    unsubscribe_url: str | None = None
    """URL that ends the subscription."""
    message_attributes: dict[str, SNSMessageAttribute] = field(default_factory=dict)
    """Attributes that the publisher attached, by name."""

    def json(self) -> Any:
        """Return the message, decoded from JSON.

        Raises:
            msgspec.DecodeError: It is not JSON.
        """
        return msgspec.json.decode(self.message)

    def decode(self, kind: builtins.type[T]) -> T:
        """Return the message, decoded from JSON and converted into a type.

        Args:
            kind: A struct, dataclass, `TypedDict`, pydantic model or other annotation; see `pyl.events.payload.decode`.

        Raises:
            msgspec.ValidationError: The JSON does not fit the type (a pydantic model raises its own error).
            msgspec.DecodeError: It is not JSON.
        """
        return decode(self.message, kind)


class SNSRecord(Struct, frozen=True, kw_only=True, rename="pascal"):
    """Delivery of one message."""

    event_source: str
    """Always `aws:sns`."""
    event_version: str
    """Version of the event's format; `1.0`."""
    event_subscription_arn: str
    """ARN of the subscription."""
    sns: SNSMessage
    """The message."""


class SNSEvent(Struct, frozen=True, kw_only=True, rename="camel"):
    """Messages of a topic."""

    records: list[SNSRecord] = field(name="Records")
    """The deliveries; AWS sends one for each event."""
