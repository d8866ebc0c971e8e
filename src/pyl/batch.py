"""Partial batch responses: which records of a batch Lambda must deliver again, instead of the whole batch.

The event source mapping needs `ReportBatchItemFailures` among its function response types. Without it Lambda takes any
response for success, and the failed records are lost.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
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
    """One record that failed."""

    item_identifier: str
    """Message id (SQS) or sequence number (Kinesis, DynamoDB) of the record."""


class BatchResponse(Struct, frozen=True, rename="camel"):
    """Response to a batch; without failures, the whole batch succeeded."""

    batch_item_failures: list[BatchItemFailure] = field(default_factory=list)
    """The records that Lambda delivers again."""

    @classmethod
    def of(cls, *identifiers: str) -> BatchResponse:
        """Return a response that reports records as failed.

        Args:
            *identifiers: Message ids (SQS) or sequence numbers (Kinesis, DynamoDB).
        """
        return cls([BatchItemFailure(identifier) for identifier in identifiers])


if TYPE_CHECKING:

    @overload
    def process(event: SQSEvent, handle: Callable[[SQSRecord], object]) -> BatchResponse: ...

    @overload
    def process(event: DynamoDBEvent, handle: Callable[[DynamoDBRecord], object]) -> BatchResponse: ...

    @overload
    def process(event: KinesisEvent, handle: Callable[[KinesisRecord], object]) -> BatchResponse: ...


def process(event: SQSEvent | DynamoDBEvent | KinesisEvent, handle: Callable[[Any], object]) -> BatchResponse:
    """Process the records of a batch one by one, and report those that failed.

    - Standard queue: every message is processed, and Lambda delivers the failed ones again.
    - FIFO queue: processing stops at the first failure to keep the order. Lambda delivers it and the rest again.
    - Stream (Kinesis, DynamoDB): processing stops at the first failure, and only that is reported. Lambda delivers
      again from there on.

    Args:
        event: The batch.
        handle: Called with each record. A record for which it raises an `Exception` has failed; the error is logged.

    Returns:
        The response to return from the handler.

    Example:
        ```python
        @function
        def store(context: Context, event: SQSEvent) -> BatchResponse:
            return process(event, lambda record: save(record.json()))
        ```
    """
    records: Sequence[Any] = event.records
    failed_identifiers: list[str] = []
    for index, record in enumerate(records):
        try:
            handle(record)
        except Exception as error:  # noqa: BLE001 - the failure of this record, not of the batch
            identifier = _identifier(record)
            _log_failure(identifier, error)
            failed_identifiers.append(identifier)
            if record.event_source != "aws:sqs":
                break
            if record.is_fifo:
                failed_identifiers.extend(_identifier(unprocessed) for unprocessed in records[index + 1 :])
                break
    return BatchResponse.of(*failed_identifiers)


def _identifier(record: Any) -> str:
    return _IDENTIFIERS[record.event_source](record)


_IDENTIFIERS: dict[str, Callable[[Any], str]] = {
    "aws:sqs": lambda record: record.message_id,
    "aws:dynamodb": lambda record: record.dynamodb.sequence_number,
    "aws:kinesis": lambda record: record.kinesis.sequence_number,
}


def _log_failure(identifier: str, error: Exception) -> None:
    import logging  # here, because importing it costs milliseconds

    logging.getLogger(__name__).error("record %s failed", identifier, exc_info=error)
