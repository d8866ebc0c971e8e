"""Shells complete commands, options and the names that the project's code declares."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pyl.cli import main
from pyl.cli.main import group

Completed = Callable[[list[str], Path], list[str]]

HANDLERS = """
from pyl import Context, function
from pyl.events import SQSEvent

@function
def notify(context: Context, event: SQSEvent): ...

@function
def fulfil(context: Context, event: SQSEvent): ...
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text('[tool.pyl]\nregion = "us-east-1"\n')
    (tmp_path / "handlers.py").write_text(HANDLERS)
    (tmp_path / "below").mkdir()
    return tmp_path


@pytest.fixture
def commands(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return variables with which a shell finds this `pyl`."""
    folder = tmp_path_factory.mktemp("bin")
    program = folder / "pyl"
    program.write_text(f"#!{sys.executable}\nfrom pyl.cli import main\nmain()\n")
    program.chmod(0o755)
    return dict(os.environ) | {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture
def completed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Completed:
    """Return a function that completes the last of some words in a folder, by the protocol of fish's script."""

    def ask(words: list[str], folder: Path) -> list[str]:
        monkeypatch.chdir(folder)
        for name, text in {
            "_PYL_COMPLETE": "fish_complete",
            "COMP_WORDS": " ".join(words),
            "COMP_CWORD": words[-1],
        }.items():
            monkeypatch.setenv(name, text)
        with pytest.raises(SystemExit):
            group.main(args=[], prog_name="pyl")
        output = capsys.readouterr()
        assert output.err == ""
        return [line.partition(",")[2].partition("\t")[0] for line in output.out.splitlines() if line]

    return ask


def test_commands_are_completed(project: Path, completed: Completed) -> None:
    assert {"build", "check", "invoke"} <= set(completed(["pyl", ""], project))
    assert completed(["pyl", "che"], project) == ["check"]


def test_functions_are_completed_by_what_the_code_declares(project: Path, completed: Completed) -> None:
    assert completed(["pyl", "invoke", ""], project) == ["fulfil", "notify"]
    assert completed(["pyl", "invoke", "n"], project / "below") == ["notify"]


@pytest.mark.parametrize("command", ["deploy", "delete", "invoke", "logs", "rollback", "template sam"])
def test_every_command_that_takes_functions_completes_them(command: str, project: Path, completed: Completed) -> None:
    assert completed(["pyl", *command.split(), ""], project) == ["fulfil", "notify"]


def test_functions_of_the_named_project_are_completed(
    project: Path, tmp_path_factory: pytest.TempPathFactory, completed: Completed
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    assert completed(["pyl", "invoke", "--project", str(project), ""], elsewhere) == ["fulfil", "notify"]
    words = ["pyl", "bench", "--project", str(project), "--function", "notify", "--function", ""]
    assert completed(words, elsewhere) == ["fulfil"]


def test_functions_are_completed_while_the_project_has_problems(project: Path, completed: Completed) -> None:
    (project / "handlers.py").write_text(HANDLERS + "\n@function\ndef wrong(): ...\n")
    (project / "broken.py").write_text("def (:\n")
    assert {"fulfil", "notify"} <= set(completed(["pyl", "invoke", ""], project))


def test_without_a_project_nothing_is_offered_and_nothing_printed(tmp_path: Path, completed: Completed) -> None:
    assert completed(["pyl", "invoke", ""], tmp_path) == []


def test_sample_events_and_kinds_of_package_are_completed(project: Path, completed: Completed) -> None:
    assert completed(["pyl", "invoke", "notify", "--example", "e"], project) == ["event", "eventbridge"]
    assert completed(["pyl", "invoke", "notify", "--package", "n"], project) == ["native"]


def test_bash_completes_with_the_printed_script(project: Path, commands: dict[str, str]) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash here")
    script = """
eval "$(pyl completion bash)"
COMP_WORDS=(pyl invoke "")
COMP_CWORD=2
$(complete -p pyl | sed 's/.*-F \\([^ ]*\\).*/\\1/') pyl
echo "${COMPREPLY[@]}"
"""
    done = subprocess.run([bash, "--norc", "-c", script], env=commands, cwd=project, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("fulfil notify\n", "")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_printed_script_is_one_that_the_shell_reads(shell: str, project: Path, commands: dict[str, str]) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"there is no {shell} here")
    script = subprocess.run(["pyl", "completion", shell], env=commands, capture_output=True, text=True, check=True)
    done = subprocess.run([program, "-n"], input=script.stdout, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_shell_is_the_login_shell_unless_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SHELL", "/bin/zsh")
    with pytest.raises(SystemExit, match="0"):
        main(["completion"])
    assert capsys.readouterr().out.startswith("#compdef pyl")
    monkeypatch.setenv("SHELL", "/usr/bin/nu")
    with pytest.raises(SystemExit, match="2"):
        main(["completion"])
    assert "pyl completion bash" in capsys.readouterr().err
