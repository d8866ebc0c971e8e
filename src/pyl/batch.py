"""Partial batch failures: which records of a batch Lambda must deliver again, instead of the whole batch.

They count only where the event source mapping has `ReportBatchItemFailures` among its function response types;
without it Lambda takes any answer for success, and the failed records are lost.
"""

from __future__ import annotations

from msgspec import Struct, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, overload

    from pyl.events.dynamodb import DynamoDBEvent, DynamoDBRecord
    from pyl.events.kinesis import KinesisEvent, KinesisRecord
    from pyl.events.sqs import SQSEvent, SQSRecord


class BatchItemFailure(Struct, frozen=True, rename="camel"):
    item_identifier: str
    """A message id (SQS) or a sequence number (Kinesis, DynamoDB)."""


class BatchResponse(Struct, frozen=True, rename="camel"):
    """What a function returns for a batch; without failures, the batch has succeeded."""

    batch_item_failures: list[BatchItemFailure] = field(default_factory=list)

    @classmethod
    def of(cls, *identifiers: str) -> BatchResponse:
        """Report the records of these identifiers as failed."""
        return cls([BatchItemFailure(identifier) for identifier in identifiers])


if TYPE_CHECKING:

    @overload
    def process(event: SQSEvent, handle: Callable[[SQSRecord], object]) -> BatchResponse: ...

    @overload
    def process(event: DynamoDBEvent, handle: Callable[[DynamoDBRecord], object]) -> BatchResponse: ...

    @overload
    def process(event: KinesisEvent, handle: Callable[[KinesisRecord], object]) -> BatchResponse: ...


def process(event: SQSEvent | DynamoDBEvent | KinesisEvent, handle: Callable[[Any], object]) -> BatchResponse:
    """Call `handle` with each record and report those for which it raises an `Exception`, which is logged.

    - A standard queue: every message is tried; the failed ones come again.
    - A FIFO queue: nothing after the first failure is tried, so that the order holds; it and the rest come
      again.
    - A stream: the first failure is the checkpoint. Lambda delivers again from there on, so nothing after it
      is tried, and only it is reported.
    """
    records: Sequence[Any] = event.records
    failed: list[str] = []
    for index, record in enumerate(records):
        try:
            handle(record)
        except Exception as error:  # noqa: BLE001 - whatever went wrong is this record's failure, not the batch's
            identifier = _identifier(record)
            _log_failure(identifier, error)
            failed.append(identifier)
            if record.event_source != "aws:sqs":
                break
            if record.is_fifo:
                failed.extend(_identifier(unprocessed) for unprocessed in records[index + 1 :])
                break
    return BatchResponse.of(*failed)


def _identifier(record: Any) -> str:
    return _IDENTIFIERS[record.event_source](record)


_IDENTIFIERS: dict[str, Callable[[Any], str]] = {
    "aws:sqs": lambda record: record.message_id,
    "aws:dynamodb": lambda record: record.dynamodb.sequence_number,
    "aws:kinesis": lambda record: record.kinesis.sequence_number,
}


def _log_failure(identifier: str, error: Exception) -> None:
    import logging  # it costs milliseconds that only a failure need pay

    logging.getLogger(__name__).error("record %s failed", identifier, exc_info=error)
