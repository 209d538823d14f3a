"""Draws → plain numbers. Knows nothing of PyMC, files or terminals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

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
    """

    mean: float
    sd: float
    mcse: float
    median: float
    lower: float
    upper: float
    p_positive: float
    p_negative: float

    @property
    def p_zero(self) -> float:
        """Share of draws at exactly zero: worlds that nothing can change any more."""
        return max(0.0, 1.0 - self.p_positive - self.p_negative)


def clustered_error(values: Array, clusters: int | None) -> float:
    """Return the standard error of the mean of draws that reuse ``clusters`` posterior draws.

    Draw i uses posterior draw i mod ``clusters``, so that where there are more draws than
    kept posterior draws the cluster means are what is independent.

    Parameters
    ----------
    values : array, shape (draws,)
        Draws of one quantity.
    clusters : int or None
        Number of posterior draws; None where every draw is on its own.
    """
    count = len(values)
    if count < 2:
        return 0.0
    if clusters is None or clusters >= count or clusters < 2:
        return float(np.std(values, ddof=1)) / math.sqrt(count)
    member = np.arange(count) % clusters
    totals = np.bincount(member, weights=values, minlength=clusters)
    sizes = np.bincount(member, minlength=clusters)
    # Ratio estimator: clusters differ in size by one at most.
    residual = totals - sizes * values.mean()
    return float(np.sqrt(np.sum(residual**2) * clusters / (clusters - 1.0)) / count)


@np.errstate(all="ignore")  # what is not finite is refused by whoever asked
def summarise(values: Any, count: int, prob: float, clusters: int | None = None) -> Summary:
    """Summarise draws of one quantity.

    Parameters
    ----------
    values : array of shape (draws,), or scalar
        The draws; a scalar is a quantity that does not vary, and is summarised exactly.
    count : int
        Number of draws.
    prob : float
        Probability that the equal-tailed interval holds.
    clusters : int, optional
        See `clustered_error`.
    """
    array = np.atleast_1d(np.asarray(values, dtype=float))
    value = float(array.min())
    if array.size == 1 or value == array.max():
        return Summary(value, 0.0, 0.0, value, value, value, float(value > 0), float(value < 0))
    tail = (1.0 - prob) / 2.0
    lower, median, upper = np.quantile(array, [tail, 0.5, 1.0 - tail])
    return Summary(
        mean=float(array.mean()),
        sd=float(array.std(ddof=1)),
        mcse=clustered_error(array, clusters),
        median=float(median),
        lower=float(lower),
        upper=float(upper),
        p_positive=float(np.count_nonzero(array > 0) / count),
        p_negative=float(np.count_nonzero(array < 0) / count),
    )


@np.errstate(all="ignore")
def summarise_mixture(
    columns: Sequence[Any],
    weights: Sequence[float],
    count: int,
    prob: float,
    clusters: int | None = None,
) -> Summary:
    """Summarise the mixture of several models' draws by credence.

    Parameters
    ----------
    columns : sequence of arrays, each of shape (draws,) or scalar
        One model's draws each, all on the same worlds: the error of the mean is that of the
        weighted mean draw by draw.
    weights : sequence of float
        Credences; they are scaled to sum to 1.
    count, prob, clusters
        As in `summarise`.
    """
    share = np.asarray(weights, dtype=float) / math.fsum(weights)
    table = np.stack([np.broadcast_to(np.asarray(c, dtype=float), (count,)) for c in columns])
    if table.min() == table.max():
        return summarise(float(table.min()), count, prob)
    means = table.mean(axis=1)
    mean = float(share @ means)
    variances = table.var(axis=1, ddof=1) if count > 1 else np.zeros(len(columns))
    tail = (1.0 - prob) / 2.0
    lower, median, upper = weighted_quantiles(table, share, (tail, 0.5, 1.0 - tail))
    return Summary(
        mean=mean,
        sd=float(np.sqrt(share @ (variances + (means - mean) ** 2))),
        mcse=clustered_error(share @ table, clusters),
        median=median,
        lower=lower,
        upper=upper,
        p_positive=float(share @ np.count_nonzero(table > 0, axis=1)) / count,
        p_negative=float(share @ np.count_nonzero(table < 0, axis=1)) / count,
    )


def weighted_quantiles(table: Array, share: Array, levels: Sequence[float]) -> list[float]:
    """Return quantiles of the mixture of rows: the least value at which its cdf meets the level.

    Parameters
    ----------
    table : array, shape (models, draws)
        Draws.
    share : array, shape (models,)
        Weights that sum to 1.
    levels : sequence of float
        In (0, 1).
    """
    flat = table.ravel()
    order = np.argsort(flat, kind="stable")
    mass = np.cumsum(np.repeat(share, table.shape[1])[order])
    # A level that is met but for the rounding of sums is met.
    at = np.searchsorted(mass, np.asarray(levels) * mass[-1] * (1 - 1e-12))
    return [float(flat[order[i]]) for i in at]


class Quantiles(NamedTuple):
    """The middle and the equal-tailed interval of a quantity that may have no mean."""

    median: float
    lower: float
    upper: float


def quantiles(
    values: Any, weights: Array | None, count: int, prob: float, clusters: int | None = None  # noqa: ARG001
) -> Quantiles:
    """Return the median and the interval of draws, which may be weighted."""
    array = np.broadcast_to(np.asarray(values, dtype=float), (count,))
    tail = (1.0 - prob) / 2.0
    lower, median, upper = np.quantile(
        array, [tail, 0.5, 1.0 - tail], weights=weights, method="inverted_cdf"
    )
    return Quantiles(float(median), float(lower), float(upper))


@np.errstate(all="ignore")
def weighted_mean(values: Any, weights: Any) -> float | None:
    """Return Σ weight·value / Σ weight, or None where all weights are 0."""
    weight = np.asarray(weights, dtype=float)
    value = np.asarray(values, dtype=float)
    value, weight = np.broadcast_arrays(value, weight)
    total = float(weight.sum())
    return float((value * weight).sum() / total) if total > 0 else None


def sign(summary: Summary, errors: float = 2.0) -> int:
    """Return the sign of a mean that is resolved from zero by ``errors`` Monte Carlo errors."""
    if not abs(summary.mean) > errors * summary.mcse:
        return 0
    return 1 if summary.mean > 0 else -1
