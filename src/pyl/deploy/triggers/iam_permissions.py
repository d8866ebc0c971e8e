"""IAM permissions that triggers require of the function's role.

Only sources that Lambda polls require any. Other sources call Lambda, which the function's own policy permits.
https://docs.aws.amazon.com/service-authorization/latest/reference/ lists the resources that each action supports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from pyl.deploy.iam_permissions import destination_statement
from pyl.deploy.policy import Statement
from pyl.deploy.target import Target
from pyl.deploy.triggers import sources
from pyl.project.config.triggers import DynamoDBTrigger, KinesisTrigger, SQSTrigger, Trigger


@dataclass(frozen=True, kw_only=True)
class TriggerPermissions:
    """IAM permissions for reading a source."""

    reason: str
    actions: tuple[str, ...]
    resource: Callable[[Target, Trigger], str]


def _queue(target: Target, trigger: Trigger) -> str:
    assert isinstance(trigger, SQSTrigger)  # noqa: S101 - ensured by TRIGGER_PERMISSIONS
    return sources.queue_arn(target, trigger)


def _stream(target: Target, trigger: Trigger) -> str:
    assert isinstance(trigger, KinesisTrigger)  # noqa: S101
    return sources.stream_arn(target, trigger).partition("/consumer/")[0]


def _consumer(target: Target, trigger: Trigger) -> str:
    assert isinstance(trigger, KinesisTrigger)  # noqa: S101
    arn = sources.stream_arn(target, trigger)
    return arn if "/consumer/" in arn else ""


def _table_stream(target: Target, trigger: Trigger) -> str:
    assert isinstance(trigger, DynamoDBTrigger)  # noqa: S101
    return sources.table_stream_arn(target, trigger)


TRIGGER_PERMISSIONS: Mapping[str, tuple[TriggerPermissions, ...]] = {
    "sqs": (
        TriggerPermissions(
            reason="Queue",
            actions=("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"),
            resource=_queue,
        ),
    ),
    "dynamodb": (
        TriggerPermissions(
            reason="Table",
            actions=(
                "dynamodb:DescribeStream",
                "dynamodb:GetRecords",
                "dynamodb:GetShardIterator",
                "dynamodb:ListStreams",
            ),
            resource=_table_stream,
        ),
    ),
    "kinesis": (
        TriggerPermissions(
            reason="Stream",
            actions=(
                "kinesis:DescribeStream",
                "kinesis:DescribeStreamSummary",
                "kinesis:GetRecords",
                "kinesis:GetShardIterator",
                "kinesis:ListShards",
            ),
            resource=_stream,
        ),
        TriggerPermissions(reason="Consumer", actions=("kinesis:SubscribeToShard",), resource=_consumer),
    ),
}
"""By type of trigger. Other types require no permissions."""


def trigger_statements(target: Target) -> Iterator[Statement]:
    """Yield the policy statements for a function's triggers."""
    for index, trigger in enumerate(target.function.configuration.triggers, 1):
        for permissions in TRIGGER_PERMISSIONS.get(trigger.type, ()):
            resource = permissions.resource(target, trigger)
            if resource:
                yield Statement(
                    reason=f"Trigger{index}{permissions.reason}", actions=permissions.actions, resources=(resource,)
                )
        failures = getattr(trigger, "on_failure", None)
        if failures:
            yield destination_statement(f"Trigger{index}Failures", failures)
