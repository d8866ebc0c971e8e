"""Makes reports for tests."""

from __future__ import annotations

import random
from collections.abc import Mapping

from pyl.bench.figures import COLD, WARM, PackageFacts, Report, Series

MACHINE = {
    "processor": "Some Processor",
    "processors": 2,
    "memory_mb": 8000,
    "kernel": "6.1",
    "system": "Some Linux",
    "python": "3.11.7",
    "awslambdaric": "4.2.2",
    "pyl": "0.1.0",
    "commit": None,
}

Key = tuple[str, str, str, str]


def samples(around: float, seed: int = 1, size: int = 40, noise: float = 0.05) -> tuple[float, ...]:
    """Values with a long right tail, as times have."""
    source = random.Random(seed)
    return tuple(around * source.lognormvariate(0, noise) for _ in range(size))


def report(values: Mapping[Key, tuple[float, ...]], **other: object) -> Report:
    series = tuple(
        Series(case=case, variant=variant, measure=measure, condition=condition, samples=measured)
        for (case, variant, measure, condition), measured in values.items()
    )
    names = dict.fromkeys(item.variant for item in series)
    settings: dict[str, object] = {
        "created": "2026-01-02T03:04:05+00:00",
        "seconds": 60.0,
        "machine": MACHINE,
        "settings": {},
        "variants": {name: f"what {name} is" for name in names},
        "series": series,
    }
    return Report(**(settings | other))  # type: ignore[arg-type]


def whole(seed: int = 1, factor: float = 1.0) -> Report:
    """Two variants and the baseline runtimes of one case; `factor` slows the native ones."""
    middles = {
        "interpreted": 60.0,
        "native": 0.6 * factor,
        "native-plain": 50.0 * factor,
        "floor": 0.2,
        "floor-glibc": 0.6,
    }
    values: dict[Key, tuple[float, ...]] = {}
    for number, (variant, middle) in enumerate(middles.items()):
        for condition, slower in ((WARM, 1), (COLD, 2)):
            values["hello", variant, "cold_start", condition] = samples(middle * slower, seed * 100 + number)
        values["hello", variant, "init", WARM] = samples(middle * 0.9, seed * 200 + number)
        values["hello", variant, "peak_memory", WARM] = samples(middle / 4 + 1, seed * 300 + number)
        values["hello", variant, "private_memory", WARM] = samples(middle / 5 + 1, seed * 400 + number)
        for payload in ("100 B", "10 kB"):
            for measure in ("warm_p50", "warm_p90", "warm_p99"):
                values["hello", variant, measure, payload] = samples(middle / 400, seed * 500 + number)
    packages = (
        PackageFacts(case="hello", variant="interpreted", zip_bytes=500_000, unpacked_bytes=1_000_000),
        PackageFacts(case="hello", variant="native", zip_bytes=7_000_000, unpacked_bytes=20_000_000, image="full"),
    )
    return report(values, packages=packages)
