"""Warnings of launchers that did not use their image reach the report."""

from __future__ import annotations

import json

from pyl.bench.rounds import Plan, launcher_warning


def test_the_launchers_warning_is_found_among_other_output() -> None:
    said = {"level": "WARN", "message": "the process image is not used: x", "logger": "pyl.launcher", "guard": "TABLE"}
    log = b"[INFO] something\n" + json.dumps(said, separators=(",", ":")).encode() + b"\nmore\n"
    assert launcher_warning(log) == "the process image is not used: x (TABLE)"


def test_a_warning_cut_short_is_shown_as_it_is() -> None:
    assert launcher_warning(b'{"message":"half","logger":"pyl.launcher') is None
    assert launcher_warning(b'le":"half","logger":"pyl.launcher","guard":"A"}') == (
        'le":"half","logger":"pyl.launcher","guard":"A"}'
    )


def test_other_output_is_no_warning() -> None:
    assert launcher_warning(b"[INFO] hello\n") is None


def test_a_plan_goes_no_further_than_its_limits() -> None:
    short = Plan(least=8, most=25, seconds=45).within(Plan(least=10, most=6, seconds=2))
    assert (short.least, short.most, short.seconds) == (6, 6, 2)
    assert Plan(least=8, most=25, seconds=45).within(Plan(most=60, seconds=60)) == Plan(least=8, most=25, seconds=45)
