"""Failures are described whatever they are made of."""

from __future__ import annotations

from typing import Any

import pytest

from pyl.runtime import errors
from pyl.runtime.errors import Fault, describe


class Untellable(Exception):
    def __str__(self) -> str:
        raise LookupError


def raising(error: Exception) -> None:
    raise error


def raised(error: Exception) -> Exception:
    with pytest.raises(type(error)) as caught:
        raising(error)
    return caught.value


def test_an_exception_whose_text_fails_is_reported_all_the_same() -> None:
    described = describe(raised(Untellable()))
    assert described.error_type == "Untellable"
    assert described.message == "<Untellable: its text could not be made: LookupError>"


def test_frames_say_file_line_function_and_source() -> None:
    frame = describe(raised(ValueError("v"))).frames[-1]
    assert frame[0] == __file__
    assert frame[2:] == ("raising", "raise error")


def test_a_fault_has_its_own_trace_and_no_frames() -> None:
    described = describe(raised(Fault("Runtime.UserCodeSyntaxError", "m", ["where"])))
    assert described.payload("r") == {
        "errorMessage": "m",
        "errorType": "Runtime.UserCodeSyntaxError",
        "requestId": "r",
        "stackTrace": ["where"],
    }
    assert described.xray_cause()["exceptions"] == [{"message": "m", "type": "LambdaValidationError", "stack": []}]


def test_frames_of_the_runtime_are_left_out_at_the_top_only() -> None:
    namespace: dict[str, Any] = {"__name__": "pyl.runtime.loop.python_loop", "raised": raised}
    exec("def ours(call): return call()", namespace)

    def users(error: Exception) -> None:
        namespace["ours"](lambda: (_ for _ in ()).throw(error))

    try:
        namespace["ours"](lambda: users(ValueError()))
    except ValueError as error:
        names = [frame[2] for frame in errors.user_frames(error.__traceback__)]
    # The first frame here is the test's own.
    assert names[0] == "test_frames_of_the_runtime_are_left_out_at_the_top_only"
    assert names[-3:] == ["ours", "<lambda>", "<genexpr>"]


@pytest.mark.parametrize(
    ("error_type", "header"),
    [
        ("ValueError", "Function.ValueError"),
        ("Runtime.MarshalError", "Runtime.MarshalError"),
        ("lowercase", "Function.Unknown"),
        ("Error2", "Function.Unknown"),
        ("Größe", "Function.Unknown"),
        ("With_Underscore", "Function.Unknown"),
        ("E", "Function.Unknown"),
        ("", "Function.Unknown"),
    ],
)
def test_the_header_type_has_lambdas_form(error_type: str, header: str) -> None:
    assert errors.ErrorReport(error_type, "", [], []).header_type() == header
