"""Orphaned triggers: pyl created them, but they are no longer configured.

They are recognised by the function's policy and by the tags of mappings, see `pyl.deploy.triggers.permissions`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pyl.deploy.aws import AWS, none_if_absent, paginate
from pyl.deploy.plan import Change, Reference, Resource
from pyl.deploy.tags import Owner
from pyl.deploy.target import Target
from pyl.deploy.triggers import http, mappings, permissions
from pyl.deploy.triggers.base import invokes, trigger_name
from pyl.deploy.triggers.kinds import KINDS
from pyl.deploy.triggers.mappings import MappingResource
from pyl.deploy.triggers.permissions import Permission
from pyl.deploy.triggers.push import PushTrigger
from pyl.progress import Progress


@dataclass(frozen=True, kw_only=True)
class OrphanedTrigger(Resource[Permission]):
    """A trigger that has a permission, but is no longer configured."""

    kind: ClassVar[str] = "trigger"

    target: Target
    qualifier: str | None
    permission: Permission

    @property
    def name(self) -> str:
        """Function and source."""
        qualifier = f":{self.qualifier}" if self.qualifier else ""
        source = self.permission.source_arn.split(":", 5)[-1]
        return trigger_name(self.target, f"{self.permission.type} {source} ({self.permission.sid[-6:]}{qualifier})")

    @property
    def dependencies(self) -> tuple[Reference, ...]:
        """The function."""
        return (self.target.reference,)

    def read(self, aws: AWS) -> Permission | None:
        """Return the permission if it still exists."""
        present = permissions.read_permissions(aws, self.target.name, self.qualifier)
        return next((each for each in present if each.sid == self.permission.sid), None)

    def changes(self, state: Permission | None) -> Sequence[Change]:  # noqa: ARG002
        """Return nothing: the resource is only ever deleted."""
        return ()

    def apply(self, aws: AWS, state: Permission | None, progress: Progress) -> None:
        """Do nothing: the resource is only ever deleted."""

    def remove(self, aws: AWS, state: Permission) -> None:
        """Disconnect the source, then remove its permission."""
        invoked = f"{self.target.arn}:{self.qualifier}" if self.qualifier else self.target.arn
        if disconnect := KINDS[state.type].disconnect:
            disconnect(aws, self.target, state.sid, state.source_arn, invoked)
        state.revoke(aws, self.target.name, self.qualifier)


@dataclass(frozen=True, kw_only=True)
class OrphanedMapping(Resource[str]):
    """A mapping that pyl created and that is no longer configured."""

    kind: ClassVar[str] = "trigger"

    target: Target
    uuid: str
    source: str

    @property
    def name(self) -> str:
        """Function and source."""
        return trigger_name(self.target, f"{self.source} ({self.uuid[:8]})")

    @property
    def dependencies(self) -> tuple[Reference, ...]:
        """The function."""
        return (self.target.reference,)

    def read(self, aws: AWS) -> str | None:
        """Return the UUID if the mapping exists."""
        answer = none_if_absent(lambda: aws.client("lambda").get_event_source_mapping(UUID=self.uuid))
        return self.uuid if answer and answer.get("State") != "Deleting" else None

    def changes(self, state: str | None) -> Sequence[Change]:  # noqa: ARG002
        """Return nothing: the resource is only ever deleted."""
        return ()

    def apply(self, aws: AWS, state: str | None, progress: Progress) -> None:
        """Do nothing: the resource is only ever deleted."""

    def remove(self, aws: AWS, state: str) -> None:
        """Delete the mapping."""
        mappings.delete_mapping(aws, state)


def find_orphaned_triggers(aws: AWS, target: Target, desired: Sequence[Resource[Any]]) -> list[Resource[Any]]:
    """Return the function's triggers that pyl created and that are not among `desired`.

    Raises:
        AWSError: A request to AWS failed.
    """
    with aws.errors(f"read the triggers of {target.name}"):
        return [*_orphaned_permissions(aws, target, desired), *_orphaned_mappings(aws, target, desired)]


def find_orphaned_apis(
    aws: AWS, owner: Owner, orphaned_triggers: Sequence[Resource[Any]], desired: Sequence[http.APIResource] = ()
) -> list[Resource[Any]]:
    """Return the project's HTTP APIs that have no routes once orphaned triggers are deleted.

    In a plan they precede the triggers, as deletions are done in reverse.

    Args:
        aws: The account and region.
        owner: Owner of the APIs.
        orphaned_triggers: Triggers to delete.
        desired: APIs to keep.

    Raises:
        AWSError: A request to AWS failed.
    """
    desired_names = {each.name for each in desired}
    deleted_arns = {each.permission.source_arn for each in orphaned_triggers if isinstance(each, OrphanedTrigger)}
    with aws.errors("list the HTTP APIs"):
        names = set(http.find_empty_apis(aws, owner, deleted_arns)) - desired_names
    return [http.APIResource(owner=owner, api=name) for name in sorted(names)]


def find_own_mappings(
    aws: AWS, target: Target, qualified_arns: Sequence[str], configured_sources: set[str]
) -> Iterator[OrphanedMapping]:
    """Yield the mappings to the function that pyl created.

    Args:
        aws: The account and region.
        target: The function.
        qualified_arns: ARNs of the function and its aliases.
        configured_sources: ARNs of sources whose mappings are skipped.
    """
    client = aws.client("lambda")
    for arn in qualified_arns:
        listed = none_if_absent(
            lambda arn=arn: list(
                paginate(client, "list_event_source_mappings", "EventSourceMappings", FunctionName=arn)
            )  # type: ignore[misc]
        )
        for mapping in listed or ():
            source = mapping.get("EventSourceArn", "")
            if (
                source in configured_sources
                or mapping.get("State") == "Deleting"
                or not invokes(mapping["FunctionArn"], target)
            ):
                continue
            if target.owner.owns(mappings.mapping_state(aws, mapping).tags):
                yield OrphanedMapping(target=target, uuid=mapping["UUID"], source=source)


def _orphaned_permissions(aws: AWS, target: Target, desired: Sequence[Resource[Any]]) -> list[Resource[Any]]:
    desired_sids = {(each.target.qualifier, each.sid) for each in desired if isinstance(each, PushTrigger)}
    return [
        OrphanedTrigger(target=target, qualifier=qualifier, permission=permission)
        for qualifier in permissions.read_qualifiers(aws, target.name)
        for permission in permissions.read_permissions(aws, target.name, qualifier)
        if (qualifier, permission.sid) not in desired_sids
    ]


def _orphaned_mappings(aws: AWS, target: Target, desired: Sequence[Resource[Any]]) -> list[Resource[Any]]:
    configured_sources = {
        mappings.find_source_arn(aws, target, each.trigger) for each in desired if isinstance(each, MappingResource)
    }
    names = [
        f"{target.arn}:{qualifier}" if qualifier else target.arn
        for qualifier in permissions.read_qualifiers(aws, target.name)
    ]
    return list(find_own_mappings(aws, target, names, configured_sources))
