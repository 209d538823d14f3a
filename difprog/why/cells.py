"""A belief's draws in cells of nearly equal values, and the functions that an outcome is regressed on there.

A cubic spline on the belief's normal scores (Eilers & Marx 1996), or each value on its own where there are
few. Arrays in, arrays out.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

#: Inner knots of the spline, in normal scores: they reach into the tails, where heavy-tailed
#: beliefs do most of their work.
KNOTS = (-2.5, -1.9, -1.4, -1.0, -0.6, -0.3, 0.0, 0.3, 0.6, 1.0, 1.4, 1.9, 2.5)

#: A belief with at most this many different values is averaged value by value.
FEW = 12

#: Width, in normal scores, of the cells within which draws of a belief count as equal; no cell
#: straddles a tenth.
CELL = 0.05

#: Number of groups of cells, of equal size, within which the spread of an outcome is taken.
GROUPS = 40

#: Parts of equal size, of which no cell straddles two: tenths.
PARTS = 10


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


def _splines(x: Array, knots: Array, degree: int) -> Array:
    """Return B-splines on knots by Cox's and de Boor's recursion, shape (points, functions).

    SciPy has them too, in a part of it that takes longer to load than it takes to rank the beliefs.
    """
    last = int(np.searchsorted(knots, knots[-1])) - 1  # the last piece has its right end too
    piece = np.clip(np.searchsorted(knots, x, side="right") - 1, 0, last)
    found = (piece[:, None] == np.arange(len(knots) - 1)).astype(float)
    for d in range(1, degree + 1):
        size = len(knots) - 1 - d
        width = knots[d:] - knots[:-d]
        share = np.divide(x[:, None] - knots[:-d], width, out=np.zeros((len(x), size + 1)), where=width > 0)
        rest = np.where(width > 0, 1.0 - share, 0.0)
        found = share[:, :size] * found[:, :size] + rest[:, 1:] * found[:, 1:]
    return np.asarray(found)


def _rising(below: Array, knots: Array, degree: int) -> Array:
    """Return derivatives of B-splines from those, one less often, of B-splines of one degree less."""
    width = knots[degree:] - knots[:-degree]
    each = np.divide(degree, width, out=np.zeros_like(width), where=width > 0) * below
    return np.asarray(each[:, :-1] - each[:, 1:])


@lru_cache(maxsize=4)
def _spline(count: int) -> tuple[Index, Array, Array, Array, Index]:
    """Return each rank's cell of normal scores, and what `Cells` has of cubic B-splines at them.

    The penalty is the integral of the squared second derivative.
    """
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
    basis = _splines(centres, knots, 3)
    # The second derivative is piecewise linear: two Gauss points a piece are exact.
    breaks = np.unique(knots)
    middle, half = (breaks[1:] + breaks[:-1]) / 2, np.diff(breaks) / 2
    points = np.concatenate([middle - half / 3**0.5, middle + half / 3**0.5])
    bend = _splines(points, knots, 1)
    for degree in (2, 3):
        bend = _rising(bend, knots, degree)
    penalty = bend.T @ (np.concatenate([half, half])[:, None] * bend)
    groups = np.minimum(np.cumsum(sizes) * GROUPS // (count + 1), GROUPS - 1)
    _, coarse = np.unique(groups, return_inverse=True)
    return cell, basis, _outer(basis), penalty, coarse


def normal_scores(shares: Array) -> Array:
    """Return the normal scores of shares of the draws, which are kept from 0 and 1."""
    from scipy.special import ndtri

    return np.asarray(ndtri(np.clip(shares, 1e-9, 1 - 1e-9)), dtype=float)
