"""All cases, and which of them share a package."""

from __future__ import annotations

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
_LARGEST_SHARE = 14

CASES: tuple[Case, ...] = tuple(
    replace(case, kind=module.__name__.rpartition(".")[2]) for module in _MODULES for case in module.CASES
)

_SHARING = [case.name for case in CASES if case.can_share]
_SHARES = {name: index // _LARGEST_SHARE for index, name in enumerate(_SHARING)}


def share_of(case: Case) -> int | None:
    """Return the number of the package that a case shares with others, or None."""
    return _SHARES.get(case.name)
