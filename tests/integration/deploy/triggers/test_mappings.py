"""Queues and streams are mapped to functions, found again, changed and unmapped."""

from __future__ import annotations

from typing import Any

import pytest

from integration.deploy.triggers.conftest import ARN, Wiring
from pyl.deploy.aws import AWS
from pyl.errors import AWSError

QUEUE = 'type = "sqs"\nqueue = "orders"'
TABLE = 'type = "dynamodb"\ntable = "Orders"'
STREAM = 'type = "kinesis"\nstream = "clicks"'


@pytest.fixture(autouse=True)
def sources(aws: AWS) -> None:
    aws.client("sqs").create_queue(QueueName="orders")
    aws.client("kinesis").create_stream(StreamName="clicks", ShardCount=1)
    aws.client("dynamodb").create_table(
        TableName="Orders",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )


def mappings(aws: AWS) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = aws.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    return items


def test_a_queue_is_mapped_with_its_settings_and_tags(shop: Wiring, aws: AWS) -> None:
    settings = 'batch_size = 50\nbatch_window = 5\nmaximum_concurrency = 4\nfilters = [{ body = { kind = ["order"] } }]'
    assert shop.deploy(f"{QUEUE}\n{settings}") == ["create trigger fulfil: queue orders"]
    (mapping,) = mappings(aws)
    assert mapping["FunctionArn"] == ARN
    assert mapping["EventSourceArn"] == "arn:aws:sqs:us-east-1:123456789012:orders"
    assert (mapping["BatchSize"], mapping["MaximumBatchingWindowInSeconds"]) == (50, 5)
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 4}
    assert mapping["FilterCriteria"] == {"Filters": [{"Pattern": '{"body":{"kind":["order"]}}'}]}
    assert not mapping.get("FunctionResponseTypes")
    tags = aws.client("lambda").list_tags(Resource=mapping["EventSourceMappingArn"])["Tags"]
    assert tags == {"pyl:project": "shop"}


def test_partial_batches_are_reported_where_the_function_names_failed_records(shop: Wiring, aws: AWS) -> None:
    shop.deploy(QUEUE, batch=True)
    assert mappings(aws)[0]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert shop.deploy(QUEUE, batch=False) == ["update trigger fulfil: queue orders"]
    assert mappings(aws)[0]["FunctionResponseTypes"] == []
    shop.deploy(f"{QUEUE}\npartial_batch = true", batch=False)
    assert mappings(aws)[0]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


@pytest.mark.parametrize("source", [TABLE, STREAM])
def test_a_stream_is_mapped_with_its_settings(shop: Wiring, aws: AWS, source: str) -> None:
    failures = "arn:aws:sqs:us-east-1:123456789012:given-up"
    settings = (
        'starting_position = "TRIM_HORIZON"\nparallelization = 2\nretries = 3\nmaximum_age = 3600\nbisect = true\n'
        f'on_failure = "{failures}"'
    )
    shop.deploy(f"{source}\n{settings}")
    (mapping,) = mappings(aws)
    assert (mapping["StartingPosition"], mapping["BatchSize"]) == ("TRIM_HORIZON", 100)
    assert (mapping["ParallelizationFactor"], mapping["MaximumRetryAttempts"]) == (2, 3)
    assert (mapping["MaximumRecordAgeInSeconds"], mapping["BisectBatchOnFunctionError"]) == (3600, True)
    assert mapping["DestinationConfig"] == {"OnFailure": {"Destination": failures}}
    shop.deploy(source)
    (after,) = mappings(aws)
    assert after["UUID"] == mapping["UUID"]
    assert (after["MaximumRetryAttempts"], after["BisectBatchOnFunctionError"]) == (-1, False)
    assert after["DestinationConfig"] == {"OnFailure": {"Destination": ""}}


def test_what_differs_is_changed_and_nothing_else(shop: Wiring) -> None:
    shop.deploy(f"{QUEUE}\nbatch_size = 5", TABLE)
    (changed,) = shop.plan(f"{QUEUE}\nbatch_size = 7\nenabled = false", TABLE).pending
    assert [(each.field, each.old, each.new) for each in changed.changes] == [
        ("batch_size", 5, 7),
        ("enabled", True, False),
    ]


def test_a_mapping_that_was_made_by_hand_is_taken_over(shop: Wiring, aws: AWS) -> None:
    arn = "arn:aws:sqs:us-east-1:123456789012:orders"
    made = aws.client("lambda").create_event_source_mapping(FunctionName="fulfil", EventSourceArn=arn, BatchSize=3)
    assert shop.deploy(QUEUE) == ["update trigger fulfil: queue orders"]
    assert [(each["UUID"], each["BatchSize"]) for each in mappings(aws)] == [(made["UUID"], 10)]


def test_a_trigger_that_is_no_longer_configured_goes_and_others_mappings_stay(shop: Wiring, aws: AWS) -> None:
    by_hand = "arn:aws:sqs:us-east-1:123456789012:by-hand"
    aws.client("sqs").create_queue(QueueName="by-hand")
    aws.client("lambda").create_event_source_mapping(FunctionName=ARN, EventSourceArn=by_hand)
    shop.deploy(QUEUE, STREAM)
    (done,) = shop.deploy(STREAM)
    assert done.startswith("remove trigger fulfil: arn:aws:sqs:us-east-1:123456789012:orders")
    stream = "arn:aws:kinesis:us-east-1:123456789012:stream/clicks"
    assert sorted(each["EventSourceArn"] for each in mappings(aws)) == [stream, by_hand]


@pytest.mark.parametrize(
    ("trigger", "message", "hint"),
    [
        (
            'type = "sqs"\nqueue = "nowhere"',
            "the queue nowhere, a trigger of fulfil, does not exist in us-east-1",
            "aws sqs create-queue",
        ),
        ('type = "sqs"\nqueue = "no.fifo"', "the queue no.fifo, a trigger of fulfil, does not exist", "FifoQueue=true"),
        (
            'type = "dynamodb"\ntable = "Nowhere"',
            "the table Nowhere, a trigger of fulfil, does not exist",
            "create-table",
        ),
        ('type = "dynamodb"\ntable = "Still"', "the table Still, a trigger of fulfil, has no stream", "StreamEnabled"),
        (
            'type = "kinesis"\nstream = "nowhere"',
            "the stream nowhere, a trigger of fulfil, does not exist",
            "aws kinesis create-stream",
        ),
    ],
)
def test_a_source_that_is_not_there_is_told_with_what_makes_it(
    shop: Wiring, aws: AWS, trigger: str, message: str, hint: str
) -> None:
    aws.client("dynamodb").create_table(
        TableName="Still",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    with pytest.raises(AWSError) as caught:
        shop.plan(trigger)
    assert caught.value.message.startswith(message)
    assert hint in (caught.value.hint or "")


def test_a_queue_that_shows_messages_again_too_soon_is_refused(shop: Wiring) -> None:
    message = "the queue orders is 30 s, but the timeout of the function fulfil is 45 s"
    with pytest.raises(AWSError, match=message) as caught:
        shop.plan(QUEUE, more="timeout = 45")
    assert "VisibilityTimeout=270" in (caught.value.hint or "")
