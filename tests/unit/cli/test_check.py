"""`pyl check` prints what is wrong, as text and as JSON, and its exit code says whether anything is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from pyl.cli.check import command
from pyl.project.diagnostics import Code

PROJECTS = Path(__file__).parent.parent / "projects"
HANDLERS = """
from pyl import Context, function
from pyl.events import SQSEvent

@function
def notify(context: Context, event: SQSEvent): ...

@function(name="x")
def plain(context: Context, event): ...
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text('[tool.pyl]\nregion = "us-east-1"\n')
    (tmp_path / "handlers.py").write_text(HANDLERS)
    return tmp_path


def check(*arguments: object, color: bool = False) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments], color=color)


def test_a_right_project_is_listed_function_by_function(project: Path) -> None:
    result = check("--project", project)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "notify  pyl.events.SQSEvent  handlers.py:6",
        "x       JSON                 handlers.py:9",
        "2 functions, no problems",
    ]
    assert result.stderr == ""


def test_a_right_project_is_an_empty_list_in_json(project: Path) -> None:
    result = check("--project", project, "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, [])


@pytest.mark.parametrize("code", list(Code))
def test_a_wrong_project_ends_with_1_and_exactly_its_code(code: Code) -> None:
    result = check("--project", PROJECTS / f"{code}-{code.slug}", "--json")
    assert result.exit_code == 1
    (problem,) = json.loads(result.stdout)
    assert list(problem) == ["code", "message", "hint", "file", "line", "column"]
    assert problem["code"] == code
    assert problem["file"] is None or (PROJECTS / f"{code}-{code.slug}" / problem["file"]).is_file()


def test_problems_are_shown_with_their_line_and_counted() -> None:
    result = check("--project", PROJECTS / "PYL304-unknown-key")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "pyproject.toml:7:1: PYL304 unknown key `memori` in [tool.pyl]",
        "  |",
        "7 | memori = 256  # <- PYL304",
        "  | ^^^^^^",
        "  = hint: did you mean `memory`?",
        "",
        "1 problem",
    ]


def test_colours_change_nothing_but_colours() -> None:
    folder = PROJECTS / "PYL304-unknown-key"
    colored = check("--project", folder, color=True).stdout
    assert "\x1b[31m" in colored
    assert click.unstyle(colored) == check("--project", folder).stdout


def test_variables_are_checked_too(project: Path) -> None:
    result = CliRunner(env={"PYL_MEMORY": "1"}).invoke(command, ["--project", str(project), "--json"])
    (problem,) = json.loads(result.stdout)
    assert (problem["code"], problem["file"], problem["line"], problem["column"]) == ("PYL306", None, None, None)


def test_a_folder_that_does_not_exist_is_a_usage_error(tmp_path: Path) -> None:
    assert check("--project", tmp_path / "no").exit_code == 2


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {name: text for name, text in os.environ.items() if not name.startswith("PYL_")}
    program = [sys.executable, "-c", "from pyl.cli import main; main()", "check", *arguments]
    return subprocess.run(program, cwd=folder, env=environ, capture_output=True, text=True, timeout=60)


def test_the_whole_command_looks_upwards_for_the_project_and_imports_none_of_it(project: Path) -> None:
    (project / "handlers.py").write_text(f"raise SystemExit(9)\n{HANDLERS}")
    below = project / "app"
    below.mkdir()
    done = run(below)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("2 functions, no problems\n")


def test_the_whole_command_ends_with_1_on_a_problem(project: Path) -> None:
    (project / "handlers.py").write_text("def f(:\n")
    done = run(project, "--json")
    assert done.returncode == 1
    assert [problem["code"] for problem in json.loads(done.stdout)] == ["PYL401"]
