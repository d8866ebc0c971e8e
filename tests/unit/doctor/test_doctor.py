"""`pyl doctor` reports what is missing and how to fix it."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from pyl.architecture import Architecture
from pyl.cli import main
from pyl.cli.doctor import exit_code
from pyl.doctor import native, python
from pyl.doctor.findings import Area, Finding, Status
from pyl.doctor.permissions import PERMISSIONS, required_permissions, resource_of
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
    findings = json.loads(capsys.readouterr().out)
    assert [(item["area"], item["name"], item["status"]) for item in findings] == [
        ("python", "Python", "ok"),
        ("python", "uv", "ok"),
        ("python", "cache", "ok"),
    ]


def test_only_the_named_areas_are_checked(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor("python") == 0
    out = capsys.readouterr().out
    assert "no problems, no warnings" in out
    assert "boto3" not in out


def test_an_unknown_area_is_rejected(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor("pyton") == 2
    assert "pyton" in capsys.readouterr().err


def test_a_cache_that_cannot_be_written_to_is_a_problem_with_its_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("PYL_CACHE_DIR", str(tmp_path / "file" / "cache"))
    assert doctor("python") == 4
    out = capsys.readouterr().out
    assert "is not writable" in out
    assert "fix: make it writable, or set PYL_CACHE_DIR to another folder" in out
    assert "1 problem, no warnings" in out


@pytest.mark.parametrize(
    ("version", "status"),
    [((3, 10), Status.FAILED), ((3, 11), Status.OK), ((3, 13), Status.OK), ((3, 99), Status.WARNING)],
)
def test_pythons_without_a_lambda_runtime_are_reported(version: tuple[int, int], status: Status) -> None:
    finding = python._python(version)
    assert finding.status is status
    assert (finding.fix is None) == (status is Status.OK)


@pytest.mark.parametrize(
    ("system", "machine", "architecture", "status"),
    [
        ("linux", "x86_64", Architecture.X86_64, Status.OK),
        ("linux", "aarch64", Architecture.ARM64, Status.OK),
        ("linux", "aarch64", Architecture.X86_64, Status.WARNING),
        ("linux", "riscv64", None, Status.WARNING),
        ("darwin", "arm64", Architecture.ARM64, Status.WARNING),
    ],
)
def test_platforms_that_cannot_build_native_packages_are_reported(
    system: str, machine: str, architecture: Architecture | None, status: Status
) -> None:
    finding = native._platform(system, machine, architecture)
    assert (finding.status, finding.fix is None) == (status, status is Status.OK)


def test_a_missing_tool_is_reported_with_the_extra_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyl.toolchain.nuitka._TOOLS", ("nuitka", "no-such-tool"))
    finding = native._tools()
    assert finding.status is Status.FAILED
    assert "no-such-tool" in finding.found
    assert "pyl[native]" in (finding.fix or "")


def test_the_platform_is_compared_with_the_processor_of_the_project(tmp_path: Path) -> None:
    other = next(architecture for architecture in Architecture if architecture is not Architecture.host())
    (tmp_path / "app.py").write_text("import pyl\n\n@pyl.function\ndef hello(context, event):\n    return event\n")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "app"\nversion = "1"\n\n[tool.pyl]\n')
    finding = next(native.examine(tmp_path, {"PYL_ARCHITECTURE": other}))
    assert finding.status is Status.WARNING
    assert f"build on an {other} machine" in (finding.fix or "")


def test_a_broken_compiler_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Architecture.host()
    assert host
    monkeypatch.setattr(native, "_PROGRAM", "int main(void) { return missing; }\n")
    finding = native._compiler(host)
    assert (finding.status, "zig cannot compile" in finding.found) == (Status.FAILED, True)
    monkeypatch.setattr(native, "_PROGRAM", "int main(void) { return 3; }\n")
    assert "does not run" in native._compiler(host).found


def _finding(area: Area, status: Status) -> Finding:
    return Finding(area=area, name="x", status=status, found="y", fix="z")


@pytest.mark.parametrize(
    ("findings", "code"),
    [
        ([], 0),
        ([(Area.PYTHON, Status.OK), (Area.AWS, Status.WARNING), (Area.AWS, Status.SKIPPED)], 0),
        ([(Area.AWS, Status.FAILED)], 5),
        ([(Area.IMAGE, Status.FAILED), (Area.AWS, Status.FAILED)], 4),
    ],
)
def test_the_exit_code_says_where_something_is_missing(findings: list[tuple[Area, Status]], code: int) -> None:
    assert exit_code([_finding(*item) for item in findings]) == code


DOCUMENTATION = Path(__file__).parents[3] / "docs" / "aws.md"


def test_the_permissions_are_those_that_the_documentation_lists() -> None:
    listed = DOCUMENTATION.read_text("utf-8").partition("## For `pyl deploy`")[2].partition("\n## ")[0]
    rows = [row for row in listed.splitlines() if row.startswith("| ") and "50 MB" not in row]
    documented = {action for row in rows for action in re.findall(r"`([a-z0-9]+:[A-Za-z]+)`", row)}
    assert documented == {action for permissions in PERMISSIONS for action in permissions.actions}


def test_without_a_project_only_the_permissions_of_all_functions_are_checked() -> None:
    actions = {action for permissions, _ in required_permissions([]) for action in permissions.actions}
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
        return {action for permissions, _ in required_permissions(functions) for action in permissions.actions}

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
    assert len(required_permissions([function])) > len(required_permissions([plain]))


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
def test_permissions_apply_to_the_source_of_the_trigger(trigger: Trigger, arn: str) -> None:
    function = Function(
        name="work",
        module="app",
        attribute="work",
        file=Path("/app.py"),
        line=1,
        event=None,
        configuration=FunctionConfiguration(triggers=(trigger,)),
    )
    arn_fields = {"partition": "aws", "region": "eu-west-1", "account": "123456789012", "function": "work", "role": "r"}
    resources = {resource_of(permissions, used, arn_fields) for permissions, used in required_permissions([function])}
    assert arn in resources


def test_nothing_heavy_is_imported_to_look_at_python() -> None:
    import subprocess

    code = (
        "import sys\nfrom pyl.cli import main\n"
        "try: main(['doctor', 'python'])\nexcept SystemExit: pass\n"
        "print(sorted({'boto3', 'docker', 'pyl.image.create'} & set(sys.modules)))"
    )
    completed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert completed.stdout.splitlines()[-1] == "[]", completed.stderr
