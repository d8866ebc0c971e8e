"""Notifications of a bucket."""

from __future__ import annotations

import logging

from pyl import Context, function
from pyl.events import S3Event

logger = logging.getLogger("handlers")
logger.setLevel(logging.INFO)


@function
def new_function(context: Context, event: S3Event) -> dict[str, int]:
    """Tell which objects came and went."""
    for record in event.records:
        what = "came" if record.event_name.startswith("ObjectCreated:") else "went"
        logger.info("s3://%s/%s %s", record.s3.bucket.name, record.s3.object.key, what)
    return {"handled": len(event.records)}
