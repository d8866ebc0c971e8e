"""What `pyl check` says of a signature is what the runtime will do with it."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from pathlib import Path
from types import ModuleType

import pytest

from pyl.project import examine
from pyl.project.diagnostics import Code
from pyl.runtime.errors import Fault
from pyl.runtime.handlers.binding import bind

PRELUDE = """
import abc
import collections.abc
import dataclasses
import datetime
import decimal
import enum
import json
import typing
import uuid
from dataclasses import dataclass
from typing import Annotated, Any, Optional, TypedDict, Union

import msgspec
import pydantic

import pyl
import pyl.events as ev
from pyl import Context, function
from pyl.events import SQSEvent, SQSRecord, sqs

Json = dict[str, Any]


@dataclass
class Line:
    sku: str


Lines = list[Line]


@dataclasses.dataclass(kw_only=True)
class Order(Line):
    count: int


class Struct(msgspec.Struct):
    sku: str


class Typed(TypedDict):
    sku: str


class Model(pydantic.BaseModel):
    sku: str


class Inherited(Struct):
    more: int


class Bare:
    sku: str


class StillBare(Bare, abc.ABC):
    pass


class Failure(Exception):
    pass


class Color(enum.Enum):
    RED = 1


def helper():
    pass


"""

RIGHT_EVENTS = (
    """
Any;dict;list;str;int;float;bool;object;None;tuple;Json;dict[str, Any];list[dict[str, int]];tuple[int, ...];'dict'
typing.Dict[str, int];typing.List;typing.Mapping[str, Any];collections.abc.Sequence;collections.abc.Mapping[str, int]
SQSEvent;ev.SQSEvent;pyl.events.SQSEvent;sqs.SQSEvent;SQSRecord;'SQSEvent';SQSEvent | None;Optional[SQSEvent]
Union[SQSEvent, None];list[SQSRecord];Line;Order;Struct;Typed;Model;Inherited;list[Line];dict[str, Order];Lines
Annotated[Order, 'note'];Line | None;Optional[Line]
""".replace("\n", ";")
    .strip(";")
    .split(";")
)

WRONG_EVENTS = (
    """
bytes;set;frozenset;complex;type;Exception;datetime.datetime;decimal.Decimal;uuid.UUID;datetime.date;list[set]
collections.abc.Callable[[], int];typing.Callable;json;sqs;ev;helper;Bare;StillBare;list[Bare];Bare | None
typing.Set[int];1;'1 +';[int];dict();set[int];typing.Iterator[str]
dict[str, datetime.datetime];collections.OrderedDict;typing.Type[int]
""".replace("\n", ";")
    .strip(";")
    .split(";")
)

RIGHT_RESULTS = (
    """
None;dict;Json;list[int];str;bytes;SQSEvent;pyl.responses.HTTPAPIResponse;pyl.batch.BatchResponse;Order;Struct;Model
dict | Exception;Failure;Union[dict, Failure];datetime.datetime;uuid.UUID;decimal.Decimal;'dict';typing.NoReturn;Color
Typed;Annotated[dict, 1];Optional[list[Order]];Any;object;set[int];pyl.responses.StreamingResponse
typing.Iterator[str];collections.abc.Generator[str | bytes, None, None];typing.AsyncIterator[bytes];typing.Iterator
map[str];typing.AsyncIterable[Any];typing.BinaryIO;dict | typing.Iterator[str]
""".replace("\n", ";")
    .strip(";")
    .split(";")
)

WRONG_RESULTS = (
    """
typing.Callable;collections.abc.Callable[..., int];json;pyl.events;Bare;StillBare;Bare | None;helper;Context;complex
typing.Iterator[int];collections.abc.Generator[int];typing.AsyncIterator[dict];typing.Iterator[str | list[str]]
dict();type;1;Optional[Bare]
""".replace("\n", ";")
    .strip(";")
    .split(";")
)

UNIQUE = itertools.count()


def check(folder: Path, handler: str, prelude: str = PRELUDE) -> list[Code]:
    (folder / "pyproject.toml").write_text('[tool.pyl]\nregion = "us-east-1"\n', "utf-8")
    (folder / "handlers.py").write_text(prelude + handler, "utf-8")
    return [diagnostic.code for diagnostic in examine(folder, environ={}).diagnostics]


def imported(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"handlers_of_test_{next(UNIQUE)}", folder / "handlers.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


def runtime_takes(folder: Path) -> bool:
    try:
        bind(imported(folder).hello)
    except (Fault, SyntaxError):
        return False
    return True


@pytest.mark.parametrize("annotation", RIGHT_EVENTS)
def test_an_event_that_the_runtime_can_make_is_accepted(tmp_path: Path, annotation: str) -> None:
    assert check(tmp_path, f"@function\ndef hello(context: Context, event: {annotation}): ...\n") == []
    assert runtime_takes(tmp_path)


@pytest.mark.parametrize("annotation", ["Optional['Order']", "list['Line']", "'list[Line]'", "'Order | None'"])
def test_quotes_may_stand_anywhere_in_an_annotation(tmp_path: Path, annotation: str) -> None:
    assert check(tmp_path, f"@function\ndef hello(context: Context, event: {annotation}): ...\n") == []


@pytest.mark.parametrize("annotation", WRONG_EVENTS)
def test_an_event_that_the_runtime_cannot_make_is_told(tmp_path: Path, annotation: str) -> None:
    found = check(tmp_path, f"@function\ndef hello(context: Context, event: {annotation}): ...\n")
    assert found == [Code.EVENT_ANNOTATION]
    assert not runtime_takes(tmp_path)


@pytest.mark.parametrize("annotation", RIGHT_RESULTS)
def test_a_result_that_may_have_a_form_in_json_is_accepted(tmp_path: Path, annotation: str) -> None:
    assert check(tmp_path, f"@function\ndef hello(context: Context, event) -> {annotation}: ...\n") == []


@pytest.mark.parametrize("annotation", WRONG_RESULTS)
def test_a_result_that_has_no_form_in_json_is_told(tmp_path: Path, annotation: str) -> None:
    found = check(tmp_path, f"@function\ndef hello(context: Context, event) -> {annotation}: ...\n")
    assert found == [Code.RETURN_ANNOTATION]


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ("", Code.PARAMETER_COUNT),
        ("event", Code.PARAMETER_COUNT),
        ("context: Context", Code.PARAMETER_COUNT),
        ("context, event, more", Code.PARAMETER_COUNT),
        ("context, event, more=1", Code.PARAMETER_COUNT),
        ("context, *, event", Code.PARAMETER_COUNT),
        ("context, event, *, key", Code.PARAMETER_COUNT),
        ("event: dict, more: dict", Code.NO_CONTEXT),
        ("event: Context, context: Context", Code.TWO_CONTEXTS),
        ("event: Context | None, context: Context", Code.TWO_CONTEXTS),
        ("context, event=None", Code.DEFAULT_VALUE),
        ("*args", Code.PARAMETER_KIND),
        ("context, event, *args", Code.PARAMETER_KIND),
        ("context, event, **options", Code.PARAMETER_KIND),
    ],
)
def test_parameters_that_the_runtime_refuses_are_told(tmp_path: Path, parameters: str, code: Code) -> None:
    assert check(tmp_path, f"@function\ndef hello({parameters}): ...\n") == [code]
    assert not runtime_takes(tmp_path)


@pytest.mark.parametrize("parameters", ["event: Typo", "context: Typo, event", "event: list[Typo], context: Context"])
def test_a_name_that_nothing_defines_is_told_once(tmp_path: Path, parameters: str) -> None:
    assert check(tmp_path, f"@function\ndef hello({parameters}): ...\n") == [Code.UNDEFINED_ANNOTATION]
    with pytest.raises(NameError):
        imported(tmp_path)


@pytest.mark.parametrize("annotation", ["ev.SQSEvnt", "pyl.events.Missing", "sqs.Missing", "list[ev.Missing]", "pyl.X"])
def test_a_name_that_pyl_does_not_have_is_told(tmp_path: Path, annotation: str) -> None:
    found = check(tmp_path, f"@function\ndef hello(context: Context, event: {annotation}): ...\n")
    assert found == [Code.UNKNOWN_PYL_NAME]


CHECKING = """from __future__ import annotations
from typing import TYPE_CHECKING
from pyl import function
if TYPE_CHECKING:
    from pyl import Context
    from pyl import Context as C
    from pyl.events import SQSEvent
    from typing import Any
"""


@pytest.mark.parametrize(
    ("signature", "found"),
    [
        ("context: Context, event", []),
        ("context: Context, event: dict", []),
        ("event: dict, context: Context | None", []),
        ("context, event) -> dict[str, Any] | SQSEvent", []),
        ("context: Context, event: SQSEvent", [Code.TYPE_CHECKING_ONLY]),
        ("context: Context, event: dict[str, Any]", [Code.TYPE_CHECKING_ONLY]),
        ("context: C, event: dict", [Code.TYPE_CHECKING_ONLY]),
    ],
)
def test_what_only_type_checkers_import_must_not_be_needed_at_run_time(
    tmp_path: Path, signature: str, found: list[Code]
) -> None:
    closed = signature if ")" in signature else f"{signature})"
    assert check(tmp_path, f"@function\ndef hello({closed}: ...\n", CHECKING) == found
    assert runtime_takes(tmp_path) == (not found)


def test_without_lazy_annotations_even_the_context_must_be_imported(tmp_path: Path) -> None:
    prelude = CHECKING.partition("\n")[2]
    handler = "@function\ndef hello(context: Context, event: 'dict') -> SQSEvent: ...\n"
    assert check(tmp_path, handler, prelude) == [Code.TYPE_CHECKING_ONLY] * 2
    with pytest.raises(NameError):
        imported(tmp_path)


def test_an_event_under_another_decorator_is_that_decorators_business(tmp_path: Path) -> None:
    text = """
import functools

def other(handler):
    @functools.wraps(handler)
    def inner(event, context):
        return handler(event, context)
    return inner

@function
@other
def hello(event: Bare, context: Context): ...
"""
    assert check(tmp_path, text) == []
    assert runtime_takes(tmp_path)


def test_every_problem_of_a_function_is_told(tmp_path: Path) -> None:
    text = "@function\ndef hello(context: Context, event: set) -> helper: ...\n"
    assert check(tmp_path, text) == [Code.EVENT_ANNOTATION, Code.RETURN_ANNOTATION]


@pytest.mark.parametrize("part", ["'text'", "b'bytes'", "f'{event}'", "event", "str(event)", "b''.join([])"])
@pytest.mark.parametrize("definition", ["def", "async def"])
def test_a_generator_of_text_or_bytes_is_a_function(tmp_path: Path, part: str, definition: str) -> None:
    text = f"@function\n{definition} hello(context: Context, event):\n    yield {part}\n"
    assert check(tmp_path, text) == []
    assert runtime_takes(tmp_path)


@pytest.mark.parametrize("part", ["", "None", "1", "True", "{}", "[1]", "(1, 2)", "{1}", "{a: a for a in event}"])
def test_a_part_that_is_neither_text_nor_bytes_is_told(tmp_path: Path, part: str) -> None:
    text = f"@function\ndef hello(context: Context, event):\n    yield 'text'\n    yield {part}\n"
    assert check(tmp_path, text) == [Code.STREAMED_VALUE]


def test_wrong_parts_are_told_once(tmp_path: Path) -> None:
    text = "@function\nasync def hello(context: Context, event):\n    yield 1\n    yield 2\n"
    assert check(tmp_path, text) == [Code.STREAMED_VALUE]


def test_a_generator_inside_of_a_function_is_its_own_business(tmp_path: Path) -> None:
    text = (
        "@function\ndef hello(context: Context, event):\n    def parts():\n        yield 1\n    return list(parts())\n"
    )
    assert check(tmp_path, text) == []


@pytest.mark.parametrize(
    "decorator",
    [
        "@function('x')",
        "@function(memory=1)",
        "@function(**{})",
        "@function(name=NAME)",
        "@function(name=f'x')",
        "@function(name=b'x')",
        f"@function(description={'x' * 257!r})",
    ],
)
def test_arguments_that_the_decorator_does_not_take_are_told(tmp_path: Path, decorator: str) -> None:
    text = f"NAME = 'x'\n{decorator}\ndef hello(context: Context, event): ...\n"
    assert check(tmp_path, text) == [Code.DECORATOR_ARGUMENTS]
