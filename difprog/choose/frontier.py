"""What more or less money buys: the best sets at other budgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from difprog.choose.rows import Choice, Rows, Set
from difprog.choose.rules import choose


class Step(NamedTuple):
    """One point of the frontier."""

    budget: float
    value: float
    expected: float
    rows: Set


def frontier(
    rows: Rows, budgets: Sequence[float], rule: str = "expected", max_harm: float | None = None,
    known: Mapping[float, Choice] | None = None,
) -> list[Step]:  # fmt: skip
    """Return the best set at each of some budgets; each as `choose` finds it when it may be rough.

    Parameters
    ----------
    rows, rule, max_harm
        As in `choose`.
    budgets : sequence of float
        In USD; see `budgets_for`.
    known : mapping of float to Choice, optional
        Budgets at which the choice is made already.
    """
    found = []
    for budget in budgets:
        best = (known or {}).get(budget) or choose(rows, budget, rule, max_harm, rough=True)
        found.append(Step(float(budget), best.value, best.expected, best.rows))
    return found


def budgets_for(rows: Rows, most: int = 25) -> list[float]:
    """Return budgets worth a point: what the best rows per dollar cost one after the other."""
    wanted = [row for row in rows.by_price() if rows.expected[row] > 0 and rows.cost[row] > 0]
    sums = np.cumsum([rows.cost[row] for row in wanted])
    if len(sums) > most:
        sums = sums[np.unique(np.linspace(0, len(sums) - 1, most).astype(int))]
    return [float(each) for each in sums]
