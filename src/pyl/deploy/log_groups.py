"""Log groups of functions, created first so that roles need no permission to create them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from pyl.deploy.aws import AWS, error_code, none_if_absent, paginate
from pyl.deploy.plan import Change, Reference, Resource
from pyl.deploy.target import Target
from pyl.progress import Progress


@dataclass(frozen=True, kw_only=True)
class LogGroupState:
    """Retention and tags of a log group in AWS."""

    retention: int | None
    """Days; `None` if logs never expire."""
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class LogGroupResource(Resource[LogGroupState]):
    """`/aws/lambda/<function>`. If it exists already, only its retention is changed."""

    kind: ClassVar[str] = "log group"

    target: Target

    @property
    def name(self) -> str:
        """Lambda's default name."""
        return log_group_name(self.target)

    def read(self, aws: AWS) -> LogGroupState | None:
        """Return the log group's state."""
        client = aws.client("logs")
        groups = paginate(client, "describe_log_groups", "logGroups", logGroupNamePrefix=self.name)
        group = next((group for group in groups if group["logGroupName"] == self.name), None)
        if group is None:
            return None
        tags = client.list_tags_for_resource(resourceArn=log_group_arn(self.target)).get("tags") or {}
        return LogGroupState(retention=group.get("retentionInDays"), tags=tags)

    def changes(self, state: LogGroupState | None) -> Sequence[Change]:
        """Return the change of the retention."""
        old, new = state.retention if state else None, self.target.settings.log_retention
        return (Change(field="log_retention", old=old, new=new),) if new not in {None, old} else ()

    def apply(self, aws: AWS, state: LogGroupState | None, progress: Progress) -> None:  # noqa: ARG002
        """Create the log group and set its retention."""
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
        """Delete the log group with its logs."""
        none_if_absent(lambda: aws.client("logs").delete_log_group(logGroupName=self.name))


def log_group_name(target: Target) -> str:
    """Return the name of the log group that Lambda writes to by default."""
    return f"/aws/lambda/{target.name}"


def log_group_arn(target: Target) -> str:
    """Return the log group's ARN, without the `:*` for its streams."""
    return target.arn_of("logs", f"log-group:{log_group_name(target)}")


def log_group_reference(target: Target) -> Reference:
    """Return the log group's reference in a plan."""
    return Reference(LogGroupResource.kind, log_group_name(target))
