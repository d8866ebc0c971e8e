"""What triggers in AWS have in common: whose function they invoke, how they are called in a plan."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from pyl.deploy.plan import Change, Reference, Resource
from pyl.deploy.target import Target

State = TypeVar("State")
Settings = Mapping[str, Any]
"""A trigger's settings, by the words of its table."""


@dataclass(frozen=True, kw_only=True)
class TriggerResource(Resource[State]):
    """One trigger of one function. The plan calls it by the function and the source."""

    kind: ClassVar[str] = "trigger"

    target: Target
    label: str
    """The source, and what tells it from other triggers of the function with the same source."""

    @property
    def name(self) -> str:
        """Function and source."""
        return trigger_name(self.target, self.label)

    @property
    def dependencies(self) -> tuple[Reference, ...]:
        """What it invokes."""
        return (self.target.invoked,)

    @property
    @abstractmethod
    def desired(self) -> Settings:
        """The settings as they are to be."""


def trigger_name(target: Target, label: str) -> str:
    """How plans name a trigger."""
    return f"{target.name}: {label}"


def differences(old: Settings, new: Settings) -> Sequence[Change]:
    """What of the wanted settings is not as wanted; absent and empty are the same."""
    return [
        Change(field=key, old=old.get(key), new=value)
        for key, value in new.items()
        if (old.get(key) or None) != (value or None)
    ]


def invokes(arn: str, target: Target) -> bool:
    """Whether an ARN is that of the function, of one of its versions or aliases."""
    return arn == target.arn or arn.startswith(f"{target.arn}:")
