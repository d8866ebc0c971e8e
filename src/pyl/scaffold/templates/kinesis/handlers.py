"""Records of a data stream, handled one by one and in order."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from pyl import Context, function
from pyl.batch import BatchResponse, process
from pyl.events import KinesisEvent, KinesisRecord

logger = logging.getLogger("handlers")
logger.setLevel(logging.INFO)


@dataclass
class Visit:
    page: str
    ms: int


@function
def new_function(context: Context, event: KinesisEvent) -> BatchResponse:
    """Handle a batch of records; a failed one comes again, with those after it."""
    return process(event, handle)


def handle(record: KinesisRecord) -> None:
    """Handle one record. Raise, and it comes again."""
    visit = record.kinesis.decode(Visit)
    logger.info("%s was seen for %d ms", visit.page, visit.ms)
