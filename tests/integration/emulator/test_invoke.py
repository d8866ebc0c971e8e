"""`pyl invoke` from source: requests, files, repetition; `pyl events` beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from integration.projects import run, write_project
from pyl.events import samples

HANDLERS = """\
import base64, os
from pyl import Context, function
from pyl.events import APIGatewayEvent

calls = 0

@function
def count(context: Context, event):
    global calls
    calls += 1
    return calls

@function
def page(context: Context, event):
    body = base64.b64encode(bytes(range(256))).decode()
    return {"statusCode": 201, "headers": {"x-method": event["requestContext"]["http"]["method"],
            "x-path": event["rawPath"], "x-given": event["headers"].get("x-a", "")},
            "body": body, "isBase64Encoded": True}

@function
def rest(context: Context, event: APIGatewayEvent):
    return {"statusCode": 200, "body": event.path + (event.body or "")}

@function
def fragile(context: Context, event):
    os._exit(3)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_project(tmp_path_factory.mktemp("projects") / "calls", {"src/handlers.py": HANDLERS})


def source(project: Path, *arguments: str | Path) -> tuple[str | Path, ...]:
    return ("invoke", *arguments, "--package", "source", "--project", project)


def test_calls_repeat_in_one_environment(project: Path) -> None:
    done = run(*source(project, "count", "--data", "0", "--repeat", "3")).succeeded()
    assert done.out.split() == ["1", "2", "3"]
    assert done.err.count("REPORT RequestId") == 3
    assert done.err.count("Init Duration") == 1
    assert "3 calls: min " in done.err


def test_calls_repeat_in_fresh_environments_where_each_ends_its_own(project: Path) -> None:
    done = run(*source(project, "fragile", "--data", "0", "--repeat", "2"))
    assert done.code == 1
    assert "fragile reported Runtime.ExitError in 2 of 2 calls" in done.err


def test_a_request_gets_its_response(project: Path, tmp_path: Path) -> None:
    file = tmp_path / "page.bin"
    arguments = ("--url", "/a/b?x=1", "--header", "X-A: given", "--data", "text", "--output", file)
    done = run(*source(project, "page", *arguments)).succeeded()
    assert file.read_bytes() == bytes(range(256))
    assert done.out == ""
    assert "HTTP 201\nx-method: POST\nx-path: /a/b\nx-given: given\n" in done.err


def test_a_function_with_rest_events_gets_those(project: Path) -> None:
    done = run(*source(project, "rest", "--url", "/orders/1", "--method", "put", "--data", "!")).succeeded()
    assert done.out == "/orders/1!\n"


def test_a_call_that_nobody_waits_for_prints_nothing(project: Path) -> None:
    done = run(*source(project, "fragile", "--data", "0", "--async")).succeeded()
    assert done.out == ""
    assert "REPORT RequestId" in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["count", "--data", "1", "--tail"], "add --remote"),
        (["count", "--data", "1", "--qualifier", "prod"], "--qualifier is for functions in AWS"),
        (["count", "--data", "1", "--remote"], "remove one of them"),
        (["count", "--data", "1", "--method", "GET"], "add its path with --url"),
        (["count", "--url", "/", "--example", "sqs"], "comes from --data or --data-file"),
        (["count", "--url", "/", "--header", "x"], "is not 'NAME: TEXT'"),
        (["count", "--data", "{}", "--set", "x"], "is not PATH=VALUE"),
        (["count", "--data", "1", "--output", "/no/such/folder/file"], "cannot write /no/such/folder/file"),
    ],
)
def test_options_that_do_not_fit_are_refused(project: Path, arguments: list[str], message: str) -> None:
    done = run(*source(project, *arguments))
    assert done.code == 2, done.err
    assert message in done.err
    assert "Traceback" not in done.err


def test_sample_events_are_listed_and_printed(tmp_path: Path) -> None:
    listed = run("events", cwd=tmp_path).succeeded()
    assert [line.split()[0] for line in listed.out.splitlines()] == samples.names()
    assert run("events", "--json", cwd=tmp_path).succeeded().json[0] == {"source": "alb", "type": "pyl.events.ALBEvent"}
    printed = run("events", "sqs", cwd=tmp_path).succeeded()
    assert printed.json == json.loads(samples.load("sqs"))
    changed = run("events", "sqs", "--set", "Records.0.body=hello", cwd=tmp_path).succeeded()
    assert changed.json["Records"][0]["body"] == "hello"
    assert "did you mean 'sqs'" in run("events", "sqz", cwd=tmp_path).err
