"""`pyl doctor` finds what is there, what is not, and says how to get it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from pyl.cli import main
from pyl.cli.doctor import exit_code
from pyl.doctor import native, python
from pyl.doctor.findings import Area, Finding, Status
from pyl.doctor.permissions import BASE, BY_TRIGGER, needed
from pyl.project.triggers import TRIGGERS


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
    monkeypatch.setattr("pyl.build.nuitka._TOOLS", ("nuitka", "no-such-tool"))
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


def test_permissions_are_known_for_every_type_of_trigger() -> None:
    assert set(BY_TRIGGER) == set(TRIGGERS)
    assert needed([]) == list(BASE)
    assert len(needed(["sqs", "sqs", "kinesis"])) == len(BASE) + 2


def test_nothing_heavy_is_imported_to_look_at_python() -> None:
    import subprocess

    code = (
        "import sys\nfrom pyl.cli import main\n"
        "try: main(['doctor', 'python'])\nexcept SystemExit: pass\n"
        "print(sorted({'boto3', 'docker', 'pyl.image.capture'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
