"""AWS's dates for its runtimes, and the choice of a function's runtime by date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Lifecycle:
    """AWS's dates for a runtime."""

    deprecated: dt.date
    """First day without security updates."""
    creation_blocked: dt.date
    """First day on which functions with this runtime cannot be created."""
    update_blocked: dt.date
    """First day on which functions with this runtime cannot be updated."""


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
"""Dates from https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html; compared with cfn-lint by a test."""

SUCCESSORS: Mapping[str, str] = {"provided.al2": "provided.al2023"}
"""Newer runtimes on which the same package runs."""


def today() -> dt.date:
    """Return the current date in UTC, to compare with AWS's dates."""
    return dt.datetime.now(dt.UTC).date()


def runtime_for(configured: str, today: dt.date, *, present: str | None = None) -> str:
    """Return the runtime to deploy a function with.

    This is `configured`, or its successor once AWS no longer accepts the former. A function that already has the
    successor keeps it.

    Args:
        configured: The configured runtime.
        today: The current date in UTC.
        present: The function's current runtime; None if the function does not exist yet.
    """
    lifecycle, successor = LIFECYCLES.get(configured), SUCCESSORS.get(configured)
    if lifecycle is None or successor is None:
        return configured
    blocked = lifecycle.update_blocked if present == configured else lifecycle.creation_blocked
    return successor if present == successor or today >= blocked else configured


def notice(configured: str, today: dt.date, *, present: str | None = None) -> str | None:
    """Return a line about the lifecycle of a runtime; None while AWS supports it.

    Args:
        configured: The configured runtime.
        today: The current date in UTC.
        present: The function's current runtime; None if the function does not exist yet.
    """
    lifecycle, successor = LIFECYCLES.get(configured), SUCCESSORS.get(configured)
    if lifecycle is None or today < lifecycle.deprecated or (successor and present == successor):
        return None
    chosen = runtime_for(configured, today, present=present)
    if chosen != configured:
        blocked = lifecycle.update_blocked if present == configured else lifecycle.creation_blocked
        return f"AWS no longer accepts {configured} (since {blocked}): using {chosen} with the same package"
    end = lifecycle.update_blocked if present == configured else lifecycle.creation_blocked
    status = f"{configured} has had no security updates since {lifecycle.deprecated}, and AWS accepts it until {end}"
    if successor:
        return f'{status}; target = "{successor}" selects its successor, with the same package'
    return f"{status}; build with a newer Python"
