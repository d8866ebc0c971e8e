"""The suite's statistics agree with scipy's on fixed data."""

from __future__ import annotations

import random

import numpy as np
import pytest
import scipy.stats

from pyl.bench import statistics

TIMES = (
    [2.1, 1.9, 2.0, 2.4, 1.8, 2.2, 2.05, 1.95, 9.7, 2.15, 2.3, 1.99],
    [float(number) for number in range(1, 31)],
    [0.5] * 7,
    [3.0, 1.0, 2.0, 5.0, 4.0, 6.0],
)


def _skewed(seed: int, size: int, scale: float = 1.0) -> list[float]:
    source = random.Random(seed)
    return [scale * source.lognormvariate(0, 0.4) for _ in range(size)]


@pytest.mark.parametrize("part", [0.0, 0.25, 0.5, 0.9, 0.99, 1.0])
@pytest.mark.parametrize("values", TIMES)
def test_quantiles_are_those_of_numpy(values: list[float], part: float) -> None:
    assert statistics.quantile(values, part) == pytest.approx(float(np.quantile(values, part)))


@pytest.mark.parametrize("size", [6, 7, 8, 9, 10, 11, 12, 20, 31, 60, 199, 1000, 1500])
def test_the_interval_of_a_median_is_that_of_scipy(size: int) -> None:
    values = _skewed(size, size)
    interval = statistics.median(values)
    expected = scipy.stats.quantile_test(values, p=0.5).confidence_interval(0.95)
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))
    assert interval.value == pytest.approx(float(np.median(values)))


def test_the_interval_of_few_values_is_their_range() -> None:
    interval = statistics.median([3.0, 1.0, 2.0])
    assert (interval.low, interval.value, interval.high) == (1.0, 2.0, 3.0)


def test_the_interval_of_a_median_covers_it_as_often_as_it_says() -> None:
    covered = 0
    for seed in range(500):
        interval = statistics.median(_skewed(seed, 25))
        covered += interval.low <= 1.0 <= interval.high
    assert 465 <= covered <= 495  # the exact coverage at 25 values is 95.7 %


@pytest.mark.parametrize(("one", "other"), [((1, 40, 3.0), (2, 40, 1.0)), ((3, 25, 80.0), (4, 60, 2.0))])
def test_the_interval_of_a_ratio_is_near_that_of_scipys_bootstrap(
    one: tuple[int, int, float], other: tuple[int, int, float]
) -> None:
    over, under = _skewed(*one), _skewed(*other)

    def ratio(a: np.ndarray, b: np.ndarray, axis: int = -1) -> np.ndarray:
        medians: np.ndarray = np.median(a, axis=axis) / np.median(b, axis=axis)
        return medians

    expected = scipy.stats.bootstrap(
        (over, under), ratio, method="percentile", n_resamples=9999, vectorized=True, rng=np.random.default_rng(1)
    ).confidence_interval
    interval = statistics.ratio(over, under)
    assert interval.value == pytest.approx(float(ratio(np.array(over), np.array(under))))
    assert interval.low == pytest.approx(expected.low, rel=0.05)
    assert interval.high == pytest.approx(expected.high, rel=0.05)


def test_a_ratio_is_the_same_in_every_run() -> None:
    assert statistics.ratio(TIMES[0], TIMES[1]) == statistics.ratio(TIMES[0], TIMES[1])


def test_the_interval_of_a_difference_is_near_that_of_scipys_bootstrap() -> None:
    one, other = _skewed(5, 50, 4.0), _skewed(6, 50, 3.0)

    def difference(a: np.ndarray, b: np.ndarray, axis: int = -1) -> np.ndarray:
        medians: np.ndarray = np.median(a, axis=axis) - np.median(b, axis=axis)
        return medians

    expected = scipy.stats.bootstrap(
        (one, other), difference, method="percentile", n_resamples=9999, vectorized=True, rng=np.random.default_rng(1)
    ).confidence_interval
    interval = statistics.difference(one, other)
    assert interval.low == pytest.approx(expected.low, abs=0.06)
    assert interval.high == pytest.approx(expected.high, abs=0.06)


def test_outliers_are_counted_by_tukeys_outer_fences() -> None:
    assert statistics.outliers(TIMES[0]) == 1
    assert statistics.outliers(TIMES[1]) == 0
    assert statistics.outliers(TIMES[2]) == 0


def test_precision_is_half_the_interval_by_the_median() -> None:
    assert statistics.Interval(value=2.0, low=1.8, high=2.4).precision == pytest.approx(0.15)
    assert statistics.Interval(value=0.0, low=0.0, high=0.0).precision == 0.0
