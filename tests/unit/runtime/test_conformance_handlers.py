"""Decorated handlers get and give the same, in pyl's own runtime and in an interpreted package."""

from __future__ import annotations

import json
from typing import Any

import pytest

from unit.runtime.api_server import ARN, INTERPRETED, Pool, RuntimeAPI, RuntimeCommand

ORDER = {"items": [{"itemId": "a", "price": 12.5, "new": True}], "placedAt": "2026-11-23T10:00:00Z", "raw": "aGk="}


def test_a_struct_is_made_of_the_event(pool: Pool, either: RuntimeCommand) -> None:
    with pool.serve(either, "struct") as api:
        assert api.result(ORDER) == {"ids": ["a"], "types": ["Order", "Decimal"], "year": 2026, "raw": "hi"}


def test_a_struct_goes_back_under_its_json_names(pool: Pool, either: RuntimeCommand) -> None:
    with pool.serve(either, "struct_back") as api:
        assert api.result(ORDER) == {
            "items": [{"itemId": "a", "price": 12.5, "size": 0}],
            "placedAt": "2026-11-23T10:00:00Z",
            "raw": "aGk=",
        }


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"items": [{"price": 1}]}, "Object missing required field `itemId` - at `$.items[0].itemId`"),
        ({}, "Object missing required field `items` - at `$.items`"),
        ({"items": [{"itemId": 5, "price": 1}]}, "Expected `str`, got `int` - at `$.items[0].itemId`"),
        ([], "Expected `object`, got `array`"),
    ],
)
def test_an_event_that_does_not_fit_names_its_path(
    pool: Pool, either: RuntimeCommand, event: Any, message: str
) -> None:
    with pool.serve(either, "struct") as api:
        assert api.error(event) == {
            "errorMessage": f"Unable to unmarshal input: {message}",
            "errorType": "Runtime.UnmarshalError",
            "requestId": api.request_id,
            "stackTrace": [],
        }
        assert api.result(ORDER)["ids"] == ["a"]


@pytest.mark.parametrize("raw", [b"{", b"", b"\xff", b'{"items": "\xff"}', b'{"items": "\\ud800"}', b"NaN"])
def test_a_typed_event_that_is_no_json_is_an_unmarshal_error(pool: Pool, runtime: RuntimeCommand, raw: bytes) -> None:
    with pool.serve(runtime, "struct") as api:
        payload = api.error(raw=raw)
        assert payload["errorType"] == "Runtime.UnmarshalError"
        assert payload["stackTrace"] == []


@pytest.mark.parametrize("content_type", [None, "", "application/octet-stream"])
def test_a_typed_event_is_decoded_whatever_its_content_type(
    pool: Pool, runtime: RuntimeCommand, content_type: str | None
) -> None:
    with pool.serve(runtime, "struct") as api:
        assert api.result(ORDER, content_type=content_type)["ids"] == ["a"]


def test_a_dataclass_is_made_and_given_back_under_a_name_of_its_own(pool: Pool, either: RuntimeCommand) -> None:
    with pool.serve(either, "other-name") as api:
        assert api.result({"x": 1, "z": 2}) == {"x": 1, "y": 0}
        assert api.error({"x": "1"})["errorMessage"].endswith("Expected `int`, got `str` - at `$.x`")


def test_a_typed_dict_is_checked(pool: Pool, either: RuntimeCommand) -> None:
    with pool.serve(either, "typed_dict") as api:
        assert api.result({"name": "n", "more": 1}) == "n"
        assert api.error({"more": 1})["errorMessage"].endswith("- at `$.name`")


def test_an_event_may_be_optional_or_a_list(api: RuntimeAPI, either: RuntimeCommand) -> None:
    with either.start(api, "optional"):
        assert api.result(raw=b" null\n") == [True, None]
        assert api.result({"x": 1}) == [False, {"x": 1, "y": 0}]
    with RuntimeAPI() as second, either.start(second, "several"):
        assert second.result([{"x": 1}, {"x": 2}]) == 3


def test_a_strict_pydantic_model_is_made_of_json(pool: Pool, either: RuntimeCommand) -> None:
    with pool.serve(either, "model") as api:
        event = {"name": "n", "day": "2026-11-23", "tags": ["a"]}
        assert api.result(event) == event
        payload = api.error({"name": "n", "day": "2026-11-23", "tags": [1]})
        assert payload["errorType"] == "Runtime.UnmarshalError"
        assert payload["errorMessage"].endswith("Input should be a valid string - at `$.tags[0]`")
        assert api.error({})["errorMessage"].endswith("Field required - at `$.name` (and 1 more)")


def test_async_handlers_share_one_event_loop(pool: Pool, either: RuntimeCommand) -> None:
    with pool.serve(either, "asynchronous") as api:
        first, second = api.result({"n": 1}), api.result({"n": 2})
        assert second["event"] == {"n": 2}
        assert first["loop"] == second["loop"]


@pytest.mark.parametrize("function", ["asynchronous_failure", "fail"])
def test_a_stack_trace_begins_in_the_users_code(pool: Pool, either: RuntimeCommand, function: str) -> None:
    with pool.serve(either, function) as api:
        trace = api.error("text")["stackTrace"]
    first = "asynchronous_failure" if function == "asynchronous_failure" else "fail"
    assert f", in {first}\n" in trace[0]
    assert not any("/pyl/runtime/" in frame or "asyncio" in frame for frame in trace)


def test_an_exception_that_is_returned_is_reported_as_if_raised(api: RuntimeAPI, either: RuntimeCommand) -> None:
    with either.start(api, "returned_error") as process:
        assert api.error({}) == {
            "errorMessage": "'returned'",
            "errorType": "KeyError",
            "requestId": "request-1",
            "stackTrace": [],
        }
        api.expect("next")
        assert "[ERROR] KeyError: 'returned'" in process.stdout()


def test_library_types_have_a_form_in_json(pool: Pool, either: RuntimeCommand) -> None:
    with pool.serve(either, "library_types") as api:
        posted = api.invoke({})
    assert json.loads(posted.body, parse_float=str) == {
        "datetime": "2026-11-23T10:00:00Z",
        "date": "2026-11-23",
        "uuid": "00000000-0000-0000-0000-000000000001",
        "decimal": "1.10",
        "bytes": "AP8=",
        "set": [1],
        "nested": [
            {"x": 1, "y": 0},
            {"itemId": "a", "price": "2.50", "size": 0},
            {"name": "n", "day": "2026-01-02", "tags": []},
        ],
        "duration": "PT90S",
    }


def test_pyls_own_names_are_on_the_context(pool: Pool, either: RuntimeCommand) -> None:
    with pool.serve(either, "surface") as api:
        got = api.result({})
    assert got.pop("remaining") > 1_000_000_000
    assert got == {
        "id": api.request_id,
        "deadline": 4102444800000,
        "arn": ARN,
        "trace": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=1",
        "class": "pyl.context",
    }


def test_unannotated_parameters_go_by_position(pool: Pool, either: RuntimeCommand) -> None:
    with pool.serve(either, "by_position") as api:
        assert api.result({"a": 1}) == ["Context", {"a": 1}]


def test_state_stays_between_invocations(api: RuntimeAPI, either: RuntimeCommand) -> None:
    with either.start(api, "count"):
        assert [api.result(number) for number in range(3)] == [1, 2, 3]


def test_only_the_module_of_the_function_is_imported(api: RuntimeAPI, either: RuntimeCommand) -> None:
    if either.name == "image":
        pytest.skip("a process image holds the modules of all functions")
    with either.start(api, "evaluate"):
        loaded = api.result(
            "sorted(set(__import__('sys').modules) & {'plain', 'handlers', 'models', 'pydantic', 'msgspec'})"
        )
        assert loaded == ["plain"]


def test_nothing_that_is_slow_to_import_is_imported_for_plain_json(api: RuntimeAPI, runtime: RuntimeCommand) -> None:
    if runtime.compiled:
        pytest.skip("what a compiled module imports for itself is not the runtime's doing")
    slow = "{'json', 're', 'typing', 'logging', 'inspect', 'dataclasses', 'socket', 'asyncio', 'msgspec', 'pathlib'}"
    with runtime.start(api, "evaluate"):
        api.result("1")
        assert api.result(f"sorted(set(__import__('sys').modules) & {slow})") == []


def test_snapstart_runs_the_functions_hooks(api: RuntimeAPI) -> None:
    with INTERPRETED.start(api, "hooked", AWS_LAMBDA_INITIALIZATION_TYPE="snap-start") as process:
        api.reply(api.receive(), "200 OK")  # /restore/next
        assert api.result({}) == ["first", "second", "before", "library restored", "restored"]
        assert process.stdout() == ""
