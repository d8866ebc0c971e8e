"""A project is read whole or its problems are told, whatever its files hold; nothing of it is imported."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pyl.project import Examination, examine, load_project
from pyl.project.diagnostics import Code, render_diagnostic
from pyl.project.model import Function

PYPROJECT = """
[project]
name = "orders"

[tool.pyl]
region = "eu-central-1"
"""
HANDLER = "from pyl import Context, function\n\n@function\ndef hello(context: Context, event: dict): ...\n"


def write(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in {"pyproject.toml": PYPROJECT, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"), "utf-8")
    return folder


def functions(folder: Path) -> list[Function]:
    return list(load_project(folder, environ={}).functions)


def codes(examination: Examination) -> list[Code]:
    return [diagnostic.code for diagnostic in examination.diagnostics]


def test_a_function_is_found_with_all_that_is_known_of_it(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "handlers.py": '''
            from pyl import Context, function
            from pyl.events import SQSEvent

            @function
            def notify(context: Context, event: SQSEvent) -> dict:
                """Tell the customer.

                By mail.
                """
                return {}
        ''',
            "pyproject.toml": f"{PYPROJECT}\nmemory = 256\n[tool.pyl.functions.notify]\ntimeout = 20\n",
        },
    )
    project = load_project(tmp_path, environ={})
    (notify,) = project.functions
    assert (project.root, project.name) == (tmp_path.resolve(), "orders")
    assert (notify.name, notify.module, notify.attribute) == ("notify", "handlers", "notify")
    assert (notify.file, notify.line) == (tmp_path / "handlers.py", 5)
    assert notify.event == "pyl.events.SQSEvent"
    assert notify.description == "Tell the customer."
    assert (notify.configuration.memory, notify.configuration.timeout) == (256, 20)


@pytest.mark.parametrize(
    ("imports", "decorator", "context"),
    [
        ("from pyl import function, Context", "@function", "Context"),
        ("from pyl import function, Context", "@function()", "Context"),
        ("from pyl import function as f, Context as C", "@f", "C"),
        ("import pyl", "@pyl.function", "pyl.Context"),
        ("import pyl as p", "@p.function(description='x')", "p.Context"),
        ("import pyl.events, pyl.context as c", "@pyl.function", "c.Context"),
        ("from pyl.function import function\nfrom pyl.context import Context", "@function", "Context"),
        ("from pyl import *", "@function", "Context"),
        ("import pyl\nlambda_function = pyl.function\nfrom pyl import Context", "@lambda_function", "Context"),
        ("try:\n    from pyl import function, Context\nexcept ImportError:\n    raise", "@function", "Context"),
        ("from pyl import function\nimport typing\nif typing.TYPE_CHECKING: import pyl", "@function", "'pyl.Context'"),
        ("from .own import function, Context", "@function", "Context"),
        ("from app.own import *", "@function", "Context"),
        ("from . import own", "@own.function", "own.Context"),
    ],
)
def test_the_decorator_is_known_under_every_name(tmp_path: Path, imports: str, decorator: str, context: str) -> None:
    handler = f"{imports}\n\n{decorator}\ndef hello(event: dict, ctx: {context}): ...\n"
    own = "from pyl import function, Context\n"
    write(tmp_path, {"app/handlers.py": handler, "app/__init__.py": "", "app/own.py": own})
    (hello,) = functions(tmp_path)
    assert (hello.name, hello.module, hello.event) == ("hello", "app.handlers", "dict")


@pytest.mark.parametrize("decorator", ["@other.function", "@functools.cache", "@make()", "@function.x", "@registry[1]"])
def test_other_decorators_declare_nothing(tmp_path: Path, decorator: str) -> None:
    text = f"import functools, other\nfrom other import make, registry\nfrom pyl import function\n{decorator}\n"
    write(tmp_path, {"more.py": text + "def no(a): ...\n", "handlers.py": HANDLER})
    assert [function.name for function in functions(tmp_path)] == ["hello"]


@pytest.mark.parametrize(
    "parameters",
    [
        "context: Context, event: dict",
        "event: dict, context: Context",
        "context, event: dict",
        "event: dict, context",
        "context: Context, event, /",
        "event, context",
        "context, event",
        "first, second",
        "context: Context, event, *, retries=3",
        "event: dict, context: Context | None",
        "event: dict, context: Optional[Context]",
        "event: dict, context: LambdaContext",
    ],
)
@pytest.mark.parametrize("define", ["def", "async def"])
def test_context_and_event_may_stand_in_either_order(tmp_path: Path, parameters: str, define: str) -> None:
    imports = "from typing import Optional\nfrom pyl import Context, function\nfrom awslambdaric.lambda_context import "
    write(tmp_path, {"handlers.py": f"{imports}LambdaContext\n@function\n{define} hello({parameters}): ...\n"})
    assert [function.name for function in functions(tmp_path)] == ["hello"]


def test_several_modules_and_packages_below_src_are_searched(tmp_path: Path) -> None:
    write(
        tmp_path, {"src/a.py": HANDLER, "src/pkg/__init__.py": HANDLER.replace("hello", "two"), "elsewhere.py": HANDLER}
    )
    found = [(function.name, function.module) for function in functions(tmp_path)]
    assert found == [("hello", "a"), ("two", "pkg")]


def test_functions_below_if_and_try_count_but_not_those_of_the_main_guard(tmp_path: Path) -> None:
    text = """
        import sys
        from pyl import Context, function
        if sys.platform == "linux":
            @function
            def one(context: Context, event): ...
        try:
            pass
        finally:
            @function
            def two(context: Context, event): ...
        if __name__ == "__main__":
            @function
            def three(context: Context, event): ...
    """
    write(tmp_path, {"handlers.py": text})
    assert [function.name for function in functions(tmp_path)] == ["one", "two"]


def test_the_decorator_names_and_describes_and_configuration_describes_over_it(tmp_path: Path) -> None:
    text = """
        from pyl import Context, function
        @function(name="send-mail", description="Sends")
        def send(context: Context, event): "Doc."
        @function(name=None, description="Takes")
        def take(context: Context, event): "Doc."
    """
    table = '\n[tool.pyl.functions.take]\ndescription = "From the file"\n'
    write(tmp_path, {"handlers.py": text, "pyproject.toml": PYPROJECT + table})
    found = [(function.name, function.attribute, function.description) for function in functions(tmp_path)]
    assert found == [("send-mail", "send", "Sends"), ("take", "take", "From the file")]


@pytest.mark.parametrize(
    ("code", "line", "event"),
    [
        ("def main(event, context): ...", 1, None),
        ("def main(*args): ...", 1, None),
        ("def main(event: dict, context=None): ...", 1, "dict"),
        ("from aws import LambdaContext\ndef main(event: dict, context: 'LambdaContext') -> dict: ...", 2, "dict"),
        ("class Plain: ...\ndef main(event: Plain, context): yield event", 2, "Plain"),
        ("from .inner import main", 1, None),
        ("from mangum import Mangum\nmain = Mangum(None)", 2, None),
        ("from elsewhere import main", 1, None),
        ("from elsewhere import *", 1, None),
        ("import functools\n@functools.cache\ndef main(x): ...", 3, None),
    ],
)
def test_a_plain_handler_is_adopted_by_configuration(tmp_path: Path, code: str, line: int, event: str | None) -> None:
    table = '\n[tool.pyl.functions.report]\nhandler = "legacy.app:main"\nmemory = 1024\n'
    inner = "def main(event, context): ...\n"
    write(tmp_path, {"legacy/app.py": code, "legacy/inner.py": inner, "pyproject.toml": PYPROJECT + table})
    (report,) = functions(tmp_path)
    assert (report.name, report.module, report.attribute) == ("report", "legacy.app", "main")
    assert (report.line, report.event, report.configuration.memory) == (line, event, 1024)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("def main(event): ...", Code.PARAMETER_COUNT),
        ("def main(event, context, more): ...", Code.PARAMETER_COUNT),
        ("def mian(event, context): ...", Code.HANDLER_NOT_FOUND),
        ("import json as main", Code.HANDLER_NOT_FOUND),
        ("def main(:", Code.SYNTAX_ERROR),
    ],
)
def test_an_adopted_handler_that_cannot_be_one_is_told(tmp_path: Path, code: str, expected: Code) -> None:
    table = '\n[tool.pyl.functions.report]\nhandler = "app:main"\n'
    write(tmp_path, {"app.py": code, "pyproject.toml": PYPROJECT + table})
    assert codes(examine(tmp_path, environ={})) == [expected]


def test_adopting_under_the_name_of_a_decorated_function_is_a_duplicate(tmp_path: Path) -> None:
    table = '\n[tool.pyl.functions.hello]\nhandler = "handlers:hello"\n'
    write(tmp_path, {"handlers.py": HANDLER, "pyproject.toml": PYPROJECT + table})
    assert codes(examine(tmp_path, environ={})) == [Code.DUPLICATE_FUNCTION]


def test_nothing_of_the_project_is_imported(tmp_path: Path) -> None:
    write(tmp_path, {"handlers.py": f"raise SystemExit('imported')\n{HANDLER}", "sitecustomize.py": "raise SystemExit"})
    before = set(sys.modules)
    assert functions(tmp_path)
    assert not {"handlers", "sitecustomize"} & (set(sys.modules) - before)


def test_a_syntax_error_hides_no_other_problem_but_those_that_may_be_its_consequence(tmp_path: Path) -> None:
    table = "\n[tool.pyl.functions.other]\nmemory = 256\n"
    wrong = HANDLER.replace("event: dict", "event: set")
    write(tmp_path, {"a.py": "def x(:\n", "handlers.py": wrong, "pyproject.toml": PYPROJECT + table})
    assert codes(examine(tmp_path, environ={})) == [Code.SYNTAX_ERROR, Code.EVENT_ANNOTATION]


@pytest.mark.parametrize(
    "content", [b"x = '\xff'", b"\x00", b"# coding: klingon\n", b"(" * 5000, b"-" * 100_000 + b"1"]
)
def test_what_is_no_python_is_a_syntax_error_at_a_line(tmp_path: Path, content: bytes) -> None:
    write(tmp_path, {"handlers.py": HANDLER})
    (tmp_path / "bad.py").write_bytes(content)
    (diagnostic,) = examine(tmp_path, environ={}).diagnostics
    assert (diagnostic.code, diagnostic.file) == (Code.SYNTAX_ERROR, tmp_path / "bad.py")
    assert diagnostic.line == 1


def test_annotations_and_expressions_as_deep_as_the_parser_lets_them_be_are_told_or_taken(tmp_path: Path) -> None:
    deep = " | ".join(["dict"] * 2500)
    write(tmp_path, {"handlers.py": HANDLER.replace("event: dict", f"event: {deep}")})
    assert set(codes(examine(tmp_path, environ={}))) <= {Code.SYNTAX_ERROR}


def test_columns_count_characters_not_bytes(tmp_path: Path) -> None:
    write(tmp_path, {"handlers.py": HANDLER.replace("def hello(context: Context", "def größe(grüße: Context")})
    wrong = (tmp_path / "handlers.py").read_text("utf-8").replace("event: dict", "event: bytes")
    (tmp_path / "handlers.py").write_text("\ufeff" + wrong, "utf-8")
    named, typed = examine(tmp_path, environ={}).diagnostics
    assert (named.code, named.column, named.width) == (Code.FUNCTION_NAME, 5, 5)
    assert (typed.column, typed.width) == (34, 5)
    assert "     ^^^^^" in render_diagnostic(named, tmp_path)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the syntax of Python 3.12")
def test_type_aliases_and_type_parameters_are_understood(tmp_path: Path) -> None:
    text = "type Event = dict[str, int]\n" + HANDLER.replace("event: dict", "event: Event")
    write(
        tmp_path,
        {"handlers.py": text, "more.py": text.replace("def hello(", "def two[T](").replace(": Event", ": list[T]")},
    )
    assert [function.name for function in functions(tmp_path)] == ["hello", "two"]


def test_the_project_is_searched_upwards_from_the_current_folder_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"src/deep/handlers.py": HANDLER})
    monkeypatch.chdir(tmp_path / "src" / "deep")
    assert examine(Path(), environ={}).root == tmp_path.resolve()
    assert codes(examine(tmp_path / "src", environ={})) == [Code.NO_PYPROJECT]


def test_diagnostics_come_in_the_same_order_whatever_the_file_system_says(tmp_path: Path) -> None:
    wrong = HANDLER.replace("event: dict", "event: set")
    write(
        tmp_path,
        {"b.py": wrong, "a.py": wrong.replace("hello", "two"), "pyproject.toml": f"{PYPROJECT}\nx = 1\ny = 1\n"},
    )
    found = [(d.location(tmp_path), d.line) for d in examine(tmp_path, environ={}).diagnostics]
    assert found == [("pyproject.toml", 7), ("pyproject.toml", 8), ("a.py", 4), ("b.py", 4)]


PYTHON = st.lists(
    st.one_of(
        st.sampled_from(
            """
            @function|@pyl.function|@function(name="a")|@function(|)|def f(|context: Context|, |event: dict|event|*args
            |/|=1|) -> |None|: ...|\n|    |class A:|async |return|yield|from pyl import Context, function\n|import pyl\n
            |from . import x\n|from .. import y\n|from pyl.events import *\n|SQSEvent|"SQSEvent"|"("|[|]|{|}|\x00|\\|'''
            |if TYPE_CHECKING:\n|try:|except:|lambda: |:=|x: int = 1\n|del f\n|global f|Optional[|Annotated[|Literal[
            """.replace("\n            ", "").split("|")
        ),
        st.text(max_size=8),
    ),
    max_size=25,
).map("".join)
TOML = st.lists(
    st.one_of(
        st.sampled_from(
            """[tool.pyl]|[tool]|[tool.pyl.functions.f]|[tool.pyl.native]|[[tool.pyl]]|tool.pyl|\n|=|source|include|exclude
            |memory|timeout|environment|handler|event|warm_up|image|compile
            |functions|native| = "x"| = 1|["**/[", "{"]|{|}
            |"../.."|"a:b"|"*"|"\\u0000"|#|'''|""|.|true|1979-05-27""".replace("\n            ", "").split("|")
        ),
        st.text(max_size=6),
    ),
    max_size=15,
).map("".join)


@settings(max_examples=settings().max_examples // 4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(TOML, TOML.map(lambda text: f"[tool.pyl]\n{text}")), PYTHON)
@example("[tool.pyl]\nexclude = ['[z-a]', '[!]', '[', '**[']\n", "def f(")
@example("[tool.pyl]\nsource = 'x\\u0000'\n", "")
@example(f"[tool.pyl]\nx = {'[' * 2000}{']' * 2000}", "")
@example(f"[tool.pyl]\nmemory = {'1' * 5000}", "")
@example("[tool.pyl]\n", f"from pyl import *\n@function\ndef f(context: Context, event: {'-' * 900}1): ...")
@example("[tool.pyl]\n", f"from pyl import *\n@function\ndef f(context: Context, event: {'x[' * 90}1{']' * 90}): ...")
@example("[tool.pyl]\n[tool.pyl.functions.f]\nhandler = 'a:f'", "from a import f\nfrom a import *\n")
@example("[tool.pyl]\n[tool.pyl.functions.f]\nhandler = 'a:f'", "f = g\ng = f\nclass A(A): ...\ndef x(y: A): ...\n")
def test_whatever_the_files_hold_the_examination_ends_with_an_answer(toml: str, python: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "pyproject.toml").write_text(toml, "utf-8", errors="replace")
        (folder / "a.py").write_text(python, "utf-8", errors="replace")
        examination = examine(folder, environ={})
        assert (examination.project is None) == bool(examination.diagnostics)
        for diagnostic in examination.diagnostics:
            assert render_diagnostic(diagnostic, folder)
            assert diagnostic.as_json(folder)["code"] == diagnostic.code
            assert diagnostic.file is None or diagnostic.file.parent == Path(os.path.realpath(folder))
