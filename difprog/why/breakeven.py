"""By how much beliefs about a project would have to be off for it to have no effect.

On the draws of a forecast, which are not drawn again. Where there are many, some of them, evenly spaced,
say where to look, and all of them where the root is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from difprog.forecast.sampling import Draws
from difprog.forecast.summary import Weighing
from difprog.forecast.variants import Variants
from difprog.why.channels import channels_of

Array = npt.NDArray[np.float64]

#: How far from 1 a break-even factor is looked for, and by which step the search widens.
LARGEST_FACTOR = 2.0**40
STEP = 4.0

#: An effect below this is lost among the roundings of probabilities of order 1.
ROUNDING = 1e-14

#: Relative width of the stretch on which the mean over all draws is known to change its sign, and within
#: which it is taken for straight: far below the factor's Monte Carlo error.
TOLERANCE = 1e-5

#: Relative width at which a jump of the mean is taken to be where it is.
JUMP = 1e-13

#: Draws that say where to look, of at least so many times more; and the number of standard errors by which
#: what they say has to differ from 0 for its sign to be that of all draws.
SOME, FEWEST = 2000, 4
SURE = 5.0


class BreakEven(NamedTuple):
    """Factors at which E[net_effect] is 0 or changes its sign; None where there is none."""

    capability_multiplier: float | None
    alignment_multiplier: float | None
    sign: int
    """The sign of E[net_effect] as it stands; it holds for every factor where one is None."""
    capability_mcse: float | None = None
    alignment_mcse: float | None = None
    """Monte Carlo standard errors of the factors."""


def break_even(draws: Draws, row: int, variants: Sequence[Variants] | None = None) -> BreakEven:
    """Return a reading's factors on capability and on alignment effects that make E[net_effect] 0.

    ``capability_multiplier`` scales x and Δ with and without the breakthrough,
    ``alignment_multiplier`` a_P, a_S and a_G. Where several factors do it, the one nearest to 1
    is returned, and where the mean jumps over 0 the factor at which it does.

    Parameters
    ----------
    draws : Draws
        The worlds, and the project's effects in them.
    row : int
        Place of the reading.
    variants : sequence of Variants, optional
        What `looked_at` returns of these draws, where it is at hand.
    """
    looked = [_Some(one, row) for one in variants or looked_at(draws)]
    players = channels_of(draws)
    found: list[tuple[float | None, float | None]] = []
    for effects in (players["capability"], (*players["parallel"], *players["serial"])):
        names = [n for n in effects if n in draws.effects_hit]
        acts = any(np.any(of[n][row]) for n in names for of in (draws.effects_hit, draws.effects_miss))
        mean = _Mean(names, looked[0], looked[1] if len(looked) > 1 else None)
        found.append(_nearest(mean) if acts else (None, None))
    for one in looked:
        one.close()
    total = draws.weighing(row).mean(draws.net_effect[row])
    (capability, capability_error), (alignment, alignment_error) = found
    return BreakEven(
        capability, alignment, (total > 0) - (total < 0), capability_error, alignment_error
    )


def looked_at(draws: Draws, variants: Variants | None = None) -> tuple[Variants, ...]:
    """Return variants on all draws and, where these are many, on some of them that say where to look."""
    every = draws.count // SOME
    return (variants or Variants(draws), *([Variants(draws, every)] if every >= FEWEST else []))


class _Some:
    """A reading's net effect on all draws or on some of them, with effects multiplied by a factor.

    Parameters
    ----------
    variants : Variants
        The draws that are asked.
    row : int
        Place of the reading.
    """

    def __init__(self, variants: Variants, row: int) -> None:
        draws = variants.draws
        self._every, self._stretches = list(draws.effects_hit), list(variants.stretches([row]))
        self.here = draws.net_effect[row, variants.some]
        self.weighing = draws.weighing(row)
        if variants.count < draws.count:
            weights = self.weighing.weights
            own = None if weights is None else weights[variants.some] / weights[variants.some].sum()
            self.weighing = Weighing(variants.count, None, own)

    def at(self, names: Sequence[str], factor: float) -> Array:
        """Return the net effect at a factor on some of the effects, shape (draw,)."""
        if factor == 1.0:
            return self.here
        factors = dict.fromkeys(names, factor)
        return np.concatenate([piece.net(self._every, factors)[0] for piece in self._stretches])

    def close(self) -> None:
        """Give back what was kept."""
        for piece in self._stretches:
            piece.close()


class _Mean:
    """The mean net effect as a function of a factor on some effects: over all draws, and as some have it."""

    def __init__(self, names: Sequence[str], every: _Some, some: _Some | None) -> None:
        self._names, self._every, self._some = names, every, some
        self.known: dict[float, float] = {}
        self.errors: dict[float, float] = {}
        self._there: dict[float, Array] = {}

    def __call__(self, factor: float) -> float:
        """Return the mean over all draws."""
        if factor not in self.known:
            values, way = self._every.at(self._names, factor), self._every.weighing
            self.known[factor], self.errors[factor] = way.mean(values), way.error(values)
        return self.known[factor]

    def nearest(self, factor: float) -> float:
        """Return the factor nearest in ratio at which the mean over all draws is known."""
        return min(self.known, key=lambda at: abs(math.log((at + 1e-9) / (factor + 1e-9))))

    def guess(self, factor: float, known: float | None = None) -> tuple[float, float]:
        """Return the mean as some of the draws have it, and its standard error; the mean itself without them.

        What they say is by how much it differs from the mean at a factor where it is known.
        """
        if self._some is None:
            return self(factor), 0.0
        base = self.nearest(factor) if known is None else known
        for at in (factor, base):
            if at not in self._there:
                self._there[at] = self._some.at(self._names, at)
        apart, way = self._there[factor] - self._there[base], self._some.weighing
        return self.known[base] + way.mean(apart), way.error(apart)

    def sign(self, factor: float) -> int:
        """Return the sign of the mean over all draws."""
        value, error = self.guess(factor)
        if not abs(value) > SURE * error:
            value = self(factor)
        return (value > 0) - (value < 0)


def _nearest(mean: _Mean) -> tuple[float | None, float | None]:
    """Return the factor nearest to 1, in ratio, at which the mean is 0, and its error.

    The search widens from 1 to both sides, to 1/4 and 4, 1/16 and 16, 1/256 and 256, and so on
    to 0 and `LARGEST_FACTOR`; a mean that crosses 0 twice between two of these is taken not to.
    """
    here = mean(1.0)
    if here == 0.0:
        return (1.0, 0.0) if mean(0.0) != 0.0 or mean(STEP) != 0.0 else (None, None)
    low = high = 1.0
    step = STEP
    while step <= LARGEST_FACTOR:
        last = step**2 > LARGEST_FACTOR
        for new, old in ((step, high), (0.0 if last else 1.0 / step, low)):
            if last:  # that there is no factor is said of all draws
                mean(new)
            sign = mean.sign(new)
            if sign == 0:
                edge = _edge(mean, new, old)
                return edge, _error(mean, edge)
            if (sign > 0) != (here > 0):
                root = _root(mean, old, new, here > 0)
                return root, _error(mean, root)
        low, high = 1.0 / step, step
        step = step**2
    return None, None


def _root(mean: _Mean, old: float, new: float, positive: bool) -> float:
    """Return where the mean over all draws is 0, given its sign at ``old``; it has the other at ``new``."""
    ends = {positive: old, not positive: new}
    base = mean.nearest(_middle(old, new))
    guessed = {end: mean.guess(end, base)[0] for end in (old, new)}
    near, slope = _middle(old, new), 0.0
    if (guessed[old] > 0) == positive != (guessed[new] > 0):
        near, slope = _narrowed(lambda f: mean.guess(f, base)[0], guessed, ends, near, 0.0, 3e-2, math.inf)
    return _narrowed(mean, mean.known, ends, near, slope, TOLERANCE, 1e-2 * abs(mean(1.0)))[0]


def _narrowed(
    value: Callable[[float], float],
    known: dict[float, float],
    ends: Mapping[bool, float],
    near: float,
    slope: float,
    width: float,
    flat: float,
) -> tuple[float, float]:
    """Return the root of a function and its slope there, by secants within ends that close in on it.

    A secant that does not halve the value is followed by a step that halves the stretch between the ends.

    Parameters
    ----------
    value, known
        The function, and values of it that are known.
    ends : mapping of bool to float
        Where it is positive, and where it is not.
    near, slope
        Where to look first, and about which slope it has there; 0 where that is unknown.
    width, flat
        It is done where the ends are so close, relative to their size, and the values there: the function
        is taken for straight between them.
    """
    ends = dict(ends)
    last: tuple[float, float] | None = None
    for _ in range(400):
        found = known[near] = value(near)
        if found == 0.0:
            break
        slow = last is not None and abs(found) > 0.5 * abs(last[1])
        if last is not None and found != last[1]:
            slope = (found - last[1]) / (near - last[0])
        last = near, found
        ends[found > 0] = near
        low, high = sorted(ends.values())
        if low in known and high in known:
            rise = known[high] - known[low]
            if high - low <= width * high and abs(rise) <= flat:
                return low - known[low] * (high - low) / rise, rise / (high - low)
            if high - low <= JUMP * high:
                return 0.5 * (low + high), 0.0
        aim = near - found / slope if slope else math.nan
        aim += math.copysign(width * abs(aim) / 3.0, aim - near)  # beyond it: the other end follows
        near = _middle(low, high) if slow or not low < aim < high else aim
    return near, slope


def _middle(one: float, two: float) -> float:
    """Return what halves a stretch: in ratio where its ends are far apart."""
    low, high = sorted((one, two))
    return math.sqrt(low * high) if low > 0 and high > 2 * low else 0.5 * (low + high)


def _error(mean: _Mean, factor: float) -> float | None:
    """Return the error of a factor: that of the mean at the factor over the mean's slope there."""
    step = 1e-3 * max(factor, 1e-3)
    near = min(mean.known, key=lambda at: abs(at - factor))
    if abs(near - factor) > 0.1 * step:
        mean(near := factor)
    error = mean.errors[near]
    apart = [at for at in mean.known if 0.3 * step < abs(at - near) < 50.0 * step]
    if apart:  # the root was looked for there
        other = min(apart, key=lambda at: abs(math.log(abs(at - near) / step)))
    else:
        near, other = factor - step, factor + step
    slope = (mean(other) - mean(near)) / (other - near)
    return abs(error / slope) if slope else 0.0 if error == 0.0 else None


def _edge(mean: _Mean, zero: float, other: float) -> float:
    """Return the end, towards ``other``, of the stretch from ``zero`` on which the mean is exactly 0.

    A step of p (no spread in the requirements) leaves such a stretch. Where the effect only
    fades into rounding, the stretch is ``zero`` alone.
    """
    start = zero
    for _ in range(1100):
        middle = 0.5 * (zero + other)
        if middle in (zero, other):
            break
        if mean(middle) == 0.0:
            zero = middle
        else:
            other = middle
    return zero if abs(mean(other)) > ROUNDING else start
