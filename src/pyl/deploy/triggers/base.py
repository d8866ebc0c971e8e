"""Base class of trigger resources."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from pyl.deploy.plan import Change, Reference, Resource
from pyl.deploy.target import Target

State = TypeVar("State")
Settings = Mapping[str, Any]
"""Settings of a trigger, by their names in its table."""


@dataclass(frozen=True, kw_only=True)
class TriggerResource(Resource[State]):
    """A trigger of a function. Its name consists of the function and the source."""

    kind: ClassVar[str] = "trigger"

    target: Target
    label: str
    """The source, with details if other triggers of the function have the same source."""

    @property
    def name(self) -> str:
        """Function and source."""
        return trigger_name(self.target, self.label)

    @property
    def dependencies(self) -> tuple[Reference, ...]:
        """The function or alias that the trigger invokes."""
        return (self.target.invoked,)

    @property
    @abstractmethod
    def desired(self) -> Settings:
        """Desired settings."""


def trigger_name(target: Target, label: str) -> str:
    """Return the name of a trigger in plans."""
    return f"{target.name}: {label}"


def differences(old: Settings, new: Settings) -> Sequence[Change]:
    """Return changes for settings that differ. Absent and empty values are equal."""
    return [
        Change(field=key, old=old.get(key), new=value)
        for key, value in new.items()
        if (old.get(key) or None) != (value or None)
    ]


def invokes(arn: str, target: Target) -> bool:
    """Whether an ARN is that of the function, or of one of its versions or aliases."""
    return arn == target.arn or arn.startswith(f"{target.arn}:")
