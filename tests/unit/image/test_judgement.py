"""What explains a difference between two worlds."""

from __future__ import annotations

from pyl.image.capture.comparison import Difference
from pyl.image.capture.judgement import Finding, Secret, judge_differences

DRAWN = Secret("16 random bytes drawn at import", "app.py:1", (b"0123456789abcdef",), is_random=True)
HOST = Secret("the host's name", "app.py:2", (b"host-of-the-build",))


def difference(content: bytes) -> Difference:
    return Difference(0x1000, content, bytes(len(content)), "")


def test_what_memory_holds_is_named_alone() -> None:
    differences = [difference(b"....0123456789abcdef...."), difference(b"unknown.")]
    assert judge_differences(differences, (HOST, DRAWN)) == ([Finding(DRAWN.what, DRAWN.place)], True)


def test_a_difference_that_nothing_explains_names_what_was_drawn_as_a_guess() -> None:
    guess = Finding(f"something that depends on {DRAWN.what}", DRAWN.place)
    assert judge_differences([difference(b"unknown.")], (HOST, DRAWN)) == ([guess], False)


def test_what_nobody_asked_for_is_no_guess() -> None:
    unasked = Secret("_X_AMZN_TRACE_ID", "", (b"Root=1-5bef4de7",), is_asked_for=False)
    assert judge_differences([difference(b"..Root=1-5bef4de7..")], (unasked,)) == ([Finding(unasked.what, "")], True)
    assert unasked.what not in str(judge_differences([difference(b"unknown.")], (unasked,)))


def test_a_difference_without_any_contact_is_found_all_the_same() -> None:
    assert judge_differences([difference(b"unknown.")], ()) == (
        [Finding("something that differs between instances", "")],
        False,
    )


def test_equal_worlds_give_no_findings() -> None:
    assert judge_differences([], (HOST, DRAWN)) == ([], True)
