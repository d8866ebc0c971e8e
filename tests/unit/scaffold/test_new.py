"""Every kind of project that `pyl new` makes is right as it stands: `pyl check`, its own tests, ruff."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pyl.cli import main
from pyl.events import EVENTS
from pyl.project import load_project
from pyl.scaffold import project as scaffold
from pyl.scaffold.catalog import TEMPLATES
from pyl.scaffold.project import ProjectRequest


def make(folder: Path, kind: str, function: str | None = None) -> Path:
    template = TEMPLATES[kind]
    function = function or scaffold.default_function(folder.name, template)
    scaffold.write(ProjectRequest(folder=folder, template=template, function=function, region="us-east-1"))
    return folder


def run(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTEST_", "PYL_"))}
    environ |= {"PYTHONDONTWRITEBYTECODE": "1", "NO_COLOR": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run([sys.executable, "-m", *arguments], cwd=cwd, env=environ, capture_output=True, text=True)


def new(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as stop:
        main(["new", *map(str, arguments)])
    return int(stop.value.code or 0)


def test_there_is_a_project_for_every_source_of_events() -> None:
    assert set(TEMPLATES) == {*EVENTS, "direct", "schedule"}


@pytest.mark.parametrize("kind", TEMPLATES)
def test_a_new_project_has_no_problems_and_one_function_with_its_event(kind: str, tmp_path: Path) -> None:
    project = load_project(make(tmp_path / "order-mails", kind), environ={})
    (function,) = project.functions
    assert (project.name, function.name) == ("order-mails", "order_mails")
    assert function.configuration.event == tmp_path / "order-mails" / "events" / f"{kind}.json"


@pytest.mark.parametrize("kind", TEMPLATES)
def test_the_tests_of_a_new_project_pass(kind: str, tmp_path: Path) -> None:
    folder = make(tmp_path / "orders", kind)
    done = run("pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "-p", "pyl.testing.plugin", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr


def test_new_projects_are_formatted_and_a_linter_has_nothing_to_report(tmp_path: Path) -> None:
    for kind in TEMPLATES:
        make(tmp_path / kind / "order-mailer", kind)  # as long as the templates have it
    own_modules = 'src = ["*/order-mailer/src"]'
    for task in (["check", "--select", "E,F,I,B,UP,SIM,RUF", "--config", own_modules], ["format", "--check"]):
        done = run("ruff", *task, "--isolated", "--no-cache", cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("kind", ["direct", "sqs", "httpapi"])
def test_a_function_has_the_name_that_was_asked_for_everywhere(kind: str, tmp_path: Path) -> None:
    folder = make(tmp_path / "orders", kind, "fulfil")
    assert [function.name for function in load_project(folder, environ={}).functions] == ["fulfil"]
    for path in folder.rglob("*"):
        assert path.is_dir() or "new_function" not in path.read_text()


@pytest.mark.parametrize(
    ("name", "function"),
    [("orders", "orders"), ("Order.Mails-2", "order_mails_2"), ("list", "handle_list"), ("2go", "handle_2go"),
     ("class", "handle_class"), ("logger", "handle_logger"), ("context", "handle_context")],
)  # fmt: skip
def test_a_function_is_called_after_its_project_where_that_can_be(name: str, function: str) -> None:
    assert scaffold.default_function(name, TEMPLATES["sqs"]) == function


def test_the_command_tells_what_it_made_and_what_comes_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert new(tmp_path / "orders", "--trigger", "sqs", "--region", "eu-central-1") == 0
    out = capsys.readouterr().out
    assert "src/handlers.py" in out
    assert "pyl invoke orders --example event" in out
    table = tomllib.loads((tmp_path / "orders" / "pyproject.toml").read_text())["tool"]["pyl"]
    assert table["region"] == "eu-central-1"
    assert table["functions"]["orders"]["triggers"] == [{"type": "sqs", "queue": "orders"}]


def test_the_command_tells_programs_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert new(tmp_path / "orders", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["function"], facts["trigger"]) == ("orders", "direct")
    assert all((tmp_path / "orders" / file).is_file() for file in facts["files"])


def test_nothing_that_exists_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "orders"
    folder.mkdir()
    (folder / "README.md").write_text("mine")
    assert new(folder) == 2
    assert "README.md" in capsys.readouterr().err
    assert [path.name for path in folder.iterdir()] == ["README.md"]
    assert (folder / "README.md").read_text() == "mine"


def test_a_folder_with_other_files_is_used(tmp_path: Path) -> None:
    (tmp_path / "orders" / ".git").mkdir(parents=True)
    assert new(tmp_path / "orders") == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "needs a name"),
        (("-x",), "no such option"),
        (("orders!",), 'cannot be called "orders!"'),
        (("orders", "--function", "my-function"), 'cannot be called "my-function"'),
        (("orders", "--function", "import"), 'cannot be called "import"'),
        (("orders", "--function", "Context"), "for something else"),
        (("orders", "--function", "x" * 65), "1 to 64"),
        (("orders", "--region", "Frankfurt"), "region"),
        (("orders", "--trigger", "sqss"), "sqss"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    arguments: tuple[str, ...],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert new(*arguments) == 2
    assert words.lower() in capsys.readouterr().err.lower()
    assert list(tmp_path.iterdir()) == []


def test_a_terminal_is_asked_for_what_is_left_open(tmp_path: Path) -> None:
    answers = ["orders", "sqs", "no function", "fulfil"]
    out = on_a_terminal(tmp_path, answers)
    assert "messages of an SQS queue" in out
    assert 'cannot be called "no function"' in out
    assert [function.name for function in load_project(tmp_path / "orders", environ={}).functions] == ["fulfil"]


def test_a_terminal_is_not_asked_for_what_is_said(tmp_path: Path) -> None:
    on_a_terminal(tmp_path, [], "mails", "--trigger", "ses", "--yes")
    assert [function.name for function in load_project(tmp_path / "mails", environ={}).functions] == ["mails"]


def on_a_terminal(folder: Path, answers: list[str], *arguments: str) -> str:
    """What `pyl new` shows on a real terminal where `answers` are typed."""
    import pty

    process, terminal = pty.fork()
    if process == 0:
        os.chdir(folder)
        code = "from pyl.cli import main; main()"
        os.execv(sys.executable, [sys.executable, "-c", code, "new", *arguments])
    os.write(terminal, "".join(f"{answer}\n" for answer in answers).encode())
    shown = b""
    try:
        while piece := os.read(terminal, 4096):
            shown += piece
    except OSError:  # how Linux ends a terminal
        pass
    os.close(terminal)
    _, status = os.waitpid(process, 0)
    assert os.waitstatus_to_exitcode(status) == 0, shown
    return shown.decode()
