"""How each type of trigger is deployed and disconnected."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pyl.deploy.aws import AWS
from pyl.deploy.plan import Resource
from pyl.deploy.target import Target
from pyl.deploy.triggers import http, rules, s3, ses, sns
from pyl.deploy.triggers.mappings import MappingResource

Disconnect = Callable[[AWS, Target, str, str, str], None]
"""Disconnects a source, given the statement ID, the ARN of the source, and the ARN that it calls."""


@dataclass(frozen=True, kw_only=True)
class TriggerKind:
    """Deployment of one type of trigger."""

    resource: Callable[..., Resource[Any]]
    """Makes the resource, given `target`, `label` and `trigger`."""
    disconnect: Disconnect | None = None
    """`None` if Lambda polls the source: then there is a mapping to delete, but no permission."""


_POLLED = TriggerKind(resource=MappingResource)

KINDS: Mapping[str, TriggerKind] = {
    "dynamodb": _POLLED,
    "eventbridge": TriggerKind(resource=rules.PatternResource, disconnect=rules.disconnect),
    "httpapi": TriggerKind(resource=http.RouteResource, disconnect=http.disconnect),
    "kinesis": _POLLED,
    "s3": TriggerKind(resource=s3.NotificationResource, disconnect=s3.disconnect),
    "schedule": TriggerKind(resource=rules.ScheduleResource, disconnect=rules.disconnect),
    "ses": TriggerKind(resource=ses.ReceiptRuleResource, disconnect=ses.disconnect),
    "sns": TriggerKind(resource=sns.SubscriptionResource, disconnect=sns.disconnect),
    "sqs": _POLLED,
}
"""By type of trigger."""
