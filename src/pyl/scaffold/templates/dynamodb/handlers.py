"""Changes of a table's items, handled one by one and in order."""

from __future__ import annotations

import logging

from pyl import Context, function
from pyl.batch import BatchResponse, process
from pyl.events import DynamoDBEvent, DynamoDBRecord

logger = logging.getLogger("handlers")
logger.setLevel(logging.INFO)


@function
def new_function(context: Context, event: DynamoDBEvent) -> BatchResponse:
    """Handle a batch of changes; a failed one comes again, with those after it."""
    return process(event, handle)


def handle(record: DynamoDBRecord) -> None:
    """Handle one change. Raise, and it comes again."""
    old, new = record.dynamodb.old_item or {}, record.dynamodb.new_item or {}
    changed = sorted(
        name for name in old.keys() | new.keys() if old.get(name) != new.get(name)
    )
    logger.info(
        "%s %s: %s", record.event_name, record.dynamodb.item_key, ", ".join(changed)
    )
