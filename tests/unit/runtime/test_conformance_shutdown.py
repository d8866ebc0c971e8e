"""Hooks before the end of the environment: an internal extension where there are some, and SIGTERM."""

from __future__ import annotations

import signal
import time

import pytest

from unit.runtime.api_server import INTERPRETED, PATIENCE, Process, Request, RuntimeAPI, RuntimeCommand

IDENTIFIER = "9cd8ae2c-0000-4a0b-8c0f-000000000001"
PRINTED = "[ERROR] ValueError: invalid literal for int() with base 10: 'größe'\rTraceback"


def accept_extension(api: RuntimeAPI) -> Request:
    """Let the runtime register its extension; returns the request with which that waits for events."""
    register = api.expect("register")
    assert (register.method, register.path) == ("POST", "/2020-01-01/extension/register")
    assert register.headers["lambda-extension-name"] == "pyl"
    assert register.json == {"events": []}
    api.reply(register, "200 OK", b"{}", f"Lambda-Extension-Identifier: {IDENTIFIER}\r\n")
    waiting = api.receive()
    assert (waiting.method, waiting.path) == ("GET", "/2020-01-01/extension/event/next")
    assert waiting.headers["lambda-extension-identifier"] == IDENTIFIER
    return waiting


def end(process: Process) -> int:
    process.popen.send_signal(signal.SIGTERM)
    return process.wait()


def assert_hooks_ran(process: Process) -> None:
    text = process.stdout()
    assert text.count("last hook") == 1
    assert text.index(PRINTED) < text.index("asynchronous hook") < text.index("last hook")


def test_hooks_run_when_lambda_ends_a_waiting_environment(api: RuntimeAPI, either: RuntimeCommand) -> None:
    with either.start(api, "ending") as process:
        accept_extension(api)
        assert api.result({}) == process.popen.pid
        api.expect("next")
        assert end(process) == 0
        assert_hooks_ran(process)


def test_hooks_run_before_the_first_event(api: RuntimeAPI, runtime: RuntimeCommand) -> None:
    with runtime.start(api, "ending") as process:
        accept_extension(api)
        api.expect("next")
        assert end(process) == 0
        assert_hooks_ran(process)


def test_hooks_run_in_the_middle_of_an_invocation(api: RuntimeAPI, runtime: RuntimeCommand) -> None:
    with runtime.start(api, "ending") as process:
        accept_extension(api)
        api.expect("next").connection.sendall(api.event(b'"wait"'))
        wait_for(process, "waiting")
        assert end(process) == 0
        assert_hooks_ran(process)
        assert process.stdout().endswith("last hook\ncleaned up\n")


def test_a_handler_of_the_users_own_runs_after_the_hooks(api: RuntimeAPI, runtime: RuntimeCommand) -> None:
    with runtime.start(api, "ending", OWN_HANDLER="1") as process:
        accept_extension(api)
        api.expect("next")
        assert end(process) == 0
        assert process.stdout().endswith("last hook\nown handler\n")


def test_the_extension_is_registered_before_the_first_event_is_asked_for(
    api: RuntimeAPI, either: RuntimeCommand
) -> None:
    with either.start(api, "ending"):
        accept_extension(api)
        assert api.receive().kind == "next"


@pytest.mark.parametrize("status", ["403 Forbidden", "404 Not Found"])
def test_an_extension_that_is_refused_is_logged_and_the_function_serves(
    api: RuntimeAPI, either: RuntimeCommand, status: str
) -> None:
    with either.start(api, "ending") as process:
        api.reply(api.expect("register"), status, b"no such thing")
        assert api.result({}) == process.popen.pid
        assert "no extension could be registered" in process.stderr()
        assert f"{status[:3]} no such thing" in process.stderr()
        assert end(process) == 0
        assert_hooks_ran(process)


def test_without_hooks_nothing_is_registered(api: RuntimeAPI, either: RuntimeCommand) -> None:
    with either.start(api, "hooked") as process:
        assert api.receive().kind == "next"
        assert end(process) == -signal.SIGTERM


@pytest.mark.parametrize("version", ["3.11", "3.12"])
def test_awslambdaric_runs_the_hooks_however_it_waits(api: RuntimeAPI, version: str) -> None:
    with INTERPRETED.start(api, "ending", AWS_EXECUTION_ENV=f"AWS_Lambda_python{version}") as process:
        accept_extension(api)
        assert api.result({}) == process.popen.pid
        api.expect("next")
        assert end(process) == 0
        assert_hooks_ran(process)


def wait_for(process: Process, text: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while text not in process.stdout():
        assert time.monotonic() < deadline, process.stdout()
        time.sleep(0.01)
