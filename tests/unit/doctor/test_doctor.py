"""`pyl doctor` finds what is there, what is not, and says how to get it."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from pyl.cli import main
from pyl.cli.doctor import exit_code
from pyl.doctor import native, python
from pyl.doctor.findings import Area, Finding, Status
from pyl.doctor.permissions import PERMISSIONS, needed, resource_of
from pyl.project import load_project
from pyl.project.config.model import FunctionConfiguration
from pyl.project.config.triggers import TRIGGERS, DynamoDBTrigger, S3Trigger, SQSTrigger, Trigger
from pyl.project.model import Function


def doctor(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as stop:
        main(["doctor", *map(str, arguments)])
    return int(stop.value.code or 0)


def test_a_machine_that_runs_these_tests_has_what_every_command_needs(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor("python", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [(item["area"], item["name"], item["status"]) for item in found] == [
        ("python", "Python", "ok"),
        ("python", "uv", "ok"),
        ("python", "cache", "ok"),
    ]


def test_only_the_areas_that_are_named_are_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor("python") == 0
    out = capsys.readouterr().out
    assert "no problems, no warnings" in out
    assert "boto3" not in out


def test_an_area_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor("pyton") == 2
    assert "pyton" in capsys.readouterr().err


def test_a_cache_that_cannot_be_written_to_is_a_problem_with_its_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("PYL_CACHE_DIR", str(tmp_path / "file" / "cache"))
    assert doctor("python") == 4
    out = capsys.readouterr().out
    assert "cannot be written to" in out
    assert "fix: make it yours, or name another folder with PYL_CACHE_DIR" in out
    assert "1 problem, no warnings" in out


@pytest.mark.parametrize(
    ("version", "status"),
    [((3, 10), Status.FAILED), ((3, 11), Status.OK), ((3, 13), Status.OK), ((3, 99), Status.WARNING)],
)
def test_pythons_that_lambda_has_no_runtime_of_are_told(version: tuple[int, int], status: Status) -> None:
    found = python._python(version)
    assert found.status is status
    assert (found.fix is None) == (status is Status.OK)


@pytest.mark.parametrize(
    ("system", "machine", "status"),
    [
        ("linux", "x86_64", Status.OK),
        ("linux", "aarch64", Status.WARNING),
        ("darwin", "arm64", Status.WARNING),
    ],
)
def test_platforms_that_build_no_native_packages_are_told(system: str, machine: str, status: Status) -> None:
    found = native._platform(system, machine)
    assert (found.status, found.fix is None) == (status, status is Status.OK)


def test_a_missing_tool_is_told_with_the_extra_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyl.toolchain.nuitka._TOOLS", ("nuitka", "no-such-tool"))
    found = native._tools()
    assert found.status is Status.FAILED
    assert "no-such-tool" in found.found
    assert "pyl[native]" in (found.fix or "")


def test_a_compiler_that_does_not_work_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "_PROGRAM", "int main(void) { return missing; }\n")
    found = native._compiler()
    assert (found.status, "zig cannot compile" in found.found) == (Status.FAILED, True)
    monkeypatch.setattr(native, "_PROGRAM", "int main(void) { return 3; }\n")
    assert "does not run" in native._compiler().found


def _finding(area: Area, status: Status) -> Finding:
    return Finding(area=area, name="x", status=status, found="y", fix="z")


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ([], 0),
        ([(Area.PYTHON, Status.OK), (Area.AWS, Status.WARNING), (Area.AWS, Status.SKIPPED)], 0),
        ([(Area.AWS, Status.FAILED)], 5),
        ([(Area.IMAGE, Status.FAILED), (Area.AWS, Status.FAILED)], 4),
    ],
)
def test_the_exit_code_says_where_something_is_missing(found: list[tuple[Area, Status]], code: int) -> None:
    assert exit_code([_finding(*item) for item in found]) == code


DOCUMENTATION = Path(__file__).parents[3] / "docs" / "aws.md"


def test_the_permissions_are_those_that_the_documentation_lists() -> None:
    listed = DOCUMENTATION.read_text("utf-8").partition("## For `pyl deploy`")[2].partition("\n## ")[0]
    rows = [row for row in listed.splitlines() if row.startswith("| ") and "50 MB" not in row]
    documented = {action for row in rows for action in re.findall(r"`([a-z0-9]+:[A-Za-z]+)`", row)}
    assert documented == {action for permissions in PERMISSIONS for action in permissions.actions}


def test_without_a_project_only_what_every_function_takes_is_looked_at() -> None:
    actions = {action for permissions, _ in needed([]) for action in permissions.actions}
    assert {"lambda:CreateFunction", "iam:PassRole"} <= actions
    assert "iam:CreateRole" not in actions
    assert "sqs:GetQueueUrl" not in actions


def test_what_a_function_needs_follows_from_its_triggers_and_settings(tmp_path: Path) -> None:
    def actions(*lines: str) -> set[str]:
        (tmp_path / "app.py").write_text(
            "from pyl import Context, function\n\n\n@function\ndef work(context: Context, event: dict): ...\n"
        )
        (tmp_path / "pyproject.toml").write_text("\n".join(["[tool.pyl]", "[tool.pyl.functions.work]", *lines]))
        functions = load_project(tmp_path, environ={}).functions
        return {action for permissions, _ in needed(functions) for action in permissions.actions}

    plain = actions()
    assert "iam:CreateRole" in plain
    assert "iam:CreateRole" not in actions('role = "arn:aws:iam::123456789012:role/given"')
    assert actions('alias = "live"') - plain >= {"lambda:CreateAlias", "lambda:PublishVersion"}
    trigger = "[[tool.pyl.functions.work.triggers]]"
    assert actions(trigger, 'type = "sqs"', 'queue = "q"') - plain >= {"sqs:GetQueueUrl", "lambda:ListTags"}
    assert actions(trigger, 'type = "s3"', 'bucket = "scans"') - plain >= {"s3:PutBucketNotification"}


@pytest.mark.parametrize("kind", TRIGGERS)
def test_every_type_of_trigger_needs_permissions_of_its_own(kind: str) -> None:
    function = Function(
        name="work",
        module="app",
        attribute="work",
        file=Path("/app.py"),
        line=1,
        event=None,
        configuration=FunctionConfiguration(triggers=(SimpleNamespace(type=kind),)),  # type: ignore[arg-type]
    )
    plain = replace(function, configuration=FunctionConfiguration())
    assert len(needed([function])) > len(needed([plain]))


@pytest.mark.parametrize(
    ("trigger", "arn"),
    [
        (SQSTrigger(queue="orders"), "arn:aws:sqs:eu-west-1:123456789012:orders"),
        (SQSTrigger(queue="arn:aws:sqs:eu-west-1:999999999999:theirs"), "arn:aws:sqs:eu-west-1:999999999999:theirs"),
        (DynamoDBTrigger(table="orders"), "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"),
        (
            DynamoDBTrigger(
                table="arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/2024-01-01T00:00:00.000"
            ),
            "arn:aws:dynamodb:eu-west-1:123456789012:table/orders",
        ),
        (S3Trigger(bucket="scans"), "arn:aws:s3:::scans"),
    ],
)
def test_permissions_are_asked_for_what_the_trigger_names(trigger: Trigger, arn: str) -> None:
    function = Function(
        name="work",
        module="app",
        attribute="work",
        file=Path("/app.py"),
        line=1,
        event=None,
        configuration=FunctionConfiguration(triggers=(trigger,)),
    )
    places = {"partition": "aws", "region": "eu-west-1", "account": "123456789012", "function": "work", "role": "r"}
    resources = {resource_of(permissions, used, places) for permissions, used in needed([function])}
    assert arn in resources


def test_nothing_heavy_is_imported_to_look_at_python() -> None:
    import subprocess

    code = (
        "import sys\nfrom pyl.cli import main\n"
        "try: main(['doctor', 'python'])\nexcept SystemExit: pass\n"
        "print(sorted({'boto3', 'docker', 'pyl.image.create'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
