"""From a handler string to a function, or to the error type that says why not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pyl.runtime.errors import Fault
from pyl.runtime.handlers.binding import Functions, function_name


@pytest.mark.parametrize("handler", ["functions.hello", "anything.at.all.hello", "src/functions.hello"])
def test_the_last_segment_names_the_function(handler: str) -> None:
    assert function_name(handler) == "hello"


@pytest.mark.parametrize("handler", [None, "", "hello", ".hello", "functions."])
def test_a_handler_without_both_parts_is_malformed(handler: str | None) -> None:
    with pytest.raises(Fault, match=r"it must read functions.<name>") as caught:
        function_name(handler)
    assert caught.value.error_type == "Runtime.MalformedHandlerName"


def test_functions_are_loaded_once_and_all_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "loads_well.py").write_text("def a(event, context): pass\ndef b(event, context): pass\n")
    (tmp_path / "loads_badly.py").write_text("raise LookupError('at import')\n")
    functions = Functions({"a": "loads_well:a", "b": "loads_well:b", "c": "loads_badly:c", "d": "not_there:d"})
    failures = functions.load_all()
    assert {name: type(error).__name__ for name, error in failures.items()} == {"c": "LookupError", "d": "Fault"}
    assert functions.choose("functions.a") is functions.load("a")
    assert functions.load("a").handler is sys.modules["loads_well"].a


def test_an_unknown_function_is_not_found_among_those_that_exist() -> None:
    with pytest.raises(Fault, match=r"the package has: a, b$") as caught:
        Functions({"b": "m:b", "a": "m:a"}).load("c")
    assert caught.value.error_type == "Runtime.HandlerNotFound"
    with pytest.raises(Fault, match=r"the package has: none$"):
        Functions({}).load("c")
