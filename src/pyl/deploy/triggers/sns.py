"""Subscriptions of topics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pyl.deploy.aws import AWS, iterate_pages, none_if_absent
from pyl.deploy.target import Target
from pyl.deploy.triggers import sources
from pyl.deploy.triggers.base import Settings
from pyl.deploy.triggers.push import PushTrigger
from pyl.errors import AWSError
from pyl.project.config.patterns import canonical_json
from pyl.project.config.triggers import SNSTrigger

_ABSENT = ("NotFound", "NotFoundException")


@dataclass(frozen=True, kw_only=True)
class SubscriptionResource(PushTrigger):
    """A function gets a topic's messages."""

    principal: ClassVar[str] = "sns.amazonaws.com"
    type: ClassVar[str] = "sns"

    trigger: SNSTrigger

    @property
    def identity(self) -> tuple[str, ...]:
        """The topic: a function has one subscription there."""
        return (self._topic,)

    @property
    def desired(self) -> Settings:
        """The settings as they are to be."""
        return {
            "invokes": self.target.invoked_arn,
            "filter": self.trigger.filter,
            "filter_scope": self.trigger.filter_scope if self.trigger.filter else None,
        }

    @property
    def _topic(self) -> str:
        return sources.topic_arn(self.target, self.trigger)

    def source_arn(self, aws: AWS) -> str:  # noqa: ARG002
        """The topic."""
        return self._topic

    def read_source(self, aws: AWS) -> Settings | None:
        """The subscription of this function, or of this alias."""
        subscriptions = _subscriptions(aws, self._topic)
        if subscriptions is None:
            name = self._topic.rpartition(":")[2]
            msg = f"there is no topic {name} in {self.target.region}, which is a trigger of {self.target.function.name}"
            raise AWSError(msg, hint=f"aws sns create-topic --name {name} --region {self.target.region}")
        arn = subscriptions.get(self.target.invoked_arn)
        if arn is None:
            return None
        client = aws.client("sns")
        attributes = client.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
        pattern = attributes.get("FilterPolicy")
        pattern = canonical_json(pattern) if pattern else None
        pattern = None if pattern == "{}" else pattern
        return {
            "invokes": self.target.invoked_arn,
            "filter": pattern,
            "filter_scope": attributes.get("FilterPolicyScope", "MessageAttributes") if pattern else None,
        }

    def connect(self, aws: AWS, present: Settings | None) -> None:
        """Subscribe, or set what differs."""
        client = aws.client("sns")
        if present is None:
            client.subscribe(
                TopicArn=self._topic, Protocol="lambda", Endpoint=self.target.invoked_arn, Attributes=self._attributes()
            )
            return
        arn = (_subscriptions(aws, self._topic) or {})[self.target.invoked_arn]
        for name, value in (self._attributes() or {"FilterPolicy": "{}"}).items():
            client.set_subscription_attributes(SubscriptionArn=arn, AttributeName=name, AttributeValue=value)

    def disconnect(self, aws: AWS) -> None:
        """Unsubscribe."""
        disconnect(aws, self.target, self.sid, self._topic, self.target.invoked_arn)

    def _attributes(self) -> dict[str, str]:
        if self.trigger.filter is None:
            return {}
        return {"FilterPolicyScope": self.trigger.filter_scope, "FilterPolicy": self.trigger.filter}


def disconnect(aws: AWS, target: Target, sid: str, source_arn: str, invoked_arn: str) -> None:  # noqa: ARG001
    """End the subscription of `invoked_arn`."""
    arn = (_subscriptions(aws, source_arn) or {}).get(invoked_arn)
    if arn is not None:
        none_if_absent(lambda: aws.client("sns").unsubscribe(SubscriptionArn=arn), *_ABSENT)


def _subscriptions(aws: AWS, topic: str) -> Mapping[str, str] | None:
    """The ARNs of a topic's subscriptions of functions, by the functions' ARNs."""

    def listed() -> dict[str, str]:
        subscriptions: list[dict[str, Any]] = list(
            iterate_pages(aws.client("sns"), "list_subscriptions_by_topic", "Subscriptions", TopicArn=topic)
        )
        return {each["Endpoint"]: each["SubscriptionArn"] for each in subscriptions if each["Protocol"] == "lambda"}

    return none_if_absent(listed, *_ABSENT)
