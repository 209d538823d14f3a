"""What it would be worth to know beliefs, or the world, before choosing.

- **EVPPI.** E[max_d E[NB_d | θ]] − max_d E[NB_d], the expected value of perfect partial
  information, for the choice between doing nothing (net benefit 0) and the options. E[NB | θ] is
  had by nonparametric regression of the draws of NB on those of θ (Strong, Oakley & Brennan 2014,
  Estimating multiparameter partial expected value of perfect information from a probabilistic
  sensitivity analysis sample, Med Decis Making 34:311), valid whether or not beliefs are
  correlated. The smoother is a penalised cubic spline on the normal scores of θ (Eilers & Marx
  1996), its penalty chosen by generalised cross-validation; a belief with few values is averaged
  value by value. Every draw is judged by a regression on the other folds.
- **EVPI.** The same for all that is uncertain.

Both have standard errors, those of weighted draws where weights are given. Knows nothing of files,
models or PyMC: arrays in, plain numbers out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from difprog.forecast.weighing import clustered_error, dot
from difprog.why.cells import Cells, cells
from difprog.why.regression import features, ridge, smooth, steadiness

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

FOLDS = 5


class Gain(NamedTuple):
    """Expected gain from knowing something before choosing."""

    value: float
    """In the unit of the net benefits; ≥ 0."""
    se: float


def folded(count: int, clusters: int | None) -> Index:
    """Return what each draw must not be parted from: its posterior draw, or itself."""
    at = np.arange(count)
    return at if clusters is None or clusters >= count else at % clusters


class Counted:
    """What is the same for every belief: folds, weights, and how errors are taken."""

    def __init__(
        self, count: int, clusters: int | None, weights: Array | None, moments: Array | None
    ) -> None:
        self.count, self.clusters, self.weights, self.moments = count, clusters, weights, moments
        self.folds = min(FOLDS, count, clusters or count)
        self.fold: Index = folded(count, clusters) % self.folds
        #: In units in which they sum to the number of draws that the weighted ones are worth.
        self.scaled = None if weights is None else weights / dot(weights, weights)

    def mean(self, values: Array) -> float:
        """Return the mean of draws."""
        return float(values.mean()) if self.weights is None else dot(self.weights, values)

    def error(self, values: Array) -> float:
        """Return its standard error."""
        if self.weights is None and (self.clusters is None or self.clusters >= self.count > 1):
            spread = dot(values, values) - float(values.sum()) ** 2 / self.count
            return float((max(spread, 0.0) / (self.count - 1.0) / self.count) ** 0.5)
        return clustered_error(values, self.clusters, weights=self.weights, moments=self.moments)

    def totals(self, place: Index, shape: tuple[int, ...], values: Array | None = None) -> Array:
        """Return the weighted sums of values by place."""
        if self.scaled is not None:
            values = self.scaled if values is None else self.scaled * values
        size = int(np.prod(shape))
        found = np.bincount(place, weights=values, minlength=size)
        return np.asarray(found.reshape(shape), dtype=float)


class Choice:
    """A choice between doing nothing and options, judged on draws."""

    def __init__(self, options: Sequence[Any], base: Counted) -> None:
        self.base = base
        rows = [np.broadcast_to(np.asarray(y, dtype=float), (base.count,)) for y in options]
        self.benefits = np.stack([np.zeros(base.count), *rows])
        means = np.array([base.mean(row) for row in self.benefits])
        self.blind = int(np.argmax(means))
        self.centre = means[1:]
        spread = np.array(
            [base.mean((row - m) ** 2) ** 0.5 for row, m in zip(self.benefits[1:], means[1:], strict=True)]
        )
        #: Options in units of their spread: one smoothness and one set of weights serves all.
        self.spread = np.where(spread > 0, spread, 1.0)
        self.y = (self.benefits[1:] - means[1:, None]) / self.spread[:, None]
        self.squares = np.sum(self.y**2, axis=0)
        self.idle = not len(rows) or not (spread > 0).any()

    def curves(self, cells: Cells) -> Array:
        """Return E[NB | θ] by the other folds, shape (options, folds, cells)."""
        number, folds, totals = len(cells.basis), self.base.folds, self.base.totals
        if self.idle:
            return np.repeat(self.centre, folds * number).reshape(-1, folds, number)
        place, shape = self.base.fold * number + cells.cell, (folds, number)
        sizes = totals(place, shape)
        sums = np.stack([totals(place, shape, row) for row in self.y])
        squares = totals(place, shape, self.squares)
        weight = steadiness(sizes.sum(axis=0), sums.sum(axis=1), squares.sum(axis=0), cells.coarse)
        width = cells.basis.shape[1]
        grams = ((weight * sizes) @ cells.outer).reshape(folds, width, width)
        crosses = np.moveaxis((weight * sums) @ cells.basis, 0, -1)  # (folds, functions, options)
        losses, left = squares @ weight, sizes.sum(axis=1)
        found = smooth(
            grams.sum(axis=0) - grams, crosses.sum(axis=0) - crosses, losses.sum() - losses,
            left.sum() - left, cells.penalty,
        )  # fmt: skip
        curves = np.moveaxis(cells.basis @ found, -1, 0)
        return np.asarray(curves * self.spread[:, None, None] + self.centre[:, None, None])

    def gain(self, curves: Array, cell: Index) -> tuple[float, float]:
        """Return the gain from choosing by curves, cell by cell, and its error."""
        _, folds, number = curves.shape
        nothing = np.zeros((1, folds, number))
        chosen = np.argmax(np.concatenate([nothing, curves]), axis=0)
        if (chosen == self.blind).all():
            return 0.0, 0.0
        return self._gain(chosen.ravel()[self.base.fold * number + cell])

    def judged(self, fitted: Array) -> tuple[float, float]:
        """Return the gain from choosing by fitted means, shape (options, draws), and its error."""
        return self._gain(np.argmax(np.vstack([np.zeros(self.base.count), fitted]), axis=0))

    def _gain(self, chosen: Index) -> tuple[float, float]:
        gain = self.benefits[chosen, np.arange(self.base.count)] - self.benefits[self.blind]
        return max(self.base.mean(gain), 0.0), self.base.error(gain)

    def several(self, known: Sequence[Cells]) -> Array:
        """Return E[NB | θ₁, θ₂, …] at every draw by the other folds, shape (options, draws)."""
        base = self.base
        steady = np.ones(base.count)
        if self.idle:
            return np.repeat(self.centre[:, None], base.count, axis=1)
        for each in known:
            shape = (len(each.basis),)
            sums = np.stack([base.totals(each.cell, shape, row) for row in self.y])
            squares = base.totals(each.cell, shape, self.squares)
            steady *= steadiness(base.totals(each.cell, shape), sums, squares, each.coarse)[each.cell]
        # Were the spread's logarithm a sum over beliefs, this would be one over it.
        steady = np.clip(steady / np.median(steady), 1e-4, 1e4)
        weight = steady if base.scaled is None else steady * base.scaled
        table = features(known)
        gram = np.empty((base.folds, table.shape[1], table.shape[1]))
        cross = np.empty((base.folds, table.shape[1], len(self.y)))
        loss, size = np.empty(base.folds), np.empty(base.folds)
        rows = [np.flatnonzero(base.fold == f) for f in range(base.folds)]
        for f, row in enumerate(rows):
            part = table[row] * weight[row, None]
            gram[f], cross[f] = part.T @ table[row], part.T @ self.y[:, row].T
            loss[f] = weight[row] @ self.squares[row]
            size[f] = len(row) if base.scaled is None else base.scaled[row].sum()
        fitted = np.empty_like(self.y)
        for f, row in enumerate(rows):
            keep = np.arange(base.folds) != f
            found = ridge(gram[keep].sum(0), cross[keep].sum(0), float(loss[keep].sum()), size[keep].sum())
            fitted[:, row] = (table[row] @ found).T
        return np.asarray(fitted * self.spread[:, None] + self.centre[:, None])


def perfect_information(
    options: Sequence[Any],
    count: int,
    clusters: int | None = None,
    *,
    weights: Array | None = None,
    moments: Array | None = None,
) -> Gain:
    """Return the EVPI, E[max_d NB_d] − max_d E[NB_d]: the gain from knowing the world first.

    Parameters
    ----------
    options : sequence of arrays, each of shape (draws,) or scalar
        Net benefits beside doing nothing.
    count : int
        Number of draws.
    clusters, weights, moments
        As in `difprog.forecast.weighing.clustered_error`.
    """
    base = Counted(count, clusters, weights, moments)
    choice = Choice(options, base)
    gain = choice.benefits.max(axis=0) - choice.benefits[choice.blind]
    return Gain(max(base.mean(gain), 0.0), base.error(gain))


def partial_information(
    beliefs: Mapping[str, Any],
    options: Sequence[Any],
    clusters: int | None = None,
    *,
    weights: Array | None = None,
    moments: Array | None = None,
) -> Gain:
    """Return the joint EVPPI of a set of beliefs: the gain from knowing all of them first.

    One belief is as in `drivers`. Several are regressed on together: each one's spline, the
    products of two up to the fourth degree and of three at the first, shrunk together (ridge, by
    generalised cross-validation). As draws are judged by what others say, the expected value is at
    most the truth, and falls short of it by what such functions cannot follow.

    Parameters
    ----------
    beliefs : mapping of str to array of shape (draws,) or scalar
        The set.
    options, clusters, weights, moments
        As in `drivers`.
    """
    tables = [np.asarray(v, dtype=float) for v in beliefs.values()]
    varying = [v for v in tables if v.ndim and v.min() < v.max()]
    if not varying:
        return Gain(0.0, 0.0)
    base = Counted(len(varying[0]), clusters, weights, moments)
    choice = Choice(options, base)
    known = [cells(v) for v in varying]
    if len(known) == 1:
        return Gain(*choice.gain(choice.curves(known[0]), known[0].cell))
    return Gain(*choice.judged(choice.several(known)))
