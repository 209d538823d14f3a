"""A forecast: draws of one project's question, summed up per model and over all of them.

The library's front door is `score`, under what `difprog.forecast.setup` has read. Prints nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property, partial
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt

from difprog.base.errors import BadInput, Problem
from difprog.beliefs import coherence
from difprog.beliefs.beliefs import Belief, Layer, Stack
from difprog.beliefs.project import Project
from difprog.forecast.believed import believed
from difprog.forecast.conditioning import question_of
from difprog.forecast.kept import Kept
from difprog.forecast.question import Question, View
from difprog.forecast.sampling import Draws, draw
from difprog.forecast.setup import Setup
from difprog.forecast.summary import (
    Quantiles,
    Summary,
    quantiles_given,
    sign,
    summarise,
    summarise_mixture,
)
from difprog.forecast.tilting import Tilt
from difprog.forecast.weighing import Weighing, fewest
from difprog.models.model import Model

Array = npt.NDArray[np.float64]

DEFAULT_DRAWS = 20_000
DEFAULT_SEED = 1
DEFAULT_PROB = 0.9

#: What `score` summarises for every model, in the order of the JSON.
QUANTITIES = (
    "p_success_without",
    "p_success_with",
    "net_effect",
    "parallel_speedup",
    "serial_speedup",
    "capability_speedup",
    "timeline_shortening",
)
MIXED = QUANTITIES[:3]

#: Latest arrival, in years, of which the spread is a number: its square is one.
LATEST = 1e150


@dataclass(frozen=True)
class ModelForecast:
    """One reading's answer, as a view of the forecast's draws.

    Attributes
    ----------
    draws : Draws
        Those of all readings.
    place : int
        Which of them this is.
    layers : tuple of Layer
        What its beliefs rest on.
    credence : float
        The reading's weight.
    summaries : dict of str to Summary
        What `QUANTITIES` names.
    arrival, arrival_given_success : Quantiles
        Median, lower and upper end of when AGI arrives without the project, and given that it
        goes well.
    """

    draws: Draws
    place: int
    layers: tuple[Layer, ...]
    credence: float
    summaries: dict[str, Summary]
    arrival: Quantiles
    arrival_given_success: Quantiles | None

    def __post_init__(self) -> None:
        """Refuse numbers that are too large for their spread to be one."""
        latest = float(np.max(self.value("agi_arrival")))
        wrong = [] if latest < LATEST else ["agi_arrival"]
        for name, found in self.summaries.items():
            numbers = found.mean, found.sd, found.median, found.lower, found.upper
            if not all(map(math.isfinite, numbers)) or math.isinf(found.mcse):
                wrong.append(name)
        if wrong:
            what = f"go beyond the numbers that a machine holds: {', '.join(wrong)} has no mean or spread"
            hint = "look for one that is huge or tiny"
            raise BadInput(Problem(self.model.name, "beliefs", what, hint=hint))

    @property
    def view(self) -> View:
        """The reading's beliefs."""
        return self.draws.question.views[self.place]

    @property
    def model(self) -> Model:
        """The reading of the race."""
        return self.view.model

    @property
    def beliefs(self) -> Mapping[str, Belief]:
        """The beliefs it reads."""
        return self.view.beliefs

    @property
    def clusters(self) -> int | None:
        """Number of kept posterior draws that the draws are spread over, None for no limit."""
        return self.draws.question.clusters(self.place)

    @cached_property
    def weighing(self) -> Weighing:
        """How its draws count."""
        return self.draws.ways[self.place]

    @property
    def tilt(self) -> Tilt | None:
        """What was done to its draws so that they meet what is stated; None where nothing is."""
        return self.draws.tilts[self.place] if self.draws.tilts else None

    @property
    def net(self) -> Summary:
        """The net effect on the chance of success."""
        return self.summaries["net_effect"]

    def value(self, name: str) -> Any:
        """Return a belief's draws, shape (draw,), or a float."""
        return self.draws.value(name, self.place)

    def drawn(self, quantity: str) -> Array:
        """Return the draws of one of `QUANTITIES`, shape (draw,)."""
        found: Array = quantity_draws(self.draws, quantity)[self.place]
        return found


@dataclass(frozen=True)
class Forecast:
    """All readings' answers about one project, on the same worlds."""

    project: Project
    setup: Setup
    draws: Draws
    models: tuple[ModelForecast, ...]
    ensemble: dict[str, Summary]
    prob: float
    warnings: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """Number of draws."""
        return self.draws.count

    @property
    def seed(self) -> int:
        """The seed that they come from."""
        return self.draws.seed

    @property
    def sign_disagreement(self) -> bool:
        """Whether some model's mean effect is resolved above zero and another's below."""
        signs = {sign(m.net) for m in self.models}
        return {1, -1} <= signs

    @property
    def as_of(self) -> date:
        """The date from which years are counted."""
        return Stack(self.models[0].layers).as_of

    @property
    def weights(self) -> list[float]:
        """The models' credences, scaled to sum to 1 over those shown."""
        return shares([m.credence for m in self.models])

    @cached_property
    def data(self) -> Any:
        """The draws as an ArviZ DataTree (xarray), dims chain, draw, reading, world."""
        from difprog.forecast.tree import tree

        return tree(self.draws, prob=self.prob, as_of=self.as_of, credences=self.weights)


def shares(credences: Sequence[float]) -> list[float]:
    """Return credences scaled to sum to 1; equal ones where all are 0."""
    total = math.fsum(credences)
    return [c / total for c in credences] if total > 0 else [1.0 / len(credences)] * len(credences)


#: How each of `QUANTITIES` is had from draws.
_DRAWS: dict[str, Callable[[Draws], Array]] = {
    "p_success_without": lambda d: d.without,
    "p_success_with": lambda d: d.with_project,
    "net_effect": lambda d: d.net_effect,
}


def quantity_draws(draws: Draws, name: str) -> Array:
    """Return draws of one of `QUANTITIES`, shape (reading, draw)."""
    return _DRAWS[name](draws) if name in _DRAWS else draws.effect(name)


def answers(
    draws: Draws,
    layers: Sequence[tuple[Layer, ...]],
    credences: Sequence[float],
    prob: float,
    kept: Kept | None = None,
) -> tuple[ModelForecast, ...]:
    """Summarise every reading's answer from the draws; what projects share is kept."""
    kept = kept or Kept()
    found = []
    columns = {name: quantity_draws(draws, name) for name in QUANTITIES}
    levels = 0.5, (1.0 - prob) / 2.0, (1.0 + prob) / 2.0
    for place, (own, credence) in enumerate(zip(layers, credences, strict=True)):
        way = draws.ways[place]
        arrival, without = np.asarray(draws.value("agi_arrival", place)), draws.without[place]
        held = [] if way.weights is None else [way.weights]
        what = place, way.clusters, prob
        shared = "p_success_without"
        summaries = {
            name: summarise(column[place], way, prob) for name, column in columns.items() if name != shared
        }
        summaries[shared] = kept.made_of(
            (shared, *what), [without, *held], partial(summarise, without, way, prob)
        )
        arrives = partial(quantiles_given, arrival, way=way, levels=levels)
        found.append(
            ModelForecast(
                draws, place, own, credence, {name: summaries[name] for name in QUANTITIES},
                kept.made_of(("arrival", *what), [arrival, *held], partial(arrives, chance=1.0)),
                kept.made_of(
                    ("arrival given success", *what), [arrival, without, *held],
                    partial(arrives, chance=without),
                ) if without.any() else None,
            )
        )  # fmt: skip
    return tuple(found)


def score(
    project: Project,
    setup: Setup,
    count: int = DEFAULT_DRAWS,
    seed: int = DEFAULT_SEED,
    prob: float = DEFAULT_PROB,
    kept: Kept | None = None,
) -> Forecast:
    """Score a project under every model of the setup.

    Parameters
    ----------
    project : Project
        The proposal.
    setup : Setup
        Models, layers and credences.
    count, seed : int
        Number of draws and the seed.
    prob : float
        Probability of the intervals.
    kept : Kept, optional
        Keeps what several projects share; changes no number.

    Raises
    ------
    BadInput
        With every problem.
    """
    question, layers = question_of(project, setup, kept)
    draws = believed(draw(question, count, seed, kept=kept), layers, setup.believe, kept)
    return summed_up(project, setup, draws, layers, prob, kept)


def summed_up(
    project: Project,
    setup: Setup,
    draws: Draws,
    layers: Sequence[tuple[Layer, ...]],
    prob: float,
    kept: Kept | None = None,
) -> Forecast:
    """Return the forecast that draws amount to."""
    credences = [setup.credences[view.model.name] for view in draws.question.views]
    found = answers(draws, layers, credences, prob, kept)
    return Forecast(
        project=project,
        setup=setup,
        draws=draws,
        models=found,
        ensemble=mix(draws, credences, prob, kept),
        prob=prob,
        warnings=tuple(doubts(project, found)),
    )


def fewest_clusters(question: Question) -> int | None:
    """Return the least number of kept draws that any reading's draws are spread over."""
    return fewest(question.clusters(place) for place in range(len(question.views)))


def mix(
    draws: Draws, credences: Sequence[float], prob: float, kept: Kept | None = None
) -> dict[str, Summary]:
    """Return the mixture of the readings' answers by credence."""
    kept = kept or Kept()
    held = [t.weights for t in draws.tilts if t is not None]
    shared = "p_success_without"
    own = [name for name in MIXED if name != shared]
    found = {name: mixed(draws, quantity_draws(draws, name), credences, prob) for name in own}
    found[shared] = kept.made_of(
        (shared, "mixed", tuple(credences), prob, fewest_clusters(draws.question)), [draws.without, *held],
        partial(mixed, draws, draws.without, credences, prob),
    )  # fmt: skip
    return {name: found[name] for name in MIXED}


def mixed(draws: Draws, columns: Iterable[Any], credences: Sequence[float], prob: float) -> Summary:
    """Return the mixture by credence of columns that belong to the readings of draws."""
    return summarise_mixture(columns, draws.ways, shares(credences), prob)


def doubts(project: Project, answers: Sequence[ModelForecast]) -> list[str]:
    """Return what a reader should know before trusting a forecast."""
    found = [f"the proposal does not state {fact}, which was assumed" for fact in project.assumed]
    # To two digits: those that some thousands of draws support.
    arrival = float(f"{median(answer.arrival.values[0] for answer in answers):.2g}")
    for answer in answers:
        about = coherence.of_project(project, answer.beliefs.get, arrival=arrival)
        found.extend(str(d) for d in about if d.topic != "source")
    found = list(dict.fromkeys(found))
    read = {name for answer in answers for name in answer.beliefs}
    if idle := [name for name in project.layer.beliefs if name not in read]:
        who = "this model does not read" if len(answers) == 1 else "none of these models reads"
        found.append(f"the proposal states what {who}: {', '.join(idle)}")
    unsourced: dict[str, Belief] = {}
    for answer in answers:
        for name, belief in answer.beliefs.items():
            if not belief.source and name not in ("effort", "start", "duration", "cost"):
                unsourced.setdefault(name, belief)
    if unsourced:
        listed = ", ".join(f"{name} ({b.layer})" for name, b in sorted(unsourced.items()))
        found.append(f"no source is given for: {listed}")
    return found
