"""Until when AWS takes each runtime, and which one a function gets therefore."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Lifecycle:
    """AWS's dates of a runtime; on and after each, the thing holds."""

    deprecated: dt.date
    """No more security updates."""
    creation_blocked: dt.date
    """New functions cannot have it."""
    update_blocked: dt.date
    """Functions that have it cannot be changed."""


def _date(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


LIFECYCLES: Mapping[str, Lifecycle] = {
    name: Lifecycle(
        deprecated=_date(deprecated), creation_blocked=_date(creation_blocked), update_blocked=_date(update_blocked)
    )
    for name, deprecated, creation_blocked, update_blocked in (
        ("provided.al2", "2026-07-31", "2027-02-01", "2027-03-03"),
        ("provided.al2023", "2029-06-30", "2029-07-31", "2029-08-31"),
        ("python3.11", "2027-06-30", "2027-07-31", "2027-08-31"),
        ("python3.12", "2028-10-31", "2028-11-30", "2029-01-10"),
        ("python3.13", "2029-06-30", "2029-07-31", "2029-08-31"),
        ("python3.14", "2029-06-30", "2029-07-31", "2029-08-31"),
    )
}
"""https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html; a test compares with cfn-lint's copy of it."""

SUCCESSORS: Mapping[str, str] = {"provided.al2": "provided.al2023"}
"""Runtimes on which the same package runs."""


def today() -> dt.date:
    """The day that counts for AWS's calendar."""
    return dt.datetime.now(dt.UTC).date()


def runtime_for(asked: str, today: dt.date, *, present: str | None = None) -> str:
    """The runtime that a function gets which is to have `asked`, and has `present` if it exists.

    The successor once AWS takes `asked` no more. A function that has the successor already keeps it.
    """
    lifecycle, successor = LIFECYCLES.get(asked), SUCCESSORS.get(asked)
    if lifecycle is None or successor is None:
        return asked
    blocked = lifecycle.update_blocked if present == asked else lifecycle.creation_blocked
    return successor if present == successor or today >= blocked else asked


def notice(asked: str, today: dt.date, *, present: str | None = None) -> str | None:
    """What is to be said about the runtime, in one line; nothing while AWS supports it."""
    lifecycle, successor = LIFECYCLES.get(asked), SUCCESSORS.get(asked)
    if lifecycle is None or today < lifecycle.deprecated or (successor and present == successor):
        return None
    chosen = runtime_for(asked, today, present=present)
    if chosen != asked:
        blocked = lifecycle.update_blocked if present == asked else lifecycle.creation_blocked
        return f"AWS takes no {asked} since {blocked}: {chosen} it is, with the same package"
    end = lifecycle.update_blocked if present == asked else lifecycle.creation_blocked
    status = f"{asked} has had no security updates since {lifecycle.deprecated}, and AWS takes it until {end}"
    if successor:
        return f'{status}; target = "{successor}" moves to its successor, with the same package'
    return f"{status}; build with a newer Python"
