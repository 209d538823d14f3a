"""How far a choice flatters itself: judged on the draws that made it, and on others."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from difprog.choose.averages import means
from difprog.choose.rows import Array, Rows
from difprog.choose.rules import choose
from difprog.forecast.weighing import clustered_error
from difprog.why.information import folded


class Disappointment(NamedTuple):
    """What a choice looks like to the draws that made it, and to others."""

    estimated: float
    """Effect by credence of the set that all draws choose, on those same draws."""
    honest: float
    """Of the sets that one half of the draws chooses, on the other half."""
    honest_se: float
    """At most this: that of one half, however much the two have in common."""
    difference: float
    """Estimated less honest: how far the choice flatters itself."""


def disappointment(
    rows: Rows, draws: Array, budget: float, *, clusters: int | None = None, max_harm: float | None = None
) -> Disappointment:
    """Return how far a choice looks better on the draws that made it than on others.

    Each half of the draws judges the set that the other half chooses. This is the disappointment
    that too few draws cause; where beliefs are right, more draws take it to 0 (Smith & Winkler
    2006, The optimizer's curse, Manag Sci 52:311).

    Parameters
    ----------
    rows, budget, max_harm
        As in `choose`, by expectation; ``rows.effects`` is not used.
    draws : array, shape (models, rows, draws)
        Net effects on the same worlds; of weighted draws, draws whose plain means are theirs.
    clusters : int, optional
        As in `difprog.forecast.weighing.clustered_error`.
    """
    count = draws.shape[2]
    half = folded(count, clusters) % 2 == 0
    told = np.empty(count)
    for inside in (half, ~half):
        best = choose(replace(rows, effects=means(draws[:, :, ~inside])), budget, max_harm=max_harm)
        told[inside] = rows.credences @ draws[:, list(best.rows), :][:, :, inside].sum(axis=1)
    honest = float(told.mean())
    estimated = choose(replace(rows, effects=means(draws)), budget, max_harm=max_harm).expected
    # The two halves' choices are not independent: their mean varies at most as much as one of them.
    error = math.sqrt(2.0) * clustered_error(told, clusters)
    return Disappointment(estimated, honest, error, estimated - honest)
