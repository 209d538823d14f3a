"""Rows' effects from draws: their means under each model, models mixed by credence, and worlds harmed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from difprog.choose.rows import Array, Set
from difprog.forecast.weighing import dot, flat, mixture_shares


def means(draws: Array, weights: Sequence[Array | None] | None = None) -> Array:
    """Return mean effects, shape (models, rows), of draws of shape (models, rows, draws).

    Parameters
    ----------
    draws : array
        Net effects on the same worlds.
    weights : sequence of array or None, optional
        Each model's weights of its draws, which sum to 1.
    """
    if weights is None:
        return np.asarray(draws.mean(axis=2))
    return np.stack([
        table.mean(axis=1) if weight is None else np.einsum("rd,d->r", table, weight)
        for table, weight in zip(draws, weights, strict=True)
    ])  # fmt: skip


def mixed(
    draws: Array, credences: Array, weights: Sequence[Array | None] | None = None
) -> tuple[Array, Array | None]:
    """Return models mixed by credence: net effects, shape (rows, draws), and how each draw counts.

    A draw counts for as much as all models give it, and is worth the models' values, each by its
    share of that: so means given a belief are those of the mixture too. The weights are None where
    all draws count alike.

    Parameters
    ----------
    draws : array, shape (models, rows, draws)
    credences : array, shape (models,)
    weights : sequence of array or None, optional
        As in `means`.
    """
    if weights is None or all(each is None for each in weights):
        return np.asarray(np.einsum("m,mrd->rd", credences, draws)), None
    each = [flat(draws.shape[2]) if own is None else own for own in weights]
    share, total = mixture_shares(each, credences)
    return np.asarray(np.einsum("md,mrd->rd", share, draws)), total


def harmed(
    draws: Array, credences: Array, chosen: Set, weights: Sequence[Array | None] | None = None
) -> float:
    """Return the share of worlds in which the rows chosen, summed, do net harm.

    ``draws`` has shape (models, rows, draws); ``weights`` is as in `means`.
    """
    total = draws[:, list(chosen), :].sum(axis=1)
    own = weights or [None] * len(total)
    shares = [
        dot(flat(len(row)) if weight is None else weight, row < 0)
        for row, weight in zip(total, own, strict=True)
    ]
    return dot(credences, shares)
