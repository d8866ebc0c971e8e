"""What EventBridge sends to a function: an event of a bus, or the tick of a schedule.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
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
    version: str = "0"
    id: str
    detail_type: str = field(name="detail-type")
    source: str
    account: str
    time: datetime
    region: str
    resources: list[str]
    detail: dict[str, Any]
    replay_name: str | None = field(default=None, name="replay-name")
    """Only when the event was replayed from an archive."""

    def decode(self, kind: type[T]) -> T:
        """The detail, converted into a type (see `pyl.events.payload.decode`)."""
        return convert(self.detail, kind)
