"""Correlated beliefs: a Gaussian copula over their scores, given what evidence has fixed.

Matrices only: numbers in, numbers out. A belief that is conditioned on evidence keeps its draws;
those tied to it follow, by regression on the normal scores of its kept draws.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from difprog.base.errors import BadInput, Problem
from difprog.evidence.posterior import Posterior
from difprog.forecast.question import Question

Array = npt.NDArray[np.float64]


class Mixing(NamedTuple):
    """How scores of a group are made: those of ``free`` are weights @ known + root @ fresh."""

    given: tuple[str, ...]
    free: tuple[str, ...]
    weights: Array
    """Shape (free, given)."""
    root: Array
    """Lower triangle, shape (free, free)."""


def mixing(question: Question, group: Sequence[str]) -> Mixing:
    """Return how the scores of a group of correlated beliefs are made of independent ones.

    Raises
    ------
    BadInput
        Where the correlations cannot hold.
    """
    posterior = {name: _posterior(question, name) for name in group}
    given = tuple(n for n in group if posterior[n] is not None)
    free = tuple(n for n in group if posterior[n] is None)
    matrix = correlation_matrix(question, [*given, *free])
    m = len(given)
    weights, rest = np.zeros((len(free), 0)), matrix
    try:
        if m:
            kept = [posterior[n] for n in given]
            matrix[:m, :m] = _between([(p, n) for p, n in zip(kept, given, strict=True) if p is not None])
            weights = np.linalg.solve(matrix[:m, :m], matrix[:m, m:]).T
            rest = matrix[m:, m:] - weights @ matrix[:m, m:]
        root = np.linalg.cholesky(rest)
    except np.linalg.LinAlgError:
        raise BadInput(
            Problem("correlations", ", ".join(group), "cannot hold together with the evidence")
        ) from None
    return Mixing(given, free, weights, root)


def _posterior(question: Question, name: str) -> Posterior | None:
    """Return the posterior that a belief's draws come from in any of the readings."""
    return next((s.posterior for s in question.distinct(name) if s.posterior is not None), None)


def _between(kept: Sequence[tuple[Posterior, str]]) -> Array:
    """Return how conditioned beliefs correlate, by their normal scores in the posterior."""
    if len({p.size for p, _ in kept}) > 1 or kept[0][0].size <= len(kept) + 1:
        return np.eye(len(kept))
    return np.atleast_2d(np.corrcoef([reference_scores(p, name) for p, name in kept]))


def reference(posterior: Posterior, name: str) -> Array:
    """Return one value of a conditioned belief for every kept draw, shape (kept,).

    A belief that is drawn anew for each kept draw is taken at evenly spread levels, in an order
    that has nothing to do with the kept draws'.
    """
    size = posterior.size
    levels = (np.arange(size) * 0.6180339887498949) % 1.0
    z = special.ndtri(np.clip(levels, 0.5 / size, 1 - 0.5 / size))
    return np.asarray(posterior.sample(name, np.arange(size), z))


def reference_scores(posterior: Posterior, name: str) -> Array:
    """Return the normal scores of the reference values, by their ranks."""
    values = reference(posterior, name)
    return np.asarray(special.ndtri((np.argsort(np.argsort(values, kind="stable")) + 0.5) / len(values)))


def correlation_matrix(question: Question, group: Sequence[str]) -> Array:
    """Return the correlation matrix of the scores of a group of beliefs.

    A Spearman rank correlation ρ of two normal scores is a Pearson one of 2·sin(πρ/6)
    (Kruskal 1958, JASA 53:814).

    Raises
    ------
    BadInput
        Where a belief is a point, or the correlations cannot all hold: the pair whose own
        correlation has to shrink most is named.
    """
    place = {name: i for i, name in enumerate(group)}
    matrix = np.eye(len(group))
    pairs = question.ties(group)
    for correlation in pairs:
        first, second = correlation.between
        where = f"correlations {first}, {second}"
        for name in correlation.between:
            if all(source.point is not None for source in question.distinct(name)):
                raise BadInput(Problem(correlation.layer, where, f"{name} is a point and cannot correlate"))
        if all(_posterior(question, name) is not None for name in correlation.between):
            raise BadInput(
                Problem(
                    correlation.layer, where,
                    "both beliefs are conditioned on evidence, which says how they correlate",
                    hint="state one of them outright, or leave the correlation out",
                )
            )  # fmt: skip
        value = 2.0 * math.sin(math.pi * correlation.rank / 6.0)
        matrix[place[first], place[second]] = matrix[place[second], place[first]] = value
    if np.linalg.eigvalsh(matrix)[0] < 1e-9:
        _, vectors = np.linalg.eigh(matrix)
        weakest = np.outer(vectors[:, 0], vectors[:, 0]) * matrix
        # Along the weakest direction the pairs' terms sum to below -1: the most negative is worst.
        worst = min(pairs, key=lambda c: weakest[place[c.between[0]], place[c.between[1]]])
        raise BadInput(
            Problem(
                worst.layer, f"correlations {worst.between[0]}, {worst.between[1]}",
                "cannot hold together with the other correlations (not positive definite)",
                worst.rank, "bring it closer to 0",
            )
        )  # fmt: skip
    return matrix
