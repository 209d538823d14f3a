"""Beliefs about the outcome: draws weighted so that they meet them, and otherwise change least.

A statement says that the mean of a function of the draws is some value: the chance that all goes
well, the chance of AGI by a year. Of all distributions over the draws that meet the statements, the
one closest to equal weights in relative entropy has weights ∝ exp(Σ λ_j f_j) (Robertson, Tallman &
Whiteman 2005, Forecasting using relative entropy, J Money Credit Bank 37:383). λ minimises the
convex function ln mean exp(Σ λ_j (f_j − v_j)), whose gradient is what the statements are missed by.

Statements that no weights can meet, or only weights that rest on few draws, are refused with the
range that can be met. Arrays in, plain numbers out: knows nothing of files, models or PyMC.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from difprog.forecast.weighing import Weighing, clustered_error, dot

Array = npt.NDArray[np.float64]

#: Smallest share of the draws that the weighted draws must be worth, and how many are enough of any
#: number: 400 of 20,000, and 400 of more, as the error of a weighted mean goes by how many there are.
SHARE, ENOUGH = 0.02, 400

#: How far a weighted mean may be from what is stated, in the spread of the function (absolutely,
#: for a chance, at most half of it).
TOLERANCE = 1e-11

#: Steps of Newton's method, halvings of one step, and halvings of a range that is looked for.
STEPS, HALVINGS, BISECTIONS = 100, 40, 26


class Tilt(NamedTuple):
    """Draws tilted to meet statements."""

    statements: tuple[str, ...]
    """Their names, sorted; what follows per statement is in this order."""
    stated: tuple[float, ...]
    before: tuple[float, ...]
    """Means over the draws as they were."""
    before_se: tuple[float, ...]
    """Monte Carlo standard errors of those (of ``after`` there is none: it is met exactly)."""
    after: tuple[float, ...]
    """Means over the weighted draws."""
    multipliers: tuple[float, ...]
    """λ, per unit of each function."""
    relative_entropy: float
    """Of the weighted draws to the draws as they were, in nats; ≥ 0."""
    effective_draws: float
    """1/Σ weight²."""
    weights: Array
    """Shape (draws,); they sum to 1."""
    moments: Array
    """The functions, shape (draws, statements): what errors of weighted means need too."""


class Range(NamedTuple):
    """What a statement may be stated to be."""

    low: float
    high: float


class Refusal(NamedTuple):
    """Why statements are not met."""

    hard: str
    """The statement that stands out: without it the others can be met, or it alone cannot be."""
    stated: float
    """Its value."""
    impossible: bool
    """Whether no weights at all meet the statements; False where too few draws would carry them."""
    effective_draws: float
    """Of the weights that meet them; 0 where none do."""
    needed: float
    """Effective draws that are asked for."""
    alone: dict[str, Range]
    """Statement → what it may be, stated on its own."""
    together: dict[str, Range | None]
    """Statement → what it may be, the others as they are; None where the others alone cannot be met."""
    nearest: Tilt | None
    """The hard statement moved into its range: what has to move most even so is what stands in the way."""


class Moved(NamedTuple):
    """How far one belief had to move."""

    belief: str
    distance: float
    """Kolmogorov–Smirnov distance between its draws before and after, in [0, 1]."""
    distance_se: float
    before: tuple[float, float, float]
    """5th, 50th and 95th percentile, in the belief's unit."""
    after: tuple[float, float, float]


def tilt(
    functions: Mapping[str, Any],
    stated: Mapping[str, float],
    share: float = SHARE,
    clusters: int | None = None,
) -> Tilt | Refusal | None:
    """Weight draws so that they meet statements.

    Parameters
    ----------
    functions : mapping of str to array, shape (draws,)
        Each statement's function of the draws.
    stated : mapping of str to float
        The mean that each is to have. The order makes no difference to any bit.
    share : float
        Smallest effective number of draws, as a share of the draws; no more than `ENOUGH` are asked for.
    clusters : int, optional
        As in `difprog.forecast.weighing.clustered_error`; for ``before_se`` only.

    Returns
    -------
    Tilt, Refusal or None
        None where nothing is stated.
    """
    names = tuple(sorted(stated))
    if not names:
        return None
    table, goal = _table(names, functions, stated)
    needed = _needed(len(table), share)
    found = _solve(table, goal)
    if found is None or _effective(found[0]) < needed:
        return _refuse(names, table, goal, needed, found, clusters)
    return _tilt(names, table, goal, *found, clusters)


def meets(functions: Mapping[str, Any], stated: Mapping[str, float], share: float = SHARE) -> bool:
    """Whether `tilt` would meet statements: what it would take, or what stands in the way, is not asked."""
    table, goal = _table(tuple(sorted(stated)), functions, stated)
    needed = _needed(len(table), share)
    found = _solve(table, goal, needed)
    return found is not None and _effective(found[0]) >= needed


def _table(
    names: tuple[str, ...], functions: Mapping[str, Any], stated: Mapping[str, float]
) -> tuple[Array, Array]:
    """Return the functions' values, shape (draws, statements), and the means that they are to have."""
    count = max(np.size(functions[name]) for name in names)
    columns = [np.broadcast_to(np.asarray(functions[name], float), (count,)) for name in names]
    return np.stack(columns, axis=1), np.array([float(stated[name]) for name in names])


def _needed(count: int, share: float) -> float:
    """Return how many effective draws of so many are asked for."""
    return min(share * count, ENOUGH)


def _tilt(
    names: tuple[str, ...], table: Array, goal: Array, weights: Array, slope: Array, clusters: int | None
) -> Tilt:
    count = len(table)
    used = weights > 0
    entropy = dot(weights[used], np.log(count * weights[used]))
    return Tilt(
        names, tuple(goal.tolist()), tuple(table.mean(axis=0).tolist()),
        tuple(clustered_error(column, clusters) for column in table.T),
        tuple(np.einsum("i,ij->j", weights, table).tolist()),
        tuple(slope.tolist()), max(entropy, 0.0), _effective(weights), weights, table,
    )  # fmt: skip


def _effective(weights: Array) -> float:
    return 1.0 / dot(weights, weights)


def _solve(
    table: Array, goal: Array, needed: float = 1.0, start: Array | None = None
) -> tuple[Array, Array] | None:
    """Return weights and multipliers that give the functions their means; None where none do.

    Newton's method on the convex dual, each step cut short until it descends. The relative entropy
    is at least what the dual has fallen to, and effective draws are at most draws·exp(−relative
    entropy) (Jensen): once that is below ``needed`` there is no need to go on.
    """
    constant = table.min(axis=0) == table.max(axis=0)
    if (np.abs(table[0] - goal)[constant] > 1e-12 * np.maximum(np.abs(goal[constant]), 1.0)).any():
        return None
    if ((goal <= table.min(axis=0)) | (goal >= table.max(axis=0)))[~constant].any():
        return None
    scale = np.where(constant, 1.0, table.std(axis=0))
    centred = np.ascontiguousarray(np.where(constant, 0.0, (table - goal) / scale).T)
    at = np.zeros(len(goal)) if start is None else start * scale
    value, weights, missed = _dual(centred, at)
    for _ in range(STEPS):
        if value < math.log(needed / len(table)):
            return None
        if np.abs(missed).max() <= TOLERANCE:
            return weights, at / scale
        curvature = np.einsum("i,ji,ki->jk", weights, centred, centred) - np.outer(missed, missed)
        step = -np.linalg.lstsq(curvature, missed, rcond=1e-13)[0]
        fall = float(missed @ step)
        if not fall < 0.0:
            return None
        length = 1.0
        for _ in range(HALVINGS):
            trial, tried, left = _dual(centred, at + length * step)
            # Where rounding hides the descent a smaller miss shows it.
            if trial <= value + 1e-4 * length * fall or np.abs(left).max() < 0.5 * np.abs(missed).max():
                break
            length /= 2.0
        else:
            return None
        at, value, weights, missed = at + length * step, trial, tried, left
    return None


def _dual(centred: Array, at: Array) -> tuple[float, Array, Array]:
    """Return ln mean exp(λ·f), the weights ∝ exp(λ·f), and the weighted means of f.

    Sums by einsum, not by BLAS: threads cost more than they save here, and could change a bit.
    """
    power = np.einsum("j,ji->i", at, centred)
    top = float(power.max())
    weights = np.exp(power - top)
    total = float(weights.sum())
    weights /= total
    return top + math.log(total / len(weights)), weights, np.einsum("i,ji->j", weights, centred)


def _refuse(
    names: tuple[str, ...],
    table: Array,
    goal: Array,
    needed: float,
    found: tuple[Array, Array] | None,
    clusters: int | None,
) -> Refusal:
    """Say what can be met, and which statement is the hard one."""
    every = range(len(names))
    alone = [_range(table[:, [j]], goal[[j]], 0, needed) for j in every]
    together = [_range(table, goal, j, needed) if len(names) > 1 else alone[j] for j in every]
    spread = np.maximum(table.std(axis=0), np.finfo(float).tiny)

    def outside(j: int, span: Range | None) -> float:
        """Return how far what is stated lies outside a range, in the spread of the function."""
        return 0.0 if span is None else float(max(span.low - goal[j], goal[j] - span.high, 0.0) / spread[j])

    far = [outside(j, alone[j]) for j in every]
    apart = [outside(j, together[j]) for j in every]
    # What cannot be met even alone comes first; then what the others, met, leave no room for.
    hard = int(np.argmax(far)) if max(far) > 0 else int(np.argmax(apart))
    span = together[hard] or alone[hard]
    nearest = None
    if span is not None:
        moved = goal.copy()
        moved[hard] = min(max(goal[hard], span.low), span.high)
        columns = list(every) if together[hard] is not None else [hard]
        met = _solve(table[:, columns], moved[columns])
        if met is not None:
            named = tuple(names[j] for j in columns)
            nearest = _tilt(named, table[:, columns], moved[columns], *met, clusters)
    return Refusal(
        hard=names[hard],
        stated=float(goal[hard]),
        impossible=found is None and not _possible(table, goal),
        effective_draws=0.0 if found is None else _effective(found[0]),
        needed=needed,
        alone={name: span for name, span in zip(names, alone, strict=True) if span is not None},
        together=dict(zip(names, together, strict=True)),
        nearest=nearest,
    )


def _possible(table: Array, goal: Array) -> bool:
    """Whether any weights, however uneven, meet the statements: a linear programme."""
    from scipy.optimize import linprog

    scale = np.maximum(np.abs(table - goal).max(axis=0), np.finfo(float).tiny)
    rows = np.vstack([((table - goal) / scale).T, np.ones(len(table))])
    wanted = np.append(np.zeros(len(goal)), 1.0)
    return bool(linprog(np.zeros(len(table)), A_eq=rows, b_eq=wanted, method="highs").status == 0)


def _range(table: Array, goal: Array, which: int, needed: float) -> Range | None:
    """Return what one statement may be, the others as stated, with enough effective draws."""
    others = [j for j in range(len(goal)) if j != which]
    column = table[:, which]
    if others:
        met = _solve(table[:, others], goal[others], needed)
        if met is None or _effective(met[0]) < needed:
            return None
        middle = dot(met[0], column)
        origin = np.insert(met[1], which, 0.0)
    else:
        middle, origin = float(column.mean().clip(column.min(), column.max())), np.zeros(1)
    ends = []
    for limit in (float(column.min()), float(column.max())):
        inside, beyond, start = middle, limit, origin
        for _ in range(BISECTIONS if limit != middle else 0):
            trial = (inside + beyond) / 2.0
            wanted = goal.copy()
            wanted[which] = trial
            met = _solve(table, wanted, needed, start)
            if met is not None and _effective(met[0]) >= needed:
                inside, start = trial, met[1]
            else:
                beyond = trial
        ends.append(inside)
    return Range(*ends)


def moved(
    beliefs: Mapping[str, Any],
    weights: Array,
    most: int | None = None,
    clusters: int | None = None,
    moments: Array | None = None,
) -> list[Moved]:
    """Return the beliefs that weights move, the one that moves most first.

    Parameters
    ----------
    beliefs : mapping of str to array of shape (draws,), or scalar
        Draws; scalars cannot move and are passed by.
    weights : array, shape (draws,)
        Weights that sum to 1.
    most : int, optional
        How many to return; all.
    clusters, moments
        As in `difprog.forecast.weighing.clustered_error`.
    """
    count = len(weights)
    flat = 1.0 / count
    found = []
    for name, values in beliefs.items():
        draws = np.asarray(values, dtype=float)
        if draws.ndim == 0 or draws.min() == draws.max():
            continue
        order = np.argsort(draws)
        ordered = draws[order]
        gap = np.cumsum(weights[order] - flat)
        gap[:-1][ordered[1:] == ordered[:-1]] = 0.0  # a cdf has no value inside a step
        place = int(np.argmax(np.abs(gap)))
        found.append((abs(float(gap[place])), name, draws, float(ordered[place])))
    found.sort(key=lambda each: (-each[0], each[1]))
    way = Weighing(count, clusters, weights, moments)
    return [_moved(*each, way) for each in found[:most]]


def _moved(distance: float, name: str, draws: Array, where: float, way: Weighing) -> Moved:
    below = (draws <= where).astype(float)
    # Weighted less plain share below: of the latter no part is explained by the moments.
    terms = way.each * way.residuals(below) * way.count - (below - below.mean())
    levels = (0.05, 0.5, 0.95)
    before = tuple(np.quantile(draws, levels).tolist())
    now = tuple(np.quantile(draws, levels, weights=way.each, method="inverted_cdf").tolist())
    return Moved(name, distance, clustered_error(terms, way.clusters), before, now)

