"""AWS's dates decide which runtime a function gets."""

from __future__ import annotations

import datetime as dt
import json
from importlib.resources import files

import pytest

from pyl.packaging.lifecycle import LIFECYCLES, SUCCESSORS, notice, runtime_for

AL2, AL2023 = "provided.al2", "provided.al2023"
BLOCKED = LIFECYCLES[AL2].creation_blocked
FROZEN = LIFECYCLES[AL2].update_blocked
DAY = dt.timedelta(days=1)


def test_the_dates_are_those_that_cfn_lint_has_from_aws() -> None:
    table = json.loads(files("cfnlint").joinpath("data/AdditionalSpecs/LmbdRuntimeLifecycle.json").read_text("utf-8"))
    ours = {
        name: (str(lifecycle.deprecated), str(lifecycle.creation_blocked), str(lifecycle.update_blocked))
        for name, lifecycle in LIFECYCLES.items()
    }
    theirs = {
        name: (table[name]["deprecated"], table[name]["create-block"], table[name]["update-block"]) for name in ours
    }
    assert ours == theirs
    for name, successor in SUCCESSORS.items():
        assert table[name]["successor"] == successor


def test_a_new_function_gets_what_was_asked_until_aws_takes_it_no_more() -> None:
    assert runtime_for(AL2, BLOCKED - DAY) == AL2
    assert runtime_for(AL2, BLOCKED) == AL2023


def test_a_present_function_stays_until_it_could_not_be_changed_any_more() -> None:
    assert runtime_for(AL2, BLOCKED, present=AL2) == AL2
    assert runtime_for(AL2, FROZEN - DAY, present=AL2) == AL2
    assert runtime_for(AL2, FROZEN, present=AL2) == AL2023


def test_a_function_that_has_the_successor_is_not_moved_back() -> None:
    assert runtime_for(AL2, BLOCKED - DAY, present=AL2023) == AL2023
    assert notice(AL2, BLOCKED - DAY, present=AL2023) is None


def test_a_function_that_moves_from_a_managed_runtime_counts_as_new() -> None:
    assert runtime_for(AL2, BLOCKED, present="python3.11") == AL2023


@pytest.mark.parametrize("asked", [AL2023, "python3.13", "python9.9"])
def test_runtimes_without_a_successor_stay_as_asked(asked: str) -> None:
    assert runtime_for(asked, dt.date(2040, 1, 1)) == asked


def test_there_is_no_notice_while_aws_supports_a_runtime() -> None:
    assert notice(AL2, LIFECYCLES[AL2].deprecated - DAY) is None
    assert notice("python9.9", dt.date(2040, 1, 1)) is None


def test_the_move_is_offered_to_functions_that_may_stay() -> None:
    for present in (None, AL2):
        text = notice(AL2, BLOCKED - DAY, present=present)
        assert text is not None
        assert 'target = "provided.al2023" selects its successor, with the same package' in text
    assert str(BLOCKED) in str(notice(AL2, BLOCKED - DAY))
    assert str(FROZEN) in str(notice(AL2, BLOCKED - DAY, present=AL2))


def test_a_move_to_the_successor_is_reported() -> None:
    text = notice(AL2, BLOCKED)
    assert text == f"AWS no longer accepts {AL2} (since {BLOCKED}): using {AL2023} with the same package"


def test_an_old_python_gets_advice() -> None:
    text = notice("python3.11", LIFECYCLES["python3.11"].deprecated)
    assert text is not None
    assert "build with a newer Python" in text
