"""Plans and their outcomes as text and as JSON. Secrets are masked unless requested."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pyl.deploy.aws import AWS, HIDDEN
from pyl.deploy.plan import Action, Change, Plan, Verb
from pyl.deploy.target import Target

_MARKS = {Verb.CREATE: "+", Verb.UPDATE: "~", Verb.REMOVE: "-"}


def plan_lines(plan: Plan, *, show_values: bool = False) -> Iterator[str]:
    """Yield a line per step, its changes below it, and a count of unchanged resources."""
    for action in plan.pending:
        yield f"{_MARKS[action.verb]} {action}"
        for change in action.changes:
            yield from (f"    {line}" for line in _change_lines(action, change, show_values=show_values))
    unchanged = Counter(action.resource.kind for action in plan.actions if action.verb is Verb.KEEP)
    if unchanged:
        yield f"= unchanged: {', '.join(f'{number} {_plural(kind, number)}' for kind, number in unchanged.items())}"


def plan_json(plan: Plan, *, show_values: bool = False) -> list[dict[str, Any]]:
    """Return all steps of a plan, including those that change nothing."""

    def value(change: Change, side: object) -> object:
        return HIDDEN if change.secret and side is not None and not show_values else side

    return [
        {
            "action": action.verb.value,
            "kind": action.resource.kind,
            "name": action.resource.name,
            "changes": [
                {"field": change.field, "old": value(change, change.old), "new": value(change, change.new)}
                for change in action.changes
            ],
        }
        for action in plan.actions
    ]


def collect_outcomes(aws: AWS, plan: Plan, targets: Sequence[Target]) -> list[dict[str, Any]]:
    """Return the outcome for each function: `name`, `arn`, `runtime`, `version`, `alias`, `url`.

    A resource belongs to the function that its name equals or begins with, or that it depends on.
    """
    outcomes: dict[str, dict[str, Any]] = {
        target.name: {"function": target.function.name, "name": target.name} for target in targets
    }
    for action in plan.actions:
        owner = _function_of(action, outcomes)
        if owner is not None and action.verb is not Verb.REMOVE:
            with aws.errors(f"read {action.resource.reference}"):
                outcomes[owner] |= action.resource.outcome(aws)
    return list(outcomes.values())


def outcome_lines(functions: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the outcomes as text."""
    for function in functions:
        yield f"{function['name']}  {function.get('arn', '')}"
        for key, value in function.items():
            if key not in {"function", "name", "arn"}:
                yield f"    {key}: {value}"


def _plural(kind: str, number: int) -> str:
    if number == 1:
        return kind
    return f"{kind}es" if kind.endswith("s") else f"{kind[:-1]}ies" if kind.endswith("cy") else f"{kind}s"


def _change_lines(action: Action, change: Change, *, show_values: bool) -> Iterator[str]:
    if isinstance(change.old, list) or isinstance(change.new, list):
        yield from _list_lines(change)
        return
    old, new = (_text(change, side, show_values=show_values) for side in (change.old, change.new))
    if action.verb is Verb.CREATE or (change.old is None and change.new is not None):
        yield f"{change.field}: {new}"
    else:
        yield f"{change.field}: {old} → {new}"


def _list_lines(change: Change) -> Iterator[str]:
    """Yield the added and removed items of a list."""
    old = change.old if isinstance(change.old, list) else []
    new = change.new if isinstance(change.new, list) else []
    yield f"{change.field}:"
    yield from (f"  - {item}" for item in old if item not in new)
    yield from (f"  + {item}" for item in new if item not in old)
    if sorted(map(str, old)) == sorted(map(str, new)):
        yield f"  in this order: {', '.join(map(str, new))}"


def _text(change: Change, value: object, *, show_values: bool) -> str:
    if value is None:
        return "none"
    if change.secret and not show_values:
        return HIDDEN
    return str(value)


def _function_of(action: Action, functions: Mapping[str, Any]) -> str | None:
    name = action.resource.name.partition(":")[0]
    if name in functions:
        return name
    needed = (
        dependency.name.partition(":")[0]
        for dependency in action.resource.dependencies
        if dependency.kind in {"function", "alias"}
    )
    return next((name for name in needed if name in functions), None)
