"""What to fund within a budget, under a rule.

A choice is a set of rows whose cost is within the budget, at most one of each group: the best there is
(`difprog.choose.programme`). Effects of a set are taken as the sum of its rows' here; what they come to
together is for who runs the race to say.

Rules
-----
- ``expected``: the largest effect averaged over models by credence.
- ``worst``: the largest effect under the model under which it is least (maximin).
- ``regret``: the smallest regret: how far, under the model where it is farthest, the effect falls
  short of what is best under that model (Savage 1951, The theory of statistical decision, J Am
  Stat Assoc 46:55).

Of sets that tie under a rule the one with the largest expectation is chosen, and of those the
cheapest, among up to `EXACT` rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from difprog.choose import programme
from difprog.choose.programme import TIE, Floors, Goal, Limits, linear
from difprog.choose.rows import Array, Choice, Rows, Set, total

RULES = ("expected", "worst", "regret")

#: Up to so many rows ties are broken. Of more, what only stands beside a choice (other budgets, what a row
#: would need) is looked for under ``worst`` and ``regret`` within `GAP` of the best, as a share of the set's
#: effect: far less than the error of any effect. The choice itself is the best there is, or says what a set
#: could be worth more for all that `NODES` nodes of the search have proved.
EXACT, GAP, NODES = 60, 1e-4, 1_000

#: The gap, where there are more rows, of the many programmes that only say what knowing is worth, or look for
#: any better set: what they miss is less than a thousandth of the set's effect.
LOOSE = 1e-3


def choose(
    rows: Rows, budget: float, rule: str = "expected", max_harm: float | None = None, *, rough: bool = False
) -> Choice:
    """Return the best set within a budget.

    Parameters
    ----------
    rows : Rows
        What there is.
    budget : float
        In USD.
    rule : str
        One of `RULES`.
    max_harm : float, optional
        Cap on harm: Σ cost·p_negative ≤ max_harm·Σ cost over the set. Of a dollar of what is
        spent and a world, both taken at random, the chance that the dollar's row does net harm in
        that world. (The share of worlds in which the set as a whole does harm is not linear, and
        is for the caller to show beside it: `harmed`.) A row that costs nothing is held to the cap
        on its own.
    rough : bool
        Whether a set within `GAP` of the best will do, where there are more rows than `EXACT`.

    Raises
    ------
    ValueError
        Where the rule is none, or a cap is asked for and ``rows.p_negative`` is not there.
    """
    limits = Limits(rows, budget, max_harm)
    goal = goal_of(limits, rule)
    found, short = best_under(limits, goal), 0.0
    if _hard(limits, goal) and not rough:
        # What is nearly the best settles more rows, and leaves fewer to search.
        found, short = programme.searched(limits, goal, known=found, nodes=NODES)
    value = goal.worth(found)
    if len(rows.cost) <= EXACT:
        floors: Floors = _kept(goal, value, rows)
        if rule != "expected":
            found = _tied(limits, rows.expected, found, floors)
            floors = [*floors, (rows.expected, total(rows.expected, found) - TIE * rows.size)]
        # Rows that neither cost nor do anything are left out too.
        cost = rows.cost / max(float(rows.cost.max(initial=0.0)), 1e-300) * rows.size
        found = _tied(limits, -cost, found, floors)
    by_model = tuple(total(row, found) for row in rows.effects)
    return Choice(found, total(rows.cost, found), value, total(rows.expected, found), by_model, short)


def goal_of(limits: Limits, rule: str) -> Goal:
    """Return what a rule makes as large as can be.

    Raises
    ------
    ValueError
        Where the rule is none.
    """
    effects = limits.rows.effects
    if rule == "expected":
        return linear(limits.rows.expected)
    if rule == "worst":
        return Goal(effects, np.zeros(len(effects)))
    if rule == "regret":
        goals = [linear(row) for row in effects]
        return Goal(effects, np.array([goal.worth(programme.best(limits, goal)) for goal in goals]))
    raise ValueError(f"no rule is called {rule}")


def best_under(limits: Limits, goal: Goal) -> Set:
    """Return a best set, ties not broken; within `GAP` of one under ``worst`` and ``regret`` of many rows."""
    return programme.best(limits, goal, gap=GAP if _hard(limits, goal) else 0.0)


def _hard(limits: Limits, goal: Goal) -> bool:
    """Whether proving that no set is better may take long: many rows, and the least of several sums."""
    return len(goal.tops) > 1 and len(limits.usable) > EXACT


def _kept(goal: Goal, value: float, rows: Rows) -> list[tuple[Array, float]]:
    """Return what keeps a goal's value where it is: every line's sum, and the least it may be."""
    slack = TIE * rows.size
    return [
        (line, value + top - slack) for line, top in zip(goal.lines, goal.tops.tolist(), strict=True)
    ]


def _tied(limits: Limits, values: Array, found: Set, floors: Floors) -> Set:
    """Return the set with the largest sum of values of those that tie with one found."""
    other = programme.best(limits, linear(values), floors=floors, known=found)
    better = total(values, other) > total(values, found)
    return other if better and all(total(row, other) >= floor for row, floor in floors) else found


def support(
    rows: Rows, budget: float, max_harm: float | None = None
) -> tuple[tuple[Choice, ...], dict[str, Choice]]:
    """Return the choice under each model alone, in their order, and under each rule.

    Parameters
    ----------
    rows, budget, max_harm
        As in `choose`.
    """
    models = tuple(choose(rows.known(row), budget, "expected", max_harm) for row in rows.effects)
    return models, {rule: choose(rows, budget, rule, max_harm) for rule in RULES}


#: How reviewers' judgements are put together: as the one who thinks least of a row says, as the
#: one who is keenest says, or their mean.
REVIEWS: dict[str, Callable[[Sequence[float]], float]] = {
    "consensus": min, "champion": max, "pool": lambda said: math.fsum(said) / len(said),
}  # fmt: skip


def by_reviews(
    rows: Rows,
    reviews: Mapping[int, Sequence[float]],
    how: str,
    budget: float,
    max_harm: float | None = None,
) -> Choice:
    """Return what reviewers would fund, under a rule for putting their judgements together.

    Parameters
    ----------
    rows, budget, max_harm
        As in `choose`. Rows that nobody reviewed keep their effects.
    reviews : mapping of int to sequence of float
        Row → its mean net effect according to each of its reviewers.
    how : str
        One of `REVIEWS`.
    """
    if how not in REVIEWS:
        raise ValueError(f"reviews are not put together by {how}")
    effects = rows.expected.copy()
    for row, said in reviews.items():
        if said:
            effects[row] = REVIEWS[how](said)
    return choose(rows.known(effects), budget, max_harm=max_harm)
