"""Which system calls change what no image brings back."""

from __future__ import annotations

import pytest

from pyl.image.arch.x86_64.processor import X86_64
from pyl.image.capture.changes import CHANGING_CALLS, described_change
from pyl.image.capture.descriptor_calls import MAKING_CALLS


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("setsid", (0, 0, 0), "setsid()"),
        ("prctl", (15, 0x1000, 0), "prctl(PR_SET_NAME)"),
        ("prctl", (16, 0x1000, 0), ""),
        ("prctl", (0x53564D41, 0, 0), ""),
        ("personality", (0xFFFF_FFFF, 0, 0), ""),
        ("personality", (0x0040_0000, 0, 0), "personality()"),
        ("madvise", (0x1000, 4096, 10), "madvise(MADV_DONTFORK)"),
        ("madvise", (0x1000, 4096, 4), ""),
        ("dup2", (7, 1, 0), "dup2() over standard stream 1"),
        ("dup3", (7, 3, 0), ""),
    ],
)
def test_a_change_is_described_and_a_question_is_none(name: str, arguments: tuple[int, ...], expected: str) -> None:
    assert described_change(name, arguments) == expected


def test_the_tracer_sees_each_of_these_calls() -> None:
    assert set(X86_64().world_calls.values()) >= CHANGING_CALLS | MAKING_CALLS
