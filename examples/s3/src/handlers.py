"""Notifications of a bucket."""

from __future__ import annotations

from typing import Any

from pyl import Context, function
from pyl.events import S3Event


@function
def index(context: Context, event: S3Event) -> list[dict[str, Any]]:
    """Return the objects that came and went."""
    return [
        {
            "bucket": record.s3.bucket.name,
            "key": record.s3.object.key,
            "size": record.s3.object.size,
            "exists": record.event_name.startswith("ObjectCreated:"),
        }
        for record in event.records
    ]
