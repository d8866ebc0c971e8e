"""Which parameter is the context, and which the event."""

from __future__ import annotations

import pytest

from pyl.runtime.handlers.signature import KEYWORD_ONLY, VAR_KEYWORD, VAR_POSITIONAL, Parameter, SignatureError, assign

CONTEXT_FIRST, EVENT_FIRST = (0, 1), (1, 0)


def parameters(text: str) -> list[Parameter]:
    """`a: C` is annotated as a context, `a: E` as something else; stars and `= 1` as in Python."""
    found, keyword_only = [], False
    for part in filter(None, text.split(", ")):
        name, _, default = part.partition(" = ")
        name, _, annotation = name.partition(": ")
        if name == "*":
            keyword_only = True
            continue
        kind = KEYWORD_ONLY if keyword_only else 1
        if name.startswith("*"):
            kind = VAR_KEYWORD if name.startswith("**") else VAR_POSITIONAL
        found.append(
            Parameter(name.lstrip("*"), {"": None, "C": True, "E": False}[annotation], kind, has_default=bool(default))
        )
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: C, b: E", CONTEXT_FIRST),
        ("a: E, b: C", EVENT_FIRST),
        ("a, b: C", EVENT_FIRST),
        ("a: C, b", CONTEXT_FIRST),
        ("a: E, b", EVENT_FIRST),
        ("a, b: E", CONTEXT_FIRST),
        ("context, event", CONTEXT_FIRST),
        ("event, context", EVENT_FIRST),
        ("event, _", EVENT_FIRST),
        ("_, context", EVENT_FIRST),
        ("_, event", CONTEXT_FIRST),
        ("a, b", CONTEXT_FIRST),
        ("event: C, context", CONTEXT_FIRST),
        ("event, context: E", EVENT_FIRST),
        ("context: E, event", CONTEXT_FIRST),
        ("a: C, b: E, *, c = 1", CONTEXT_FIRST),
    ],
)
def test_a_decorated_function_is_called_by_annotation_name_or_position(text: str, expected: tuple[int, int]) -> None:
    assert assign(parameters(text)) == expected


@pytest.mark.parametrize(
    ("text", "problem", "index"),
    [
        ("", "count", None),
        ("a", "count", None),
        ("a: C", "count", None),
        ("a, b, c", "count", 2),
        ("a, b, c = 1", "count", 2),
        ("a, b, *, c", "count", 2),
        ("a: E, b: E", "context", 0),
        ("a: C, b: C", "context", 1),
        ("a, b = 1", "default", 1),
        ("a = 1, b = 1", "default", 0),
        ("*a", "variadic", 0),
        ("a, b, *c", "variadic", 2),
        ("a, b, **c", "variadic", 2),
    ],
)
def test_other_signatures_are_refused_at_the_offending_parameter(text: str, problem: str, index: int | None) -> None:
    with pytest.raises(SignatureError) as caught:
        assign(parameters(text))
    assert (caught.value.problem, caught.value.index) == (problem, index)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("event, context", EVENT_FIRST),
        ("a, b", EVENT_FIRST),
        ("context, event", EVENT_FIRST),
        ("event, context: E", EVENT_FIRST),
        ("a: C, b", CONTEXT_FIRST),
        ("a: E, b: E", EVENT_FIRST),
        ("a, b, c = 1", EVENT_FIRST),
        ("a, b = 1", EVENT_FIRST),
        ("a, b, **c", EVENT_FIRST),
        ("*a", EVENT_FIRST),
        ("a, *b, **c", EVENT_FIRST),
    ],
)
def test_an_adopted_handler_is_called_as_aws_calls_it(text: str, expected: tuple[int, int]) -> None:
    assert assign(parameters(text), adopted=True) == expected


@pytest.mark.parametrize("text", ["", "a", "a, b, c", "a, **b", "a, b, *, c"])
def test_an_adopted_handler_that_cannot_be_called_with_two_arguments_is_refused(text: str) -> None:
    with pytest.raises(SignatureError):
        assign(parameters(text), adopted=True)
