"""Changes of a table's items."""

from __future__ import annotations

from typing import Any

from pyl import Context, function
from pyl.events import DynamoDBEvent, DynamoDBRecord


@function
def audit(context: Context, event: DynamoDBEvent) -> list[dict[str, Any]]:
    """Return what changed, item by item."""
    return [describe(record) for record in event.records]


def describe(record: DynamoDBRecord) -> dict[str, Any]:
    old = record.dynamodb.old_item or {}
    new = record.dynamodb.new_item or {}
    changed = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    expired = record.user_identity is not None and record.user_identity.principal_id == "dynamodb.amazonaws.com"
    return {
        "key": record.dynamodb.item_key,
        "what": "EXPIRE" if expired else record.event_name,
        "when": record.dynamodb.created_at,
        "attributes": changed,
    }
