"""`pyl watch` serves the last good version of a project, and leaves nothing behind when it ends."""

from __future__ import annotations

import concurrent.futures
import json
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import boto3
import pytest

from integration.emulator.watching import (
    HANDLERS,
    TICKS_PER_SECOND,
    Watch,
    cgroups,
    is_running,
    processor_ticks,
    watching,
)
from integration.projects import COMMAND, ROOT, Built, environment, run, write_project

pytestmark = pytest.mark.alone


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path / "a project", {"src/handlers.py": HANDLERS})


@pytest.fixture
def watch(project: Path, tmp_path: Path) -> Iterator[Watch]:
    with watching(project, tmp_path) as running:
        yield running


def edit(project: Path, old: str, new: str) -> None:
    file = project / "src" / "handlers.py"
    file.write_text(file.read_text().replace(old, new))


def test_a_save_is_served_and_the_environments_before_it_end(watch: Watch, project: Path) -> None:
    assert watch.invoke("version") == 1
    before = watch.invoke("where")["process"]
    edit(project, "return 1", "return 2")
    watch.until(lambda: watch.invoke("version") == 2)
    watch.until(lambda: not is_running(before))
    (project / "src" / "more.py").write_text("value = 3")
    edit(project, "return 2", "import more\n    return more.value")
    watch.until(lambda: watch.invoke("version") == 3)
    assert "reloaded: nap, version, where" in watch.log


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("return 1", "return (", "handlers.py:6"),
        ("import os\n", "import os, not_there\n", "No module named 'not_there'"),
        ("import os\n", "import os\nraise RuntimeError('at import')\n", "at import"),
        ("def version(context: Context, event):", "def version():", "version"),
    ],
    ids=["syntax", "import", "exception", "signature"],
)
def test_a_broken_save_is_explained_and_the_last_good_version_goes_on(
    watch: Watch, project: Path, old: str, new: str, message: str
) -> None:
    assert watch.invoke("version") == 1
    edit(project, old, new)
    watch.until(lambda: "the last good version is still served" in watch.log)
    assert message in watch.log
    assert watch.invoke("version") == 1
    assert watch.invoke("nap", 0) == "rested"  # a cold start, of the version that was good
    edit(project, new, old)
    edit(project, "return 1", "return 2")
    watch.until(lambda: watch.invoke("version") == 2)


def test_configuration_is_reloaded_too(watch: Watch, project: Path) -> None:
    with (project / "pyproject.toml").open("a") as file:
        file.write('\n[tool.pyl.functions.extra]\nhandler = "extra:main"\n')
    (project / "src" / "extra.py").write_text("def main(event, context):\n    return 'extra'\n")
    watch.until(lambda: watch.invoke("extra") == "extra")


def test_a_project_that_is_broken_from_the_start_is_served_once_it_is_fixed(project: Path, tmp_path: Path) -> None:
    edit(project, "return 1", "return (")
    with watching(project, tmp_path) as watch:
        assert "handlers.py" in watch.invoke("version")["message"]
        assert "nothing is served until this is fixed" in watch.log
        edit(project, "return (", "return 1")
        watch.until(lambda: watch.invoke("version") == 1)


def test_the_source_stands_at_var_task_and_its_log_is_shown(watch: Watch) -> None:
    seen = watch.invoke("where")
    assert (seen["cwd"], seen["file"]) == ("/var/task", "/var/task/handlers.py")
    assert "where | looking" in watch.log


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_nothing_is_left_however_it_ends(watch: Watch, number: int) -> None:
    for name in ("where", "version"):
        watch.invoke(name)
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        call = thread.submit(watch.invoke, "nap", 60)
        watch.until(lambda: "process" in watch.log)
        processes, folders = watch.processes(), watch.folders()
        assert len(processes) >= 5  # itself, the reaper, an environment of each function
        assert folders
        code = watch.stop(number)
        assert code == (-signal.SIGKILL if number == signal.SIGKILL else 0)
        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever urllib calls a closed connection
            call.result()
    end = time.monotonic() + 15
    while any(map(is_running, processes)) or any(folder.exists() for folder in folders):
        assert time.monotonic() < end, (processes, folders)
        time.sleep(0.05)
    assert not cgroups(watch.process.pid)


def test_an_idle_emulator_uses_no_processor(watch: Watch) -> None:
    watch.invoke("where")
    time.sleep(1)  # for what follows the answer
    processes = watch.processes()
    before = processor_ticks(processes)
    time.sleep(5)
    assert processor_ticks(processes) - before <= 0.02 * 5 * TICKS_PER_SECOND


def test_a_port_that_is_taken_is_said_so(watch: Watch, project: Path) -> None:
    port = watch.address.rpartition(":")[2]
    done = run("watch", "--project", project, "--port", port)
    assert done.code == 2
    assert f"cannot listen on 127.0.0.1 port {port}: the port is in use" in done.err


def test_a_folder_that_cannot_be_watched_is_said_so(project: Path) -> None:
    limit = "echo 1 > /proc/sys/user/max_inotify_watches"
    command = shlex.join([*COMMAND, "watch", "--project", str(project), "--port", "0"])
    few = ["unshare", "--user", "--map-root-user", "sh", "-c"]
    if subprocess.run([*few, limit], capture_output=True).returncode:
        pytest.skip("this machine makes no user namespaces")
    done = subprocess.run([*few, f"{limit}; exec {command}"], env=environment(), capture_output=True, text=True)
    assert done.returncode == 4
    assert "cannot watch" in done.stderr
    assert "max_user_watches" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_address_that_others_reach_is_warned_of(project: Path, tmp_path: Path) -> None:
    with watching(project, tmp_path, "--host", "0.0.0.0") as watch:
        assert "can be reached from other machines" in watch.log


@pytest.mark.compile
@pytest.mark.parametrize("kind", ["interpreted", "native"])
def test_packages_are_served_and_replaced_when_they_change(
    example: Callable[[str], Built], tmp_path: Path, kind: str
) -> None:
    built = example("hello")
    project = Path(shutil.copytree(built.project, tmp_path / "project"))
    package = next((project / "build" / "pyl").glob(f"{kind}*.zip"))
    with watching(project, tmp_path, "--package", kind) as watch:
        assert watch.invoke("hello", {"a": 1}) == {"a": 1}
        content = package.read_bytes()
        package.unlink()
        watch.until(lambda: "there is no package at" in watch.log)
        assert watch.invoke("hello", 2) == 2
        package.write_bytes(content)
        watch.until(lambda: "reloaded" in watch.log)
        assert watch.invoke("hello", 3) == 3


def aws(watch: Watch, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = ROOT / ".tools" / "awscli" / "bin" / "aws"
    if not program.exists():
        pytest.skip("the AWS CLI is installed by `make test`")
    return subprocess.run(
        [program, "lambda", *arguments],
        cwd=folder,
        env=environment(
            AWS_ENDPOINT_URL_LAMBDA=watch.address,
            AWS_DEFAULT_REGION="us-east-1",
            AWS_ACCESS_KEY_ID="x",
            AWS_SECRET_ACCESS_KEY="y",
        ),
        capture_output=True,
        text=True,
    )


def test_the_aws_cli_invokes_functions(watch: Watch, tmp_path: Path) -> None:
    done = aws(watch, tmp_path, "invoke", "--function-name", "where", "--log-type", "Tail", "out.json")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "out.json").read_text())["cwd"] == "/var/task"
    assert json.loads(done.stdout)["ExecutedVersion"] == "$LATEST"
    assert "LogResult" in json.loads(done.stdout)
    missing = aws(watch, tmp_path, "invoke", "--function-name", "missing", "out.json")
    assert "ResourceNotFoundException" in missing.stderr
    later = aws(
        watch, tmp_path, "invoke", "--function-name", "nap", "--payload", "0", "--invocation-type", "Event", "o"
    )
    assert json.loads(later.stdout)["StatusCode"] == 202


def test_pyl_invokes_remotely_by_the_same_interface(watch: Watch, project: Path) -> None:
    variables = {
        "AWS_ENDPOINT_URL_LAMBDA": watch.address,
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "y",
    }
    done = run("invoke", "where", "--remote", "--tail", "--data", "1", "--project", project, **variables).succeeded()
    assert done.json["file"] == "/var/task/handlers.py"
    assert "looking" in done.err
    assert "REPORT RequestId" in done.err
    failed = run("invoke", "nap", "--remote", "--data", '"no"', "--project", project, **variables)
    assert (failed.code, failed.json["errorType"]) == (1, "TypeError")
    later = run("invoke", "nap", "--remote", "--async", "--data", "0", "--project", project, **variables).succeeded()
    assert later.out == ""
    assert "accepted: RequestId" in later.err


STREAMS = """\
from pathlib import Path
from urllib.request import urlopen
from pyl import Context, before_shutdown, function
from pyl.events import FunctionURLEvent
from pyl.responses import StreamingResponse

@function
def words(context: Context, event):
    for word in event:
        if word == "stop":
            raise ValueError("enough")
        yield word

@function
def page(context: Context, event: FunctionURLEvent):
    return StreamingResponse(iter(["<p>", event.raw_path]), status_code=203, headers={"content-type": "text/html"})

@function
def hooked(context: Context, event):
    return 1

@before_shutdown
def tell():
    print("shutting down", flush=True)
"""


def test_results_are_streamed_from_source_and_hooks_run_at_the_end(tmp_path: Path) -> None:
    project = write_project(tmp_path / "streams", {"src/handlers.py": STREAMS})
    with watching(project, tmp_path) as watch:
        client = boto3.client(
            "lambda",
            endpoint_url=watch.address,
            region_name="us-east-1",
            aws_access_key_id="x",
            aws_secret_access_key="y",
        )
        [*pieces, end] = client.invoke_with_response_stream(FunctionName="words", Payload='["a", "b"]')["EventStream"]
        assert b"".join(piece["PayloadChunk"]["Payload"] for piece in pieces) == b"ab"
        assert end == {"InvokeComplete": {}}
        broken = client.invoke_with_response_stream(FunctionName="words", Payload='["a", "stop"]')["EventStream"]
        [*_, last] = broken
        assert "enough" in last["InvokeComplete"]["ErrorDetails"]
        client.close()
        with urlopen(f"{watch.address}/url/page/x", timeout=30) as response:
            assert (response.status, response.headers["content-type"]) == (203, "text/html")
            assert response.read() == b"<p>/x"
        assert watch.invoke("hooked") == 1
        assert watch.stop() == 0
        assert "hooked | shutting down" in watch.log
