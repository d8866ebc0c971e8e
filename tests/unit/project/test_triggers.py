"""Triggers are read strictly, and must send what their function takes."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from pyl.project import examine
from pyl.project.config.keys import Key
from pyl.project.config.tables import TRIGGER_KEYS, TYPE_KEY
from pyl.project.config.triggers import (
    TRIGGERS,
    DynamoDBTrigger,
    EventBridgeTrigger,
    HTTPAPITrigger,
    S3Trigger,
    ScheduleTrigger,
    SNSTrigger,
    SQSTrigger,
    Trigger,
)
from pyl.project.diagnostics import Code, Diagnostic
from pyl.project.model import Function
from pyl.project.trigger_rules import EVENTS, accepts_trigger, find_payload_format, notifications_overlap

DOCUMENTATION = Path(__file__).parents[3] / "docs" / "triggers.md"
IMPORTS = """\
import pyl
from typing import Annotated, Any, Optional, TypedDict
from pyl import Context, batch, function
from pyl.events import APIGatewayEvent, FunctionURLEvent, HTTPAPIEvent, DynamoDBEvent, EventBridgeEvent, KinesisEvent
from pyl.events import S3Event, SESEvent, SNSEvent, SQSEvent
from pyl.events.sqs import SQSEvent as Q

class Own(TypedDict):
    x: int
"""
SMALLEST = {
    "dynamodb": 'table = "Orders"',
    "eventbridge": 'pattern = { source = ["shop"] }',
    "httpapi": 'route = "GET /orders/{id}"',
    "kinesis": 'stream = "clicks"',
    "s3": 'bucket = "example-scans"',
    "schedule": 'expression = "rate(5 minutes)"',
    "ses": 'rule_set = "inbound"',
    "sns": 'topic = "orders"',
    "sqs": 'queue = "orders"',
}


def project(folder: Path, triggers: str, event: str = "dict", body: str = "return None") -> Path:
    """One function `a` whose event is annotated so; every trigger is TOML below its header."""
    (folder / "app.py").write_text(f"{IMPORTS}\n@function\ndef a(context: Context, event: {event}):\n    {body}\n")
    (folder / "pyproject.toml").write_text("[tool.pyl]\nregion = 'us-east-1'\n" + dedent(triggers))
    return folder


def table(kind: str, *lines: str, function: str = "a") -> str:
    return "\n".join([f"[[tool.pyl.functions.{function}.triggers]]", f"type = '{kind}'", SMALLEST[kind], *lines, ""])


def function(folder: Path, triggers: str, event: str = "dict", body: str = "return None") -> Function:
    examination = examine(project(folder, triggers, event, body), environ={})
    assert examination.project is not None, [problem.message for problem in examination.diagnostics]
    return examination.project.functions[0]


def trigger(folder: Path, text: str) -> Trigger:
    (found,) = function(folder, text).configuration.triggers
    return found


def problem(folder: Path, triggers: str, event: str = "dict") -> Diagnostic:
    (found,) = examine(project(folder, triggers, event), environ={}).diagnostics
    return found


def test_triggers_arrive_with_defaults(tmp_path: Path) -> None:
    found = function(tmp_path, table("sqs") + table("dynamodb") + table("s3")).configuration.triggers
    assert found == (
        SQSTrigger(queue="orders"),
        DynamoDBTrigger(index=1, table="Orders"),
        S3Trigger(index=2, bucket="example-scans", events=("s3:ObjectCreated:*",)),
    )


def test_patterns_are_the_same_however_they_are_written(tmp_path: Path) -> None:
    as_table = trigger(tmp_path, table("sqs", "filters = [{ body = { kind = ['order'], a = [{ exists = true }] } }]"))
    as_text = trigger(
        tmp_path, table("sqs", """filters = ['{"body": {"a": [{"exists": true}], "kind": ["order"]}}']""")
    )
    assert as_table == as_text
    assert isinstance(as_text, SQSTrigger)
    assert as_text.filters == ('{"body":{"a":[{"exists":true}],"kind":["order"]}}',)


def test_a_schedule_takes_any_json_as_input(tmp_path: Path) -> None:
    for written, text in [("'[1, null]'", "[1,null]"), ("{ job = 'nightly' }", '{"job":"nightly"}'), ("3", "3")]:
        found = trigger(tmp_path, table("schedule", f"input = {written}"))
        assert isinstance(found, ScheduleTrigger)
        assert found.input == text


@pytest.mark.parametrize("kind", TRIGGERS)
def test_every_field_of_a_trigger_is_a_key_of_its_table(kind: str) -> None:
    fields = set(TRIGGERS[kind].__struct_fields__)
    assert fields - {"index"} == {key.name for key in TRIGGER_KEYS[kind]}
    assert set(TRIGGERS[kind].identity_fields) <= fields


@pytest.mark.parametrize(("kind", "key"), [(kind, key) for kind, keys in TRIGGER_KEYS.items() for key in keys])
def test_the_example_of_every_key_is_right(tmp_path: Path, kind: str, key: Key) -> None:
    text = f"[[tool.pyl.functions.a.triggers]]\ntype = '{kind}'\n{key.name} = {key.example}\n"
    if not key.required:
        text += SMALLEST[kind] + "\n"
    if key.name == "filter_scope":
        text += "filter = { kind = ['order'] }\n"
    assert trigger(tmp_path, text) is not None


@pytest.mark.parametrize(
    ("kind", "lines", "code", "line"),
    [
        ("sqs", "batch_size = 0", Code.VALUE_RANGE, 6),
        ("sqs", "batch_size = 11", Code.VALUE_RANGE, 6),
        ("sqs", "batch_window = 301", Code.VALUE_RANGE, 6),
        ("sqs", "maximum_concurrency = 1", Code.VALUE_RANGE, 6),
        ("sqs", "partial_batch = 'yes'", Code.VALUE_TYPE, 6),
        ("sqs", "filters = { body = ['x'] }", Code.VALUE_TYPE, 6),
        ("sqs", "filters = [\n  { body = ['x'] },\n  { body = 'x' },\n]", Code.VALUE_RANGE, 8),
        ("sqs", "filters = ['{']", Code.VALUE_RANGE, 6),
        ("sqs", "filters = ['[]']", Code.VALUE_RANGE, 6),
        ("sqs", "filters = [{}]", Code.VALUE_RANGE, 6),
        ("sqs", "filters = [{ a = [1979-05-27] }]", Code.VALUE_RANGE, 6),
        ("sqs", "filters = [{ a = [nan] }]", Code.VALUE_RANGE, 6),
        ("sqs", "filters = [{ a = [] }]", Code.VALUE_RANGE, 6),
        ("sqs", "filters = [" + "{ a = ['x'] }," * 11 + "]", Code.VALUE_RANGE, 6),
        ("dynamodb", "starting_position = 'AT_TIMESTAMP'", Code.VALUE_RANGE, 6),
        ("dynamodb", "maximum_age = 59", Code.VALUE_RANGE, 6),
        ("kinesis", "retries = -2", Code.VALUE_RANGE, 6),
        ("kinesis", "on_failure = 'given-up'", Code.VALUE_RANGE, 6),
        ("s3", "events = ['s3:ObjectCreated']", Code.VALUE_RANGE, 6),
        ("s3", "events = ['s3:ObjectRemoved:Put']", Code.VALUE_RANGE, 6),
        ("sns", "filter_scope = 'MessageBody'", Code.MISSING_KEY, 6),
        ("sns", "filter = 'x'", Code.VALUE_RANGE, 6),
        ("schedule", "input = 1979-05-27", Code.VALUE_RANGE, 6),
        ("ses", "tls = 'Always'", Code.VALUE_RANGE, 6),
        ("httpapi", "authorization = 'JWT'", Code.VALUE_RANGE, 6),
        ("httpapi", "autorization = 'NONE'", Code.UNKNOWN_KEY, 6),
    ],
)
def test_what_aws_would_refuse_is_told_at_its_line(
    tmp_path: Path, kind: str, lines: str, code: Code, line: int
) -> None:
    found = problem(tmp_path, table(kind, lines))
    assert (found.code, found.file, found.line) == (code, tmp_path / "pyproject.toml", line), found
    assert found.hint


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("[tool.pyl.functions.a]\ntriggers = 1", Code.VALUE_TYPE, 4),
        ("[tool.pyl.functions.a]\ntriggers = [1]", Code.VALUE_TYPE, 4),
        ("[[tool.pyl.functions.a.triggers]]\nqueue = 'a'", Code.MISSING_KEY, 3),
        ("[[tool.pyl.functions.a.triggers]]\ntype = 'sqss'", Code.VALUE_RANGE, 4),
        ("[[tool.pyl.functions.a.triggers]]\ntype = 1", Code.VALUE_TYPE, 4),
        ("[[tool.pyl.functions.a.triggers]]\ntype = 'sqs'\nqueue = 'a b'", Code.VALUE_RANGE, 5),
        ("[[tool.pyl.functions.a.triggers]]\ntype = 'sqs'\nqueue = 'a.fifo'\nbatch_size = 11", Code.VALUE_RANGE, 6),
        ("[[tool.pyl.functions.a.triggers]]\ntype = 'sqs'\nqueue = 'a.fifo'\nbatch_window = 1", Code.VALUE_RANGE, 6),
        ("[[tool.pyl.functions.a.triggers]]\ntype = 'schedule'\nexpression = 'rate(1 minutes)'", Code.VALUE_RANGE, 5),
        ("[[tool.pyl.functions.a.triggers]]\ntype = 'schedule'\nexpression = 'rate(5 minute)'", Code.VALUE_RANGE, 5),
        ("[[tool.pyl.functions.a.triggers]]\ntype = 'schedule'\nexpression = 'cron(0 8 * * *)'", Code.VALUE_RANGE, 5),
        ("[[tool.pyl.functions.a.triggers]]\ntype = 'httpapi'\nroute = 'get /x'", Code.VALUE_RANGE, 5),
        ("[[tool.pyl.functions.a.triggers]]\ntype = 'httpapi'\nroute = '/x'", Code.VALUE_RANGE, 5),
    ],
)
def test_what_is_no_trigger_is_told_at_its_line(tmp_path: Path, text: str, code: Code, line: int) -> None:
    found = problem(tmp_path, text)
    assert (found.code, found.line) == (code, line), found


def test_a_hint_names_the_rate_that_was_meant(tmp_path: Path) -> None:
    text = "[[tool.pyl.functions.a.triggers]]\ntype = 'schedule'\nexpression = 'rate(1 hours)'"
    assert problem(tmp_path, text).hint == 'write expression = "rate(1 hour)"'


def test_a_hint_names_the_type_that_was_meant(tmp_path: Path) -> None:
    text = "[[tool.pyl.functions.a.triggers]]\ntype = '{}'"
    assert problem(tmp_path, text.format("httpai")).hint == 'did you mean "httpapi"?'
    assert problem(tmp_path, text.format("zzz")).hint.startswith('write "dynamodb" or')


@pytest.mark.parametrize("kind", TRIGGERS)
def test_a_function_takes_what_its_trigger_sends(tmp_path: Path, kind: str) -> None:
    for event in [*EVENTS[kind], "dict", "Any", "dict[str, Any]", "Own | None", f"Optional[{EVENTS[kind][0]}]"]:
        assert trigger(tmp_path, table(kind)) == function(tmp_path, table(kind), event).configuration.triggers[0]


@pytest.mark.parametrize("kind", TRIGGERS)
@pytest.mark.parametrize(
    "event", ["str", "list[dict]", "Annotated[int, 'x']", "FunctionURLEvent", "'Q | SESEvent | None'"]
)
def test_a_trigger_that_sends_something_else_is_told_at_its_type(tmp_path: Path, kind: str, event: str) -> None:
    if kind in {"sqs", "ses"} and "Q" in event:
        pytest.skip("that is what the trigger sends")
    found = problem(tmp_path, table(kind), event)
    assert (found.code, found.file, found.line, found.column) == (
        Code.TRIGGER_EVENT,
        tmp_path / "pyproject.toml",
        4,
        1,
    )
    assert found.hint.startswith(f"annotate the event with pyl.events.{EVENTS[kind][0]}, at app.py:")


def test_the_type_that_was_probably_meant_is_named(tmp_path: Path) -> None:
    found = problem(tmp_path, table("s3"), "SQSEvent")
    assert found.message == "`a` takes SQSEvent, and bucket example-scans sends S3Event"
    assert found.hint.endswith('or, if the trigger is wrong: type = "sqs"')


def test_a_schedule_with_an_input_of_its_own_fits_any_function(tmp_path: Path) -> None:
    assert trigger(tmp_path, table("schedule", "input = '[1]'")) is not None
    assert function(tmp_path, table("schedule", "input = '[1]'"), "list[int]") is not None


def test_nothing_is_demanded_of_adopted_handlers(tmp_path: Path) -> None:
    text = "[tool.pyl.functions.b]\nhandler = 'legacy:main'\n" + table("s3", function="b")
    (tmp_path / "legacy.py").write_text("def main(event: str, context):\n    return None\n")
    assert examine(project(tmp_path, text), environ={}).diagnostics == ()


@pytest.mark.parametrize(
    ("one", "other", "wrong"),
    [
        (table("sqs"), table("sqs"), True),
        (table("sqs"), table("sqs", function="b"), False),
        (table("eventbridge"), table("eventbridge", "bus = 'own'"), False),
        (table("eventbridge"), table("eventbridge", "enabled = false"), True),
        (table("httpapi"), table("httpapi", function="b"), True),
        (table("httpapi"), table("httpapi", "api = 'own'", function="b"), False),
        (table("s3"), table("s3", function="b"), True),
        (table("s3"), table("s3", "events = ['s3:ObjectRemoved:*']", function="b"), False),
        (table("s3"), table("s3", "events = ['s3:ObjectCreated:Put']", function="b"), True),
        (table("s3", "prefix = 'a/'"), table("s3", "prefix = 'b/'", function="b"), False),
        (table("s3", "prefix = 'a/'"), table("s3", "prefix = 'a/b/'"), True),
        (table("s3", "prefix = 'a/'"), table("s3", "prefix = 'a/b/'\nsuffix = '.pdf'"), True),
        (table("s3", "suffix = '.txt'"), table("s3", "suffix = '.pdf'"), False),
    ],
)
def test_triggers_that_get_in_each_others_way_are_told(tmp_path: Path, one: str, other: str, wrong: bool) -> None:
    folder = project(tmp_path, one + other)
    with (folder / "app.py").open("a") as file:
        file.write("\n@function\ndef b(context: Context, event): ...\n")
    found = examine(folder, environ={}).diagnostics
    assert [diagnostic.code for diagnostic in found] == [Code.TRIGGER_CONFLICT] * wrong
    assert all(diagnostic.line == 3 + one.count("\n") for diagnostic in found)


@pytest.mark.parametrize(
    ("body", "answers"),
    [
        ("return batch.process(event, print)", True),
        ("return batch.BatchResponse.of('1')", True),
        ("return pyl.batch.BatchResponse()", True),
        ("return {'batchItemFailures': []}", False),
    ],
)
def test_a_function_that_names_failed_records_is_recognised(tmp_path: Path, body: str, answers: bool) -> None:
    assert function(tmp_path, table("sqs"), body=body).partial_batch is answers


def test_a_result_annotated_as_a_batch_response_is_recognised(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "from pyl import Context, function\nfrom pyl.batch import BatchResponse as R\n"
        "@function\ndef a(context: Context, event) -> 'R | None':\n    return helper(event)\n"
    )
    (tmp_path / "pyproject.toml").write_text("[tool.pyl]\n")
    found = examine(tmp_path, environ={}).project
    assert found is not None
    assert found.functions[0].partial_batch


@pytest.mark.parametrize(
    ("event", "version"),
    [
        (None, "2.0"),
        ("dict", "2.0"),
        ("pyl.events.HTTPAPIEvent", "2.0"),
        ("pyl.events.APIGatewayEvent", "1.0"),
        ("pyl.events.apigateway.APIGatewayEvent | None", "1.0"),
        ("pyl.events.APIGatewayEvent | pyl.events.HTTPAPIEvent", "2.0"),
    ],
)
def test_a_route_sends_the_version_that_the_function_takes(event: str | None, version: str) -> None:
    assert find_payload_format(event) == version


def test_triggers_keep_their_identity_when_their_settings_change() -> None:
    assert SQSTrigger(queue="a", batch_size=1).identity == SQSTrigger(queue="a", batch_size=2).identity
    assert SNSTrigger(topic="a").identity != SNSTrigger(topic="b").identity
    assert EventBridgeTrigger(pattern="{}", bus="a").identity != EventBridgeTrigger(pattern="{}").identity
    assert HTTPAPITrigger(route="GET /a").identity != HTTPAPITrigger(route="GET /a", api="x").identity


def test_the_documentation_has_a_section_for_every_type() -> None:
    headings = re.findall(r"^## `([a-z0-9]+)`", DOCUMENTATION.read_text("utf-8"), re.MULTILINE)
    assert sorted(headings) == list(TYPE_KEY.choices)


@pytest.mark.parametrize(
    ("one", "other", "refused"),
    [
        ({}, {}, True),
        ({"suffix": ".pdf"}, {"suffix": ".pdf"}, True),
        ({"suffix": ".pdf"}, {"suffix": "-scan.pdf"}, True),
        ({"suffix": ".pdf"}, {"suffix": ".pdf.gz"}, False),
        ({"suffix": ".pdf"}, {"suffix": ".txt"}, False),
        ({"suffix": ".pdf"}, {}, True),
        ({"prefix": "a/"}, {"prefix": "a/b/"}, True),
        ({"prefix": "a/"}, {"prefix": "b/a/"}, False),
        ({"prefix": "a/", "suffix": ".pdf"}, {"prefix": "a/", "suffix": ".txt"}, False),
        ({"prefix": "a/", "suffix": ".pdf"}, {"prefix": "b/", "suffix": ".pdf"}, False),
        ({"events": ("s3:ObjectRemoved:*",)}, {}, False),
        ({"events": ("s3:ObjectCreated:Put",)}, {}, True),
        ({"events": ("s3:ObjectCreated:Put",)}, {"events": ("s3:ObjectCreated:Post",)}, False),
        ({"events": ("s3:ObjectRemoved:Delete", "s3:ObjectCreated:Put")}, {}, True),
    ],
)
def test_notifications_overlap_if_an_event_and_a_key_can_match_both(
    one: dict[str, Any], other: dict[str, Any], refused: bool
) -> None:
    first, second = S3Trigger(bucket="a", **one), S3Trigger(bucket="a", **other)
    assert notifications_overlap(first, second) is refused
    assert notifications_overlap(second, first) is refused


@pytest.mark.parametrize(
    ("kind", "lines"),
    [
        ("sqs", "batch_size = 10"),
        ("sqs", "batch_size = 11\nbatch_window = 1"),
        ("sqs", "filters = [" + "{ a = ['x'] }," * 10 + "]"),
        ("kinesis", "maximum_age = 60"),
        ("kinesis", "maximum_age = -1"),
        ("sns", "filter = { kind = ['a'] }\nfilter_scope = 'MessageBody'"),
        ("sns", "filter_scope = 'MessageAttributes'"),
    ],
)
def test_values_up_to_the_limits_are_accepted(tmp_path: Path, kind: str, lines: str) -> None:
    assert trigger(tmp_path, table(kind, lines)).type == kind


@pytest.mark.parametrize("queue", ["a.fifo", "arn:aws:sqs:eu-central-1:123456789012:a.fifo"])
def test_a_fifo_queue_takes_batches_of_ten_without_a_window(tmp_path: Path, queue: str) -> None:
    text = f"[[tool.pyl.functions.a.triggers]]\ntype = 'sqs'\nqueue = '{queue}'\nbatch_size = 10\nbatch_window = 0\n"
    assert trigger(tmp_path, text).source == f"queue {queue}"


@pytest.mark.parametrize("expression", ["rate(1 minute)", "rate(2 hours)", "rate(11 days)", "rate(21 days)"])
def test_a_rate_agrees_with_its_unit(tmp_path: Path, expression: str) -> None:
    text = f"[[tool.pyl.functions.a.triggers]]\ntype = 'schedule'\nexpression = '{expression}'\n"
    assert trigger(tmp_path, text).source == expression


def test_a_trigger_of_another_type_is_no_conflict(tmp_path: Path) -> None:
    text = table("sns") + table("sqs") + table("eventbridge") + table("ses") + table("s3")
    assert len(function(tmp_path, text).configuration.triggers) == 5


def test_every_conflict_is_reported_once_with_the_first_function(tmp_path: Path) -> None:
    found = examine(project(tmp_path, table("sqs") * 3), environ={}).diagnostics
    assert [diagnostic.message for diagnostic in found] == ["queue orders is already a trigger of `a`"] * 2


@pytest.mark.parametrize("event", ["typing.Annotated[int]", "typing.Union[int]", "typing.Optional[int]", "x[", "int"])
def test_an_annotation_that_names_no_event_is_not_accepted(event: str) -> None:
    assert not accepts_trigger(event, SQSTrigger(queue="a"))


@pytest.mark.parametrize(
    "event", ["typing.Annotated[Own, 'x']", "typing.Union[int, Own]", "None | pyl.events.SQSEvent"]
)
def test_an_annotation_is_accepted_for_one_of_its_members(event: str) -> None:
    assert accepts_trigger(event, SQSTrigger(queue="a"))
