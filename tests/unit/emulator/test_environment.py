"""An execution environment runs a package as Lambda does, and reports the outcome."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pyl.emulator.environment import Environment, Outcome
from pyl.sandbox import execution
from unit.emulator.fakes import function, package


def once(task: Path, event: bytes = b"{}", **configuration: Any) -> Outcome:
    with Environment(task, function(**configuration), region="eu-west-1") as environment:
        return environment.invoke(event)


needs_sandbox = pytest.mark.skipif(execution.unavailable() is not None, reason="this machine allows no mount namespace")


def test_the_answer_and_its_times_come_back(tmp_path: Path) -> None:
    outcome = once(package(tmp_path, "result = [event, 2]"), b'"one"')
    assert json.loads(outcome.payload) == ["one", 2]
    assert outcome.error is None
    assert outcome.init is not None
    assert outcome.cold_start is not None
    assert 0 < outcome.init <= outcome.cold_start < 10
    assert 0 < outcome.duration < outcome.cold_start
    assert outcome.max_memory > 1_000_000


def test_a_second_invocation_is_warm_and_meets_the_same_process(tmp_path: Path) -> None:
    task = package(tmp_path, "result = os.getpid()")
    with Environment(task, function(), region=None) as environment:
        first, second = environment.invoke(b"{}"), environment.invoke(b"{}")
    assert first.payload == second.payload
    assert second.init is None
    assert second.cold_start is None


def test_lambdas_variables_are_set_and_this_machines_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYL_SECRET_OF_THIS_MACHINE", "x")
    outcome = once(package(tmp_path, "result = dict(os.environ)"), memory=256, environment={"TABLE": "orders"})
    seen = json.loads(outcome.payload)
    assert seen["_HANDLER"] == "functions.f"
    assert seen["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert seen["AWS_REGION"] == "eu-west-1"
    assert seen["TABLE"] == "orders"
    assert "AWS_EXECUTION_ENV" not in seen
    assert "PYL_SECRET_OF_THIS_MACHINE" not in seen


@needs_sandbox
def test_the_package_stands_at_var_task_read_only_with_a_tmp_of_its_own(tmp_path: Path) -> None:
    (tmp_path.parent / "seen-by-the-host").write_text("")
    body = (
        "result = {'cwd': os.getcwd(), 'tmp': os.listdir('/tmp'),"
        " 'task': os.access('/var/task/bootstrap', os.R_OK), 'writable': os.statvfs('/var/task').f_flag & 1 == 0}\n"
        "open('/tmp/x', 'w').close()"
    )
    seen = json.loads(once(package(tmp_path, body)).payload)
    assert seen == {"cwd": "/var/task", "tmp": [], "task": True, "writable": False}
    assert not Path("/tmp/x").exists()


def test_a_function_that_takes_too_long_is_ended_with_lambdas_error(tmp_path: Path) -> None:
    outcome = once(package(tmp_path, "time.sleep(60)"), timeout=1)
    assert outcome.error == "Sandbox.Timedout"
    assert json.loads(outcome.payload)["errorMessage"].endswith("Task timed out after 1.00 seconds")


def test_the_time_limit_does_not_count_the_initialisation(tmp_path: Path) -> None:
    task = package(tmp_path, "result = 1")
    text = (task / "bootstrap").read_text()
    (task / "bootstrap").write_text(text.replace("api =", "time.sleep(1.5); api ="))
    assert once(task, timeout=1).payload == b"1"


@pytest.mark.parametrize(
    ("death", "text"),
    [
        ("os._exit(3)", "Runtime exited with error: exit status 3"),
        ("os.kill(os.getpid(), 9)", "Runtime exited with error: signal: killed"),
        ("os._exit(0)", "Runtime exited without providing a reason"),
    ],
)
def test_a_process_that_dies_is_reported_as_lambda_reports_it(tmp_path: Path, death: str, text: str) -> None:
    outcome = once(package(tmp_path, death))
    assert outcome.error == "Runtime.ExitError"
    assert json.loads(outcome.payload)["errorMessage"] == f"RequestId: {outcome.request_id} Error: {text}"


def test_the_report_reads_as_lambdas(tmp_path: Path) -> None:
    outcome = once(package(tmp_path, "result = 1"))
    report = outcome.report(function(memory=256))
    assert report.startswith(f"REPORT RequestId: {outcome.request_id}\tDuration: ")
    assert "\tMemory Size: 256 MB\tMax Memory Used: " in report
    assert "\tInit Duration: " in report


def test_leaving_ends_the_process_and_its_children(tmp_path: Path) -> None:
    body = "import subprocess; result = [os.getpid(), subprocess.Popen(['/bin/sleep', '60']).pid]"
    pids = json.loads(once(package(tmp_path, body)).payload)
    assert len(pids) == 2
    for pid in pids:
        stat = Path(f"/proc/{pid}/stat")
        assert not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


def test_without_a_sandbox_the_package_runs_where_it_is_and_is_timed_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "unavailable", lambda: "not here")
    task = package(tmp_path, "result = os.getcwd()")
    outcome = once(task)
    assert json.loads(outcome.payload) == str(task)
    assert outcome.init is not None
    assert outcome.cold_start is not None
    assert outcome.init <= outcome.cold_start


def test_a_process_with_an_extension_is_told_before_it_ends(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    body = """
import signal
def tell(*_):
    open(MARKER, "w").write("marker")
    os._exit(0)
signal.signal(signal.SIGTERM, tell)
extension = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
extension.request("POST", "/2020-01-01/extension/register", '{"events": []}', {"Lambda-Extension-Name": "own"})
result = extension.getresponse().status
"""
    task = package(tmp_path, body.replace("MARKER", repr(str(marker))))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(execution, "unavailable", lambda: "it could not write there")
        assert once(task).payload == b"200"
    assert marker.read_text() == "marker"
