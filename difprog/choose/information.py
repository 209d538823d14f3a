"""What it is worth to know before choosing: everything, which model is right, or one belief."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from difprog.choose import programme
from difprog.choose.averages import mixed
from difprog.choose.programme import Limits, linear
from difprog.choose.rows import Array, Set, total
from difprog.choose.rules import EXACT, LOOSE
from difprog.forecast.weighing import clustered_error, dot, flat
from difprog.why.information import Gain, folded

#: Rows of which every set is tried: of more there are too many sets.
FEW = 12


def information(
    limits: Limits, chosen: Set, draws: Array, *, worlds: int = 60,
    weights: Sequence[Array | None] | None = None,
) -> tuple[Gain, Gain]:  # fmt: skip
    """Return what it is worth to know everything before choosing, and to know which model is right.

    Parameters
    ----------
    limits : Limits
        What is allowed.
    chosen : tuple of int
        The set expected to be best.
    draws : array, shape (models, rows, draws)
        Net effects on the same worlds.
    worlds : int
        Draws whose best set is found, each by a programme: shared out among the models by credence, and
        within a model evenly spaced by weight.
    weights : sequence of array or None, optional
        As in `difprog.choose.averages.means`.

    Returns
    -------
    tuple of Gain
        EVPI, with the error of its ``worlds`` draws; and the value of knowing the model, which has
        no error beyond that of the means.
    """
    rows, count = limits.rows, draws.shape[2]
    own = weights or [None] * len(rows.credences)
    value = variance = models = 0.0
    for model, credence in enumerate(rows.credences.tolist()):
        if credence == 0:
            continue
        many = min(max(round(worlds * credence), 4), count)
        weight = own[model]
        below = np.cumsum(flat(count) if weight is None else weight)
        at = np.minimum(np.searchsorted(below, (np.arange(many) + 0.5) / many), count - 1)
        gains = np.array([_regret(limits, draws[model, :, world], chosen) for world in at])
        value += credence * float(gains.mean())
        variance += (credence * clustered_error(gains, None)) ** 2
        models += credence * _regret(limits, rows.effects[model], chosen)
    return Gain(value, math.sqrt(variance)), Gain(models, 0.0)


def _regret(limits: Limits, effects: Array, chosen: Set) -> float:
    """Return how much better than a set the best set is where effects are known."""
    return max(total(effects, _best(limits, effects)) - total(effects, chosen), 0.0)


def _best(limits: Limits, effects: Array) -> Set:
    """Return the best set, near enough, where effects are known."""
    if len(effects) <= FEW:
        sets = _sets(limits)
        return tuple(int(row) for row in np.flatnonzero(sets[np.argmax(sets @ effects)]))
    return programme.best(limits, linear(effects), gap=0.0 if len(effects) <= EXACT else LOOSE)


@lru_cache(maxsize=1)
def _sets(limits: Limits) -> Array:
    """Return every set of a few rows that is allowed, shape (sets, rows), 1 where a row is in.

    The best is asked for hundreds of times, each time for other effects: to have tried all the sets once is
    far less work than a programme each time.
    """
    rows, count = limits.rows, len(limits.rows.cost)
    sets = ((np.arange(2**count)[:, None] >> np.arange(count)) & 1).astype(float)
    good = (sets <= limits.upper).all(axis=1)
    for members in rows.exclusive:
        good &= sets[:, members].sum(axis=1) <= 1
    return np.array([each for each in sets[good] if limits.allow(tuple(np.flatnonzero(each)))])


def information_of(
    limits: Limits, chosen: Set, draws: Array, belief: Array, *, clusters: int | None = None,
    parts: int = 10, folds: int = 5, weights: Sequence[Array | None] | None = None,
) -> Gain:  # fmt: skip
    """Return what it is worth to know which tenth one belief is in before choosing.

    In each part the set is chosen by the other folds' means and judged on the fold's own draws:
    at most the truth in expectation, and about 0 where the belief changes nothing.

    Parameters
    ----------
    limits, chosen, draws, weights
        As in `information`.
    belief : array, shape (draws,)
        Its draws.
    clusters : int, optional
        As in `difprog.forecast.weighing.clustered_error`.
    parts, folds : int
        Parts of the belief, of equal weight, that are told apart; parts of the draws.
    """
    count = draws.shape[2]
    nets, mass = mixed(draws, limits.rows.credences, weights)
    counts = flat(count) if mass is None else mass
    order = np.argsort(belief, kind="stable")
    middle = np.cumsum(counts[order]) - counts[order] / 2
    place = np.empty(count, dtype=int)
    place[order] = np.minimum((middle * parts).astype(int), parts - 1)
    fold = folded(count, clusters) % folds
    gain = -nets[list(chosen)].sum(axis=0)
    for part in range(parts):
        for held in range(folds):
            inside = (place == part) & (fold == held)
            others = (place == part) & (fold != held)
            size = float(counts[others].sum())
            if not inside.any() or size == 0:
                gain[inside] = 0.0
                continue
            effects = np.einsum("rd,d->r", nets[:, others], counts[others]) / size
            best = list(_best(limits, effects))
            gain[inside] += nets[np.ix_(best, np.flatnonzero(inside))].sum(axis=0)
    return Gain(max(dot(counts, gain), 0.0), clustered_error(gain, clusters, weights=mass))
