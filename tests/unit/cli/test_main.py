"""Errors become one message and the documented exit code; help imports no command."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from pyl.cli import main as cli
from pyl.errors import (
    AWSError,
    BuildError,
    ConfigurationError,
    EngineError,
    FunctionFailed,
    PylError,
    UsageError,
)

main = importlib.import_module("pyl.cli.main")


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """Restore the signal handlers that `main` replaces."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def exit_code(error: BaseException, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> object:
    """Return the exit code of `main` when a command raises `error`."""

    @click.command()
    def command() -> None:
        raise error

    monkeypatch.setattr(main.LazyGroup, "get_command", lambda *_: command)
    with pytest.raises(SystemExit) as stop:
        cli([*arguments, "build"])
    return stop.value.code


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (FunctionFailed, 1),
        (UsageError, 2),
        (ConfigurationError, 2),
        (BuildError, 3),
        (EngineError, 4),
        (AWSError, 5),
    ],
)
def test_every_kind_of_error_has_its_exit_code_and_says_what_to_do(
    kind: type[PylError], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(kind("it failed", hint="try again"), monkeypatch) == code
    out, err = capsys.readouterr()
    assert err == "error: it failed\n  hint: try again\n"
    assert out == ""


def test_an_interrupt_ends_with_130_and_reassures(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(KeyboardInterrupt(), monkeypatch) == 130
    assert capsys.readouterr().err.strip() == "pyl: interrupted; earlier packages are unchanged"


def test_verbose_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def command() -> None:
        msg = "it failed"
        raise BuildError(msg)

    monkeypatch.setattr(main.LazyGroup, "get_command", lambda *_: command)
    with pytest.raises(BuildError, match="it failed"):
        cli(["--verbose", "build"])


def test_a_defect_of_our_own_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def command() -> None:
        msg = "a defect"
        raise RuntimeError(msg)

    monkeypatch.setattr(main.LazyGroup, "get_command", lambda *_: command)
    with pytest.raises(RuntimeError, match="a defect"):
        cli(["build"])


@pytest.mark.parametrize("command", sorted(main.COMMANDS))
def test_every_command_of_the_list_exists_and_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli([command, "--help"])
    assert stop.value.code == 0
    assert f"{command} [OPTIONS]" in capsys.readouterr().out


def test_help_imports_no_command_and_nothing_heavy() -> None:
    code = (
        "import sys\nfrom pyl.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'rich', 'boto3', 'docker', 'pyl.packaging', 'pyl.cli.build', 'msgspec'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]", done.stdout + done.stderr


def test_sigterm_unwinds_what_is_under_way() -> None:
    code = (
        "import os, signal, click, importlib\n"
        "from pyl.cli import main\n"
        "module = importlib.import_module('pyl.cli.main')\n"
        "@click.command()\n"
        "def command():\n"
        "    try:\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "        signal.pause()\n"
        "    finally:\n"
        "        print('cleaned up', flush=True)\n"
        "module.LazyGroup.get_command = lambda *_: command\n"
        "main(['build'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=dict(os.environ))
    assert (done.returncode, done.stdout) == (143, "cleaned up\n")
