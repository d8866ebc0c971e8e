"""Triggers whose source calls Lambda: a permission on the function, and a setting of the source."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pyl.deploy.aws import AWS, error_code, retry
from pyl.deploy.plan import Change
from pyl.deploy.triggers.base import Settings, TriggerResource, differences
from pyl.deploy.triggers.permissions import PRINCIPALS, WITH_ACCOUNT, Permission, read_permissions
from pyl.progress import Progress

_PERMISSION_SECONDS = 30.0
"""How long a source may not see its new permission."""

_PROPAGATION_ERRORS = {
    "InvalidArgument": "Unable to validate the following destination configurations",
    "InvalidLambdaFunction": "",
    "InvalidLambdaFunctionException": "",
}
"""Errors of S3 and SES while they do not see the permission: text of the message by error code."""


@dataclass(frozen=True, kw_only=True)
class PushState:
    """A trigger in AWS."""

    permission: Permission | None
    source: Settings | None
    """The trigger's settings at the source."""


@dataclass(frozen=True, kw_only=True)
class PushTrigger(TriggerResource[PushState]):
    """A trigger whose source calls the function."""

    type: ClassVar[str]

    @property
    def principal(self) -> str:
        """The service that calls the function."""
        return PRINCIPALS[self.type]

    @property
    @abstractmethod
    def identity(self) -> tuple[str, ...]:
        """Distinguishes the trigger from others of the same type and function. ARNs are complete."""

    @abstractmethod
    def source_arn(self, aws: AWS) -> str | None:
        """Return the ARN of the source for the permission, or `None` until the source is created."""

    @abstractmethod
    def read_source(self, aws: AWS) -> Settings | None:
        """Return the trigger's settings at the source.

        Raises:
            AWSError: The source does not exist.
        """

    @abstractmethod
    def connect(self, aws: AWS, present: Settings | None) -> None:
        """Configure the source to call the function. Settings of others are preserved."""

    @abstractmethod
    def disconnect(self, aws: AWS) -> None:
        """Remove the trigger's settings from the source."""

    @property
    def sid(self) -> str:
        """ID of the permission's statement."""
        return f"pyl-{self.type}-{self.digest}"

    @property
    def digest(self) -> str:
        """Hash of the identity, for unique names."""
        return hashlib.sha256("\0".join(self.identity).encode()).hexdigest()[:12]

    def permission(self, source_arn: str) -> Permission:
        """Return the permission for the source."""
        account = self.target.account if self.type in WITH_ACCOUNT else None
        return Permission(sid=self.sid, principal=self.principal, source_arn=source_arn, source_account=account)

    def read(self, aws: AWS) -> PushState | None:
        """Return the permission and the settings at the source."""
        present = read_permissions(aws, self.target.name, self.target.qualifier)
        permission = next((each for each in present if each.sid == self.sid), None)
        source = self.read_source(aws)
        if permission is None and source is None:
            return None
        source_arn = self.source_arn(aws)
        if permission is not None and (source_arn is None or permission != self.permission(source_arn)):
            permission = None  # it is for another source, or another account
        return PushState(permission=permission, source=source)

    def changes(self, state: PushState | None) -> Sequence[Change]:
        """Return changes of the source's settings and of the permission."""
        changes = list(differences((state.source if state else None) or {}, self.desired))
        if state is None or state.permission is None:
            changes.append(Change(field="permission", new=self.principal))
        return changes

    def apply(self, aws: AWS, state: PushState | None, progress: Progress) -> None:  # noqa: ARG002
        """Grant the permission, then connect the source: sources check whether they may call."""
        self.prepare(aws)
        source_arn = self.source_arn(aws)
        if source_arn is None:
            msg = f"the source of {self.reference} was not created"
            raise RuntimeError(msg)
        if state is None or state.permission is None:
            self.permission(source_arn).grant(aws, self.target.name, self.target.qualifier)
        present = state.source if state else None
        if differences(present or {}, self.desired):
            retry(aws, lambda: self.connect(aws, present), _is_permission_propagating, seconds=_PERMISSION_SECONDS)

    def prepare(self, aws: AWS) -> None:
        """Create the source if pyl creates sources of this type."""

    def remove(self, aws: AWS, state: PushState) -> None:
        """Disconnect the source, then revoke the permission."""
        if state.source is not None:
            self.disconnect(aws)
        if state.permission is not None:
            state.permission.revoke(aws, self.target.name, self.target.qualifier)


def _is_permission_propagating(error: Exception) -> bool:
    message = _PROPAGATION_ERRORS.get(error_code(error) or "")
    return message is not None and message in str(error)
