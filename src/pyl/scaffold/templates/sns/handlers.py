"""Messages of a topic."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from pyl import Context, function
from pyl.events import SNSEvent

logger = logging.getLogger("handlers")
logger.setLevel(logging.INFO)


@dataclass
class Shipment:
    order_id: str
    carrier: str


@function
def new_function(context: Context, event: SNSEvent) -> dict[str, int]:
    """Tell which orders are on their way. Raise, and SNS delivers the message again."""
    for record in event.records:
        shipment = record.sns.decode(Shipment)
        logger.info("order %s went by %s", shipment.order_id, shipment.carrier)
    return {"handled": len(event.records)}
