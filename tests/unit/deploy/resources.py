"""Resources that live in a dictionary, for tests of plans."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pyl.deploy.aws import AWS
from pyl.deploy.plan import Change, Reference, Resource
from pyl.errors import AWSError
from pyl.progress import Progress


def aws() -> AWS:
    return AWS(session=None, region="eu-central-1", pause=lambda _: None)


@dataclass(frozen=True, kw_only=True)
class Thing(Resource[str]):
    """A thing with one value."""

    kind: ClassVar[str] = "thing"

    world: dict[str, str]
    called: str
    value: str
    after: tuple[str, ...] = ()
    secret: bool = False
    fails: Callable[[], None] | None = None
    journal: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.called

    @property
    def dependencies(self) -> tuple[Reference, ...]:
        return tuple(Reference("thing", name) for name in self.after)

    def read(self, aws: AWS) -> str | None:
        return self.world.get(self.called)

    def changes(self, state: str | None) -> Sequence[Change]:
        if state == self.value:
            return ()
        return (Change(field="value", old=state, new=self.value, secret=self.secret),)

    def apply(self, aws: AWS, state: str | None, progress: Progress) -> None:
        if self.fails:
            self.fails()
        self.journal.append(f"apply {self.called}")
        self.world[self.called] = self.value

    def remove(self, aws: AWS, state: str) -> None:
        self.journal.append(f"remove {self.called}")
        del self.world[self.called]

    def outcome(self, aws: AWS) -> dict[str, Any]:
        return {"value": self.world[self.called]}


def refuse() -> None:
    msg = "cannot go on"
    raise AWSError(msg)
