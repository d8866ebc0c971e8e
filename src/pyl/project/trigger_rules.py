"""Check that functions accept the events of their triggers, and that triggers do not conflict."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from pyl.project.config.pyproject import TABLE, Document
from pyl.project.config.triggers import HTTPAPITrigger, S3Trigger, ScheduleTrigger, Trigger
from pyl.project.diagnostics import Code, Diagnostic
from pyl.project.model import Function

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
"""The classes of `pyl.events` for the events of each type of trigger, the usual one first."""

_NO_OBJECTS = frozenset({"str", "bytes", "bytearray", "int", "float", "bool", "list", "tuple", "set", "frozenset"})
"""Builtin types that cannot hold a JSON object, which every trigger sends."""


def find_trigger_problems(document: Document, functions: Sequence[Function]) -> Iterator[Diagnostic]:
    """Yield everything that is wrong with the triggers of a project's functions."""
    wired = [(function, trigger) for function in functions for trigger in function.configuration.triggers]
    for function, trigger in wired:
        is_adopted = function.configuration.handler is not None  # the runtime ignores its annotation
        if not is_adopted and function.event is not None and not accepts_trigger(function.event, trigger):
            yield _mismatch(document, function, trigger)
    for index, (function, trigger) in enumerate(wired):
        for other_function, other in wired[:index]:
            if _collide(function, trigger, other_function, other):
                yield _conflict(document, function, trigger, other_function)
                break


def find_payload_format(event: str | None) -> Literal["1.0", "2.0"]:
    """Return the version of an HTTP API's events that a function accepts: 1.0 is also that of REST APIs."""
    members = {_event_class(member) for member in _members(event or "")}
    return "1.0" if "APIGatewayEvent" in members and "HTTPAPIEvent" not in members else "2.0"


def accepts_trigger(event: str, trigger: Trigger) -> bool:
    """Return whether an annotation accepts the event of a trigger. The user's own types are trusted.

    Args:
        event: The annotation with full names of what is imported.
        trigger: The trigger.
    """
    if isinstance(trigger, ScheduleTrigger) and trigger.input is not None:
        return True
    for member in _members(event):
        name = _event_class(member)
        if name in EVENTS[trigger.type] or (name is None and member not in {*_NO_OBJECTS, "None"}):
            return True
    return False


def _members(annotation: str) -> Iterator[str]:
    """Yield the members of a union, each without its brackets."""
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
    """Return `SQSEvent` for `pyl.events.SQSEvent` or `pyl.events.sqs.SQSEvent`, and `None` for types of others."""
    return member.rpartition(".")[2] if member.startswith("pyl.events.") else None


def _mismatch(document: Document, function: Function, trigger: Trigger) -> Diagnostic:
    accepted = (function.event or "").replace("pyl.events.", "")
    sent = EVENTS[trigger.type][0]
    message = f"`{function.name}` takes {accepted}, and {trigger.source} sends {sent}"
    fitting_types = [kind for kind, events in EVENTS.items() if accepted.rpartition(".")[2] in events]
    place = f"{function.file.relative_to(document.file.parent).as_posix()}:{function.line}"
    hint = f"annotate the event with pyl.events.{sent}, at {place}"
    if fitting_types:
        hint += f"; or, if the trigger is wrong: type = {' or '.join(repr(kind) for kind in fitting_types)}".replace(
            "'", '"'
        )
    return document.diagnostic((*_path(function, trigger), "type"), Code.TRIGGER_EVENT, message, hint)


def _collide(function: Function, trigger: Trigger, other_function: Function, other: Trigger) -> bool:
    match trigger, other:
        case HTTPAPITrigger(), HTTPAPITrigger():
            return trigger.identity == other.identity
        case S3Trigger(), S3Trigger():
            return trigger.bucket == other.bucket and notifications_overlap(trigger, other)
        case _:
            return function.name == other_function.name and trigger.identity == other.identity


def notifications_overlap(one: S3Trigger, other: S3Trigger) -> bool:
    """Return whether S3 refuses two triggers of a bucket: they share an event and some keys would match both."""
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
    message = f"{trigger.source} is already a trigger of `{other.name}`"
    hint = "remove one of the two"
    if isinstance(trigger, S3Trigger):
        message = f"{trigger.source} already notifies `{other.name}` of the same objects, which S3 refuses"
        hint = "separate them by `prefix`, `suffix` or `events`; for two readers, notify a topic and subscribe both"
    return document.diagnostic(_path(function, trigger), Code.TRIGGER_CONFLICT, message, hint)


def _path(function: Function, trigger: Trigger) -> tuple[str | int, ...]:
    return (*TABLE, "functions", function.name, "triggers", trigger.index)
