"""The table of an interpreted package, without awslambdaric: tools and tests import it too."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pyl import Context
from pyl.runtime.bootstrap import Table, as_context
from pyl.runtime.errors import Fault


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("first_module", "second_module"):
        (tmp_path / f"{name}.py").write_text(
            "class Space:\n    @staticmethod\n    def f(event, context): return event\n"
        )
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def test_nothing_is_imported_before_a_function_is_looked_up(modules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_HANDLER", "functions.first")
    table = Table({"first": "first_module:Space.f", "second": "second_module:Space.f"})
    assert "first_module" not in sys.modules
    handler = table("second")
    assert "second_module" in sys.modules
    assert "first_module" not in sys.modules
    assert table("second") is handler
    assert handler({"a": 1}, Context()) == {"a": 1}


def test_a_name_that_is_no_function_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'functions' has no attribute '__path__'"):
        Table({})("__path__")


def test_without_awslambdaric_failures_are_raised_as_they_are(modules: Path) -> None:

    (modules / "failing_module.py").write_text("def f(event, context): raise LookupError(event)\n")
    with pytest.raises(LookupError, match="text"):
        Table({"f": "failing_module:f"})("f")("text", Context())
    with pytest.raises(Fault, match="Unable to import module 'nowhere'"):
        Table({"g": "nowhere:f"})("g")


def test_without_simplejson_results_become_plain_values(modules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "simplejson.raw_json", raising=False)
    (modules / "result_module.py").write_text("import uuid\ndef f(event, context): return {'id': uuid.UUID(int=1)}\n")
    handler = Table({"f": "result_module:f"})("f")
    assert handler(None, Context()) == {"id": "00000000-0000-0000-0000-000000000001"}


def test_an_older_context_of_awslambdaric_is_understood() -> None:
    class Older:
        def __init__(self) -> None:
            self.aws_request_id = "r"

    context = as_context(Older())
    assert (context.request_id, context.deadline_ms, context.remaining_time_ms, context.w3c()) == ("r", 0, 0, {})
