"""The rows of a portfolio that could be funded: all scored on the same worlds, their draws held."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from difprog.base import limits
from difprog.base.errors import BadInput, Problem
from difprog.beliefs.project import Project
from difprog.choose.averages import means
from difprog.choose.portfolio import Portfolio, Row
from difprog.choose.rows import Array, Rows
from difprog.forecast.believed import believed
from difprog.forecast.conditioning import question_of
from difprog.forecast.forecast import Forecast, shares
from difprog.forecast.kept import Kept
from difprog.forecast.question import Question
from difprog.forecast.request import Request
from difprog.forecast.sampling import Draws, draw
from difprog.forecast.setup import Setup
from difprog.forecast.summary import Summary
from difprog.forecast.weighing import Weighing, fewest
from difprog.models.model import vocabulary_of


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
class Candidates:
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
    worlds : Draws or None
        Draws of the first row, where an outcome is stated: how they count is how all rows' do.
    """

    request: Request
    setup: Setup
    rows: tuple[Candidate, ...]
    left: tuple[tuple[Row, BadInput], ...]
    nets: Array
    ways: tuple[Weighing, ...]
    values: Mapping[str, Array] = field(default_factory=dict)
    worlds: Draws | None = None

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
            np.array([one.cost for one in self.rows]), means(self.nets, self.weights),
            np.array(self.credences), groups, np.array([one.net.p_negative for one in self.rows]),
        )  # fmt: skip

    def drawn(self, places: Iterable[int]) -> Iterator[tuple[str, Draws]]:
        """Yield the names and the draws of some rows, one at a time: their effects are not held."""
        kept, known = Kept(), vocabulary_of(self.setup.models)
        for place in places:
            project = self.request.supposed(self.rows[place].row.project(known))
            question, layers = question_of(project, self.setup, kept)
            draws = draw(question, self.request.draws, self.request.seed, kept=kept)
            yield project.name, believed(draws, layers, self.setup.believe, kept)

    def matched(self, other: Candidates) -> Rows:
        """Return another's rows in the places of these; those that it has not are not to be had."""
        place = {one.row.number: at for at, one in enumerate(other.rows)}
        rows, here = other.table(), self.table()
        at = [place.get(one.row.number) for one in self.rows]
        inside = np.array([p is not None for p in at])
        index = [0 if p is None else p for p in at]
        assert rows.p_negative is not None
        return replace(
            here,
            effects=np.where(inside, rows.effects[:, index], -1.0),
            p_negative=np.where(inside, rows.p_negative[index], 1.0),
        )


def candidates(
    portfolio: Portfolio, request: Request, progress: Callable[[int, int], None] | None = None
) -> Candidates:
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
    return Candidates(
        request, setup, tuple(found), tuple(left), np.stack(nets, axis=1), first.ways, _world_beliefs(first),
        first if first.tilts else None,
    )  # fmt: skip


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
        what = "must be above 0 to be allocated to" if mean == 0 else "must be stated to be allocated to"
        raise BadInput(Problem(row.where, "cost", what, 0 if mean == 0 else mean, "in USD, such as $250k"))
    return mean


def _world_beliefs(draws: Draws) -> dict[str, Array]:
    """Return the draws of beliefs about the world on which all readings agree."""
    question: Question = draws.question
    return {
        name: np.asarray(value, dtype=float)
        for name, value in draws.values.items()
        if np.ndim(value) == 1 and not question.personal(name) and np.ptp(value) > 0
    }
