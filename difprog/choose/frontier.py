"""What more or less money buys: the best sets at other budgets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from difprog.choose.rows import Rows, Set
from difprog.choose.rules import choose


class Step(NamedTuple):
    """One point of the frontier."""

    budget: float
    value: float
    expected: float
    rows: Set


def frontier(
    rows: Rows, budgets: Sequence[float], rule: str = "expected", max_harm: float | None = None
) -> list[Step]:
    """Return the best set at each of some budgets; each as `choose` finds it.

    Parameters
    ----------
    rows, rule, max_harm
        As in `choose`.
    budgets : sequence of float
        In USD; see `budgets_for`.
    """
    found = []
    for budget in budgets:
        best = choose(rows, budget, rule, max_harm)
        found.append(Step(float(budget), best.value, best.expected, best.rows))
    return found


def budgets_for(rows: Rows, most: int = 25) -> list[float]:
    """Return budgets worth a point: what the best rows per dollar cost one after the other."""
    wanted = [row for row in rows.by_price() if rows.expected[row] > 0 and rows.cost[row] > 0]
    sums = np.cumsum([rows.cost[row] for row in wanted])
    if len(sums) > most:
        sums = sums[np.unique(np.linspace(0, len(sums) - 1, most).astype(int))]
    return [float(each) for each in sums]
