"""Each concurrent invocation has an environment, which stays warm; every answer reaches its caller."""

from __future__ import annotations

import asyncio
import concurrent.futures
import http.client
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pyl.emulator.pool import Pool
from pyl.sandbox.memory_limits import MemoryLimits
from unit.emulator.fakes import Serving, function, package, serving

BODY = """
if name == "nap":
    time.sleep(event["seconds"])
    result = {"process": os.getpid(), "number": event["number"]}
elif name == "eat":
    food = bytearray(event << 20)
    for index in range(0, len(food), 4096):
        food[index] = 1
    result = len(food)
elif name == "version":
    result = open("/proc/self/environ").read() and VERSION
elif name == "wait":
    pid = os.getpid()
    os.write(1, f"process {pid}\\n".encode())
    time.sleep(60)
"""


_CONNECTIONS: list[http.client.HTTPConnection] = []


@pytest.fixture(autouse=True)
def closed_connections() -> Iterator[None]:
    yield
    while _CONNECTIONS:
        _CONNECTIONS.pop().close()


class Caller:
    """Invokes functions, with one keep-alive connection for each thread."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._local = threading.local()

    def __call__(self, name: str, event: Any) -> Any:
        if not hasattr(self._local, "connection"):
            self._local.connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
            _CONNECTIONS.append(self._local.connection)
        connection = self._local.connection
        connection.request("POST", f"/2015-03-31/functions/{name}/invocations", json.dumps(event))
        response = connection.getresponse()
        return json.loads(response.read())


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Serving]]:
    managers = []

    def begin(body: str = BODY, **options: Any) -> Serving:
        names = ("nap", "eat", "version", "wait")
        manager = serving(package(tmp_path, body), *(function(name, memory=128) for name in names), **options)
        managers.append(manager)
        return manager.__enter__()

    yield begin
    for manager in managers:
        manager.__exit__(None, None, None)


def at_once(caller: Caller, count: int, name: str, events: list[Any]) -> list[Any]:
    with concurrent.futures.ThreadPoolExecutor(count) as threads:
        return list(threads.map(lambda event: caller(name, event), events))


def test_concurrent_invocations_have_an_environment_each_and_later_ones_reuse_them(
    start: Callable[..., Serving],
) -> None:
    emulator = start()
    caller = Caller(emulator.port)
    events = [{"seconds": 0.5, "number": number} for number in range(4)]
    first = {answer["process"] for answer in at_once(caller, 4, "nap", events)}
    assert len(first) == 4
    assert {answer["process"] for answer in at_once(caller, 4, "nap", events)} == first
    assert caller("nap", {"seconds": 0, "number": 9})["process"] in first


def test_every_one_of_many_concurrent_callers_gets_its_own_answer(start: Callable[..., Serving]) -> None:
    caller = Caller(start().port)
    events = [{"seconds": 0, "number": number} for number in range(1500)]
    answers = at_once(caller, 64, "nap", events)
    assert [answer["number"] for answer in answers] == list(range(1500))
    assert 1 < len({answer["process"] for answer in answers}) <= 64


def test_more_than_allowed_are_refused(start: Callable[..., Serving]) -> None:
    caller = Caller(start(concurrency=2).port)
    answers = at_once(caller, 3, "nap", [{"seconds": 1, "number": number} for number in range(3)])
    assert sorted("number" in answer for answer in answers) == [False, True, True]
    assert next(a for a in answers if "number" not in a)["Reason"] == "ConcurrentInvocationLimitExceeded"


def logged_process(emulator: Serving) -> int:
    limit = time.monotonic() + 20
    while True:
        for _, line in emulator.lines:
            if line.startswith("process "):
                return int(line.removeprefix("process "))
        assert time.monotonic() < limit
        time.sleep(0.01)


def test_an_environment_that_is_killed_fails_its_own_caller_only(start: Callable[..., Serving]) -> None:
    emulator = start()
    caller = Caller(emulator.port)
    with concurrent.futures.ThreadPoolExecutor(10) as threads:
        victim = threads.submit(caller, "wait", None)
        others = [threads.submit(caller, "nap", {"seconds": 0.5, "number": number}) for number in range(8)]
        os.kill(logged_process(emulator), signal.SIGKILL)
        assert victim.result()["errorMessage"].endswith("Error: Runtime exited with error: signal: killed")
        assert [other.result()["number"] for other in others] == list(range(8))


def test_an_idle_environment_that_dies_is_replaced(start: Callable[..., Serving]) -> None:
    emulator = start()
    caller = Caller(emulator.port)
    process = caller("nap", {"seconds": 0, "number": 1})["process"]
    os.kill(process, signal.SIGKILL)
    answer = caller("nap", {"seconds": 0, "number": 2})
    assert answer.get("number", 2) == 2
    assert caller("nap", {"seconds": 0, "number": 3})["process"] != process


def test_a_new_version_serves_while_the_old_one_comes_to_its_end(start: Callable[..., Serving], tmp_path: Path) -> None:
    emulator = start(BODY.replace("VERSION", "1").replace("time.sleep(60)", "time.sleep(2); result = 'old'"))
    caller = Caller(emulator.port)
    assert caller("version", None) == 1
    newer = tmp_path / "newer"
    newer.mkdir()
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        running = thread.submit(caller, "wait", None)
        process = logged_process(emulator)
        emulator.replace(package(newer, "result = 2"), function("version"))
        assert caller("version", None) == 2
        assert running.result() == "old"
    limit = time.monotonic() + 10
    while is_running(process):
        assert time.monotonic() < limit
        time.sleep(0.01)


def is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.skipif(MemoryLimits().unavailable is not None, reason="no memory cgroup can be made here")
def test_a_function_that_exceeds_its_memory_is_ended_and_leaves_no_cgroup(tmp_path: Path) -> None:
    with serving(package(tmp_path, BODY), function("eat", memory=128), limits=True) as emulator:
        hierarchy = emulator.resources.memory._hierarchy
        assert hierarchy is not None
        caller = Caller(emulator.port)
        assert caller("eat", 20) == 20 << 20
        assert list(hierarchy.parent.glob(f"pyl-{os.getpid()}-*"))
        answer = caller("eat", 300)
        assert answer["errorType"] == "Runtime.ExitError"
        assert answer["errorMessage"].endswith("signal: killed")
        assert emulator.lines[-1][1].endswith("Status: error\tError Type: Runtime.OutOfMemory")
        assert caller("eat", 20) == 20 << 20
    assert not list(hierarchy.parent.glob(f"pyl-{os.getpid()}-*"))


class FakeEnvironment:
    """An environment whose state the test sets."""

    def __init__(self) -> None:
        self.usable = True
        self.on_exit: Callable[[], None] | None = None
        self.ended = False
        self.usable_after_invocation = True

    async def invoke(self, *_arguments: object) -> FakeEnvironment:
        self.usable = self.usable_after_invocation
        return self

    async def __aexit__(self, *_exception: object) -> None:
        self.ended = True


class FakePool:
    """A pool of fake environments."""

    def __init__(self) -> None:
        self.pool = Pool(self._start)  # type: ignore[arg-type]

    async def _start(self) -> FakeEnvironment:
        return FakeEnvironment()

    async def invoke(self) -> FakeEnvironment:
        """Return the environment that handled an invocation."""
        return await self.pool.invoke(None)  # type: ignore[arg-type, return-value]


def test_an_idle_environment_that_is_no_longer_usable_is_replaced_and_ended() -> None:
    async def scenario() -> None:
        fake = FakePool()
        first = await fake.invoke()
        assert await fake.invoke() is first
        first.usable = False
        second = await fake.invoke()
        assert second is not first
        await asyncio.sleep(0)
        assert (first.ended, second.ended) == (True, False)
        await fake.pool.close()

    asyncio.run(scenario())


def test_an_environment_that_an_invocation_made_unusable_is_ended_at_once() -> None:
    async def scenario() -> None:
        fake = FakePool()
        first = await fake.invoke()
        first.usable_after_invocation = False
        assert await fake.invoke() is first
        assert fake.pool.size == 0
        await asyncio.sleep(0)
        assert first.ended
        await fake.pool.close()

    asyncio.run(scenario())
