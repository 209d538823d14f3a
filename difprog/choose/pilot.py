"""Learn first, or decide now: what a pilot of a proposal is worth against what it costs.

A pilot measures one belief, or one effect of the proposal, with a normal error. It is worth what the
choice between doing nothing and the publication policies gains by its result (`sample_information`).
Money is priced by a bar, in microdooms per million dollars: what the pilot, and the proposal itself, would
buy elsewhere.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from difprog.base.errors import BadInput, Problem, Problems
from difprog.base.units import UnitError, quantity
from difprog.beliefs import published
from difprog.forecast.forecast import Forecast
from difprog.forecast.summary import MICRODOOM
from difprog.forecast.weighing import Weighing, flat
from difprog.race.parameters import SHARE, Parameter
from difprog.why.explain import NOTHING, Mixture, policies, versions, weighed
from difprog.why.information import partial_information

Array = npt.NDArray[np.float64]

#: The published bar that money is priced by unless another is named: the newest, meant for grants, and the
#: one by which money is worth most, so that a pilot has most to beat.
BAR = "stein-perlman"
MILLION = 1e6

_STATED = re.compile(r"\s*(?P<belief>[\w.]+)\s*(?:±|\+/?-)\s*(?P<error>\S.*?)\s+for\s+(?P<price>\S.*?)\s*")
_HINT = 'such as "serial_speedup +- 0.05 years for 50k", or "researchers +- 20% for 10k"'


class Stated(NamedTuple):
    """A pilot as it is stated."""

    belief: str
    error: str
    price: str


class Bar(NamedTuple):
    """What money buys elsewhere."""

    per_million: float
    """Microdooms per million USD."""
    source: str
    """Whose bar it is; "" for one's own."""


class Worth(NamedTuple):
    """Whether to learn first."""

    value: float
    """Expected value of sample information, in the unit of the net benefits; ≥ 0."""
    se: float
    price: float
    """What the pilot costs, in the same unit."""
    perfect: float
    """The most that any pilot on this belief can be worth: its EVPPI."""

    @property
    def pays(self) -> bool | None:
        """Whether the pilot is worth its price; None where draws cannot tell, by two errors."""
        gap = self.value - self.price
        return None if abs(gap) <= 2 * self.se else gap > 0


@dataclass(frozen=True)
class Answer:
    """Whether to learn first.

    Attributes
    ----------
    stated : Stated
        The pilot: what it measures, how well, and for how much, as written.
    error : float
        Standard deviation of its result: in the belief's unit, or as a share of it.
    relative : bool
        Whether it is a share, and the result's logarithm is what is normal.
    unit : str
        The belief's.
    price : float
        In USD.
    bar : Bar
        By which money is priced.
    cost : float or None
        The proposal's own expected cost in USD; None where it states none, and none is counted.
    now : tuple of (str, float)
        What is best as it stands, a policy or `difprog.why.explain.NOTHING`, and its net benefit.
    found : Worth
        What the pilot is worth, as a probability, and its price.
    """

    stated: Stated
    error: float
    relative: bool
    unit: str
    price: float
    bar: Bar
    cost: float | None
    now: tuple[str, float]
    found: Worth


def stated(text: str) -> Stated:
    """Return a pilot from what was written, "BELIEF ± ERROR for PRICE".

    Raises
    ------
    BadInput
        Where it is none.
    """
    found = _STATED.fullmatch(text)
    if found is None:
        raise BadInput(Problem("--pilot", "", "is not BELIEF ± ERROR for PRICE", text, _HINT))
    return Stated(found["belief"], found["error"], found["price"])


def bar(text: str = BAR) -> Bar:
    """Return a bar from microdooms per million dollars, or from the name of a published one.

    The middle of one that is published as an interval is its geometric mean.

    Raises
    ------
    BadInput
        Where it is neither.
    """
    every = published.yardsticks()
    known = {name: entry for name, entry in every.items() if "microdooms_per_million_usd" in entry}
    if text in known:
        low, high = known[text]["microdooms_per_million_usd"]
        return Bar(math.sqrt(low * high), str(known[text]["source"]))
    try:
        value = quantity(text, "", "")
    except UnitError:
        problems = Problems("explain")
        problems.unknown("--bar", text, known, "is no number and no published bar")
        raise BadInput(*problems) from None
    if not 0 <= value < math.inf:
        raise BadInput(Problem("--bar", "", "must be 0 or more, in microdooms per million dollars", text))
    return Bar(value, "")


def pilot(forecast: Forecast, asked: Stated, price_by: Bar) -> Answer:
    """Return whether a pilot is worth its price.

    Raises
    ------
    BadInput
        Where no model has the belief or effect, nothing is left to learn about it, or an amount cannot
        be read.
    """
    belief, options, way = _joint(forecast, asked.belief)
    parameter = _parameter(forecast, asked.belief)
    price = _amount(asked.price, "USD", "price")
    cost = _cost(forecast)
    charge = (cost or 0.0) / MILLION * price_by.per_million * MICRODOOM
    options = {name: net - charge for name, net in options.items()}
    error, relative = _error(asked, parameter, belief)
    means = {name: way.mean(net) for name, net in options.items()}
    best = max(means, key=lambda name: means[name])
    found = sample_information(
        np.log(belief) if relative else belief,
        math.log1p(error) if relative else error,
        list(options.values()),
        price / MILLION * price_by.per_million * MICRODOOM,
        forecast.seed,
        **weighed(way),
    )
    now = (best, means[best]) if means[best] > 0 else (NOTHING, 0.0)
    return Answer(asked, error, relative, parameter.unit, price, price_by, cost, now, found)


def sample_information(
    belief: Array, precision: float, options: Sequence[Any], price: float, seed: int, *,
    clusters: int | None = None, weights: Array | None = None, moments: Array | None = None,
) -> Worth:  # fmt: skip
    """Return what a pilot that measures one belief is worth, against what it costs.

    The pilot's result is simulated on every draw, the belief plus a normal error, and net benefits
    are regressed on it (Strong, Oakley, Brennan & Breeze 2015, Estimating the expected value of
    sample information using the probabilistic sensitivity analysis sample, Med Decis Making 35:570).

    Parameters
    ----------
    belief : array, shape (draws,)
        What it measures, on the scale on which its error is normal.
    precision : float
        Standard deviation of that error, > 0; of n observations of spread s it is s/√n.
    options : sequence of arrays, each of shape (draws,) or scalar
        Net benefits beside doing nothing.
    price : float
        What it costs, in the unit of the net benefits: money times the bar.
    seed : int
        Of the simulated errors.
    clusters, weights, moments
        As in `difprog.forecast.weighing.clustered_error`.
    """
    error = np.random.default_rng([seed, 0x9107]).standard_normal(len(belief))
    result, perfect = (
        partial_information({"belief": known}, options, clusters, weights=weights, moments=moments)
        for known in (belief + precision * error, belief)
    )
    return Worth(result.value, result.se, float(price), perfect.value)


def _joint(forecast: Forecast, name: str) -> tuple[Array, dict[str, Array], Weighing]:
    """Return draws of a belief or an effect, of every option's net effect, and how each draw counts.

    Where all models have the same draws of it, models are mixed draw by draw. Where they differ, a result
    tells of the model too: then every model's draws are a part of one long sample.
    """
    draws = forecast.draws
    problems = Problems("explain")
    if name in draws.values:
        moving = [value for value in versions(draws, name) if value.ndim and np.ptp(value) > 0]
        every = np.stack([np.broadcast_to(m.value(name), (draws.count,)) if name in m.beliefs else
                          np.zeros(draws.count) for m in forecast.models])  # fmt: skip
    elif name in draws.effects_hit:
        every = np.broadcast_to(draws.effect(name), draws.without.shape)
        moving = [row for at, row in enumerate(every) if not any(np.array_equal(row, r) for r in every[:at])]
        moving = [row for row in moving if np.ptp(row) > 0]
    else:
        known = {*draws.values, *draws.effects_hit}
        problems.unknown("--pilot", name, known, "no model has this belief or effect")
        problems.check()
    if not moving:
        problems.add("--pilot", "is certain: nothing is left to learn about it", name)
        problems.check()
    nets = policies(forecast)
    mixture = Mixture(draws, np.asarray(forecast.weights))
    if len(moving) == 1:
        return moving[0], {policy: mixture.of(net) for policy, net in nets.items()}, mixture.weighing
    # Draws that share a posterior draw, or a world, must be a whole number of turns apart.
    clusters = mixture.weighing.clusters
    count = draws.count if clusters is None or clusters > draws.count else draws.count // clusters * clusters
    ways = [answer.weighing.weights for answer in forecast.models]
    shares = [flat(count) if w is None else w[:count] / w[:count].sum() for w in ways]
    weights = np.concatenate([c * share for c, share in zip(forecast.weights, shares, strict=True)])
    way = Weighing(len(weights), count if clusters is None else min(clusters, count), weights)
    return every[:, :count].ravel(), {n: net[:, :count].ravel() for n, net in nets.items()}, way


def _parameter(forecast: Forecast, name: str) -> Parameter:
    return next(m.model.vocabulary[name] for m in forecast.models if name in m.model.vocabulary)


def _error(asked: Stated, parameter: Parameter, belief: Array) -> tuple[float, bool]:
    """Return a pilot's standard deviation, and whether it is a share of what it measures."""
    relative = asked.error.endswith("%") and parameter.support is not SHARE
    value = _amount(asked.error, "" if relative else parameter.unit, asked.belief)
    if not value > 0:
        raise BadInput(Problem("--pilot", asked.belief, "an error must be above 0", asked.error))
    if relative and not belief.min() > 0:
        hint = f"state it in {parameter.unit or 'its own unit'}"
        raise BadInput(Problem("--pilot", asked.belief, "can be 0 or below: no error is a share of it",
                               asked.error, hint))  # fmt: skip
    return value, relative


def _amount(text: str, unit: str, key: str) -> float:
    try:
        value = quantity(text, unit, unit)
    except UnitError as error:
        raise BadInput(Problem("--pilot", key, str(error), text, error.hint or _HINT)) from None
    if not 0 <= value < math.inf:
        raise BadInput(Problem("--pilot", key, "must be 0 or more", text))
    return value


def _cost(forecast: Forecast) -> float | None:
    """Return a proposal's expected cost in USD, None where it states none."""
    belief = forecast.models[0].beliefs.get("cost")
    mean = 0.0 if belief is None else float(belief.shape.mean)
    return mean if 0 < mean < math.inf else None
