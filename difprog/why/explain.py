"""A forecast and everything that explains it: decomposition, drivers, the choice it is for.

The library's second front door, beside `difprog.forecast.forecast`. Prints nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from difprog.base.errors import Problems
from difprog.beliefs.beliefs import Stack
from difprog.forecast.evaluation import Race
from difprog.forecast.forecast import Forecast, ModelForecast, fewest_clusters
from difprog.forecast.kept import Kept
from difprog.forecast.question import Question, View
from difprog.forecast.sampling import Draws, draw_beliefs, evaluate
from difprog.forecast.variants import Case, Variants
from difprog.forecast.weighing import Weighing, clustered_error, mixture_shares
from difprog.race.parameters import FACTS
from difprog.why.breakeven import BreakEven, break_even, looked_at
from difprog.why.cells import Sorted
from difprog.why.channels import Estimate, Path, channel_draws, estimate, paths
from difprog.why.drivers import Driver, drivers
from difprog.why.exchange import Exchange, Ratios, exchange, ratios, slopes
from difprog.why.information import Gain, partial_information, perfect_information

Array = npt.NDArray[np.float64]

#: The policies that the project may be done under, beside not doing it.
POLICIES = FACTS["publication"]
NOTHING = "do nothing"

#: The driver that stands for the question which model is right.
WHICH_MODEL = "which model is right"


@dataclass(frozen=True)
class ModelExplanation:
    """Why one model answers as it does.

    Attributes
    ----------
    answer : ModelForecast
        What it answers.
    channels : dict of str to Estimate
        Shapley values of E[net_effect].
    paths : dict of str to Path
        The three paths inside the channel ``run_up``; empty where none is open.
    break_even, exchange, ratios
        Factors, prices and differential ratios.
    options : dict of str to Estimate
        Mean net effect under each publication policy.
    drivers : tuple of Driver or None
        The beliefs by what they do to the answer; None where they were not asked for.
    evpi : Gain
        What it would be worth to know the world before choosing a policy or nothing, as a
        probability.
    together : Gain or None
        The same for the beliefs that were asked about as a set.
    """

    answer: ModelForecast
    channels: dict[str, Estimate]
    paths: dict[str, Path]
    break_even: BreakEven
    exchange: Exchange
    ratios: Ratios
    options: dict[str, Estimate]
    drivers: tuple[Driver, ...] | None
    evpi: Gain
    together: Gain | None = None


@dataclass(frozen=True)
class Explanation:
    """Why a forecast comes out as it does, model by model and mixed by credence.

    The mixture's EVPI is about everything, which model is right among it. Its ``together`` is about
    beliefs under every model at once: which model is right stays open there, and is a driver of its own.
    """

    forecast: Forecast
    models: tuple[ModelExplanation, ...]
    channels: dict[str, Estimate]
    options: dict[str, Estimate]
    drivers: tuple[Driver, ...] | None
    evpi: Gain
    together: Gain | None = None
    known: tuple[str, ...] = ()
    """The set of beliefs that ``together`` is about."""


def explain(
    forecast: Forecast, with_drivers: bool = True, know: Sequence[str] = (), *, each_model: bool = True
) -> Explanation:
    """Explain a forecast on its own draws.

    Parameters
    ----------
    forecast : Forecast
        What `difprog.forecast.forecast.score` returned.
    with_drivers : bool
        Whether to rank the beliefs.
    know : sequence of str
        Beliefs of which the joint EVPPI is asked.
    each_model : bool
        Whether to rank them under each of several models too, and not in the mixture only.

    Raises
    ------
    BadInput
        Where no model reads one of the beliefs that are asked about.
    """
    draws = forecast.draws
    _check_known(know, draws)
    variants = Variants(draws)
    options = policies(forecast, variants)
    shares = channel_draws(draws, variants)
    by_path = paths(draws, [share["run_up"] for share in shares], variants)
    looks = looked_at(draws, variants)
    slope = slopes(draws, variants)
    kept = Sorted()
    models = []
    for row, answer in enumerate(forecast.models):
        rates = exchange(draws, row, slope)
        benefits = [value[row] for value in options.values()]
        values = {name: draws.value(name, row) for name in answer.beliefs}
        found = None
        if with_drivers and (each_model or len(forecast.models) == 1):
            found = tuple(
                drivers(values, draws.net_effect[row], benefits, kept=kept, **weighed(answer.weighing))
            )
        asked = {name: values[name] for name in know if name in values}
        models.append(
            ModelExplanation(
                answer=answer,
                channels={name: estimate(draws, row, value) for name, value in shares[row].items()},
                paths=by_path[row],
                break_even=break_even(draws, row, looks),
                exchange=rates,
                ratios=ratios(draws, row, rates),
                options={name: estimate(draws, row, value[row]) for name, value in options.items()},
                drivers=found,
                evpi=perfect_information(benefits, draws.count, **weighed(answer.weighing)),
                together=partial_information(asked, benefits, **weighed(answer.weighing)) if know else None,
            )
        )
    weights = np.asarray(forecast.weights)
    clusters = fewest_clusters(draws.question)
    ways = [answer.weighing for answer in forecast.models]

    def mixed(columns: Sequence[Any]) -> Estimate:
        value = weights @ np.stack([w.plain(c) for w, c in zip(ways, columns, strict=True)])
        return Estimate(float(value.mean()), clustered_error(value, clusters))

    names = list(dict.fromkeys(name for share in shares for name in share))
    mixture = Mixture(draws, weights)
    benefits = [mixture.of(value) for value in options.values()]
    known = {f"{name} {at}": value for name in know for at, value in enumerate(versions(draws, name))}
    return Explanation(
        forecast=forecast,
        models=tuple(models),
        channels={name: mixed([share.get(name, 0.0) for share in shares]) for name in names},
        options={name: mixed(list(value)) for name, value in options.items()},
        drivers=tuple(_mixed_drivers(draws, options, weights, mixture, kept)) if with_drivers else None,
        evpi=_everything(options, ways, weights, clusters),
        together=partial_information(known, benefits, **weighed(mixture.weighing)) if know else None,
        known=tuple(know),
    )


def _check_known(names: Sequence[str], draws: Draws) -> None:
    """Refuse beliefs that no model reads."""
    problems = Problems("explain")
    for name in names:
        if name not in draws.values:
            problems.unknown("--know", name, draws.values, "no model reads this belief")
    problems.check()


def versions(draws: Draws, name: str) -> list[Array]:
    """Return the different draws that readings have of a belief, each of shape (draw,)."""
    value = np.asarray(draws.values[name], dtype=float)
    if value.ndim < 2:
        return [value]
    rows = [value[row] for row, source in enumerate(draws.question.sources[name]) if source is not None]
    return [row for at, row in enumerate(rows) if not any(np.array_equal(row, r) for r in rows[:at])]


def policies(forecast: Forecast, variants: Variants | None = None) -> dict[str, Array]:
    """Return the net effect under each publication policy, on the forecast's worlds, (reading, draw).

    Only beliefs that depend on the policy get other draws, from the same streams. A policy under
    which some belief is not stated is left out.

    Parameters
    ----------
    forecast : Forecast
        What `difprog.forecast.forecast.score` returned.
    variants : Variants, optional
        Of its draws, where they are at hand.
    """
    draws = forecast.draws
    found: dict[str, Array] = {}
    cases: dict[str, Case] = {}
    kept = Kept()
    for policy in POLICIES:
        if policy == forecast.project.facts["publication"]:
            found[policy] = draws.net_effect
            continue
        supposed = published(forecast, policy, kept)
        if supposed is None:
            continue
        question, values, changed = supposed
        race = Race(question, values, draws.count)
        found[policy] = np.empty(draws.without.shape)
        if changed & {name for functions in race.maths for name in functions.race_reads()}:
            # A world that the policy makes another one.
            found[policy] = evaluate(question, values, draws.count, draws.seed, kept=kept).net_effect
        else:
            variants = variants or Variants(draws)
            cases[policy] = variants.case(*race.outcome())
    if variants is not None:
        for piece in variants.stretches(range(len(draws.without))):
            for policy, case in cases.items():
                found[policy][piece.rows, piece.where] = piece.net(list(draws.effects_hit), case=case)
            piece.close()
    return found


def published(
    forecast: Forecast, policy: str, kept: Kept | None = None
) -> tuple[Question, dict[str, Any], set[str]] | None:
    """Return what is asked under another publication policy.

    Returns
    -------
    tuple or None
        The question, draws of its beliefs, and those that have others. None where no belief says what
        holds under the policy.
    """
    facts, draws = forecast.project.facts, forecast.draws
    question = draws.question
    views: list[View] = []
    changed: set[str] = set()
    for answer in forecast.models:
        stack = Stack(answer.layers)
        beliefs = dict(answer.beliefs)
        for name, belief in answer.beliefs.items():
            stated = stack.lookup(name, facts)
            other = stack.lookup(name, {**facts, "publication": policy})
            # What reviewers or evidence put in a stated belief's place holds under every policy.
            if stated is None or stated == other or stated != belief:
                continue
            if other is None:
                return None
            beliefs[name] = other
            changed.add(name)
        views.append(replace(answer.view, beliefs=beliefs))
    asked = replace(question, views=tuple(views), facts={**facts, "publication": policy})
    tied = {name for group in question.groups for name in group}
    if tied & changed:
        changed = set(question.names)
    part = asked if tied & changed else only(asked, changed)
    return asked, {**draws.values, **draw_beliefs(part, draws.count, draws.seed, kept)}, changed


def only(question: Question, names: set[str]) -> Question:
    """Return a question about some of its beliefs alone, which are tied to no other."""
    views = (
        replace(view, beliefs={n: b for n, b in view.beliefs.items() if n in names})
        for view in question.views
    )
    return replace(question, views=tuple(views), correlations=())


def weighed(way: Weighing) -> dict[str, Any]:
    """Return how draws count as what `difprog.why.information` takes by name."""
    return {"clusters": way.clusters, "weights": way.weights, "moments": way.moments}


class Mixture:
    """All readings as one: how a draw counts in the mixture, and what a quantity is worth there."""

    def __init__(self, draws: Draws, credences: Array) -> None:
        clusters = fewest_clusters(draws.question)
        self._share = credences[:, None]
        self.weighing = Weighing(draws.count, clusters)
        if draws.tilts:
            self._share, total = mixture_shares([way.each for way in draws.ways], credences)
            self.weighing = Weighing(draws.count, clusters, total)

    def of(self, value: Array) -> Array:
        """Return a quantity of the readings, shape (reading, draw), as one of shape (draw,)."""
        return np.asarray(np.sum(self._share * value, axis=0))


def _mixed_drivers(
    draws: Draws, options: Mapping[str, Array], weights: Array, mixture: Mixture, kept: Sorted
) -> list[Driver]:
    """Return the drivers of the mixture, the question which model is right among them.

    A belief about which readings differ is left out, unless all but one hold it at a point.
    """
    shared = {}
    for name in draws.values:
        moving = [value for value in versions(draws, name) if value.ndim and np.ptp(value) > 0]
        if len(moving) == 1:
            shared[name] = moving[0]
    benefits = [mixture.of(value) for value in options.values()]
    net = mixture.of(draws.net_effect)
    found = list(drivers(shared, net, benefits, kept=kept, **weighed(mixture.weighing)))
    if len(weights) > 1:
        found.append(_which_model(draws.net_effect, options, draws.ways, weights, mixture.weighing.clusters))
    return sorted(found, key=lambda d: (-d.distance, -d.evppi, d.belief))


def _plain(value: Array, ways: Sequence[Weighing]) -> Array:
    """Return draws of every reading, shape (reading, draw), whose plain means are the weighted ones."""
    return np.stack([way.plain(row) for way, row in zip(ways, value, strict=True)])


def _everything(
    options: Mapping[str, Array], ways: Sequence[Weighing], weights: Array, clusters: int | None
) -> Gain:
    """Return the EVPI of the mixture: what it would be worth to know the world and which model is right."""
    every = np.stack([np.zeros(next(iter(options.values())).shape), *options.values()])
    blind = int(np.argmax([float(weights @ _plain(value, ways).mean(axis=1)) for value in every]))
    gain = weights @ _plain(every.max(axis=0) - every[blind], ways)
    return Gain(max(float(gain.mean()), 0.0), clustered_error(gain, clusters))


def _which_model(
    nets: Array,
    options: Mapping[str, Array],
    ways: Sequence[Weighing],
    weights: Array,
    clusters: int | None,
) -> Driver:
    """Return what it would be worth to know which model is right: no regression is needed.

    Its distance is the mean, by credence, of the largest gap between a model's cdf and the
    mixture's.
    """
    count = ways[0].count
    own = {name: _plain(value, ways) for name, value in options.items()}
    means = {name: value.mean(axis=1) for name, value in own.items()}
    blind = max((0.0, NOTHING), *((float(weights @ v), name) for name, v in means.items()))[1]
    gain = -(weights @ own[blind]) if blind != NOTHING else np.zeros(count)
    for row, weight in enumerate(weights):
        best = max((0.0, NOTHING), *((float(v[row]), name) for name, v in means.items()))[1]
        if best != NOTHING:
            gain = gain + weight * own[best][row]
    grid = np.quantile(nets, (np.arange(400) + 0.5) / 400)
    below = np.stack([way.cdf(row, grid) for way, row in zip(ways, nets, strict=True)])
    gaps = np.abs(below - weights @ below).max(axis=1)
    centres = [way.mean(row) for way, row in zip(ways, nets, strict=True)]
    errors = [way.error(row) for way, row in zip(ways, nets, strict=True)]
    low, high = int(np.argmin(centres)), int(np.argmax(centres))
    return Driver(
        belief=WHICH_MODEL,
        distance=float(weights @ gaps),
        distance_se=0.5 / count**0.5,
        evppi=max(float(gain.mean()), 0.0),
        evppi_se=clustered_error(gain, clusters),
        low=centres[low],
        low_se=errors[low],
        high=centres[high],
        high_se=errors[high],
    )
