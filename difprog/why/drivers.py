"""Which beliefs drive the answer.

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
- **EVPPI.** What it would be worth to know θ before choosing (`difprog.why.information`).

All have standard errors, and all are those of weighted draws where weights are given. Knows
nothing of files, models or PyMC: arrays in, plain numbers out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from difprog.forecast.weighing import dot
from difprog.why.cells import FEW, PARTS, Cells, Sorted
from difprog.why.information import Choice, Counted

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

#: Points at which the cdfs of a belief's parts are compared.
POINTS = 50


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
        As in `difprog.forecast.weighing.clustered_error`.
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
    base = Counted(count, clusters, weights, moments)
    effect = np.broadcast_to(np.asarray(net, dtype=float), (count,))
    points = np.unique(np.quantile(effect, np.arange(1, POINTS) / POINTS, method="inverted_cdf"))
    level: Index = np.searchsorted(points, effect, side="left")
    choice = Choice(options, base)
    found = []
    for name, draws in varying.items():
        cells = kept.cells(draws)
        mass = base.totals(cells.cell, (len(cells.basis),))
        mass /= mass.sum()
        distance = _distance(cells, mass, level, len(points) + 1, base)
        value = choice.gain(choice.curves(cells), cells.cell)
        found.append(Driver(name, *distance, *_ends(cells, mass, effect, base), *value))
    return sorted(found, key=lambda d: (-d.distance, -d.evppi, d.belief))


def _ends(cells: Cells, mass: Array, effect: Array, base: Counted) -> tuple[float, float, float, float]:
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
    cells: Cells, mass: Array, level: Index, levels: int, base: Counted
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
    variance = np.mean(np.maximum(overall * (1 - overall), 0.0), axis=0) / np.maximum(sizes.mean(axis=0), 1.0)
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
