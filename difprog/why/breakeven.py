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
from difprog.forecast.variants import Variants
from difprog.forecast.weighing import Weighing
from difprog.why.channels import channels_of

Array = npt.NDArray[np.float64]

#: How far from 1 a break-even factor is looked for, and by which step the search widens.
LARGEST_FACTOR = 2.0**40
STEP = 4.0

#: An effect below this is lost among the roundings of probabilities of order 1.
ROUNDING = 1e-14

#: How far, relatively, a line and a parabola through the last means may disagree about the root: over all
#: draws, far below the factor's Monte Carlo error; and over some, which only say where to look.
TOLERANCE, ROUGH = 1e-6, 1e-2

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
    total = draws.ways[row].mean(draws.net_effect[row])
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
        self.weighing = draws.ways[row]
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

    def guess(self, factor: float) -> tuple[float, float]:
        """Return the mean as some of the draws have it, and its standard error; the mean itself without them.

        What they say is by how much it differs from the mean at the nearest factor where that is known, or
        from the line through two of these: whichever they say more surely.
        """
        if self._some is None or factor in self.known:
            return self(factor), 0.0
        near = sorted(self.known, key=lambda at: abs(math.log((at + 1e-9) / (factor + 1e-9))))[:2]
        ways = [{near[0]: 1.0}]
        if len(near) == 2:
            share = (factor - near[0]) / (near[1] - near[0])
            ways.append({near[0]: 1.0 - share, near[1]: share})
        there, found = self._at(factor), []
        for ends in ways:
            apart = there - sum(share * self._at(end) for end, share in ends.items())
            means = sum(share * self.known[end] for end, share in ends.items())
            found.append((means + self._some.weighing.mean(apart), self._some.weighing.error(apart)))
        return min(found, key=lambda each: each[1])

    def _at(self, factor: float) -> Array:
        """Return the net effect on some of the draws, shape (draw,)."""
        if factor not in self._there:
            assert self._some is not None
            self._there[factor] = self._some.at(self._names, factor)
        return self._there[factor]

    def sign(self, factor: float) -> int:
        """Return the sign of the mean over all draws."""
        value, error = self.guess(factor)
        if not abs(value) > SURE * error:
            value = self(factor)
        return (value > 0) - (value < 0)


def _nearest(mean: _Mean) -> tuple[float | None, float | None]:
    """Return the factor nearest to 1, in ratio, at which the mean is 0, and its error.

    The search widens from 1 to both sides, to 1/4 and 4, 1/16 and 16, 1/256 and 256, and so on
    to 0 and `LARGEST_FACTOR`. Where all of these have one sign, the middles of the stretches between them are
    looked at too: a speedup can help when it is small and harm when it is large. A mean that crosses 0 twice
    between two of all these is taken not to.
    """
    here = mean(1.0)
    without = mean(0.0)
    if here == 0.0:
        return (1.0, 0.0) if without != 0.0 or mean(STEP) != 0.0 else (None, None)
    low = high = 1.0
    step = STEP
    between: list[tuple[float, float]] = []
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
                root, smooth = _root(mean, old, new, here > 0)
                return root, _error(mean, root, smooth)
            if new > 0 and step > STEP:
                between.append((math.sqrt(old * new), old))
        low, high = 1.0 / step, step
        step = step**2
    for middle, old in between:
        if mean.sign(middle) * here < 0:
            root, smooth = _root(mean, old, middle, here > 0)
            return root, _error(mean, root, smooth)
    return None, None


def _root(mean: _Mean, old: float, new: float, positive: bool) -> tuple[float, bool]:
    """Return where the mean over all draws is 0, and whether smoothly; at ``new`` it has another sign."""
    ends = {positive: old, not positive: new}
    low, high = sorted(ends.values())
    near, slope, here = _middle(low, high), 0.0, mean(1.0)
    guessed = [(end, mean.guess(end)[0]) for end in (new, old)]
    if (guessed[1][1] > 0) == positive != (guessed[0][1] > 0):
        if high <= STEP**2 * low or low == 0:
            near = _crossing(guessed)[0]
        near, slope = _narrowed(lambda at: mean.guess(at)[0], ends, near, 0.0, guessed, ROUGH, math.inf)
    root, slope = _narrowed(mean, ends, near, slope, [(1.0, here)], TOLERANCE, 1e-2 * abs(here))
    return root, slope != 0.0


def _narrowed(
    value: Callable[[float], float],
    ends: Mapping[bool, float],
    near: float,
    slope: float,
    points: Sequence[tuple[float, float]],
    width: float,
    flat: float,
) -> tuple[float, float]:
    """Return the root of a function and its slope there, within ends that close in on it.

    A step goes to where the parabola through the last three points (the factor as a function of the value)
    has its root; one that does not halve the value is followed by one that halves the stretch.

    Parameters
    ----------
    value : callable
        The function.
    ends : mapping of bool to float
        Where it is positive, and where it is not.
    near, slope
        Where to look first, and about which slope it has there; 0 where that is unknown.
    points : sequence of tuple of float
        Factors and values that are known.
    width, flat
        It is done where the parabola's root and that of the last two points' line are so close, relative to
        their size, and the last value.
    """
    ends, known = dict(ends), list(points)
    for step in range(400):
        found = value(near)
        if found == 0.0:
            break
        slow = step > 0 and abs(found) > 0.5 * abs(known[-1][1])
        known.append((near, found))
        ends[found > 0] = near
        low, high = sorted(ends.values())
        if high - low <= JUMP * high:
            return 0.5 * (low + high), 0.0
        if step or not slope:
            line, slope = _crossing(known)
        else:
            line = near - found / slope
        bent = _bent(known)
        if low <= bent <= high and abs(bent - line) <= width * bent and step and abs(found) <= flat:
            return bent, slope
        aim = bent if low < bent < high and step else line
        near = _middle(low, high) if slow or not low < aim < high else aim
    return near, slope


def _crossing(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return where the line through the last two of points crosses 0, and its slope; 0 where it does not."""
    (one, first), (two, second) = points[-2:]
    if first == second:
        return math.nan, 0.0
    slope = (second - first) / (two - one)
    return two - second / slope, slope


def _bent(points: Sequence[tuple[float, float]]) -> float:
    """Return where the parabola through the last three of points crosses 0; NaN where there is none."""
    last = points[-3:]
    if len({value for _, value in last}) < 3:
        return math.nan
    return sum(
        at * math.prod(other / (other - value) for _, other in last if other != value) for at, value in last
    )


def _middle(one: float, two: float) -> float:
    """Return what halves a stretch: in ratio where its ends are far apart."""
    low, high = sorted((one, two))
    return math.sqrt(low * high) if low > 0 and high > 2 * low else 0.5 * (low + high)


def _error(mean: _Mean, factor: float, smooth: bool = False) -> float | None:
    """Return the error of a factor: that of the mean over its slope there.

    The slope of a smooth mean is that to the nearest factor at which it is known, not so near that rounding
    is all that is left of it.
    """
    step = 1e-3 * max(factor, 1e-3)
    near = min(mean.known, key=lambda at: abs(at - factor))
    if abs(near - factor) > step:
        mean(near := factor)
    error = mean.errors[near]
    chords = [(apart, value / apart) for at, value in mean.known.items() if (apart := at - factor)]
    chords = [(abs(apart), slope) for apart, slope in chords if smooth and 1e-3 * step <= abs(apart) <= step]
    slope = min(chords)[1] if chords else (mean(factor + step) - mean(factor - step)) / (2.0 * step)
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
