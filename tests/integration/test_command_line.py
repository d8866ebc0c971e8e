"""The surfaces of the command line that scripts and CI jobs depend on."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

import pytest

from integration.projects import COMMAND, HELLO, environment, run, write_project

FUNCTIONS = """\
import logging
from pyl import Context, function

logging.getLogger().setLevel(logging.INFO)

@function
def echo(context: Context, event):
    logging.info("seen %s", event)
    print("printed")
    return event

@function
def fail(context: Context, event):
    raise ValueError("not today")
"""

CONFIGURATION = """
[tool.pyl.functions.echo]
memory = 256
timeout = 7
description = "It's an echo"
environment = { GREETING = "hi there" }
event = "events/echo.json"
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("my work") / "echo's"
    files = {"handlers.py": FUNCTIONS, "events/echo.json": '{"own": true}'}
    return write_project(folder, files, configuration=CONFIGURATION)


@pytest.fixture(scope="module")
def built(project: Path) -> Path:
    run("build", "--project", project).succeeded()
    return project


def test_the_json_of_a_build_is_alone_on_stdout_and_has_the_promised_keys(project: Path) -> None:
    done = run("build", "--json", "--project", project).succeeded()
    report = done.json
    promised = {
        "package", "kind", "architecture", "runtime", "functions", "bytes", "unpacked_bytes", "image", "commands",
    }  # fmt: skip
    assert promised <= set(report)
    package = Path(report["package"])
    assert package == project / "build" / "pyl" / "interpreted.zip"
    assert report["kind"] == "interpreted"
    assert report["functions"] == ["echo", "fail"]
    assert report["bytes"] == package.stat().st_size
    assert report["unpacked_bytes"] > report["bytes"]
    assert report["image"]["kind"] == "none"
    assert report["image"]["reasons"]
    assert "Install dependencies" in done.err


def test_a_build_tells_its_package_functions_and_commands_on_stdout(project: Path) -> None:
    done = run("build", "--project", project).succeeded()
    assert done.out.startswith(f"{project / 'build' / 'pyl' / 'interpreted.zip'}  ")
    assert "Functions: echo, fail" in done.out
    for verb in ("create-function", "update-function-code"):
        line = next(line for line in done.out.splitlines() if f"aws lambda {verb}" in line)
        words = shlex.split(line)
        assert f"fileb://{project}/build/pyl/interpreted.zip" in words


def test_a_shell_runs_the_printed_command_as_it_is_meant(project: Path, tmp_path: Path) -> None:
    command = run("build", "--json", "--project", project).succeeded().json["commands"]["functions"]["echo"]
    (tmp_path / "aws").write_text('#!/bin/sh\nfor word; do printf "%s\\n" "$word"; done\n')
    (tmp_path / "aws").chmod(0o755)
    variables = {"PATH": f"{tmp_path}:/usr/bin:/bin", "LAMBDA_ROLE_ARN": "arn:role", "REGION_ID": "eu-west-1"}
    words = subprocess.run(["sh", "-c", command], env=variables, capture_output=True, text=True).stdout.splitlines()
    options = dict(zip(words[2::2], words[3::2], strict=True))
    assert options["--function-name"] == "echo"
    assert options["--zip-file"] == f"fileb://{project}/build/pyl/interpreted.zip"
    assert options["--role"] == "arn:role"
    assert options["--memory-size"] == "256"
    assert options["--timeout"] == "7"
    assert options["--description"] == "It's an echo"
    assert json.loads(options["--environment"]) == {"Variables": {"GREETING": "hi there"}}


def test_out_names_another_folder_and_the_project_stays_as_it_was(tmp_path: Path) -> None:
    project = write_project(tmp_path / "project", {"handlers.py": HELLO})
    done = run("build", "--json", "--out", "made here", cwd=project).succeeded()
    assert done.json["package"] == str(project / "made here" / "interpreted.zip")
    assert [path.name for path in (project / "made here").iterdir()] == ["interpreted.zip"]
    assert not (project / "build").exists()


def test_the_current_folder_is_the_project_unless_another_is_named(built: Path) -> None:
    assert run("invoke", "echo", "--data", "1", cwd=built).succeeded().json == 1


def test_the_response_is_alone_on_stdout_and_logs_are_on_stderr(built: Path) -> None:
    done = run("invoke", "echo", "--project", built, "--data", '{"ä": [1, "€"]}').succeeded()
    assert done.json == {"ä": [1, "€"]}
    assert len(done.out.splitlines()) == 1
    assert "seen {'ä': [1, '€']}" in done.err
    assert "printed" in done.err
    report = done.err.splitlines()[-1]
    assert report.startswith("REPORT RequestId: ")
    assert "Memory Size: 256 MB" in report
    assert "Init Duration: " in report


def test_an_error_of_the_function_is_the_response_and_the_exit_code_is_1(built: Path) -> None:
    done = run("invoke", "fail", "--project", built, "--data", "{}")
    assert done.code == 1
    assert done.json["errorType"] == "ValueError"
    assert done.json["errorMessage"] == "not today"
    assert "error: fail reported" in done.err
    assert 'Traceback (most recent call last):\n  File "/' not in done.err.replace("\r", "\n").replace("/var/task", "")


def test_the_event_may_come_from_a_file_or_be_the_functions_own(built: Path, tmp_path: Path) -> None:
    (tmp_path / "e.json").write_text('{"from": "a file"}')
    file = run("invoke", "echo", "--project", built, "--data-file", tmp_path / "e.json").succeeded()
    assert file.json == {"from": "a file"}
    assert run("invoke", "echo", "--project", built, "--example", "event").succeeded().json == {"own": True}
    sample = run("invoke", "echo", "--project", built, "--example", "sns").succeeded()
    assert sample.json["Records"][0]["EventSource"] == "aws:sns"


def test_a_package_may_be_named_by_its_path(built: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved.zip"
    moved.write_bytes((built / "build" / "pyl" / "interpreted.zip").read_bytes())
    done = run("invoke", "echo", "--project", built, "--package", moved, "--data", "7").succeeded()
    assert done.json == 7


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["invoke", "ecko", "--data", "{}"], 2, "did you mean echo?"),
        (["invoke", "echo"], 2, "exactly one of --data, --data-file and --example"),
        (["invoke", "echo", "--data", "{}", "--example", "sqs"], 2, "exactly one of"),
        (["invoke", "echo", "--data", "{"], 2, "the event in --data is not JSON"),
        (["invoke", "echo", "--data-file", "/no/such/file"], 2, "/no/such/file"),
        (["invoke", "echo", "--example", "sqz"], 2, "choose one of alb, apigateway"),
        (["invoke", "fail", "--example", "event"], 2, "fail has no event file"),
        (["invoke", "echo", "--data", "{}", "--package", "native"], 2, "run `pyl build --native` first"),
        (["invoke", "echo", "--data", "{}", "--package", "pyproject.toml"], 2, "cannot read the package"),
        (["build", "--native", "--layer"], 2, "--layer is for interpreted packages"),
        (["build", "--project", "/no/such/folder"], 2, "/no/such/folder"),
        (["build", "--nativ"], 2, "--native"),
        (["biuld"], 2, "No such command"),
    ],
)
def test_wrong_use_is_refused_in_words_and_with_its_exit_code(
    built: Path, arguments: list[str], code: int, said: str
) -> None:
    done = run(*arguments, cwd=built)
    assert done.code == code, done.err
    assert said in done.err
    assert done.out == ""
    assert "Traceback" not in done.err


def test_before_any_build_there_is_nothing_to_invoke(tmp_path: Path) -> None:
    project = write_project(tmp_path / "new", {"handlers.py": HELLO})
    done = run("invoke", "hello", "--project", project, "--data", "{}")
    assert done.code == 2
    assert "no package has been built yet" in done.err
    assert "pyl build" in done.err


def test_the_newest_package_is_invoked_unless_one_is_named(built: Path) -> None:
    folder = built / "build" / "pyl"
    native = folder / "native-x86_64.zip"
    native.write_bytes(b"not a package")
    try:
        assert run("invoke", "echo", "--data", "1", cwd=built).code == 2
        assert run("invoke", "echo", "--data", "1", "--package", "interpreted", cwd=built).succeeded().json == 1
    finally:
        native.unlink()


def test_help_answers_without_a_project(tmp_path: Path) -> None:
    done = run("--help", cwd=tmp_path).succeeded()
    assert {"build", "check", "invoke"} <= set(done.out.split())


def test_a_reader_that_leaves_early_causes_no_traceback(project: Path) -> None:
    command = shlex.join([*COMMAND, "build", "--project", str(project)])
    done = subprocess.run(f"{command} | true", shell=True, env=environment(), capture_output=True, text=True)
    assert "Traceback" not in done.stderr
