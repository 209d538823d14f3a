"""Several options side by side on the same worlds: differences, dominance, who is best.

An option is a proposal, or a proposal under one publication policy. Works on draws of net
effects; reads no files and prints nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from difprog.base.errors import BadInput, Problem
from difprog.choose.best import NOTHING, Best
from difprog.forecast.forecast import Forecast
from difprog.forecast.summary import Summary, sign, summarise, summarise_mixture
from difprog.forecast.weighing import fewest

Array = npt.NDArray[np.float64]

#: Most options of one comparison: every pair of them is looked at.
MOST_OPTIONS = 40


#: Differences of probabilities below this are what rounding leaves, and count as none.
ROUNDING = 1e-13


@dataclass(frozen=True)
class Option:
    """One of the things that could be done."""

    name: str
    forecast: Forecast

    @property
    def net(self) -> list[Any]:
        """Draws of the net effect per model, each of shape (draws,) or scalar."""
        return list(self.forecast.draws.net_effect)


@dataclass(frozen=True)
class Dominance:
    """In which senses the first option of a pair is no worse than the second, and not the same.

    Attributes
    ----------
    every_draw : bool
        In every draw of every model.
    first_order : bool
        In distribution: whatever effect one asks for, the mixture's chance of at least that
        much is no lower. Everyone who prefers more to less then prefers it.
    every_model : bool
        The mean is higher in every model, by more than two Monte Carlo errors.
    """

    every_draw: bool
    first_order: bool
    every_model: bool


@dataclass(frozen=True)
class Pair:
    """Two options, the one with the higher mean effect first.

    ``ensemble`` and ``models`` summarise the difference of their net effects, first minus
    second, draw by draw; its ``p_positive`` is the chance that the first is the better.
    """

    first: int
    second: int
    ensemble: Summary
    models: tuple[Summary, ...]
    dominance: Dominance


@dataclass(frozen=True)
class Comparison:
    """Options, best first by the mean net effect of the ensemble, and every pair of them.

    Attributes
    ----------
    options : tuple of Option
        Best first.
    p_best : dict of int to array
        Place among ``options`` (or `difprog.choose.best.NOTHING`) → the chance that it is best, per
        model, shape (models,).
    weights : array, shape (models,)
        The models' shares of the ensemble.
    pairs : tuple of Pair
        All of them, in the order of the options.
    """

    options: tuple[Option, ...]
    p_best: dict[int, Array]
    weights: Array
    pairs: tuple[Pair, ...]

    def chance(self, place: int) -> float:
        """Return the chance that an option is best, in the mixture of the models."""
        each = self.p_best.get(place)
        return 0.0 if each is None else float(self.weights @ each)

    @property
    def nothing(self) -> float:
        """The chance that no option is better than doing nothing."""
        return self.chance(NOTHING)


def compare(options: Sequence[Option]) -> Comparison:
    """Compare options that were scored under one setup, with one seed and as many draws.

    Raises
    ------
    BadInput
        Where there are too many of them, or what is stated about the outcome weighs their worlds
        differently.
    """
    if len(options) > MOST_OPTIONS:
        raise BadInput(
            Problem("compare", "", f"takes at most {MOST_OPTIONS} options", len(options),
                    "difprog rank takes any number")
        )  # fmt: skip
    order = sorted(range(len(options)), key=lambda i: (-options[i].forecast.ensemble["net_effect"].mean, i))
    ranked = tuple(options[i] for i in order)
    first = ranked[0].forecast
    _check_weighed_alike(ranked)
    best = Best(len(first.models), first.count)
    for place, option in enumerate(ranked):
        best.add(place, option.net)
    pairs = [
        _pair(ranked, i, j) for i in range(len(ranked)) for j in range(i + 1, len(ranked))
    ]
    chances = best.chances([answer.weighing.weights for answer in first.models])
    return Comparison(ranked, chances, np.asarray(first.weights), tuple(pairs))


def _check_weighed_alike(options: Sequence[Option]) -> None:
    """Refuse options whose worlds without them count differently: no draw is then the same world."""
    first = options[0].forecast
    for option in options[1:]:
        if not option.forecast.draws.counts_like(first.draws):
            what = "states beliefs or outcomes of its own, under which worlds count differently"
            hint = "what is about the world belongs in a layer: --priors FILE, --believe"
            raise BadInput(Problem(option.name, "outcomes", what, hint=hint))


def _pair(options: Sequence[Option], i: int, j: int) -> Pair:
    one, two = options[i].forecast, options[j].forecast
    columns = [a - b for a, b in zip(options[i].net, options[j].net, strict=True)]
    ways = [
        replace(a.weighing, clusters=fewest((a.clusters, b.clusters)))
        for a, b in zip(one.models, two.models, strict=True)
    ]
    models = tuple(summarise(column, way, one.prob) for way, column in zip(ways, columns, strict=True))
    ensemble = summarise_mixture(columns, ways, one.weights, one.prob)
    return Pair(i, j, ensemble, models, _dominance(options[i], options[j], columns, models))


def _dominance(
    one: Option, two: Option, columns: Sequence[Any], models: Sequence[Summary]
) -> Dominance:
    different = any(np.any(np.asarray(column) > ROUNDING) for column in columns)
    no_worse = all(np.all(np.asarray(column) >= -ROUNDING) for column in columns)
    answers = zip(one.forecast.weights, one.forecast.models, strict=True)
    mass = np.concatenate([share * answer.weighing.each for share, answer in answers])
    return Dominance(
        every_draw=different and no_worse,
        first_order=first_order(one.net, two.net, mass),
        every_model=all(sign(summary) > 0 for summary in models),
    )


def first_order(one: Sequence[Any], two: Sequence[Any], mass: Array) -> bool:
    """Whether one mixture of draws dominates another in distribution, to first order.

    Parameters
    ----------
    one, two : sequence of arrays, each of shape (draws,) or scalar
        Draws per model.
    mass : array, shape (models · draws,)
        What every draw of every model counts for; they sum to 1.

    Returns
    -------
    bool
        True where the cdf of ``one`` is nowhere above that of ``two`` and somewhere below it.
    """
    count = len(mass) // len(one)
    values = [
        np.concatenate([np.broadcast_to(np.asarray(c, dtype=float), (count,)) for c in side])
        for side in (one, two)
    ]
    every = np.concatenate(values)
    order = np.argsort(every, kind="stable")
    steps = np.concatenate([mass, -mass])[order]
    # Read where a value ends, so that equal values count together.
    ends = np.append(np.diff(every[order]) != 0, True)
    excess = np.cumsum(steps)[ends]
    return bool((excess <= ROUNDING).all() and (excess < -ROUNDING).any())
