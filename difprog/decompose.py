"""Why a forecast comes out as it does: channels, break-even factors, exchange rates, ratios.

Everything is computed on the draws of a forecast, which are not drawn again, and returned as
plain numbers. Loads scipy's root finder and pytensor inside the functions that need them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from difprog.arrays import numpy_namespace, pytensor_namespace
from difprog.effects import Outcome
from difprog.model import Chances
from difprog.race import NO_EFFECT, Effects
from difprog.simulate import BLOCK, Draws
from difprog.summary import clustered_error

Array = npt.NDArray[np.float64]

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

MONTHS = 12.0

#: How far from 1 a break-even factor is looked for, and by which step the search widens.
LARGEST_FACTOR = 2.0**40
STEP = 4.0

#: An effect below this is lost among the roundings of probabilities of order 1.
ROUNDING = 1e-14


class Estimate(NamedTuple):
    """A mean over draws and its Monte Carlo standard error, in the unit of the draws."""

    value: float
    mcse: float


class BreakEven(NamedTuple):
    """Factors at which E[net_effect] is 0 or changes its sign; None where there is none."""

    capability_multiplier: float | None
    alignment_multiplier: float | None
    sign: int
    """The sign of E[net_effect] as it stands; it holds for every factor where one is None."""
    capability_mcse: float | None = None
    alignment_mcse: float | None = None
    """Monte Carlo standard errors of the factors."""


class Exchange(NamedTuple):
    """What capability speedup costs at no effect, from exact derivatives; None at a zero divisor."""

    parallel_person_years_per_month: float | None
    serial_months_per_month: float | None
    parallel_years_per_year: float | None
    """Years of the whole field's parallel progress per year of capability progress."""
    parallel_mcse: float | None = None
    serial_mcse: float | None = None
    years_mcse: float | None = None
    """Monte Carlo standard errors of the three."""


class Ratios(NamedTuple):
    """Differential ratios, each beside the one at which work of that kind alone breaks even."""

    parallel: float | None
    parallel_break_even: float | None
    serial: float | None
    serial_break_even: float | None
    parallel_mcse: float | None = None
    serial_mcse: float | None = None


class Path(NamedTuple):
    """One of the three paths: its share of ``run_up``, and with the others left out or it left out."""

    value: float
    mcse: float
    alone: float
    left_out: float


@dataclass(frozen=True)
class Decomposition:
    """Everything that this module says of one model's answer."""

    channels: dict[str, Estimate]
    paths: dict[str, Path]
    break_even: BreakEven
    exchange: Exchange
    ratios: Ratios


def decompose(draws: Draws) -> Decomposition:
    """Return channels, paths, break-even factors, exchange rates and ratios of one model's draws."""
    rates = exchange(draws)
    return Decomposition(channels(draws), paths(draws), break_even(draws), rates, ratios(draws, rates))


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


def break_even(draws: Draws) -> BreakEven:
    """Return the factors on the capability and on the alignment effects that make E[net_effect] 0.

    ``capability_multiplier`` scales x and Δ in both branches, ``alignment_multiplier`` a_P and
    a_S. Where several factors do it, the one nearest to 1 is returned, and where the mean jumps
    over 0 the factor at which it does.
    """
    total = mean(draws.chances.net_effect)
    capability, alignment = CHANNELS["capability"], (*CHANNELS["parallel"], *CHANNELS["serial"])
    by_capability, by_alignment = _factor(draws, capability), _factor(draws, alignment)
    return BreakEven(
        capability_multiplier=by_capability,
        alignment_multiplier=by_alignment,
        sign=(total > 0) - (total < 0),
        capability_mcse=_factor_error(draws, capability, by_capability),
        alignment_mcse=_factor_error(draws, alignment, by_alignment),
    )


def scaled_draws(draws: Draws, effects: Sequence[str], factor: float) -> Any:
    """Return the net effect with some effects multiplied by a factor in both branches."""
    outcome, world = draws.chances.outcome, draws.question.model.world(draws.values)

    def branch(e: Effects) -> Effects:
        return e._replace(**{f: factor * getattr(e, f) for f in effects})

    return net_effect(draws, branch(outcome.if_hit), branch(outcome.if_miss), world)


def _factor(draws: Draws, effects: Sequence[str]) -> float | None:
    """Return the factor nearest to 1, in ratio, at which E[net_effect] is 0 or changes its sign.

    The search widens from 1 to both sides, to 1/4 and 4, 1/16 and 16, 1/256 and 256, and so on
    to 0 and `LARGEST_FACTOR`; a mean that crosses 0 twice between two of these is taken not to.
    """
    from scipy.optimize import brentq

    outcome = draws.chances.outcome
    if not any(np.any(getattr(e, f)) for e in (outcome.if_hit, outcome.if_miss) for f in effects):
        return None

    def net(factor: float) -> float:
        return mean(scaled_draws(draws, effects, factor))

    here = net(1.0)
    if here == 0.0:
        return 1.0 if net(0.0) != 0.0 or net(STEP) != 0.0 else None
    low = high = 1.0
    step = STEP
    while step <= LARGEST_FACTOR:
        last = step**2 > LARGEST_FACTOR
        for new, old in ((step, high), (0.0 if last else 1.0 / step, low)):
            value = net(new)
            if value == 0.0:
                return _edge(net, new, old)
            if (value > 0) != (here > 0):
                return float(brentq(net, min(old, new), max(old, new), xtol=1e-300, rtol=1e-14))
        low, high = 1.0 / step, step
        step = step**2
    return None


def _factor_error(draws: Draws, effects: Sequence[str], factor: float | None) -> float | None:
    """Return the error of a factor: that of the mean at the factor over the mean's slope there."""
    if factor is None:
        return None
    error = estimate(draws, scaled_draws(draws, effects, factor)).mcse
    step = 1e-3 * max(factor, 1e-3)
    ends = [mean(scaled_draws(draws, effects, factor + by)) for by in (-step, step)]
    slope = (ends[1] - ends[0]) / (2.0 * step)
    return abs(error / slope) if slope else 0.0 if error == 0.0 else None


def _edge(net: Callable[[float], float], zero: float, other: float) -> float:
    """Return the end, towards ``other``, of the stretch from ``zero`` on which ``net`` is exactly 0.

    A step of p (no spread in the requirements) leaves such a stretch. Where the effect only
    fades into rounding, the stretch is ``zero`` alone.
    """
    start = zero
    for _ in range(1100):
        middle = 0.5 * (zero + other)
        if middle in (zero, other):
            break
        if net(middle) == 0.0:
            zero = middle
        else:
            other = middle
    return zero if abs(net(other)) > ROUNDING else start


def exchange(draws: Draws) -> Exchange:
    """Return what one month of capability speedup costs, at no effect, in alignment work.

    Ratios of the expected exact derivatives of p: −E[∂p/∂x]/E[∂p/∂a_P] and −E[∂p/∂x]/E[∂p/∂a_S],
    where x moves AGI by (1 − ω)x. Positive is a cost, negative a gain.
    """
    slope = slopes(draws)
    world = draws.question.model.world(draws.values)
    cost = -slope["capability_speedup"]
    of_parallel, of_serial = slope["parallel_speedup"], slope["serial_speedup"]
    field = np.asarray(world.labour_quality * world.researchers, dtype=float)
    parallel = quotient(draws, cost / MONTHS, of_parallel)
    serial = quotient(draws, cost, of_serial)
    years = quotient(draws, cost, field * of_parallel)
    return Exchange(
        parallel[0], serial[0], years[0], parallel[1], serial[1], years[1]
    )  # fmt: skip


def quotient(draws: Draws, above: Any, below: Any) -> tuple[float | None, float | None]:
    """Return the ratio of two means and its Monte Carlo error; None where it is not finite."""
    divisor = mean(below)
    if divisor == 0.0:
        return None, None
    value = mean(above) / divisor
    if not math.isfinite(value):
        return None, None
    # Linearised: the error of a ratio of means is that of the mean residual over the divisor.
    return value, estimate(draws, np.asarray(above) - value * np.asarray(below)).mcse / abs(divisor)


def slopes(draws: Draws) -> dict[str, Array]:
    """Return ∂p/∂x, ∂p/∂a_P and ∂p/∂a_S at no effect, by name of the effect, shape (draws,).

    Exact, from the graph of the model's own ``success``; a step in p (σ = 0, or the shortest
    chunk) has slope 0 on both sides. A draw whose graph has no finite slope (0 to the power 0)
    gets a central difference, as do all draws of a user's model that makes no graph.
    """
    model, shape = draws.question.model, (draws.count,)
    world = {
        name: np.broadcast_to(np.asarray(value, dtype=float), shape)
        for name, value in sorted(vars(model.world(draws.values)).items())
    }
    at = {name: np.zeros(shape) for name in EXCHANGED}
    # At u = 0 the paradigm is here already and cannot come sooner: the slope from above counts.
    at["capability_speedup"] = np.where(world["paradigm_fraction"] == 0.0, 1e-9, 0.0)
    try:
        function = _gradient(model.success, tuple(world))
    except Exception:  # whatever a user's code raises on symbols: it runs on arrays
        return {name: difference(draws, name) for name in EXCHANGED}
    with np.errstate(all="ignore"):
        found = function(*world.values(), *at.values())
    result = {}
    for name, slope in zip(at, found, strict=True):
        bad = ~np.isfinite(slope)
        result[name] = np.where(bad, difference(draws, name), slope) if bad.any() else slope
    return result


EXCHANGED = ("capability_speedup", "parallel_speedup", "serial_speedup")


@lru_cache(maxsize=64)
def _gradient(success: Callable[..., Any], names: tuple[str, ...]) -> Any:
    """Compile the slopes of a model's ``success``; models that share it share the result."""
    import pytensor
    import pytensor.tensor as pt
    from pytensor.compile.mode import Mode

    world = {name: pt.dvector(name) for name in names}
    effects = {name: pt.dvector(f"effect {name}") for name in EXCHANGED}
    x = effects["capability_speedup"]
    shifted = NO_EFFECT._replace(**effects, timeline_shortening=(1.0 - world["overhang"]) * x)
    p = success(SimpleNamespace(**world), shifted, pytensor_namespace())
    slopes = pytensor.grad(
        pt.sum(p), list(effects.values()), disconnected_inputs="ignore", return_disconnected="zero"
    )
    return pytensor.function(
        [*world.values(), *effects.values()], slopes,
        mode=Mode(linker="py", optimizer=None), on_unused_input="ignore",
    )  # fmt: skip


def difference(draws: Draws, effect: str, step: float = 1e-5) -> Array:
    """Return the slope of p in one effect at no effect by a central difference, shape (draws,)."""
    world = draws.question.model.world(draws.values)

    def moved(by: float) -> Any:
        change = {effect: by}
        if effect == "capability_speedup":
            change["timeline_shortening"] = (1.0 - world.overhang) * by
        e = NO_EFFECT._replace(**change)
        return net_effect(draws, e, e, world)

    return np.broadcast_to((moved(step) - moved(-step)) / (2.0 * step), (draws.count,))


def ratios(draws: Draws, rates: Exchange) -> Ratios:
    """Return years of alignment progress per year of capability progress, of both kinds.

    A ratio is one of means, E[a_P/(φN₀)]/E[x] and E[a_S]/E[x], with the hit probability averaged
    in; None where the project has no capability effect. Beside each stands the ratio at which
    alignment work of that kind alone makes up for the capability speedup, at the margin.
    """
    world = draws.question.model.world(draws.values)
    outcome = draws.chances.outcome
    x, sure = outcome.capability_speedup, outcome.if_hit
    field = world.labour_quality * world.researchers
    parallel = quotient(draws, sure.parallel_speedup / field, x)
    serial = quotient(draws, sure.serial_speedup, x)
    return Ratios(
        parallel=parallel[0],
        parallel_break_even=rates.parallel_years_per_year,
        serial=serial[0],
        serial_break_even=rates.serial_months_per_month,
        parallel_mcse=parallel[1],
        serial_mcse=serial[1],
    )
