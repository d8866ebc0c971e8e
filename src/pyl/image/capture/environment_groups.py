"""Partitions functions that cannot share a full image: imports read a variable that is configured differently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyl.image.capture.session import Session
from pyl.image.capture.world import PROCESSORS
from pyl.image.snapshot import BASE, FULL
from pyl.lambda_facts import SCOPES

LARGEST = 8
"""Groups. Each stores a heap of its own, and Lambda limits what a package may unpack to."""


def partition_by_environment(
    first: Session, variables: Mapping[str, Mapping[str, str]], *, swept_matter: bool
) -> tuple[tuple[str, ...], ...]:
    """Return the groups of functions that need images of their own; none when one image serves all.

    Args:
        first: A session with the variables that all functions have in common.
        variables: Function names to all variables of each, and the number of its processors.
        swept_matter: Whether values count that were only read together with all others.
    """
    names = {name for values in variables.values() for name in values}
    differing = {name for name in names if len({values.get(name) for values in variables.values()}) > 1}
    names_read = sorted(_variables_read(first, differing, swept_matter=swept_matter))
    groups: dict[tuple[str | None, ...], list[str]] = {}
    for function, values in variables.items():
        groups.setdefault(tuple(values.get(name) for name in names_read), []).append(function)
    if not 1 < len(groups) <= LARGEST:
        return ()
    return tuple(tuple(sorted(members)) for members in groups.values())


def _variables_read(session: Session, differing: set[str], *, swept_matter: bool) -> set[str]:
    """Return which of the variables were read, also if the import failed because one was missing."""
    read = {read.name for read in session.all_reads()}
    if session.asked_for_processors(BASE) or (swept_matter and session.asked_for_processors(FULL)):
        read.add(PROCESSORS)
    if session.report.listing_place:
        read |= differing if swept_matter else differing - SCOPES.keys() - {PROCESSORS}
    return differing & read


def common_variables(environments: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return the variables that have one value in all environments."""
    first, *others = environments
    return {name: text for name, text in first.items() if all(other.get(name) == text for other in others)}
