"""What a run of the suite yields: plain data, and its JSON. The layout is stable within a schema version."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyl.bench import statistics
from pyl.bench.statistics import Interval
from pyl.errors import UsageError

SCHEMA = 1
"""Of the JSON report. It grows when a field changes its meaning or goes; new fields do not change it."""

WARM, COLD = "page cache warm", "page cache cold"

MEASURES = {
    "cold_start": ("cold start", "ms"),
    "init": ("init", "ms"),
    "first_invocation": ("first invocation", "ms"),
    "processor": ("processor time to the first answer", "ms"),
    "peak_memory": ("peak memory", "MB"),
    "proportional_memory": ("memory, proportional (PSS)", "MB"),
    "private_memory": ("memory, private", "MB"),
    "minor_faults": ("minor page faults", ""),
    "major_faults": ("major page faults", ""),
    "warm_p50": ("warm invocation, p50", "ms"),
    "warm_p90": ("warm invocation, p90", "ms"),
    "warm_p99": ("warm invocation, p99", "ms"),
    "warm_processor": ("processor time per warm invocation", "ms"),
    "throughput": ("throughput", "/s"),
    "all_answered": ("until all have answered", "ms"),
    "remote_cold_start": ("cold start on AWS", "ms"),
    "remote_init": ("Init Duration", "ms"),
    "remote_first": ("Duration, first invocation", "ms"),
    "remote_billed": ("Billed Duration, first invocation", "ms"),
    "remote_warm": ("Duration, warm", "ms"),
    "remote_memory": ("Max Memory Used", "MB"),
}
"""Measure to its title and unit. MB are 1,000,000 bytes, but where Lambda reports them."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """The samples of one measure of one variant under one condition, in the order taken, none left out."""

    case: str
    variant: str
    measure: str
    condition: str
    samples: tuple[float, ...]
    server: float = 0.0
    """Median of the measuring server's own time that was subtracted from each sample, in the same unit."""

    @property
    def median(self) -> Interval:
        return statistics.median(self.samples)

    @property
    def outliers(self) -> int:
        return statistics.outliers(self.samples)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A variant that did not answer as it should; it took no further part in the case."""

    case: str
    variant: str
    condition: str
    reason: str
    log: str = ""
    """The end of what it printed."""


@dataclass(frozen=True, kw_only=True)
class PackageFacts:
    """A package that was measured."""

    case: str
    variant: str
    zip_bytes: int
    unpacked_bytes: int
    build_seconds: float | None = None
    """None when it was there already."""
    image: str | None = None
    """`full`, `base` or `none`; None for an interpreted package."""
    image_reasons: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What came of one target."""

    case: str
    measure: str
    target: str
    reached: str
    interval: str
    verdict: str
    """`met`, `missed` or `not measured`."""
    words: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """One run of the suite."""

    created: str
    """ISO 8601, UTC."""
    seconds: float
    machine: Mapping[str, Any]
    settings: Mapping[str, Any]
    variants: Mapping[str, str]
    """Name to title."""
    series: tuple[Series, ...] = ()
    packages: tuple[PackageFacts, ...] = ()
    failures: tuple[Failure, ...] = ()
    targets: tuple[Verdict, ...] = ()
    notes: tuple[str, ...] = ()
    """What a reader must know to trust the figures: conditions not met, noise, a server's share."""
    schema: int = field(default=SCHEMA)

    def find(self, case: str, variant: str, measure: str, condition: str) -> Series | None:
        """The series so named; None when it was not measured."""
        wanted = (case, variant, measure, condition)
        for series in self.series:
            if (series.case, series.variant, series.measure, series.condition) == wanted:
                return series
        return None

    @property
    def cases(self) -> tuple[str, ...]:
        """Names of the cases, in the order measured."""
        return tuple(dict.fromkeys([*(item.case for item in self.series), *(item.case for item in self.failures)]))

    def to_json(self) -> dict[str, Any]:
        """The object that `pyl bench --json` writes; docs/benchmarks.md explains it."""
        whole = dataclasses.asdict(self)
        whole["series"] = [_series_to_json(series) for series in self.series]
        return {"schema": whole.pop("schema"), **whole}


def _series_to_json(series: Series) -> dict[str, Any]:
    middle = series.median
    return {
        "case": series.case,
        "variant": series.variant,
        "measure": series.measure,
        "condition": series.condition,
        "unit": MEASURES[series.measure][1],
        "median": _rounded(middle.value),
        "low": _rounded(middle.low),
        "high": _rounded(middle.high),
        "outliers": series.outliers,
        "server": _rounded(series.server),
        "samples": [_rounded(sample) for sample in series.samples],
    }


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


def load(path: Path) -> Report:
    """Read a report that `--json` wrote.

    Raises `UsageError` when the file is none, or of a newer schema.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["schema"] > SCHEMA:
            msg = f"{path} has schema {data['schema']}; this version of pyl knows {SCHEMA}"
            raise UsageError(msg, hint="compare it with the version of pyl that wrote it")
        names = {item.name for item in dataclasses.fields(Series)}
        return Report(
            created=data["created"],
            seconds=data["seconds"],
            machine=data["machine"],
            settings=data["settings"],
            variants=data["variants"],
            series=tuple(
                Series(
                    **{name: value for name, value in item.items() if name in names}
                    | {"samples": tuple(item["samples"])}
                )
                for item in data["series"]
            ),
            packages=tuple(
                PackageFacts(**item | {"image_reasons": tuple(item["image_reasons"])}) for item in data["packages"]
            ),
            failures=tuple(Failure(**item) for item in data["failures"]),
            targets=tuple(Verdict(**item) for item in data["targets"]),
            notes=tuple(data["notes"]),
            schema=data["schema"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = f"{path} is no report of `pyl bench --json`: {error}"
        raise UsageError(msg) from error
