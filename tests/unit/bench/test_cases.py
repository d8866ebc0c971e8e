"""Which events the suite uses, and what it calls its cases."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from pyl.bench import case, notes, suite
from pyl.project.config.model import Configuration, FunctionConfiguration
from pyl.project.model import Function, Project


def _function(name: str = "work", event: str | None = None, file: Path | None = None) -> Function:
    return Function(
        name=name,
        module="handlers",
        attribute=name,
        file=Path("/project/handlers.py"),
        line=1,
        event=event,
        configuration=FunctionConfiguration(event=file),
    )


@pytest.mark.parametrize("size", [100, 1000, 10_000, 1_000_000])
def test_a_payload_is_json_of_exactly_its_size(size: int) -> None:
    event = case.payload(size)
    assert len(event) == size
    assert isinstance(json.loads(event)["records"], list)


def test_the_functions_own_event_file_is_used(tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_bytes(b'{"a": 1}')
    assert suite.event_of(_function(file=file), pytest.fail) == b'{"a": 1}'


def test_a_typed_event_without_a_file_gets_the_bundled_sample() -> None:
    event = json.loads(suite.event_of(_function(event="pyl.events.SQSEvent"), pytest.fail))
    assert event["Records"][0]["eventSource"] == "aws:sqs"


def test_a_function_without_any_event_is_noted() -> None:
    recorded: list[str] = []
    assert suite.event_of(_function(event="app.Order"), recorded.append) == b"{}"
    assert "work" in recorded[0]


def test_a_function_that_is_not_warmed_up_is_noted() -> None:
    cold = _function()
    warmed = replace(cold, configuration=structs.replace(cold.configuration, warm_up=Path("event.json")))
    assert "work has no `warm_up`" in notes.lack_of_warm_up(cold)[0]
    assert notes.lack_of_warm_up(warmed) == []


@pytest.mark.parametrize(
    ("annotation", "count"), [("typing.Any", 4), (None, 4), ("dict[str, int]", 4), ("app.Order", 1)]
)
def test_several_payload_sizes_are_for_functions_that_take_any_json(annotation: str | None, count: int) -> None:
    assert len(suite.payloads_of(_function(event=annotation), b"{}")) == count


def test_a_case_is_named_after_its_project_and_after_its_function_when_there_are_more() -> None:
    project = Project(
        root=Path("/project"),
        name="hello",
        configuration=Configuration(source=Path("/project")),
        functions=(_function("hello"), _function("context")),
        files=(),
    )
    assert [suite.name_of(project, function) for function in project.functions] == ["hello", "hello.context"]
    assert suite.name_of(replace(project, functions=(_function("work"),)), _function("work")) == "hello"
