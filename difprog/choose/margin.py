"""The line between what is funded and what is not: its price, and what a row below it would need."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import NamedTuple

import numpy as np

from difprog.choose import programme
from difprog.choose.programme import SCALE, TIE, Limits, NoSet
from difprog.choose.rows import Choice, Rows, total
from difprog.choose.rules import EXACT, best_under, goal_of
from difprog.choose.solver import solved

#: How finely the cost is found at which a row would be in, relatively, of more than `EXACT` rows.
ROUGH = 1e-3


class Needed(NamedTuple):
    """What a row that is left out would have to be, all else as it is, to be chosen."""

    row: int
    cost: float | None
    """The largest cost at which it is; None where no cost does it."""
    effect: float
    """The smallest effect by credence at which it is, the same amount added under every model;
    infinite where it costs more than the budget, or harms more than the cap lets any set."""


def bar(rows: Rows, budget: float, rule: str = "expected", max_harm: float | None = None) -> float:
    """Return the price at the margin: effect per dollar of the last dollar, the bar for the next row.

    The dual value of the budget in the programme in which rows may be funded in part; without
    groups and caps, what the row that the budget runs out on does per dollar. 0 where money is left.

    Parameters
    ----------
    rows, budget, rule, max_harm
        As in `choose`.
    """
    if budget <= 0:
        return 0.0
    limits = Limits(rows, budget, max_harm)
    prices = programme.relaxed(limits, goal_of(limits, rule))
    return 0.0 if prices is None else float(prices.limits[0]) / limits.unit


def needed(
    rows: Rows, budget: float, row: int, rule: str = "expected", max_harm: float | None = None,
    choice: Choice | None = None,
) -> Needed:  # fmt: skip
    """Return what a row that is left out would have to cost, or to show, to be chosen.

    Parameters
    ----------
    rows, budget, rule, max_harm
        As in `difprog.choose.rules.choose`; ``rule`` is ``expected`` or ``worst``.
    row : int
        Which.
    choice : Choice, optional
        What is chosen under the rule, where it is known.
    """
    if rule not in ("expected", "worst"):
        raise ValueError("what a row needs is told under the rules expected and worst only")
    if choice is not None and row not in choice.rows:
        out = choice.value
    else:
        without = Limits(rows, budget, max_harm, barred=row)
        goal = goal_of(without, rule)
        out = goal.worth(best_under(without, goal))
    slack, effect = TIE * rows.size, math.inf
    inside = Limits(rows, budget, max_harm, forced=row)
    goal = goal_of(inside, rule)
    with suppress(NoSet):
        short = out - goal.worth(best_under(inside, goal))
        # Added under every model, an amount adds itself to every set that the row is in.
        effect = float(rows.expected[row]) + max(short, 0.0)
        if short <= slack:
            return Needed(row, float(rows.cost[row]), effect)
    return Needed(row, _dearest(Limits(rows, budget, max_harm), row, rule, out - slack), effect)


def _dearest(limits: Limits, row: int, rule: str, least: float) -> float | None:
    """Return the largest cost, up to its own, at which a row is in a set worth so much; None for none.

    A programme in which the row is in, and its cost is a variable: as large as can be.
    """
    from scipy.sparse import csr_array, hstack, vstack

    rows, unit = limits.rows, limits.unit
    others = np.asarray(np.arange(len(rows.cost)) != row, dtype=float)
    most = min(float(rows.cost[row]), limits.budget)
    #: Dollars of the row in the lines that count dollars: in the budget, and in the cap.
    spent = np.zeros(len(limits.bounds))
    spent[0] = 1.0
    own = np.zeros(spent.shape)
    own[1 : 1 + limits.groups] = 1.0
    risky = None
    if limits.max_harm is not None and rows.p_negative is not None:
        risky = float(rows.p_negative[row] - limits.max_harm)
        spent[-1] = risky
    member = csr_array(limits.table[:, [row]].multiply(own[:, None]))
    parts = [limits.table[:, :row], member, limits.table[:, row + 1 :], csr_array(spent[:, None])]
    scale = SCALE / rows.size
    lines = goal_of(limits, rule).lines
    floors = csr_array(np.column_stack([-lines * scale, np.zeros(len(lines))]))
    x = solved(
        np.append(np.zeros(len(others)), -SCALE),
        vstack([hstack(parts), floors], format="csr"),
        np.append(limits.bounds, np.full(len(lines), -least * scale)),
        np.append(1.0 - others, 0.0),
        np.append(np.maximum(limits.upper, 1.0 - others), most / unit),
        np.append(np.ones(len(others)), 0.0),
        0.0 if len(others) <= EXACT else ROUGH,
    ).x  # fmt: skip
    if x is None:
        return None
    beside = [int(each) for each in np.flatnonzero(x[:-1] > 0.5) if each != row]
    cost = min(most, limits.budget - total(rows.cost, beside))
    if risky is not None and risky > 0:
        assert rows.p_negative is not None
        assert limits.max_harm is not None
        cost = min(cost, -total(rows.cost * (rows.p_negative - limits.max_harm), beside) / risky)
    # What costs nothing is held to the cap on its own.
    return cost if cost > 0 else None if risky is not None and risky > 0 else 0.0
