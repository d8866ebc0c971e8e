"""The measuring driver against real programs: good ones, and every kind of bad one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyl.bench import case, page_cache, programs, variants
from pyl.bench.driver import Driver, Start
from pyl.bench.figures import WARM
from pyl.bench.rounds import Contestants, Plan
from pyl.bench.variants import Variant
from pyl.project.config.model import FunctionConfiguration
from pyl.project.model import Function
from pyl.sandbox import execution
from pyl.sandbox.cgroups import remove_group
from pyl.sandbox.processor_limits import limit_processor

FUNCTION = Function(
    name="work",
    module="handlers",
    attribute="work",
    file=Path("/project/handlers.py"),
    line=1,
    event=None,
    configuration=FunctionConfiguration(environment={"TABLE": "a table"}),
)
EVENT = b'{"name": "Maria"}'

_CLIENT = """
import http.client, json, os, sys, time
connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
ROOT = "/2018-06-01/runtime/"
def take():
    connection.request("GET", ROOT + "invocation/next")
    response = connection.getresponse()
    return response.headers["Lambda-Runtime-Aws-Request-Id"], response.read()
def post(path, body, **other):
    connection.request("POST", ROOT + path, body, **other)
    return connection.getresponse().read()
"""


@pytest.fixture
def baseline_runtime() -> Variant:
    return variants.started_by_bootstrap("floor", programs.baseline_runtime())


def _python(folder: Path, source: str) -> Variant:
    folder.mkdir(exist_ok=True)
    (folder / "main.py").write_text(_CLIENT + source)
    interpreter = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    return Variant(name="python", title="a script", task=folder, command=(interpreter, "-S", "{task}/main.py"))


def _shell(folder: Path, source: str) -> Variant:
    folder.mkdir(exist_ok=True)
    program = folder / "bootstrap"
    program.write_text(f"#!/bin/sh\n{source}\n")
    program.chmod(0o755)
    return variants.started_by_bootstrap("script", folder)


def _run(variant: Variant, event: bytes = EVENT, **options: object) -> Start:
    with Driver(variant, FUNCTION) as driver:
        (start,) = driver.run(event, **options)  # type: ignore[arg-type]
    return start


def test_the_baseline_runtime_responds_with_its_event(baseline_runtime: Variant) -> None:
    start = _run(baseline_runtime, invocations=20)
    assert start.failure is None
    assert start.body == EVENT
    assert len(start.latencies) == len(start.servers) == 20


def test_moments_come_in_their_order(baseline_runtime: Variant) -> None:
    start = _run(baseline_runtime, invocations=3)
    assert 0 < start.asked < start.answered
    assert min(start.latencies) > 0
    assert start.span > 0


def test_the_drivers_own_time_is_known_and_smaller_than_what_it_is_part_of(baseline_runtime: Variant) -> None:
    with Driver(baseline_runtime, FUNCTION) as driver:
        starts = [driver.run(EVENT, invocations=50)[0] for _ in range(10)]
    assert all(0 < start.server < start.answered for start in starts)
    assert all(own > 0 for start in starts for own in start.servers)
    # Processor time: unlike a wall clock it does not grow when others keep the machine busy.
    assert sum(start.server for start in starts) < sum(start.answered for start in starts)


def test_what_is_reported_is_less_the_drivers_own_time(baseline_runtime: Variant) -> None:
    with Contestants("case", [baseline_runtime], FUNCTION, region=None) as contestants:
        series = case.cold_starts(contestants, EVENT, Plan(least=6, most=6), lambda _: None)
    cold = next(item for item in series if item.measure == "cold_start")
    assert cold.server > 0
    assert len(cold.samples) == 6


def test_memory_processor_time_and_faults_are_those_of_the_program(tmp_path: Path) -> None:
    source = """
block = bytearray(50_000_000)
block[::4096] = b"x" * len(block[::4096])
identifier, body = take()
for _ in range(2_000_000): pass
post(f"invocation/{identifier}/response", body)
take()
"""
    start = _run(_python(tmp_path, source))
    assert start.failure is None
    assert start.first.peak > 50_000_000
    assert 50_000_000 < start.first.private <= start.first.resident
    assert start.first.proportional > 50_000_000
    assert start.first.minor > 1000
    assert start.first.processor > 10_000_000


def test_many_invocations_go_to_one_processor_which_the_start_does_not_see(tmp_path: Path) -> None:
    source = """
for _ in range(3):
    identifier, body = take()
    print(len(os.sched_getaffinity(0)), flush=True)
    post(f"invocation/{identifier}/response", body)
take()
"""
    start = _run(_python(tmp_path, source), invocations=3)
    assert start.failure is None
    assert start.log.split() == [str(len(os.sched_getaffinity(0))).encode(), b"1", b"1"]


def test_programs_see_lambdas_variables_and_no_credentials_of_the_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the caller's")
    source = """
identifier, _ = take()
post(f"invocation/{identifier}/response", json.dumps(dict(os.environ)))
take()
"""
    seen = json.loads(_run(_python(tmp_path, source)).body)
    assert (seen["_HANDLER"], seen["TABLE"]) == ("functions.work", "a table")
    assert "the caller's" not in seen.values()


@pytest.mark.parametrize("size", [0, 1, 30_000, 70_000, 3_000_000])
def test_events_of_every_size_come_back_whole(baseline_runtime: Variant, size: int) -> None:
    event = json.dumps("x" * size).encode()
    assert _run(baseline_runtime, event, invocations=3).body == event


def test_chunked_answers_are_understood(tmp_path: Path) -> None:
    source = """
identifier, _ = take()
pieces, chunked = iter([b'{"a"', b": 1}"]), {"Transfer-Encoding": "chunked"}
post(f"invocation/{identifier}/response", pieces, encode_chunked=True, headers=chunked)
take()
"""
    assert _run(_python(tmp_path, source)).body == b'{"a": 1}'


def test_many_environments_at_once_are_each_answered(baseline_runtime: Variant) -> None:
    with Driver(baseline_runtime, FUNCTION) as driver:
        starts = driver.run(EVENT, environments=64, invocations=3, inspect=False)
    assert [start.failure for start in starts] == [None] * 64
    assert {start.body for start in starts} == {EVENT}


BAD = {
    "ends": ("exit 3", "exited with status 3"),
    "crashes": ("kill -SEGV $$", "SIGSEGV"),
    "never asks for work": ("sleep 60", "did not ask for work within 1 s"),
}
BAD_CLIENTS = {
    "hangs": ("take()\ntime.sleep(60)", "did not respond within 1 s"),
    "ends after taking": ("take()", "exited with status 0"),
    "speaks garbage": (
        "connection.connect()\nconnection.sock.send(b'\\x00\\x01garbage')\ntime.sleep(60)",
        "not a request",
    ),
    "answers invalid JSON": (
        "i, _ = take()\npost(f'invocation/{i}/response', b'<html>')\ntake()",
        "not valid JSON: <html>",
    ),
    "answers unasked": ("post('invocation/1/response', b'{}')\ntime.sleep(60)", "not a request"),
    "reports an error": (
        "i, _ = take()\npost(f'invocation/{i}/error', json.dumps({'errorType': 'KeyError'}))\ntake()",
        'reported an error: {"errorType": "KeyError"}',
    ),
    "fails to initialise": ("post('init/error', json.dumps({'errorType': 'ImportError'}))", "initialisation failed"),
}


@pytest.mark.parametrize("kind", BAD)
def test_the_failure_of_a_bad_program_names_the_cause(tmp_path: Path, kind: str) -> None:
    source, words = BAD[kind]
    assert words in (_run(_shell(tmp_path, source), timeout=1).failure or "")


@pytest.mark.parametrize("kind", BAD_CLIENTS)
def test_the_failure_of_a_bad_client_names_the_cause(tmp_path: Path, kind: str) -> None:
    source, words = BAD_CLIENTS[kind]
    assert words in (_run(_python(tmp_path, source), timeout=1).failure or "")


def test_a_program_that_cannot_be_executed_is_reported(tmp_path: Path) -> None:
    (tmp_path / "bootstrap").write_bytes(b"\x7fELF nothing")
    (tmp_path / "bootstrap").chmod(0o755)
    start = _run(variants.started_by_bootstrap("broken", tmp_path))
    assert "cannot be started" in (start.failure or "")


def test_a_failure_comes_with_what_the_program_printed(tmp_path: Path) -> None:
    start = _run(_shell(tmp_path, "echo to stdout; echo to stderr >&2; exit 1"))
    assert start.log == b"to stdout\nto stderr\n"


def test_a_failing_variant_leaves_and_the_rest_goes_on(baseline_runtime: Variant, tmp_path: Path) -> None:
    bad = _shell(tmp_path, "echo boom; exit 9")
    with Contestants("mixed", [bad, baseline_runtime], FUNCTION, region=None) as contestants:
        series = case.cold_starts(contestants, EVENT, Plan(least=6, most=6), lambda _: None)
        assert [variant.name for variant in contestants.variants] == ["floor"]
        series += case.warm_invocations(contestants, [case.PAYLOADS[0]], Plan(least=6, most=6), lambda _: None)
    assert {item.variant for item in series} == {"floor"}
    (failure,) = contestants.failures
    assert (failure.variant, failure.condition, failure.log) == ("script", WARM, "boom\n")
    assert "exited with status 9" in failure.reason


def test_no_program_outlives_its_measurement(tmp_path: Path) -> None:
    source = """
import subprocess
subprocess.Popen(["/bin/sleep", "4321.25"])
identifier, _ = take()
post(f"invocation/{identifier}/response", b"{}")
time.sleep(60)
"""
    _run(_python(tmp_path, source))
    assert not _processes_with("4321.25")


def _processes_with(word: str) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                found.append((entry / "cmdline").read_text())
            except OSError:
                continue
    return [command for command in found if word in command]


def test_without_a_mount_namespace_programs_run_where_they_are(
    tmp_path: Path, baseline_runtime: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "unavailable", lambda: "not here")
    assert _run(baseline_runtime, invocations=3).failure is None
    source = """
identifier, _ = take()
post(f"invocation/{identifier}/response", json.dumps([os.getcwd(), os.environ["LAMBDA_TASK_ROOT"]]))
take()
"""
    folder = tmp_path / "here"
    assert json.loads(_run(_python(folder, source)).body) == [str(folder), str(folder)]


def test_dropped_files_are_out_of_the_page_cache(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    file = tmp_path / "folder" / "file"
    file.write_bytes(os.urandom(1_000_000))
    paths = page_cache.files([tmp_path])
    assert paths == (file,)
    page_cache.write_back(paths)
    if page_cache.resident(paths) < 1:
        pytest.skip("this file system keeps nothing in the page cache")
    page_cache.drop(paths)
    assert page_cache.resident(paths) == 0
    page_cache.fill(paths)
    assert page_cache.resident(paths) == 1


def test_starts_with_a_warm_page_cache_have_all_files_there_whatever_was_measured_before(
    baseline_runtime: Variant, tmp_path: Path
) -> None:
    task = tmp_path / "task"
    shutil.copytree(baseline_runtime.task, task)
    (task / "unread").write_bytes(os.urandom(1_000_000))
    paths = page_cache.files([task])
    page_cache.write_back(paths)
    page_cache.drop(paths)
    variant = variants.started_by_bootstrap("floor", task)
    with Contestants("case", [variant], FUNCTION, region=None) as contestants:
        case.cold_starts(contestants, EVENT, Plan(least=6, most=6), lambda _: None)
    assert page_cache.resident(paths) == 1


def test_a_group_goes_with_what_an_interrupted_measurement_left_in_it(small_share: Path) -> None:
    with limit_processor(512) as group, subprocess.Popen(["sleep", "60"]) as process:
        (group / "cgroup.procs").write_text(str(process.pid))
        remove_group(group, within=2)
        assert not group.exists()
        assert process.wait() == -signal.SIGKILL


@pytest.fixture
def small_share() -> Iterator[Path]:
    try:
        with limit_processor(128) as group:
            yield group
    except OSError as error:
        pytest.skip(f"no cgroup can be made here: {error}")


def test_a_small_memory_size_gets_a_small_share_of_the_processor(tmp_path: Path, small_share: Path) -> None:
    source = """
identifier, _ = take()
while time.process_time() < 0.1: pass
used = time.process_time(), time.monotonic()
while time.process_time() < used[0] + 0.03: pass
post(f"invocation/{identifier}/response", json.dumps({"slower": (time.monotonic() - used[1]) / 0.03}))
take()
"""
    start = _run(_python(tmp_path, source), group=small_share)
    assert start.failure is None
    assert json.loads(start.body)["slower"] > 5  # 1769 / 128 is 13.8
