"""Events of a bus."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from pyl import Context, function
from pyl.events import EventBridgeEvent

logger = logging.getLogger("handlers")
logger.setLevel(logging.INFO)


@dataclass
class Order:
    order_id: str
    total: float


@function
def new_function(context: Context, event: EventBridgeEvent) -> dict[str, str]:
    """Take note of an order."""
    order = event.decode(Order)
    logger.info(
        "%s from %s: %s over %.2f",
        event.detail_type,
        event.source,
        order.order_id,
        order.total,
    )
    return {"handled": order.order_id}
