"""Messages of a queue: handled as a whole batch, and one by one."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from pyl import Context, function
from pyl.batch import BatchResponse, process
from pyl.events import SQSEvent, SQSRecord

logger = logging.getLogger("sqs")
logger.setLevel(logging.INFO)


@dataclass
class Item:
    sku: str
    quantity: int


@dataclass
class Order:
    order_id: str
    customer: str
    items: list[Item]


@function
def notify(context: Context, event: SQSEvent) -> dict[str, Any]:
    """Return the body of every message."""
    return {"handled": [record.body for record in event.records]}


@function
def fulfil(context: Context, event: SQSEvent) -> BatchResponse:
    """Pack the order in every message; a message that fails comes again without the others."""
    return process(event, pack)


def pack(record: SQSRecord) -> None:
    order = record.decode(Order)
    logger.info("packing %s: %s", order.order_id, ", ".join(f"{item.quantity} x {item.sku}" for item in order.items))
