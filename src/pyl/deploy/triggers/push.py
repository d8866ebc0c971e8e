"""Triggers whose source calls Lambda: a permission on the function, and the source's own setting that uses it."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pyl.deploy.aws import AWS, error_code, retry
from pyl.deploy.plan import Change
from pyl.deploy.triggers.base import Settings, TriggerResource, differences
from pyl.deploy.triggers.permissions import Permission, permissions
from pyl.progress import Progress

_PERMISSION_SECONDS = 30.0
"""How long a source may not see yet that it may call the function."""

_PROPAGATION_ERRORS = {
    "InvalidArgument": "Unable to validate the following destination configurations",
    "InvalidLambdaFunction": "",
    "InvalidLambdaFunctionException": "",
}
"""S3's and SES's words for it, by code."""


@dataclass(frozen=True, kw_only=True)
class PushState:
    """A trigger as it is."""

    permission: Permission | None
    source: Settings | None
    """What the source has of it."""


@dataclass(frozen=True, kw_only=True)
class PushTrigger(TriggerResource[PushState]):
    """One trigger that calls."""

    principal: ClassVar[str]
    type: ClassVar[str]

    @property
    @abstractmethod
    def identity(self) -> tuple[str, ...]:
        """What tells the trigger from the function's others of its type, ARNs in full."""

    @abstractmethod
    def source_arn(self, aws: AWS) -> str | None:
        """The source, as the permission names it; `None` while it is still to be made."""

    @abstractmethod
    def read_source(self, aws: AWS) -> Settings | None:
        """What the source has, by the words of the trigger's table.

        Raises:
            AWSError: there is no such source.
        """

    @abstractmethod
    def connect(self, aws: AWS, present: Settings | None) -> None:
        """Make the source call the function, as wanted. Nothing that others made there is lost."""

    @abstractmethod
    def disconnect(self, aws: AWS) -> None:
        """The reverse."""

    @property
    def sid(self) -> str:
        """Of the permission's statement."""
        return f"pyl-{self.type}-{self.digest}"

    @property
    def digest(self) -> str:
        """For names that must be the trigger's own."""
        return hashlib.sha256("\0".join(self.identity).encode()).hexdigest()[:12]

    def permission(self, source_arn: str) -> Permission:
        """The permission that the source needs."""
        return Permission(sid=self.sid, principal=self.principal, source_arn=source_arn)

    def read(self, aws: AWS) -> PushState | None:
        """The permission and the source's setting."""
        present = permissions(aws, self.target.name, self.target.qualifier)
        permission = next((each for each in present if each.sid == self.sid), None)
        source = self.read_source(aws)
        if permission is None and source is None:
            return None
        source_arn = self.source_arn(aws)
        if permission is not None and (source_arn is None or permission != self.permission(source_arn)):
            permission = None  # it is for another source, or another account
        return PushState(permission=permission, source=source)

    def changes(self, state: PushState | None) -> Sequence[Change]:
        """The source's settings, and whether it may call."""
        changed = list(differences((state.source if state else None) or {}, self.desired))
        if state is None or state.permission is None:
            changed.append(Change(field="permission", new=self.principal))
        return changed

    def apply(self, aws: AWS, state: PushState | None, progress: Progress) -> None:  # noqa: ARG002
        """The permission first: sources try whether they may call."""
        self.prepare(aws)
        source_arn = self.source_arn(aws)
        if source_arn is None:
            msg = f"the source of {self.reference} was not made"
            raise RuntimeError(msg)
        if state is None or state.permission is None:
            self.permission(source_arn).grant(aws, self.target.name, self.target.qualifier)
        present = state.source if state else None
        if differences(present or {}, self.desired):
            retry(aws, lambda: self.connect(aws, present), _is_permission_propagating, seconds=_PERMISSION_SECONDS)

    def prepare(self, aws: AWS) -> None:
        """Make what the permission names, if pyl makes it."""

    def remove(self, aws: AWS, state: PushState) -> None:
        """Unwire, then forbid."""
        if state.source is not None:
            self.disconnect(aws)
        if state.permission is not None:
            state.permission.revoke(aws, self.target.name, self.target.qualifier)


def _is_permission_propagating(error: Exception) -> bool:
    words = _PROPAGATION_ERRORS.get(error_code(error) or "")
    return words is not None and words in str(error)
