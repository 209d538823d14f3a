"""By how much beliefs about a project would have to be off for it to have no effect.

On the draws of a forecast, which are not drawn again. Loads scipy's root finder when needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from difprog.forecast.simulate import Draws
from difprog.race.race import Effects
from difprog.why.channels import CHANNELS, estimate, mean, net_effect

#: How far from 1 a break-even factor is looked for, and by which step the search widens.
LARGEST_FACTOR = 2.0**40
STEP = 4.0

#: An effect below this is lost among the roundings of probabilities of order 1.
ROUNDING = 1e-14


class BreakEven(NamedTuple):
    """Factors at which E[net_effect] is 0 or changes its sign; None where there is none."""

    capability_multiplier: float | None
    alignment_multiplier: float | None
    sign: int
    """The sign of E[net_effect] as it stands; it holds for every factor where one is None."""
    capability_mcse: float | None = None
    alignment_mcse: float | None = None
    """Monte Carlo standard errors of the factors."""


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
