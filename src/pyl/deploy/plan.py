"""Plans: the difference between the desired state and AWS, shown first and then applied in order.

A *resource* is one thing in AWS that pyl manages: a role, a function, an event source mapping. To add a kind, subclass
`Resource` and create instances in `pyl.deploy.desired_state`:

- `kind` and `name` identify the resource in plans (`function notify`) and are unique together. `dependencies` are the
  resources that must exist first.
- `read` returns the state in AWS as a value of a type of its own, or `None` if the resource does not exist. It only
  reads. Resources that AWS names itself (the UUID of a mapping, the ID of an API) are found by what identifies them
  to the user (queue and function; name and tags of the API). There is no state file.
- `changes` compares that state with the desired one, without calls to AWS. Without changes, `apply` is not called, so
  that a repeated deployment writes nothing. For a resource that does not exist, it lists the settings to be created.
- `apply` creates or updates the resource. It may be called again after it stopped at any point, or after an answer was
  lost: an "already exists" is not an error; the resource is read again and updated. IDs of dependencies are read
  here, as they may not have existed when `read` was called.
- `remove` deletes the resource. That it is already deleted is not an error.
- `outcome` returns what to report afterwards (an ARN, a URL).

IAM permissions that a kind requires of the function's role are `Statement`s of `pyl.deploy.policy`. The module of the
kind has a function that returns them; `pyl.deploy.desired_state` collects them for the role.

Resources that pyl creates have the tags of `pyl.deploy.tags`. Kinds that cannot be tagged are recognised by the tagged
resource that they belong to (an alias to its function).
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
"""Number of resources that are read in parallel."""


@dataclass(frozen=True)
class Reference:
    """Identifies a resource in a plan."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, kw_only=True)
class Change:
    """A setting that differs from the desired state. `None` is an absent setting."""

    field: str
    """Name in `[tool.pyl]` if there is one (`memory`, `environment.TABLE`)."""
    old: object = None
    new: object = None
    secret: bool = False
    """The values are masked unless the user asks for them."""


class Resource(ABC, Generic[State]):
    """The desired state of one thing in AWS. The module's docstring explains how to add a kind."""

    kind: ClassVar[str]

    @property
    @abstractmethod
    def name(self) -> str:
        """Name, unique within the kind."""

    @property
    def dependencies(self) -> tuple[Reference, ...]:
        """Resources that must exist first. Those outside of the plan are assumed to exist."""
        return ()

    @property
    def reference(self) -> Reference:
        """Kind and name."""
        return Reference(self.kind, self.name)

    @abstractmethod
    def read(self, aws: AWS) -> State | None:
        """Return the state in AWS, or `None` if the resource does not exist."""

    @abstractmethod
    def changes(self, state: State | None) -> Sequence[Change]:
        """Return the differences from the desired state."""

    @abstractmethod
    def apply(self, aws: AWS, state: State | None, progress: Progress) -> None:
        """Create or update the resource.

        Args:
            aws: The account and region.
            state: The state that `read` returned.
            progress: Told of steps that take long.
        """

    @abstractmethod
    def remove(self, aws: AWS, state: State) -> None:
        """Delete the resource."""

    def outcome(self, aws: AWS) -> Mapping[str, str]:  # noqa: ARG002 - for those that override it
        """Return what to show to the user afterwards, by key."""
        return {}


class Verb(StrEnum):
    """What a plan does with a resource."""

    CREATE = "create"
    UPDATE = "update"
    REMOVE = "remove"
    KEEP = "keep"


@dataclass(frozen=True, kw_only=True)
class Action:
    """One step of a plan."""

    verb: Verb
    resource: Resource[Any]
    state: Any
    """The state that `read` returned."""
    changes: tuple[Change, ...] = ()

    def __str__(self) -> str:
        return f"{self.verb} {self.resource.reference}"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All steps in order: creations, updates and unchanged resources, then deletions."""

    actions: tuple[Action, ...]

    @property
    def pending(self) -> tuple[Action, ...]:
        """Steps that change something."""
        return tuple(action for action in self.actions if action.verb is not Verb.KEEP)


class Stopped(AWSError):
    """Applying a plan failed at a step. `done` are the steps before it, `remaining` the others."""

    def __init__(self, message: str, *, hint: str | None, done: Sequence[Action], remaining: Sequence[Action]) -> None:
        super().__init__(message, hint=hint)
        self.done = tuple(done)
        self.remaining = tuple(remaining)


def make_plan(aws: AWS, desired: Sequence[Resource[Any]], to_delete: Sequence[Resource[Any]] = ()) -> Plan:
    """Read the state in AWS and compare it with the desired state.

    Args:
        aws: The account and region.
        desired: Resources to create or update.
        to_delete: Resources to delete if they exist.

    Raises:
        AWSError: A resource could not be read.
    """
    # A pool's threads outlive Ctrl-C only as long as the calls that they are in.
    with ThreadPoolExecutor(max_workers=_READERS) as pool:
        read_states = list(pool.map(lambda resource: _read(aws, resource), [*desired, *to_delete]))
    states = dict(zip([resource.reference for resource in (*desired, *to_delete)], read_states, strict=True))
    applied = [_plan_action(resource, states[resource.reference]) for resource in sort_by_dependency(desired)]
    removed = [
        Action(verb=Verb.REMOVE, resource=resource, state=states[resource.reference])
        for resource in reversed(sort_by_dependency(to_delete))
        if states[resource.reference] is not None
    ]
    return Plan(actions=(*applied, *removed))


def sort_by_dependency(resources: Iterable[Resource[Any]]) -> list[Resource[Any]]:
    """Sort resources so that each follows its dependencies, otherwise in the given order.

    Raises:
        ValueError: Two resources have the same reference.
    """
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
    """Apply the steps of a plan one after another, until the first failure.

    Raises:
        Stopped: A step failed. The next plan continues from there.
    """
    pending = plan.pending
    for index, action in enumerate(pending):
        try:
            with progress.step(_title(action)), aws.errors(str(action)):
                _run_action(aws, action, progress)
        except AWSError as error:
            msg = f"{error.message}\n{_describe_progress(pending, index)}"
            hint = error.hint or "run the command again to continue"
            raise Stopped(msg, hint=hint, done=pending[:index], remaining=pending[index:]) from error
        except BaseException:  # Ctrl-C: the user decides what to do next, and needs to know the progress
            progress.note(
                f"stopped at: {action}. {_describe_progress(pending, index)}; run the command again to continue"
            )
            raise


def _run_action(aws: AWS, action: Action, progress: Progress) -> None:
    if action.verb is Verb.REMOVE:
        action.resource.remove(aws, action.state)
    else:
        action.resource.apply(aws, action.state, progress)


def _read(aws: AWS, resource: Resource[Any]) -> Any:
    with aws.errors(f"read {resource.reference}"):
        return resource.read(aws)


def _plan_action(resource: Resource[Any], state: Any) -> Action:
    changes = tuple(resource.changes(state))
    verb = Verb.CREATE if state is None else Verb.UPDATE if changes else Verb.KEEP
    return Action(verb=verb, resource=resource, state=state, changes=changes)


def _title(action: Action) -> str:
    return f"{str(action)[:1].upper()}{str(action)[1:]}"


def _describe_progress(pending: Sequence[Action], index: int) -> str:
    done = ", ".join(str(action) for action in pending[:index]) or "nothing"
    not_started = ", ".join(str(action) for action in pending[index + 1 :]) or "nothing"
    return f"done: {done}; not started: {not_started}"
