"""From a portfolio to a budget: every row's effect under every model, and what to fund of them.

`candidates` scores the rows and holds their draws; `decide` chooses, and asks what would change the
choice: rules, models, credences, scenarios, more draws, perfect information.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from difprog.base import limits
from difprog.base.errors import BadInput, Problem
from difprog.choose import allocate
from difprog.choose.allocate import Choice, Disappointment, Needed, Rows, Span, Step
from difprog.choose.portfolio import Portfolio, Row
from difprog.choose.together import Together, together
from difprog.forecast.forecast import Forecast, Setup, shares
from difprog.forecast.question import Question
from difprog.forecast.request import Request
from difprog.forecast.sampling import Draws, Kept
from difprog.forecast.summary import Summary, Weighing
from difprog.models.model import vocabulary_of
from difprog.why.sensitivity import Gain

Array = npt.NDArray[np.float64]

#: How many rows just below the line are told what they would need, and how many beliefs are asked about.
NEAR, BELIEFS = 5, 5


@dataclass(frozen=True)
class Candidate:
    """A row that could be funded."""

    row: Row
    name: str
    cost: float
    group: str | None
    net: Summary
    by_model: tuple[Summary, ...]


@dataclass(frozen=True)
class Stack:
    """All rows of a portfolio, scored on the same worlds.

    Attributes
    ----------
    request, setup
        Under what.
    rows : tuple of Candidate
        Those that could be scored and state a cost.
    left : tuple of (Row, BadInput)
        Those that could not.
    nets : array, shape (models, rows, draws)
        Net effects; where the outcome is stated, draws whose plain means are the weighted ones.
    ways : tuple of Weighing
        Per model, how draws count.
    values : dict of str to array
        Draws of the world beliefs that do not differ between readings, shape (draws,).
    """

    request: Request
    setup: Setup
    rows: tuple[Candidate, ...]
    left: tuple[tuple[Row, BadInput], ...]
    nets: Array
    ways: tuple[Weighing, ...]
    values: Mapping[str, Array] = field(default_factory=dict)

    @property
    def credences(self) -> list[float]:
        """The models' credences, which sum to 1."""
        return shares([self.setup.credences[model.name] for model in self.setup.models])

    @property
    def clusters(self) -> int | None:
        """The fewest posterior draws that any model's draws are spread over."""
        return min((way.clusters for way in self.ways if way.clusters is not None), default=None)

    def table(self) -> Rows:
        """Return what there is to choose from."""
        groups = tuple(one.group for one in self.rows)
        return Rows(
            np.array([one.cost for one in self.rows]), allocate.means(self.nets),
            np.array(self.credences), groups, np.array([one.net.p_negative for one in self.rows]),
        )  # fmt: skip

    def forecast(self, place: int) -> Forecast:
        """Return a row's forecast again, with its effects."""
        known = vocabulary_of(self.setup.models)
        return self.request.forecast(self.request.supposed(self.rows[place].row.project(known)), self.setup)


@dataclass(frozen=True)
class Decision:
    """What to fund within a budget, and what would change that.

    Attributes
    ----------
    stack : Stack
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
    scenarios : dict of str to Choice
        What would be funded under each scenario asked about.
    """

    stack: Stack
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
    scenarios: dict[str, Choice]


def candidates(
    portfolio: Portfolio, request: Request, progress: Callable[[int, int], None] | None = None
) -> Stack:
    """Score the rows of a portfolio and hold their draws.

    Raises
    ------
    BadInput
        Where no row can be scored, or there are more draws than are held.
    """
    setup = request.setup()
    held = len(portfolio.rows) * len(setup.models) * request.draws
    limits.HELD.check(held, "allocate", "rows × models × draws")
    kept, known = Kept(), vocabulary_of(setup.models)
    found: list[Candidate] = []
    left: list[tuple[Row, BadInput]] = []
    nets: list[Array] = []
    first: Draws | None = None
    for done, unread in enumerate(portfolio.rows):
        if progress is not None:
            progress(done, len(portfolio.rows))
        row = unread.loaded()
        try:
            project = request.supposed(row.project(known))
            forecast = request.forecast(project, setup, kept)
            cost = _cost(forecast, row)
            first = first or forecast.draws
            if not np.array_equal(forecast.draws.without, first.without):
                raise BadInput(
                    Problem(row.where, "beliefs", "states beliefs about the world that other rows do not",
                            hint="what is about the world belongs in a layer: --priors FILE")
                )  # fmt: skip
        except BadInput as error:
            left.append((row, error))
            continue
        found.append(
            Candidate(row, project.name, cost, project.group or None, forecast.ensemble["net_effect"],
                      tuple(answer.net for answer in forecast.models))
        )  # fmt: skip
        nets.append(
            np.stack([answer.weighing.plain(answer.drawn("net_effect")) for answer in forecast.models])
        )
    if progress is not None:
        progress(-1, len(portfolio.rows))
    if first is None:
        raise BadInput(*(problem for _, error in left for problem in error.problems))
    ways = tuple(first.weighing(place) for place in range(len(setup.models)))
    return Stack(
        request, setup, tuple(found), tuple(left), np.stack(nets, axis=1), ways, _world_beliefs(first)
    )


def _cost(forecast: Forecast, row: Row) -> float:
    """Return a row's expected cost in USD."""
    cost = forecast.models[0].value("cost") if "cost" in forecast.models[0].beliefs else None
    mean = None if cost is None else float(np.mean(cost))
    if mean is None or not 0 < mean < np.inf:
        raise BadInput(
            Problem(row.where, "cost", "must be stated to be allocated to", mean, "in USD, such as $250k")
        )
    return mean


def _world_beliefs(draws: Draws) -> dict[str, Array]:
    """Return the draws of beliefs about the world on which all readings agree."""
    question: Question = draws.question
    return {
        name: np.asarray(value, dtype=float)
        for name, value in draws.values.items()
        if np.ndim(value) == 1 and not question.personal(name) and np.ptp(value) > 0
    }


def decide(
    stack: Stack,
    budget: float,
    rule: str = "expected",
    max_harm: float | None = None,
    *,
    beside: Mapping[str, Stack] | None = None,
) -> Decision:
    """Choose what to fund, and ask what would change that.

    Parameters
    ----------
    stack : Stack
        What there is.
    budget : float
        In USD.
    rule : str
        One of `difprog.choose.allocate.RULES`.
    max_harm : float, optional
        Cap on harm, see `difprog.choose.allocate.choose`.
    beside : mapping of str to Stack, optional
        The same rows under other scenarios.
    """
    rows = stack.table()
    choice = allocate.choose(rows, budget, rule, max_harm)
    models, rules = allocate.support(rows, budget, max_harm)
    set_of = together([stack.forecast(place) for place in choice.rows]) if choice.rows else None
    blind = allocate.choose(rows, budget, max_harm=max_harm)
    evpi, which = allocate.information(rows, stack.nets, budget, max_harm=max_harm)
    out = [place for place in _by_price(rows) if place not in choice.rows]
    rule_told = rule if rule in ("expected", "worst") else "expected"
    below = [place for place in out if rows.expected[place] > 0][:NEAR]
    return Decision(
        stack=stack,
        budget=budget,
        rule=rule,
        max_harm=max_harm,
        choice=choice,
        together=set_of,
        harmed=allocate.harmed(stack.nets, rows.credences, choice.rows) if choice.rows else 0.0,
        bar=allocate.bar(rows, budget, rule, max_harm),
        frontier=tuple(allocate.frontier(rows, allocate.budgets_for(rows), rule, max_harm)),
        by_model=tuple(models[place] for place in range(len(stack.setup.models))),
        by_rule=rules,
        spans=tuple(allocate.credence_spans(rows, budget, max_harm)),
        needed=tuple(allocate.needed(rows, budget, place, rule_told, max_harm) for place in below),
        disappointment=allocate.disappointment(
            rows, stack.nets, budget, clusters=stack.clusters, max_harm=max_harm
        ),
        evpi=evpi,
        which_model=which,
        beliefs=_worth_knowing(stack, rows, budget, max_harm, blind),
        scenarios={
            name: allocate.choose(_matched(other, stack), budget, rule, max_harm)
            for name, other in (beside or {}).items()
        },
    )


def _by_price(rows: Rows) -> list[int]:
    """Return rows by effect per dollar, best first."""
    price = rows.expected / np.maximum(rows.cost, 1e-300)
    return [int(place) for place in np.argsort(-price, kind="stable")]


def _worth_knowing(
    stack: Stack, rows: Rows, budget: float, max_harm: float | None, blind: Choice
) -> dict[str, Gain]:
    """Return what it is worth to know beliefs about the world before choosing, the worthiest first.

    Only those are asked about with which the chosen set's effect is most correlated in rank: each
    takes many programmes.
    """
    if not blind.rows:
        return {}
    total = np.einsum("m,mrd->d", rows.credences, stack.nets[:, list(blind.rows), :])
    near = {name: abs(_rank_correlation(value, total)) for name, value in stack.values.items()}
    asked = sorted(near, key=lambda name: (-near[name], name))[:BELIEFS]
    found = {
        name: allocate.information_of(
            rows, stack.nets, stack.values[name], budget, clusters=stack.clusters, max_harm=max_harm
        )
        for name in asked
    }
    return dict(sorted(found.items(), key=lambda item: -item[1].value))


def _rank_correlation(one: Array, other: Array) -> float:
    first, second = (np.argsort(np.argsort(each, kind="stable"), kind="stable") for each in (one, other))
    return float(np.corrcoef(first, second)[0, 1])


def _matched(other: Stack, stack: Stack) -> Rows:
    """Return another stack's rows in the places of this one's; those it has not are not to be had."""
    place = {one.row.number: at for at, one in enumerate(other.rows)}
    rows, here = other.table(), stack.table()
    at = [place.get(one.row.number) for one in stack.rows]
    inside = np.array([p is not None for p in at])
    index = [0 if p is None else p for p in at]
    assert rows.p_negative is not None
    return replace(
        here,
        effects=np.where(inside, rows.effects[:, index], -1.0),
        p_negative=np.where(inside, rows.p_negative[index], 1.0),
    )


def picked(choices: Mapping[str, Choice] | Sequence[Choice], names: Sequence[str], place: int) -> list[str]:
    """Return the names of the choices that a row is in."""
    each = list(choices.values()) if isinstance(choices, Mapping) else list(choices)
    return [name for name, choice in zip(names, each, strict=True) if place in choice.rows]
