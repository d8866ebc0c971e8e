"""Describes the machine of a run, and checks whether it is quiet enough for reliable figures."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

from pyl.bench import statistics
from pyl.bench.programs import driver
from pyl.emulator import managed_runtime
from pyl.process import CommandFailed, run
from pyl.sandbox import execution

_SPIN_ROUNDS = 40
_SPIN_WORK = 40_000
_NOISY = 0.10
"""Spread (interquartile range divided by median) of equal pieces of work above which a machine is called noisy."""

_STOLEN = 0.02
"""Share of the processor time, taken by other guests of the host, above which a report has a note."""


def describe(project: Path) -> dict[str, Any]:
    """Return the facts that a reader needs to judge and repeat a run."""
    return {
        "processor": _processor(),
        "processors": len(os.sched_getaffinity(0)),
        "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1_000_000,
        "kernel": platform.release(),
        "system": _system(),
        "python": platform.python_version(),
        "awslambdaric": managed_runtime.VERSION,
        "pyl": importlib.metadata.version("pyl"),
        "commit": commit(project),
        "driver": driver().parent.name,
        "sandbox": execution.unavailable() or "/var/task in a mount namespace",
        "load": round(os.getloadavg()[0], 2),
    }


class NoiseWatch:
    """Watches, from its creation to the call of `notes`, what else happens on the machine."""

    def __init__(self) -> None:
        self._before = _ticks()
        self._spread = spread()

    def notes(self) -> list[str]:
        """Return the reasons to doubt the figures; empty on a quiet machine."""
        notes = []
        worst = max(self._spread, spread())
        if worst > _NOISY:
            notes.append(
                f"this machine is noisy: the time of equal pieces of work varied by {worst:.0%} (interquartile "
                "range); trust ratios and intervals, not single figures, and repeat the run when it is quiet"
            )
        after = _ticks()
        total = sum(after) - sum(self._before)
        stolen = (after[7] - self._before[7]) / total if total and len(after) > 7 else 0.0
        if stolen > _STOLEN:
            notes.append(f"other virtual machines on the same host took {stolen:.0%} of the processor time")
        return notes


def spread() -> float:
    """Return the interquartile range, divided by the median, of the time that a repeated piece of work takes."""
    times = []
    for _ in range(_SPIN_ROUNDS):
        begun = time.perf_counter()
        sum(range(_SPIN_WORK))
        times.append(time.perf_counter() - begun)
    return (statistics.quantile(times, 0.75) - statistics.quantile(times, 0.25)) / statistics.quantile(times, 0.5)


def _ticks() -> list[int]:
    try:
        line = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0]
    except OSError:
        return []
    return [int(part) for part in line.split()[1:]]


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _system() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", sys.platform)
    except OSError:
        return sys.platform


def commit(project: Path) -> str | None:
    """Return git's description of the project's state; None outside of a repository."""
    try:
        text = run(["git", "-C", project, "describe", "--always", "--dirty", "--abbrev=12"]).strip()
    except CommandFailed:
        return None
    return text or None
