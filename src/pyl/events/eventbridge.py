"""Events of EventBridge: events of a bus, and schedules.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct, field

from pyl.events.payload import convert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    T = TypeVar("T")


class EventBridgeEvent(Struct, frozen=True, kw_only=True, rename="camel"):
    """Event of a bus, or of a schedule."""

    version: str = "0"
    """Version of the event format; `0`."""
    id: str
    """Id of the event."""
    detail_type: str = field(name="detail-type")
    """Kind of the event: `Scheduled Event`, `EC2 Instance State-change Notification`."""
    source: str
    """Service or application that sent it: `aws.events`, `aws.ec2`, `my.shop`."""
    account: str
    """AWS account of the sender."""
    time: datetime
    """When the event happened, in UTC."""
    region: str
    """AWS region of the sender."""
    resources: list[str]
    """ARNs of the resources that the event is about; of a schedule, the ARN of its rule."""
    detail: dict[str, Any]
    """Content of the event, which depends on its kind; empty for a schedule."""
    replay_name: str | None = field(default=None, name="replay-name")
    """Name of the replay; only for events replayed from an archive."""

    def decode(self, kind: type[T]) -> T:
        """Return the detail converted into a type.

        Args:
            kind: A struct, dataclass, `TypedDict`, pydantic model or other annotation, as `convert` takes.

        Raises:
            msgspec.ValidationError: The detail does not fit the type (a pydantic model raises its own error).
        """
        return convert(self.detail, kind)
