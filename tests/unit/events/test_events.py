"""`pyl.events` as a whole: its table, its laziness, and what holds for every typed event."""

from __future__ import annotations

import functools
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

import pyl.events
from pyl.events import EVENTS, samples


def event_type(source: str) -> Any:
    module, _, name = EVENTS[source].partition(":")
    return getattr(importlib.import_module(module), name)


@functools.cache
def modules_after(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_importing_one_event_imports_no_other_source() -> None:
    loaded = {name for name in modules_after("from pyl.events import SQSEvent") if name.startswith("pyl.events.")}
    assert loaded == {"pyl.events.payload", "pyl.events.sqs"}


def test_importing_the_package_imports_no_source_and_no_msgspec() -> None:
    assert not {name for name in modules_after("import pyl.events") if name.startswith(("pyl.events.", "msgspec"))}


@pytest.mark.parametrize("source", EVENTS)
def test_a_source_adds_only_what_msgspec_has_not_imported_already(source: str) -> None:
    module = EVENTS[source].partition(":")[0]
    added = modules_after(f"import {module}") - modules_after("import pyl, msgspec")
    assert {name for name in added if not name.startswith("pyl.")} <= {"binascii"}


def test_every_exported_name_leads_to_its_own_class() -> None:
    for name in set(pyl.events.__all__) - {"EVENTS"}:
        assert getattr(pyl.events, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'SQLEvent'"):
        _ = pyl.events.SQLEvent  # type: ignore[attr-defined]


def test_the_names_can_be_listed() -> None:
    assert set(pyl.events.__all__) <= set(dir(pyl.events))


@pytest.mark.parametrize("source", EVENTS)
def test_text_and_decoded_json_give_the_same_event(source: str) -> None:
    raw = samples.load(source)
    kind = event_type(source)
    assert msgspec.json.decode(raw, type=kind) == msgspec.convert(json.loads(raw), kind)


@pytest.mark.parametrize("source", EVENTS)
def test_an_event_encodes_to_json_that_gives_the_same_event_again(source: str) -> None:
    kind = event_type(source)
    event = msgspec.json.decode(samples.load(source), type=kind)
    assert msgspec.json.decode(msgspec.json.encode(event), type=kind) == event


@pytest.mark.parametrize("source", EVENTS)
def test_fields_that_aws_adds_later_are_ignored(source: str) -> None:
    kind = event_type(source)
    raw = json.loads(samples.load(source))
    known = msgspec.convert(raw, kind)
    for node in objects_with_fields(known, raw):
        node["fromTheFuture"] = {"a": [1]}
    assert msgspec.convert(raw, kind) == known


def objects_with_fields(typed: Any, raw: Any) -> Iterator[dict[str, Any]]:
    """The JSON objects that became structs; in the others, names are the user's."""
    if isinstance(typed, msgspec.Struct):
        yield raw
        names = zip(typed.__struct_encode_fields__, typed.__struct_fields__, strict=True)
        for key, name in list(names):
            if key in raw and key != "fromTheFuture":
                yield from objects_with_fields(getattr(typed, name), raw[key])
    elif isinstance(typed, list):
        for left, right in zip(typed, raw, strict=True):
            yield from objects_with_fields(left, right)


REQUIRED = {
    "alb": ("requestContext", "elb", "targetGroupArn"),
    "apigateway": ("requestContext", "identity", "sourceIp"),
    "dynamodb": ("Records", 0, "dynamodb", "Keys"),
    "eventbridge": ("detail",),
    "functionurl": ("requestContext", "http", "method"),
    "httpapi": ("requestContext", "http", "method"),
    "kinesis": ("Records", 0, "kinesis", "data"),
    "s3": ("Records", 1, "s3", "object", "key"),
    "ses": ("Records", 0, "ses", "mail", "commonHeaders"),
    "sns": ("Records", 0, "Sns", "Message"),
    "sqs": ("Records", 1, "body"),
}


@pytest.mark.parametrize("source", EVENTS)
def test_a_missing_required_field_is_named_with_its_place(source: str) -> None:
    raw = json.loads(samples.load(source))
    *above, last = REQUIRED[source]
    node: Any = raw
    place = "$"
    for step in above:
        node = node[step]
        place += f"[{step}]" if isinstance(step, int) else f".{step}"
    del node[last]
    expected = f"Object missing required field `{last}`" + (f" - at `{place}`" if above else "")
    with pytest.raises(msgspec.ValidationError) as of_objects:
        msgspec.convert(raw, event_type(source))
    with pytest.raises(msgspec.ValidationError) as of_text:
        msgspec.json.decode(json.dumps(raw), type=event_type(source))
    assert str(of_objects.value) == str(of_text.value) == expected


@pytest.mark.parametrize("source", ["sqs", "s3", "dynamodb", "ses", "sns", "kinesis"])
def test_an_object_without_records_is_refused(source: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="missing required field `Records`"):
        msgspec.convert({}, event_type(source))


def test_an_event_cannot_be_changed() -> None:
    event = msgspec.json.decode(samples.load("sqs"), type=pyl.events.SQSEvent)
    with pytest.raises(AttributeError, match="immutable"):
        event.records = []  # type: ignore[misc]


def test_a_test_can_make_a_record_from_keywords() -> None:
    message = pyl.events.SNSMessage(
        type="Notification",
        message_id="1",
        topic_arn="arn:aws:sns:us-east-1:123456789012:t",
        message='{"a": 1}',
        timestamp=datetime(2024, 10, 29, 11, 2, 13, tzinfo=UTC),
        signature_version="1",
        signature="",
    )
    assert message.json() == {"a": 1}
    assert message.message_attributes == {}
