"""What several test files share: scoring shipped files with changes laid over them.

No evidence is used: a test of the race or of what explains it must not wait for a fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pymc  # noqa: F401 - it sets the recursion limit when first imported: in a test hypothesis would wonder

from difprog.base.errors import Problems
from difprog.base.files import Source, find, shipped
from difprog.beliefs.beliefs import Belief, Correlation, Layer
from difprog.beliefs.distributions import Point, Shape
from difprog.beliefs.parse import parse_beliefs
from difprog.beliefs.project import DEFAULT_FACTS, Project, parse_project, read_project
from difprog.evidence.posterior import Posterior
from difprog.forecast import forecast
from difprog.forecast.conditioning import question_of
from difprog.forecast.forecast import Forecast, ModelForecast
from difprog.forecast.question import Question, View
from difprog.forecast.sampling import Draws, draw_beliefs, evaluate
from difprog.forecast.setup import Setup, prepare
from difprog.models.model import load, shipped_models, vocabulary
from difprog.race.parameters import Group

INLINE = Source(shipped("priors"), "inline", "0" * 64)
MODELS = sorted(shipped_models())


@lru_cache
def setup(*models: str) -> Setup:
    """Return the shipped setup, of all models or of some."""
    return prepare(models, use_evidence=False)


def layer(beliefs: Mapping[str, Any]) -> Layer:
    """Return a layer from the content of a [beliefs] table."""
    problems = Problems("inline")
    parsed = parse_beliefs(beliefs, "inline", problems, vocabulary())
    problems.check()
    return Layer(INLINE, parsed)


def project(name: str, beliefs: Mapping[str, Any] | None = None, **facts: Any) -> Project:
    """Return a shipped proposal with facts and beliefs changed."""
    found = read_project(find(name, "project"), vocabulary())
    criteria = facts.pop("criteria", found.criteria)
    changed = replace(found, facts={**found.facts, **facts}, criteria=frozenset(criteria))
    if beliefs:
        own = {**found.layer.beliefs, **layer(beliefs).beliefs}
        changed = replace(changed, layer=replace(found.layer, beliefs=own))
    return changed


def proposal(beliefs: Mapping[str, Any] | None = None, **facts: Any) -> Project:
    """Return a proposal from scratch."""
    problems = Problems("inline")
    table = {"name": "inline", "effort": 10, "duration": 2, "cost": 0, **facts}
    made = parse_project({"project": table, "beliefs": beliefs or {}}, INLINE, problems, vocabulary())
    problems.check()
    assert made is not None
    return made


def score(
    asked: Project | str,
    model: str,
    beliefs: Mapping[str, Any] | None = None,
    draws: int = 20_000,
    seed: int = 1,
) -> ModelForecast:
    """Score a proposal under one model, with beliefs laid over the shipped ones."""
    return score_all(asked, model, beliefs, draws, seed).models[0]


def score_all(
    asked: Project | str,
    model: str | None = None,
    beliefs: Mapping[str, Any] | None = None,
    draws: int = 20_000,
    seed: int = 1,
) -> Forecast:
    """Score a proposal under one model or all."""
    base = setup(model) if model else setup()
    if beliefs:
        extra = layer(beliefs)
        stacks = {n: replace(s, layers=(*s.layers, extra)) for n, s in base.stacks.items()}
        base = replace(base, stacks=stacks)
    return forecast.score(project(asked) if isinstance(asked, str) else asked, base, draws, seed)


def question(name: str, *models: str) -> Question:
    """Return the question that a shipped proposal is under some models, or under all."""
    return question_of(project(name), setup(*models))[0]


def points_question(
    points: Mapping[str, float],
    stated: Mapping[str, float] | None = None,
    models: Sequence[str] = tuple(MODELS),
    criteria: Sequence[str] = (),
    **facts: str,
) -> Question:
    """Return a question whose beliefs are all points; what is ``stated`` is derived where it is left out."""
    stated = dict(stated or {})
    certain = "capability_speedup" in stated and "hit_probability" not in stated
    views = []
    for name in models:
        model = load(name)
        read = {
            n: {**points, **stated}[n] for n in model.reads
            if n in stated or (n in points and not (certain and n == "hit_probability"))
        }  # fmt: skip
        views.append(View(model, {n: Belief(n, Point(v), layer="test") for n, v in read.items()}))
    return Question(
        tuple(views), {**DEFAULT_FACTS, **facts}, frozenset(criteria), (certain,) * len(views)
    )


def evaluated(
    worlds: Mapping[str, Any],
    models: Sequence[str] = tuple(MODELS),
    stated: Mapping[str, Any] | None = None,
    **facts: Any,
) -> Draws:
    """Evaluate the compiled race on worlds that are given, one a draw; a number holds in all of them."""
    count = max(np.size(v) for v in worlds.values())
    given = {n: np.broadcast_to(np.asarray(v, dtype=float), (count,)) for n, v in worlds.items()}
    said = {n: float(v[0]) for n, v in (stated or {}).items()}
    asked = points_question({n: float(v[0]) for n, v in given.items()}, said, models, **facts)
    every = {**given, **(stated or {})}
    return evaluate(asked, {n: every[n] for n in asked.names}, count, 1)


def shapes_question(
    shapes: Mapping[str, Shape],
    correlations: Mapping[tuple[str, str], float] | None = None,
    posterior: Posterior | None = None,
    points: Mapping[str, float] | None = None,
    models: Sequence[str] = ("serial_parallel",),
) -> Question:
    """Return a question with some distributions, all else a point or left out.

    What a posterior has draws of is conditioned on it.
    """
    beliefs = {n: Point(v) for n, v in (points or {}).items()} | dict(shapes)
    views = tuple(
        View(load(name), {
            n: Belief(n, s, evidence="kept" if posterior is not None and n in posterior else "", layer="test")
            for n, s in beliefs.items() if n in load(name).reads
        }, posterior)
        for name in models
    )  # fmt: skip
    ties = tuple(Correlation(pair, rank, "my.toml") for pair, rank in (correlations or {}).items())
    return Question(views, DEFAULT_FACTS, correlations=ties)


def at_once(asked: Question, values: Mapping[str, Any], count: int) -> Draws:
    """Evaluate a question on draws of some beliefs that are given, all else as the question has it."""
    return evaluate(asked, {**draw_beliefs(asked, count, 1), **values}, count, 1)


def numbers(drawn: Draws) -> dict[str, np.ndarray]:
    """Return everything that a draw comes to: beliefs, worlds and effects."""
    found = {name: np.asarray(value, dtype=float) for name, value in drawn.values.items()}
    found |= {f"hit {n}": v for n, v in drawn.effects_hit.items()}
    found |= {f"miss {n}": v for n, v in drawn.effects_miss.items()}
    return found | {n: getattr(drawn, n) for n in ("without", "hit", "miss", "chance_of_hit", "net_effect")}


def net_with(answer: ModelForecast, **effects: Any) -> Any:
    """Return draws of p(e) − p(no effect) with some effects of the answer replaced, in both branches."""
    drawn, at = answer.draws, [answer.place]
    shape = drawn.without.shape
    new = {n: np.broadcast_to(np.asarray(v, dtype=float), shape) for n, v in effects.items()}
    hit = drawn.race.chance({**drawn.effects_hit, **new}, at)[0]
    miss = drawn.race.chance({**drawn.effects_miss, **new}, at)[0]
    without, chance = drawn.without[answer.place], drawn.chance_of_hit[answer.place]
    return chance * (hit - without) + (1 - chance) * (miss - without)


def effect_names() -> list[str]:
    """Return every effect that a project can have under the shipped models."""
    return [n for n, p in vocabulary().items() if p.group is Group.EFFECT]


def resolved(first: Any, second: Any, errors: float = 3.0) -> bool:
    """Whether the mean of first − second, paired, lies above 0 by some standard errors."""
    difference = first - second
    return bool(difference.mean() > errors * difference.std(ddof=1) / len(difference) ** 0.5)


def names(asked: Sequence[str]) -> list[str]:
    """Return the stems of shipped proposals that are asked for, all of them if none is."""
    return list(asked) or sorted(p.stem for p in shipped("priors", "projects").glob("*.toml"))
