"""`[[tool.pyl.functions.<name>.triggers]]` into triggers: what AWS would refuse is told at its line."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pyl.project.config.keys import Key, Kind, Problem
from pyl.project.config.patterns import canonical
from pyl.project.config.pyproject import Document
from pyl.project.config.toml_positions import KeyPath
from pyl.project.config.trigger_keys import TRIGGER_KEYS, TYPE_KEY
from pyl.project.diagnostics import Code, Diagnostic
from pyl.project.triggers import (
    TRIGGERS,
    DynamoDBTrigger,
    KinesisTrigger,
    ScheduleTrigger,
    SNSTrigger,
    SQSTrigger,
    Trigger,
)

CheckTable = Callable[[KeyPath, Mapping[str, Any], Sequence[Key]], dict[str, Any]]
"""The values of a table that are right; what is wrong is reported."""

_PLAIN_BATCH = 10
"""Messages that a queue gives without waiting for more, and at most from a FIFO queue."""


def read_triggers(
    document: Document, path: KeyPath, tables: object, check: CheckTable
) -> tuple[tuple[Trigger, ...], list[Diagnostic]]:
    """The triggers that are right, and what is wrong with the others besides what `check` reports."""
    header = "[[" + ".".join(map(str, path)) + "]]"
    if not isinstance(tables, list):
        message = "`triggers` must be an array of tables"
        return (), [document.diagnostic(path, Code.VALUE_TYPE, message, f"write {header}")]
    triggers: list[Trigger] = []
    diagnostics: list[Diagnostic] = []
    for index, table in enumerate(tables):
        place = (*path, index)
        if isinstance(table, Mapping):
            trigger, problems = _read(table, index, functools.partial(check, place))
        else:
            trigger, problems = None, [("", Problem(Code.VALUE_TYPE, "a trigger is a table", f"write {header}"))]
        triggers += [trigger] if trigger else []
        diagnostics += [
            document.diagnostic((*place, key), problem.code, problem.message, problem.hint) for key, problem in problems
        ]
    return tuple(triggers), diagnostics


def _read(
    table: Mapping[str, Any], index: int, check: Callable[[Mapping[str, Any], Sequence[Key]], dict[str, Any]]
) -> tuple[Trigger | None, list[tuple[str, Problem]]]:
    kind = check({"type": table["type"]}, (TYPE_KEY,)).get("type") if "type" in table else None
    if kind is None:
        hint = f"write type = {TYPE_KEY.example}, or another of {', '.join(TRIGGER_KEYS)}"
        return None, [] if "type" in table else [("", Problem(Code.MISSING_KEY, "the trigger has no `type`", hint))]
    keys = TRIGGER_KEYS[kind]
    values = check({name: value for name, value in table.items() if name != "type"}, keys)
    missing = [key for key in keys if key.required and key.name not in table]
    problems = [
        ("", Problem(Code.MISSING_KEY, f"the {kind} trigger has no `{key.name}`", _example(key))) for key in missing
    ]
    if problems or any(key.required and key.name not in values for key in keys):
        return None, problems
    by_name = {key.name: key.kind for key in keys}
    given = {name: _frozen(value, by_name[name]) for name, value in values.items()}
    trigger = TRIGGERS[kind](index=index, **given)
    return trigger, list(_combinations(trigger))


def _example(key: Key) -> str:
    return f"write {key.name} = {key.example}"


def _frozen(value: Any, kind: Kind) -> Any:
    match kind:
        case Kind.STRINGS:
            return tuple(value)
        case Kind.PATTERNS:
            return tuple(canonical(item) for item in value)
        case Kind.JSON | Kind.PATTERN:
            return canonical(value)
        case _:
            return value


def _combinations(trigger: Trigger) -> Iterator[tuple[str, Problem]]:
    """Values that AWS refuses beside others."""
    match trigger:
        case SQSTrigger():
            yield from _queue_problems(trigger)
        case DynamoDBTrigger() | KinesisTrigger() if 0 <= trigger.maximum_age < 60:
            message = f"`maximum_age` is {trigger.maximum_age}; Lambda takes -1, and 60 to 604,800"
            yield "maximum_age", Problem(Code.VALUE_RANGE, message, "the nearest possible value is 60")
        case SNSTrigger(filter=None, filter_scope="MessageBody"):
            yield "filter_scope", Problem(Code.MISSING_KEY, "`filter_scope` without a `filter`", "add the filter")
        case ScheduleTrigger():
            yield from _rate_problems(trigger.expression)


def _queue_problems(trigger: SQSTrigger) -> Iterator[tuple[str, Problem]]:
    if trigger.queue.endswith(".fifo"):
        if trigger.batch_size > _PLAIN_BATCH:
            message = f"`batch_size` is {trigger.batch_size}; Lambda takes up to {_PLAIN_BATCH} from a FIFO queue"
            yield "batch_size", Problem(Code.VALUE_RANGE, message, f"the nearest possible value is {_PLAIN_BATCH}")
        if trigger.batch_window:
            message = "Lambda waits for no `batch_window` at a FIFO queue"
            yield "batch_window", Problem(Code.VALUE_RANGE, message, "remove it")
    elif trigger.batch_size > _PLAIN_BATCH and not trigger.batch_window:
        message = f"`batch_size` is {trigger.batch_size}; without a `batch_window`, Lambda takes up to {_PLAIN_BATCH}"
        yield "batch_size", Problem(Code.VALUE_RANGE, message, "add batch_window = 1 (seconds), or more")


def _rate_problems(expression: str) -> Iterator[tuple[str, Problem]]:
    rate = re.fullmatch(r"rate\(([0-9]+) ([a-z]+?)(s?)\)", expression)
    if rate and (rate[1] == "1") == bool(rate[3]):
        right = f"rate({rate[1]} {rate[2]}{'' if rate[1] == '1' else 's'})"
        message = f'EventBridge refuses "{expression}"'
        yield "expression", Problem(Code.VALUE_RANGE, message, f'write expression = "{right}"')
