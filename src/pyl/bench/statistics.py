"""Medians, ratios and their intervals. No distribution is assumed, since times have long right tails."""

from __future__ import annotations

import functools
import math
import operator
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

CONFIDENCE = 0.95
_RESAMPLES = 6000
_SEED = 20_200_229
"""Fixed, so that the same samples give the same interval."""

_FENCE = 3.0
"""Interquartile ranges beyond the quartiles at which Tukey calls a value far out."""


@dataclass(frozen=True, kw_only=True)
class Interval:
    """An estimate with its confidence interval."""

    value: float
    low: float
    high: float

    @property
    def precision(self) -> float:
        """Half the interval's width as a part of the estimate; 0 for an exact value."""
        return (self.high - self.low) / 2 / abs(self.value) if self.value else 0.0


def quantile(values: Sequence[float], part: float) -> float:
    """Return the `part` quantile (0.0 to 1.0), interpolated between neighbours as numpy does by default."""
    ordered = sorted(values)
    position = part * (len(ordered) - 1)
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def median(values: Sequence[float]) -> Interval:
    """Return the median with its interval from order statistics, as `scipy.stats.quantile_test` does.

    The ends of the interval are samples. No pair of fewer than six samples covers 95 %; the ends are then the
    smallest and the largest sample, which cover `1 - 2 ** (1 - n)`.
    """
    ordered = sorted(values)
    size = len(ordered)
    rank = _binomial_rank(size, (1 - CONFIDENCE) / 2)
    low, high = max(rank - 1, 0), min(size - rank, size - 1)
    return Interval(value=quantile(ordered, 0.5), low=ordered[low], high=ordered[high])


def ratio(numerator: Sequence[float], denominator: Sequence[float]) -> Interval:
    """Return the ratio of two medians with its percentile bootstrap interval. Both sides are resampled."""
    return _bootstrap(operator.truediv, tuple(numerator), tuple(denominator))


def difference(one: Sequence[float], other: Sequence[float]) -> Interval:
    """Return the median of `one` minus that of `other`, with its percentile bootstrap interval."""
    return _bootstrap(operator.sub, tuple(one), tuple(other))


@functools.cache  # terminal, Markdown and HTML show the same ratios
def _bootstrap(compare: Callable[[float, float], float], one: tuple[float, ...], other: tuple[float, ...]) -> Interval:
    source = random.Random(_SEED)  # noqa: S311 - statistics, no secrets
    first, second = sorted(one), sorted(other)
    estimates = sorted(
        compare(_resampled_median(first, source), _resampled_median(second, source)) for _ in range(_RESAMPLES)
    )
    tail = (1 - CONFIDENCE) / 2
    value = compare(quantile(first, 0.5), quantile(second, 0.5))
    return Interval(value=value, low=quantile(estimates, tail), high=quantile(estimates, 1 - tail))


def _resampled_median(ordered: Sequence[float], source: random.Random) -> float:
    """Return the median of a resample: as many values as there are, drawn with replacement.

    The median is drawn directly. The middle one of n uniform numbers has a beta distribution, and determines which
    value is in the middle of the resample. The numbers above it are uniform again, and the smallest of them is next.
    """
    size = len(ordered)
    half = size // 2
    if size % 2:
        return ordered[int(source.betavariate(half + 1, half + 1) * size)]
    lower = source.betavariate(half, half + 1)
    upper = lower + (1 - lower) * (1 - source.random() ** (1 / half))
    return (ordered[int(lower * size)] + ordered[min(int(upper * size), size - 1)]) / 2


def outliers(values: Sequence[float]) -> int:
    """Count the values that are far out (Tukey: three interquartile ranges beyond a quartile). None is dropped."""
    first, third = quantile(values, 0.25), quantile(values, 0.75)
    reach = _FENCE * (third - first)
    return sum(value < first - reach or value > third + reach for value in values)


def _binomial_rank(size: int, tail: float) -> int:
    """Return the smallest k with P(X <= k) >= tail, where X is the number of heads of `size` fair coins."""
    total = 0.0
    for k in range(size + 1):
        # In logarithms, since 0.5 ** size underflows for some thousand samples.
        combinations = math.lgamma(size + 1) - math.lgamma(k + 1) - math.lgamma(size - k + 1)
        total += math.exp(combinations - size * math.log(2))
        if total >= tail:
            return k
    return size
