"""Several projects at once: their effects put together, and the race run once on the same worlds.

Effects add up; chances of a solution are those that at least one of them brings. Each project's
breakthrough happens or does not, by a stream of its own: with many projects the ways in which they
could all turn out are too many to average over exactly. What the projects do to each other is the
effect of all at once less the sum of what each does alone, on the very same worlds and breakthroughs;
that is added to the sum of the parts, in which breakthroughs are averaged exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from difprog.base.errors import BadInput, Problem
from difprog.forecast.forecast import mixed
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


def together(projects: Iterable[tuple[str, Draws]], credences: Sequence[float], prob: float) -> Together:
    """Run the race with several projects at once.

    Parameters
    ----------
    projects : iterable of (str, Draws)
        Name and draws of at least one project; made under one setup, with one seed and as many draws. They
        are asked for one at a time, and only what they add up to is held.
    credences : sequence of float
        The models', in the order of the readings.
    prob : float
        Probability of the intervals.

    Raises
    ------
    BadInput
        Where two of them are not about the same worlds: a proposal states beliefs about the world.
    """
    first: Draws | None = None
    many = 0
    problems: list[Problem] = []
    effects: dict[str, Array] = {}
    none: dict[str, Array] = {}  # the chance that no project brings a solution
    parts = alone = np.zeros(())
    for name, draws in projects:
        first = first or draws
        if not draws.same_worlds(first):
            problems.append(
                Problem(name, "beliefs", "states beliefs about the world that other proposals do not",
                        hint="what is about the world belongs in a layer: --priors FILE")
            )  # fmt: skip
            continue
        happens = _hits(draws)
        for effect, value in _realised(draws, happens).items():
            if draws.question.vocabulary[effect].support == SHARE:
                none[effect] = none.get(effect, 1.0) * (1.0 - value)
            else:
                effects[effect] = effects.get(effect, 0.0) + value
        many += 1
        parts = parts + draws.net_effect
        alone = alone + (np.where(happens, draws.hit, draws.miss) - draws.without)
    if problems:
        raise BadInput(*problems)
    if first is None:
        raise ValueError("there is no project")
    between = np.zeros(first.without.shape)
    if many > 1:
        every = effects | {effect: 1.0 - value for effect, value in none.items()}
        between = first.race.chance(every) - first.without - alone
    net = parts + between
    return Together(net, parts, *(mixed(first, column, credences, prob) for column in (net, parts, between)))


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
