"""Whether a function takes what its triggers send, and whether triggers get in each other's way."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from pyl.project.config.pyproject import TABLE, Document
from pyl.project.diagnostics import Code, Diagnostic
from pyl.project.model import Function
from pyl.project.triggers import HTTPAPITrigger, S3Trigger, ScheduleTrigger, Trigger

EVENTS: Mapping[str, tuple[str, ...]] = {
    "dynamodb": ("DynamoDBEvent",),
    "eventbridge": ("EventBridgeEvent",),
    "httpapi": ("HTTPAPIEvent", "APIGatewayEvent"),
    "kinesis": ("KinesisEvent",),
    "s3": ("S3Event",),
    "schedule": ("EventBridgeEvent",),
    "ses": ("SESEvent",),
    "sns": ("SNSEvent",),
    "sqs": ("SQSEvent",),
}
"""The classes of `pyl.events` that take what each type of trigger sends, the usual one first."""

_NO_OBJECTS = frozenset({"str", "bytes", "bytearray", "int", "float", "bool", "list", "tuple", "set", "frozenset"})
"""Builtin types of which a JSON object, such as every trigger sends, is none."""


def trigger_problems(document: Document, functions: Sequence[Function]) -> Iterator[Diagnostic]:
    """All that is wrong with the triggers of a project's functions."""
    found = [(function, trigger) for function in functions for trigger in function.configuration.triggers]
    for function, trigger in found:
        is_adopted = function.configuration.handler is not None  # its annotation is no promise to the runtime
        if not is_adopted and function.event is not None and not takes(function.event, trigger):
            yield _mismatch(document, function, trigger)
    for index, (function, trigger) in enumerate(found):
        for other_function, other in found[:index]:
            if _collide(function, trigger, other_function, other):
                yield _conflict(document, function, trigger, other_function)
                break


def payload_format(event: str | None) -> Literal["1.0", "2.0"]:
    """The version of an HTTP API's events that a function takes: 1.0 is what REST APIs send, too."""
    members = {_event_class(member) for member in _members(event or "")}
    return "1.0" if "APIGatewayEvent" in members and "HTTPAPIEvent" not in members else "2.0"


def takes(event: str, trigger: Trigger) -> bool:
    """Whether the annotation `event`, imported names in full, can hold what the trigger sends.

    Types of the user's own are taken at their word.
    """
    if isinstance(trigger, ScheduleTrigger) and trigger.input is not None:
        return True
    for member in _members(event):
        name = _event_class(member)
        if name in EVENTS[trigger.type] or (name is None and member not in {*_NO_OBJECTS, "None"}):
            return True
    return False


def _members(annotation: str) -> Iterator[str]:
    """The members of a union, each without what stands in brackets."""
    try:
        pending = [ast.parse(annotation, mode="eval").body]
    except (SyntaxError, RecursionError):
        return
    while pending:
        node = pending.pop()
        if isinstance(node, ast.BinOp):
            pending += [node.left, node.right]
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) in {"typing.Union", "typing.Optional"}:
            pending += node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith(".Annotated"):
            pending += node.slice.elts[:1] if isinstance(node.slice, ast.Tuple) else []
        else:
            yield ast.unparse(node.value if isinstance(node, ast.Subscript) else node)


def _event_class(member: str) -> str | None:
    """`SQSEvent` for `pyl.events.SQSEvent` or `pyl.events.sqs.SQSEvent`; none for types of others."""
    return member.rpartition(".")[2] if member.startswith("pyl.events.") else None


def _mismatch(document: Document, function: Function, trigger: Trigger) -> Diagnostic:
    taken = (function.event or "").replace("pyl.events.", "")
    wanted = EVENTS[trigger.type][0]
    message = f"`{function.name}` takes {taken}, and {trigger.source} sends {wanted}"
    meant = [kind for kind, events in EVENTS.items() if taken.rpartition(".")[2] in events]
    place = f"{function.file.relative_to(document.file.parent).as_posix()}:{function.line}"
    hint = f"annotate the event with pyl.events.{wanted}, at {place}"
    if meant:
        hint += f"; or, if the trigger is wrong: type = {' or '.join(repr(kind) for kind in meant)}".replace("'", '"')
    return document.diagnostic((*_path(function, trigger), "type"), Code.TRIGGER_EVENT, message, hint)


def _collide(function: Function, trigger: Trigger, other_function: Function, other: Trigger) -> bool:
    match trigger, other:
        case HTTPAPITrigger(), HTTPAPITrigger():
            return trigger.identity == other.identity
        case S3Trigger(), S3Trigger():
            return trigger.bucket == other.bucket and overlap(trigger, other)
        case _:
            return function.name == other_function.name and trigger.identity == other.identity


def overlap(one: S3Trigger, other: S3Trigger) -> bool:
    """Whether S3 refuses the two: they share an event, and keys that match both."""
    return (
        any(_same_event(event, other_event) for event in one.events for other_event in other.events)
        and (one.prefix.startswith(other.prefix) or other.prefix.startswith(one.prefix))
        and (one.suffix.endswith(other.suffix) or other.suffix.endswith(one.suffix))
    )


def _same_event(one: str, other: str) -> bool:
    return one == other or (
        one.rpartition(":")[0] == other.rpartition(":")[0] and "*" in (one.rpartition(":")[2], other.rpartition(":")[2])
    )


def _conflict(document: Document, function: Function, trigger: Trigger, other: Function) -> Diagnostic:
    message = f"{trigger.source} is a trigger of `{other.name}` already"
    hint = "remove one of the two"
    if isinstance(trigger, S3Trigger):
        message = f"{trigger.source} tells `{other.name}` of the same objects already, which S3 refuses"
        hint = "tell them apart by `prefix`, `suffix` or `events`; for two readers, put a topic between"
    return document.diagnostic(_path(function, trigger), Code.TRIGGER_CONFLICT, message, hint)


def _path(function: Function, trigger: Trigger) -> tuple[str | int, ...]:
    return (*TABLE, "functions", function.name, "triggers", trigger.index)
