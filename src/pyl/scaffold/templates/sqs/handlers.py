"""Messages of a queue, handled one by one."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from pyl import Context, function
from pyl.batch import BatchResponse, process
from pyl.events import SQSEvent, SQSRecord

logger = logging.getLogger("handlers")
logger.setLevel(logging.INFO)


@dataclass
class Item:
    sku: str
    quantity: int


@dataclass
class Order:
    order_id: str
    items: list[Item]


@function
def new_function(context: Context, event: SQSEvent) -> BatchResponse:
    """Handle a batch of messages; those that fail come again without the others."""
    return process(event, handle)


def handle(record: SQSRecord) -> None:
    """Handle one message. Raise, and it comes again."""
    order = record.decode(Order)
    logger.info(
        "order %s has %d items",
        order.order_id,
        sum(item.quantity for item in order.items),
    )
