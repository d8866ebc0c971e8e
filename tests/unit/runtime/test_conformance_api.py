"""The Runtime API's contract, held against a server that misbehaves."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import pytest

from unit.runtime.api_server import ARN, PYL, Pool, Process, Request, RuntimeAPI, RuntimeCommand

OTHERS = ["Deadline-Ms", "Invoked-Function-Arn", "Trace-Id"]


def send_slowly(request: Request, data: bytes, step: int) -> None:
    for start in range(0, len(data), step):
        request.connection.sendall(data[start : start + step])
        time.sleep(0.001)


def test_requests_are_those_of_the_api(api: RuntimeAPI, echo: Process) -> None:
    request = api.expect("next")
    assert (request.method, request.path) == ("GET", "/2018-06-01/runtime/invocation/next")
    assert request.headers["host"] == api.address
    request.connection.sendall(api.event(b'{"a": "\xc3\xa9"}'))
    posted = api.expect("response")
    assert (posted.method, posted.path) == ("POST", "/2018-06-01/runtime/invocation/request-1/response")
    assert posted.headers["content-type"] == "application/json"
    assert posted.body == '{"a":"é"}'.encode()
    assert "lambda-runtime-invocation-id" not in posted.headers
    api.reply(posted)


def test_one_connection_serves_every_call(api: RuntimeAPI, echo: Process) -> None:
    for number in range(5):
        assert api.result(number) == number
    assert api.accepted == 1


@pytest.mark.parametrize("step", [1, 7, 100])
def test_a_response_may_arrive_in_pieces(api: RuntimeAPI, echo: Process, step: int) -> None:
    for _ in range(2):
        request = api.expect("next")
        send_slowly(request, api.event(b'{"key": "value"}'), step)
        posted = api.expect("response")
        assert posted.json == {"key": "value"}
        send_slowly(posted, b"HTTP/1.1 202 Accepted\r\nContent-Length: 16\r\n\r\n" + b'{"status":"OK"}\n', step)


@pytest.mark.parametrize("extension", [b"", b";name=value"])
def test_next_may_be_chunked(api: RuntimeAPI, echo: Process, extension: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nLambda-Runtime-Aws-Request-Id: one\r\n\r\n"
    for _ in range(2):
        request = api.expect("next")
        body = b'5%b\r\n{"a":\r\nA%b\r\n "chunked"\r\n1\r\n}\r\n0\r\nTrailer: x\r\n\r\n' % (extension, extension)
        send_slowly(request, head + body, 9)
        posted = api.expect("response")
        assert posted.json == {"a": "chunked"}
        api.reply(posted)


def test_next_may_end_with_its_connection(api: RuntimeAPI, echo: Process) -> None:
    for _ in range(2):
        request = api.expect("next")
        request.connection.sendall(b'HTTP/1.0 200 OK\r\nLambda-Runtime-Aws-Request-Id: one\r\n\r\n{"a":1}')
        api.drop(request.connection)
        posted = api.expect("response")
        assert posted.json == {"a": 1}
        api.reply(posted)


def test_header_names_have_no_case(pool: Pool, runtime: RuntimeCommand) -> None:
    with pool.serve(runtime, "surface") as api:
        request = api.expect("next")
        event = api.event(b"null").replace(b"Lambda-Runtime-", b"lAMBDA-rUNTIME-").replace(b"Content-L", b"CONTENT-l")
        request.connection.sendall(event)
        posted = api.expect("response")
        api.reply(posted)
        assert posted.json["arn"] == ARN


@pytest.mark.parametrize("missing", [*OTHERS, "Content-Type", "all"])
@pytest.mark.parametrize("how", ["absent", "empty"])
def test_every_header_but_the_id_may_be_missing(pool: Pool, runtime: RuntimeCommand, missing: str, how: str) -> None:
    gone = dict.fromkeys([*OTHERS, "content_type"] if missing == "all" else [], None if how == "absent" else "")
    if missing != "all":
        gone = {missing.replace("Content-Type", "content_type"): None if how == "absent" else ""}
    with pool.serve(runtime, "surface") as api:
        got = api.result({}, **gone)
    assert got["id"] == api.request_id
    if missing in ("Deadline-Ms", "all"):
        assert (got["deadline"], got["remaining"]) == (0, 0)
    if missing in ("Invoked-Function-Arn", "all"):
        assert got["arn"] == ""
    if missing in ("Trace-Id", "all"):
        assert got["trace"] == ""


@pytest.mark.parametrize("deadline", ["soon", "-1", "1e9", "9" * 40])
def test_a_deadline_that_is_no_number_counts_as_missing(pool: Pool, runtime: RuntimeCommand, deadline: str) -> None:
    with pool.serve(runtime, "surface") as api:
        assert api.result({}, deadline_ms=deadline)["deadline"] == 0


@pytest.mark.parametrize("name", ["client_context", "cognito_identity", "aws_tenant_id", "invocation_id"])
def test_headers_that_are_there_and_empty_count_as_missing(pool: Pool, runtime: RuntimeCommand, name: str) -> None:
    headers: dict[str, Any] = {name: ""}
    with pool.serve(runtime, "attributes") as api:
        posted = api.invoke({}, **headers)
        assert posted.json["client_context"] is None
        assert posted.json["identity"] == [None, None]
        assert posted.json["tenant_id"] is None
        assert "lambda-runtime-invocation-id" not in posted.headers


@pytest.mark.parametrize("size", [3_000, 20_000, 1_000_000])
def test_headers_may_be_long(api: RuntimeAPI, runtime: RuntimeCommand, size: int) -> None:
    with runtime.start(api, "attributes"):
        for _ in range(2):
            got = api.result({}, client_context=f'{{"custom":{{"k":"{"é" * size}"}}}}')
            assert got["client_context"]["custom"] == {"k": "é" * size}
            assert api.result({})["client_context"] is None


def test_an_invocation_id_may_be_long(api: RuntimeAPI, echo: Process) -> None:
    posted = api.invoke("x", invocation_id="i" * 8000)
    assert posted.json == "x"
    assert posted.headers["lambda-runtime-invocation-id"] == "i" * 8000
    assert api.result("after") == "after"


def test_a_deadline_in_the_past_leaves_no_time(pool: Pool, runtime: RuntimeCommand) -> None:
    with pool.serve(runtime, "surface") as api:
        got = api.result({}, deadline_ms="1500000000000")
    assert (got["deadline"], got["remaining"]) == (1500000000000, 0)


def test_without_a_request_id_nothing_can_be_answered(api: RuntimeAPI, echo: Process) -> None:
    api.expect("next").connection.sendall(api.event(b"{}", aws_request_id=None))
    assert echo.wait() == 1
    assert "has no Lambda-Runtime-Aws-Request-Id" in echo.stderr()


@pytest.mark.parametrize(("event", "kind"), [({}, "response"), ("boom", "error")])
def test_the_invocation_id_is_echoed_when_received(
    api: RuntimeAPI, runtime: RuntimeCommand, event: object, kind: str
) -> None:
    with runtime.start(api, "echo" if kind == "response" else "fail"):
        posted = api.invoke(event, invocation_id="inv-1")
        assert posted.kind == kind
        assert posted.headers["lambda-runtime-invocation-id"] == "inv-1"
        assert "lambda-runtime-invocation-id" not in api.invoke(event).headers


@pytest.mark.parametrize("status", ["400 Bad Request", "403 Forbidden", "410 Gone", "413 Request Entity Too Large"])
@pytest.mark.parametrize("function", ["echo", "fail"])
def test_a_refused_answer_is_logged_and_the_next_event_served(
    api: RuntimeAPI, runtime: RuntimeCommand, status: str, function: str
) -> None:
    with runtime.start(api, function) as process:
        api.expect("next").connection.sendall(api.event(b'"first"'))
        posted = api.receive()
        api.reply(posted, status, b'{"errorMessage":"no","errorType":"Refused"}')
        second = api.invoke("second")
        assert second.path.startswith("/2018-06-01/runtime/invocation/request-2/")
        assert f"was refused with {status[:3]}" in process.stderr()
        assert "Refused" in process.stderr()


@pytest.mark.parametrize("function", ["echo", "fail"])
def test_a_container_error_ends_the_process(api: RuntimeAPI, runtime: RuntimeCommand, function: str) -> None:
    with runtime.start(api, function) as process:
        api.expect("next").connection.sendall(api.event(b'"first"'))
        api.reply(api.receive(), "500 Internal Server Error")
        assert process.wait() == 1
        assert "500" in process.stderr()


def test_a_container_error_of_next_ends_the_process(api: RuntimeAPI, echo: Process) -> None:
    api.reply(api.expect("next"), "500 Internal Server Error")
    assert echo.wait() == 1


def test_next_is_asked_again_when_the_state_was_wrong(api: RuntimeAPI, echo: Process) -> None:
    api.reply(api.expect("next"), "403 Forbidden", b"InvalidStateTransition")
    assert api.result("after") == "after"


def test_a_state_that_stays_wrong_ends_the_process(api: RuntimeAPI, echo: Process) -> None:
    for _ in range(5):
        api.reply(api.expect("next"), "403 Forbidden", b"InvalidStateTransition")
    assert echo.wait() == 1
    assert "InvalidStateTransition" in echo.stderr()


def test_a_connection_dropped_between_calls_is_opened_again(api: RuntimeAPI, echo: Process) -> None:
    for number in range(3):
        request = api.expect("next")
        request.connection.sendall(api.event(b"%d" % number))
        posted = api.expect("response")
        assert posted.json == number
        api.reply(posted)
        api.drop(posted.connection)


def test_a_response_lost_with_its_connection_is_posted_again(api: RuntimeAPI, echo: Process) -> None:
    api.expect("next").connection.sendall(api.event(b'"once"'))
    lost = api.expect("response")
    api.drop(lost.connection)
    again = api.expect("response")
    assert (again.path, again.body) == (lost.path, lost.body)
    api.reply(again)
    assert api.result("next") == "next"


def test_next_is_asked_again_when_it_was_cut_off(api: RuntimeAPI, echo: Process) -> None:
    assert api.result(1) == 1
    request = api.expect("next")
    request.connection.sendall(api.event(b'"cut"')[:60])
    api.drop(request.connection)
    assert api.result(2) == 2


def test_a_server_that_closes_after_each_answer_is_served(api: RuntimeAPI, echo: Process) -> None:
    for number in range(3):
        request = api.expect("next")
        request.connection.sendall(api.event(b"%d" % number).replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
        api.drop(request.connection)
        posted = api.expect("response")
        assert posted.json == number
        api.reply(posted, headers="Connection: close\r\n")
        api.drop(posted.connection)
    assert api.accepted == 6


def test_an_acceptance_without_a_length_does_not_hang(api: RuntimeAPI, echo: Process) -> None:
    for number in range(2):
        api.expect("next").connection.sendall(api.event(b"%d" % number))
        api.expect("response").connection.sendall(b"HTTP/1.1 202 Accepted\r\n\r\n")


def test_interim_responses_are_passed_over(api: RuntimeAPI, echo: Process) -> None:
    request = api.expect("next")
    request.connection.sendall(b"HTTP/1.1 102 Processing\r\n\r\n" + api.event(b"1"))
    assert api.expect("response").json == 1


def test_what_is_not_http_is_asked_again_then_given_up(api: RuntimeAPI, echo: Process) -> None:
    for _ in range(5):
        request = api.expect("next")
        request.connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
        api.drop(request.connection)
    assert echo.wait() == 1
    assert "not an HTTP response" in echo.stderr()


@pytest.mark.parametrize("size", [100_000, 6_000_000])
def test_large_events_and_answers_arrive_whole(api: RuntimeAPI, echo: Process, size: int) -> None:
    text = "ä" * (size // 2)
    assert api.result(text) == text
    assert api.result("small") == "small"


def test_an_answer_that_is_refused_before_all_of_it_was_sent_is_logged(
    api: RuntimeAPI, runtime: RuntimeCommand
) -> None:
    with runtime.start(api, "size") as process:
        request = api.expect("next")
        request.connection.sendall(api.event(b"30000000"))
        head = request.connection.recv(1000)
        assert b"/response" in head
        request.connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        request.connection.shutdown(socket.SHUT_WR)
        while request.connection.recv(1 << 20):
            pass
        api.drop(request.connection)
        assert api.result(3) == "xxx"
        assert "413" in process.stderr()


def test_an_empty_body_is_no_json(api: RuntimeAPI, echo: Process) -> None:
    payload = api.error(raw=b"")
    assert payload["errorType"] == "Runtime.UnmarshalError"
    assert payload["errorMessage"].startswith("Unable to unmarshal input: Expecting value: line 1 column 1")
    assert api.result(1) == 1


def test_a_default_time_limit_for_sockets_does_not_reach_the_runtime(api: RuntimeAPI, runtime: RuntimeCommand) -> None:
    with runtime.start(api, "evaluate"):
        assert api.result("__import__('socket').setdefaulttimeout(0.2)") is None
        request = api.expect("next")
        api.drop(request.connection)
        request = api.expect("next")
        time.sleep(0.6)
        request.connection.sendall(api.event(b'"1 + 1"'))
        assert api.expect("response").json == 2


def test_a_function_that_cannot_be_reported_exits_with_a_line(runtime: RuntimeCommand) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = "{}:{}".format(*closed.getsockname())
    with runtime.start(address, "broken_import") as process:
        assert process.wait() == 1
        assert "cannot go on without the Runtime API" in process.stderr()
        assert "Runtime.ImportModuleError" in process.stdout()


def test_without_an_api_the_runtime_exits_with_a_line(runtime: RuntimeCommand) -> None:
    with runtime.start("", "echo") as process:
        assert process.wait() == 1
        assert "AWS_LAMBDA_RUNTIME_API must read host:port" in process.stderr()


def test_ipv6_addresses_are_understood() -> None:
    api = RuntimeAPI()
    listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    api._listener.close()
    api._listener = listener
    with api, PYL.start(f"[::1]:{listener.getsockname()[1]}", "echo"):
        assert api.result(6) == 6


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc")
def test_thousands_of_invocations_do_not_make_the_process_grow(api: RuntimeAPI, runtime: RuntimeCommand) -> None:
    with runtime.start(api, "echo") as process:

        def resident() -> int:
            text = Path(f"/proc/{process.popen.pid}/statm").read_text()
            return int(text.split()[1])

        event = {"a": [1, "two", None, 4.5]}
        for _ in range(500):
            api.result(event)
        before = resident()
        for _ in range(2000):
            api.result(event)
        assert resident() - before <= 16  # pages: 32 bytes for each invocation, less than any object takes
        assert api.accepted == 1
