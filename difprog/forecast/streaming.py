"""Summaries of draws that are never all in memory: exact quantiles from chunks.

The first chunk brackets each quantile so widely (`SIGMAS` standard errors of its rank) that the
final one lies inside; of later chunks only what falls into a bracket is kept, and what lies
below it is counted. Should a bracket miss all the same, that is noticed, and the caller draws
again with wider ones. Means and errors are running sums. Memory grows by a few percent of the
draws, and the results are those of `difprog.forecast.summary` up to the rounding of sums.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from difprog.forecast.summary import Summary

Array = npt.NDArray[np.float64]

#: Half-width of a bracket, in standard errors of a quantile's rank in the first chunk.
SIGMAS = 7.0


class MissedBracketError(Exception):
    """A quantile lies outside what was kept; draw again with wider brackets."""


def bracket_ends(
    table: Array, share: Array, levels: Sequence[float], sigmas: float
) -> list[tuple[float, float]]:
    """Return, per level, two values between which the quantile of many more draws will lie.

    Parameters
    ----------
    table : array, shape (columns, draws)
        The first chunk.
    share : array, shape (columns,)
        Weights of the columns; they sum to 1.
    levels : sequence of float
        In (0, 1).
    sigmas : float
        See `SIGMAS`.

    Returns
    -------
    list of tuple of float
        Ends at which the chunk says nothing are infinite.
    """
    columns, size = table.shape
    reach = [sigmas * math.sqrt(p * (1 - p) / size) + 2.0 / size for p in levels]
    wanted = [(p - width, p + width) for p, width in zip(levels, reach, strict=True)]
    inner = [p for pair in wanted for p in pair if 0 < p < 1]
    if columns == 1:  # parts of an order are had at a tenth of the time of all of it
        ranks = {p: min(int(p * size), size - 1) for p in inner}
        parted = np.partition(table[0], sorted(set(ranks.values()))) if ranks else table[0]
        value = {p: float(parted[rank]) for p, rank in ranks.items()}
    else:
        order = np.argsort(table, axis=None)
        mass = np.cumsum(np.repeat(share / size, size)[order])
        places = np.minimum(np.searchsorted(mass, inner), table.size - 1)
        value = dict(zip(inner, table.ravel()[order[places]].tolist(), strict=True))
    return [(value.get(low, -math.inf), value.get(high, math.inf)) for low, high in wanted]


class Bracket:
    """Values of several weighted columns around one quantile of their mixture, between two ends."""

    def __init__(self, lower: float, upper: float, columns: int, level: float) -> None:
        self.lower, self.upper = lower, upper
        self.level = level
        self.below = np.zeros(columns, dtype=np.int64)
        self.at_lower = np.zeros(columns, dtype=np.int64)
        self.at_upper = np.zeros(columns, dtype=np.int64)
        self.inside: list[list[Array]] = [[] for _ in range(columns)]

    def add(self, table: Array) -> None:
        """Count and keep one more chunk, shape (columns, draws)."""
        for row, values in enumerate(table):
            self.below[row] += np.count_nonzero(values < self.lower)
            self.at_lower[row] += np.count_nonzero(values == self.lower)
            if self.upper > self.lower:
                self.at_upper[row] += np.count_nonzero(values == self.upper)
                self.inside[row].append(values[(values > self.lower) & (values < self.upper)])

    def order_statistic(self, rank: int) -> float:
        """Return the value of a rank, counted from 0, of a single column."""
        values = np.sort(np.concatenate(self.inside[0])) if self.inside[0] else np.empty(0)
        steps = [
            (int(self.at_lower[0]), self.lower),
            (len(values), None),
            (int(self.at_upper[0]), self.upper),
        ]
        left = rank - int(self.below[0])
        if left < 0:
            raise MissedBracketError
        for many, value in steps:
            if left < many:
                return float(values[left]) if value is None else value
            left -= many
        raise MissedBracketError

    def mixture_quantile(self, share: Array, count: int) -> float:
        """Return the least value at which the weighted cdf of the columns meets the level."""
        values = [np.concatenate(kept) if kept else np.empty(0) for kept in self.inside]
        flat = np.concatenate([[self.lower], *values, [self.upper]])
        weight = np.concatenate(
            [
                [share @ self.at_lower],
                *(np.full(len(v), s) for v, s in zip(values, share, strict=True)),
                [share @ self.at_upper],
            ]
        )
        order = np.argsort(flat, kind="stable")
        mass = (share @ self.below + np.cumsum(weight[order])) / count
        wanted = self.level * (1 - 1e-12)
        if share @ self.below / count >= wanted and math.isfinite(self.lower):
            raise MissedBracketError
        at = int(np.searchsorted(mass, wanted))
        if at >= len(flat) or not math.isfinite(flat[order[at]]):
            raise MissedBracketError
        return float(flat[order[at]])


class Collector:
    """Summarises the mixture of one or more columns that arrive chunk by chunk.

    Parameters
    ----------
    weights : sequence of float
        One per column; scaled to sum to 1.
    prob : float
        Probability of the equal-tailed interval.
    clusters : int or None
        See `difprog.forecast.summary.clustered_error`.
    sigmas : float
        See `SIGMAS`.
    """

    def __init__(
        self, weights: Sequence[float], prob: float, clusters: int | None, sigmas: float = SIGMAS
    ) -> None:
        self.share = np.asarray(weights, dtype=float) / math.fsum(weights)
        tail = (1.0 - prob) / 2.0
        self.levels = (tail, 0.5, 1.0 - tail)
        self.clusters = clusters
        self.sigmas = sigmas
        self.count = 0
        self.brackets: list[Bracket] = []
        columns = len(self.share)
        self.means = np.zeros(columns)
        self.squares = np.zeros(columns)
        self.mixed_mean = self.mixed_squares = 0.0
        self.positive = np.zeros(columns, dtype=np.int64)
        self.negative = np.zeros(columns, dtype=np.int64)
        self.totals = np.zeros(clusters or 0)
        self.constant: float | None = None

    def add(self, columns: Sequence[Array | float], size: int) -> None:
        """Take in one more chunk: per column its draws, shape (size,), or what is constant."""
        table = np.stack([np.broadcast_to(np.asarray(c, dtype=float), (size,)) for c in columns])
        value = float(table[0, 0])
        same = bool((table == value).all())
        if not self.count:
            self.constant = value if same else None
            ends = bracket_ends(table, self.share, self.levels, self.sigmas)
            self.brackets = [
                Bracket(lower, upper, len(table), level)
                for (lower, upper), level in zip(ends, self.levels, strict=True)
            ]
        elif not (same and self.constant == value):
            self.constant = None
        for bracket in self.brackets:
            bracket.add(table)
        before, self.count = self.count, self.count + size
        mean = table.mean(axis=1)
        delta = mean - self.means
        # Chan, Golub & LeVeque 1983: pairwise update of sums of squares.
        self.squares += table.var(axis=1) * size + delta**2 * before * size / self.count
        self.means += delta * size / self.count
        mixed = self.share @ table
        step = float(mixed.mean()) - self.mixed_mean
        self.mixed_squares += float(mixed.var()) * size + step**2 * before * size / self.count
        self.mixed_mean += step * size / self.count
        self.positive += np.count_nonzero(table > 0, axis=1)
        self.negative += np.count_nonzero(table < 0, axis=1)
        if self.clusters:
            member = np.arange(before, self.count) % self.clusters
            self.totals += np.bincount(member, weights=mixed, minlength=self.clusters)

    def summary(self) -> Summary:
        """Return the summary of all chunks.

        Raises
        ------
        MissedBracketError
            Where a quantile lies outside what was kept.
        """
        n, share = self.count, self.share
        if self.constant is not None:
            v = self.constant
            return Summary(v, 0.0, 0.0, v, v, v, float(v > 0), float(v < 0))
        lower, median, upper = (self._quantile(b) for b in self.brackets)
        mean = float(share @ self.means)
        spread = share @ (self.squares / (n - 1) + (self.means - mean) ** 2)
        return Summary(
            mean=mean,
            sd=math.sqrt(float(spread)),
            mcse=self._error(),
            median=median,
            lower=lower,
            upper=upper,
            p_positive=float(share @ self.positive) / n,
            p_negative=float(share @ self.negative) / n,
        )

    def _quantile(self, bracket: Bracket) -> float:
        if len(self.share) > 1:
            return bracket.mixture_quantile(self.share, self.count)
        place = (self.count - 1) * bracket.level
        low = bracket.order_statistic(math.floor(place))
        high = bracket.order_statistic(math.ceil(place))
        return low + (high - low) * (place - math.floor(place))

    def _error(self) -> float:
        n, k = self.count, self.clusters
        if not k or k >= n or k < 2:
            return math.sqrt(self.mixed_squares / (n - 1) / n)
        sizes = np.full(k, n // k) + (np.arange(k) < n % k)
        residual = self.totals - sizes * self.mixed_mean
        return float(np.sqrt(np.sum(residual**2) * k / (k - 1.0)) / n)
