"""What must hold at a cold start for an image to be used."""

from __future__ import annotations

from dataclasses import dataclass

EQUAL, ABSENT, TASK_ROOT = 1, 2, 3


@dataclass(frozen=True)
class Guard:
    """A condition that the launcher compares, in C, before anything is mapped."""

    kind: int
    name: str
    value: str = ""


def environment_guard(name: str, value: str | None) -> Guard:
    """The variable has the value that it had when it was read at import (`None`: it was not set)."""
    return Guard(ABSENT, name) if value is None else Guard(EQUAL, name, value)


def task_root_guard(folder: str) -> Guard:
    return Guard(TASK_ROOT, "", folder)
