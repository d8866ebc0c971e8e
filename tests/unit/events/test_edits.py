"""`--set` puts values into sample events."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pyl.errors import UsageError
from pyl.events import samples
from pyl.events.edits import edited

EVENT = {"text": "a", "number": 1, "list": [{"body": "x"}], "nothing": None}


def after(*edits: str) -> Any:
    return json.loads(edited(json.dumps(EVENT).encode(), edits))


@pytest.mark.parametrize(
    ("edit", "path", "value"),
    [
        ("text=b=c", ("text",), "b=c"),
        ("text=5", ("text",), "5"),
        ("number=5", ("number",), 5),
        ("number=five", ("number",), "five"),
        ("nothing=[1]", ("nothing",), [1]),
        ("new=true", ("new",), True),
        ("list.0.body={}", ("list", 0, "body"), "{}"),
        ("list.1=2", ("list", 1), 2),
        ("text=", ("text",), ""),
    ],
)
def test_a_value_is_put_where_its_path_says(edit: str, path: tuple[Any, ...], value: Any) -> None:
    found = after(edit)
    for key in path:
        found = found[key]
    assert found == value


@pytest.mark.parametrize(
    ("edit", "said", "hint"),
    [
        ("text", "is not PATH=VALUE", "Records.0.body"),
        ("missing.x=1", "there is no 'missing' to set", "there are text, number"),
        ("list.7=1", "there is no '7' to set", "a list of 1"),
        ("list.first=1", "there is no 'first' to set", "a list of 1"),
        ("text.x=1", "there is no 'x' to set", 'what is there is "a"'),
    ],
)
def test_a_path_that_leads_nowhere_is_refused(edit: str, said: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        after(edit)
    assert said in caught.value.message
    assert hint in (caught.value.hint or "")


def test_without_changes_the_sample_is_as_it_is() -> None:
    assert edited(samples.load("sqs"), []) == samples.load("sqs")


def test_a_changed_sample_is_otherwise_the_same() -> None:
    changed = json.loads(edited(samples.load("sqs"), ["Records.0.body=hello"]))
    changed["Records"][0]["body"] = json.loads(samples.load("sqs"))["Records"][0]["body"]
    assert changed == json.loads(samples.load("sqs"))
