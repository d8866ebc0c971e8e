"""Notifications of S3 buckets. A bucket has one list of notifications; entries of others are preserved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pyl.deploy.aws import AWS, none_if_absent
from pyl.deploy.target import Target
from pyl.deploy.triggers import sources
from pyl.deploy.triggers.base import Settings, invokes
from pyl.deploy.triggers.push import PushTrigger
from pyl.errors import AWSError
from pyl.project.config.triggers import S3Trigger
from pyl.project.trigger_rules import notifications_overlap

_LIST = "LambdaFunctionConfigurations"


@dataclass(frozen=True, kw_only=True)
class NotificationResource(PushTrigger):
    """A bucket's notification that calls the function."""

    type: ClassVar[str] = "s3"

    trigger: S3Trigger

    @property
    def identity(self) -> tuple[str, ...]:
        """Bucket, events and keys: S3 does not allow two notifications with the same ones."""
        return (self.trigger.bucket, *sorted(self.trigger.events), self.trigger.prefix, self.trigger.suffix)

    @property
    def desired(self) -> Settings:
        """Desired settings."""
        return {
            "invokes": self.target.invoked_arn,
            "events": sorted(self.trigger.events),
            "prefix": self.trigger.prefix,
            "suffix": self.trigger.suffix,
        }

    def source_arn(self, aws: AWS) -> str:  # noqa: ARG002
        """Return the ARN of the bucket."""
        return sources.source_arn(self.target, self.trigger)

    def read_source(self, aws: AWS) -> Settings | None:
        """Return the settings of the notification if the bucket has it."""
        entries = self._notifications(aws).get(_LIST, ())
        return next((_settings(entry) for entry in entries if self._is_own_entry(entry)), None)

    def connect(self, aws: AWS, present: Settings | None) -> None:  # noqa: ARG002
        """Add the notification to the bucket, or replace it."""
        rules = filter_rules(self.trigger)
        entry: dict[str, Any] = {
            "Id": notification_id(self.sid, self.target),
            "LambdaFunctionArn": self.target.invoked_arn,
            "Events": list(self.trigger.events),
        }
        if rules:
            entry["Filter"] = {"Key": {"FilterRules": rules}}
        notifications = self._notifications(aws)
        others = [each for each in notifications.get(_LIST, ()) if not self._is_replaced(aws, each)]
        _put(aws, self.trigger.bucket, {**notifications, _LIST: [*others, entry]})

    def disconnect(self, aws: AWS) -> None:
        """Remove the notification from the bucket."""
        disconnect(aws, self.target, self.sid, self.source_arn(aws), self.target.invoked_arn)

    def _is_own_entry(self, entry: Mapping[str, Any]) -> bool:
        """Whether the entry is this notification, or a manual one that S3 does not allow beside it."""
        if entry.get("Id") == notification_id(self.sid, self.target):
            return True
        settings = {key: value for key, value in _settings(entry).items() if key != "invokes"}
        same = settings == {key: value for key, value in self.desired.items() if key != "invokes"}
        return same and invokes(entry["LambdaFunctionArn"], self.target)

    def _is_replaced(self, aws: AWS, entry: Mapping[str, Any]) -> bool:
        """Whether the new entry replaces this one: its old form, or an overlapping older one of the project.

        Configured notifications do not overlap, so an older one that does would be deleted afterwards anyway.
        """
        if self._is_own_entry(entry):
            return True
        settings = _settings(entry)
        other = S3Trigger(
            bucket=self.trigger.bucket,
            events=tuple(settings["events"]),
            prefix=settings["prefix"],
            suffix=settings["suffix"],
        )
        if not entry.get("Id", "").startswith("pyl-s3-") or not notifications_overlap(self.trigger, other):
            return False
        if invokes(settings["invokes"], self.target):
            return True
        function = ":".join(settings["invokes"].split(":")[:7])
        tags = none_if_absent(lambda: aws.client("lambda").list_tags(Resource=function))
        return tags is None or self.target.owner.owns(tags.get("Tags") or {})

    def _notifications(self, aws: AWS) -> dict[str, Any]:
        notifications = _notifications(aws, self.trigger.bucket)
        if notifications is None:
            msg = f"the bucket {self.trigger.bucket}, a trigger of {self.target.function.name}, does not exist"
            hint = f"aws s3 mb s3://{self.trigger.bucket} --region {self.target.region}"
            raise AWSError(msg, hint=hint)
        return notifications


def filter_rules(trigger: S3Trigger) -> list[dict[str, str]]:
    """Return the key filter of a notification as rules of S3."""
    keys = {"prefix": trigger.prefix, "suffix": trigger.suffix}
    return [{"Name": name, "Value": value} for name, value in keys.items() if value]


def notification_id(sid: str, target: Target) -> str:
    """Return the ID in the bucket's list, which all functions share."""
    return f"{sid}-{target.name}"


def disconnect(aws: AWS, target: Target, sid: str, source_arn: str, invoked_arn: str) -> None:
    """Remove the notification that pyl created for `invoked_arn` from a bucket."""
    bucket = source_arn.rpartition(":")[2]
    notifications = _notifications(aws, bucket)
    if notifications is None:
        return
    present = notifications.get(_LIST, [])
    identifier = notification_id(sid, target)
    others = [each for each in present if (each.get("Id"), each["LambdaFunctionArn"]) != (identifier, invoked_arn)]
    if len(others) < len(present):
        _put(aws, bucket, {**notifications, _LIST: others})


def _notifications(aws: AWS, bucket: str) -> dict[str, Any] | None:
    answer = none_if_absent(
        lambda: aws.client("s3").get_bucket_notification_configuration(Bucket=bucket), "NoSuchBucket"
    )
    return None if answer is None else {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def _put(aws: AWS, bucket: str, notifications: Mapping[str, Any]) -> None:
    """Replace the whole list. S3 has no other operation."""
    aws.client("s3").put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=dict(notifications))


def _settings(entry: Mapping[str, Any]) -> dict[str, Any]:
    rules = ((entry.get("Filter") or {}).get("Key") or {}).get("FilterRules") or ()
    keys = {rule["Name"].lower(): rule["Value"] for rule in rules}
    return {
        "invokes": entry["LambdaFunctionArn"],
        "events": sorted(entry["Events"]),
        "prefix": keys.get("prefix", ""),
        "suffix": keys.get("suffix", ""),
    }
