"""The same question to pyl and to awslambdaric: same answers, same errors, same log lines."""

from __future__ import annotations

import decimal
import functools
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from unit.runtime.api_server import REFERENCE, Pool, Request, RuntimeAPI, RuntimeCommand

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")


FOLDER = re.compile(r'[^\s",:]*/(?=\w+\.py)')
SOURCE_LINE = re.compile(r"(line \d+, in [^\\\n\r\"]+)(?:\\+n|[\n\r])[ \u00a0]{4}.*?(?=\\+n|[\r\n\"]|$)")


def comparable(runtime: RuntimeCommand, answer: Any) -> Any:
    """Leave out what a package that stands elsewhere and has no source cannot say: folders and source lines."""
    if not runtime.compiled:
        return answer
    if isinstance(answer, str):
        return SOURCE_LINE.sub(r"\1", FOLDER.sub("", answer))
    return json.loads(comparable(runtime, json.dumps(answer, ensure_ascii=False)))


@dataclass(frozen=True)
class Answer:
    """What one invocation (or the failed start) led to."""

    posted: Request
    log: str

    @property
    def payload(self) -> Any:
        # awslambdaric's init errors go through http.client, which encodes text as Latin-1.
        is_latin = self.posted.headers.get("content-type") is None
        return json.loads(self.posted.body.decode("latin-1")) if is_latin else self.posted.json

    @property
    def lines(self) -> str:
        return TIMESTAMP.sub("TIME", self.log)


def once_of_reference(question: Callable[..., Any]) -> Callable[..., Any]:
    """Ask AWS's client each question only once, since equal questions have equal answers."""
    answers: dict[str, Any] = {}

    @functools.wraps(question)
    def ask_once(command: RuntimeCommand, *arguments: Any, **keywords: Any) -> Any:
        if command is not REFERENCE:
            return question(command, *arguments, **keywords)
        key = repr((arguments, sorted(keywords.items())))
        if key not in answers:
            answers[key] = question(command, *arguments, **keywords)
        return answers[key]

    return ask_once


@once_of_reference
def ask(
    command: RuntimeCommand, function: str, event: Any = None, *, raw: bytes | None = None, **environment: str
) -> Answer:
    with RuntimeAPI() as api, command.start(api, function, **environment) as process:
        posted = api.invoke(event, raw=raw)
        api.expect("next")  # then the log is complete
        return Answer(posted, process.stdout())


@once_of_reference
def fail_to_start(command: RuntimeCommand, function: str, **environment: str) -> Answer:
    with RuntimeAPI() as api, command.start(api, function, **environment) as process:
        posted = api.expect("error")
        api.reply(posted)
        assert posted.path == "/2018-06-01/runtime/init/error"
        assert process.wait() == 1
        return Answer(posted, process.stdout())


@pytest.mark.parametrize(
    "function", ["fail", "custom_error", "unserializable", "circular", "echo"], ids=lambda name: f"handler {name}"
)
def test_errors_have_the_same_payload_and_log(runtime: RuntimeCommand, function: str) -> None:
    raw = b"{" if function == "echo" else b'"gr\xc3\xb6\xc3\x9fe"'
    ours, theirs = (ask(command, function, raw=raw) for command in (runtime, REFERENCE))
    if function == "echo":  # simplejson and json word this a little differently
        assert ours.payload["errorMessage"].startswith("Unable to unmarshal input: Expecting property name enclosed")
        theirs.payload["errorMessage"] = ours.payload["errorMessage"]
    else:
        assert comparable(runtime, ours.payload) == comparable(runtime, theirs.payload)
        assert comparable(runtime, ours.lines) == comparable(runtime, theirs.lines)
    assert list(ours.payload) == list(theirs.payload) == ["errorMessage", "errorType", "requestId", "stackTrace"]
    assert ours.payload["errorType"] == theirs.payload["errorType"]


def test_errors_have_the_same_xray_cause(runtime: RuntimeCommand) -> None:
    header = "lambda-runtime-function-xray-error-cause"
    ours, theirs = (json.loads(ask(command, "fail", "é").posted.headers[header]) for command in (runtime, REFERENCE))
    ours.pop("working_directory"), theirs.pop("working_directory")
    assert comparable(runtime, ours) == comparable(runtime, theirs)
    assert [frame["label"] for frame in ours["exceptions"][0]["stack"]] == ["fail", "deeper"]


def _refuse(api: RuntimeAPI, status: str) -> None:
    api.expect("next").connection.sendall(api.event(b"1"))
    api.reply(api.receive(), status)


def _lose_the_answer(api: RuntimeAPI) -> None:
    api.expect("next").connection.sendall(api.event(b"1"))
    api.drop(api.expect("response").connection)


def _send(api: RuntimeAPI, raw: bytes = b"1", **headers: str | None) -> None:
    api.expect("next").connection.sendall(api.event(raw, **headers))


@pytest.mark.parametrize(
    "misbehave",
    [
        pytest.param(lambda api: _refuse(api, "400 Bad Request"), id="refuses with 400"),
        pytest.param(lambda api: _refuse(api, "410 Gone"), id="refuses with 410"),
        pytest.param(lambda api: _refuse(api, "413 Too Large"), id="refuses with 413"),
        pytest.param(_lose_the_answer, id="loses the answer"),
        pytest.param(lambda api: _send(api, content_type=None), id="sends no content type"),
        pytest.param(lambda api: _send(api, deadline_ms="soon"), id="sends a bad deadline"),
        pytest.param(lambda api: _send(api, b'"\\ud800"'), id="sends a lone surrogate"),
    ],
)
def test_pyl_goes_on_where_awslambdaric_dies(runtime: RuntimeCommand, misbehave: Callable[[RuntimeAPI], None]) -> None:
    with RuntimeAPI() as api, runtime.start(api, "echo") as process:
        misbehave(api)
        while (request := api.receive()).kind != "next":
            api.reply(request)
        assert process.popen.poll() is None
    with RuntimeAPI() as api, REFERENCE.start(api, "echo") as process:
        misbehave(api)
        assert process.wait() != 0


def test_an_xray_cause_that_is_too_large_is_left_out(runtime: RuntimeCommand) -> None:
    answer = ask(runtime, "fail_with_text", {"text": "x", "times": 1 << 20})
    assert len(answer.payload["errorMessage"]) == 1 << 20
    assert "lambda-runtime-function-xray-error-cause" not in answer.posted.headers


def test_a_message_with_line_ends_cannot_break_out_of_its_header(runtime: RuntimeCommand) -> None:
    answer = ask(runtime, "fail_with_text", {"text": "a\r\nInjected: yes\r\n\r\nb"})
    assert "injected" not in answer.posted.headers
    assert answer.payload["errorMessage"] == "a\r\nInjected: yes\r\n\r\nb"


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("fail", "Function.ValueError"),
        ("custom_error", "Function.Unknown"),
        ("unserializable", "Runtime.MarshalError"),
    ],
)
def test_the_error_type_header_has_lambdas_form(runtime: RuntimeCommand, function: str, expected: str) -> None:
    header = ask(runtime, function, "x").posted.headers["lambda-runtime-function-error-type"]
    assert header == expected
    assert re.fullmatch(r"(Runtime|Function)\.[A-Z][a-zA-Z]+", header)


@pytest.mark.parametrize("level", ["", "DEBUG", "INFO", "TRACE", "ERROR", "nonsense"])
@pytest.mark.parametrize("log_format", ["Text", "JSON"])
def test_log_lines_are_the_same(either: RuntimeCommand, log_format: str, level: str) -> None:
    environment = {"AWS_LAMBDA_LOG_FORMAT": log_format} | ({"AWS_LAMBDA_LOG_LEVEL": level} if level else {})
    ours, theirs = (ask(command, "log_lines", **environment).lines for command in (either, REFERENCE))
    assert comparable(either, ours) == comparable(either, theirs)
    assert "größer than 5" in ours or level == "ERROR"


@pytest.mark.parametrize("log_format", ["Text", "JSON"])
def test_uncaught_errors_are_logged_alike(either: RuntimeCommand, log_format: str) -> None:
    environment = {"AWS_LAMBDA_LOG_FORMAT": log_format}
    ours, theirs = (ask(command, "fail", "größe", **environment) for command in (either, REFERENCE))
    if log_format == "JSON":
        assert comparable(either, json.loads(ours.lines)) == comparable(either, json.loads(theirs.lines))
        assert list(json.loads(ours.lines)) == list(json.loads(theirs.lines))
    else:
        assert comparable(either, ours.lines) == comparable(either, theirs.lines)
        assert "\r\u00a0\u00a0File" in ours.log


def test_logging_set_up_by_the_users_code_behaves_the_same(either: RuntimeCommand) -> None:
    # `basicConfig` finds a handler on the root logger, so it does nothing.
    answer = ask(either, "log_setup", AWS_LAMBDA_LOG_LEVEL="INFO")
    assert answer.lines == "[INFO]\tTIME\t\timported\n\n[INFO]\tTIME\trequest-1\tcalled\n\n".replace("\n\n", "\n")


@once_of_reference
def frames(command: RuntimeCommand, function: str, log_format: str, level: str) -> list[tuple[str, str]]:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as file:
        ask(
            command,
            function,
            "x",
            _LAMBDA_TELEMETRY_LOG_FD=str(writing),
            AWS_LAMBDA_LOG_FORMAT=log_format,
            AWS_LAMBDA_LOG_LEVEL=level,
        )
        os.close(writing)
        found = []
        while kind := file.read(4):
            length, microseconds = (int.from_bytes(file.read(size), "big") for size in (4, 8))
            assert 1_700_000_000_000_000 < microseconds < 10_000_000_000_000_000
            text = TIMESTAMP.sub("TIME", file.read(length).decode())
            found.append((kind.hex(), _in_order(text) if log_format == "JSON" and function == "fail" else text))
        return found


@pytest.mark.parametrize("log_format", ["Text", "JSON"])
@pytest.mark.parametrize("level", ["", "INFO"])
@pytest.mark.parametrize("function", ["log_lines", "fail"])
def test_framed_logs_are_the_same(either: RuntimeCommand, log_format: str, level: str, function: str) -> None:
    ours, theirs = (frames(command, function, log_format, level) for command in (either, REFERENCE))
    assert comparable(either, ours) == comparable(either, theirs)
    assert ours


def _in_order(text: str) -> str:
    """The same JSON with one kind of separators."""
    return json.dumps(json.loads(text))


@pytest.mark.parametrize("function", ["broken_import", "broken_syntax", "broken_value", "missing_attribute"])
def test_failed_starts_have_the_same_error_types(either: RuntimeCommand, function: str) -> None:
    ours = fail_to_start(either, function)
    module, attribute = ("plain", "nowhere") if function == "missing_attribute" else (function, "handler")
    theirs = fail_to_start(REFERENCE, f"{module}.{attribute}")
    assert ours.payload["errorMessage"] == theirs.payload["errorMessage"]
    assert ours.payload["errorType"] == theirs.payload["errorType"]
    # awslambdaric shows the machinery of `import` before the user's frames.
    ours_trace, theirs_trace = (comparable(either, answer.payload["stackTrace"]) for answer in (ours, theirs))
    assert ours_trace == theirs_trace[len(theirs_trace) - len(ours_trace) :]
    assert bool(ours_trace) == bool(theirs_trace)
    assert not any("pyl/runtime" in frame for frame in ours_trace)


def test_a_failed_start_is_reported_with_its_type_and_logged(runtime: RuntimeCommand) -> None:
    answer = fail_to_start(runtime, "broken_import")
    assert answer.payload == {
        "errorMessage": "Unable to import module 'broken_import': No module named 'no_such_module_anywhere'",
        "errorType": "Runtime.ImportModuleError",
        "requestId": "",
        "stackTrace": [],
    }
    assert answer.posted.headers["lambda-runtime-function-error-type"] == "Runtime.ImportModuleError"
    assert answer.log.startswith("[ERROR] Runtime.ImportModuleError: Unable to import module 'broken_import'")


def test_a_package_without_its_function_table_fails_to_start(runtime: RuntimeCommand) -> None:
    if runtime.name != "source":
        pytest.skip("the table is part of a built package")
    command = RuntimeCommand("empty", runtime.argv, path=runtime.path[1:])
    payload = fail_to_start(command, "echo").payload
    assert payload["errorType"] == "ModuleNotFoundError"
    assert payload["errorMessage"] == "No module named 'functions'"


@pytest.mark.parametrize("handler", ["nodot", ".hello", "functions."])
def test_a_handler_without_two_parts_is_malformed(runtime: RuntimeCommand, handler: str) -> None:
    command = replace(runtime, prefix="")
    payload = fail_to_start(command, handler, _HANDLER=handler).payload
    assert payload["errorType"] == "Runtime.MalformedHandlerName"
    assert payload["errorMessage"].startswith(f"Bad handler '{handler}'")


def test_an_unknown_function_is_reported_with_those_that_exist(either: RuntimeCommand) -> None:
    payload = fail_to_start(either, "ecco").payload
    assert payload["errorType"] == "Runtime.HandlerNotFound"
    assert payload["errorMessage"].startswith("Handler 'ecco' missing on module 'functions'; the package has: ")
    assert " echo, " in payload["errorMessage"]


def test_a_signature_that_cannot_be_called_is_reported_at_the_start(either: RuntimeCommand) -> None:
    payload = fail_to_start(either, "broken_signature").payload
    assert payload["errorType"] == "Runtime.InvalidHandlerSignature"
    assert "broken_signature.py:4) cannot be a handler: a function has two parameters" in payload["errorMessage"]


@pytest.mark.parametrize("status", ["202 Accepted", "400 Bad Request", "403 Forbidden", "500 Internal Server Error"])
def test_a_failed_start_ends_with_1_whatever_lambda_answers(
    api: RuntimeAPI, runtime: RuntimeCommand, status: str
) -> None:
    with runtime.start(api, "broken_value") as process:
        api.reply(api.expect("error"), status, b"{}")
        assert process.wait() == 1
        with pytest.raises(TimeoutError):
            api.receive(0.1)


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize("ending", ["None", "1 / 0"])
def test_what_was_written_is_in_the_log_before_the_answer_is_posted(
    api: RuntimeAPI, runtime: RuntimeCommand, stream: str, ending: str
) -> None:
    with runtime.start(api, "evaluate") as process:
        event = json.dumps(f"__import__('sys').{stream}.write('no line end') and {ending}")
        api.expect("next").connection.sendall(api.event(event.encode()))
        posted = api.receive()
        assert "no line end" in getattr(process, stream)()
        assert posted.kind == ("response" if ending == "None" else "error")
        api.reply(posted)


@pytest.mark.parametrize("function", ["leave", "broken_exit"])
def test_leaving_ends_the_process_with_its_code(runtime: RuntimeCommand, function: str) -> None:
    with RuntimeAPI() as api, runtime.start(api, function) as process:
        if function == "leave":
            api.expect("next").connection.sendall(api.event(b"3"))
        assert process.wait() == 3
        assert process.stdout().startswith("leaving")


@once_of_reference
def attributes(command: RuntimeCommand, headers: dict[str, Any]) -> Any:
    with RuntimeAPI() as api, command.start(api, "attributes") as _:
        first = api.result({}, **headers)
        return [first, api.result({}, trace_id=None)]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"trace_id": None},
        {"aws_tenant_id": "tenant"},
        {"cognito_identity": '{"cognitoIdentityId":"i","cognitoIdentityPoolId":"p"}'},
        {"cognito_identity": '{"cognitoIdentityId":"i"}', "client_context": "null"},
        {"client_context": '{"custom":{"k":"é"},"env":{"e":"1"},"client":{"app_title":"t"},"other":1}'},
        {"client_context": '{"w3c":{"traceparent":"00-1","baggage":5,"x":"y"}}'},
        {"client_context": '{"w3c":7}'},
    ],
    ids=repr,
)
def test_contexts_say_the_same(either: RuntimeCommand, headers: dict[str, str | None]) -> None:
    ours, theirs = attributes(either, headers), attributes(REFERENCE, headers)
    assert ours == theirs
    assert ours[0]["memory_limit_in_mb"] == "512"
    assert ours[1]["trace"] is None


@once_of_reference
def bad_context_payload(command: RuntimeCommand, header: str) -> dict[str, Any]:
    headers: dict[str, Any] = {header: "nonsense"}
    with RuntimeAPI() as api, command.start(api, "echo") as _:
        got = api.error({}, **headers)
        assert api.result("after") == "after"
        return got


@pytest.mark.parametrize("header", ["client_context", "cognito_identity"])
def test_a_context_that_is_no_json_is_reported_alike(either: RuntimeCommand, header: str) -> None:
    assert bad_context_payload(either, header) == bad_context_payload(REFERENCE, header)


@pytest.mark.parametrize("header", ["client_context", "cognito_identity"])
@pytest.mark.parametrize("value", ["[1]", '"text"', "1"])
def test_a_context_that_is_no_object_is_an_error_not_a_crash(
    runtime: RuntimeCommand, pool: Pool, header: str, value: str
) -> None:
    headers: dict[str, Any] = {header: value}
    with pool.serve(runtime, "echo") as api:
        assert api.error({}, **headers)["errorType"] == "Runtime.LambdaContextUnmarshalError"
        assert api.result("after") == "after"


def test_remaining_time_counts_down(either: RuntimeCommand) -> None:
    remaining = ask(either, "remaining").payload
    assert 0 < remaining < 4102444800000


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("application/json", "dict"),
        ("application/json; charset=utf-8", "dict"),
        ("APPLICATION/JSON", "dict"),
        ("", "dict"),
        (None, "dict"),
        ("application/octet-stream", "bytes"),
    ],
)
def test_what_is_not_json_is_handed_over_as_bytes(
    runtime: RuntimeCommand, pool: Pool, content_type: str | None, kind: str
) -> None:
    with pool.serve(runtime, "kind") as api:
        assert api.result({}, content_type=content_type) == kind


RESULTS = [
    "None",
    "True",
    "'é\\u2028\\x7f\\x00\\n\"\\\\'",
    "'\\U0001f600'",
    "2**70",
    "-0.0",
    "[1e16, 1e-7, 0.1, 5e-324]",
    "{'nan': float('nan')}",
    "[float('inf'), -float('inf')]",
    "(1, (2,))",
    "{1: 2, None: 3, True: 4, 1.5: 6}",
    "Pair(1, 2)",
    "[Pair(1, Pair(2, 3))]",
    "Colour.RED",
    "{Colour.RED: Number.ONE}",
    "{Number.ONE: 1}",
    "Decimal('12345678901234567890.10')",
    "[Decimal('1E+400'), Decimal('NaN'), Decimal('sNaN'), Decimal('Infinity')]",
    "OrderedDict(b=1, a=2)",
    "b'raw\\xff'",
    "[]",
    "{}",
    "[[], {}]",
]


@once_of_reference
def results(command: RuntimeCommand, *preparations: str) -> list[tuple[str, str, Any]]:
    found = []
    with RuntimeAPI() as api, command.start(api, "evaluate"):
        for expression in [*preparations, *RESULTS]:
            posted = api.invoke(expression)
            assert posted.kind == "response", (expression, posted.body)
            content_type = posted.headers["content-type"]
            is_json = content_type == "application/json"
            body = json.loads(posted.body, parse_float=_number, parse_constant=str) if is_json else posted.body
            found.append((expression, content_type, body))
    return found[len(preparations) :]


def test_results_have_the_same_json(either: RuntimeCommand) -> None:
    assert results(either) == results(REFERENCE)


def test_results_have_the_same_json_when_msgspec_writes_them(runtime: RuntimeCommand) -> None:
    assert results(runtime, "__import__('msgspec') and None") == results(REFERENCE)


def _number(digits: str) -> str:
    """One form for 1e16 and 1e+16, with all digits kept: the number as `Decimal` has it."""
    return str(decimal.Decimal(digits))


@pytest.mark.parametrize(
    "expression",
    ["{object()}", "object()", "[x for x in [map]]", "range(3)", "{(1, 2): 3}", "1j", "{'a': [object]}", "lambda: 0"],
)
def test_what_has_no_json_is_a_marshal_error(pool: Pool, either: RuntimeCommand, expression: str) -> None:
    with pool.serve(either, "evaluate") as api:
        payload = api.error(expression)
        assert payload["errorType"] == "Runtime.MarshalError"
        assert payload["errorMessage"].startswith("Unable to marshal response: ")
        assert payload["stackTrace"] == []
        assert api.result("1") == 1


@pytest.mark.parametrize("kind", ["[a]", "(a,)", "{'a': a}", "{1: a}", "[(a,)]"])
def test_what_is_nested_too_deeply_is_a_marshal_error(pool: Pool, runtime: RuntimeCommand, kind: str) -> None:
    with pool.serve(runtime, "evaluate") as api:
        nested = f"__import__('functools').reduce(lambda a, _: {kind}, range(%d), 1)"
        assert api.error(nested % 100_000)["errorType"] == "Runtime.MarshalError"
        assert api.invoke(nested % 200).kind == "response"


@pytest.mark.parametrize("raw", [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 100_000 + b"]" * 100_000])
@pytest.mark.parametrize("function", ["echo", "struct", "several"])
def test_an_event_that_is_nested_too_deeply_is_an_unmarshal_error(
    pool: Pool, runtime: RuntimeCommand, raw: bytes, function: str
) -> None:
    with pool.serve(runtime, function) as api:
        for _ in range(2):
            assert api.error(raw=raw)["errorType"] == "Runtime.UnmarshalError"


def test_a_lone_surrogate_survives_the_way_through(runtime: RuntimeCommand) -> None:
    assert ask(runtime, "echo", raw=b'["\\ud800", "\\ud83d\\ude00"]').payload == ["\ud800", "\U0001f600"]
