"""Which beliefs drive the answer, and what it would be worth to know one of them.

For one belief θ at a time: the share Var(E[net_effect | θ]) / Var(net_effect) of the variance,
and the expected value of perfect partial information (EVPPI), E[max_d E[NB_d | θ]] −
max_d E[NB_d], for the choice between doing nothing (net benefit 0) and the project under each
publication policy.

Both need E[NB | θ], which is had by nonparametric regression of the draws of NB on those of θ
(Strong, Oakley & Brennan 2014, Estimating multiparameter partial expected value of perfect
information from a probabilistic sensitivity analysis sample, Med Decis Making 34:311). That is
valid whether or not beliefs are correlated. The smoother is a penalised cubic spline on the
normal scores of θ (Eilers & Marx 1996), its penalty chosen by generalised cross-validation; a
belief with few values is averaged value by value. The maximum of noisy regressions is biased
upward, so draws are split into folds and every draw is judged by a regression on the other
folds: a belief that does not matter gets about 0, and both figures have standard errors.

Knows nothing of files, models or PyMC: arrays in, plain numbers out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from difprog.forecast.summary import clustered_error

Array = npt.NDArray[np.float64]

FOLDS = 5

#: Inner knots of the spline, in normal scores: they reach into the tails, where heavy-tailed
#: beliefs do most of their work.
KNOTS = (-2.5, -1.9, -1.4, -1.0, -0.6, -0.3, 0.0, 0.3, 0.6, 1.0, 1.4, 1.9, 2.5)

#: A belief with at most this many different values is averaged value by value.
FEW = 12

#: Penalties that are tried, in units in which 1 halves the roughest part of the curve.
PENALTIES = 10.0 ** np.arange(-3.0, 9.5, 0.5)

#: Width, in normal scores, of the cells within which draws of a belief count as equal.
CELL = 0.02

#: Number of groups of cells, of equal size, within which the spread of an outcome is taken.
GROUPS = 40


class Driver(NamedTuple):
    """What one belief does to the answer."""

    belief: str
    variance_share: float
    """Share of the variance of net_effect that the belief explains on its own, in [0, 1]."""
    variance_share_se: float
    evppi: float
    """Gain in the chance of success from knowing the belief before choosing; ≥ 0."""
    evppi_se: float
    low: float
    """Mean net effect where the belief is in its lowest tenth."""
    low_se: float
    high: float
    """Mean net effect where it is in its highest tenth."""
    high_se: float


def drivers(
    beliefs: Mapping[str, Any], net: Any, options: Sequence[Any], clusters: int | None = None
) -> list[Driver]:
    """Return every belief that varies with its variance share and EVPPI, the largest share first.

    Parameters
    ----------
    beliefs : mapping of str to array of shape (draws,) or scalar
        Joint draws; scalars are passed by.
    net : array, shape (draws,) or scalar
        The net effect that the variance is of.
    options : sequence of arrays, each of shape (draws,) or scalar
        Net benefit of each option beside doing nothing, on the same draws.
    clusters : int, optional
        As in `difprog.forecast.summary.clustered_error`.
    """
    varying = {
        name: np.asarray(v, dtype=float)
        for name, v in beliefs.items()
        if np.ndim(v) and np.ptp(np.asarray(v, dtype=float)) > 0
    }
    if not varying:
        return []
    count = len(next(iter(varying.values())))
    outcomes = np.stack(
        [np.broadcast_to(np.asarray(y, dtype=float), (count,)) for y in (net, *options)], axis=1
    )
    found = [_driver(name, v, outcomes, clusters) for name, v in varying.items()]
    return sorted(found, key=lambda d: (-d.variance_share, -d.evppi, d.belief))


def _driver(name: str, belief: Array, outcomes: Array, clusters: int | None) -> Driver:
    fitted = conditional_means(belief, outcomes, clusters)
    share, share_se = variance_share(outcomes[:, 0], fitted[:, 0], clusters)
    value, value_se = information_value(outcomes[:, 1:], fitted[:, 1:], clusters)
    cuts = np.quantile(belief, [0.1, 0.9])
    low = _mean_where(outcomes[:, 0], belief <= cuts[0], clusters)
    high = _mean_where(outcomes[:, 0], belief >= cuts[1], clusters)
    return Driver(name, share, share_se, value, value_se, *low, *high)


def _mean_where(outcome: Array, chosen: npt.NDArray[np.bool_], clusters: int | None) -> tuple[float, float]:
    """Return the mean of the draws that are chosen, and its standard error."""
    share = chosen.mean()
    centre = float(outcome[chosen].mean())
    return centre, clustered_error(np.where(chosen, outcome - centre, 0.0), clusters) / float(share)


def variance_share(
    outcome: Array, fitted: Array, clusters: int | None = None
) -> tuple[float, float]:
    """Return the share of the variance that cross-fitted means explain, and its standard error.

    1 − (mean squared error) / variance, which unlike the variance of the fit itself is not
    raised by noise that was fitted; below 0 it is 0.
    """
    total = (outcome - outcome.mean()) ** 2
    scale = float(total.mean())
    if scale == 0.0:
        return 0.0, 0.0
    gain = total - (outcome - fitted) ** 2
    share = float(gain.mean()) / scale
    error = clustered_error(gain - share * total, clusters) / scale
    return min(max(share, 0.0), 1.0), error


def information_value(
    options: Array, fitted: Array, clusters: int | None = None
) -> tuple[float, float]:
    """Return the EVPPI from cross-fitted means, and its standard error.

    Parameters
    ----------
    options : array, shape (draws, options)
        Net benefits; doing nothing, with 0, is a further option.
    fitted : array, shape (draws, options)
        E[NB | θ] at every draw from a regression on other draws.
    clusters : int, optional
        As in `difprog.forecast.summary.clustered_error`.
    """
    if options.shape[1] == 0:
        return 0.0, 0.0
    nothing = np.zeros((len(options), 1))
    benefits = np.hstack([nothing, options])
    chosen = np.argmax(np.hstack([nothing, fitted]), axis=1)
    blind = int(np.argmax(benefits.mean(axis=0)))
    gain = benefits[np.arange(len(benefits)), chosen] - benefits[:, blind]
    return max(float(gain.mean()), 0.0), clustered_error(gain, clusters)


def conditional_means(
    belief: Array, outcomes: Array, clusters: int | None = None
) -> Array:
    """Return E[outcome | belief] at every draw, from a regression on the draws of other folds.

    Parameters
    ----------
    belief : array, shape (draws,)
        Draws of one belief.
    outcomes : array, shape (draws, outcomes)
        What is averaged, several at once.
    clusters : int, optional
        Draws that reuse a posterior draw are kept in one fold.
    """
    count = len(belief)
    cell, basis, penalty, coarse = _design(belief)
    if clusters is None or clusters >= count:
        member, folds = np.arange(count), min(FOLDS, count)
    else:
        member, folds = np.arange(count) % clusters, min(FOLDS, clusters)
    fold = member % folds
    cells = len(basis)
    place = fold * cells + cell
    centre = outcomes.mean(axis=0)
    y = (outcomes - centre).T

    def totals(values: Array | None) -> Array:
        found = np.bincount(place, weights=values, minlength=folds * cells)
        return found.reshape(folds, cells).astype(float)

    sizes = totals(None)
    sums = np.stack([totals(v) for v in y])  # (outcomes, folds, cells)
    squares = np.stack([totals(v * v) for v in y])
    weight = _weights(sizes.sum(0), sums.sum(1), squares.sum(1), coarse)
    outer = (basis[:, :, None] * basis[:, None, :]).reshape(cells, -1)
    width = basis.shape[1]
    grams = ((weight[:, None, :] * sizes) @ outer).reshape(len(y), folds, width, width)
    crosses = (weight[:, None, :] * sums) @ basis
    losses = np.einsum("oc,ofc->of", weight, squares)
    left = sizes.sum(1)
    coefficients = _smooth(
        grams.sum(1, keepdims=True) - grams,
        crosses.sum(1, keepdims=True) - crosses,
        losses.sum(1, keepdims=True) - losses,
        left.sum() - left,
        penalty,
    )
    curves = coefficients @ basis.T  # (outcomes, folds, cells)
    return np.asarray(curves.reshape(len(y), -1)[:, place].T + centre)


def _weights(
    sizes: Array, sums: Array, squares: Array, coarse: npt.NDArray[np.intp]
) -> Array:
    """Return each cell's weight for each outcome: one over the local variance.

    Any weights leave the regression valid. With these the draws where the outcome is wild (the
    far tail of a capability speedup) do not choose the smoothness for all the others.
    """
    group = np.zeros((coarse.max() + 1, len(coarse)))
    group[coarse, np.arange(len(coarse))] = 1.0
    many = np.maximum(group @ sizes, 1.0)
    local = squares @ group.T / many - (sums @ group.T / many) ** 2
    overall = squares.sum(1, keepdims=True) / sizes.sum()
    local = np.maximum(local, 1e-6 * overall)
    ratio = np.divide(overall, local, out=np.ones_like(local), where=local > 0)
    return np.asarray(ratio[:, coarse])


def _smooth(gram: Array, cross: Array, square: Array, count: Array, penalty: Array) -> Array:
    """Return penalised least-squares coefficients, shape (..., functions), by GCV.

    In the basis that makes the Gram matrix the identity and the penalty diagonal (Demmler &
    Reinsch) every penalty is a matter of elementwise arithmetic.
    """
    size = gram.shape[-1]
    scale = np.trace(gram, axis1=-2, axis2=-1)[..., None, None] / size
    root = np.linalg.cholesky(gram + 1e-9 * scale * np.eye(size))
    half = np.linalg.solve(root, np.broadcast_to(penalty, gram.shape))
    values, vectors = np.linalg.eigh(np.linalg.solve(root, np.swapaxes(half, -1, -2)))
    basis = np.linalg.solve(np.swapaxes(root, -1, -2), vectors)
    score = np.einsum("...ij,...i->...j", basis, cross)
    values = np.maximum(values, 0.0)
    values = values / np.maximum(values[..., -1:], np.finfo(float).tiny)
    shrink = 1.0 / (1.0 + PENALTIES[:, None] * values[..., None, :])  # (..., penalties, size)
    freedom = shrink.sum(axis=-1)
    residual = square[..., None] - ((2.0 * shrink - shrink**2) @ (score**2)[..., None])[..., 0]
    gcv = np.maximum(residual, 0.0) / (1.0 - freedom / count[..., None]) ** 2
    best = np.argmin(gcv, axis=-1)[..., None, None]
    chosen = np.take_along_axis(shrink, best, axis=-2)[..., 0, :]
    return np.asarray(np.einsum("...ij,...j->...i", basis, chosen * score))


def _design(belief: Array) -> tuple[npt.NDArray[np.intp], Array, Array, npt.NDArray[np.intp]]:
    """Return each draw's cell, the basis at the cells, its penalty, and the cells' groups."""
    order = np.argsort(belief, kind="stable")
    ordered = belief[order]
    new = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    starts = np.flatnonzero(new)
    if len(starts) <= FEW:
        # Means of the values, shrunk to each other only where that predicts better.
        cell = np.empty(len(belief), dtype=np.intp)
        cell[order] = np.cumsum(new) - 1
        levels = np.eye(len(starts))
        return cell, levels, levels - 1.0 / len(starts), np.arange(len(starts))
    grid, basis, penalty, coarse = _spline(len(belief))
    if len(starts) < len(belief):
        # Equal values share the middle of their ranks.
        ends = np.append(starts[1:], len(belief))
        grid = np.repeat(grid[(starts + ends - 1) // 2], ends - starts)
    cell = np.empty(len(belief), dtype=np.intp)
    cell[order] = grid
    return cell, basis, penalty, coarse


@lru_cache(maxsize=4)
def _spline(count: int) -> tuple[npt.NDArray[np.intp], Array, Array, npt.NDArray[np.intp]]:
    """Return each rank's cell of normal scores, cubic B-splines at the cells, penalty and groups.

    The penalty is the integral of the squared second derivative.
    """
    from scipy.interpolate import BSpline
    from scipy.special import ndtri

    scores = ndtri((np.arange(count) + 0.5) / count)
    number = np.floor((scores - scores[0]) / CELL).astype(np.intp)
    _, cell = np.unique(number, return_inverse=True)
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
    return cell, basis, penalty, coarse
