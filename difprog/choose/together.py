"""Several projects at once: their effects put together, and the race run once on the same worlds.

Effects add up; chances of a solution are those that at least one of them brings. Each project's
breakthrough happens or does not, by a stream of its own: with many projects the ways in which they
could all turn out are too many to average over exactly. What the projects do to each other is the
effect of all at once less the sum of what each does alone, on the very same worlds and breakthroughs;
that is added to the sum of the parts, in which breakthroughs are averaged exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from difprog.base.errors import BadInput, Problem
from difprog.forecast.forecast import Forecast, mixed
from difprog.forecast.sampling import Draws, scores
from difprog.forecast.summary import Summary
from difprog.race.parameters import SHARE

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Together:
    """What a set of projects comes to.

    Attributes
    ----------
    net : array, shape (reading, draw)
        Net effect of the set.
    parts : array, shape (reading, draw)
        The sum of the projects' own net effects.
    summary, sum_of_parts, interaction : Summary
        Of the mixture: of the set, of the sum of its parts, and of the difference.
    """

    net: Array
    parts: Array
    summary: Summary
    sum_of_parts: Summary
    interaction: Summary


def together(forecasts: Sequence[Forecast]) -> Together:
    """Run the race with several projects at once.

    Parameters
    ----------
    forecasts : sequence of Forecast
        At least one; made under one setup, with one seed and as many draws.

    Raises
    ------
    BadInput
        Where two of them are not about the same worlds: a proposal states beliefs about the world.
    """
    first = forecasts[0]
    _check_worlds(forecasts)
    every = [one.draws for one in forecasts]
    hits = [_hits(draws) for draws in every]
    with_hits = [_realised(draws, happens) for draws, happens in zip(every, hits, strict=True)]
    effects: dict[str, Array] = {}
    for name in dict.fromkeys(name for own in with_hits for name in own):
        values = [own[name] for own in with_hits if name in own]
        if first.draws.question.vocabulary[name].support == SHARE:
            effects[name] = 1.0 - np.prod([1.0 - value for value in values], axis=0)
        else:
            effects[name] = np.sum(values, axis=0)
    without = first.draws.without
    parts = np.sum([draws.net_effect for draws in every], axis=0)
    if len(every) == 1:
        between = np.zeros(without.shape)
    else:
        each = zip(every, hits, strict=True)
        alone = np.sum([np.where(h, draws.hit, draws.miss) - without for draws, h in each], axis=0)
        between = first.draws.race.chance(effects) - without - alone
    net = parts + between
    credences = [answer.credence for answer in first.models]
    return Together(
        net, parts, *(mixed(first.draws, column, credences, first.prob) for column in (net, parts, between))
    )


def _hits(draws: Draws) -> npt.NDArray[np.bool_]:
    """Return whether the breakthrough happens, shape (reading, draw)."""
    from scipy.special import ndtr

    stream = f"breakthrough|{draws.question.own}"
    happens: npt.NDArray[np.bool_] = (
        ndtr(scores(stream, draws.seed, draws.count))[None, :] < draws.chance_of_hit
    )
    return happens


def _realised(draws: Draws, happens: npt.NDArray[np.bool_]) -> dict[str, Array]:
    """Return the effects of a project whose breakthrough has happened or not, each (reading, draw)."""
    return {
        name: np.where(happens, value, draws.effects_miss[name]) for name, value in draws.effects_hit.items()
    }


def _check_worlds(forecasts: Sequence[Forecast]) -> None:
    """Refuse projects whose worlds without them differ."""
    first = forecasts[0]
    problems = [
        Problem(
            one.project.name, "beliefs", "states beliefs about the world that other proposals do not",
            hint="what is about the world belongs in a layer: --priors FILE",
        )
        for one in forecasts[1:]
        if not one.draws.same_worlds(first.draws)
    ]  # fmt: skip
    if problems:
        raise BadInput(*problems)
