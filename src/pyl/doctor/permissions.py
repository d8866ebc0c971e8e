"""What the caller must be allowed to do in AWS to deploy, as data: by what asks for it, and on what.

The same table stands in docs/aws.md, for people; a test compares them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pyl.project.model import Function

Applies = Callable[[Function], bool]


@dataclass(frozen=True, kw_only=True)
class Permissions:
    """Actions on one kind of thing, and which functions need them to be deployed."""

    actions: tuple[str, ...]
    resource: str = "*"
    """An ARN; `{partition}`, `{region}`, `{account}`, `{function}`, `{role}` and `{source}` are filled in."""
    applies: Applies
    source: tuple[str, str] | None = None
    """The type of trigger, and its key that names `{source}`, or is its ARN."""


def _always(_function: Function) -> bool:
    return True


def _has(*settings: str) -> Applies:
    def applies(function: Function) -> bool:
        return any(getattr(function.configuration.deployment, setting) not in {None, False} for setting in settings)

    return applies


def _triggered(*types: str) -> Applies:
    return lambda function: any(trigger.type in types for trigger in function.configuration.triggers)


def _named(service: str, *actions: str) -> tuple[str, ...]:
    return tuple(f"{service}:{action}" for action in actions)


_FUNCTION = "arn:{partition}:lambda:{region}:{account}:function:{function}"
_ROLE = "arn:{partition}:iam::{account}:role/{role}"
_LOGS = "arn:{partition}:logs:{region}:{account}:log-group:/aws/lambda/{function}:*"
_PUSH = ("s3", "sns", "eventbridge", "schedule", "ses", "httpapi")

PERMISSIONS: tuple[Permissions, ...] = (
    Permissions(
        actions=_named(
            "lambda",
            *("CreateFunction", "GetFunction", "GetFunctionConfiguration"),
            *("UpdateFunctionCode", "UpdateFunctionConfiguration", "TagResource"),
        ),
        resource=_FUNCTION,
        applies=_always,
    ),
    Permissions(actions=("iam:PassRole", "iam:GetRole"), resource=_ROLE, applies=_always),
    Permissions(
        actions=_named(
            "iam",
            *("CreateRole", "UpdateAssumeRolePolicy", "GetRolePolicy", "PutRolePolicy", "TagRole"),
            *("ListAttachedRolePolicies", "AttachRolePolicy", "DetachRolePolicy"),
            *("ListRolePolicies", "DeleteRolePolicy", "DeleteRole"),
        ),
        resource=_ROLE,
        applies=lambda function: function.configuration.deployment.role is None,
    ),
    Permissions(
        actions=_named("logs", "ListTagsForResource", "CreateLogGroup", "TagResource", "PutRetentionPolicy"),
        resource=_LOGS,
        applies=_always,
    ),
    Permissions(actions=("logs:DescribeLogGroups",), applies=_always),
    Permissions(
        actions=_named("lambda", "GetAlias", "CreateAlias", "UpdateAlias", "PublishVersion", "ListVersionsByFunction"),
        resource=_FUNCTION,
        applies=_has("alias", "publish"),
    ),
    Permissions(
        actions=_named("lambda", "GetPolicy", "AddPermission", "RemovePermission"),
        resource=_FUNCTION,
        applies=lambda function: _has("url")(function) or _triggered(*_PUSH)(function),
    ),
    Permissions(
        actions=_named("lambda", "ListAliases"),
        resource=_FUNCTION,
        applies=lambda function: bool(function.configuration.triggers),
    ),
    Permissions(
        actions=_named(
            "lambda",
            *("GetFunctionUrlConfig", "CreateFunctionUrlConfig", "UpdateFunctionUrlConfig", "DeleteFunctionUrlConfig"),
        ),
        resource=_FUNCTION,
        applies=_has("url"),
    ),
    Permissions(
        actions=_named("lambda", "GetFunctionConcurrency", "PutFunctionConcurrency", "DeleteFunctionConcurrency"),
        resource=_FUNCTION,
        applies=_has("reserved_concurrency"),
    ),
    Permissions(
        actions=_named("lambda", "GetFunctionEventInvokeConfig", "PutFunctionEventInvokeConfig"),
        resource=_FUNCTION,
        applies=_has("retries", "event_age", "on_success", "on_failure"),
    ),
    Permissions(
        actions=_named(
            "lambda",
            *("ListEventSourceMappings", "GetEventSourceMapping", "CreateEventSourceMapping"),
            *("UpdateEventSourceMapping", "DeleteEventSourceMapping", "ListTags"),
        ),
        applies=_triggered("sqs", "dynamodb", "kinesis"),
    ),
    Permissions(
        actions=_named("sqs", "GetQueueUrl", "GetQueueAttributes"),
        resource="arn:{partition}:sqs:{region}:{account}:{source}",
        applies=_triggered("sqs"),
        source=("sqs", "queue"),
    ),
    Permissions(
        actions=("dynamodb:DescribeTable",),
        resource="arn:{partition}:dynamodb:{region}:{account}:table/{source}",
        applies=_triggered("dynamodb"),
        source=("dynamodb", "table"),
    ),
    Permissions(
        actions=("kinesis:DescribeStreamSummary",),
        resource="arn:{partition}:kinesis:{region}:{account}:stream/{source}",
        applies=_triggered("kinesis"),
        source=("kinesis", "stream"),
    ),
    Permissions(
        actions=_named("s3", "GetBucketNotification", "PutBucketNotification"),
        resource="arn:{partition}:s3:::{source}",
        applies=_triggered("s3"),
        source=("s3", "bucket"),
    ),
    Permissions(
        actions=_named(
            "sns",
            *("ListSubscriptionsByTopic", "GetSubscriptionAttributes", "Subscribe"),
            *("SetSubscriptionAttributes", "Unsubscribe"),
        ),
        resource="arn:{partition}:sns:{region}:{account}:{source}",
        applies=_triggered("sns"),
        source=("sns", "topic"),
    ),
    Permissions(
        actions=_named(
            "events",
            *("DescribeEventBus", "DescribeRule", "PutRule", "DeleteRule", "TagResource"),
            *("ListTargetsByRule", "PutTargets", "RemoveTargets"),
        ),
        applies=_triggered("eventbridge", "schedule"),
    ),
    Permissions(
        actions=_named("ses", "DescribeReceiptRule", "CreateReceiptRule", "UpdateReceiptRule", "DeleteReceiptRule"),
        applies=_triggered("ses"),
    ),
    Permissions(
        actions=_named("apigateway", "GET", "POST", "PATCH", "DELETE", "TagResource"), applies=_triggered("httpapi")
    ),
)


def resource_of(permissions: Permissions, function: Function | None, places: Mapping[str, str]) -> str:
    """The ARN that the actions are about; the trigger's own where it is configured as one."""
    source = ""
    if permissions.source and function:
        kind, key = permissions.source
        source = next(str(getattr(one, key)) for one in function.configuration.triggers if one.type == kind)
    if source.startswith("arn:"):
        return source.partition("/stream/")[0]  # of a table, where that of its stream is given
    return permissions.resource.format_map({**places, "source": source})


def needed(functions: Sequence[Function]) -> list[tuple[Permissions, Function | None]]:
    """What deploying them takes, each with a function that needs it; without any, what every function takes."""
    if not functions:
        return [(permissions, None) for permissions in PERMISSIONS if permissions.applies is _always]
    first = [
        (permissions, next((function for function in functions if permissions.applies(function)), None))
        for permissions in PERMISSIONS
    ]
    return [(permissions, function) for permissions, function in first if function is not None]
