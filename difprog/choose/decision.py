"""What to fund of a portfolio within a budget, and all that is asked about it.

Rules, models, credences, scenarios, reviewers, more draws, perfect information: what would change the choice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from difprog.choose.averages import harmed, mixed
from difprog.choose.candidates import Candidates
from difprog.choose.credences import Span, credence_spans
from difprog.choose.dependence import Turn, leading, turns
from difprog.choose.disappointment import Disappointment, disappointment
from difprog.choose.frontier import Step, budgets_for, frontier
from difprog.choose.information import information, information_of
from difprog.choose.margin import Needed, bar, needed
from difprog.choose.programme import Limits
from difprog.choose.rows import Array, Choice, Rows, Set
from difprog.choose.rules import REVIEWS, by_reviews, choose, support
from difprog.choose.together import Together, together
from difprog.why.information import Gain

#: How many rows just below the line are told what they would need.
NEAR = 5


@dataclass(frozen=True)
class Decision:
    """What to fund within a budget, and what would change that.

    Attributes
    ----------
    stack : Candidates
        What there was to choose from.
    budget : float
        In USD.
    rule : str
        By which it was chosen.
    max_harm : float or None
        The cap on harm, if any.
    choice : Choice
        The set.
    together : Together or None
        What the set comes to; None where it is empty.
    harmed : float
        Share of worlds in which the set does net harm.
    bar : float
        Effect per USD at the margin.
    frontier : tuple of Step
        The best sets at other budgets.
    by_model : tuple of Choice
        What each model alone would fund.
    by_rule : dict of str to Choice
        What each rule would fund.
    spans : tuple of Span
        Per model, the credences in it over which the set expected to be best stays so.
    needed : tuple of Needed
        What the rows just below the line would have to cost or to show.
    disappointment : Disappointment
        How far the choice flatters itself.
    evpi, which_model : Gain
        What it is worth to know everything, and which model is right, before choosing.
    beliefs : dict of str to Gain
        What it is worth to know a belief's tenth before choosing, the worthiest first.
    turns : tuple of Turn
        How the set's effect hangs on beliefs about the world, what it hangs on most first.
    scenarios : dict of str to Choice
        What would be funded under each scenario asked about.
    reviews : dict of str to Choice
        What each way to put reviews together would fund; empty where no row is reviewed.
    """

    stack: Candidates
    budget: float
    rule: str
    max_harm: float | None
    choice: Choice
    together: Together | None
    harmed: float
    bar: float
    frontier: tuple[Step, ...]
    by_model: tuple[Choice, ...]
    by_rule: dict[str, Choice]
    spans: tuple[Span, ...]
    needed: tuple[Needed, ...]
    disappointment: Disappointment
    evpi: Gain
    which_model: Gain
    beliefs: dict[str, Gain]
    turns: tuple[Turn, ...]
    scenarios: dict[str, Choice]
    reviews: dict[str, Choice]


def decide(
    stack: Candidates,
    budget: float,
    rule: str = "expected",
    max_harm: float | None = None,
    *,
    beside: Mapping[str, Candidates] | None = None,
) -> Decision:
    """Choose what to fund, and ask what would change that.

    Parameters
    ----------
    stack : Candidates
        What there is.
    budget : float
        In USD.
    rule : str
        One of `difprog.choose.rules.RULES`.
    max_harm : float, optional
        Cap on harm, see `difprog.choose.rules.choose`.
    beside : mapping of str to Candidates, optional
        The same rows under other scenarios.
    """
    rows, asked = stack.table(), stack.request
    by_model, by_rule = support(rows, budget, max_harm)
    choice, blind = by_rule[rule], by_rule["expected"]
    limits = Limits(rows, budget, max_harm)
    evpi, which = information(limits, blind.rows, stack.nets, weights=stack.weights)
    said = {place: list(one.reviews.values()) for place, one in enumerate(stack.rows) if one.reviews}
    return Decision(
        stack=stack,
        budget=budget,
        rule=rule,
        max_harm=max_harm,
        choice=choice,
        together=together(stack.drawn(choice.rows), stack.credences, asked.prob) if choice.rows else None,
        harmed=harmed(stack.nets, rows.credences, choice.rows, stack.weights),
        bar=bar(rows, budget, rule, max_harm),
        frontier=tuple(
            frontier(
                rows, sorted({*budgets_for(rows), float(budget)}), rule, max_harm, {float(budget): choice}
            )
        ),
        by_model=by_model,
        by_rule=by_rule,
        spans=tuple(credence_spans(rows, budget, max_harm, blind.rows)),
        needed=tuple(_needed(rows, budget, rule, max_harm, by_rule)),
        disappointment=disappointment(
            rows, stack.plain(), budget, clusters=stack.clusters, max_harm=max_harm
        ),
        evpi=evpi,
        which_model=which,
        beliefs=_worth_knowing(stack, limits, blind),
        turns=_turns(stack, choice),
        scenarios={
            name: choose(stack.matched(other), budget, rule, max_harm)
            for name, other in (beside or {}).items()
        },
        reviews={how: by_reviews(rows, said, how, budget, max_harm) for how in REVIEWS} if said else {},
    )  # fmt: skip


def _needed(
    rows: Rows, budget: float, rule: str, max_harm: float | None, by_rule: Mapping[str, Choice]
) -> list[Needed]:
    """Return what the rows just below the line would need: under least regret, to be in by expectation."""
    told = rule if rule in ("expected", "worst") else "expected"
    chosen = by_rule[rule].rows
    below = [row for row in rows.by_price() if row not in chosen and rows.expected[row] > 0]
    return [needed(rows, budget, row, told, max_harm, by_rule[told]) for row in below[:NEAR]]


def _worth_knowing(stack: Candidates, limits: Limits, blind: Choice) -> dict[str, Gain]:
    """Return what it is worth to know beliefs about the world before choosing, the worthiest first.

    Only those are asked about on which the set's effect hangs most: each takes many programmes.
    """
    if not blind.rows:
        return {}
    total, _ = _summed(stack, blind.rows)
    found = {
        name: information_of(
            limits, blind.rows, stack.nets, stack.values[name], clusters=stack.clusters, weights=stack.weights
        )
        for name in leading(stack.values, total)
    }
    return dict(sorted(found.items(), key=lambda item: -item[1].value))


def _turns(stack: Candidates, choice: Choice) -> tuple[Turn, ...]:
    """Return how the set's effect hangs on beliefs about the world."""
    if not choice.rows:
        return ()
    total, weights = _summed(stack, choice.rows)
    return turns(stack.values, total, weights, stack.clusters)


def _summed(stack: Candidates, rows: Set) -> tuple[Array, Array | None]:
    """Return the sum of some rows' effects, mixed by credence, shape (draws,), and how each draw counts."""
    inside = stack.nets[:, list(rows), :].sum(axis=1, keepdims=True)
    (total,), weights = mixed(inside, np.array(stack.credences), stack.weights)
    return total, weights


def picked(choices: Mapping[str, Choice] | Sequence[Choice], names: Sequence[str], place: int) -> list[str]:
    """Return the names of the choices that a row is in."""
    each = list(choices.values()) if isinstance(choices, Mapping) else list(choices)
    return [name for name, choice in zip(names, each, strict=True) if place in choice.rows]
