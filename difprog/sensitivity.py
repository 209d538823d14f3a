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

from difprog.summary import clustered_error

Array = npt.NDArray[np.float64]

FOLDS = 10

#: Inner knots of the spline, in normal scores: they reach into the tails, where heavy-tailed
#: beliefs do most of their work.
KNOTS = (-2.5, -1.9, -1.4, -1.0, -0.6, -0.3, 0.0, 0.3, 0.6, 1.0, 1.4, 1.9, 2.5)

#: A belief with at most this many different values is averaged value by value.
FEW = 12

#: Fewest draws that folds and a spline make sense for.
FEWEST = 100

#: Penalties that are tried, relative to the scale at which they halve a coefficient.
PENALTIES = 10.0 ** np.arange(-6.0, 7.0, 0.5)


class Driver(NamedTuple):
    """What one belief does to the answer."""

    belief: str
    variance_share: float
    """Share of the variance of net_effect that the belief explains on its own, in [0, 1]."""
    variance_share_se: float
    evppi: float
    """Gain in the chance of success from knowing the belief before choosing; ≥ 0."""
    evppi_se: float


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
        As in `difprog.summary.clustered_error`.
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
    return Driver(name, share, share_se, value, value_se)


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
        As in `difprog.summary.clustered_error`.
    """
    if options.shape[1] == 0:
        return 0.0, 0.0
    nothing = np.zeros((len(options), 1))
    benefits = np.hstack([nothing, options])
    chosen = np.argmax(np.hstack([nothing, fitted]), axis=1)
    blind = int(np.argmax(benefits.mean(axis=0)))
    gain = benefits[np.arange(len(benefits)), chosen] - benefits[:, blind]
    return max(float(gain.mean()), 0.0), clustered_error(gain, clusters)


def conditional_means(belief: Array, outcomes: Array, clusters: int | None = None) -> Array:
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
    design, penalty = _design(belief)
    member = np.arange(count) if clusters is None else np.arange(count) % max(clusters, 1)
    folds = max(2, min(FOLDS, count // 50 or 2, int(member[-1]) + 1 if clusters is None else clusters))
    fold = member % folds
    centre = outcomes.mean(axis=0)
    y = outcomes - centre
    parts = [np.flatnonzero(fold == k) for k in range(folds)]
    blocks = [(design[i], y[i]) for i in parts]
    grams = np.stack([b.T @ b for b, _ in blocks])
    crosses = np.stack([b.T @ v for b, v in blocks])
    squares = np.stack([np.sum(v * v, axis=0) for _, v in blocks])
    gram, cross, square = grams.sum(0), crosses.sum(0), squares.sum(0)
    fitted = np.empty_like(y)
    for k, (index, (block, _)) in enumerate(zip(parts, blocks, strict=True)):
        coefficients = _smooth(
            gram - grams[k], cross - crosses[k], square - squares[k], count - len(index), penalty
        )
        fitted[index] = block @ coefficients
    return fitted + centre


def _smooth(gram: Array, cross: Array, square: Array, count: int, penalty: Array) -> Array:
    """Return penalised least-squares coefficients, the penalty of each outcome chosen by GCV.

    In the basis that makes the Gram matrix the identity and the penalty diagonal (Demmler &
    Reinsch) every penalty is a matter of elementwise arithmetic.
    """
    size = len(gram)
    ridge = 1e-9 * np.trace(gram) / size
    root = np.linalg.cholesky(gram + ridge * np.eye(size))
    half = np.linalg.solve(root, penalty)
    values, vectors = np.linalg.eigh(np.linalg.solve(root, half.T))
    basis = np.linalg.solve(root.T, vectors)
    score = basis.T @ cross  # (size, outcomes)
    values = np.maximum(values, 0.0)
    scale = values[-1] if values[-1] > 0 else 1.0
    shrink = 1.0 / (1.0 + PENALTIES[:, None] * values / scale * 1e3)  # (penalties, size)
    freedom = shrink.sum(axis=1)[:, None]
    residual = square - (2.0 * shrink - shrink**2) @ score**2
    gcv = np.maximum(residual, 0.0) / (1.0 - freedom / count) ** 2
    best = np.argmin(gcv, axis=0)
    return np.asarray(basis @ (shrink[best].T * score))


def _design(belief: Array) -> tuple[Array, Array]:
    """Return the design matrix of a belief, shape (draws, functions), and its penalty."""
    levels, code, sizes = np.unique(belief, return_inverse=True, return_counts=True)
    if len(levels) <= FEW:
        # Means of the values, shrunk to each other only where that predicts better.
        penalty = np.eye(len(levels)) - 1.0 / len(levels)
        return np.eye(len(levels))[code], penalty
    # Equal values share the middle of their ranks, in half steps.
    last = np.cumsum(sizes)
    middle = 2 * last - sizes - 1
    rows, penalty = _spline(len(belief))
    return rows[middle[code]], penalty


@lru_cache(maxsize=4)
def _spline(count: int) -> tuple[Array, Array]:
    """Return cubic B-splines at the normal scores of ranks 0, ½, 1, … of ``count`` draws.

    The penalty is the integral of the squared second derivative.
    """
    from scipy.interpolate import BSpline
    from scipy.special import ndtri

    scores = ndtri((np.arange(2 * count - 1) / 2.0 + 0.5) / count)
    ends = scores[0] - 1e-9, scores[-1] + 1e-9
    inner = [k for k in KNOTS if ends[0] + 0.2 < k < ends[1] - 0.2]
    knots = np.concatenate([[ends[0]] * 4, inner, [ends[1]] * 4])
    rows = BSpline.design_matrix(scores, knots, 3).toarray()
    size = rows.shape[1]
    # The second derivative is piecewise linear: two Gauss points a piece are exact.
    breaks = np.unique(knots)
    middle, half = (breaks[1:] + breaks[:-1]) / 2, np.diff(breaks) / 2
    points = np.concatenate([middle - half / 3**0.5, middle + half / 3**0.5])
    bend = np.column_stack(
        [BSpline(knots, np.eye(size)[j], 3).derivative(2)(points) for j in range(size)]
    )
    return rows, bend.T @ (np.concatenate([half, half])[:, None] * bend)
