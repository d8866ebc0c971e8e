from __future__ import annotations

import json
import logging
import subprocess
import sys
from typing import Any

import msgspec
import pytest

from pyl.batch import BatchItemFailure, BatchResponse, process
from pyl.events import DynamoDBEvent, KinesisEvent, SQSEvent, samples


def queue(*bodies: str, fifo: bool = False) -> SQSEvent:
    raw = json.loads(samples.load("sqs"))
    record = raw["Records"][0]
    arn = record["eventSourceARN"] + (".fifo" if fifo else "")
    raw["Records"] = [record | {"messageId": f"id-{body}", "body": body, "eventSourceARN": arn} for body in bodies]
    return msgspec.convert(raw, SQSEvent)


class Handler:
    """Fails for the given values, and remembers what it was called with."""

    def __init__(self, attribute: Any, *failing: Any) -> None:
        self.attribute = attribute
        self.failing = failing
        self.seen: list[Any] = []

    def __call__(self, record: Any) -> str:
        value = self.attribute(record)
        self.seen.append(value)
        if value in self.failing:
            msg = f"cannot handle {value}"
            raise ValueError(msg)
        return "ignored"


def body(record: Any) -> Any:
    return record.body


def test_a_batch_without_failures_is_a_success() -> None:
    response = process(queue("a", "b"), Handler(body))
    assert response == BatchResponse()
    assert msgspec.json.encode(response) == b'{"batchItemFailures":[]}'


def test_a_standard_queue_reports_each_failed_message_and_tries_all() -> None:
    handler = Handler(body, "b", "d")
    response = process(queue("a", "b", "c", "d", "e"), handler)
    assert handler.seen == ["a", "b", "c", "d", "e"]
    assert msgspec.to_builtins(response) == {
        "batchItemFailures": [{"itemIdentifier": "id-b"}, {"itemIdentifier": "id-d"}]
    }


def test_a_fifo_queue_stops_at_the_first_failure_and_reports_the_rest() -> None:
    handler = Handler(body, "b", "d")
    response = process(queue("a", "b", "c", "d", fifo=True), handler)
    assert handler.seen == ["a", "b"]
    assert [failure.item_identifier for failure in response.batch_item_failures] == ["id-b", "id-c", "id-d"]


def test_a_dynamodb_stream_stops_at_the_first_failure_which_is_the_checkpoint() -> None:
    event = msgspec.json.decode(samples.load("dynamodb"), type=DynamoDBEvent)
    handler = Handler(lambda record: record.event_name, "MODIFY", "REMOVE")
    assert process(event, handler) == BatchResponse.of("111600000000019264708245")
    assert handler.seen == ["INSERT", "MODIFY"]


def test_a_kinesis_stream_stops_at_the_first_failure_which_is_the_checkpoint() -> None:
    event = msgspec.json.decode(samples.load("kinesis"), type=KinesisEvent)
    handler = Handler(lambda record: record.kinesis.partition_key, "visitor-17")
    assert process(event, handler) == BatchResponse.of("49657148203941576280412895731057642830142957613804421122")
    assert handler.seen == ["visitor-17"]


def test_an_empty_batch_is_a_success() -> None:
    assert process(queue(), Handler(body)) == BatchResponse()


def test_each_failure_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    process(queue("a", "b"), Handler(body, "b"))
    [record] = caplog.records
    assert (record.name, record.levelno, record.getMessage()) == ("pyl.batch", logging.ERROR, "record id-b failed")
    assert "ValueError: cannot handle b" in caplog.text
    assert "in __call__" in caplog.text


def test_only_an_exception_is_a_failure_of_one_record() -> None:
    def leave(record: Any) -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        process(queue("a"), leave)


def test_a_response_can_be_made_by_hand() -> None:
    assert BatchResponse.of("1", "2") == BatchResponse([BatchItemFailure("1"), BatchItemFailure("2")])


def test_importing_it_imports_neither_logging_nor_any_event() -> None:
    code = "import sys; import msgspec; before = set(sys.modules); import pyl.batch; print(*set(sys.modules) - before)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = run.stdout.split()
    assert "pyl.batch" in loaded
    assert not {name for name in loaded if name.startswith(("logging", "pyl.events"))}
