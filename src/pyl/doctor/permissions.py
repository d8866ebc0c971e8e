"""IAM permissions that deployment requires of the caller.

docs/aws.md has the same table for users; a test compares them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pyl.deploy.triggers.permissions import PRINCIPALS
from pyl.project.model import Function

Applies = Callable[[Function], bool]


@dataclass(frozen=True, kw_only=True)
class Permissions:
    """Actions on one kind of resource, and the functions whose deployment requires them."""

    actions: tuple[str, ...]
    resource: str = "*"
    """ARN with the fields `{partition}`, `{region}`, `{account}`, `{function}`, `{role}` and `{source}`."""
    applies: Applies
    source: tuple[str, str] | None = None
    """Type of trigger, and its key with the name or ARN for `{source}`."""


def _always(_function: Function) -> bool:
    return True


def _has(*settings: str) -> Applies:
    def applies(function: Function) -> bool:
        return any(getattr(function.configuration.deployment, setting) not in {None, False} for setting in settings)

    return applies


def _triggered(*types: str) -> Applies:
    return lambda function: any(trigger.type in types for trigger in function.configuration.triggers)


def _actions(service: str, *actions: str) -> tuple[str, ...]:
    return tuple(f"{service}:{action}" for action in actions)


_FUNCTION = "arn:{partition}:lambda:{region}:{account}:function:{function}"
_ROLE = "arn:{partition}:iam::{account}:role/{role}"
_LOGS = "arn:{partition}:logs:{region}:{account}:log-group:/aws/lambda/{function}:*"

PERMISSIONS: tuple[Permissions, ...] = (
    Permissions(
        actions=_actions(
            "lambda",
            *("CreateFunction", "GetFunction", "GetFunctionConfiguration"),
            *("UpdateFunctionCode", "UpdateFunctionConfiguration", "TagResource"),
        ),
        resource=_FUNCTION,
        applies=_always,
    ),
    Permissions(actions=("iam:PassRole", "iam:GetRole"), resource=_ROLE, applies=_always),
    Permissions(
        actions=_actions(
            "iam",
            *("CreateRole", "UpdateAssumeRolePolicy", "GetRolePolicy", "PutRolePolicy", "TagRole"),
            *("ListAttachedRolePolicies", "AttachRolePolicy", "DetachRolePolicy"),
            *("ListRolePolicies", "DeleteRolePolicy", "DeleteRole"),
        ),
        resource=_ROLE,
        applies=lambda function: function.configuration.deployment.role is None,
    ),
    Permissions(
        actions=_actions("logs", "ListTagsForResource", "CreateLogGroup", "TagResource", "PutRetentionPolicy"),
        resource=_LOGS,
        applies=_always,
    ),
    Permissions(actions=("logs:DescribeLogGroups",), applies=_always),
    Permissions(
        actions=_actions(
            "lambda", "GetAlias", "CreateAlias", "UpdateAlias", "PublishVersion", "ListVersionsByFunction"
        ),
        resource=_FUNCTION,
        applies=_has("alias", "publish"),
    ),
    Permissions(
        actions=_actions("lambda", "GetPolicy", "AddPermission", "RemovePermission"),
        resource=_FUNCTION,
        applies=lambda function: _has("url")(function) or _triggered(*PRINCIPALS)(function),
    ),
    Permissions(
        actions=_actions("lambda", "ListAliases"),
        resource=_FUNCTION,
        applies=lambda function: bool(function.configuration.triggers),
    ),
    Permissions(
        actions=_actions(
            "lambda",
            *("GetFunctionUrlConfig", "CreateFunctionUrlConfig", "UpdateFunctionUrlConfig", "DeleteFunctionUrlConfig"),
        ),
        resource=_FUNCTION,
        applies=_has("url"),
    ),
    Permissions(
        actions=_actions("lambda", "GetFunctionConcurrency", "PutFunctionConcurrency", "DeleteFunctionConcurrency"),
        resource=_FUNCTION,
        applies=_has("reserved_concurrency"),
    ),
    Permissions(
        actions=_actions("lambda", "GetFunctionEventInvokeConfig", "PutFunctionEventInvokeConfig"),
        resource=_FUNCTION,
        applies=_has("retries", "event_age", "on_success", "on_failure"),
    ),
    Permissions(
        actions=_actions(
            "lambda",
            *("ListEventSourceMappings", "GetEventSourceMapping", "CreateEventSourceMapping"),
            *("UpdateEventSourceMapping", "DeleteEventSourceMapping", "ListTags"),
        ),
        applies=_triggered("sqs", "dynamodb", "kinesis"),
    ),
    Permissions(
        actions=_actions("sqs", "GetQueueUrl", "GetQueueAttributes"),
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
        actions=_actions("s3", "GetBucketNotification", "PutBucketNotification"),
        resource="arn:{partition}:s3:::{source}",
        applies=_triggered("s3"),
        source=("s3", "bucket"),
    ),
    Permissions(
        actions=_actions(
            "sns",
            *("ListSubscriptionsByTopic", "GetSubscriptionAttributes", "Subscribe"),
            *("SetSubscriptionAttributes", "Unsubscribe"),
        ),
        resource="arn:{partition}:sns:{region}:{account}:{source}",
        applies=_triggered("sns"),
        source=("sns", "topic"),
    ),
    Permissions(
        actions=_actions(
            "events",
            *("DescribeEventBus", "DescribeRule", "PutRule", "DeleteRule", "TagResource"),
            *("ListTargetsByRule", "PutTargets", "RemoveTargets"),
        ),
        applies=_triggered("eventbridge", "schedule"),
    ),
    Permissions(
        actions=_actions("ses", "DescribeReceiptRule", "CreateReceiptRule", "UpdateReceiptRule", "DeleteReceiptRule"),
        applies=_triggered("ses"),
    ),
    Permissions(
        actions=_actions("apigateway", "GET", "POST", "PATCH", "DELETE", "TagResource"), applies=_triggered("httpapi")
    ),
)


def resource_of(permissions: Permissions, function: Function | None, arn_fields: Mapping[str, str]) -> str:
    """Return the ARN that the actions apply to.

    Args:
        permissions: The actions.
        function: A function that requires them.
        arn_fields: Values of the fields in `Permissions.resource`, except for `{source}`.
    """
    source = ""
    if permissions.source and function:
        kind, key = permissions.source
        source = next(str(getattr(trigger, key)) for trigger in function.configuration.triggers if trigger.type == kind)
    if source.startswith("arn:"):
        return source.partition("/stream/")[0]  # the table's ARN, if that of its stream is configured
    return permissions.resource.format_map({**arn_fields, "source": source})


def required_permissions(functions: Sequence[Function]) -> list[tuple[Permissions, Function | None]]:
    """Return the permissions for deploying functions, each with a function that requires it.

    Without functions, return the permissions that all functions require.
    """
    if not functions:
        return [(permissions, None) for permissions in PERMISSIONS if permissions.applies is _always]
    first_functions = [
        (permissions, next((function for function in functions if permissions.applies(function)), None))
        for permissions in PERMISSIONS
    ]
    return [(permissions, function) for permissions, function in first_functions if function is not None]
