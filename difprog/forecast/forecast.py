"""From files to a forecast: layers, models and evidence brought together for one project.

The library's front door: `prepare` reads, `score` draws and summarises. Prints nothing.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from difprog.base import files
from difprog.base.errors import BadInput, Problem, Problems
from difprog.base.units import UnitError, quantity
from difprog.beliefs import coherence
from difprog.beliefs.beliefs import (
    MOST_WEIGHT,
    Belief,
    Layer,
    Stack,
    read_layer,
)
from difprog.beliefs.families import Point
from difprog.beliefs.project import Project, read_project
from difprog.forecast.memory import Memory
from difprog.forecast.simulate import Draws, Question, copula, correlated_groups, draw
from difprog.forecast.summary import Summary, sign, summarise, summarise_mixture, weighted_mean
from difprog.models.model import Model, load, shipped_models, vocabulary_of

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
    say : callable
        Told, in a line, when something starts that takes a while: conditioning for the first time.
    """

    models: tuple[Model, ...]
    stacks: dict[str, Stack]
    credences: dict[str, float]
    use_evidence: bool = True
    say: Callable[[str], None] = field(default=announce, compare=False)


@dataclass(frozen=True)
class ModelForecast:
    """One model's answer."""

    question: Question
    layers: tuple[Layer, ...]
    credence: float
    draws: Draws
    summaries: dict[str, Summary]
    arrival_given_success: float | None

    def __post_init__(self) -> None:
        """Refuse numbers that are too large for their spread to be one."""
        arrival = self.draws.values["agi_arrival"]
        latest = arrival if isinstance(arrival, float) else float(arrival.max())
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
    def model(self) -> Model:
        """The reading of the race."""
        return self.question.model

    @property
    def net(self) -> Summary:
        """The net effect on the chance of success."""
        return self.summaries["net_effect"]


@dataclass(frozen=True)
class Forecast:
    """All models' answers about one project, on the same worlds."""

    project: Project
    setup: Setup
    models: tuple[ModelForecast, ...]
    ensemble: dict[str, Summary]
    count: int
    seed: int
    prob: float
    warnings: tuple[str, ...] = ()

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
        total = math.fsum(m.credence for m in self.models)
        return [m.credence / total for m in self.models]


def prepare(
    models: Sequence[str] = (), priors: Sequence[str] = (), use_evidence: bool = True
) -> Setup:
    """Load models and the belief files that stand under every project.

    Layers stack in this order: the shipped ``world.toml``, the user's own, the shipped
    ``<model>.toml``, the user's own, then ``priors`` as given; a proposal's beliefs come last.

    Parameters
    ----------
    models : sequence of str
        Names or paths; all shipped models by default.
    priors : sequence of str
        Names or paths of further layers.
    use_evidence : bool
        Whether beliefs that say so are conditioned on evidence.

    Raises
    ------
    BadInput
        With every problem of every file.
    """
    problems: list[Problem] = []
    loaded: list[Model] = []
    for name in dict.fromkeys(models or shipped_models()):
        try:
            loaded.append(load(name))
        except BadInput as error:
            problems.extend(error.problems)
    if not models:
        # From the base race to everything at once: by the number of mechanisms opened.
        loaded.sort(key=lambda model: (len(model.opens), model.name))
    vocabulary = vocabulary_of(loaded)
    cache: dict[Path, Layer] = {}

    def read(path: Path, name: str | None = None) -> Layer | None:
        if path not in cache:
            try:
                cache[path] = read_layer(path, vocabulary, name)
            except BadInput as error:
                problems.extend(p for p in error.problems if p not in problems)
                return None
        return cache[path]

    extra: list[Layer | None] = []
    for name in priors:
        try:
            path = files.find(name, "priors")
        except BadInput as error:
            problems.extend(error.problems)
            continue
        extra.append(read(path, None if files.is_path(name) else f"{name} ({files.label(path)})"))
    stacks: dict[str, Stack] = {}
    for model in loaded:
        base = [read(path) for path in _standing_files(model)]
        stacks[model.name] = Stack(tuple(layer for layer in (*base, *extra) if layer is not None))
    names = [m.name for m in loaded]
    problems.extend(
        Problem(twice, "", "two models have this name", hint="rename the file")
        for twice in sorted({n for n in names if names.count(n) > 1})
    )
    credences: dict[str, float] = {}
    try:
        credences = read_credences(loaded)
    except BadInput as error:
        problems.extend(error.problems)
    if problems:
        raise BadInput(*dict.fromkeys(problems))
    return Setup(tuple(loaded), stacks, credences, use_evidence)


def _standing_files(model: Model) -> list[Path]:
    """Return the layers under every project: shipped and the user's, world before model."""
    found = []
    for name in ("world", *model.priors, model.name):
        for folder in (files.shipped("priors"), files.user_folder() / "priors"):
            path = folder / f"{name}.toml"
            if path.is_file():
                found.append(path)
    beside = model.source.path.with_suffix(".toml")
    if beside.is_file() and beside not in found:
        found.append(beside)
    return found


def parse_credences(content: Mapping[str, Any], problems: Problems) -> dict[str, float]:
    """Return a weight per model from the content of a credences file; adds what is wrong."""
    for key in content:
        if key != "credences":
            problems.unknown(key, key, ("credences",))
    table = content.get("credences")
    weights: dict[str, float] = {}
    if not isinstance(table, dict):
        problems.add("credences", "must be a table of weights per model", table)
        table = {}
    for name, value in table.items():
        try:
            weights[name] = quantity(value, None, "")
        except UnitError as error:
            problems.add(f"credences.{name}", str(error), value)
            continue
        if not 0 <= weights[name] <= MOST_WEIGHT:
            wrong = "must not be negative" if weights[name] < 0 else "is too large a weight"
            problems.add(f"credences.{name}", wrong, value)
    return weights


def read_credences(models: Sequence[Model]) -> dict[str, float]:
    """Return the credence of each model: from the user's credences.toml, else the shipped one.

    A model that has none there counts as much as the average one.

    Raises
    ------
    BadInput
        Where the file is wrong.
    """
    path = files.user_folder() / "priors" / "credences.toml"
    if not path.is_file():
        path = files.shipped("priors", "credences.toml")
    content, _ = files.read_toml(path)
    problems = Problems(str(path))
    weights = parse_credences(content, problems)
    problems.check()
    average = math.fsum(weights.values()) / len(weights) if weights else 1.0
    for model in models:
        weights.setdefault(model.name, average)
    total = math.fsum(weights.values())
    if not total > 0 or not any(weights[m.name] > 0 for m in models):
        problems.add("credences", "are all 0 for the models asked for", hint="give one a weight")
        problems.check()
    return {name: weight / total for name, weight in weights.items()}


def find_project(name: str, setup: Setup) -> Project:
    """Read the proposal that a path or a bare name means; raises `BadInput`."""
    vocabulary = vocabulary_of(setup.models)
    return read_project(files.find(name, "project"), vocabulary, name if files.is_path(name) else None)


def questions(
    project: Project, setup: Setup, memory: Memory | None = None
) -> list[tuple[Question, tuple[Layer, ...]]]:
    """Return each model's view of a project, with the layers it rests on.

    Raises
    ------
    BadInput
        Where a belief is missing or correlations cannot hold, for all models at once.
    """
    found: list[tuple[Question, tuple[Layer, ...]]] = []
    problems: list[Problem] = []
    for model in setup.models:
        stack = Stack((*setup.stacks[model.name].layers, project.layer))
        facts = project.model_facts(stack.layers)
        names = [n for n in model.reads if not (facts.certain and n == "hit_probability")]
        beliefs, missing = stack.resolve(names, project.facts, model.vocabulary)
        problems.extend(
            p._replace(file=project.source.label, hint=f"{model.name} reads it; {p.hint}")
            for p in missing
        )
        if missing:
            continue
        correlations = tuple(stack.correlations.values())
        question = Question(model, facts, beliefs, correlations, own=project.name.strip())
        try:
            question = condition(question, project, setup, memory)
            for group in correlated_groups(question):
                copula(question, group)
        except BadInput as error:
            problems.extend(error.problems)
        found.append((question, stack.layers))
    if problems:
        raise BadInput(*dict.fromkeys(problems))
    return found


def condition(
    question: Question, project: Project, setup: Setup, memory: Memory | None = None
) -> Question:
    """Return the question with its beliefs conditioned on evidence and on the reviews.

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
    tagged = {n: b for n, b in question.beliefs.items() if b.evidence and b.evidence != "reviews"}
    if not project.reviews and not (tagged and setup.use_evidence):
        return question
    from difprog.evidence import DATASETS, likelihood, reviews, store

    beliefs = dict(question.beliefs)
    parts = []
    if setup.use_evidence:
        problems = [
            Problem(b.layer, f"beliefs.{n}.evidence", "is no dataset that conditions it", b.evidence)
            for n, b in tagged.items()
            if b.evidence not in DATASETS or n not in likelihood(b.evidence).BELIEFS
        ]
        if problems:
            raise BadInput(*problems)
        stack = Stack((*setup.stacks[question.model.name].layers, project.layer))
        for dataset in DATASETS:
            names = likelihood(dataset).BELIEFS
            # A point is certain: no data can move it.
            moved = [b for b in tagged.values() if b.evidence == dataset and not isinstance(b.shape, Point)]
            if moved and all(n in beliefs for n in names):
                shapes = {n: beliefs[n].shape for n in names}
                find = partial(store.condition, dataset, shapes, stack.as_of, say=setup.say)
                key = ("posterior", dataset, tuple(shapes.items()), stack.as_of)
                parts.append(find() if memory is None else memory.get(key, find))
    if project.reviews:
        pools = reviews.pools(project, question.model.reads)
        parts.extend(reviews.posterior(project, name, pool) for name, pool in pools.items())
        beliefs.update(reviews.beliefs(project, pools))
    join = partial(store.combine, parts)
    joint = join() if memory is None else memory.get("joint", join, *parts)
    return replace(question, beliefs=beliefs, posterior=joint)


def ask(
    question: Question,
    layers: tuple[Layer, ...],
    credence: float,
    count: int,
    seed: int,
    prob: float,
    memory: Memory | None = None,
) -> ModelForecast:
    """Draw and summarise one model's answer."""
    drawn = draw(question, count, seed, memory=memory)
    return answer(question, layers, credence, drawn, prob, memory)


def answer(
    question: Question,
    layers: tuple[Layer, ...],
    credence: float,
    drawn: Draws,
    prob: float,
    memory: Memory | None = None,
) -> ModelForecast:
    """Summarise one model's answer from its draws."""
    count = drawn.count
    arrival, without = drawn.values["agi_arrival"], drawn.chances.without
    about_the_world: dict[str, Callable[[], Any]] = {
        "p_success_without": partial(summarise, without, count, prob, question.clusters),
        "arrival_given_success": partial(weighted_mean, arrival, without),
    }
    rest = (count, prob, question.clusters)
    shared = {
        name: make() if memory is None else memory.get((name, rest), make, arrival, without)
        for name, make in about_the_world.items()
    }
    return ModelForecast(
        question,
        layers,
        credence,
        drawn,
        {
            name: shared[name] if name in shared else summarise(value, count, prob, question.clusters)
            for name, value in quantities(drawn).items()
        },
        shared["arrival_given_success"],
    )


def quantities(drawn: Draws) -> dict[str, Any]:
    """Return the draws of everything that `score` summarises, by name."""
    chances = drawn.chances
    outcome = chances.outcome
    return {
        "p_success_without": chances.without,
        "p_success_with": chances.with_project,
        "net_effect": chances.net_effect,
        "parallel_speedup": outcome.if_hit.parallel_speedup,
        "serial_speedup": outcome.if_hit.serial_speedup,
        "capability_speedup": outcome.capability_speedup,
        "timeline_shortening": outcome.timeline_shortening,
    }


def score(
    project: Project,
    setup: Setup,
    count: int = DEFAULT_DRAWS,
    seed: int = DEFAULT_SEED,
    prob: float = DEFAULT_PROB,
    progress: Callable[[str], None] | None = None,
    memory: Memory | None = None,
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
    progress : callable, optional
        Told each model's name before it is asked.
    memory : Memory, optional
        Keeps what several projects share; changes no number.

    Raises
    ------
    BadInput
        With every problem.
    """
    asked = questions(project, setup, memory)
    memory = memory or Memory()  # the models share most beliefs' draws
    answers = []
    for question, layers in asked:
        if progress is not None:
            progress(question.model.name)
        answers.append(
            ask(question, layers, setup.credences[question.model.name], count, seed, prob, memory)
        )
    return Forecast(
        project=project,
        setup=setup,
        models=tuple(answers),
        ensemble=mix(answers, count, prob, memory),
        count=count,
        seed=seed,
        prob=prob,
        warnings=tuple(doubts(project, answers)),
    )


def mix(
    answers: Sequence[ModelForecast], count: int, prob: float, memory: Memory | None = None
) -> dict[str, Summary]:
    """Return the mixture of the models' answers by credence."""
    if math.fsum(a.credence for a in answers) <= 0:
        answers = [replace(a, credence=1.0) for a in answers]
    clusters = [a.question.clusters for a in answers if a.question.clusters is not None]
    drawn = [quantities(a.draws) for a in answers]
    credences = tuple(a.credence for a in answers)
    fewest = min(clusters) if clusters else None
    mixed: dict[str, Summary] = {}
    for name in MIXED:
        columns = [d[name] for d in drawn]
        make = partial(summarise_mixture, columns, credences, count, prob, fewest)
        if memory is None or name != "p_success_without":
            mixed[name] = make()
        else:
            mixed[name] = memory.get((name, credences, count, prob, fewest), make, *columns)
    return mixed


def doubts(project: Project, answers: Sequence[ModelForecast]) -> list[str]:
    """Return what a reader should know before trusting a forecast."""
    found = [f"the proposal does not state {fact}, which was assumed" for fact in project.assumed]
    for answer in answers:
        beliefs = answer.question.beliefs
        found.extend(str(d) for d in coherence.of_project(project, beliefs.get) if d.topic != "source")
    found = list(dict.fromkeys(found))
    read = {name for answer in answers for name in answer.question.beliefs}
    if idle := [name for name in project.layer.beliefs if name not in read]:
        who = "this model does not read" if len(answers) == 1 else "none of these models reads"
        found.append(f"the proposal states what {who}: {', '.join(idle)}")
    unsourced: dict[str, Belief] = {}
    for answer in answers:
        for name, belief in answer.question.beliefs.items():
            if not belief.source and name not in ("effort", "duration", "cost"):
                unsourced.setdefault(name, belief)
    if unsourced:
        listed = ", ".join(f"{name} ({b.layer})" for name, b in sorted(unsourced.items()))
        found.append(f"no source is given for: {listed}")
    return found
