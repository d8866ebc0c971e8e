"""Partitions functions that cannot share a full image: imports read a variable that is configured differently."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyl.image.capture.session import Session
from pyl.image.snapshot import BASE, FULL

LARGEST = 8
"""Groups. Each stores a heap of its own, and Lambda limits what a package may unpack to."""


@dataclass(frozen=True)
class Group:
    """Functions that share a full image."""

    functions: tuple[str, ...]
    environment: Mapping[str, str]
    """The variables that all of them are configured with."""


def partition_by_environment(first: Session, configured: Mapping[str, Mapping[str, str]]) -> tuple[Group, ...]:
    """Return the groups of functions that need images of their own; none when one image serves all.

    Args:
        first: A session with the variables that all functions have in common.
        configured: Function names to the variables that each is configured with.
    """
    names = {name for variables in configured.values() for name in variables}
    differing = {name for name in names if len({variables.get(name) for variables in configured.values()}) > 1}
    names_read = sorted(_variables_read(first, differing))
    groups: dict[tuple[str | None, ...], list[str]] = {}
    for function, variables in configured.items():
        groups.setdefault(tuple(variables.get(name) for name in names_read), []).append(function)
    if not 1 < len(groups) <= LARGEST:
        return ()
    return tuple(
        Group(tuple(sorted(members)), _common([configured[name] for name in members])) for members in groups.values()
    )


def _variables_read(session: Session, differing: set[str]) -> set[str]:
    """Return which of the variables were read, also if the import failed because one was missing."""
    if session.report.listing_place:
        return differing
    reads = (*session.reads(), *session.reads_of_c_code(BASE), *session.reads_of_c_code(FULL))
    return differing & {read.name for read in reads}


def _common(environments: list[Mapping[str, str]]) -> dict[str, str]:
    first, *others = environments
    return {name: text for name, text in first.items() if all(other.get(name) == text for other in others)}
