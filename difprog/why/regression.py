"""Penalised regression of outcomes on beliefs: the arithmetic alone, arrays in and arrays out.

One belief's spline is shrunk by its roughness, several beliefs' functions by a ridge; both penalties are
chosen by generalised cross-validation.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from difprog.why.cells import Cells, normal_scores

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]

#: Penalties that are tried, in units in which 1 halves the roughest part of the curve.
PENALTIES = 10.0 ** np.arange(-3.0, 9.5, 0.5)

#: Ridge penalties for several beliefs at once, in units of the number of draws.
RIDGES = 10.0 ** np.arange(-7.0, 1.5, 0.5)


def steadiness(sizes: Array, sums: Array, squares: Array, coarse: Index) -> Array:
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


def smooth(gram: Array, cross: Array, square: Array, count: Array, penalty: Array) -> Array:
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


def features(known: Sequence[Cells]) -> Array:
    """Return what several beliefs are regressed on, shape (draws, functions)."""
    scores = []
    for each in known:
        share = np.bincount(each.cell, minlength=len(each.basis)) / len(each.cell)
        place = np.cumsum(share) - share / 2
        scores.append(normal_scores(place)[each.cell])
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


def _hermite(z: Array, degree: int) -> Array:
    """Return a Hermite polynomial, scaled to a spread of 1 over normal scores."""
    return (z, (z**2 - 1) / 2**0.5, (z**3 - 3 * z) / 6**0.5)[degree - 1]


def ridge(gram: Array, cross: Array, square: float, count: float) -> Array:
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
