"""A forecast and everything that explains it: decomposition, drivers, the choice it is for.

The library's second front door, beside `difprog.forecast.forecast`. Prints nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from difprog.beliefs.beliefs import Belief, Stack
from difprog.beliefs.families import Point
from difprog.forecast.forecast import Forecast, ModelForecast
from difprog.forecast.memory import Memory
from difprog.forecast.simulate import correlated_groups, draw_beliefs, evaluate, stream
from difprog.forecast.summary import clustered_error
from difprog.race.parameters import FACTS
from difprog.why.decompose import CHANNELS, Decomposition, Estimate, decompose, estimate
from difprog.why.sensitivity import Driver, drivers

Array = npt.NDArray[np.float64]

#: The policies that the project may be done under, beside not doing it.
POLICIES = FACTS["publication"]
NOTHING = "do nothing"

#: The driver that stands for the question which model is right.
WHICH_MODEL = "which model is right"


@dataclass(frozen=True)
class ModelExplanation:
    """Why one model answers as it does."""

    answer: ModelForecast
    parts: Decomposition
    arrival: Estimate
    """E[T], beside which E[T | success] stands in the answer."""
    options: dict[str, Estimate]
    """Mean net effect under each publication policy."""
    drivers: tuple[Driver, ...] | None
    """None where they were not asked for."""


@dataclass(frozen=True)
class Explanation:
    """Why a forecast comes out as it does, model by model and mixed by credence."""

    forecast: Forecast
    models: tuple[ModelExplanation, ...]
    channels: dict[str, Estimate]
    options: dict[str, Estimate]
    drivers: tuple[Driver, ...] | None


def explain(
    forecast: Forecast,
    with_drivers: bool = True,
    progress: Callable[[str], None] | None = None,
) -> Explanation:
    """Explain a forecast on its own draws.

    Parameters
    ----------
    forecast : Forecast
        What `difprog.forecast.forecast.score` returned.
    with_drivers : bool
        Whether to rank the beliefs, which takes most of the time.
    progress : callable, optional
        Told each model's name before it is explained.
    """
    options = _policies(forecast)
    models = []
    for answer, benefits in zip(forecast.models, options, strict=True):
        if progress is not None:
            progress(answer.model.name)
        draws = answer.draws
        found = None
        if with_drivers:
            found = tuple(
                drivers(
                    draws.values, draws.chances.net_effect, list(benefits.values()),
                    answer.question.clusters,
                )
            )  # fmt: skip
        models.append(
            ModelExplanation(
                answer=answer,
                parts=decompose(draws),
                arrival=estimate(draws, draws.values["agi_arrival"]),
                options={name: estimate(draws, value) for name, value in benefits.items()},
                drivers=found,
            )
        )
    weights = np.asarray(forecast.weights)
    clusters = _fewest_clusters(forecast)
    mixed = {name: _mix(weights, [b[name] for b in options], forecast.count) for name in options[0]}
    return Explanation(
        forecast=forecast,
        models=tuple(models),
        channels={
            # Channels of models on the same worlds: the errors add at worst.
            name: Estimate(
                float(sum(w * m.parts.channels[name].value for w, m in zip(weights, models, strict=True))),
                float(sum(w * m.parts.channels[name].mcse for w, m in zip(weights, models, strict=True))),
            )
            for name in CHANNELS
        },
        options={
            name: Estimate(float(value.mean()), clustered_error(value, clusters))
            for name, value in mixed.items()
        },
        drivers=tuple(_mixed_drivers(forecast, options, weights, clusters)) if with_drivers else None,
    )


def _fewest_clusters(forecast: Forecast) -> int | None:
    found = [a.question.clusters for a in forecast.models if a.question.clusters is not None]
    return min(found) if found else None


def _policies(forecast: Forecast) -> list[dict[str, Any]]:
    """Return per model the net effect under each publication policy, on the forecast's worlds.

    Only beliefs that depend on the policy get other draws, from the same streams.
    """
    memory = Memory()
    found: list[dict[str, Any]] = [{} for _ in forecast.models]
    for policy in POLICIES:
        drawn = [_published(forecast, answer, policy, memory) for answer in forecast.models]
        if all(d is not None for d in drawn):
            for place, net in zip(found, drawn, strict=True):
                place[policy] = net
    return found


def _published(forecast: Forecast, answer: ModelForecast, policy: str, memory: Memory) -> Any:
    """Return the net effect under a policy; None where no belief says what holds under it."""
    facts, question = forecast.project.facts, answer.question
    if policy == facts["publication"]:
        return answer.draws.chances.net_effect
    stack = Stack(answer.layers)
    changed: dict[str, Belief] = {}
    for name, belief in question.beliefs.items():
        stated = stack.lookup(name, facts)
        other = stack.lookup(name, {**facts, "publication": policy})
        # What reviewers or evidence put in a stated belief's place holds under every policy.
        if stated is None or stated == other or stated != belief:
            continue
        if other is None:
            return None
        changed[name] = other
    question = replace(
        question,
        facts=replace(question.facts, publication=policy),
        beliefs={**question.beliefs, **changed},
    )
    values = dict(answer.draws.values)
    if any(set(group) & set(changed) for group in correlated_groups(question)):
        values = draw_beliefs(question, forecast.count, forecast.seed)
    else:
        for name, belief in changed.items():
            scores = stream(question.stream_of(name), forecast.seed, forecast.count)
            shape = belief.shape
            values[name] = shape.value if isinstance(shape, Point) else shape.quantile(scores)
    return evaluate(question, values, forecast.count, forecast.seed, memory).chances.net_effect


def _mix(weights: Array, columns: Sequence[Any], count: int) -> Array:
    """Return the draw-by-draw average of the models by credence, shape (draws,)."""
    table = [np.broadcast_to(np.asarray(c, dtype=float), (count,)) for c in columns]
    return np.asarray(weights @ np.stack(table))


def _mixed_drivers(
    forecast: Forecast, options: Sequence[Mapping[str, Any]], weights: Array, clusters: int | None
) -> list[Driver]:
    """Return the drivers of the mixture, the question which model is right among them.

    A belief that several models read is taken where all of them draw the same values.
    """
    count = forecast.count
    shared: dict[str, Any] = {}
    differ: set[str] = set()
    for answer in forecast.models:
        for name, values in answer.draws.values.items():
            if name not in shared:
                shared[name] = values
            elif values is not shared[name] and not np.array_equal(values, shared[name]):
                # A model that holds the belief at a point does not ask about it.
                if np.ndim(values) and np.ndim(shared[name]):
                    differ.add(name)
                elif np.ndim(values):
                    shared[name] = values
    beliefs = {name: v for name, v in shared.items() if name not in differ}
    nets = np.stack(
        [np.broadcast_to(np.asarray(m.draws.chances.net_effect, float), (count,)) for m in forecast.models]
    )
    average = np.asarray(weights @ nets)
    benefits = {name: _mix(weights, [o[name] for o in options], count) for name in options[0]}
    means = nets.mean(axis=1)
    between = float(weights @ (means - average.mean()) ** 2)
    total = float(weights @ nets.var(axis=1)) + between
    scale = float(average.var()) / total if total > 0 else 0.0
    found = [
        d._replace(variance_share=d.variance_share * scale, variance_share_se=d.variance_share_se * scale)
        for d in drivers(beliefs, average, list(benefits.values()), clusters)
    ]
    if len(forecast.models) > 1:
        found.append(_which_model(nets, options, benefits, weights, between, total, clusters))
    return sorted(found, key=lambda d: (-d.variance_share, -d.evppi, d.belief))


def _which_model(
    nets: Array,
    options: Sequence[Mapping[str, Any]],
    benefits: Mapping[str, Array],
    weights: Array,
    between: float,
    total: float,
    clusters: int | None,
) -> Driver:
    """Return what it would be worth to know which model is right: no regression is needed."""
    count = nets.shape[1]
    blind = max((0.0, NOTHING), *((float(v.mean()), name) for name, v in benefits.items()))[1]
    gain = -benefits[blind] if blind != NOTHING else np.zeros(count)
    for weight, own in zip(weights, options, strict=True):
        best = max((0.0, NOTHING), *((float(np.mean(v)), name) for name, v in own.items()))[1]
        if best != NOTHING:
            gain = gain + weight * np.broadcast_to(own[best], (count,))
    means = nets.mean(axis=1)
    errors = [clustered_error(row, clusters) for row in nets]
    low, high = int(means.argmin()), int(means.argmax())
    centred = weights @ ((means - weights @ means)[:, None] * (nets - means[:, None]))
    return Driver(
        belief=WHICH_MODEL,
        variance_share=between / total if total > 0 else 0.0,
        variance_share_se=2.0 * clustered_error(centred, clusters) / total if total > 0 else 0.0,
        evppi=max(float(gain.mean()), 0.0),
        evppi_se=clustered_error(gain, clusters),
        low=float(means[low]),
        low_se=errors[low],
        high=float(means[high]),
        high_se=errors[high],
    )
