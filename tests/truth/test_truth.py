"""Small handlers, started plainly and from the image: the same answer, or an image that is not full and says where."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

import pytest

from truth.case import Case
from truth.conftest import Captures
from truth.registry import CASES, share_of
from truth.report import row
from truth.verdicts import judge

QUICK_LOOK = os.environ.get("PYL_TRUTH") == "shared"
"""Judge cases in shared packages only, where other cases may be to blame. By default, what fails there is judged again
in a package of its own."""


def _parameters() -> list[object]:
    return [
        pytest.param(
            case,
            id=f"{case.kind}-{case.name}",
            marks=[
                *([pytest.mark.chosen] if case.is_chosen else []),
                *([] if share_of(case) is None else [pytest.mark.xdist_group(f"share {share_of(case)}")]),
            ],
        )
        for case in CASES
    ]


@pytest.mark.parametrize("case", _parameters())
def test_the_image_answers_like_a_plain_start_or_is_not_full_and_says_where(
    case: Case, captures: Captures, record_property: Callable[[str, object], None]
) -> None:
    shared = captures.shared(case)
    verdict = judge(case, shared) if shared else None
    if verdict is None or not (verdict.holds or QUICK_LOOK):
        single = captures.single(case)
        verdict = judge(case, single)
        shutil.rmtree(single.package)
    record_property("truth", row(case, verdict).to_json())
    assert verdict.holds, verdict.reason


def test_there_are_at_least_150_cases_each_with_a_name_of_its_own() -> None:
    assert len(CASES) >= 150
    assert len({case.name for case in CASES}) == len(CASES)
