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
from pyl.deploy.triggers.sources import source_arn
from pyl.project.config.triggers import BatchTrigger


@dataclass(frozen=True, kw_only=True)
class TriggerPermissions:
    """IAM permissions for reading a source."""

    reason: str
    actions: tuple[str, ...]
    resource: Callable[[str], str] = str
    """Returns the ARN of the resource for that of the source, or an empty string if there is no such resource."""


def _stream(arn: str) -> str:
    return arn.partition("/consumer/")[0]


def _consumer(arn: str) -> str:
    return arn if "/consumer/" in arn else ""


TRIGGER_PERMISSIONS: Mapping[str, tuple[TriggerPermissions, ...]] = {
    "sqs": (
        TriggerPermissions(
            reason="Queue",
            actions=("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"),
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
"""By type of trigger that Lambda polls."""


def trigger_statements(target: Target) -> Iterator[Statement]:
    """Yield the policy statements for a function's triggers."""
    for index, trigger in enumerate(target.function.configuration.triggers, 1):
        if isinstance(trigger, BatchTrigger):
            arn = source_arn(target, trigger)
            for permissions in TRIGGER_PERMISSIONS[trigger.type]:
                if resource := permissions.resource(arn):
                    yield Statement(
                        reason=f"Trigger{index}{permissions.reason}", actions=permissions.actions, resources=(resource,)
                    )
        failures = getattr(trigger, "on_failure", None)
        if failures:
            yield destination_statement(f"Trigger{index}Failures", failures)
