"""What differs between the wanted things and AWS's, shown before it is done, and done in order.

A *resource* is one thing in AWS that pyl makes: a role, a function, a queue's mapping. A new kind is added by
subclassing `Resource` and having `pyl.deploy.desired_state` make one for each place that asks for it:

- `kind`, `name`: say which thing it is, in the words of the plan (`function notify`). Two resources of a plan never
  share both. `needs` names the resources that must be there first.
- `read` asks AWS for what is there and gives a plain value of a type of its own, or `None`. It only reads.
  Things that AWS names itself (a mapping's UUID, an API's id) are found by what identifies them to the user (queue and
  function, the API's name and tags), never by something kept from an earlier run: there is no state file.
- `changes` compares that with what is wanted, and calls nothing. No change means that `apply` is not called, so that
  a deployment of what is already there writes nothing. For a thing that is not there it lists what it will have.
- `apply` makes or changes it. It may be called again after having stopped at any point, and after an answer was lost:
  a "there is one already" is read and continued with, not an error. What dependencies got by being made (ids) is
  asked from AWS here, as at `read` they may not have existed.
- `remove` takes it away; being gone already is not an error.
- `outcome` tells what to report afterwards (an ARN, a URL).

What a kind needs the function's role to allow is a `Statement` of `pyl.deploy.policy`, made by a function of the kind's
module from the same configuration; `pyl.deploy.desired_state` collects them for the role.

Things that pyl made carry the tags of `pyl.deploy.tags`; kinds that cannot be tagged are recognised by belonging to
one that is (a mapping to its function).
"""

from __future__ import annotations

import graphlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Generic, TypeVar

from pyl.deploy.aws import AWS
from pyl.errors import AWSError
from pyl.progress import Progress

State = TypeVar("State")

_READERS = 8
"""Resources that are read at the same time."""


@dataclass(frozen=True)
class Reference:
    """Which resource."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One setting that is not as wanted. `None` is a setting that is not there (before) or goes away (after)."""

    field: str
    """In the words of `[tool.pyl]` where it has one (`memory`, `environment.TABLE`)."""
    old: object = None
    new: object = None
    secret: bool = False
    """The values are masked when shown, unless asked for."""


class Resource(ABC, Generic[State]):
    """One thing in AWS, as it is wanted. See the module's text for how to make a new kind."""

    kind: ClassVar[str]

    @property
    @abstractmethod
    def name(self) -> str:
        """Unique within the kind."""

    @property
    def dependencies(self) -> tuple[Reference, ...]:
        """What must be there first; what is not part of the plan is taken to be there."""
        return ()

    @property
    def reference(self) -> Reference:
        """Kind and name."""
        return Reference(self.kind, self.name)

    @abstractmethod
    def read(self, aws: AWS) -> State | None:
        """What is there."""

    @abstractmethod
    def changes(self, state: State | None) -> Sequence[Change]:
        """What differs from what is wanted."""

    @abstractmethod
    def apply(self, aws: AWS, state: State | None, progress: Progress) -> None:
        """Make it as wanted, from what `read` gave. `progress.detail` tells of long parts."""

    @abstractmethod
    def remove(self, aws: AWS, state: State) -> None:
        """Take it away."""

    def outcome(self, aws: AWS) -> Mapping[str, str]:  # noqa: ARG002 - for those that override it
        """What the user wants to know of it afterwards, by a word for each."""
        return {}


class Verb(StrEnum):
    """What a plan does with a resource."""

    CREATE = "create"
    UPDATE = "update"
    REMOVE = "remove"
    KEEP = "keep"


@dataclass(frozen=True, kw_only=True)
class Action:
    """What is to be done with one resource."""

    verb: Verb
    resource: Resource[Any]
    state: Any
    """What `read` gave."""
    changes: tuple[Change, ...] = ()

    def __str__(self) -> str:
        return f"{self.verb} {self.resource.reference}"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that is wanted, in the order in which it is done; removals last."""

    actions: tuple[Action, ...]

    @property
    def pending(self) -> tuple[Action, ...]:
        """What there is to do."""
        return tuple(action for action in self.actions if action.verb is not Verb.KEEP)


class Stopped(AWSError):
    """A plan was left at a step; `done` and `left` say how far it came."""

    def __init__(self, message: str, *, hint: str | None, done: Sequence[Action], left: Sequence[Action]) -> None:
        super().__init__(message, hint=hint)
        self.done = tuple(done)
        self.left = tuple(left)


def make_plan(aws: AWS, desired: Sequence[Resource[Any]], to_delete: Sequence[Resource[Any]] = ()) -> Plan:
    """Read what is there and compare; `unwanted` are resources to take away where they exist.

    Raises:
        AWSError: something could not be read.
    """
    # A pool's threads outlive Ctrl-C only as long as the calls that they are in.
    with ThreadPoolExecutor(max_workers=_READERS) as pool:
        read = list(pool.map(lambda resource: _read(aws, resource), [*desired, *to_delete]))
    states = dict(zip([resource.reference for resource in (*desired, *to_delete)], read, strict=True))
    kept = [_action(resource, states[resource.reference]) for resource in sort_by_dependency(desired)]
    removed = [
        Action(verb=Verb.REMOVE, resource=resource, state=states[resource.reference])
        for resource in reversed(sort_by_dependency(to_delete))
        if states[resource.reference] is not None
    ]
    return Plan(actions=(*kept, *removed))


def sort_by_dependency(resources: Iterable[Resource[Any]]) -> list[Resource[Any]]:
    """What is needed before what needs it, otherwise as given."""
    by_reference: dict[Reference, Resource[Any]] = {}
    for resource in resources:
        if resource.reference in by_reference:
            msg = f"two resources are called {resource.reference}"
            raise ValueError(msg)
        by_reference[resource.reference] = resource
    sorter: graphlib.TopologicalSorter[Reference] = graphlib.TopologicalSorter()
    for reference, resource in by_reference.items():
        sorter.add(reference, *(dependency for dependency in resource.dependencies if dependency in by_reference))
    return [by_reference[reference] for reference in sorter.static_order()]


def apply_plan(aws: AWS, plan: Plan, progress: Progress) -> None:
    """Do what there is to do, one after the other; the first failure ends it.

    Raises:
        Stopped: a step failed. What was there before it runs on; the next plan begins where this one ended.
    """
    pending = plan.pending
    for index, action in enumerate(pending):
        try:
            with progress.step(_title(action)), aws.errors(str(action)):
                _do(aws, action, progress)
        except AWSError as error:
            msg = f"{error.message}\n{_describe_progress(pending, index)}"
            hint = error.hint or "run the command again: it continues from here"
            raise Stopped(msg, hint=hint, done=pending[:index], left=pending[index:]) from error
        except BaseException:  # Ctrl-C: what follows is the user's decision, so say what they decide about
            progress.note(
                f"stopped at: {action}. {_describe_progress(pending, index)}; run the command again to continue"
            )
            raise


def _do(aws: AWS, action: Action, progress: Progress) -> None:
    if action.verb is Verb.REMOVE:
        action.resource.remove(aws, action.state)
    else:
        action.resource.apply(aws, action.state, progress)


def _read(aws: AWS, resource: Resource[Any]) -> Any:
    with aws.errors(f"read {resource.reference}"):
        return resource.read(aws)


def _action(resource: Resource[Any], state: Any) -> Action:
    changes = tuple(resource.changes(state))
    verb = Verb.CREATE if state is None else Verb.UPDATE if changes else Verb.KEEP
    return Action(verb=verb, resource=resource, state=state, changes=changes)


def _title(action: Action) -> str:
    return f"{str(action)[:1].upper()}{str(action)[1:]}"


def _describe_progress(pending: Sequence[Action], index: int) -> str:
    done = ", ".join(str(action) for action in pending[:index]) or "nothing"
    left = ", ".join(str(action) for action in pending[index + 1 :]) or "nothing"
    return f"done before: {done}; not begun: {left}"
