"""How draws count: means, quantiles and shares of weighted or plain draws, and the errors of means.

Every error is that of a mean: of draws that may reuse posterior draws, and that may carry weights
(`difprog.forecast.tilting`). Those weights were themselves estimated from the draws, such that the
weighted means of some functions ("moments") meet given values. A mean under them therefore varies
only as much as what those functions leave unexplained: the residual of a weighted regression on
them (the calibration estimator of Deville & Särndal 1992, J Am Stat Assoc 87:376), and the moments
themselves have no error at all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def flat(count: int) -> Array:
    """Return weights of so many draws that count alike."""
    return np.full(count, 1.0 / count)


def dot(weights: Array, values: Any) -> float:
    """Return Σ weight·value: the same bits however many threads the linear algebra has."""
    return float(np.einsum("i,i->", weights, values))


@dataclass(frozen=True, eq=False)
class Weighing:
    """How the draws of one reading count.

    Attributes
    ----------
    count : int
        Number of draws.
    clusters : int or None
        Number of posterior draws that they are spread over: draw i uses posterior draw i mod ``clusters``,
        so that where there are more draws than these the cluster means are what is independent. None
        where every draw is on its own.
    weights : array, shape (draws,), or None
        Their weights, which sum to 1; None where all count alike.
    moments : array, shape (draws, moments), or None
        The functions that the weights were chosen to give set means.
    """

    count: int
    clusters: int | None = None
    weights: Array | None = None
    moments: Array | None = None

    @property
    def each(self) -> Array:
        """What every draw counts for, shape (draws,); they sum to 1."""
        return flat(self.count) if self.weights is None else self.weights

    @property
    def reused(self) -> bool:
        """Whether several draws come from one kept posterior draw."""
        return self.clusters is not None and 2 <= self.clusters < self.count

    @property
    def alone(self) -> bool:
        """Whether every draw counts alike and is on its own."""
        return self.weights is None and not self.reused

    def mean(self, values: Any) -> float:
        """Return the mean of draws; a scalar is its own."""
        array = np.asarray(values, dtype=float)
        if array.ndim == 0:
            return float(array)
        return float(array.mean()) if self.weights is None else dot(self.weights, array)

    def error(self, values: Any) -> float:
        """Return the Monte Carlo standard error of that mean; a scalar has none."""
        array = np.asarray(values, dtype=float)
        if array.ndim == 0 or self.count < 2:
            return 0.0
        if self.alone:
            return float(np.std(array, ddof=1)) / math.sqrt(self.count)
        if self.weights is None:
            return self.error_of_sum(array - array.mean()) / self.count
        return self.error_of_sum(self.weights * self.residuals(array))

    def residuals(self, values: Array) -> Array:
        """Return what a weighted regression on the moments leaves of values, shape (draws,)."""
        left = values - dot(self.each, values)
        if self.moments is not None and self.moments.shape[1]:
            centred, weighted, inverse = self._regression
            for column, slope in zip(centred, inverse @ [dot(one, left) for one in weighted], strict=True):
                left -= slope * column
        return np.asarray(left)

    @cached_property
    def _regression(self) -> tuple[Array, Array, Array]:
        """Moments less their means, (moments, draws), the same weighted, and their Gram matrix inverted."""
        weights, moments = self.each, self.moments
        assert moments is not None
        centred = np.ascontiguousarray((moments - np.einsum("i,ij->j", weights, moments)).T)
        weighted = weights * centred
        gram = np.array([[dot(one, two) for two in centred] for one in weighted])
        # Moments that say the same twice are no trouble to the inverse of least norm.
        return centred, weighted, np.linalg.pinv(gram, rcond=1e-12, hermitian=True)

    def error_of_sum(self, terms: Array) -> float:
        """Return the error of a sum of terms about 0, shape (draws,), draw by draw or cluster by cluster."""
        count = self.count
        if self.clusters is not None and self.reused:
            # Ratio estimator: clusters differ in size by one at most.
            rows = -(-count // self.clusters)
            padded = np.zeros(rows * self.clusters)
            padded[:count] = terms
            terms, count = padded.reshape(rows, self.clusters).sum(axis=0), self.clusters
        return float(np.sqrt(np.sum(terms**2) * count / (count - 1.0)))

    def plain(self, values: Any) -> Array:
        """Return draws whose plain mean and its error are the weighted ones of these, shape (draws,).

        Sums over readings that are weighed differently have the errors of the sums of these.
        """
        array = np.broadcast_to(np.asarray(values, dtype=float), (self.count,))
        if self.weights is None:
            return array
        return np.asarray(dot(self.weights, array) + self.count * self.weights * self.residuals(array))

    def quantiles(self, values: Any, levels: Any) -> Array:
        """Return quantiles of draws, in the order of the levels."""
        array = np.atleast_1d(np.asarray(values, dtype=float))
        if self.weights is None or len(array) == 1:
            return np.asarray(np.quantile(array, levels))
        order = np.argsort(array)
        return inverted(array[order], cumulated(self.weights[order]), levels)

    def cdf(self, values: Any, at: Array) -> Array:
        """Return the share of the draws at or below each of some values."""
        array = np.asarray(values, dtype=float)
        order = np.argsort(array)
        place = np.searchsorted(array[order], at, side="right")
        if self.weights is None:
            return place / self.count
        return np.concatenate([[0.0], np.cumsum(self.weights[order])])[place]


def clustered_error(
    values: Array, clusters: int | None, *, weights: Array | None = None, moments: Array | None = None
) -> float:
    """Return the standard error of the mean of draws, shape (draws,), that count as `Weighing` says."""
    return Weighing(len(values), clusters, weights, moments).error(values)


def linear(points: Array, levels: Sequence[float]) -> Array:
    """Return quantiles of sorted points, interpolated between neighbours, as NumPy's are."""
    last, found = len(points) - 1, []
    for level in levels:  # plain numbers: a handful of them costs less so than as arrays
        at = level * last
        low = int(at)
        share = at - low
        left, right = points.item(low), points.item(min(low + 1, last))
        gap = right - left
        found.append(left + gap * share if share < 0.5 else right - gap * (1.0 - share))
    return np.array(found)


def cumulated(mass: Array) -> Array:
    """Return the cdf at sorted points of such mass."""
    cdf = np.cumsum(mass)
    cdf /= cdf[-1]
    cdf[: cdf.searchsorted(0.0, side="right")] = -1.0  # points before the first that has mass are at no level
    return cdf


def inverted(points: Array, cdf: Array, levels: Any) -> Array:
    """Return the least of sorted points at which the cdf meets the levels, but for rounding."""
    wanted = np.asarray(levels) * (1.0 - 1e-12)
    return np.asarray(points[np.minimum(cdf.searchsorted(wanted, side="left"), len(points) - 1)])


def fewest(clusters: Iterable[int | None]) -> int | None:
    """Return the least number of clusters of several, None where none of them has any."""
    return min((count for count in clusters if count is not None), default=None)


def mixture_shares(each: Sequence[Array], credences: Array) -> tuple[Array, Array]:
    """Return what readings that count draws differently come to as one.

    A draw counts there for as much as all readings give it, and a quantity is worth the readings'
    values, each by its share of that: so means given a belief are those of the mixture too.

    Parameters
    ----------
    each : sequence of array, each of shape (draws,)
        What every draw counts for under each reading.
    credences : array, shape (readings,)
        They sum to 1.

    Returns
    -------
    tuple of array
        Each reading's share of every draw, shape (readings, draws), and what the draw counts for,
        shape (draws,).
    """
    table = np.stack(each)
    total = np.einsum("m,md->d", credences, table)
    return credences[:, None] * table / np.where(total > 0, total, 1.0), total
