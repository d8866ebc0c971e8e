"""What functions need besides their own code is in both packages: files, metadata, data of wheels, native wheels."""

from __future__ import annotations

from typing import Any

import pytest

from integration.projects import Built, Kind

pytestmark = pytest.mark.compile

LETTER = "Dear {name},\n"
ANSWERS: dict[str, Any] = {
    "adopted": {"adopted": {}, "function": "adopted"},
    "arrays": {"inverse": [[2.0, -0.5], [-1.0, 0.5]], "fft": [1.0, 1.0, 1.0], "random": [9, 6, 6]},
    "bundle": True,
    "client": ["https://dynamodb.eu-west-1.amazonaws.com", ["Items"]],
    "data": {"beside": LETTER, "working directory": LETTER, "resource": LETTER},
    "database": 42,
    "imports": ["kitchen", "spoon beside knife", "spaced.deep.module"],
    "metadata": {"at import": "2025.10.5", "in the call": "2025.10.5", "plugins": ["anyio"]},
    "model": [{"x": 3, "y": 1}, 2],
    "page": "a=1;b=&lt;x&gt;;",
    "secret": "hidden",
    "speedy": {"a": [None], "b": 1},
    "waits": "waited",
    "web": [{"path": "/a"}, "https://example.com/?q=%C3%BC"],
    "zone": "2024-07-01T12:00:00+03:00",
}


def test_every_function_of_the_project_is_asked(kitchen: Built) -> None:
    assert set(kitchen.reports["native"]["functions"]) == {*ANSWERS, "domain"}


@pytest.mark.parametrize("kind", ["interpreted", "native"])
@pytest.mark.parametrize("function", ANSWERS)
def test_the_function_answers_as_it_would_at_home(kitchen: Built, kind: Kind, function: str) -> None:
    assert kitchen.answer(kind, function) == ANSWERS[function]


def test_a_dependency_is_compiled_when_asked_for_and_only_then(kitchen: Built) -> None:
    assert kitchen.answer("interpreted", "domain") == ["xn--mnchen-3ya.de", "function"]
    assert kitchen.answer("native", "domain") == ["xn--mnchen-3ya.de", "compiled_function"]
