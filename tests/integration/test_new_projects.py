"""What `pyl new` made can be built and invoked as it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from integration.projects import run

ANSWERS: dict[str, Any] = {
    "direct": {"greeting": "Hello, Maria!"},
    "sqs": {"batchItemFailures": []},
    "functionurl": {
        "statusCode": 201,
        "headers": {"content-type": "application/json"},
        "body": '{"title":"Tea","words":3}',
    },
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_a_new_project_is_built_and_answers_its_own_event(kind: str, tmp_path: Path) -> None:
    made = run("new", "orders", "--trigger", kind, cwd=tmp_path).succeeded()
    commands = [line.strip() for line in made.out.partition("Next:\n")[2].splitlines()]
    assert commands[0] == "cd orders"
    folder = tmp_path / "orders"
    assert run("check", "--json", cwd=folder).succeeded().json == []
    assert run("build", "--json", cwd=folder).succeeded().json["functions"] == ["orders"]
    assert run("invoke", "orders", "--example", "event", cwd=folder).succeeded().json == ANSWERS[kind]


@pytest.mark.compile
def test_a_new_project_is_built_natively(tmp_path: Path) -> None:
    run("new", "orders", "--trigger", "sqs", cwd=tmp_path).succeeded()
    run("build", "--native", cwd=tmp_path / "orders").succeeded()
    answer = run("invoke", "orders", "--package", "native", "--example", "event", cwd=tmp_path / "orders").succeeded()
    assert answer.json == {"batchItemFailures": []}
