"""All cases, and which of them share a package."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from truth.case import Case
from truth.cases import (
    clocks,
    controls,
    environment,
    environment_names,
    files,
    identity,
    kernel,
    libraries,
    processes,
    randomness,
    renewed,
    stacks,
)

_MODULES = (
    clocks,
    controls,
    environment,
    environment_names,
    files,
    identity,
    kernel,
    libraries,
    processes,
    randomness,
    renewed,
    stacks,
)
_CHANGES_PROCESS = {"kernel", "processes"}
"""Kinds whose cases change the process, except those that must be full."""
_LARGEST_SHARE = 14

CASES: tuple[Case, ...] = tuple(
    replace(case, kind=module.__name__.rpartition(".")[2]) for module in _MODULES for case in module.CASES
)


def _shares() -> Iterator[tuple[Case, ...]]:
    """Yield the cases of each shared package: of one kind, with the same distributions."""
    groups: dict[tuple[str, tuple[str, ...]], list[Case]] = {}
    for case in CASES:
        if case.can_share and (case.kind not in _CHANGES_PROCESS or case.must_be_full):
            groups.setdefault((case.kind if not case.requires else "", case.requires), []).append(case)
    for cases in groups.values():
        for start in range(0, len(cases), _LARGEST_SHARE):
            yield tuple(cases[start : start + _LARGEST_SHARE])


SHARES = tuple(share for share in _shares() if len(share) > 1)
_NUMBERS = {case.name: number for number, share in enumerate(SHARES) for case in share}


def share_of(case: Case) -> int | None:
    """Return the number of the package that a case shares with others, or None."""
    return _NUMBERS.get(case.name)
