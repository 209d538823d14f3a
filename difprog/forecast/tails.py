"""How heavy the tail of draws is: whether the error of their mean can be trusted at all.

A generalised Pareto distribution is fitted to the largest draws by the estimator of Zhang &
Stephens (2009, A new and efficient estimation method for the generalized Pareto distribution,
Technometrics 51:316), its index drawn towards one half as Vehtari, Simpson, Gelman, Yao & Gabry
(2024, Pareto smoothed importance sampling, JMLR 25:72, appendix C) propose. ArviZ gives the same
number, which the tests hold; here it costs no import, and ArviZ's takes longer than a forecast.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

#: Pareto k̂ above which the printed error of a mean is not to be trusted at any affordable number
#: of draws (Vehtari et al. 2024).
KHAT_LIMIT = 0.7

#: Fewest draws with a tail to speak of, and how many of the largest have to differ.
FEWEST, DIFFERENT = 25, 5

#: Draws up to which the tail is their largest fifth; of more, 3 √draws (Vehtari et al. 2024).
SHORT = 225

#: Grid of the estimator: 30 + √n points (Zhang & Stephens 2009), of which the prior's spread is 3 quartiles.
GRID, SPREAD = 30, 3.0

#: Observations that the prior on the index is worth, and where it stands (Vehtari et al. 2024).
PRIOR_WORTH, PRIOR_AT = 10, 0.5


def tail_index(values: Any, weights: Array | None = None) -> float | None:
    """Return Pareto k̂ of the sizes of what a mean adds up.

    The mean of draws whose sizes have a k̂ of 0.5 or more has no finite variance, so that its
    error shrinks more slowly than 1/√draws; above `KHAT_LIMIT` the error printed is not to be
    trusted.

    Parameters
    ----------
    values : array of shape (draws,), or scalar
        Draws.
    weights : array, shape (draws,), optional
        Weights of the draws, which sum to 1.

    Returns
    -------
    float or None
        None where the tail is too short or too even to tell: a quantity that does not vary, or
        fewer than `FEWEST` draws.
    """
    sizes = np.abs(np.atleast_1d(np.asarray(values, dtype=float)))
    if weights is not None:
        sizes = sizes * weights * len(weights)
    if len(sizes) < FEWEST or not np.isfinite(sizes).all():
        return None
    sizes = np.sort(sizes)
    if len(np.unique(sizes[-DIFFERENT:])) < DIFFERENT:
        return None
    many = int(3 * math.sqrt(len(sizes))) if len(sizes) > SHORT else len(sizes) // 5
    return pareto_index(sizes[-many:] - sizes[-many - 1])


def pareto_index(excesses: Array) -> float | None:
    """Return the index of a generalised Pareto distribution that excesses over a threshold come from.

    Parameters
    ----------
    excesses : array, shape (n,)
        In ascending order, none negative, the last positive.

    Returns
    -------
    float or None
        Above 0 for a tail that falls off as a power, 0 for an exponential one. None where the
        first quartile is the least: nothing like that distribution.
    """
    count, largest = len(excesses), excesses[-1]
    quartile = excesses[int(count / 4 + 0.5) - 1]
    if quartile <= excesses[0]:
        return None
    points = GRID + int(math.sqrt(count))
    steps = np.sqrt(points / (np.arange(1, points + 1) - 0.5))
    # Each θ is one distribution of the family: its index is the mean of log(1 − θx), its scale −index/θ.
    theta = 1 / largest + (1 - steps) / (SPREAD * quartile)
    index = np.log1p(-theta[:, None] * excesses).mean(axis=1)
    likelihood = count * (np.log(-theta / index) - index - 1)
    weights = np.exp(likelihood - likelihood.max())
    best = float(weights @ theta / weights.sum())
    fitted = float(np.log1p(-best * excesses).mean())
    found = (count * fitted + PRIOR_WORTH * PRIOR_AT) / (count + PRIOR_WORTH)
    return found if math.isfinite(found) else None


__all__ = ["KHAT_LIMIT", "pareto_index", "tail_index"]
