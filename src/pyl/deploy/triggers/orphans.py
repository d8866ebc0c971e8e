"""Triggers that pyl made and nothing wants any more: taken out of the configuration, or of a function that goes.

The function's policies and the tags of its mappings are the only memory, see `pyl.deploy.triggers.permissions`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pyl.deploy.aws import AWS
from pyl.deploy.plan import Change, Reference, Resource
from pyl.deploy.tags import Owner
from pyl.deploy.target import Target
from pyl.deploy.triggers import http, mappings, permissions, rules, s3, ses, sns
from pyl.deploy.triggers.base import trigger_name
from pyl.deploy.triggers.mappings import MappingResource
from pyl.deploy.triggers.permissions import Permission
from pyl.deploy.triggers.push import PushTrigger
from pyl.progress import Progress

Disconnect = Callable[[AWS, Target, str, str, str], None]
"""Takes away what calls a function: with the statement's name, the source's ARN, and the ARN that is called."""

DISCONNECT: Mapping[str, Disconnect] = {
    "eventbridge": rules.disconnect,
    "httpapi": http.disconnect,
    "s3": s3.disconnect,
    "schedule": rules.disconnect,
    "ses": ses.disconnect,
    "sns": sns.disconnect,
}


@dataclass(frozen=True, kw_only=True)
class OrphanedTrigger(Resource[Permission]):
    """A trigger whose permission is there, and that nothing asks for."""

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
        """The permission, if it is still there."""
        present = permissions.permissions(aws, self.target.name, self.qualifier)
        return next((each for each in present if each.sid == self.permission.sid), None)

    def changes(self, state: Permission | None) -> Sequence[Change]:  # noqa: ARG002
        """None: it is only ever removed."""
        return ()

    def apply(self, aws: AWS, state: Permission | None, progress: Progress) -> None:
        """Nothing: it is only ever removed."""

    def remove(self, aws: AWS, state: Permission) -> None:
        """Unwire the source, then forbid it to call."""
        invoked = f"{self.target.arn}:{self.qualifier}" if self.qualifier else self.target.arn
        DISCONNECT[state.type](aws, self.target, state.sid, state.source_arn, invoked)
        state.revoke(aws, self.target.name, self.qualifier)


def find_orphaned_triggers(aws: AWS, target: Target, desired: Sequence[Resource[Any]]) -> list[Resource[Any]]:
    """The function's triggers that pyl made and that are not among `wanted` (none: all of them).

    Raises:
        AWSError: AWS could not be asked.
    """
    with aws.errors(f"read the triggers of {target.name}"):
        return [*_left_permissions(aws, target, desired), *_left_mappings(aws, target, desired)]


def find_orphaned_apis(
    aws: AWS, owner: Owner, left: Sequence[Resource[Any]], desired: Sequence[http.APIResource] = ()
) -> list[Resource[Any]]:
    """The project's APIs that are empty once `left` is gone; they go after it, so they stand before it in a plan.

    Raises:
        AWSError: AWS could not be asked.
    """
    kept = {each.name for each in desired}
    gone = {each.permission.source_arn for each in left if isinstance(each, OrphanedTrigger)}
    with aws.errors("list the HTTP APIs"):
        names = set(http.empty_apis(aws, owner, gone)) - kept
    return [http.APIResource(owner=owner, api=name) for name in sorted(names)]


def _left_permissions(aws: AWS, target: Target, desired: Sequence[Resource[Any]]) -> list[Resource[Any]]:
    kept = {(each.target.qualifier, each.sid) for each in desired if isinstance(each, PushTrigger)}
    return [
        OrphanedTrigger(target=target, qualifier=qualifier, permission=permission)
        for qualifier in permissions.qualifiers(aws, target.name)
        for permission in permissions.permissions(aws, target.name, qualifier)
        if (qualifier, permission.sid) not in kept
    ]


def _left_mappings(aws: AWS, target: Target, desired: Sequence[Resource[Any]]) -> list[Resource[Any]]:
    kept = {mappings.source_arn(aws, target, each.trigger) for each in desired if isinstance(each, MappingResource)}
    names = [
        f"{target.arn}:{qualifier}" if qualifier else target.arn
        for qualifier in permissions.qualifiers(aws, target.name)
    ]
    return list(mappings.find_own_mappings(aws, target, names, kept))
