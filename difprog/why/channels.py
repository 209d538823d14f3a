"""Through which channels a project helps and harms: Shapley values on the draws of a forecast.

Works on all readings at once; a coalition is evaluated only under the readings in which each of
its channels acts. Reads no file and samples nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from difprog.forecast.sampling import Draws
from difprog.race.parameters import Group

Array = npt.NDArray[np.float64]

#: The channels of the shipped models, in the order in which they are shown.
CHANNELS = ("parallel", "serial", "capability", "adoption", "run_up")

#: The three paths of practice on narrowly superhuman models, inside the channel ``run_up``.
PATHS: dict[str, tuple[str, ...]] = {
    "know_how": ("knowhow_effect", "field_growth"),
    "run_up": ("assistance_effect", "grace_effect"),
    "solution": ("solution_probability",),
}


class Estimate(NamedTuple):
    """A mean over draws and its Monte Carlo standard error, in the unit of the draws."""

    value: float
    mcse: float


class Path(NamedTuple):
    """One of the three paths of the channel ``run_up``."""

    value: float
    """Its share: the paths' shares sum to the channel."""
    mcse: float
    alone: float
    """The net effect with this path and nothing else."""
    left_out: float
    """The net effect with all but this path."""


def channels_of(draws: Draws) -> dict[str, tuple[str, ...]]:
    """Return the effects that act through each channel; a model's own effects have their own."""
    found: dict[str, list[str]] = {name: [] for name in CHANNELS}
    for name, parameter in draws.question.vocabulary.items():
        if parameter.group is Group.EFFECT and name in draws.effects_hit:
            found.setdefault(parameter.channel, []).append(name)
    return {name: tuple(effects) for name, effects in found.items()}


class Game:
    """The net effect of a project with only some of its effects, on fixed draws, per reading.

    Parameters
    ----------
    draws : Draws
        The worlds, and the project's effects in them.
    players : mapping of str to sequence of str
        Player → the effects it stands for. An effect that no player stands for is off.
    """

    def __init__(self, draws: Draws, players: Mapping[str, Sequence[str]]) -> None:
        self.draws, self.players = draws, dict(players)
        hit, miss = draws.effects_hit, draws.effects_miss
        acts = {n: hit[n].any(axis=1) | miss[n].any(axis=1) for n in hit}
        rows = range(len(draws.question.views))
        self.active = tuple(
            tuple(p for p, effects in players.items() if any(acts[n][row] for n in effects if n in acts))
            for row in rows
        )
        self._known: dict[tuple[int, frozenset[str]], Any] = {(row, frozenset()): 0.0 for row in rows}

    def value(self, row: int, coalition: Iterable[str]) -> Any:
        """Return the net effect of a coalition under a reading, shape (draw,); 0 for nobody."""
        own = frozenset(coalition) & frozenset(self.active[row])
        if (row, own) not in self._known:
            self._evaluate(own)
        return self._known[row, own]

    def _evaluate(self, coalition: frozenset[str]) -> None:
        """Evaluate a coalition under every reading in which all of its players act."""
        draws = self.draws
        rows = [
            row for row, active in enumerate(self.active)
            if coalition <= set(active) and (row, coalition) not in self._known
        ]  # fmt: skip
        if all(coalition == set(self.active[row]) for row in rows) and self._whole:
            found = draws.net_effect[rows]
        else:
            found = net_effect(draws, [n for p in coalition for n in self.players[p]], rows)
        for place, row in enumerate(rows):
            self._known[row, coalition] = found[place]

    @property
    def _whole(self) -> bool:
        """Whether the players stand for every effect."""
        return {n for effects in self.players.values() for n in effects} >= set(self.draws.effects_hit)


def net_effect(
    draws: Draws, effects: Iterable[str], readings: Sequence[int], factors: Mapping[str, float] | None = None
) -> Array:
    """Return the net effect of some of a project's effects, shape (readings, draw).

    Parameters
    ----------
    draws : Draws
        The worlds, and the project's effects in them.
    effects : iterable of str
        Those that count.
    readings : sequence of int
        Places of the readings asked for.
    factors : dict of str to float, optional
        Effect → what it is multiplied by.
    """
    factors = factors or {}
    names = [n for n in effects if n in draws.effects_hit]

    def scaled(of: Mapping[str, Array], name: str) -> Array:
        return of[name] * factors[name] if factors.get(name, 1.0) != 1.0 else of[name]

    without, at = draws.without[list(readings)], list(readings)
    hit = draws.race.chance({n: scaled(draws.effects_hit, n) for n in names}, at) - without
    if all(draws.effects_hit[n] is draws.effects_miss[n] for n in names):
        return hit
    miss = draws.race.chance({n: scaled(draws.effects_miss, n) for n in names}, at) - without
    chance = draws.chance_of_hit[at]
    return chance * hit + (1.0 - chance) * miss


def shapley(players: Sequence[str], value: Callable[[frozenset[str]], Any]) -> dict[str, Any]:
    """Return each player's Shapley value, draw by draw.

    Parameters
    ----------
    players : sequence of str
        All players; with none, the result is empty.
    value : callable
        Coalition → its worth, an array or a scalar; 0 for the empty one.
    """
    count = len(players)
    shares: dict[str, Any] = dict.fromkeys(players, 0.0)
    for size in range(count + 1):
        for coalition in combinations(players, size):
            worth = value(frozenset(coalition))
            for name in players:
                if name in coalition:
                    weight = 1.0 / (count * math.comb(count - 1, size - 1))
                else:
                    weight = -1.0 / (count * math.comb(count - 1, size))
                shares[name] = shares[name] + weight * worth
    return shares


def channel_draws(draws: Draws) -> list[dict[str, Any]]:
    """Return, per reading, the Shapley value of every channel draw by draw.

    They sum to the net effect's draws. A channel that a reading or a project leaves unused has
    exactly 0.
    """
    players = channels_of(draws)
    game = Game(draws, players)
    found = []
    for row, active in enumerate(game.active):
        shares = shapley(active, lambda coalition, row=row: game.value(row, coalition))  # type: ignore[misc]
        found.append({name: shares.get(name, 0.0) for name in players})
    return found


def channels(draws: Draws) -> list[dict[str, Estimate]]:
    """Return, per reading, the Shapley value of every channel of E[net_effect], which they sum to.

    The value being linear in the game, its Monte Carlo error is that of the mean of the values
    draw by draw.
    """
    return [
        {name: estimate(draws, row, value) for name, value in shares.items()}
        for row, shares in enumerate(channel_draws(draws))
    ]


def paths(draws: Draws, run_up: Sequence[Any]) -> list[dict[str, Path]]:
    """Return, per reading, the three paths of the channel ``run_up``; empty where none is open.

    A path's share is the mean of what it adds when it comes first and when it comes last, scaled
    so that the shares sum to the channel: effects this small all but add up, and the scale is 1
    to several digits.

    Parameters
    ----------
    draws : Draws
        The worlds and effects.
    run_up : sequence of array
        The channel's Shapley values draw by draw, per reading.
    """
    every = list(draws.effects_hit)
    rows = [row for row, value in enumerate(run_up) if np.any(value)]
    found: list[dict[str, Path]] = [{} for _ in run_up]
    if not rows:
        return found
    alone = {name: net_effect(draws, effects, rows) for name, effects in PATHS.items()}
    left = {
        name: net_effect(draws, [n for n in every if n not in effects], rows)
        for name, effects in PATHS.items()
    }
    net = draws.net_effect[rows]
    raw = {name: 0.5 * (alone[name] + net - left[name]) for name in PATHS}
    for place, row in enumerate(rows):
        mean = draws.weighing(row).mean
        total = sum(mean(raw[name][place]) for name in PATHS)
        scale = mean(run_up[row]) / total if total else 1.0
        for name in PATHS:
            share = estimate(draws, row, scale * raw[name][place])
            apart = mean(alone[name][place]), mean(left[name][place])
            found[row][name] = Path(share.value, share.mcse, *apart)
    return found


def estimate(draws: Draws, row: int, values: Any) -> Estimate:
    """Return the mean of a reading's draws and its Monte Carlo standard error; a scalar has none."""
    weighing = draws.weighing(row)
    return Estimate(weighing.mean(values), weighing.error(values))
