"""Deletion of functions with everything that pyl created for them, recognised by tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pyl.deploy.aws import AWS, none_if_absent
from pyl.deploy.log_groups import LogGroupResource, LogGroupState, log_group_reference
from pyl.deploy.plan import Change, Reference, Resource
from pyl.deploy.roles import RoleResource, role_reference
from pyl.deploy.tags import Owner
from pyl.deploy.target import Target
from pyl.deploy.triggers import find_orphaned_apis, find_orphaned_triggers
from pyl.progress import Progress


def find_removals(aws: AWS, owner: Owner, targets: Sequence[Target], *, keep_logs: bool = False) -> list[Resource[Any]]:
    """Return all resources of these functions, in the order of a plan, which deletes them in reverse.

    The log group is deleted last: if the deletion is interrupted, its tag leads to what is left.

    Raises:
        AWSError: A request to AWS failed.
    """
    resources: list[Resource[Any]] = []
    triggers: list[Resource[Any]] = []
    for target in targets:
        function = DeployedFunction(target=target)
        if not keep_logs:
            resources.append(OwnedLogGroup(target=target))
        resources += [RoleResource(target=target, statements=(), is_desired=False), function]
        with aws.errors(f"read {function.reference}"):
            if function.read(aws) is not None:
                triggers += find_orphaned_triggers(aws, target, ())
    return [*resources, *find_orphaned_apis(aws, owner, triggers), *triggers]


@dataclass(frozen=True, kw_only=True)
class DeployedFunction(Resource[Mapping[str, Any]]):
    """A function with its versions, aliases and URL. It counts as existing only if pyl created it."""

    kind: ClassVar[str] = "function"

    target: Target

    @property
    def name(self) -> str:
        """Name in AWS."""
        return self.target.name

    @property
    def dependencies(self) -> tuple[Reference, ...]:
        """The role and the log group, which are deleted after the function."""
        return (role_reference(self.target), log_group_reference(self.target))

    def read(self, aws: AWS) -> Mapping[str, Any] | None:
        """Return the function's configuration if pyl created it."""
        answer = none_if_absent(lambda: aws.client("lambda").get_function(FunctionName=self.name))
        if answer is None or not self.target.owner.owns(answer.get("Tags") or {}):
            return None
        configuration: Mapping[str, Any] = answer["Configuration"]
        return configuration

    def changes(self, state: Mapping[str, Any] | None) -> Sequence[Change]:  # noqa: ARG002
        """Return nothing: the resource is only ever deleted."""
        return ()

    def apply(self, aws: AWS, state: Mapping[str, Any] | None, progress: Progress) -> None:
        """Do nothing: the resource is only ever deleted."""

    def remove(self, aws: AWS, state: Mapping[str, Any]) -> None:  # noqa: ARG002
        """Delete the function."""
        none_if_absent(lambda: aws.client("lambda").delete_function(FunctionName=self.name))


@dataclass(frozen=True, kw_only=True)
class OwnedLogGroup(LogGroupResource):
    """A log group that counts as existing only if pyl created it."""

    def read(self, aws: AWS) -> LogGroupState | None:
        """Return the log group's state if pyl created it."""
        state = super().read(aws)
        return state if state is not None and self.target.owner.owns(state.tags) else None
