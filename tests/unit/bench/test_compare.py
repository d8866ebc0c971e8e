"""A seeded regression is found, noise is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pyl.bench import compare
from unit.bench.reports import MACHINE, whole


def test_noise_is_no_change() -> None:
    for seed in range(2, 6):
        changes = compare.changes(whole(seed=1), whole(seed=seed))
        assert not [change for change in changes if change.worse or change.better]


@pytest.mark.parametrize("factor", [1.12, 1.5, 4.0])
def test_a_slower_native_start_is_a_regression(factor: float) -> None:
    changes = compare.changes(whole(seed=1), whole(seed=2, factor=factor))
    worse = {(change.variant, change.measure, change.condition) for change in changes if change.worse}
    assert ("native", "cold_start", "page cache warm") in worse
    assert ("native", "cold_start", "page cache cold") in worse
    assert not [entry for entry in worse if entry[0] == "interpreted"]


def test_a_faster_start_is_better_and_no_regression() -> None:
    changes = compare.changes(whole(seed=1), whole(seed=2, factor=0.7))
    assert [change for change in changes if change.better and change.variant == "native"]
    assert not [change for change in changes if change.worse]


def test_a_larger_package_is_a_regression() -> None:
    old = whole()
    packages = tuple(replace(facts, zip_bytes=facts.zip_bytes * 2) for facts in old.packages)
    worse = [change for change in compare.changes(old, replace(old, packages=packages)) if change.worse]
    assert {change.measure for change in worse} == {"package size"}


def test_the_worst_change_is_described_first() -> None:
    old, new = whole(seed=1), whole(seed=2, factor=3.0)
    lines = compare.describe(old, new, compare.changes(old, new))
    assert "figures" in lines[0]
    assert lines[1].startswith("  worse  hello, native")
    assert "+2" in lines[1] or "+1" in lines[1]


def test_a_different_machine_is_reported() -> None:
    old = whole()
    new = replace(old, machine=MACHINE | {"kernel": "6.12"})
    assert any("machines differ (kernel)" in line for line in compare.describe(old, new, []))


def test_a_changed_baseline_runtime_means_a_changed_machine() -> None:
    old = whole(seed=1)
    series = tuple(
        replace(item, samples=tuple(value * 2 for value in item.samples)) if item.variant == "floor" else item
        for item in old.series
    )
    new = replace(old, series=series)
    assert any("machine itself changed" in line for line in compare.describe(old, new, compare.changes(old, new)))
    assert not [change for change in compare.changes(old, new) if change.worse]
