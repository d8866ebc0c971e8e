"""The log group of a function: there before the function, so that its role need not make one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from pyl.deploy.aws import AWS, error_code, iterate_pages, none_if_absent
from pyl.deploy.plan import Change, Reference, Resource
from pyl.deploy.target import Target
from pyl.progress import Progress


@dataclass(frozen=True, kw_only=True)
class LogGroupState:
    """A log group as it is."""

    retention: int | None
    """Days; `None`: for ever."""
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class LogGroupResource(Resource[LogGroupState]):
    """`/aws/lambda/<function>`; one that was there stays the account's, only its retention is set."""

    kind: ClassVar[str] = "log group"

    target: Target

    @property
    def name(self) -> str:
        """Lambda's own name for it."""
        return log_group_name(self.target)

    def read(self, aws: AWS) -> LogGroupState | None:
        """What is there."""
        client = aws.client("logs")
        groups = iterate_pages(client, "describe_log_groups", "logGroups", logGroupNamePrefix=self.name)
        group = next((group for group in groups if group["logGroupName"] == self.name), None)
        if group is None:
            return None
        tags = client.list_tags_for_resource(resourceArn=log_group_arn(self.target)).get("tags") or {}
        return LogGroupState(retention=group.get("retentionInDays"), tags=tags)

    def changes(self, state: LogGroupState | None) -> Sequence[Change]:
        """How long logs are kept."""
        old, new = state.retention if state else None, self.target.settings.log_retention
        return (Change(field="log_retention", old=old, new=new),) if new not in {None, old} else ()

    def apply(self, aws: AWS, state: LogGroupState | None, progress: Progress) -> None:  # noqa: ARG002
        """Make it, set the retention."""
        client = aws.client("logs")
        if state is None:
            tags = {**self.target.settings.tags, **self.target.owner.tags}
            try:
                client.create_log_group(logGroupName=self.name, tags=tags)
            except Exception as error:
                if error_code(error) != "ResourceAlreadyExistsException":
                    raise
        if self.changes(state):
            client.put_retention_policy(logGroupName=self.name, retentionInDays=self.target.settings.log_retention)

    def remove(self, aws: AWS, state: LogGroupState) -> None:  # noqa: ARG002
        """Delete it with its logs."""
        none_if_absent(lambda: aws.client("logs").delete_log_group(logGroupName=self.name))


def log_group_name(target: Target) -> str:
    """Where Lambda writes what the function logs."""
    return f"/aws/lambda/{target.name}"


def log_group_arn(target: Target) -> str:
    """Its ARN, without the `:*` that stands for its streams."""
    return target.arn_of("logs", f"log-group:{log_group_name(target)}")


def log_group_reference(target: Target) -> Reference:
    """The log group in a plan."""
    return Reference(LogGroupResource.kind, log_group_name(target))
