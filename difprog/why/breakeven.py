"""By how much beliefs about a project would have to be off for it to have no effect.

On the draws of a forecast, which are not drawn again. Loads scipy's root finder when needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from difprog.forecast.sampling import Draws
from difprog.why.channels import channels_of, estimate, net_effect

#: How far from 1 a break-even factor is looked for, and by which step the search widens.
LARGEST_FACTOR = 2.0**40
STEP = 4.0

#: An effect below this is lost among the roundings of probabilities of order 1.
ROUNDING = 1e-14

#: Relative precision of a factor: far below its Monte Carlo error.
PRECISION = 1e-10


class BreakEven(NamedTuple):
    """Factors at which E[net_effect] is 0 or changes its sign; None where there is none."""

    capability_multiplier: float | None
    alignment_multiplier: float | None
    sign: int
    """The sign of E[net_effect] as it stands; it holds for every factor where one is None."""
    capability_mcse: float | None = None
    alignment_mcse: float | None = None
    """Monte Carlo standard errors of the factors."""


def break_even(draws: Draws, row: int) -> BreakEven:
    """Return a reading's factors on capability and on alignment effects that make E[net_effect] 0.

    ``capability_multiplier`` scales x and Δ with and without the breakthrough,
    ``alignment_multiplier`` a_P, a_S and a_G. Where several factors do it, the one nearest to 1
    is returned, and where the mean jumps over 0 the factor at which it does.
    """
    total = draws.weighing(row).mean(draws.net_effect[row])
    players = channels_of(draws)
    capability, alignment = players["capability"], (*players["parallel"], *players["serial"])
    by_capability, capability_error = _factor(draws, row, capability)
    by_alignment, alignment_error = _factor(draws, row, alignment)
    return BreakEven(
        by_capability, by_alignment, (total > 0) - (total < 0), capability_error, alignment_error
    )


def _factor(draws: Draws, row: int, effects: Sequence[str]) -> tuple[float | None, float | None]:
    """Return the factor nearest to 1, in ratio, at which E[net_effect] is 0, and its error.

    The search widens from 1 to both sides, to 1/4 and 4, 1/16 and 16, 1/256 and 256, and so on
    to 0 and `LARGEST_FACTOR`; a mean that crosses 0 twice between two of these is taken not to.
    """
    from scipy.optimize import brentq

    names = [n for n in effects if n in draws.effects_hit]
    if not any(np.any(of[n][row]) for n in names for of in (draws.effects_hit, draws.effects_miss)):
        return None, None
    mean = draws.weighing(row).mean
    known: dict[float, float] = {1.0: mean(draws.net_effect[row])}

    def net(factor: float) -> float:
        if factor not in known:
            known[factor] = mean(_scaled(draws, row, names, factor))
        return known[factor]

    here = net(1.0)
    if here == 0.0:
        return (1.0, 0.0) if net(0.0) != 0.0 or net(STEP) != 0.0 else (None, None)
    low = high = 1.0
    step = STEP
    while step <= LARGEST_FACTOR:
        last = step**2 > LARGEST_FACTOR
        for new, old in ((step, high), (0.0 if last else 1.0 / step, low)):
            value = net(new)
            if value == 0.0:
                edge = _edge(net, new, old)
                return edge, _error(draws, row, names, edge, net)
            if (value > 0) != (here > 0):
                ends = min(old, new), max(old, new)
                root = float(brentq(net, *ends, xtol=1e-300, rtol=PRECISION))
                return root, _error(draws, row, names, root, net)
        low, high = 1.0 / step, step
        step = step**2
    return None, None


def _scaled(draws: Draws, row: int, names: Sequence[str], factor: float) -> np.ndarray:
    """Return a reading's net effect with some effects multiplied by a factor, shape (draw,)."""
    factors = dict.fromkeys(names, factor)
    return np.asarray(net_effect(draws, list(draws.effects_hit), [row], factors)[0])


def _error(
    draws: Draws, row: int, names: Sequence[str], factor: float, net: Callable[[float], float]
) -> float | None:
    """Return the error of a factor: that of the mean at the factor over the mean's slope there."""
    error = estimate(draws, row, _scaled(draws, row, names, factor)).mcse
    step = 1e-3 * max(factor, 1e-3)
    slope = (net(factor + step) - net(factor - step)) / (2.0 * step)
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
