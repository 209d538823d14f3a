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
from difprog.beliefs.project import Project
from difprog.choose import allocate
from difprog.choose.allocate import Choice, Disappointment, Needed, Rows, Span, Step
from difprog.choose.portfolio import Portfolio, Row
from difprog.choose.together import Together, together
from difprog.forecast.forecast import Forecast, Setup, shares
from difprog.forecast.question import Question
from difprog.forecast.request import Request
from difprog.forecast.sampling import Draws, Kept
from difprog.forecast.summary import Summary, Weighing, clustered_error, dot, fewest
from difprog.models.model import vocabulary_of
from difprog.why.information import Gain

Array = npt.NDArray[np.float64]

#: How many rows just below the line are told what they would need, and how many beliefs are asked about.
NEAR, BELIEFS = 5, 3


@dataclass(frozen=True)
class Candidate:
    """A row that could be funded.

    Attributes
    ----------
    row, name, cost, group
        As the portfolio says; the cost expected, in USD.
    net : Summary
        Net effect of the mixture.
    by_model : tuple of Summary
        Under each model.
    reviews : dict of str to float
        Reviewer → the mean net effect of the mixture, were their intervals all that is stated.
    """

    row: Row
    name: str
    cost: float
    group: str | None
    net: Summary
    by_model: tuple[Summary, ...]
    reviews: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Turn:
    """The chosen set's mean effect where a belief about the world is in its lowest and highest tenth."""

    belief: str
    low: float
    low_se: float
    high: float
    high_se: float


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
        Net effects.
    ways : tuple of Weighing
        Per model, how draws count: alike, but where the outcome is stated.
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
        return fewest(way.clusters for way in self.ways)

    @property
    def weights(self) -> list[Array | None]:
        """Each model's weights of its draws; None where they count alike."""
        return [way.weights for way in self.ways]

    def plain(self) -> Array:
        """Return draws whose plain means are the weighted ones of `nets`, and of its shape."""
        if all(weight is None for weight in self.weights):
            return self.nets
        return np.stack([
            np.stack([way.plain(row) for row in table])
            for way, table in zip(self.ways, self.nets, strict=True)
        ])  # fmt: skip

    def table(self) -> Rows:
        """Return what there is to choose from."""
        groups = tuple(one.group for one in self.rows)
        return Rows(
            np.array([one.cost for one in self.rows]), allocate.means(self.nets, self.weights),
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
    turns : tuple of Turn
        How the set's effect hangs on beliefs about the world, what it hangs on most first.
    scenarios : dict of str to Choice
        What would be funded under each scenario asked about.
    reviews : dict of str to Choice
        What each way to put reviews together would fund; empty where no row is reviewed.
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
    turns: tuple[Turn, ...]
    scenarios: dict[str, Choice]
    reviews: dict[str, Choice]


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
            _check_worlds(forecast.draws, first, row)
        except BadInput as error:
            left.append((row, error))
            continue
        found.append(
            Candidate(row, project.name, cost, project.group or None, forecast.ensemble["net_effect"],
                      tuple(answer.net for answer in forecast.models),
                      _reviewers(project, request, setup, kept))
        )  # fmt: skip
        nets.append(forecast.draws.net_effect)
    if progress is not None:
        progress(-1, len(portfolio.rows))
    if first is None:
        raise BadInput(*(problem for _, error in left for problem in error.problems))
    ways = tuple(first.weighing(place) for place in range(len(setup.models)))
    return Stack(
        request, setup, tuple(found), tuple(left), np.stack(nets, axis=1), ways, _world_beliefs(first)
    )


def _check_worlds(draws: Draws, first: Draws, row: Row) -> None:
    """Refuse a row whose worlds without it, or how they count, are not those of the other rows."""
    if not draws.same_worlds(first):
        raise BadInput(
            Problem(row.where, "beliefs", "states beliefs about the world that other rows do not",
                    hint="what is about the world belongs in a layer: --priors FILE")
        )  # fmt: skip


def _reviewers(project: Project, request: Request, setup: Setup, kept: Kept) -> dict[str, float]:
    """Return what a proposal comes to on each reviewer's word alone: reviewer → mean net effect."""
    found = {}
    for review in project.reviews:
        beliefs = {**project.layer.beliefs, **{name: {"": own} for name, own in review.effects.items()}}
        alone = replace(project, reviews=(), layer=replace(project.layer, beliefs=beliefs))
        found[review.reviewer] = request.forecast(alone, setup, kept).ensemble["net_effect"].mean
    return found


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
    evpi, which = allocate.information(
        rows, stack.nets, budget, max_harm=max_harm, weights=stack.weights
    )
    said = {place: list(one.reviews.values()) for place, one in enumerate(stack.rows) if one.reviews}
    budgets = sorted({*allocate.budgets_for(rows), float(budget)})
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
        harmed=allocate.harmed(stack.nets, rows.credences, choice.rows, stack.weights),
        bar=allocate.bar(rows, budget, rule, max_harm),
        frontier=tuple(allocate.frontier(rows, budgets, rule, max_harm)),
        by_model=tuple(models[place] for place in range(len(stack.setup.models))),
        by_rule=rules,
        spans=tuple(allocate.credence_spans(rows, budget, max_harm)),
        needed=tuple(allocate.needed(rows, budget, place, rule_told, max_harm) for place in below),
        disappointment=allocate.disappointment(
            rows, stack.plain(), budget, clusters=stack.clusters, max_harm=max_harm
        ),
        evpi=evpi,
        which_model=which,
        beliefs=_worth_knowing(stack, rows, budget, max_harm, blind),
        turns=_turns(stack, rows, choice),
        scenarios={
            name: allocate.choose(_matched(other, stack), budget, rule, max_harm)
            for name, other in (beside or {}).items()
        },
        reviews={how: allocate.by_reviews(rows, said, how, budget, max_harm) for how in allocate.REVIEWS}
        if said else {},
    )  # fmt: skip


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
    inside = stack.nets[:, list(blind.rows), :].sum(axis=1, keepdims=True)
    asked = _leading(stack, allocate.mixed(inside, rows.credences, stack.weights)[0][0])
    found = {
        name: allocate.information_of(
            rows, stack.nets, stack.values[name], budget, clusters=stack.clusters, max_harm=max_harm,
            weights=stack.weights,
        )
        for name in asked
    }
    return dict(sorted(found.items(), key=lambda item: -item[1].value))


def _leading(stack: Stack, total: Array) -> list[str]:
    """Return the beliefs about the world with which an effect is most correlated in rank."""
    near = {name: abs(_rank_correlation(value, total)) for name, value in stack.values.items()}
    return sorted(near, key=lambda name: (-near[name], name))[:BELIEFS]


def _turns(stack: Stack, rows: Rows, choice: Choice) -> tuple[Turn, ...]:
    """Return how a set's effect hangs on the beliefs about the world that it hangs on most."""
    if not choice.rows:
        return ()
    inside = stack.nets[:, list(choice.rows), :].sum(axis=1, keepdims=True)
    nets, weights = allocate.mixed(inside, rows.credences, stack.weights)
    total, count = nets[0], nets.shape[1]
    counts = np.full(count, 1.0 / count) if weights is None else weights
    found = []
    for name in _leading(stack, total):
        order = np.argsort(stack.values[name], kind="stable")
        below = np.cumsum(counts[order])
        ends: list[float] = []
        for part in (order[below <= 0.1 + 1e-9], order[below > 0.9 + 1e-9]):
            size = float(counts[part].sum())
            if size == 0:
                break
            centre = dot(counts[part], total[part]) / size
            apart = np.zeros(count)
            apart[part] = total[part] - centre
            ends += [centre, clustered_error(apart, stack.clusters, weights=weights) / size]
        if len(ends) == 4:
            found.append(Turn(name, ends[0], ends[1], ends[2], ends[3]))
    return tuple(sorted(found, key=lambda turn: -abs(turn.high - turn.low)))


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
