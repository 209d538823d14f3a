"""A forecast as plain data: what ``--json`` prints and a saved run keeps.

Numbers are in full precision; no NaN or infinity ever gets out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from difprog import __version__
from difprog.base import plainjson
from difprog.beliefs.beliefs import Belief, Layer
from difprog.beliefs.distributions import Point
from difprog.forecast.forecast import Forecast, ModelForecast
from difprog.forecast.summary import MICRODOOM, Quantiles, Summary
from difprog.forecast.tails import tail_index
from difprog.render import outcomes

SCORE_SCHEMA = "difprog.score/1"
MILLION = 1e6


def dumps(data: Mapping[str, Any]) -> str:
    """Return JSON text: sorted by insertion, two-space indent, no NaN."""
    return plainjson.dumps(data, indent=2)


def number(value: float | None) -> float | None:
    """Return a number that JSON has, or None."""
    return None if value is None or not math.isfinite(value) else float(value)


def summary(values: Summary) -> dict[str, float | None]:
    """Return the SUMMARY object of the interface."""
    return {name: number(value) for name, value in asdict(values).items()}


def arrival(found: Quantiles) -> dict[str, float | None]:
    """Return when AGI arrives: no mean, as its distribution has none."""
    return {n: number(value) for n, value in zip(("median", "lower", "upper"), found.values, strict=True)}


def layers(used: tuple[Layer, ...]) -> list[dict[str, str]]:
    """Return the belief files a forecast rests on, lowest first."""
    return [{"path": layer.source.label, "sha256": layer.source.sha256} for layer in used]


def model(answer: ModelForecast) -> dict[str, Any]:
    """Return one model's part of the score."""
    return {
        "model": answer.model.name,
        "credence": answer.credence,
        "priors": layers(answer.layers),
        **{name: summary(values) for name, values in answer.summaries.items()},
        "arrival": arrival(answer.arrival),
        "arrival_given_success": number(
            None if answer.arrival_given_success is None else answer.arrival_given_success.values[0]
        ),
        "diagnostics": _diagnostics(answer),
        **outcomes.data(answer.tilt),
    }


def _diagnostics(answer: ModelForecast) -> dict[str, Any]:
    khat = tail_index(answer.drawn("net_effect"), answer.weighing.weights)
    found: dict[str, Any] = {} if khat is None else {"khat": khat}
    posterior = answer.view.posterior
    if posterior is None:
        return found
    return {
        **found,
        "evidence": posterior.key,
        "kept_draws": posterior.size,
        "conditioned": {
            name: posterior.datasets.get(name, "")
            for name in answer.beliefs
            if answer.view.conditioned(name)
        },
        "reviews": {
            notes["effect"]: {name: notes[name] for name in ("reviews", "pool", "linear_pool")}
            for notes in posterior.diagnostics.values()
            if isinstance(notes, Mapping) and "effect" in notes
        },
    }


def conditioned_on(answer: ModelForecast, belief: Belief) -> str | None:
    """Return what a belief is conditioned on as it is used: a dataset, the reviews, or nothing."""
    if not answer.view.conditioned(belief.name):
        return None
    posterior = answer.view.posterior
    assert posterior is not None
    return str(posterior.datasets.get(belief.name) or belief.evidence or "reviews")


def stated(belief: Belief) -> list[float]:
    """Return a belief's 5th, 50th and 95th percentile as it is stated, in the parameter's unit."""
    if isinstance(belief.shape, Point):
        return [belief.shape.value] * 3
    low, middle, high = (float(belief.shape.percentile(level)) for level in (0.05, 0.5, 0.95))
    # The middle of a symmetric belief comes out as 0 but for rounding.
    return [low, 0.0 if abs(middle) < 1e-9 * (high - low) else middle, high]


def percentiles(answer: ModelForecast, belief: Belief) -> list[float]:
    """Return a belief's 5th, 50th and 95th percentile as it is used: after conditioning."""
    if not answer.view.conditioned(belief.name) and answer.tilt is None:
        return stated(belief)
    return [float(q) for q in answer.weighing.quantiles(answer.value(belief.name), [0.05, 0.5, 0.95])]


def used(answer: ModelForecast, belief: Belief) -> dict[str, Any]:
    """Return a belief as it is used, with where it comes from."""
    low, middle, high = map(number, percentiles(answer, belief))
    return {
        "layer": belief.layer, "judgement": belief.judgement, "p5": low, "p50": middle, "p95": high,
        "conditioned_on": conditioned_on(answer, belief),
    }  # fmt: skip


def expected(forecast: Forecast, name: str) -> float | None:
    """Return the mean of a quantity of the project, None where it has none above 0."""
    belief = forecast.models[0].beliefs.get(name)
    mean = belief.shape.mean if belief is not None else 0.0
    return float(mean) if 0 < mean < math.inf else None


def value_for_money(found: Forecast) -> dict[str, float | None] | None:
    """Return microdooms averted per million dollars, with its error; None where no cost is given.

    The ratio of the expected effect to the expected cost: what a budget buys that buys many such
    projects. The mean of the draws' own ratios would let the cheap draws decide.
    """
    cost = expected(found, "cost")
    if cost is None:
        return None
    net = found.ensemble["net_effect"]
    scale = MILLION / cost / MICRODOOM
    return {
        "microdooms_per_million_usd": number(scale * net.mean),
        "mcse": number(scale * net.mcse),
        "mean_cost_usd": number(cost),
    }


def value_of_time(found: Forecast) -> dict[str, float | None] | None:
    """Return microdooms averted per year of one person's work, as a ratio of expectations too."""
    effort = expected(found, "effort")
    if effort is None:
        return None
    net = found.ensemble["net_effect"]
    scale = 1.0 / effort / MICRODOOM
    return {
        "microdooms_per_fte_year": number(scale * net.mean),
        "mcse": number(scale * net.mcse),
        "mean_effort_fte_years": number(effort),
    }


def score(forecast: Forecast) -> dict[str, Any]:
    """Return a forecast as the JSON of ``difprog score``."""
    found = answers(forecast)
    for said, answer in zip(found["models"], forecast.models, strict=True):
        said.update(outcomes.moving(answer))
    return {**found, "beliefs": beliefs(forecast)}


def beliefs(forecast: Forecast) -> dict[str, dict[str, Any]]:
    """Return every belief as it is used, by name.

    One that models hold differently is that of the first model that reads it, and ``differs`` has
    the others', by model.
    """
    found: dict[str, dict[str, Any]] = {}
    known: dict[tuple[str, str | None, str], dict[str, Any]] = {}
    for answer in forecast.models:
        for name, belief in answer.beliefs.items():
            key = (f"{name} {belief.layer}", conditioned_on(answer, belief), repr(belief.shape))
            said = known[key] = known.get(key) or used(answer, belief)
            first = found.setdefault(name, dict(said))
            if {k: v for k, v in first.items() if k != "differs"} != said:
                first.setdefault("differs", {})[answer.model.name] = said
    return found


def answers(forecast: Forecast) -> dict[str, Any]:
    """Return that JSON without the beliefs, and which of them moved: they take the longest."""
    source = forecast.project.source
    return {
        "schema": SCORE_SCHEMA,
        "version": __version__,
        "as_of": forecast.as_of.isoformat(),
        "draws": forecast.count,
        "seed": forecast.seed,
        "prob": forecast.prob,
        "project": {"name": forecast.project.name, "path": source.label, "sha256": source.sha256},
        "models": [model(answer) for answer in forecast.models],
        "ensemble": {
            **{name: summary(values) for name, values in forecast.ensemble.items()},
            "sign_disagreement": forecast.sign_disagreement,
        },
        "warnings": list(forecast.warnings),
    }
