"""EventBridge rules, for events that match a pattern and for schedules."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from pyl.deploy.aws import AWS, none_if_absent, paginate
from pyl.deploy.tags import tags_to_list
from pyl.deploy.target import Target
from pyl.deploy.triggers.base import Settings
from pyl.deploy.triggers.push import PushTrigger
from pyl.errors import AWSError
from pyl.project.config.patterns import canonical_json
from pyl.project.config.triggers import EventBridgeTrigger, ScheduleTrigger

_TARGET = "pyl"
"""ID of the function among the rule's targets."""


@dataclass(frozen=True, kw_only=True)
class RuleResource(PushTrigger):
    """A rule that calls the function."""

    @property
    def bus(self) -> str:
        """Name of the event bus."""
        return "default"

    @property
    def rule(self) -> str:
        """Name of the rule."""
        return self.target.owner.name(f"{self.target.function.name}-{self.digest}")

    @abstractmethod
    def definition(self) -> dict[str, Any]:
        """Return the pattern or schedule as arguments of `PutRule`."""

    @property
    @abstractmethod
    def input(self) -> str | None:
        """Input for the function that replaces the event."""

    @property
    @abstractmethod
    def is_enabled(self) -> bool:
        """Whether the rule is enabled."""

    @property
    def desired(self) -> Settings:
        """Desired settings."""
        return {
            "invokes": self.target.invoked_arn,
            "pattern": self.definition().get("EventPattern"),
            "expression": self.definition().get("ScheduleExpression"),
            "input": self.input,
            "enabled": self.is_enabled,
        }

    def source_arn(self, aws: AWS) -> str:  # noqa: ARG002
        """Return the ARN of the rule."""
        bus = "" if self.bus == "default" else f"{self.bus}/"
        return self.target.arn_of("events", f"rule/{bus}{self.rule}")

    def read_source(self, aws: AWS) -> Settings | None:
        """Return the settings of the rule and its target."""
        client = aws.client("events")
        rule = none_if_absent(lambda: client.describe_rule(Name=self.rule, EventBusName=self.bus))
        if rule is None:
            self._check_bus(aws)
            return None
        targets = paginate(client, "list_targets_by_rule", "Targets", Rule=self.rule, EventBusName=self.bus)
        target: dict[str, Any] = next((each for each in targets if each["Id"] == _TARGET), {})
        pattern, target_input = rule.get("EventPattern"), target.get("Input")
        return {
            "invokes": target.get("Arn"),
            "pattern": canonical_json(pattern) if pattern else None,
            "expression": rule.get("ScheduleExpression"),
            "input": canonical_json(target_input) if target_input else None,
            "enabled": rule.get("State", "ENABLED") != "DISABLED",
        }

    def connect(self, aws: AWS, present: Settings | None) -> None:
        """Put the rule, then its target."""
        client = aws.client("events")
        arguments: dict[str, Any] = {} if present else {"Tags": tags_to_list(self.target.owner.tags)}
        client.put_rule(
            Name=self.rule,
            EventBusName=self.bus,
            State="ENABLED" if self.is_enabled else "DISABLED",
            Description=f"{self.target.owner.tag}: invokes {self.target.name}",
            **self.definition(),
            **arguments,
        )
        target = {"Id": _TARGET, "Arn": self.target.invoked_arn}
        if self.input is not None:
            target["Input"] = self.input
        answer = client.put_targets(Rule=self.rule, EventBusName=self.bus, Targets=[target])
        for entry in answer.get("FailedEntries") or ():
            reason = entry.get("ErrorMessage") or entry.get("ErrorCode")
            msg = f"EventBridge did not accept {self.target.name} as a target: {reason}"
            raise AWSError(msg, hint="run the command again")

    def disconnect(self, aws: AWS) -> None:
        """Delete the rule."""
        disconnect(aws, self.target, self.sid, self.source_arn(aws), self.target.invoked_arn)

    def _check_bus(self, aws: AWS) -> None:
        if self.bus == "default":
            return
        if none_if_absent(lambda: aws.client("events").describe_event_bus(Name=self.bus)) is None:
            region, function = self.target.region, self.target.function.name
            msg = f"the event bus {self.bus}, a trigger of {function}, does not exist in {region}"
            raise AWSError(msg, hint=f"aws events create-event-bus --name {self.bus} --region {region}")


@dataclass(frozen=True, kw_only=True)
class PatternResource(RuleResource):
    """A rule for events on a bus."""

    type: ClassVar[str] = "eventbridge"

    trigger: EventBridgeTrigger

    @property
    def bus(self) -> str:
        """Name of the event bus."""
        return self.trigger.bus

    @property
    def identity(self) -> tuple[str, ...]:
        """Bus and pattern."""
        return (self.trigger.bus, self.trigger.pattern)

    def definition(self) -> dict[str, Any]:
        """Return the pattern."""
        return {"EventPattern": self.trigger.pattern}

    @property
    def input(self) -> str | None:
        """None: the function gets the event itself."""
        return None

    @property
    def is_enabled(self) -> bool:
        """Whether the rule is enabled."""
        return self.trigger.enabled


@dataclass(frozen=True, kw_only=True)
class ScheduleResource(RuleResource):
    """A rule for a schedule."""

    type: ClassVar[str] = "schedule"

    trigger: ScheduleTrigger

    @property
    def identity(self) -> tuple[str, ...]:
        """Expression and input."""
        return (self.trigger.expression, self.trigger.input or "")

    def definition(self) -> dict[str, Any]:
        """Return the schedule expression."""
        return {"ScheduleExpression": self.trigger.expression}

    @property
    def input(self) -> str | None:
        """Input for the function that replaces the event."""
        return self.trigger.input

    @property
    def is_enabled(self) -> bool:
        """Whether the rule is enabled."""
        return self.trigger.enabled


def disconnect(aws: AWS, target: Target, sid: str, source_arn: str, invoked_arn: str) -> None:  # noqa: ARG001
    """Remove a rule's target `invoked_arn`, and the rule if it has no other targets."""
    client = aws.client("events")
    bus, _, rule = source_arn.partition(":rule/")[2].rpartition("/")
    rule_arguments = {"Rule": rule, "EventBusName": bus or "default"}
    targets = none_if_absent(lambda: list(paginate(client, "list_targets_by_rule", "Targets", **rule_arguments)))
    if targets is None:
        return
    target_ids = [each["Id"] for each in targets if each["Arn"] == invoked_arn]
    if targets and not target_ids:
        return
    if target_ids:
        client.remove_targets(**rule_arguments, Ids=target_ids)
    if len(target_ids) == len(targets):
        none_if_absent(lambda: client.delete_rule(Name=rule, EventBusName=rule_arguments["EventBusName"]))
