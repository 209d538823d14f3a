"""Through which channels a project helps and harms: Shapley values on the draws of a forecast.

A coalition is evaluated only under the readings in which each of its channels acts. Reads no file and
samples nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from difprog.forecast.sampling import Draws
from difprog.forecast.variants import Stretch, Variants
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


def channel_draws(draws: Draws, variants: Variants | None = None) -> list[dict[str, Any]]:
    """Return, per reading, the Shapley value of every channel draw by draw.

    They sum to the net effect's draws. A channel that a reading or a project leaves unused has
    exactly 0.

    Parameters
    ----------
    draws : Draws
        The worlds, and the project's effects in them.
    variants : Variants, optional
        Of these draws, where they are at hand.
    """
    variants = variants or Variants(draws)
    players = channels_of(draws)
    found: list[dict[str, Any]] = [dict.fromkeys(players, 0.0) for _ in draws.question.views]
    for piece in variants.stretches(range(len(found))):
        active = [name for name, effects in players.items() if piece.acts(effects)]

        def worth(coalition: frozenset[str], piece: Stretch = piece) -> Any:
            return piece.net([n for player in coalition for n in players[player]]) if coalition else 0.0

        for name, share in shapley(active, worth).items():
            for place, row in enumerate(piece.rows):
                if piece.where.start == 0:
                    found[row][name] = np.empty(draws.count)
                found[row][name][piece.where] = share[place]
        piece.close()
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


def paths(
    draws: Draws, run_up: Sequence[Any], variants: Variants | None = None
) -> list[dict[str, Path]]:
    """Return, per reading, the paths of the channel ``run_up``; empty where it has fewer than two.

    Those that a project takes: people whom field-building draws in are one path, and the whole channel.
    A path's share is the mean of what it adds when it comes first and when it comes last, scaled
    so that the shares sum to the channel: effects this small all but add up, and the scale is 1
    to several digits.

    Parameters
    ----------
    draws : Draws
        The worlds and effects.
    run_up : sequence of array
        The channel's Shapley values draw by draw, per reading.
    variants : Variants, optional
        Of these draws, where they are at hand.
    """
    every = list(draws.effects_hit)

    def taken(row: int) -> list[str]:
        branches = (draws.effects_hit, draws.effects_miss)
        return [
            name for name, effects in PATHS.items()
            if any(b[effect][row].any() for b in branches for effect in effects if effect in b)
        ]  # fmt: skip

    chosen = {row: taken(row) for row, value in enumerate(run_up) if np.any(value)}
    rows = [row for row, names in chosen.items() if len(names) > 1]
    found: list[dict[str, Path]] = [{} for _ in run_up]
    if not rows:
        return found
    variants = variants or Variants(draws)
    alone, left = ({name: np.empty((len(rows), draws.count)) for name in PATHS} for _ in range(2))
    net = draws.net_effect[rows]
    for piece in variants.stretches(rows):
        at = [rows.index(row) for row in piece.rows]
        for name, effects in PATHS.items():
            alone[name][at, piece.where] = piece.net(effects)
            left[name][at, piece.where] = piece.net([n for n in every if n not in effects])
        piece.close()
    raw = {name: 0.5 * (alone[name] + net - left[name]) for name in PATHS}
    for place, row in enumerate(rows):
        mean, own = draws.ways[row].mean, chosen[row]
        total = sum(mean(raw[name][place]) for name in own)
        scale = mean(run_up[row]) / total if total else 1.0
        for name in own:
            share = estimate(draws, row, scale * raw[name][place])
            apart = mean(alone[name][place]), mean(left[name][place])
            found[row][name] = Path(share.value, share.mcse, *apart)
    return found


def estimate(draws: Draws, row: int, values: Any) -> Estimate:
    """Return the mean of a reading's draws and its Monte Carlo standard error; a scalar has none."""
    weighing = draws.ways[row]
    return Estimate(weighing.mean(values), weighing.error(values))
