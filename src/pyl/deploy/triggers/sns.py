"""Subscriptions of SNS topics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pyl.deploy.aws import AWS, none_if_absent, paginate
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
    """A subscription that passes a topic's messages to the function."""

    type: ClassVar[str] = "sns"

    trigger: SNSTrigger

    @property
    def identity(self) -> tuple[str, ...]:
        """The topic. A function has one subscription per topic."""
        return (self._topic,)

    @property
    def desired(self) -> Settings:
        """Desired settings."""
        return {
            "invokes": self.target.invoked_arn,
            "filter": self.trigger.filter,
            "filter_scope": self.trigger.filter_scope if self.trigger.filter else None,
        }

    @property
    def _topic(self) -> str:
        return sources.source_arn(self.target, self.trigger)

    def source_arn(self, aws: AWS) -> str:  # noqa: ARG002
        """Return the ARN of the topic."""
        return self._topic

    def read_source(self, aws: AWS) -> Settings | None:
        """Return the settings of the subscription of this function or alias."""
        subscriptions = _subscriptions(aws, self._topic)
        if subscriptions is None:
            name = self._topic.rpartition(":")[2]
            function, region = self.target.function.name, self.target.region
            msg = f"the topic {name}, a trigger of {function}, does not exist in {region}"
            raise AWSError(msg, hint=f"aws sns create-topic --name {name} --region {region}")
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
        """Create the subscription, or update its attributes."""
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
        """Delete the subscription."""
        disconnect(aws, self.target, self.sid, self._topic, self.target.invoked_arn)

    def _attributes(self) -> dict[str, str]:
        if self.trigger.filter is None:
            return {}
        return {"FilterPolicyScope": self.trigger.filter_scope, "FilterPolicy": self.trigger.filter}


def disconnect(aws: AWS, target: Target, sid: str, source_arn: str, invoked_arn: str) -> None:  # noqa: ARG001
    """Delete the subscription of `invoked_arn`."""
    arn = (_subscriptions(aws, source_arn) or {}).get(invoked_arn)
    if arn is not None:
        none_if_absent(lambda: aws.client("sns").unsubscribe(SubscriptionArn=arn), *_ABSENT)


def _subscriptions(aws: AWS, topic: str) -> Mapping[str, str] | None:
    """Return ARNs of a topic's Lambda subscriptions by ARN of the function, or `None` if there is no such topic."""

    def listed() -> dict[str, str]:
        subscriptions: list[dict[str, Any]] = list(
            paginate(aws.client("sns"), "list_subscriptions_by_topic", "Subscriptions", TopicArn=topic)
        )
        return {each["Endpoint"]: each["SubscriptionArn"] for each in subscriptions if each["Protocol"] == "lambda"}

    return none_if_absent(listed, *_ABSENT)
