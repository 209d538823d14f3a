"""Through which channels a project helps and harms: Shapley values on the draws of a forecast.

Knows draws and models; reads no file and samples nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from difprog.forecast.simulate import BLOCK, Draws
from difprog.forecast.summary import clustered_error
from difprog.models.model import Chances
from difprog.race.arrays import numpy_namespace
from difprog.race.effects import Outcome
from difprog.race.race import NO_EFFECT, Effects

#: Which effects act through which channel; every effect is in one.
CHANNELS: dict[str, tuple[str, ...]] = {
    "parallel": ("parallel_speedup",),
    "serial": ("serial_speedup",),
    "capability": ("capability_speedup", "timeline_shortening"),
    "adoption": ("adoption_effect", "lead_effect", "breadth_effect"),
    "run_up": (
        "knowhow_effect", "field_growth", "assistance_effect", "grace_effect",
        "solution_probability",
    ),
}  # fmt: skip

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
    """One of the three paths: its share of ``run_up``, and with the others left out or it left out."""

    value: float
    mcse: float
    alone: float
    left_out: float


class Game:
    """The net effect of a project with only some of its effects, on fixed draws.

    Parameters
    ----------
    draws : Draws
        The worlds, and the project's effects in them.
    players : mapping of str to sequence of str
        Player → the effects it stands for. An effect that no player stands for is off.
    """

    def __init__(self, draws: Draws, players: Mapping[str, Sequence[str]]) -> None:
        self._draws = draws
        self._world = draws.question.model.world(draws.values)
        outcome = draws.chances.outcome
        self._hit, self._miss = outcome.if_hit, outcome.if_miss
        self._fields = {
            name: tuple(f for f in effects if self._acts(f)) for name, effects in players.items()
        }
        self._known: dict[frozenset[str], Any] = {frozenset(): 0.0}

    def _acts(self, effect: str) -> bool:
        return bool(np.any(getattr(self._hit, effect)) or np.any(getattr(self._miss, effect)))

    @property
    def active(self) -> tuple[str, ...]:
        """Players with an effect other than 0 in some draw."""
        return tuple(name for name, effects in self._fields.items() if effects)

    def value(self, coalition: Iterable[str]) -> Any:
        """Return the net effect of a coalition, of shape (draws,) or scalar; 0 for nobody."""
        key = frozenset(coalition) & frozenset(self.active)
        if key not in self._known:
            fields = [effect for name in key for effect in self._fields[name]]
            self._known[key] = net_effect(
                self._draws,
                NO_EFFECT._replace(**{f: getattr(self._hit, f) for f in fields}),
                NO_EFFECT._replace(**{f: getattr(self._miss, f) for f in fields}),
                self._world,
            )
        return self._known[key]


def net_effect(draws: Draws, if_hit: Effects, if_miss: Effects, world: Any = None) -> Any:
    """Return p(θ; e) − p(θ; no effect) for effects given per branch, shape (draws,) or scalar."""
    model, xp = draws.question.model, numpy_namespace()
    world = model.world(draws.values) if world is None else world
    without = draws.chances.without
    with np.errstate(over="ignore", under="ignore"):
        hit = model.success(world, if_hit, xp) - without
        if all(a is b or np.array_equal(a, b) for a, b in zip(if_hit, if_miss, strict=True)):
            return hit
        miss = model.success(world, if_miss, xp) - without
    chance = draws.chances.outcome.hit_probability
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


def channel_draws(draws: Draws) -> dict[str, Any]:
    """Return the Shapley value of every channel draw by draw; they sum to the net effect's draws."""

    def of(part: Draws) -> dict[str, Any]:
        game = Game(part, CHANNELS)
        found = shapley(game.active, game.value)
        return {name: found.get(name, 0.0) for name in CHANNELS}

    return _piece_by_piece(draws, of)


def _piece_by_piece(draws: Draws, of: Callable[[Draws], dict[str, Any]]) -> dict[str, Any]:
    """Join what is found on blocks of draws: a game keeps an array for every coalition."""
    if draws.count <= BLOCK:
        return of(draws)
    starts = range(0, draws.count, BLOCK)
    parts = [(min(BLOCK, draws.count - at), of(_cut(draws, slice(at, at + BLOCK)))) for at in starts]
    return {
        name: np.concatenate([np.broadcast_to(part[name], (size,)) for size, part in parts])
        for name in parts[0][1]
    }


def _cut(draws: Draws, where: slice) -> Draws:
    """Return some of the draws."""

    def cut(value: Any) -> Any:
        return value[where] if np.ndim(value) else value

    chances, outcome = draws.chances, draws.chances.outcome
    return replace(
        draws,
        values={name: cut(value) for name, value in draws.values.items()},
        chances=Chances(
            without=cut(chances.without),
            if_hit=cut(chances.if_hit),
            if_miss=cut(chances.if_miss),
            outcome=Outcome(
                if_hit=Effects(*map(cut, outcome.if_hit)),
                if_miss=Effects(*map(cut, outcome.if_miss)),
                hit_probability=cut(outcome.hit_probability),
            ),
        ),
        count=len(range(draws.count)[where]),
    )


def channels(draws: Draws) -> dict[str, Estimate]:
    """Return the Shapley value of every channel of E[net_effect], which they sum to.

    A channel that a model or a project leaves unused has exactly 0. The value being linear in
    the game, its Monte Carlo error is that of the mean of the values draw by draw.
    """
    return {name: estimate(draws, value) for name, value in channel_draws(draws).items()}


def path_draws(draws: Draws) -> dict[str, Any]:
    """Return each path's part of the channel ``run_up`` draw by draw (Owen values).

    Within the channel the three paths share its Shapley value by the same rule, averaged over
    the coalitions of the other channels (Owen 1977, Values of games with a priori unions): they
    sum to the channel.
    """
    return _piece_by_piece(draws, _path_draws)


def _path_draws(draws: Draws) -> dict[str, Any]:
    others = {name: effects for name, effects in CHANNELS.items() if name != "run_up"}
    inner = {f"path {name}": effects for name, effects in PATHS.items()}
    game = Game(draws, {**others, **inner})
    outside = [name for name in game.active if name in others]
    inside = [name for name in game.active if name in inner]
    shares: dict[str, Any] = dict.fromkeys(PATHS, 0.0)
    if not inside:
        return shares
    count = len(outside) + 1
    for size in range(count):
        weight = 1.0 / (count * math.comb(count - 1, size))
        for coalition in combinations(outside, size):
            around = frozenset(coalition)
            base = game.value(around)

            def worth(s: frozenset[str], around: frozenset[str] = around, base: Any = base) -> Any:
                return game.value(around | s) - base

            for name, part in shapley(inside, worth).items():
                shares[name.removeprefix("path ")] += weight * part
    return shares


def paths(draws: Draws) -> dict[str, Path]:
    """Return the three paths of the channel ``run_up``; empty where the model opens none of them."""
    shares = path_draws(draws)
    if not any(np.any(s) for s in shares.values()):
        return {}
    found = {}
    hit, miss = draws.chances.outcome.if_hit, draws.chances.outcome.if_miss
    for name, effects in PATHS.items():
        alone = NO_EFFECT._replace(**{f: getattr(hit, f) for f in effects})
        off = dict.fromkeys(effects, 0.0)
        left = net_effect(draws, hit._replace(**off), miss._replace(**off))
        share = estimate(draws, shares[name])
        found[name] = Path(
            share.value, share.mcse, mean(net_effect(draws, alone, alone)), mean(left)
        )
    return found


def estimate(draws: Draws, values: Any) -> Estimate:
    """Return the mean of draws and its Monte Carlo standard error; a scalar has none."""
    array = np.asarray(values, dtype=float)
    if array.ndim == 0:
        return Estimate(float(array), 0.0)
    return Estimate(float(array.mean()), clustered_error(array, draws.question.clusters))


def mean(values: Any) -> float:
    """Return the mean of draws, or a scalar as it is."""
    return float(np.mean(values))
