"""IAM permissions that a function's settings require of its role.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from pyl.deploy.log_groups import log_group_arn
from pyl.deploy.policy import Statement
from pyl.deploy.target import Target


@dataclass(frozen=True, kw_only=True)
class SettingPermissions:
    """IAM permissions for one setting."""

    reason: str
    actions: tuple[str, ...]
    resources: Callable[[Target], tuple[str, ...]]
    """ARNs; empty if the function does not have the setting."""


SETTING_PERMISSIONS: tuple[SettingPermissions, ...] = (
    SettingPermissions(
        reason="Logs",
        actions=("logs:CreateLogStream", "logs:PutLogEvents"),
        resources=lambda target: (f"{log_group_arn(target)}:*",),
    ),
    SettingPermissions(
        reason="Tracing",
        actions=("xray:PutTelemetryRecords", "xray:PutTraceSegments"),
        resources=lambda target: ("*",) if target.settings.tracing == "Active" else (),
    ),
    SettingPermissions(
        reason="Vpc",
        actions=(
            "ec2:AssignPrivateIpAddresses",
            "ec2:CreateNetworkInterface",
            "ec2:DeleteNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
            "ec2:UnassignPrivateIpAddresses",
        ),
        resources=lambda target: ("*",) if target.settings.subnets else (),
    ),
)
"""`*` as the resource: the actions do not support resource-level permissions."""

DESTINATION_ACTIONS: Mapping[str, tuple[str, ...]] = {
    "events": ("events:PutEvents",),
    "lambda": ("lambda:InvokeFunction",),
    "s3": ("s3:ListBucket", "s3:PutObject"),
    "sns": ("sns:Publish",),
    "sqs": ("sqs:SendMessage",),
}
"""Actions for sending to a destination, by the service in its ARN."""


def destination_statement(reason: str, arn: str) -> Statement:
    """Return the statement for a destination of asynchronous invocations or of failed batches.

    Args:
        reason: Becomes the statement's `Sid`.
        arn: ARN of the destination.
    """
    service = arn.split(":")[2]
    resources = (arn, f"{arn}/*") if service == "s3" else (arn,)
    return Statement(reason=reason, actions=DESTINATION_ACTIONS[service], resources=resources)


def setting_statements(target: Target) -> Iterator[Statement]:
    """Yield the statements for the function's settings, then those for `allow` in its configuration."""
    for permissions in SETTING_PERMISSIONS:
        resources = permissions.resources(target)
        if resources:
            yield Statement(reason=permissions.reason, actions=permissions.actions, resources=resources)
    for reason, arn in (("OnSuccess", target.settings.on_success), ("OnFailure", target.settings.on_failure)):
        if arn:
            yield destination_statement(reason, arn)
    for index, allowed in enumerate(target.settings.allow, 1):
        yield Statement(reason=f"Allow{index}", actions=allowed.actions, resources=allowed.resources)
