"""boto3 invokes functions in the emulator as it does in Lambda."""

from __future__ import annotations

import base64
import http.client
import json
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from unit.emulator.fakes import Serving, function, package, serving, with_deployment

BODY = """
if name == "echo":
    result = {"event": event, "headers": dict(headers), "process": os.getpid()}
elif name == "fail":
    print("about to fail", flush=True)
    post("error", json.dumps({"errorType": "Oops", "errorMessage": "no"}), Content_Type="application/json")
elif name == "slow":
    time.sleep(event)
    result = "done"
elif name == "words":
    stream([word.encode() for word in event])
elif name == "breaks":
    stream([b"so far"], error={"errorType": "Function.Oops", "errorMessage": "in mid-stream"})
elif name == "much":
    stream(b"%d " % os.getpid() + b"x" * 100_000 for _ in range(event))
elif name == "dies":
    def until():
        yield b"so far"
        time.sleep(0.1)
        os.kill(os.getpid(), 9)
    stream(until())
elif name == "lags":
    def forever():
        while True:
            yield b"."
            time.sleep(0.05)
    stream(forever())
elif name == "die":
    os._exit(7)
"""
NAMES = ("echo", "fail", "slow", "words", "breaks", "much", "dies", "lags", "die")


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    task = package(tmp_path_factory.mktemp("invoke"), BODY)
    functions = [function(name, timeout=5) for name in NAMES]
    functions[NAMES.index("lags")] = function("lags", timeout=1)
    functions[NAMES.index("slow")] = with_deployment(function("slow", timeout=1), reserved_concurrency=1)
    with serving(task, *functions) as running:
        yield running


@pytest.fixture(scope="module")
def client(emulator: Serving) -> Iterator[Any]:
    client = boto3.client(
        "lambda",
        endpoint_url=emulator.address,
        region_name="eu-west-1",
        aws_access_key_id="x",
        aws_secret_access_key="y",
        config=Config(retries={"max_attempts": 0}),
    )
    yield client
    client.close()


def invoke(client: Any, name: str, event: Any = None, **more: Any) -> tuple[Any, Any]:
    answer = client.invoke(FunctionName=name, Payload=json.dumps(event), **more)
    with answer["Payload"] as body:
        text = body.read()
    return answer, json.loads(text) if text else None


def refused(client: Any, name: str = "echo", **more: Any) -> ClientError:
    with pytest.raises(ClientError) as caught:
        client.invoke(FunctionName=name, **more)
    return caught.value


def test_the_response_comes_back_with_its_version(client: Any) -> None:
    answer, payload = invoke(client, "echo", {"ä": [1, "€"]})
    assert answer["StatusCode"] == 200
    assert answer["ExecutedVersion"] == "$LATEST"
    assert "FunctionError" not in answer
    assert payload["event"] == {"ä": [1, "€"]}


def test_no_payload_is_an_empty_object(client: Any) -> None:
    with client.invoke(FunctionName="echo")["Payload"] as body:
        assert json.loads(body.read())["event"] == {}


def test_the_context_is_that_of_the_call(client: Any) -> None:
    context = base64.b64encode(json.dumps({"custom": {"ä": "b\nc"}}, indent=1).encode()).decode()
    answer, payload = invoke(client, "echo", {}, ClientContext=context, Qualifier="prod")
    headers = payload["headers"]
    assert json.loads(headers["Lambda-Runtime-Client-Context"]) == {"custom": {"ä": "b\nc"}}
    assert headers["Lambda-Runtime-Invoked-Function-Arn"].endswith(
        ":eu-west-1:123456789012:function:echo"[10:] + ":prod"
    )
    assert headers["Lambda-Runtime-Aws-Request-Id"] == answer["ResponseMetadata"]["RequestId"]
    assert 4 < int(headers["Lambda-Runtime-Deadline-Ms"]) / 1000 - time.time() + 1 < 7


def test_a_version_number_is_the_version_that_answers(client: Any) -> None:
    assert invoke(client, "echo", {}, Qualifier="7")[0]["ExecutedVersion"] == "7"


@pytest.mark.parametrize(
    "name",
    [
        "echo:prod",
        "123456789012:function:echo",
        "arn:aws:lambda:eu-west-1:123456789012:function:echo",
        "arn:aws:lambda:eu-west-1:123456789012:function:echo:prod",
    ],
)
def test_functions_may_be_named_by_every_form_of_arn(client: Any, name: str) -> None:
    assert invoke(client, name, 1)[1]["event"] == 1


def test_an_error_of_the_function_is_a_successful_call_that_says_so(client: Any) -> None:
    answer, payload = invoke(client, "fail")
    assert answer["StatusCode"] == 200
    assert answer["FunctionError"] == "Unhandled"
    assert payload == {"errorType": "Oops", "errorMessage": "no"}


def test_the_end_of_the_log_comes_when_it_is_asked_for(client: Any) -> None:
    answer, _ = invoke(client, "fail", LogType="Tail")
    lines = base64.b64decode(answer["LogResult"]).decode().splitlines()
    request = answer["ResponseMetadata"]["RequestId"]
    assert lines[0] == f"START RequestId: {request} Version: $LATEST"
    assert lines[1] == "about to fail"
    assert lines[2] == f"END RequestId: {request}"
    assert lines[3].startswith(f"REPORT RequestId: {request}\tDuration: ")
    assert "LogResult" not in invoke(client, "fail")[0]


def test_a_function_that_takes_too_long_is_ended_and_the_next_call_gets_a_fresh_one(client: Any) -> None:
    answer, payload = invoke(client, "slow", 60)
    assert answer["FunctionError"] == "Unhandled"
    assert payload["errorType"] == "Sandbox.Timedout"
    assert payload["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    assert invoke(client, "slow", 0)[1] == "done"


def test_a_process_that_ends_is_lambdas_error(client: Any) -> None:
    _, payload = invoke(client, "die")
    assert payload["errorType"] == "Runtime.ExitError"
    assert payload["errorMessage"].endswith("Error: Runtime exited with error: exit status 7")


def test_an_asynchronous_call_is_accepted_and_runs(client: Any, emulator: Serving) -> None:
    answer, payload = invoke(client, "echo", {"later": True}, InvocationType="Event")
    assert (answer["StatusCode"], payload) == (202, None)
    end = f"END RequestId: {answer['ResponseMetadata']['RequestId']}"
    limit = time.monotonic() + 10
    while ("echo", end) not in emulator.lines:
        assert time.monotonic() < limit
        time.sleep(0.01)


def test_a_dry_run_runs_nothing(client: Any, emulator: Serving) -> None:
    answer, payload = invoke(client, "die", InvocationType="DryRun")
    assert (answer["StatusCode"], payload) == (204, None)


def test_a_reserved_concurrency_is_kept(client: Any, emulator: Serving) -> None:
    answer, _ = invoke(client, "slow", 0.5, InvocationType="Event")
    error = refused(client, "slow", Payload="0")
    assert error.response["Error"]["Code"] == "TooManyRequestsException"
    assert answer["StatusCode"] == 202


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ({"name": "missing"}, "ResourceNotFoundException", "the project has: echo, fail, slow"),
        ({"name": "arn:aws:lambda:eu-west-1:123456789012:function:x"}, "ResourceNotFoundException", ":function:x"),
        ({"Payload": b"{"}, "InvalidRequestContentException", "Could not parse request body into json"),
        ({"Payload": b" " * (6 * 2**20 + 1)}, "RequestTooLargeException", "6291456"),
        ({"Payload": b" " * (2**20 + 1), "InvocationType": "Event"}, "RequestTooLargeException", "1048576"),
        ({"ClientContext": "{}"}, "InvalidRequestContentException", "Base64-encoded"),
        ({"ClientContext": "e30=" * 1000}, "InvalidRequestContentException", "3583"),
        ({"InvocationType": "Never"}, "InvalidParameterValueException", "Never"),
        ({"name": "echo:a", "Qualifier": "b"}, "InvalidParameterValueException", "does not match"),
    ],
)
def test_wrong_calls_are_refused_with_lambdas_errors(
    client: Any, arguments: dict[str, Any], code: str, message: str
) -> None:
    error = refused(client, **arguments)
    assert error.response["Error"]["Code"] == code
    assert message in error.response["Error"]["Message"]


def stream(client: Any, name: str, event: Any) -> tuple[list[bytes], dict[str, Any]]:
    answer = client.invoke_with_response_stream(FunctionName=name, Payload=json.dumps(event), LogType="Tail")
    assert answer["ExecutedVersion"] == "$LATEST"
    events = list(answer["EventStream"])
    pieces = [event["PayloadChunk"]["Payload"] for event in events if "PayloadChunk" in event]
    [complete] = [event["InvokeComplete"] for event in events if "InvokeComplete" in event]
    assert "InvokeComplete" in events[-1]
    return pieces, complete


def test_a_streamed_response_arrives_in_events(client: Any) -> None:
    pieces, complete = stream(client, "words", ["one", "two", "x" * 3_000_000])
    assert b"".join(pieces) == b"onetwo" + b"x" * 3_000_000
    assert "ErrorCode" not in complete
    assert b"REPORT RequestId" in base64.b64decode(complete["LogResult"])


def test_a_response_that_is_not_streamed_is_one_event(client: Any) -> None:
    pieces, complete = stream(client, "echo", 1)
    assert json.loads(b"".join(pieces))["event"] == 1
    assert "ErrorCode" not in complete


def test_an_error_in_mid_stream_comes_after_what_was_sent(client: Any) -> None:
    pieces, complete = stream(client, "breaks", None)
    assert b"".join(pieces) == b"so far"
    assert complete["ErrorCode"] == "Function.Oops"
    assert json.loads(complete["ErrorDetails"])["errorMessage"] == "in mid-stream"


def test_a_process_that_is_killed_in_mid_stream_is_lambdas_error(client: Any) -> None:
    pieces, complete = stream(client, "dies", None)
    assert b"".join(pieces) == b"so far"
    assert complete["ErrorCode"] == "Runtime.ExitError"
    assert "signal: killed" in complete["ErrorDetails"]


def test_the_time_limit_holds_for_streams(client: Any) -> None:
    pieces, complete = stream(client, "lags", None)
    assert set(b"".join(pieces)) == set(b".")
    assert complete["ErrorCode"] == "Sandbox.Timedout"


def test_an_error_before_the_stream_is_its_only_event(client: Any) -> None:
    pieces, complete = stream(client, "fail", None)
    assert pieces == []
    assert complete["ErrorCode"] == "Oops"


def test_a_stream_is_put_together_for_a_call_that_waits(client: Any) -> None:
    with client.invoke(FunctionName="words", Payload='["a", "b"]')["Payload"] as body:
        assert body.read() == b"ab"


def test_the_functions_are_listed(client: Any) -> None:
    listed = client.list_functions()["Functions"]
    assert [description["FunctionName"] for description in listed] == list(NAMES)
    assert listed[0]["Handler"] == "functions.echo"


@pytest.mark.parametrize("header", ["Origin: https://example.com", "Origin: null", "Sec-Fetch-Site: cross-site"])
def test_pages_of_other_origins_cannot_invoke(emulator: Serving, header: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", emulator.port)
    name, _, text = header.partition(": ")
    connection.request("POST", "/2015-03-31/functions/echo/invocations", b"{}", {name: text})
    response = connection.getresponse()
    assert response.status == 403
    assert b"another origin" in response.read()
    connection.close()


def test_a_foreign_name_of_this_host_is_refused(emulator: Serving) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", emulator.port)
    connection.request("GET", "/", headers={"Host": f"rebound.example.com:{emulator.port}"})
    response = connection.getresponse()
    assert response.status == 403
    assert b"--allow-host" in response.read()
    connection.close()


def test_a_caller_that_leaves_in_mid_stream_leaves_the_environment_as_it_is(client: Any, emulator: Serving) -> None:
    before = b"".join(stream(client, "much", 1)[0]).split()[0]
    connection = http.client.HTTPConnection("127.0.0.1", emulator.port)
    connection.request("POST", "/2021-11-15/functions/much/response-streaming-invocations", b"100")
    assert connection.getresponse().read(10)
    connection.close()
    limit = time.monotonic() + 20
    while sum(name == "much" and line.startswith("REPORT") for name, line in emulator.lines) < 2:
        assert time.monotonic() < limit
        time.sleep(0.01)
    assert b"".join(stream(client, "much", 1)[0]).split()[0] == before
