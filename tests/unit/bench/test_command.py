"""Options of `pyl bench` that do not fit are refused before anything is measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyl.cli import main


def _exit_code(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(["bench", *arguments])
    return int(stop.value.code or 0)


def test_failing_on_regressions_needs_something_to_compare_with(capsys: pytest.CaptureFixture[str]) -> None:
    assert _exit_code("--fail-on-regression") == 2
    assert "--compare" in capsys.readouterr().err


def test_a_variant_is_a_name_and_an_existing_path(capsys: pytest.CaptureFixture[str]) -> None:
    assert _exit_code("--variant", "go=/nowhere/at/all") == 2
    assert "NAME=PATH" in capsys.readouterr().err


def test_a_file_that_is_not_a_report_is_refused_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "old.json"
    file.write_text("{}")
    assert _exit_code("--compare", str(file)) == 2
    assert "not a report" in capsys.readouterr().err


@pytest.mark.parametrize("option", [("--memory", "256"), ("--region", "eu-west-1")])
def test_options_for_aws_need_remote(option: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert _exit_code(*option) == 2
    assert "add --remote" in capsys.readouterr().err


@pytest.mark.parametrize("option", [("--also", "crowds"), ("--also", "memory")])
def test_local_measurements_are_refused_with_remote(
    option: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _exit_code("--remote", *option) == 2
    assert " ".join(option) in capsys.readouterr().err
