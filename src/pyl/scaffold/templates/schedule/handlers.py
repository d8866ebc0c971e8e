"""A function that runs by the clock."""

from __future__ import annotations

import logging

from pyl import Context, function
from pyl.events import EventBridgeEvent

logger = logging.getLogger("handlers")
logger.setLevel(logging.INFO)


@function
def new_function(context: Context, event: EventBridgeEvent) -> dict[str, str]:
    """Do what is due at this time (UTC)."""
    logger.info("due at %s", event.time.isoformat())
    return {"done_for": event.time.date().isoformat()}
