"""Read `[[tool.pyl.functions.<name>.triggers]]`, and report what AWS would refuse at its line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pyl.project.config.checks import Problem, find_problem
from pyl.project.config.conversion import build
from pyl.project.config.keys import Key
from pyl.project.config.pyproject import Document, find_nearest
from pyl.project.config.tables import TRIGGER_KEYS, TYPE_KEY
from pyl.project.config.toml_positions import KeyPath
from pyl.project.config.triggers import (
    TRIGGERS,
    DynamoDBTrigger,
    KinesisTrigger,
    ScheduleTrigger,
    SNSTrigger,
    SQSTrigger,
    Trigger,
)
from pyl.project.diagnostics import Code, Diagnostic

ValidateTable = Callable[[KeyPath, Mapping[str, Any], Sequence[Key]], dict[str, Any]]
"""Returns the valid values of a table and reports the others."""

_UNGATHERED_BATCH = 10
"""The largest batch that a queue delivers without a window, and the largest of a FIFO queue."""


def read_triggers(
    document: Document, path: KeyPath, tables: object, validate: ValidateTable
) -> tuple[tuple[Trigger, ...], list[Diagnostic]]:
    """Return the valid triggers, and what is wrong with the others besides what `validate` reports."""
    header = "[[" + ".".join(map(str, path)) + "]]"
    if not isinstance(tables, list):
        message = "`triggers` must be an array of tables"
        return (), [document.diagnostic(path, Code.VALUE_TYPE, message, f"write {header}")]
    triggers: list[Trigger] = []
    diagnostics: list[Diagnostic] = []
    for index, table in enumerate(tables):
        place = (*path, index)
        if isinstance(table, Mapping):
            trigger, problems = _read(table, place, validate)
        else:
            trigger, problems = None, [("", Problem(Code.VALUE_TYPE, "a trigger is a table", f"write {header}"))]
        triggers += [trigger] if trigger else []
        diagnostics += [
            document.diagnostic((*place, key), problem.code, problem.message, problem.hint) for key, problem in problems
        ]
    return tuple(triggers), diagnostics


def _read(
    table: Mapping[str, Any], place: KeyPath, validate: ValidateTable
) -> tuple[Trigger | None, list[tuple[str, Problem]]]:
    problem = _type_problem(table)
    if problem is not None:
        return None, [problem]
    kind = table["type"]
    values = validate(place, {name: value for name, value in table.items() if name != "type"}, TRIGGER_KEYS[kind])
    required = [key for key in TRIGGER_KEYS[kind] if key.required]
    missing = [
        ("", Problem(Code.MISSING_KEY, f"the {kind} trigger has no `{key.name}`", f"write {key.name} = {key.example}"))
        for key in required
        if key.name not in table
    ]
    if any(key.name not in values for key in required):
        return None, missing
    trigger = build(TRIGGERS[kind], values, Path(), index=place[-1])
    return trigger, list(_find_conflicts(trigger))


def _type_problem(table: Mapping[str, Any]) -> tuple[str, Problem] | None:
    if "type" not in table:
        hint = f"write type = {TYPE_KEY.example}, or another of {', '.join(TRIGGER_KEYS)}"
        return "", Problem(Code.MISSING_KEY, "the trigger has no `type`", hint)
    kind = table["type"]
    problem = find_problem(TYPE_KEY, kind)
    if problem is None:
        return None
    similar = find_nearest(kind, TYPE_KEY.choices) if isinstance(kind, str) else None
    return "type", replace(problem, hint=f'did you mean "{similar}"?') if similar else problem


def _find_conflicts(trigger: Trigger) -> Iterator[tuple[str, Problem]]:
    """Yield the keys whose values AWS refuses beside the others."""
    match trigger:
        case SQSTrigger():
            yield from _queue_problems(trigger)
        case DynamoDBTrigger() | KinesisTrigger() if 0 <= trigger.maximum_age < 60:
            message = f"`maximum_age` is {trigger.maximum_age}; Lambda accepts -1, and 60 to 604,800"
            yield "maximum_age", Problem(Code.VALUE_RANGE, message, "the nearest possible value is 60")
        case SNSTrigger(filter=None, filter_scope="MessageBody"):
            yield "filter_scope", Problem(Code.MISSING_KEY, "`filter_scope` without a `filter`", "add the filter")
        case ScheduleTrigger():
            yield from _rate_problems(trigger.expression)


def _queue_problems(trigger: SQSTrigger) -> Iterator[tuple[str, Problem]]:
    if trigger.queue.endswith(".fifo"):
        if trigger.batch_size > _UNGATHERED_BATCH:
            message = (
                f"`batch_size` is {trigger.batch_size}; Lambda accepts up to {_UNGATHERED_BATCH} from a FIFO queue"
            )
            yield (
                "batch_size",
                Problem(Code.VALUE_RANGE, message, f"the nearest possible value is {_UNGATHERED_BATCH}"),
            )
        if trigger.batch_window:
            message = "FIFO queues do not support `batch_window`"
            yield "batch_window", Problem(Code.VALUE_RANGE, message, "remove it")
    elif trigger.batch_size > _UNGATHERED_BATCH and not trigger.batch_window:
        message = (
            f"`batch_size` is {trigger.batch_size}; without a `batch_window`, Lambda accepts up to {_UNGATHERED_BATCH}"
        )
        yield "batch_size", Problem(Code.VALUE_RANGE, message, "add batch_window = 1 (seconds), or more")


def _rate_problems(expression: str) -> Iterator[tuple[str, Problem]]:
    rate = re.fullmatch(r"rate\(([0-9]+) ([a-z]+?)(s?)\)", expression)
    if rate and (rate[1] == "1") == bool(rate[3]):
        right = f"rate({rate[1]} {rate[2]}{'' if rate[1] == '1' else 's'})"
        message = f'EventBridge refuses "{expression}"'
        yield "expression", Problem(Code.VALUE_RANGE, message, f'write expression = "{right}"')
