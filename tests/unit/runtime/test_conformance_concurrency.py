"""Several invocations at once in one environment, as Lambda Managed Instances ask for."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from typing import Any

import pytest

from unit.runtime.api_server import PATIENCE, REFERENCE, Request, RuntimeAPI, RuntimeCommand
from unit.runtime.test_conformance_awslambdaric import TIMESTAMP
from unit.runtime.test_conformance_shutdown import IDENTIFIER, end, wait_for

MANY = {"AWS_LAMBDA_MAX_CONCURRENCY": "4", "AWS_LAMBDA_LOG_FORMAT": "JSON"}


def asked(api: RuntimeAPI, count: int) -> list[Request]:
    """That many questions for an event, each of another process."""
    found = [api.expect("next") for _ in range(count)]
    assert len({request.connection for request in found}) == count
    return found


def answer(api: RuntimeAPI, request: Request, event: Any) -> None:
    request.connection.sendall(api.event(json.dumps(event).encode()))


def results(api: RuntimeAPI, count: int) -> dict[str, Any]:
    """Answers by request id; accepted when all of them are there, so that no process asks again before."""
    posted = [api.expect("response") for _ in range(count)]
    for answered in posted:
        api.reply(answered)
    return {answered.path.split("/")[-2]: answered.json for answered in posted}


def test_several_events_are_answered_at_once_each_by_its_own_process(api: RuntimeAPI, runtime: RuntimeCommand) -> None:
    with runtime.start(api, "spread", **MANY) as process:
        for turn in range(3):
            for number, request in enumerate(asked(api, 4)):
                answer(api, request, turn * 4 + number)
            found = results(api, 4)
            assert [found[f"request-{turn * 4 + number + 1}"]["event"] for number in range(4)] == [
                turn * 4 + number for number in range(4)
            ]
            processes = {result["process"] for result in found.values()}
            assert len(processes) == 4
            assert process.popen.pid not in processes
            assert len({result["random"] for result in found.values()}) == 4


def test_a_process_that_waits_does_not_keep_the_others(api: RuntimeAPI, runtime: RuntimeCommand) -> None:
    with runtime.start(api, "spread", **MANY):
        requests = asked(api, 4)
        for number in range(5):
            answer(api, requests[0], number)
            (result,) = results(api, 1).values()
            assert result["event"] == number
            requests[0] = api.expect("next")


@pytest.mark.parametrize(("status", "how"), [(7, "exit status 7"), (1, "exit status 1"), (0, "exit status 0")])
def test_a_process_that_ends_is_replaced_and_the_others_go_on(
    api: RuntimeAPI, runtime: RuntimeCommand, status: int, how: str
) -> None:
    with runtime.start(api, "spread", **MANY) as process:
        first, second, *_ = asked(api, 4)
        answer(api, first, {"exit": status})
        assert api.expect("next").connection not in (first.connection, second.connection)
        answer(api, second, "after")
        assert [result["event"] for result in results(api, 1).values()] == ["after"]
        assert f"ended with {how}; another takes its place" in process.stderr()


def test_a_process_that_leaves_a_child_behind_is_replaced(api: RuntimeAPI, runtime: RuntimeCommand) -> None:
    with runtime.start(api, "spread", **MANY):
        first, *others = asked(api, 4)
        answer(api, first, {"exit": 7, "leave a child": True})
        assert api.expect("next").connection not in [request.connection for request in (first, *others)]


def test_a_process_that_is_killed_is_replaced(api: RuntimeAPI, runtime: RuntimeCommand) -> None:
    with runtime.start(api, "spread", **MANY) as process:
        first, *_ = asked(api, 4)
        answer(api, first, "who")
        (result,) = results(api, 1).values()
        api.expect("next")
        os.kill(result["process"], signal.SIGKILL)
        answer(api, api.expect("next"), "after")
        (after,) = results(api, 1).values()
        assert after["process"] != result["process"]
        assert "ended with signal 9; another takes its place" in process.stderr()


def test_a_failed_start_is_told_once(api: RuntimeAPI, runtime: RuntimeCommand) -> None:
    with runtime.start(api, "broken_import", **MANY) as process:
        posted = api.expect("error")
        assert posted.path == "/2018-06-01/runtime/init/error"
        api.reply(posted)
        assert process.wait() == 1
        with pytest.raises(TimeoutError):
            api.receive(0.2)


def test_without_the_runtime_api_every_process_ends(api: RuntimeAPI, runtime: RuntimeCommand) -> None:
    with runtime.start(api, "spread", **MANY) as process:
        for request in asked(api, 4):
            api.reply(request, "500 Internal Server Error")
        assert process.wait() == 1
        assert "takes its place" not in process.stderr()


@pytest.mark.parametrize("count", ["1", "0", "", "many", "-4"])
def test_one_event_at_a_time_needs_no_other_process(api: RuntimeAPI, runtime: RuntimeCommand, count: str) -> None:
    with runtime.start(api, "spread", AWS_LAMBDA_MAX_CONCURRENCY=count) as process:
        assert api.result(1)["process"] == process.popen.pid


def test_each_process_has_a_log_of_its_own(api: RuntimeAPI, runtime: RuntimeCommand) -> None:
    received: list[bytes] = []

    def collect(connection: socket.socket) -> None:
        with connection:
            received.append(connection.recv(65536, socket.MSG_WAITALL))

    with runtime.shared_folder() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        path = folder / "logs"
        listener.bind(str(path))
        listener.listen()
        listener.settimeout(PATIENCE)
        variables = {**MANY, "AWS_LAMBDA_MAX_CONCURRENCY": "2", "_LAMBDA_TELEMETRY_LOG_FD_PROVIDER_SOCKET": str(path)}
        with runtime.start(api, "evaluate", **variables):
            threads = [threading.Thread(target=collect, args=(listener.accept()[0],)) for _ in range(4)]
            for thread in threads:
                thread.start()
            for number, request in enumerate(asked(api, 2)):
                answer(api, request, f"print('printed {number}')")
            assert list(results(api, 2).values()) == [None, None]
        for thread in threads:
            thread.join(PATIENCE)
    assert sorted(received) == [b"", b"", b"printed 0\n", b"printed 1\n"]


def test_hooks_run_in_every_process_and_one_extension_stands_for_all(api: RuntimeAPI, runtime: RuntimeCommand) -> None:
    with runtime.start(api, "ending", **MANY) as process:
        register = api.expect("register")
        api.reply(register, "200 OK", b"{}", f"Lambda-Extension-Identifier: {IDENTIFIER}\r\n")
        kinds = sorted(api.receive().path for _ in range(5))
        assert kinds == ["/2018-06-01/runtime/invocation/next"] * 4 + ["/2020-01-01/extension/event/next"]
        assert end(process) == 0
        assert process.stdout().count("last hook\n") == 4


def test_debug_logs_tell_the_same_of_the_processes(api: RuntimeAPI, runtime: RuntimeCommand) -> None:
    def lines(command: RuntimeCommand) -> str:
        with RuntimeAPI() as api, command.start(api, "echo", **MANY, AWS_LAMBDA_LOG_LEVEL="DEBUG") as process:
            asked(api, 4)
            wait_for(process, "\n")
            return TIMESTAMP.sub("TIME", process.stdout())

    ours = lines(runtime)
    assert ours == lines(REFERENCE)
    assert json.loads(ours)["message"]["workerCount"] == 4
