"""Functions that cannot share a full image: at import, a variable was read that they have different values of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyl.image.capture.session import BASE, FULL, Session

LARGEST = 8
"""Groups. Each stores a heap of its own, and Lambda limits what a package may unpack to."""


@dataclass(frozen=True)
class Group:
    """Functions that share a full image."""

    functions: tuple[str, ...]
    environment: Mapping[str, str]
    """What all of them are configured with."""


def apart(first: Session, configured: Mapping[str, Mapping[str, str]]) -> tuple[Group, ...]:
    """The groups that `configured`, function to variables, makes necessary; none when one image serves all.

    `first` is a session with what all functions have in common.
    """
    names = {name for variables in configured.values() for name in variables}
    differing = {name for name in names if len({variables.get(name) for variables in configured.values()}) > 1}
    deciding = sorted(_deciding(first, differing))
    found: dict[tuple[str | None, ...], list[str]] = {}
    for function, variables in configured.items():
        found.setdefault(tuple(variables.get(name) for name in deciding), []).append(function)
    if not 1 < len(found) <= LARGEST:
        return ()
    return tuple(
        Group(tuple(sorted(members)), _common([configured[name] for name in members])) for members in found.values()
    )


def _deciding(session: Session, differing: set[str]) -> set[str]:
    """Which of the variables were read, also where the import failed for want of one."""
    if session.report.listing_place:
        return differing
    reads = (*session.reads(), *session.reads_of_c_code(BASE), *session.reads_of_c_code(FULL))
    return differing & {read.name for read in reads}


def _common(environments: list[Mapping[str, str]]) -> dict[str, str]:
    first, *others = environments
    return {name: text for name, text in first.items() if all(other.get(name) == text for other in others)}
