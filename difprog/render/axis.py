"""Distributions drawn in characters: a common signed axis, density strips, quantile dot plots.

Effects span orders of magnitude on both sides of zero, so the axis is linear near zero and
logarithmic beyond (Webber 2013, "A bi-symmetric log transformation"). Pure functions from
numbers to text; no colours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from difprog.render.format import significant

Array = npt.NDArray[np.float64]

SHADES = " ░▒▓█"
ASCII_SHADES = " .:*#"


@dataclass(frozen=True, slots=True)
class Axis:
    """A horizontal axis of ``width`` columns from ``lower`` to ``upper``.

    Attributes
    ----------
    lower, upper : float
        Its ends, in the quantity's unit.
    knee : float
        Linear within ± this, logarithmic beyond.
    width : int
        Columns.
    """

    lower: float
    upper: float
    knee: float
    width: int

    def scale(self, x: Array | float) -> Array:
        """Return positions on the stretched axis."""
        value = np.asarray(x, dtype=float) / self.knee
        return np.sign(value) * np.log1p(np.abs(value))

    def column(self, x: Array | float) -> npt.NDArray[np.intp]:
        """Return the column of each value; values beyond the ends fall into the end columns."""
        low, high = self.scale(self.lower), self.scale(self.upper)
        place = (self.scale(x) - low) / (high - low) * self.width
        return np.clip(np.floor(place), 0, self.width - 1).astype(np.intp)

    @property
    def zero(self) -> int | None:
        """The column of zero, None where zero lies outside."""
        return int(self.column(0.0)) if self.lower <= 0 <= self.upper else None

    def ticks(self) -> list[float]:
        """Return round values to label: zero and powers of ten on both sides."""
        largest = max(abs(self.lower), abs(self.upper))
        powers = [10.0**k for k in range(math.floor(math.log10(self.knee)) - 1, 40)]
        found = [p for p in powers if self.knee <= p <= largest]
        every = sorted([-p for p in found] + [0.0] + found)
        return [t for t in every if self.lower <= t <= self.upper]

    def labels(self) -> str:
        """Return the line of tick labels, leaving out those that would collide."""
        line = [" "] * self.width
        # Zero first, then from the outside in: the ends say the range.
        order = sorted(self.ticks(), key=lambda t: (t != 0, -abs(t)))
        for tick in order:
            text = significant(tick, 1, sign=True)
            at = min(max(int(self.column(tick)) - len(text) // 2, 0), self.width - len(text))
            around = line[max(at - 1, 0) : at + len(text) + 1]
            if at >= 0 and all(c == " " for c in around):
                line[at : at + len(text)] = text
        return "".join(line).rstrip()


def common_axis(samples: list[Array], width: int, tail: float = 0.02) -> Axis:
    """Return an axis on which all samples can be compared, zero always on it.

    Parameters
    ----------
    samples : list of arrays
        Draws.
    width : int
        Columns.
    tail : float
        Share of the draws of each sample that may lie beyond either end.
    """
    low = min(0.0, *(float(np.quantile(s, tail)) for s in samples))
    high = max(0.0, *(float(np.quantile(s, 1 - tail)) for s in samples))
    if high - low < 1e-300:
        low, high = -1.0, 1.0
    size = np.abs(np.concatenate([s[s != 0] for s in samples] or [np.ones(1)]))
    typical = float(np.median(size)) if size.size else 1.0
    largest = max(-low, high)
    # At most four decades beyond the knee, or zero would swallow nothing and the tails all.
    knee = 10.0 ** math.floor(math.log10(min(max(typical, largest * 1e-4), largest)))
    room = 0.02 * (high - low)
    return Axis(low - room, high + room, knee, width)


def strip(values: Array, axis: Axis, shades: str = SHADES) -> str:
    """Return a density strip: fuller where more draws fall, a mark at zero.

    The fullest shade is that of the fullest column beside zero's, where worlds that nothing
    can change pile up; a column that holds less than a tenth of an even share stays empty.
    """
    counts = np.bincount(axis.column(values), minlength=axis.width).astype(float)
    beside = np.delete(counts, axis.zero) if axis.zero is not None else counts
    top = beside.max() or 1.0
    level = np.ceil(np.sqrt(np.minimum(counts / top, 1.0)) * (len(shades) - 1)).astype(int)
    level[counts < len(values) / (10 * axis.width)] = 0
    line = [shades[k] for k in level]
    zero = axis.zero
    if zero is not None:
        line[zero] = "┃" if shades is SHADES else "|"
    return "".join(line)


def dots(values: Array, axis: Axis, count: int = 50, dot: str = "●", most: int = 10) -> list[str]:
    """Return a quantile dot plot: ``count`` dots, each an equal share of the probability.

    Parameters
    ----------
    values : array
        Draws.
    axis : Axis
        Where to put them.
    count : int
        How many dots (Kay et al. 2016, "When (ish) is my bus?", find 20 to 50 read best).
    dot : str
        The character.
    most : int
        Highest pile; taller ones are cut and end in a number.
    """
    levels = (np.arange(count) + 0.5) / count
    piles = np.bincount(axis.column(np.quantile(values, levels)), minlength=axis.width)
    height = min(int(piles.max()), most)
    rows = []
    for row in range(height, 0, -1):
        line = [dot if pile >= row else " " for pile in piles]
        if row == most:
            for column in np.flatnonzero(piles > most):
                text = str(piles[column])
                at = min(int(column), axis.width - len(text))
                line[at : at + len(text)] = text
        rows.append("".join(line).rstrip())
    return rows


def rule(axis: Axis, plain: bool = False) -> str:
    """Return the axis line, with zero marked."""
    line = ["-" if plain else "─"] * axis.width
    for tick in axis.ticks():
        line[int(axis.column(tick))] = "+" if plain else "┬"
    zero = axis.zero
    if zero is not None:
        line[zero] = "|" if plain else "╂"
    return "".join(line)


def bar(value: float, low: float, high: float, width: int) -> str:
    """Return a bar from the zero mark to a value, on an axis from ``low`` ≤ 0 to ``high`` ≥ 0.

    A value that is not 0 always shows, be it as a sliver.
    """
    line = [" "] * width
    scale = (width - 1) / (high - low) if high > low else 0.0
    zero = round(-low * scale)
    cells = round(abs(value) * scale)
    if value > 0:
        cells = min(cells, width - 1 - zero)
        line[zero + 1 : zero + 1 + cells] = "█" * cells
        if not cells and zero + 1 < width:
            line[zero + 1] = "▏"
    elif value < 0:
        cells = min(cells, zero)
        line[zero - cells : zero] = "█" * cells
        if not cells and zero:
            line[zero - 1] = "▕"
    line[zero] = "┃"
    return "".join(line)


def swing(at_low: float, at_high: float, low: float, high: float, width: int) -> str:
    """Return a line from L to H, past the zero mark, on an axis from ``low`` to ``high``."""
    scale = (width - 1) / (high - low) if high > low and math.isfinite(high - low) else 0.0
    line = [" "] * width
    zero, left, right = (round((v - low) * scale) for v in (0.0, at_low, at_high))
    for column in range(min(left, right), max(left, right) + 1):
        line[column] = "─"
    line[zero] = "┃"
    line[left] = "L"
    line[right] = "H" if right != left else "="
    return "".join(line)
