"""Every kind of callable is called with what its parameters ask for."""

# ruff: noqa: UP007, UP045 - users write both spellings of a union

from __future__ import annotations

import dataclasses
import functools
import importlib.util
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, Optional, TypedDict, Union

import pytest

import pyl
from pyl import Context, function
from pyl.runtime.errors import Fault
from pyl.runtime.handlers import asynchronous
from pyl.runtime.handlers.binding import bind

CONTEXT = Context(aws_request_id="r")


@dataclasses.dataclass
class Point:
    x: int


class Named(TypedDict):
    name: str


class Plain:
    """Nothing makes events of such a class."""


def call(handler: Callable[..., Any], event: Any = None) -> Any:
    binding = bind(handler)
    converted = event if binding.converter is None else binding.converter.from_object(event)
    return binding.call(converted, CONTEXT)


def both(a: Any, b: Any) -> list[Any]:
    return [a, b]


def test_a_decorated_function_gets_the_context_first() -> None:
    @function
    def handler(context: Context, event):  # type: ignore[no-untyped-def]
        return [context, event]

    assert call(handler, 5) == [CONTEXT, 5]


@pytest.mark.parametrize("annotation", ["Context", "pyl.Context", "Context | None", Context, Optional[Context]])
def test_a_context_is_known_however_it_is_written(annotation: Any) -> None:
    def handler(first, second):  # type: ignore[no-untyped-def]
        return [first, second]

    handler.__annotations__ = {"second": annotation}
    assert call(function(handler), 5) == [5, CONTEXT]


def test_a_context_imported_for_type_checkers_only_is_known_by_its_name() -> None:
    def handler(first, second):  # type: ignore[no-untyped-def]
        return [first, second]

    handler.__annotations__ = {"second": "powertools.LambdaContext"}
    assert call(function(handler), 5) == [5, CONTEXT]


def test_an_adopted_function_is_called_as_aws_calls_it() -> None:
    def handler(context, event):  # type: ignore[no-untyped-def]
        return [context, event]

    assert call(handler, 5) == [5, CONTEXT]


@pytest.mark.parametrize(
    "handler",
    [
        both,
        functools.partial(both),
        functools.partial(lambda extra, a, b: [a, b], 1),
        lambda *arguments: list(arguments),
        lambda a, b=1, c=2: [a, b],
        type("Instance", (), {"__call__": lambda self, a, b: [a, b]})(),
        type("Method", (), {"method": lambda self, a, b: [a, b]})().method,
        type("Static", (), {"method": staticmethod(both)}).method,  # type: ignore[attr-defined]
        type("Class", (), {"method": classmethod(lambda cls, a, b: [a, b])}).method,  # type: ignore[attr-defined]
    ],
    ids=lambda handler: type(handler).__name__,
)
def test_any_callable_can_be_adopted(handler: Callable[..., Any]) -> None:
    assert call(handler, 5) == [5, CONTEXT]


def test_a_callable_that_tells_nothing_of_itself_is_called_as_aws_calls_it() -> None:
    assert bind(getattr).event_first


def wrapped(handler: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(handler)
    def wrapper(*arguments: Any, **keywords: Any) -> Any:
        return ["wrapped", handler(*arguments, **keywords)]

    return wrapper


def test_a_decorator_in_between_is_looked_through() -> None:
    @function
    @wrapped
    def handler(event: Point, context: Context) -> Any:
        return [event, context]

    assert call(handler, {"x": 1}) == ["wrapped", [Point(1), CONTEXT]]


def test_a_decorator_on_top_keeps_the_mark() -> None:
    @wrapped
    @function
    def handler(context: Context, event: Point) -> Any:
        return event

    assert call(handler, {"x": 1}) == ["wrapped", Point(1)]


def test_a_decorator_that_makes_its_own_event_gets_the_plain_one() -> None:
    @function
    @wrapped
    def handler(event: Plain, context: Context) -> Any:
        return event

    assert call(handler, {"x": 1}) == ["wrapped", {"x": 1}]


def test_an_adopted_handler_behind_a_decorator_gets_what_aws_would_pass() -> None:
    @wrapped
    def handler(event: Point, context: Context) -> Any:
        return event

    assert call(handler, {"x": 1}) == ["wrapped", {"x": 1}]


@pytest.mark.parametrize(
    "annotation",
    [
        None,
        Any,
        object,
        dict,
        list,
        str,
        dict[str, Any],
        list[dict[str, int]],
        dict | None,
        Optional[dict],
        Union[dict, list],
        Mapping[str, Any],
        Sequence,
        "dict[str, Any]",
        "Any",
    ],
    ids=str,
)
def test_plain_json_is_handed_over_as_it_is(annotation: Any) -> None:
    def handler(context, event):  # type: ignore[no-untyped-def]
        return event

    handler.__annotations__ = {"context": Context, "event": annotation}
    assert bind(function(handler)).converter is None


@pytest.mark.parametrize(
    ("annotation", "event", "expected"),
    [
        (Point, {"x": 1}, Point(1)),
        ("Point", {"x": 1}, Point(1)),
        (list[Point], [{"x": 1}], [Point(1)]),
        (dict[str, Point], {"a": {"x": 1}}, {"a": Point(1)}),
        (Point | None, None, None),
        (Optional[Point], {"x": 1}, Point(1)),
        (Point | int, 5, 5),
        (Named, {"name": "n", "more": 1}, {"name": "n"}),
    ],
    ids=str,
)
def test_typed_events_are_made(annotation: Any, event: Any, expected: Any) -> None:
    def handler(context, event):  # type: ignore[no-untyped-def]
        return event

    handler.__annotations__ = {"context": Context, "event": annotation}
    assert call(function(handler), event) == expected


def test_an_adopted_handler_with_a_typed_dict_keeps_the_whole_event() -> None:
    def handler(event: Named, context: Any) -> Any:
        return event

    assert call(handler, {"name": "n", "more": 1}) == {"name": "n", "more": 1}


def test_an_adopted_handler_with_a_dataclass_gets_one() -> None:
    def handler(event: Point, context: Any) -> Any:
        return event

    assert call(handler, {"x": 1}) == Point(1)


@pytest.mark.parametrize("annotation", [Plain, "Plain", "Decimal", set, set[int], bytes, list[Plain], "no such name"])
def test_an_adopted_handler_with_any_other_annotation_gets_plain_json(annotation: Any) -> None:
    def handler(event, context):  # type: ignore[no-untyped-def]
        return event

    handler.__annotations__ = {"event": annotation}
    assert bind(handler).converter is None


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        (Plain, "no event can be made for the annotation Plain"),
        (set[int], "no event can be made for the annotation"),
        (list[Plain], "no event can be made for the annotation"),
        ("Decimal", "'Decimal' has no meaning at run time .*; import its names outside of `if TYPE_CHECKING`"),
    ],
)
def test_a_decorated_function_with_such_an_annotation_is_refused(annotation: Any, message: str) -> None:
    def handler(context, event):  # type: ignore[no-untyped-def]
        return event

    handler.__annotations__ = {"context": Context, "event": annotation}
    with pytest.raises(Fault, match=message) as caught:
        bind(function(handler))
    assert caught.value.error_type == "Runtime.InvalidHandlerSignature"
    assert f"{Path(__file__).name}:{handler.__code__.co_firstlineno}" in caught.value.message


def test_an_exception_that_is_returned_is_raised() -> None:
    error = LookupError("returned")
    with pytest.raises(LookupError) as caught:
        call(lambda event, context: error)
    assert caught.value is error


def test_awaitables_are_awaited_whoever_makes_them() -> None:
    async def handler(event, context):  # type: ignore[no-untyped-def]
        return event

    def indirect(event, context):  # type: ignore[no-untyped-def]
        return handler(event, context)  # type: ignore[no-untyped-call]

    try:
        assert call(handler, 1) == 1
        assert call(indirect, 2) == 2
        first = asynchronous._loop
        asynchronous.close()
        assert first is not None
        assert first.is_closed()
        assert call(handler, 3) == 3
        assert asynchronous._loop is not first
    finally:
        asynchronous.close()
        asynchronous.close()


def test_the_event_loop_is_not_made_by_binding() -> None:
    async def handler(event, context):  # type: ignore[no-untyped-def]
        return event

    bind(handler)
    assert asynchronous._loop is None


def test_reading_a_signature_imports_neither_inspect_nor_typing(tmp_path: Path) -> None:
    file = tmp_path / "lean.py"
    file.write_text("def handler(a, /, b, *, c=1, **d): pass\n")
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import lean; "
        "from pyl.runtime.handlers.annotations import signature_of; "
        "found = signature_of(lean.handler); assert 'inspect' not in sys.modules and 'typing' not in sys.modules; "
        "print([(p.name, p.kind, p.has_default) for p in found.parameters])"
    )
    source = str(Path(pyl.__file__).parents[1])
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.append({source!r}); {code}", str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "[('a', 0, False), ('b', 1, False), ('c', 3, True), ('d', 4, False)]"


def test_signatures_agree_with_inspect(tmp_path: Path) -> None:
    import inspect

    from pyl.runtime.handlers.annotations import signature_of

    module = _module(
        tmp_path,
        "def f0(): pass\ndef f1(a, b): pass\ndef f2(a, /, b, *c, d, e=1, **f): pass\ndef f3(a=1, *, b=2): pass\n"
        "def f4(*a, **b): pass\nclass C:\n    def m(self, a, b=1): pass\nm = C().m\n",
    )
    for name in ("f0", "f1", "f2", "f3", "f4", "m"):
        handler = getattr(module, name)
        expected = [
            (parameter.name, int(parameter.kind), parameter.default is not parameter.empty)
            for parameter in inspect.signature(handler).parameters.values()
        ]
        found = [(p.name, p.kind, p.has_default) for p in signature_of(handler).parameters]
        assert found == expected, name


def _module(folder: Path, text: str) -> ModuleType:
    (folder / "signatures.py").write_text(text)
    spec = importlib.util.spec_from_file_location("signatures", folder / "signatures.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclasses.dataclass
class Line:
    sku: str


def of_quotes_inside(context: Context, event: list["Line"]) -> list[str]:  # noqa: UP037
    return [line.sku for line in event]


def of_quotes_inside_of_quotes(context: Context, event: dict[str, list[Line]]) -> list[str]:
    return [line.sku for line in event["lines"]]


def of_a_literal(context: Context, event: Literal["Line"]) -> str:
    return event


@pytest.mark.parametrize(
    ("handler", "event", "result"),
    [
        (of_quotes_inside, b'[{"sku": "MUG"}]', ["MUG"]),
        (of_quotes_inside_of_quotes, b'{"lines": [{"sku": "MUG"}]}', ["MUG"]),
    ],
)
def test_names_in_quotes_are_found_wherever_they_stand(handler: Any, event: bytes, result: Any) -> None:
    binding = bind(handler)
    assert binding.converter is not None
    assert binding.call(binding.converter.from_json(event), Context()) == result


def test_the_strings_of_a_literal_are_values_and_no_names() -> None:
    assert bind(of_a_literal).call("Line", Context()) == "Line"
