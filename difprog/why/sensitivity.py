"""Which beliefs drive the answer, and what it would be worth to know them.

For one belief θ at a time:

- **Distance.** How far learning θ moves the distribution of the net effect: the Kolmogorov–Smirnov
  distance between the net effect given θ's tenth and the net effect overall, averaged over tenths
  (Pianosi & Wagener 2015, A simple and efficient method for global sensitivity analysis based on
  cumulative distribution functions, Environ Model Softw 67:1). It depends on no moment: half of a
  heavy-tailed effect may lie in 2% of the worlds, where shares of variance are noise.
  The largest of many noisy gaps is biased upward, so where the gap is widest is read off some
  draws, and how wide it is there off the others: a belief that does not matter gets about 0, and
  one that does a little less than the truth (2% where 20,000 draws find a distance of 0.15).
- **Lowest and highest tenth.** The mean net effect where θ is in them.
- **EVPPI.** E[max_d E[NB_d | θ]] − max_d E[NB_d], the expected value of perfect partial
  information, for the choice between doing nothing (net benefit 0) and the options. E[NB | θ] is
  had by nonparametric regression of the draws of NB on those of θ (Strong, Oakley & Brennan 2014,
  Estimating multiparameter partial expected value of perfect information from a probabilistic
  sensitivity analysis sample, Med Decis Making 34:311), valid whether or not beliefs are
  correlated. The smoother is a penalised cubic spline on the normal scores of θ (Eilers & Marx
  1996), its penalty chosen by generalised cross-validation; a belief with few values is averaged
  value by value. Every draw is judged by a regression on the other folds.

All have standard errors, and all are those of weighted draws where weights are given. Knows
nothing of files, models or PyMC: arrays in, plain numbers out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from difprog.forecast.summary import clustered_error, dot

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

FOLDS = 5

#: Inner knots of the spline, in normal scores: they reach into the tails, where heavy-tailed
#: beliefs do most of their work.
KNOTS = (-2.5, -1.9, -1.4, -1.0, -0.6, -0.3, 0.0, 0.3, 0.6, 1.0, 1.4, 1.9, 2.5)

#: A belief with at most this many different values is averaged value by value.
FEW = 12

#: Penalties that are tried, in units in which 1 halves the roughest part of the curve.
PENALTIES = 10.0 ** np.arange(-3.0, 9.5, 0.5)

#: Width, in normal scores, of the cells within which draws of a belief count as equal; no cell
#: straddles a tenth.
CELL = 0.05

#: Number of groups of cells, of equal size, within which the spread of an outcome is taken.
GROUPS = 40

#: Parts of a belief whose net effects are told apart, and points at which their cdfs are compared.
PARTS, POINTS = 10, 50

#: Ridge penalties for several beliefs at once, in units of the number of draws.
RIDGES = 10.0 ** np.arange(-7.0, 1.5, 0.5)


class Driver(NamedTuple):
    """What one belief does to the answer."""

    belief: str
    distance: float = 0.0
    """Mean Kolmogorov–Smirnov distance of the net effect given the belief's tenth, in [0, 1]."""
    distance_se: float = 0.0
    low: float = 0.0
    """Mean net effect where the belief is in its lowest tenth."""
    low_se: float = 0.0
    high: float = 0.0
    """Mean net effect where it is in its highest tenth."""
    high_se: float = 0.0
    evppi: float = 0.0
    """Gain in the chance of success from knowing the belief before choosing; ≥ 0."""
    evppi_se: float = 0.0


class Gain(NamedTuple):
    """Expected gain from knowing something before choosing."""

    value: float
    """In the unit of the net benefits; ≥ 0."""
    se: float


class Cells(NamedTuple):
    """A belief's draws in cells of nearly equal values, lowest first."""

    cell: Index
    """Each draw's cell, shape (draws,)."""
    basis: Array
    """Functions to regress on, at the cells, shape (cells, functions)."""
    outer: Array
    """Their products with each other, shape (cells, functions²)."""
    penalty: Array
    """Their roughness, shape (functions, functions)."""
    coarse: Index
    """Each cell's group, shape (cells,)."""


class Sorted:
    """Cells of beliefs, kept: readings that share draws (the same arrays) sort them once."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[Array, Cells]] = {}

    def cells(self, belief: Array) -> Cells:
        """Return the cells of a belief's draws, shape (draws,)."""
        kept = self._kept.get(id(belief))
        if kept is None or kept[0] is not belief:
            # The array is kept too, so that nothing else can come to have its id.
            kept = self._kept[id(belief)] = belief, cells(belief)
        return kept[1]


class _Draws:
    """What is the same for every belief: folds, weights, and how errors are taken."""

    def __init__(
        self, count: int, clusters: int | None, weights: Array | None, moments: Array | None
    ) -> None:
        self.count, self.clusters, self.weights, self.moments = count, clusters, weights, moments
        if clusters is None or clusters >= count:
            member, self.folds = np.arange(count), min(FOLDS, count)
        else:
            # Draws that reuse a posterior draw are kept in one fold.
            member, self.folds = np.arange(count) % clusters, min(FOLDS, clusters)
        self.fold: Index = (member % self.folds).astype(np.intp)
        #: In units in which they sum to the number of draws that the weighted ones are worth.
        self.scaled = None if weights is None else weights / dot(weights, weights)

    def mean(self, values: Array) -> float:
        return float(values.mean()) if self.weights is None else dot(self.weights, values)

    def error(self, values: Array) -> float:
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


def drivers(
    beliefs: Mapping[str, Any],
    net: Any,
    options: Sequence[Any],
    clusters: int | None = None,
    *,
    weights: Array | None = None,
    moments: Array | None = None,
    kept: Sorted | None = None,
) -> list[Driver]:
    """Return what every belief that varies does to the answer, the largest distance first.

    Parameters
    ----------
    beliefs : mapping of str to array of shape (draws,) or scalar
        Joint draws; scalars are passed by.
    net : array, shape (draws,) or scalar
        The net effect.
    options : sequence of arrays, each of shape (draws,) or scalar
        Net benefit of each option beside doing nothing, on the same draws.
    clusters, weights, moments
        As in `difprog.forecast.summary.clustered_error`.
    kept : Sorted, optional
        Given to several calls it saves them sorting the same beliefs again.
    """
    kept = Sorted() if kept is None else kept
    varying: dict[str, Array] = {}
    for name, values in beliefs.items():
        draws = np.asarray(values, dtype=float)
        if draws.ndim and draws.min() < draws.max():
            varying[name] = draws
    if not varying:
        return []
    count = len(next(iter(varying.values())))
    base = _Draws(count, clusters, weights, moments)
    effect = np.broadcast_to(np.asarray(net, dtype=float), (count,))
    points = np.unique(np.quantile(effect, np.arange(1, POINTS) / POINTS, method="inverted_cdf"))
    level: Index = np.searchsorted(points, effect, side="left")
    choice = _Choice(options, base)
    found = []
    for name, draws in varying.items():
        cells = kept.cells(draws)
        mass = base.totals(cells.cell, (len(cells.basis),))
        mass /= mass.sum()
        distance = _distance(cells, mass, level, len(points) + 1, base)
        value = choice.gain(choice.curves(cells), cells.cell)
        found.append(Driver(name, *distance, *_ends(cells, mass, effect, base), *value))
    return sorted(found, key=lambda d: (-d.distance, -d.evppi, d.belief))


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
        As in `difprog.forecast.summary.clustered_error`.
    """
    base = _Draws(count, clusters, weights, moments)
    choice = _Choice(options, base)
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
    base = _Draws(len(varying[0]), clusters, weights, moments)
    choice = _Choice(options, base)
    known = [cells(v) for v in varying]
    if len(known) == 1:
        return Gain(*choice.gain(choice.curves(known[0]), known[0].cell))
    return Gain(*choice.judged(choice.several(known)))


def _ends(cells: Cells, mass: Array, effect: Array, base: _Draws) -> tuple[float, float, float, float]:
    """Return the mean effect in the lowest and the highest tenth, each with its error.

    ``mass`` is the share of each cell, shape (cells,).
    """
    share = np.cumsum(mass)
    first = int(np.searchsorted(share, 0.1 - 1e-9)) + 1  # cells that start below a tenth
    last = int(np.searchsorted(share, 0.9 + 1e-9, side="right"))
    found: list[float] = []
    for chosen in (cells.cell < first, cells.cell >= last):
        rows = np.flatnonzero(chosen)
        own = np.full(len(rows), 1.0 / base.count) if base.weights is None else base.weights[rows]
        size = float(own.sum())
        centre = dot(own, effect[rows]) / size
        apart = np.zeros(base.count)
        apart[rows] = effect[rows] - centre
        found += [centre, base.error(apart) / size]
    return found[0], found[1], found[2], found[3]


def _distance(
    cells: Cells, mass: Array, level: Index, levels: int, base: _Draws
) -> tuple[float, float]:
    """Return the mean Kolmogorov–Smirnov distance over a belief's parts, and its error.

    Each fold's gaps are measured where the other folds have their widest.
    """
    number = len(cells.basis)
    if number <= FEW:
        part = np.arange(number)
    else:
        middle = np.cumsum(mass) - mass / 2
        part = np.minimum((middle * PARTS).astype(np.intp), PARTS - 1)
    parts = int(part[-1]) + 1
    place = (base.fold * parts + part[cells.cell]) * levels + level
    table = base.totals(place, (base.folds, parts, levels))
    others = np.cumsum(table.sum(axis=0) - table, axis=2)
    widest, side = _widest(others)
    below = np.cumsum(table, axis=2)
    sizes = below[:, :, -1]
    total = np.maximum(sizes.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    share = sizes / total
    at = np.take_along_axis(below, widest[:, :, None], axis=2)[:, :, 0]
    overall = np.take_along_axis(below.sum(axis=1), widest, axis=1) / total
    inside = np.divide(at, sizes, out=np.zeros_like(at), where=sizes > 0)
    gaps = np.sum(share * side * (inside - overall), axis=1)
    distance = float(gaps @ total[:, 0] / total.sum())
    # What each draw adds: to its own part's share below, to all parts' share overall, and to where
    # the parts' ends lie.
    step = (np.arange(levels) <= widest[:, :, None]).astype(float)
    common = np.sum((share * side)[:, :, None] * step, axis=1, keepdims=True)
    own = _own(below, sizes, widest, side) if number > FEW else -side * overall
    influence = side[:, :, None] * step + own[:, :, None] - common
    adds = influence.ravel()[place]
    first = base.error(adds)
    # Folds agree by chance too: what is in one of them helps to choose where the others are
    # measured. For a gap of μ in standard errors of one of K folds, the signs chosen by the other
    # folds, and normal errors, two folds' products have the covariance 4 E[φ(R)²] with
    # R ~ N((K − 2)μ, K − 2), in units of a fold's variance.
    kept = base.folds - 2.0
    centre = (share * np.abs(inside - overall)).sum(axis=0) / np.maximum(share.sum(axis=0), 1e-300)
    variance = np.mean(overall * (1 - overall), axis=0) / np.maximum(sizes.mean(axis=0), 1.0)
    plain = float(np.sum(table * (influence - np.sum(table * influence) / table.sum()) ** 2))
    plain /= float(total.sum()) ** 2
    variance = variance * (first**2 / plain if plain > 0 else 1.0)  # clusters, and moments
    agree = 2 / np.pi / np.sqrt(1 + 2 * kept) * np.exp(
        -((kept * centre) ** 2) / np.maximum(variance * (1 + 2 * kept), 1e-300)
    )
    second = float(np.sum(share.mean(axis=0) ** 2 * variance * agree)) * (1 - 1 / base.folds)
    return min(max(distance, 0.0), 1.0), float(np.sqrt(first**2 + second))


def _own(below: Array, sizes: Array, widest: Index, side: Array) -> Array:
    """Return what a draw adds by the part it falls into, shape (folds, parts), but for constants.

    A tenth ends where a tenth of the draws do: one draw more in it moves its ends, and draws at
    the ends, whose net effects lie between those of the parts on both sides, change places.
    """
    parts = sizes.shape[1]
    # Share of every part (axis 1) below where each part's (axis 2) cdf is measured.
    at = np.take_along_axis(below, np.broadcast_to(widest[:, None, :], (len(below), parts, parts)), axis=2)
    inside = at / np.maximum(sizes, np.finfo(float).tiny)[:, :, None]
    edge = (inside[:, :-1] + inside[:, 1:]) / 2.0  # (folds, edges, parts)
    here, edges = np.arange(parts), np.arange(parts - 1)
    upper = np.zeros(side.shape)
    upper[:, :-1] = edge[:, edges, edges]
    lower = np.zeros(side.shape)
    lower[:, 1:] = edge[:, edges, edges + 1]
    before = (here[:, None] <= here[None, :]).astype(float)  # the draw's part is b or earlier
    earlier = (here[:, None] < here[None, :]).astype(float)
    return np.asarray((side * lower) @ earlier.T - (side * upper) @ before.T)


def _widest(below: Array) -> tuple[Index, Array]:
    """Return where each part's cdf is farthest from that of all, and on which side.

    ``below`` is the mass at or below each level, shape (folds, parts, levels).
    """
    tiny = np.finfo(float).tiny
    each = below / np.maximum(below[:, :, -1:], tiny)
    every = below.sum(axis=1, keepdims=True)
    gap = np.where(below[:, :, -1:] > 0, each - every / np.maximum(every[:, :, -1:], tiny), 0.0)
    widest = np.argmax(np.abs(gap), axis=2)
    return widest, np.sign(np.take_along_axis(gap, widest[:, :, None], axis=2)[:, :, 0])


class _Choice:
    """A choice between doing nothing and options, judged on draws."""

    def __init__(self, options: Sequence[Any], base: _Draws) -> None:
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
        weight = _steadiness(sizes.sum(axis=0), sums.sum(axis=1), squares.sum(axis=0), cells.coarse)
        width = cells.basis.shape[1]
        grams = ((weight * sizes) @ cells.outer).reshape(folds, width, width)
        crosses = np.moveaxis((weight * sums) @ cells.basis, 0, -1)  # (folds, functions, options)
        losses, left = squares @ weight, sizes.sum(axis=1)
        found = _smooth(
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
        for cells in known:
            shape = (len(cells.basis),)
            sums = np.stack([base.totals(cells.cell, shape, row) for row in self.y])
            squares = base.totals(cells.cell, shape, self.squares)
            steady *= _steadiness(base.totals(cells.cell, shape), sums, squares, cells.coarse)[cells.cell]
        # Were the spread's logarithm a sum over beliefs, this would be one over it.
        steady = np.clip(steady / np.median(steady), 1e-4, 1e4)
        weight = steady if base.scaled is None else steady * base.scaled
        table = _features(known)
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
            found = _ridge(gram[keep].sum(0), cross[keep].sum(0), float(loss[keep].sum()), size[keep].sum())
            fitted[:, row] = (table[row] @ found).T
        return np.asarray(fitted * self.spread[:, None] + self.centre[:, None])


def _features(known: Sequence[Cells]) -> Array:
    """Return what several beliefs are regressed on, shape (draws, functions)."""
    from itertools import combinations

    scores = []
    for each in known:
        share = np.bincount(each.cell, minlength=len(each.basis)) / len(each.cell)
        place = np.cumsum(share) - share / 2
        scores.append((_normal_scores(place))[each.cell])
    columns = [np.ones((len(scores[0]), 1)), *(each.basis[each.cell] for each in known)]
    for one, two in combinations(range(len(known)), 2):
        a, b = scores[one], scores[two]
        powers = [(1, 1), (1, 2), (2, 1), (2, 2), (1, 3), (3, 1)]
        columns.append(np.stack([_hermite(a, i) * _hermite(b, j) for i, j in powers], axis=1))
    columns += [
        np.prod([scores[i] for i in three], axis=0)[:, None]
        for three in combinations(range(len(known)), 3)
    ]
    return np.hstack(columns)


def _normal_scores(shares: Array) -> Array:
    from scipy.special import ndtri

    return np.asarray(ndtri(np.clip(shares, 1e-9, 1 - 1e-9)), dtype=float)


def _hermite(z: Array, degree: int) -> Array:
    """Return a Hermite polynomial, scaled to a spread of 1 over normal scores."""
    return (z, (z**2 - 1) / 2**0.5, (z**3 - 3 * z) / 6**0.5)[degree - 1]


def _ridge(gram: Array, cross: Array, square: float, count: float) -> Array:
    """Return ridge coefficients, shape (functions, outcomes), the penalty by GCV."""
    scale = np.sqrt(np.maximum(np.diag(gram), np.finfo(float).tiny))
    values, vectors = np.linalg.eigh(gram / np.outer(scale, scale))
    values = np.maximum(values, 0.0)
    score = vectors.T @ (cross / scale[:, None])
    energy = np.sum(score**2, axis=1)
    best, found = np.inf, np.zeros(len(values))
    for ridge in RIDGES * len(values):
        inverse = 1.0 / (values + ridge)
        residual = max(square - float(np.sum((2 * inverse - values * inverse**2) * energy)), 0.0)
        gcv = residual / (1.0 - float(np.sum(values * inverse)) / count) ** 2
        if gcv < best:
            best, found = gcv, inverse
    return np.asarray((vectors @ (found[:, None] * score)) / scale[:, None])


def _steadiness(sizes: Array, sums: Array, squares: Array, coarse: Index) -> Array:
    """Return each cell's weight, shape (cells,): one over the local variance of the outcomes.

    Any weights leave the regression valid. With these the draws where the outcome is wild (the
    far tail of a capability speedup) do not choose the smoothness for all the others. ``sums``
    has shape (outcomes, cells); ``squares`` are those of all outcomes.
    """
    group = np.zeros((coarse.max() + 1, len(coarse)))
    group[coarse, np.arange(len(coarse))] = 1.0
    many = np.maximum(group @ sizes, np.finfo(float).tiny)
    local = group @ squares / many - np.sum((sums @ group.T / many) ** 2, axis=0)
    overall = squares.sum() / sizes.sum()
    local = np.maximum(local, 1e-6 * overall)
    ratio = np.divide(overall, local, out=np.ones_like(local), where=(local > 0) & (group @ sizes > 0))
    return np.asarray(ratio[coarse])


def _smooth(gram: Array, cross: Array, square: Array, count: Array, penalty: Array) -> Array:
    """Return penalised least-squares coefficients, shape (folds, functions, outcomes), by GCV.

    In the basis that makes the Gram matrix the identity and the penalty diagonal (Demmler &
    Reinsch) every penalty is a matter of elementwise arithmetic.
    """
    size = gram.shape[-1]
    scale = np.trace(gram, axis1=-2, axis2=-1)[..., None, None] / size
    root = np.linalg.inv(np.linalg.cholesky(gram + 1e-9 * scale * np.eye(size)))
    values, vectors = np.linalg.eigh(root @ penalty @ np.swapaxes(root, -1, -2))
    basis = np.swapaxes(root, -1, -2) @ vectors
    score = np.swapaxes(basis, -1, -2) @ cross
    values = np.maximum(values, 0.0)
    values = values / np.maximum(values[..., -1:], np.finfo(float).tiny)
    shrink = 1.0 / (1.0 + PENALTIES[:, None] * values[..., None, :])  # (folds, penalties, functions)
    freedom = shrink.sum(axis=-1)
    energy = np.sum(score**2, axis=-1)
    residual = square[..., None] - ((2.0 * shrink - shrink**2) @ energy[..., None])[..., 0]
    gcv = np.maximum(residual, 0.0) / (1.0 - freedom / count[..., None]) ** 2
    best = np.argmin(gcv, axis=-1)[..., None, None]
    chosen = np.take_along_axis(shrink, best, axis=-2)[..., 0, :]
    return np.asarray(basis @ (chosen[..., None] * score))


def cells(belief: Array) -> Cells:
    """Sort a belief's draws, shape (draws,), into cells."""
    ordered = np.sort(belief)
    if np.count_nonzero(ordered[1:] != ordered[:-1]) < FEW:
        # Means of the values, shrunk to each other only where that predicts better.
        values = np.unique(ordered)
        levels = np.eye(len(values))
        cell: Index = np.searchsorted(values, belief)
        return Cells(cell, levels, _outer(levels), levels - 1.0 / len(values), np.arange(len(values)))
    ranks, basis, outer, penalty, coarse = _spline(len(belief))
    edges = ordered[np.flatnonzero(np.diff(ranks)) + 1]
    cell = np.searchsorted(edges, belief, side="right")
    if (edges[1:] == edges[:-1]).any():
        # Equal values that fill several cells share the middle one.
        cell = (cell + np.searchsorted(edges, belief, side="left")) // 2
    return Cells(cell, basis, outer, penalty, coarse)


def _outer(basis: Array) -> Array:
    return np.asarray((basis[:, :, None] * basis[:, None, :]).reshape(len(basis), -1))


@lru_cache(maxsize=4)
def _spline(count: int) -> tuple[Index, Array, Array, Array, Index]:
    """Return each rank's cell of normal scores, and what `Cells` has of cubic B-splines at them.

    The penalty is the integral of the squared second derivative.
    """
    from scipy.interpolate import BSpline
    from scipy.special import ndtri

    scores = ndtri((np.arange(count) + 0.5) / count)
    number = np.floor((scores - scores[0]) / CELL).astype(np.intp)
    tenth = np.arange(count) * PARTS // count
    _, cell = np.unique(number * PARTS + tenth, return_inverse=True)
    sizes = np.bincount(cell)
    centres = np.bincount(cell, weights=scores) / sizes
    ends = centres[0], centres[-1]
    inner = [k for k in KNOTS if ends[0] + 0.2 < k < ends[1] - 0.2]
    knots = np.concatenate([[ends[0]] * 4, inner, [ends[1]] * 4])
    basis = BSpline.design_matrix(centres, knots, 3).toarray()
    size = basis.shape[1]
    # The second derivative is piecewise linear: two Gauss points a piece are exact.
    breaks = np.unique(knots)
    middle, half = (breaks[1:] + breaks[:-1]) / 2, np.diff(breaks) / 2
    points = np.concatenate([middle - half / 3**0.5, middle + half / 3**0.5])
    bend = np.column_stack(
        [BSpline(knots, np.eye(size)[j], 3).derivative(2)(points) for j in range(size)]
    )
    penalty = bend.T @ (np.concatenate([half, half])[:, None] * bend)
    groups = np.minimum(np.cumsum(sizes) * GROUPS // (count + 1), GROUPS - 1)
    _, coarse = np.unique(groups, return_inverse=True)
    return cell, basis, _outer(basis), penalty, coarse
