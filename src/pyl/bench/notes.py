"""The notes of a report: what a reader must know to judge its figures."""

from __future__ import annotations

from collections.abc import Sequence

from pyl.bench import managed
from pyl.bench.figures import Series
from pyl.bench.rounds import Plan
from pyl.errors import PylError
from pyl.project.model import Function
from pyl.sandbox import execution


def interruption(error: BaseException) -> str:
    """Return the note that says why a report is partial."""
    why = error.message.splitlines()[0] if isinstance(error, PylError) else "it was interrupted"
    return f"this report is partial: {why}; the unfinished measurement and those after it are missing"


def machine_limits() -> list[str]:
    """Return notes about what this machine does not allow."""
    if why := execution.unavailable():
        reason = f"this machine allows no mount namespaces ({why}), so packages did not run at /var/task"
        return [f"{reason}: native ones could not use their image, and the interpreter stayed in the page cache"]
    if managed.interpreter() is None:
        reason = "the interpreter is part of the system, so its files stayed in the page cache"
        return [f"{reason}: its figures for a cold page cache are too good"]
    return []


def lack_of_warm_up(function: Function) -> list[str]:
    """Return a note if the function was not invoked before its process image was taken.

    This makes starts with a cold page cache slower.
    """
    if function.configuration.warm_up is not None:
        return []
    effect = "what an invocation reads is not prefetched, but read page by page when the page cache is cold"
    return [f"{function.name} has no `warm_up` in its table of pyproject.toml: {effect}"]


def uncertainties(series: Sequence[Series], plan: Plan) -> list[str]:
    """Return notes about medians that stayed uncertain, and about the cost of measuring."""
    wide = [item for item in series if item.measure == "cold_start" and item.median.precision > 2 * plan.precision]
    notes = []
    if wide:
        worst = max(wide, key=lambda item: item.median.precision)
        notes.append(
            f"{len(wide)} of the cold start medians are less precise than ±{2 * plan.precision:.0%}; the least precise "
            f"is {worst.case}, {worst.variant}, {worst.condition}: ±{worst.median.precision:.0%}"
        )
    adjusted = [item for item in series if item.server]
    if adjusted:
        share = max(adjusted, key=lambda item: item.server / item.median.value)
        notes.append(
            "the measuring server's own processor time is subtracted from all times; its largest share was "
            f"{share.server / share.median.value:.1%} ({share.server * 1000:.0f} µs on "
            f"{share.median.value * 1000:.0f} µs), of {share.case}, {share.variant}, {share.measure}, {share.condition}"
        )
    return notes
