"""What the caller must be allowed to do in AWS to deploy, as data: by what is deployed, and on what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Permissions:
    """Actions on one kind of thing."""

    title: str
    actions: tuple[str, ...]
    resource: str
    """An ARN; `{partition}`, `{region}`, `{account}`, `{function}` and `{project}` are filled in."""


_FUNCTION = "arn:{partition}:lambda:{region}:{account}:function:{function}"

BASE = (
    Permissions(
        title="functions",
        actions=(
            "lambda:CreateFunction",
            "lambda:GetFunction",
            "lambda:UpdateFunctionCode",
            "lambda:UpdateFunctionConfiguration",
            "lambda:TagResource",
            "lambda:InvokeFunction",
        ),
        resource=_FUNCTION,
    ),
    Permissions(
        title="roles",
        actions=("iam:CreateRole", "iam:GetRole", "iam:PassRole", "iam:PutRolePolicy", "iam:TagRole"),
        resource="arn:{partition}:iam::{account}:role/{project}-functions",
    ),
    Permissions(
        title="logs",
        actions=("logs:CreateLogGroup", "logs:PutRetentionPolicy", "logs:FilterLogEvents"),
        resource="arn:{partition}:logs:{region}:{account}:log-group:/aws/lambda/{function}:*",
    ),
)

_MAPPING = Permissions(
    title="event source mappings",
    actions=("lambda:CreateEventSourceMapping", "lambda:ListEventSourceMappings", "lambda:UpdateEventSourceMapping"),
    resource="*",
)
_INVOKED = Permissions(
    title="permissions of functions",
    actions=("lambda:AddPermission", "lambda:GetPolicy", "lambda:RemovePermission"),
    resource=_FUNCTION,
)

BY_TRIGGER = {
    "sqs": (_MAPPING,),
    "dynamodb": (
        _MAPPING,
        Permissions(title="tables", actions=("dynamodb:DescribeTable",), resource="*"),
    ),
    "kinesis": (
        _MAPPING,
        Permissions(title="streams", actions=("kinesis:DescribeStreamSummary",), resource="*"),
    ),
    "s3": (
        _INVOKED,
        Permissions(title="buckets", actions=("s3:GetBucketNotification", "s3:PutBucketNotification"), resource="*"),
    ),
    "sns": (
        _INVOKED,
        Permissions(title="topics", actions=("sns:Subscribe", "sns:ListSubscriptionsByTopic"), resource="*"),
    ),
    "eventbridge": (
        _INVOKED,
        Permissions(title="rules", actions=("events:PutRule", "events:PutTargets"), resource="*"),
    ),
    "schedule": (
        _INVOKED,
        Permissions(title="rules", actions=("events:PutRule", "events:PutTargets"), resource="*"),
    ),
    "ses": (
        _INVOKED,
        Permissions(
            title="receipt rules", actions=("ses:CreateReceiptRule", "ses:DescribeReceiptRuleSet"), resource="*"
        ),
    ),
    "httpapi": (
        _INVOKED,
        Permissions(title="APIs", actions=("apigateway:GET", "apigateway:POST", "apigateway:PATCH"), resource="*"),
    ),
}
"""Beyond `BASE`, by the type of trigger."""


def needed(triggers: Iterable[str]) -> list[Permissions]:
    """What deploying functions with triggers of these types takes."""
    found = [*BASE, *(permissions for trigger in triggers for permissions in BY_TRIGGER[trigger])]
    return list(dict.fromkeys(found))
