"""From files to a forecast: layers, models and evidence brought together for one project.

The library's front door: `prepare` reads, `score` draws and summarises. Prints nothing.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from difprog.base import files
from difprog.base.errors import BadInput, Problem
from difprog.beliefs import coherence
from difprog.beliefs.beliefs import Belief, Correlation, Layer, Stack
from difprog.beliefs.credences import read_credences
from difprog.beliefs.families import Point
from difprog.beliefs.outcomes import Outcome, parse_believe
from difprog.beliefs.project import Project, read_project
from difprog.beliefs.standing import standing_stacks
from difprog.forecast.believed import believed
from difprog.forecast.copula import mixing
from difprog.forecast.question import Question, View
from difprog.forecast.sampling import Draws, Kept, draw
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
from difprog.models.model import Model, load, shipped_models, vocabulary_of

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


def announce(line: str) -> None:
    """Say on standard error what takes a while, so that nobody waits without knowing for what."""
    sys.stderr.write(f"difprog: {line}\n")
    sys.stderr.flush()


@dataclass(frozen=True)
class Setup:
    """Models, priors and credences that any number of projects are scored under.

    Attributes
    ----------
    models : tuple of Model
        In the order of the report.
    stacks : dict of str to Stack
        Per model, the layers below the project's own.
    credences : dict of str to float
        Per model, over all models that have one; they sum to 1.
    use_evidence : bool
        Whether beliefs that say so are conditioned on evidence.
    believe : tuple of Outcome
        What is stated about the outcome, over what the layers and the proposal state.
    say : callable
        Told, in a line, when something starts that takes a while: conditioning for the first time.
    """

    models: tuple[Model, ...]
    stacks: dict[str, Stack]
    credences: dict[str, float]
    use_evidence: bool = True
    believe: tuple[Outcome, ...] = ()
    say: Callable[[str], None] = field(default=announce, compare=False)


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


def prepare(
    models: Sequence[str] = (),
    priors: Sequence[str] = (),
    use_evidence: bool = True,
    *,
    scenarios: Sequence[str] = (),
    believe: Sequence[str] = (),
) -> Setup:
    """Load models and the belief files that stand under every project.

    Layers stack in the order of `difprog.beliefs.standing`; a proposal's beliefs come last.

    Parameters
    ----------
    models : sequence of str
        Names or paths; all shipped models by default.
    priors, scenarios : sequence of str
        Names or paths of further layers; scenarios lie over priors.
    use_evidence : bool
        Whether beliefs that say so are conditioned on evidence.
    believe : sequence of str
        Statements about the outcome, such as "p_success=80%", or names of published ones.

    Raises
    ------
    BadInput
        With every problem of every file.
    """
    problems: list[Problem] = []
    outcomes: tuple[Outcome, ...] = ()
    try:
        outcomes = parse_believe(believe)
    except BadInput as error:
        problems.extend(error.problems)
    loaded: list[Model] = []
    for name in dict.fromkeys(models or shipped_models()):
        try:
            loaded.append(load(name))
        except BadInput as error:
            problems.extend(error.problems)
    if not models:
        # From the base race to everything at once: by the number of mechanisms opened.
        loaded.sort(key=lambda model: (len(model.opens), model.name))
    names = [m.name for m in loaded]
    problems.extend(
        Problem(twice, "", "two models have this name", hint="rename the file")
        for twice in sorted({n for n in names if names.count(n) > 1})
    )
    stacks: dict[str, Stack] = {}
    try:
        stacks = standing_stacks(loaded, vocabulary_of(loaded), priors=priors, scenarios=scenarios)
    except BadInput as error:
        problems.extend(error.problems)
    credences: dict[str, float] = {}
    if loaded:
        try:
            credences = read_credences(names)
        except BadInput as error:
            problems.extend(error.problems)
    if problems:
        raise BadInput(*dict.fromkeys(problems))
    return Setup(tuple(loaded), stacks, credences, use_evidence, outcomes)


def find_project(name: str, setup: Setup) -> Project:
    """Read the proposal that a path or a bare name means; raises `BadInput`."""
    vocabulary = vocabulary_of(setup.models)
    return read_project(files.find(name, "project"), vocabulary, name if files.is_path(name) else None)


def question_of(
    project: Project,
    setup: Setup,
    kept: Kept | None = None,
    conditioned: Callable[[View], View] | None = None,
) -> tuple[Question, tuple[tuple[Layer, ...], ...]]:
    """Return the question that a project is under a setup's readings, and each reading's layers.

    Parameters
    ----------
    project : Project
        The proposal.
    setup : Setup
        Models and layers.
    kept : Kept, optional
        Keeps what several projects share; changes no number.
    conditioned : callable, optional
        Puts evidence in a view's beliefs, where it is at hand; `condition` by default.

    Raises
    ------
    BadInput
        Where a belief is missing or correlations cannot hold, for all readings at once.
    """
    views: list[View] = []
    layers: list[tuple[Layer, ...]] = []
    certain: list[bool] = []
    problems: list[Problem] = []
    correlations: dict[tuple[str, str], Correlation] = {}
    for model in setup.models:
        stack = Stack((*setup.stacks[model.name].layers, project.layer))
        sure = project.certain(stack.layers)
        names = [n for n in model.reads if not (sure and n == "hit_probability")]
        beliefs, missing = stack.resolve(names, project.facts, model.vocabulary)
        problems.extend(
            p._replace(file=project.source.label, hint=f"{model.name} reads it; {p.hint}") for p in missing
        )
        if missing:
            continue
        try:
            view = View(model, beliefs)
            views.append(condition(view, project, setup, kept) if conditioned is None else conditioned(view))
        except BadInput as error:
            problems.extend(error.problems)
        correlations.update(stack.correlations)
        layers.append(stack.layers)
        certain.append(sure)
    if problems:
        raise BadInput(*dict.fromkeys(problems))
    question = Question(
        tuple(views), project.facts, project.criteria, tuple(certain), tuple(correlations.values()),
        own=project.name.strip(),
    )  # fmt: skip
    for group in question.groups:
        mixing(question, group)
    return question, tuple(layers)


def condition(
    view: View, project: Project, setup: Setup, kept: Kept | None = None
) -> View:
    """Return a view with its beliefs conditioned on evidence and on the reviews.

    A belief that names a dataset is that dataset's prior and is replaced by its posterior, the
    kept one where there is one (see `difprog.evidence.store`). The proposal's reviews are pooled
    and replace what would be derived, whether or not datasets are used.

    Raises
    ------
    BadInput
        Where a belief names a dataset that does not condition it.
    DiagnosticsFailed
        Where a fit was needed and cannot be trusted.
    """
    tagged = {n: b for n, b in view.beliefs.items() if b.evidence and b.evidence != "reviews"}
    if not project.reviews and not (tagged and setup.use_evidence):
        return view
    from difprog.evidence import DATASETS, likelihood, reviews, store

    beliefs = dict(view.beliefs)
    parts = []
    if setup.use_evidence:
        problems = [
            Problem(b.layer, f"beliefs.{n}.evidence", "is no dataset that conditions it", b.evidence)
            for n, b in tagged.items()
            if b.evidence not in DATASETS or n not in likelihood(b.evidence).BELIEFS
        ]
        if problems:
            raise BadInput(*problems)
        stack = Stack((*setup.stacks[view.model.name].layers, project.layer))
        for dataset in DATASETS:
            names = likelihood(dataset).BELIEFS
            # A point is certain: no data can move it.
            moved = [b for b in tagged.values() if b.evidence == dataset and not isinstance(b.shape, Point)]
            if moved and all(n in beliefs for n in names):
                shapes = {n: beliefs[n].shape for n in names}
                find = partial(store.condition, dataset, shapes, stack.as_of, say=setup.say)
                key = ("posterior", dataset, tuple(shapes.items()), stack.as_of)
                parts.append(find() if kept is None else kept.get(key, find))
    if project.reviews:
        pools = reviews.pools(project, view.model)
        parts.extend(reviews.posterior(project, name, pool) for name, pool in pools.items())
        beliefs.update(reviews.beliefs(project, pools))
    join = partial(store.combine, parts)
    joint = join() if kept is None else kept.get(("joint", *((p.key or id(p)) for p in parts)), join)
    return replace(view, beliefs=beliefs, posterior=joint)


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
    for answer in answers:
        beliefs = answer.beliefs
        found.extend(str(d) for d in coherence.of_project(project, beliefs.get) if d.topic != "source")
    found = list(dict.fromkeys(found))
    read = {name for answer in answers for name in answer.beliefs}
    if idle := [name for name in project.layer.beliefs if name not in read]:
        who = "this model does not read" if len(answers) == 1 else "none of these models reads"
        found.append(f"the proposal states what {who}: {', '.join(idle)}")
    unsourced: dict[str, Belief] = {}
    for answer in answers:
        for name, belief in answer.beliefs.items():
            if not belief.source and name not in ("effort", "duration", "cost"):
                unsourced.setdefault(name, belief)
    if unsourced:
        listed = ", ".join(f"{name} ({b.layer})" for name, b in sorted(unsourced.items()))
        found.append(f"no source is given for: {listed}")
    return found
