"""The report of a run as plain data and as JSON, whose layout is stable within a schema version."""

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
"""Version of the JSON report. It grows when a field is removed or changes its meaning, not when a field is added."""

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
"""Title and unit of each measure. 1 MB is 1,000,000 bytes, except in `remote_memory` (1,048,576 bytes)."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """All samples of one measure of one variant under one condition, in the order in which they were taken."""

    case: str
    variant: str
    measure: str
    condition: str
    samples: tuple[float, ...]
    server: float = 0.0
    """Median of the measuring server's own time that was subtracted from each sample, in the same unit."""

    @property
    def median(self) -> Interval:
        """Median of the samples with its confidence interval."""
        return statistics.median(self.samples)

    @property
    def outliers(self) -> int:
        """Number of samples that are far out."""
        return statistics.outliers(self.samples)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A variant that did not respond as it should. It was not measured any further in this case."""

    case: str
    variant: str
    condition: str
    reason: str
    log: str = ""
    """The end of its output."""


@dataclass(frozen=True, kw_only=True)
class PackageFacts:
    """A package that was measured."""

    case: str
    variant: str
    zip_bytes: int
    unpacked_bytes: int
    build_seconds: float | None = None
    """None when an existing package was measured."""
    image: str | None = None
    """`full`, `base` or `none`; None for an interpreted package."""
    image_reasons: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The result of comparing one target with the figures."""

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
    """Title of each variant by its name."""
    series: tuple[Series, ...] = ()
    packages: tuple[PackageFacts, ...] = ()
    failures: tuple[Failure, ...] = ()
    targets: tuple[Verdict, ...] = ()
    notes: tuple[str, ...] = ()
    """What a reader must know to judge the figures: unmet conditions, noise, the measuring server's share."""
    schema: int = field(default=SCHEMA)

    def find(self, case: str, variant: str, measure: str, condition: str) -> Series | None:
        """Return the series with these names; None when it was not measured."""
        key = (case, variant, measure, condition)
        for series in self.series:
            if (series.case, series.variant, series.measure, series.condition) == key:
                return series
        return None

    @property
    def cases(self) -> tuple[str, ...]:
        """Names of the cases, in the order in which they were measured."""
        return tuple(dict.fromkeys([*(item.case for item in self.series), *(item.case for item in self.failures)]))

    def to_json(self) -> dict[str, Any]:
        """Return the object that `pyl bench --json` writes; docs/benchmarks.md explains it."""
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
    """Read a report that `pyl bench --json` wrote.

    Raises:
        UsageError: The file is not such a report, or has a newer schema.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["schema"] > SCHEMA:
            msg = f"{path} has schema {data['schema']}; this version of pyl reads schema {SCHEMA} and older"
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
        msg = f"{path} is not a report of `pyl bench --json`: {error}"
        raise UsageError(msg) from error
