"""The best set of rows within limits, by mixed-integer programming on the rows near the margin.

The solver is HiGHS (Huangfu & Hall 2018, Parallelizing the dual revised simplex method, Math Prog Comp
10:119) through `scipy.optimize`. First the programme in which rows may be funded in part is solved. Its
dual values price what is scarce (dollars, places in a group, room for harm) and weigh the models, and with
any such prices no set can be worth more than what they make of it. A row that is worth so much more or less
than its price that no set without it, or with it, could beat one that is at hand is settled (Dantzig 1957,
Discrete-variable extremum problems, Oper Res 5:266; Dembo & Hammer 1980, A reduction algorithm for knapsack
problems, Methods Oper Res 36:49): of a thousand rows a few dozen are left to branch on. What rounding inside
the solver let through is checked against the numbers themselves, and excluded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from difprog.choose.rows import Array, Rows, Set, total
from difprog.choose.solver import silent, solved

#: Objectives are handed to the solver with the largest effect at this size: its tolerances are
#: absolute, 1e-6.
SCALE = 1e3

#: What ties: relative to the largest effect.
TIE = 1e-9

#: What counts as proved, relative to the largest effect: the solver's own tolerances, of 1e-6 at `SCALE`,
#: with room for rounding.
PROVED = 1e-8

#: Rows that are tried to fill up what the relaxed programme leaves.
TRIED = 200

#: How much of a row the relaxed programme must fund for the row to be tried whole.
WHOLE = 1 - 1e-6


class NoSet(ValueError):
    """No set is within the limits: a row that is to be in does not fit the budget, or the cap."""


class Goal(NamedTuple):
    """What is to be as large as can be: the least, over lines, of the set's sum less what it is held to."""

    lines: Array
    """Shape (lines, rows)."""
    tops: Array
    """Shape (lines,)."""

    def worth(self, found: Set) -> float:
        """Return what a set comes to."""
        sums = [total(line, found) for line in self.lines]
        return min(made - float(top) for made, top in zip(sums, self.tops, strict=True))


class Prices(NamedTuple):
    """What the relaxed programme says of every limit, in the goal's unit."""

    limits: Array
    """Per unit of each limit, shape (limits,); ≥ 0."""
    lines: Array
    """The goal's lines weighed, shape (lines,); ≥ 0 and they sum to 1."""
    floors: Array
    """Shape (floors,); ≥ 0."""
    funded: Array
    """How much of each row, in [0, 1]."""


def linear(values: Array) -> Goal:
    """Return the goal of the largest sum of values, shape (rows,)."""
    return Goal(values[None, :], np.zeros(1))


class Limits:
    """The sets that are allowed: within the budget, at most one of each group, within the cap on harm.

    Parameters
    ----------
    rows : Rows
        What there is.
    budget : float
        In USD.
    max_harm : float, optional
        As in `difprog.choose.rules.choose`.
    forced, barred : int, optional
        A row that is to be in, and one that is to be out.

    Raises
    ------
    ValueError
        Where a cap is asked for and ``rows.p_negative`` is not there.

    Attributes
    ----------
    table, bounds : array, shapes (limits, rows) and (limits,)
        ``table · x ≤ bounds``: the budget first, then the groups, then the cap.
    groups : int
        Groups of several rows.
    unit : float
        Dollars per unit of the table's first and last line.
    """

    def __init__(
        self, rows: Rows, budget: float, max_harm: float | None = None,
        forced: int | None = None, barred: int | None = None,
    ) -> None:  # fmt: skip
        from scipy.sparse import csr_array, vstack

        self.rows, self.budget, self.max_harm, self.forced = rows, float(budget), max_harm, forced
        self.usable = rows.cost <= budget
        if max_harm is not None:
            if rows.p_negative is None:
                raise ValueError("a cap on harm needs each row's share of worlds harmed")
            self.usable &= (rows.cost > 0) | (rows.p_negative <= max_harm)
        if barred is not None:
            self.usable[barred] = False
        # Cost in units of the budget, or of the dearest row where all fit.
        dearest = float(rows.cost.max(initial=0.0))
        self.unit = max(min(self.budget, float(rows.cost.sum())), dearest, 1e-300)
        groups = rows.exclusive
        self.groups = len(groups)
        members = [row for group in groups for row in group]
        which = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
        places = csr_array((np.ones(len(members)), (which, members)), shape=(len(groups), len(rows.cost)))
        parts = [csr_array(rows.cost[None, :] / self.unit), places]
        bounds = [self.budget / self.unit, *[1.0] * len(groups)]
        self.group = np.full(len(rows.cost), -1)
        self.group[members] = which
        if max_harm is not None and rows.p_negative is not None:
            parts.append(csr_array((rows.cost / self.unit * (rows.p_negative - max_harm))[None, :]))
            bounds.append(0.0)
        self.table, self.bounds = vstack(parts, format="csr"), np.array(bounds)

    @property
    def possible(self) -> bool:
        """Whether the row that is to be in can be."""
        return self.forced is None or bool(self.usable[self.forced])

    @property
    def lower(self) -> Array:
        """How much of each row is funded at least, shape (rows,): 0, or 1 of the row that is to be in."""
        return np.asarray(np.arange(len(self.usable)) == self.forced, dtype=float)

    @property
    def upper(self) -> Array:
        """How much of each row is funded at most, shape (rows,): 0 or 1."""
        return self.usable.astype(float)

    def allow(self, found: Set) -> bool:
        """Whether a set keeps the budget and the cap, by the numbers themselves."""
        rows = self.rows
        within = total(rows.cost, found) <= self.budget * (1 + 1e-12)
        if self.max_harm is not None and rows.p_negative is not None:
            harm = rows.cost * (rows.p_negative - self.max_harm)
            within &= total(harm, found) <= 1e-12 * float(rows.cost.max(initial=1.0))
        return within

    def filled(self, goal: Goal, prices: Prices, worth: Array) -> Set:
        """Return a good set: the rows that the relaxed programme funds, and what else fits and helps.

        ``worth``, shape (rows,), is what each row is worth beyond its price: the best are tried first.
        """
        cost, group = self.rows.cost, self.group
        risk = np.zeros(len(cost)) if self.max_harm is None else self.table[[-1]].toarray()[0]
        start = self.usable & ((prices.funded >= WHOLE) | (self.lower > 0))
        inside = [int(row) for row in np.flatnonzero(start)]
        taken = set(group[start].tolist()) - {-1}
        spent, harm = float(cost[start].sum()), float(risk[start].sum())
        sums = goal.lines[:, start].sum(axis=1) - goal.tops
        left = self.usable & ~start & (cost <= self.budget - spent)
        order = [int(row) for row in np.argsort(-worth, kind="stable") if left[row]]
        for row in order[:TRIED]:
            more = sums + goal.lines[:, row]
            fits = spent + cost[row] <= self.budget and group[row] not in taken
            safe = risk[row] <= 0 or harm + risk[row] <= 0
            if fits and safe and more.min() > sums.min():
                inside.append(row)
                taken |= {int(group[row])} - {-1}
                spent, harm, sums = spent + cost[row], harm + risk[row], more
        return tuple(sorted(inside))


Floors = Sequence[tuple[Array, float]]
"""What a set must come to at least: values, shape (rows,), and the sum of them."""
Programme = tuple[Array, Any, Array]
"""Objective, shape (variables,), to be least; table, sparse, and bounds: ``table · x ≤ bounds``."""


class Best(NamedTuple):
    """The best set that was found."""

    rows: Set
    short: float
    """What no set is worth more by, in the goal's unit: 0 where none is better, to `PROVED`."""


def best(
    limits: Limits, goal: Goal, *, floors: Floors = (), known: Set | None = None, gap: float = 0.0
) -> Set:
    """Return the set that comes to most; as in `searched`."""
    return searched(limits, goal, floors=floors, known=known, gap=gap).rows


def searched(
    limits: Limits, goal: Goal, *, floors: Floors = (), known: Set | None = None, gap: float = 0.0,
    nodes: int | None = None,
) -> Best:  # fmt: skip
    """Return the set that comes to most, and how far from the best it can be.

    Parameters
    ----------
    limits : Limits
        What is allowed.
    goal : Goal
        Of what.
    floors : sequence of (array, float)
        What it must come to at least, by other values.
    known : tuple of int, optional
        A set that is allowed and meets the floors; needed where there are floors.
    gap : float
        How far, relatively, the set found may be from the best.
    nodes : int, optional
        Nodes of the search after which the best set by then is returned.

    Raises
    ------
    NoSet
        Where no set is allowed.
    """
    if not limits.possible:
        raise NoSet("the row that is to be in does not fit the budget")
    prices = relaxed(limits, goal, floors)
    if prices is None:
        if known is not None:  # rounding, where nothing but the set known meets the floors
            return Best(known, 0.0)
        prices = _free(limits, goal)
    worth, most = _worth(limits, goal, floors, prices)
    found = known if known is not None else limits.filled(goal, prices, worth)
    sound = limits.allow(found) and (limits.forced is None or limits.forced in found)
    at_hand = goal.worth(found) if sound else -np.inf
    near = gap * float(np.abs(np.append(goal.tops, at_hand if sound else 0.0)).max())
    if most - at_hand <= near:
        return Best(found, _short(limits, most - at_hand))
    unsettled = np.abs(worth) <= most - at_hand + TIE * limits.rows.size
    part = near / max(abs(most), 1e-300)
    other, bound = _branched(limits, _spelled(limits, goal, floors), worth, unsettled, part, nodes)
    if other is not None and goal.worth(other) > at_hand:
        found, at_hand = other, goal.worth(other)
    if at_hand == -np.inf:
        raise NoSet("no set is within the limits")
    # A set with another settled row is worth no more than the one at hand was.
    return Best(found, _short(limits, min(bound * limits.rows.size / SCALE, most) - at_hand))


def _short(limits: Limits, more: float) -> float:
    return more if more > PROVED * limits.rows.size else 0.0


def _worth(limits: Limits, goal: Goal, floors: Floors, prices: Prices) -> tuple[Array, float]:
    """Return what each row is worth beyond its price, shape (rows,), and what no set is worth more than."""
    worth = prices.lines @ goal.lines - prices.limits @ limits.table
    most = float(prices.limits @ limits.bounds - prices.lines @ goal.tops)
    for (values, floor), price in zip(floors, prices.floors.tolist(), strict=True):
        worth = worth + price * values
        most -= price * floor
    return worth, most + float(np.where(worth > 0, limits.upper, limits.lower) @ worth)


def _branched(
    limits: Limits, programme: Programme, worth: Array, unsettled: npt.NDArray[np.bool_], gap: float,
    nodes: int | None,
) -> tuple[Set | None, float]:  # fmt: skip
    """Return the best set in which the other rows are in where they are worth their price, or None.

    And what no such set is worth more than, in the solver's unit.
    """
    settled = np.maximum((worth > 0) * limits.upper, limits.lower)
    lower = np.where(unsettled, limits.lower, settled)
    upper = np.where(unsettled, limits.upper, settled)
    objective, table, bounds = programme
    extra = len(objective) - len(lower)
    cuts: list[Array] = []
    ends: list[float] = []
    while True:
        done = solved(
            objective, _stacked(table, cuts), np.append(bounds, ends),
            np.append(lower, np.full(extra, -np.inf)), np.append(upper, np.full(extra, np.inf)),
            np.append(np.ones(len(lower)), np.zeros(extra)), gap, nodes,
        )  # fmt: skip
        if done.x is None:
            return None, -done.bound
        chosen = done.x[: len(lower)] > 0.5
        found = tuple(int(row) for row in np.flatnonzero(chosen))
        if limits.allow(found):
            return found, -done.bound
        # Over the budget by less than the solver can see: this very set is out.
        cuts.append(np.append(np.where(chosen, 1.0, -1.0), np.zeros(extra)))
        ends.append(float(chosen.sum()) - 1.0)


def relaxed(limits: Limits, goal: Goal, floors: Floors = ()) -> Prices | None:
    """Return the prices of the programme in which rows may be funded in part; None where there is none."""
    from scipy.optimize import linprog

    unit = SCALE / limits.rows.size
    objective, table, bounds = _spelled(limits, goal, floors)
    extra = len(objective) - len(limits.usable)
    ends = np.column_stack([
        np.append(limits.lower, np.full(extra, -np.inf)), np.append(limits.upper, np.full(extra, np.inf))
    ])  # fmt: skip
    with silent():
        done = linprog(objective, A_ub=table, b_ub=bounds, bounds=ends, method="highs")
    if done.x is None:
        return None
    dual = np.maximum(-done.ineqlin.marginals, 0.0)
    first = len(limits.bounds)
    lines = np.ones(1)
    if extra:
        lines = dual[first : first + len(goal.tops)]
        lines = lines / lines.sum()
    floor = dual[len(dual) - len(floors) :]
    return Prices(dual[:first] / unit, lines, floor, done.x[: len(limits.usable)])


def _free(limits: Limits, goal: Goal) -> Prices:
    """Return prices of nothing, which hold for any programme: for one that the solver finds no others for.

    That is where costs are apart by more than twelve powers of ten.
    """
    lines = np.full(len(goal.tops), 1 / len(goal.tops))
    return Prices(np.zeros(len(limits.bounds)), lines, np.zeros(0), np.zeros(len(limits.usable)))


def _spelled(limits: Limits, goal: Goal, floors: Floors) -> Programme:
    """Return a programme as the solver takes it.

    Where the goal has several lines there is one variable more: the least of them.
    """
    from scipy.sparse import csr_array, hstack, vstack

    unit = SCALE / limits.rows.size
    count = len(limits.usable)
    if len(goal.tops) == 1:
        objective, table, bounds = -goal.lines[0] * unit, limits.table, limits.bounds
    else:
        objective = np.append(np.zeros(count), -1.0)
        lines = np.column_stack([-goal.lines * unit, np.ones(len(goal.tops))])
        wide = hstack([limits.table, csr_array((len(limits.bounds), 1))])
        table = vstack([wide, csr_array(lines)], format="csr")
        bounds = np.append(limits.bounds, -goal.tops * unit)
    rest = [np.append(-values * unit, np.zeros(len(objective) - count)) for values, _ in floors]
    return objective, _stacked(table, rest), np.append(bounds, [-floor * unit for _, floor in floors])


def _stacked(table: Any, lines: Sequence[Array]) -> Any:
    from scipy.sparse import csr_array, vstack

    return vstack([table, csr_array(np.stack(lines))], format="csr") if lines else table
