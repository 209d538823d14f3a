"""Draws → plain numbers, each with its Monte Carlo error. Knows nothing of PyMC, files or terminals.

Every error is that of a mean. A share is a mean of zeros and ones; a quantile's error is had from
that of the share of draws below it, carried over to the quantity's own scale by the draws
themselves (Woodruff 1952, Confidence intervals for medians and other position measures, J Am Stat
Assoc 47:635): no density is estimated. So whatever is true of the error of a mean, that draws
reuse posterior draws or that they are weighted, is true of all of them.

Draws may carry weights (`difprog.forecast.tilting`). Those weights were themselves estimated from
the draws, such that the weighted means of some functions ("moments") meet given values. A mean
under them therefore varies only as much as what those functions leave unexplained: the residual of
a weighted regression on them (the calibration estimator of Deville & Särndal 1992, J Am Stat Assoc
87:376), and the moments themselves have no error at all.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from difprog.forecast.tails import tail_index

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


def flat(count: int) -> Array:
    """Return weights of so many draws that count alike."""
    return np.full(count, 1.0 / count)


def reused(count: int, clusters: int | None) -> bool:
    """Whether several of so many draws come from one kept posterior draw."""
    return clusters is not None and 2 <= clusters < count


def clustered_error(
    values: Array, clusters: int | None, *, weights: Array | None = None, moments: Array | None = None
) -> float:
    """Return the standard error of the mean of draws that reuse ``clusters`` posterior draws.

    Draw i uses posterior draw i mod ``clusters``, so that where there are more draws than
    kept posterior draws the cluster means are what is independent.

    Parameters
    ----------
    values : array, shape (draws,)
        Draws of one quantity.
    clusters : int or None
        Number of posterior draws; None where every draw is on its own.
    weights : array, shape (draws,), optional
        Weights of the draws, which sum to 1: the error is that of the weighted mean.
    moments : array, shape (draws, moments), optional
        The functions that the weights were chosen to give set means.
    """
    count = len(values)
    if count < 2:
        return 0.0
    if weights is None:
        if not reused(count, clusters):
            return float(np.std(values, ddof=1)) / math.sqrt(count)
        return _error_of_sum(values - values.mean(), clusters) / count
    return _error_of_sum(weights * residuals(values, weights, moments), clusters)


def dot(weights: Array, values: Any) -> float:
    """Return Σ weight·value: the same bits however many threads the linear algebra has."""
    return float(np.einsum("i,i->", weights, np.asarray(values, dtype=float)))


def residuals(values: Array, weights: Array, moments: Array | None) -> Array:
    """Return what a weighted regression on the moments leaves of values, shape (draws,)."""
    residual = values - dot(weights, values)
    if moments is not None and moments.shape[1]:
        centred, inverse = _centred(weights, moments)
        share = weights * residual
        for column, slope in zip(centred, inverse @ [dot(share, column) for column in centred], strict=True):
            residual = residual - slope * column
    return np.asarray(residual)


#: What `_centred` found, with the arrays that it is of: a forecast asks for few, hundreds of times.
_CENTRED: OrderedDict[tuple[int, int], tuple[Array, Array, Array, Array]] = OrderedDict()


def _centred(weights: Array, moments: Array) -> tuple[Array, Array]:
    """Return moments less their weighted means, shape (moments, draws), and their Gram matrix inverted."""
    key = id(weights), id(moments)
    if key not in _CENTRED:
        centred = np.ascontiguousarray((moments - np.einsum("i,ij->j", weights, moments)).T)
        gram = np.array([[dot(weights * one, two) for two in centred] for one in centred])
        # Moments that say the same twice are no trouble to the inverse of least norm.
        _CENTRED[key] = weights, moments, centred, np.linalg.pinv(gram, rcond=1e-12, hermitian=True)
        while len(_CENTRED) > 24:
            _CENTRED.popitem(last=False)
    # The arrays are held, so that no others come to have their places while this is asked for.
    _, _, centred, inverse = _CENTRED[key]
    return centred, inverse


def _error_of_sum(terms: Array, clusters: int | None) -> float:
    """Return the standard error of a sum of terms about 0, draw by draw or cluster by cluster."""
    count = len(terms)
    if clusters is not None and reused(count, clusters):
        # Ratio estimator: clusters differ in size by one at most.
        rows = -(-count // clusters)
        padded = np.zeros(rows * clusters)
        padded[:count] = terms
        terms, count = padded.reshape(rows, clusters).sum(axis=0), clusters
    return float(np.sqrt(np.sum(terms**2) * count / (count - 1.0)))


@np.errstate(all="ignore")  # what is not finite is refused by whoever asked
def summarise(
    values: Any,
    count: int,
    prob: float,
    clusters: int | None = None,
    *,
    weights: Array | None = None,
    moments: Array | None = None,
) -> Summary:
    """Summarise draws of one quantity.

    Parameters
    ----------
    values : array of shape (draws,), or scalar
        The draws; a scalar is a quantity that does not vary, and is summarised exactly.
    count : int
        Number of draws.
    prob : float
        Probability that the equal-tailed interval holds.
    clusters, weights, moments
        See `clustered_error`. Weighted quantiles are the least values at which the weighted cdf
        meets the level; unweighted ones interpolate between draws.
    """
    array = np.atleast_1d(np.asarray(values, dtype=float))
    if weights is None:
        order, points = None, np.sort(array)
    else:
        order = np.argsort(array)
        points = array[order]
    if array.size == 1 or points[0] == points[-1]:
        return _point(float(points[0]))
    tail = (1.0 - prob) / 2.0
    levels = [tail, 0.5, 1.0 - tail]
    alone = weights is None and not reused(len(array), clusters)
    low, high = int(points.searchsorted(0.0)), int(points.searchsorted(0.0, side="right"))

    def share_error(part: Callable[[], npt.NDArray[np.bool_]], hits: int) -> float:
        """Return the error of a share of the draws, of which so many are."""
        if alone:
            share = hits / len(array)
            return math.sqrt(share * (1.0 - share) / (len(array) - 1.0))
        return clustered_error(part().astype(float), clusters, weights=weights, moments=moments)

    if weights is None:
        mean, sd = float(array.mean()), float(array.std(ddof=1))
        positive, negative = float((len(points) - high) / count), float(low / count)
        found = _linear(points, levels)
    else:
        mean = dot(weights, array)
        # At equal weights the usual divisor, draws less one.
        sd = math.sqrt(dot(weights, (array - mean) ** 2) / (1.0 - dot(weights, weights)))
        positive, negative = dot(weights, array > 0), dot(weights, array < 0)
        cdf = _cdf(weights[order])
        found = _inverted(points, cdf, levels)
    below = points.searchsorted(found, side="right").tolist()
    errors = [
        share_error(lambda q=q: array <= q, hits)  # type: ignore[misc]
        for q, hits in zip(found, below, strict=True)
    ]
    ends = _ends(levels, errors)
    around = _linear(points, ends) if weights is None else _inverted(points, cdf, ends)
    error = sd / math.sqrt(len(array)) if alone else (
        clustered_error(array, clusters, weights=weights, moments=moments)
    )
    return Summary(
        mean, sd, error, float(found[1]), float(found[0]), float(found[2]), positive, negative,
        *_halves(around),
        share_error(lambda: array > 0, len(points) - high), share_error(lambda: array < 0, low),
    )  # fmt: skip


def _point(value: float) -> Summary:
    return Summary(value, 0.0, 0.0, value, value, value, float(value > 0), float(value < 0))


def _linear(points: Array, levels: Sequence[float]) -> Array:
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


def _cdf(mass: Array) -> Array:
    """Return the cdf at sorted points of such mass."""
    cdf = np.cumsum(mass)
    cdf /= cdf[-1]
    cdf[: cdf.searchsorted(0.0, side="right")] = -1.0  # points before the first that has mass are at no level
    return cdf


def _inverted(points: Array, cdf: Array, levels: Any) -> Array:
    """Return the least of sorted points at which the cdf meets the levels, but for rounding."""
    wanted = np.asarray(levels) * (1.0 - 1e-12)
    return np.asarray(points[np.minimum(cdf.searchsorted(wanted, side="left"), len(points) - 1)])


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
    columns: Sequence[Any],
    weights: Sequence[float],
    count: int,
    prob: float,
    clusters: int | None = None,
    *,
    tilts: Sequence[Array | None] | None = None,
    moments: Sequence[Array | None] | None = None,
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
    tilts, moments : sequence of array or None, optional
        Each model's ``weights`` and ``moments`` of `clustered_error`; each model is weighted on
        its own.
    """
    share = np.asarray(weights, dtype=float) / math.fsum(weights)
    table = np.stack([np.broadcast_to(np.asarray(c, dtype=float), (count,)) for c in columns])
    if table.min() == table.max():
        return _point(float(table.min()))
    mass, terms = _mixing(share, count, tilts, moments)

    def estimate(part: Array) -> tuple[float, float]:
        """Return the mixture's mean of what is a function of the draws, and its error."""
        return float(np.sum(mass * part)), terms(part, clusters)

    means = np.sum(mass * table, axis=1) / share if tilts else table.mean(axis=1)
    mean = float(share @ means)
    if tilts:
        own = mass / share[:, None]
        variances = np.sum(own * (table - means[:, None]) ** 2, axis=1) / (1.0 - np.sum(own**2, axis=1))
    else:
        variances = np.array([row.var(ddof=1) if count > 1 else 0.0 for row in table])
    tail = (1.0 - prob) / 2.0
    levels = [tail, 0.5, 1.0 - tail]
    every = table.ravel()
    if not tilts and np.all(share == share[0]):  # every draw counts alike: a quarter of the time
        points, cdf = np.sort(every), np.arange(1, every.size + 1) / every.size
    else:
        order = np.argsort(every)
        points, cdf = every[order], _cdf(mass.ravel()[order])
    found = _inverted(points, cdf, levels)
    errors = [terms((table <= q).astype(float), clusters) for q in found]
    around = _inverted(points, cdf, _ends(levels, errors))
    positive, positive_se = estimate((table > 0).astype(float))
    negative, negative_se = estimate((table < 0).astype(float))
    if not tilts:  # counted, not summed: to the last bit
        positive, negative = (
            float(share @ np.count_nonzero(part, axis=1)) / count for part in (table > 0, table < 0)
        )
    return Summary(
        mean, float(np.sqrt(share @ (variances + (means - mean) ** 2))), terms(table, clusters),
        float(found[1]), float(found[0]), float(found[2]), positive, negative,
        *_halves(around), positive_se, negative_se,
    )  # fmt: skip


def _mixing(
    share: Array, count: int, tilts: Sequence[Array | None] | None, moments: Sequence[Array | None] | None
) -> tuple[Array, Any]:
    """Return the weight of every draw of every model, and what gives the error of a mixture's mean."""
    models = len(share)
    if tilts is None:
        mass = np.repeat(share / count, count).reshape(models, count)
        return mass, lambda part, clusters: clustered_error(share @ part, clusters)
    own = [flat(count) if tilt is None else tilt for tilt in tilts]
    functions = moments or [None] * models

    def error(part: Array, clusters: int | None) -> float:
        rows = zip(part, own, functions, strict=True)
        total = np.asarray(sum(s * row[1] * residuals(*row) for s, row in zip(share, rows, strict=True)))
        return _error_of_sum(total, clusters) if count > 1 else 0.0

    return share[:, None] * np.stack(own), error


def weighted_summary_quantiles(
    values: Any,
    weights: Any,
    levels: Sequence[float],
    clusters: int | None = None,
    *,
    tilt: Array | None = None,
    moments: Array | None = None,
) -> Quantiles:
    """Return quantiles of a quantity given an event, and their errors.

    Parameters
    ----------
    values : array, shape (draws,), or scalar
        Draws, say of the arrival of AGI.
    weights : array, shape (draws,), or scalar
        The chance of the event in each draw, say of success; unlike tilted weights they are
        what they are, and need not sum to 1.
    levels : sequence of float
        In (0, 1).
    clusters : int, optional
        As in `clustered_error`.
    tilt, moments
        ``weights`` and ``moments`` of `clustered_error`, where draws are tilted.

    Returns
    -------
    Quantiles
        NaN where the event never happens.
    """
    value, chance = np.broadcast_arrays(np.asarray(values, float), np.asarray(weights, float))
    if value.ndim == 0:
        known = float(value) if chance > 0 else math.nan
        return Quantiles((known,) * len(levels), (0.0,) * len(levels))
    base = flat(len(value)) if tilt is None else tilt
    total = dot(base, chance)
    if not total > 0:
        return Quantiles((math.nan,) * len(levels), (math.nan,) * len(levels))
    order = np.argsort(value)
    points, cdf = value[order], _cdf((base * chance)[order])
    found = _inverted(points, cdf, levels)
    errors = []
    for q in found:
        below = (value <= q).astype(float)
        influence = chance * (below - dot(base * chance, below) / total) / total
        errors.append(clustered_error(influence, clusters, weights=base, moments=moments))
    around = _inverted(points, cdf, _ends(levels, errors)).reshape(-1, 2)
    return Quantiles(tuple(found.tolist()), tuple((np.diff(around, axis=1)[:, 0] / 2.0).tolist()))


@dataclass(frozen=True, eq=False)
class Weighing:
    """How the draws of one reading count.

    Attributes
    ----------
    count : int
        Number of draws.
    clusters : int or None
        Number of posterior draws that they are spread over.
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

    def mean(self, values: Any) -> float:
        """Return the mean of draws; a scalar is its own."""
        array = np.asarray(values, dtype=float)
        if array.ndim == 0:
            return float(array)
        return float(array.mean()) if self.weights is None else dot(self.weights, array)

    def error(self, values: Any) -> float:
        """Return the Monte Carlo standard error of that mean; a scalar has none."""
        array = np.asarray(values, dtype=float)
        if array.ndim == 0:
            return 0.0
        return clustered_error(array, self.clusters, weights=self.weights, moments=self.moments)

    def plain(self, values: Any) -> Array:
        """Return draws whose plain mean and its error are the weighted ones of these, shape (draws,).

        Sums over readings that are weighed differently have the errors of the sums of these.
        """
        array = np.broadcast_to(np.asarray(values, dtype=float), (self.count,))
        if self.weights is None:
            return array
        rest = residuals(array, self.weights, self.moments)
        return np.asarray(dot(self.weights, array) + self.count * self.weights * rest)

    def quantiles(self, values: Any, levels: Any) -> Array:
        """Return quantiles of draws, in the order of the levels."""
        array = np.atleast_1d(np.asarray(values, dtype=float))
        if self.weights is None or len(array) == 1:
            return np.asarray(np.quantile(array, levels))
        order = np.argsort(array)
        return _inverted(array[order], self.weights[order], levels)

    def cdf(self, values: Any, at: Array) -> Array:
        """Return the share of the draws at or below each of some values."""
        array = np.asarray(values, dtype=float)
        order = np.argsort(array)
        place = np.searchsorted(array[order], at, side="right")
        if self.weights is None:
            return place / self.count
        return np.concatenate([[0.0], np.cumsum(self.weights[order])])[place]

    def quantiles_given(self, values: Any, chance: Any, levels: Sequence[float]) -> Quantiles:
        """Return quantiles given an event of a chance that draws differ in, with their errors."""
        return weighted_summary_quantiles(
            values, chance, levels, self.clusters, tilt=self.weights, moments=self.moments
        )

    def summary(self, values: Any, prob: float) -> Summary:
        """Summarise draws of one quantity."""
        return summarise(
            values, self.count, prob, self.clusters, weights=self.weights, moments=self.moments
        )

    def tail(self, values: Any) -> float | None:
        """Return Pareto k̂ of what the mean adds up."""
        return tail_index(values, self.weights)


def fewest(clusters: Iterable[int | None]) -> int | None:
    """Return the least number of clusters of several, None where none of them has any."""
    return min((count for count in clusters if count is not None), default=None)


def mixture_of(
    columns: Iterable[Any], ways: Sequence[Weighing], credences: Sequence[float], prob: float
) -> Summary:
    """Summarise the mixture by credence of columns, each with the way in which its draws count."""
    stated = any(way.weights is not None for way in ways)
    return summarise_mixture(
        list(columns), credences, ways[0].count, prob, fewest(way.clusters for way in ways),
        tilts=[way.weights for way in ways] if stated else None,
        moments=[way.moments for way in ways] if stated else None,
    )  # fmt: skip


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


def sign(summary: Summary, errors: float = 2.0) -> int:
    """Return the sign of a mean that is resolved from zero by ``errors`` Monte Carlo errors."""
    if not abs(summary.mean) > errors * summary.mcse:
        return 0
    return 1 if summary.mean > 0 else -1
