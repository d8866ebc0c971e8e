"""Progress is plain lines on stderr where nobody watches, and stdout stays free."""

from __future__ import annotations

import re

import pytest

from pyl.cli.progress import ConsoleProgress


def test_each_step_is_one_line_with_its_time_once_it_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    progress = ConsoleProgress()
    with progress.step("Compile functions"):
        progress.detail("handlers.py")
        assert capsys.readouterr().err == ""
    out, err = capsys.readouterr()
    assert re.fullmatch(r"  ✓ Compile functions \d+\.\d s\n", err)
    assert out == ""


def test_a_step_that_fails_is_not_ticked_off(capsys: pytest.CaptureFixture[str]) -> None:
    progress = ConsoleProgress()
    with pytest.raises(ZeroDivisionError), progress.step("Compile functions"):
        _ = 1 / 0
    assert capsys.readouterr().err == ""


def test_notes_are_lines_of_their_own_whatever_they_hold(capsys: pytest.CaptureFixture[str]) -> None:
    ConsoleProgress().note("image [bold]of[/] /a/[x] :smile: " + "long " * 60)
    (line,) = capsys.readouterr().err.splitlines()
    assert "[bold]of[/]" in line
    assert "/a/[x] :smile:" in line


def test_details_appear_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    progress = ConsoleProgress()
    with progress.step("Compile functions"):
        progress.detail("[handlers]")
    assert "Compile functions" in capsys.readouterr().err
