"""On which beliefs about the world a set's effect hangs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from difprog.choose.rows import Array
from difprog.forecast.weighing import clustered_error, dot, flat

#: How many beliefs are told of.
BELIEFS = 3


@dataclass(frozen=True)
class Turn:
    """The chosen set's mean effect where a belief about the world is in its lowest and highest tenth."""

    belief: str
    low: float
    low_se: float
    high: float
    high_se: float


def leading(values: Mapping[str, Array], total: Array) -> list[str]:
    """Return the beliefs with which an effect is most correlated in rank.

    Parameters
    ----------
    values : mapping of str to array, each of shape (draws,)
        Draws of beliefs about the world.
    total : array, shape (draws,)
        The effect.
    """
    place = _ranks(total)
    near = {name: abs(float(np.corrcoef(_ranks(value), place)[0, 1])) for name, value in values.items()}
    return sorted(near, key=lambda name: (-near[name], name))[:BELIEFS]


def _ranks(values: Array) -> Array:
    return np.asarray(np.argsort(np.argsort(values, kind="stable"), kind="stable"))


def turns(
    values: Mapping[str, Array], total: Array, weights: Array | None = None, clusters: int | None = None
) -> tuple[Turn, ...]:
    """Return how an effect hangs on the beliefs that it hangs on most, the one it hangs on most first.

    Parameters
    ----------
    values, total
        As in `leading`.
    weights, clusters
        As in `difprog.forecast.weighing.clustered_error`.
    """
    count = len(total)
    counts = flat(count) if weights is None else weights
    found = []
    for name in leading(values, total):
        order = np.argsort(values[name], kind="stable")
        below = np.cumsum(counts[order])
        ends: list[float] = []
        for part in (order[below <= 0.1 + 1e-9], order[below > 0.9 + 1e-9]):
            size = float(counts[part].sum())
            if size == 0:
                break
            centre = dot(counts[part], total[part]) / size
            apart = np.zeros(count)
            apart[part] = total[part] - centre
            ends += [centre, clustered_error(apart, clusters, weights=weights) / size]
        if len(ends) == 4:
            found.append(Turn(name, ends[0], ends[1], ends[2], ends[3]))
    return tuple(sorted(found, key=lambda turn: -abs(turn.high - turn.low)))
