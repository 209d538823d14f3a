"""What several test files share: scoring shipped files with changes laid over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from difprog.base.errors import Problems
from difprog.base.files import Source, find, shipped
from difprog.beliefs.beliefs import Layer, parse_beliefs
from difprog.beliefs.project import Project, parse_project, read_project
from difprog.forecast import forecast
from difprog.forecast.forecast import (
    Forecast,
    ModelForecast,
    Setup,
)
from difprog.race.arrays import numpy_namespace

INLINE = Source(shipped("priors"), "inline", "0" * 64)


@lru_cache
def setup(model: str | None = None) -> Setup:
    """Return the shipped setup, of all models or of one."""
    return forecast.prepare([model] if model else [])


def layer(beliefs: Mapping[str, Any]) -> Layer:
    """Return a layer from the content of a [beliefs] table."""
    problems = Problems("inline")
    parsed = parse_beliefs(beliefs, "inline", problems)
    problems.check()
    return Layer(INLINE, parsed)


def project(name: str, beliefs: Mapping[str, Any] | None = None, **facts: Any) -> Project:
    """Return a shipped proposal with facts and beliefs changed."""
    found = read_project(find(name, "project"))
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
    made = parse_project({"project": table, "beliefs": beliefs or {}}, INLINE, problems)
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
    base = setup(model)
    if beliefs:
        extra = layer(beliefs)
        base = replace(
            base,
            stacks={n: replace(s, layers=(*s.layers, extra)) for n, s in base.stacks.items()},
        )
    return forecast.score(
        project(asked) if isinstance(asked, str) else asked, base, count=draws, seed=seed
    )


def net_with(answer: ModelForecast, **effects: Any) -> Any:
    """Return E[p(e)] − E[p(no effect)] with some effects of the answer replaced, in both branches."""
    question, drawn = answer.question, answer.draws
    w = question.model.world(drawn.values)
    xp = numpy_namespace()
    outcome = drawn.chances.outcome
    hit = outcome.hit_probability
    if_hit = question.model.success(w, outcome.if_hit._replace(**effects), xp)
    if_miss = question.model.success(w, outcome.if_miss._replace(**effects), xp)
    without = drawn.chances.without
    return hit * (if_hit - without) + (1 - hit) * (if_miss - without)


def resolved(first: Any, second: Any, errors: float = 3.0) -> bool:
    """Whether the mean of first − second, paired, lies above 0 by some standard errors."""
    difference = first - second
    return bool(difference.mean() > errors * difference.std(ddof=1) / len(difference) ** 0.5)


def names(asked: Sequence[str]) -> list[str]:
    """Return the stems of shipped proposals that are asked for, all of them if none is."""
    return list(asked) or sorted(p.stem for p in shipped("priors", "projects").glob("*.toml"))
