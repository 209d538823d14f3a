"""Draws → plain numbers, each with its Monte Carlo error. Knows nothing of PyMC, files or terminals.

Every error is that of a mean (`difprog.forecast.weighing`). A share is a mean of zeros and ones; a
quantile's error is had from that of the share of draws below it, carried over to the quantity's own
scale by the draws themselves (Woodruff 1952, Confidence intervals for medians and other position
measures, J Am Stat Assoc 47:635): no density is estimated. So whatever is true of the error of a
mean, that draws reuse posterior draws or that they are weighted, is true of all of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from difprog.forecast.weighing import Weighing, cumulated, dot, fewest, inverted, linear

Array = npt.NDArray[np.float64]

MICRODOOM = 1e-6
"""One microdoom: a millionth of probability of doom."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What draws of one quantity amount to.

    Attributes
    ----------
    mean, sd, median : float
        In the quantity's unit.
    mcse : float
        Monte Carlo standard error of the mean.
    lower, upper : float
        The equal-tailed interval.
    p_positive, p_negative : float
        Shares of draws above and below zero.
    median_se, lower_se, upper_se, p_positive_se, p_negative_se : float
        Monte Carlo standard errors of the others.
    """

    mean: float
    sd: float
    mcse: float
    median: float
    lower: float
    upper: float
    p_positive: float
    p_negative: float
    median_se: float = 0.0
    lower_se: float = 0.0
    upper_se: float = 0.0
    p_positive_se: float = 0.0
    p_negative_se: float = 0.0

    @property
    def p_zero(self) -> float:
        """Share of draws at exactly zero: worlds that nothing can change any more."""
        return max(0.0, 1.0 - self.p_positive - self.p_negative)


class Quantiles(NamedTuple):
    """Quantiles of one quantity."""

    values: tuple[float, ...]
    """One per level, in the quantity's unit."""
    errors: tuple[float, ...]
    """Their Monte Carlo standard errors."""


@np.errstate(all="ignore")  # what is not finite is refused by whoever asked
def summarise(values: Any, way: Weighing, prob: float) -> Summary:
    """Summarise draws of one quantity.

    Parameters
    ----------
    values : array of shape (draws,), or scalar
        The draws; a scalar is a quantity that does not vary, and is summarised exactly.
    way : Weighing
        How they count. Weighted quantiles are the least values at which the weighted cdf meets the
        level; unweighted ones interpolate between draws.
    prob : float
        Probability that the equal-tailed interval holds.
    """
    array, weights = np.atleast_1d(np.asarray(values, dtype=float)), way.weights
    order = None if weights is None else np.argsort(array)
    points = np.sort(array) if order is None else array[order]
    if array.size == 1 or points[0] == points[-1]:
        return _point(float(points[0]))
    tail = (1.0 - prob) / 2.0
    levels = [tail, 0.5, 1.0 - tail]
    low, high = int(points.searchsorted(0.0)), int(points.searchsorted(0.0, side="right"))
    if weights is None:
        mean, sd = float(array.mean()), float(array.std(ddof=1))
        positive, negative = float((len(points) - high) / way.count), float(low / way.count)
        found = linear(points, levels)
    else:
        mean = dot(weights, array)
        # At equal weights the usual divisor, draws less one.
        sd = math.sqrt(dot(weights, (array - mean) ** 2) / (1.0 - dot(weights, weights)))
        cdf = cumulated(weights[order])
        found = inverted(points, cdf, levels)
    if way.alone:
        hits = [*points.searchsorted(found, side="right").tolist(), len(points) - high, low]
        error, shares = sd / math.sqrt(way.count), [hit / way.count for hit in hits]
        errors = [math.sqrt(share * (1.0 - share) / (way.count - 1.0)) for share in shares]
    else:
        parts = _parts(array, found)
        error, *errors = (way.error(part) for part in (array, *parts))
        if weights is not None:
            positive, negative = (dot(weights, part) for part in parts[3:])
    ends = _ends(levels, errors[:3])
    around = linear(points, ends) if weights is None else inverted(points, cdf, ends)
    return Summary(
        mean, sd, error, float(found[1]), float(found[0]), float(found[2]), positive, negative,
        *_halves(around), *errors[3:],
    )  # fmt: skip


def _parts(values: Array, at: Array) -> list[Array]:
    """Return where draws lie at or below each of three values, above 0 and below 0: ones and zeros."""
    return [part.astype(float) for part in (*(values <= value for value in at), values > 0, values < 0)]


def _point(value: float) -> Summary:
    return Summary(value, 0.0, 0.0, value, value, value, float(value > 0), float(value < 0))


def _ends(levels: Sequence[float], errors: Sequence[float]) -> list[float]:
    """Return, level by level, the two levels one standard error away."""
    return [
        min(max(level + side * error, 0.0), 1.0)
        for level, error in zip(levels, errors, strict=True) for side in (-1.0, 1.0)
    ]  # fmt: skip


def _halves(around: Array) -> tuple[float, float, float]:
    """Return the errors of median, lower and upper from the values one error of the level away."""
    lower, median, upper = (np.diff(around.reshape(3, 2), axis=1)[:, 0] / 2.0).tolist()
    return median, lower, upper


@np.errstate(all="ignore")
def summarise_mixture(
    columns: Iterable[Any], ways: Sequence[Weighing], credences: Sequence[float], prob: float
) -> Summary:
    """Summarise the mixture of several readings' draws by credence.

    Parameters
    ----------
    columns : iterable of arrays, each of shape (draws,) or scalar
        One reading's draws each, all on the same worlds: the error of the mean is that of the
        weighted mean draw by draw.
    ways : sequence of Weighing
        How each reading's draws count.
    credences : sequence of float
        They are scaled to sum to 1.
    prob : float
        Probability that the equal-tailed interval holds.
    """
    share, count = np.asarray(credences, dtype=float) / math.fsum(credences), ways[0].count
    table = np.stack([np.broadcast_to(np.asarray(c, dtype=float), (count,)) for c in columns])
    if table.min() == table.max():
        return _point(float(table.min()))
    tilted = any(way.weights is not None for way in ways)
    every = Weighing(count, fewest(way.clusters for way in ways))
    if tilted:
        own = np.stack([way.each for way in ways])
        mass = share[:, None] * own
        means = np.sum(mass * table, axis=1) / share
        variances = np.sum(own * (table - means[:, None]) ** 2, axis=1) / (1.0 - np.sum(own**2, axis=1))
    else:
        mass = np.repeat(share / count, count).reshape(table.shape)
        means = table.mean(axis=1)
        variances = np.array([row.var(ddof=1) if count > 1 else 0.0 for row in table])

    def error_of(part: Array) -> float:
        """Return the error of the mixture's mean of a function of the draws, shape (reading, draw)."""
        if not tilted or count < 2:
            return every.error(share @ part)
        terms = (own * way.residuals(row) for own, way, row in zip(mass, ways, part, strict=True))
        return every.error_of_sum(np.asarray(sum(terms)))

    mean = float(share @ means)
    tail = (1.0 - prob) / 2.0
    levels = [tail, 0.5, 1.0 - tail]
    flattened = table.ravel()
    if not tilted and np.all(share == share[0]):  # every draw counts alike: a quarter of the time
        points, cdf = np.sort(flattened), np.arange(1, flattened.size + 1) / flattened.size
    else:
        order = np.argsort(flattened)
        points, cdf = flattened[order], cumulated(mass.ravel()[order])
    found = inverted(points, cdf, levels)
    parts = _parts(table, found)
    error, *shares = (error_of(part) for part in (table, *parts))
    around = inverted(points, cdf, _ends(levels, shares[:3]))
    if tilted:
        positive, negative = (float(np.sum(mass * part)) for part in parts[3:])
    else:  # counted, not summed: all worlds are exactly 1
        positive, negative = (
            math.fsum(share * np.count_nonzero(part, axis=1)) / math.fsum(share * count) for part in parts[3:]
        )
    return Summary(
        mean, float(np.sqrt(share @ (variances + (means - mean) ** 2))), error,
        float(found[1]), float(found[0]), float(found[2]), positive, negative,
        *_halves(around), *shares[3:],
    )  # fmt: skip


def quantiles_given(values: Any, chance: Any, way: Weighing, levels: Sequence[float]) -> Quantiles:
    """Return quantiles of a quantity given an event, and their errors.

    Parameters
    ----------
    values : array, shape (draws,), or scalar
        Draws, say of the arrival of AGI.
    chance : array, shape (draws,), or scalar
        The chance of the event in each draw, say of success; unlike weights it need not sum to 1.
    way : Weighing
        How the draws count.
    levels : sequence of float
        In (0, 1).

    Returns
    -------
    Quantiles
        NaN where the event never happens.
    """
    value, chance = np.broadcast_arrays(np.asarray(values, float), np.asarray(chance, float))
    if value.ndim == 0:
        known = float(value) if chance > 0 else math.nan
        return Quantiles((known,) * len(levels), (0.0,) * len(levels))
    way = replace(way, weights=way.each)
    mass, total = way.each * chance, dot(way.each, chance)
    if not total > 0:
        return Quantiles((math.nan,) * len(levels), (math.nan,) * len(levels))
    order = np.argsort(value)
    points, cdf = value[order], cumulated(mass[order])
    found = inverted(points, cdf, levels)
    below = (value <= found[:, None]).astype(float)
    influences = [chance * (part - dot(mass, part) / total) / total for part in below]
    errors = [way.error(influence) for influence in influences]
    around = inverted(points, cdf, _ends(levels, errors)).reshape(-1, 2)
    return Quantiles(tuple(found.tolist()), tuple((np.diff(around, axis=1)[:, 0] / 2.0).tolist()))


def sign(summary: Summary, errors: float = 2.0) -> int:
    """Return the sign of a mean that is resolved from zero by ``errors`` Monte Carlo errors."""
    if not abs(summary.mean) > errors * summary.mcse:
        return 0
    return 1 if summary.mean > 0 else -1
