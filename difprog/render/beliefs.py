"""Beliefs drawn in characters: densities over an axis with ticks, bars for counts.

Pure functions from distributions to lines of text; no colours. An axis is logarithmic where
the belief's family lives on the log scale, so that a lognormal looks like the bell it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from difprog.beliefs.distributions import Distribution, Mixture, Point, Shape
from difprog.render.format import significant

Array = npt.NDArray[np.float64]

BLOCKS = " ▁▂▃▄▅▆▇█"
ASCII_BLOCKS = " .:|#"
_LOG_FAMILIES = ("lognormal", "gamma", "loguniform", "exponential")


def drawable(encoding: str | None) -> bool:
    """Whether a stream of this encoding can show the block characters."""
    try:
        f"{BLOCKS}━─┬▲".encode(encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True


@dataclass(frozen=True, slots=True)
class Scale:
    """A horizontal axis of ``width`` columns from ``lower`` to ``upper``, linear or logarithmic."""

    lower: float
    upper: float
    width: int
    log: bool = False

    def place(self, x: float) -> float:
        """Return the position of a value in columns; outside of 0 to ``width`` it is not shown."""
        low, high = self._stretch(self.lower), self._stretch(self.upper)
        if self.log and x <= 0:
            return -1.0
        return (self._stretch(x) - low) / (high - low) * self.width

    def column(self, x: float) -> int | None:
        """Return the column that shows a value, None where it lies outside."""
        at = self.place(x)
        return min(int(at), self.width - 1) if -1e-9 <= at <= self.width + 1e-9 else None

    def edges(self) -> Array:
        """Return the values at the columns' edges, shape (width + 1,)."""
        low, high = self._stretch(self.lower), self._stretch(self.upper)
        at = np.linspace(low, high, self.width + 1)
        return np.exp(at) if self.log else at

    def _stretch(self, x: float) -> float:
        return math.log(x) if self.log else x

    def ticks(self, most: int) -> list[float]:
        """Return at most about ``most`` round values within the axis."""
        if self.log:
            first, last = math.floor(math.log10(self.lower)), math.ceil(math.log10(self.upper))
            for steps in ((1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
                found = [s * 10.0**k for k in range(first, last + 1) for s in steps]
                found = [t for t in found if self.lower <= t <= self.upper]
                if len(found) <= most:
                    return found if len(found) > 1 else [self.lower, self.upper]
            every = math.ceil(len(found) / most)
            return found[::every]
        rough = (self.upper - self.lower) / max(most - 1, 1)
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(s * power for s in (1, 2, 2.5, 5, 10) if s * power >= rough * (1 - 1e-9))
        start = math.ceil(self.lower / step - 1e-9)
        return [k * step for k in range(start, math.floor(self.upper / step + 1e-9) + 1)]


def scale_for(shapes: Sequence[Shape], width: int, tail: float = 0.005) -> Scale:
    """Return an axis on which all of some shapes show, but for ``tail`` at either end."""
    low = min(shape.percentile(tail) for shape in shapes)
    high = max(shape.percentile(1 - tail) for shape in shapes)
    if not low < high:
        room = abs(low) / 2 or 1.0
        return Scale(low - room, high + room, width)
    log = low > 0 and high / low > 4 and all(_logarithmic(shape) for shape in shapes)
    if not log and low > 0 and low < 0.15 * high:
        low = 0.0
    return Scale(low, high, width, log)


def _logarithmic(shape: Shape) -> bool:
    if isinstance(shape, Point):
        return shape.value > 0
    if isinstance(shape, Mixture):
        return all(_logarithmic(part) for part in shape.parts)
    if shape.family.name in _LOG_FAMILIES:
        return True
    # A share that is surely small is read in ratios too.
    ends = shape.percentile(0.05), shape.percentile(0.95)
    return shape.family.upper == 1.0 and 0 < ends[0] < ends[1] < 0.3 and ends[1] / ends[0] > 5


def masses(shape: Shape, scale: Scale) -> Array:
    """Return the probability in each column, shape (width,)."""
    found: Array = np.diff(np.asarray(smooth(shape).cdf(scale.edges()), dtype=float))
    if isinstance(shape, Point):
        found = np.zeros(scale.width)
        at = scale.column(shape.value)
        if at is not None:
            found[at] = 1.0
    return np.maximum(found, 0.0)


def smooth(shape: Shape) -> Shape:
    """Return a shape without its rounding to integers."""
    if isinstance(shape, Distribution):
        return Distribution(shape.family, shape.parameters, shape.lower, shape.upper)
    return Mixture(shape.weights, shape.parts) if isinstance(shape, Mixture) else shape


def density(shape: Shape, scale: Scale, height: int = 4, blocks: str = BLOCKS) -> list[str]:
    """Return ``height`` lines of block characters, the highest column filling all of them."""
    mass = masses(shape, scale)
    steps = len(blocks) - 1
    top = mass.max() or 1.0
    filled = np.round(mass / top * height * steps).astype(int)
    filled[(filled == 0) & (mass > top / 1000)] = 1
    lines = []
    for row in range(height - 1, -1, -1):
        level = np.clip(filled - row * steps, 0, steps)
        lines.append("".join(blocks[k] for k in level).rstrip())
    return lines


def axis(scale: Scale, shape: Shape | None = None, ascii_only: bool = False) -> list[str]:
    """Return the axis and its labels: ticks, zero, and for one shape its 90% interval and median."""
    thin, thick, tick, zero, median = "-=+0^" if ascii_only else "─━┬0▲"
    line = [thin] * scale.width
    if shape is not None:
        ends = [scale.column(shape.percentile(p)) for p in (0.05, 0.95)]
        if None not in ends:
            line[ends[0] : ends[1] + 1] = thick * (ends[1] - ends[0] + 1)  # type: ignore[operator]
    labels = [" "] * scale.width
    for value in scale.ticks(max(scale.width // 9, 2)):
        at = scale.column(value)
        if at is None:
            continue
        text = "0" if abs(value) < 1e-12 * (scale.upper - scale.lower) else significant(value, 3)
        text = _short(text)
        start = min(max(at - len(text) // 2, 0), scale.width - len(text))
        around = labels[max(start - 1, 0) : start + len(text) + 1]
        if start < 0 or any(c != " " for c in around):
            continue
        labels[start : start + len(text)] = text
        line[at] = zero if text == "0" else tick
    if shape is not None:
        at = scale.column(shape.percentile(0.5))
        if at is not None:
            line[at] = median
    return ["".join(line), "".join(labels).rstrip()]


def _short(text: str) -> str:
    """Spell 2,000,000 as 2e6: labels stand close together."""
    digits = text.replace(",", "").lstrip("−")
    if len(digits) > 5 and digits.isdigit():
        stripped = digits.rstrip("0")
        mantissa = stripped[0] + (f".{stripped[1:]}" if stripped[1:] else "")
        return f"{'−' if text.startswith('−') else ''}{mantissa}e{len(digits) - 1}"
    if "." in text and "e" not in text:
        return text.rstrip("0").rstrip(".")
    return text


def drawn(shape: Shape, width: int, height: int = 4, ascii_only: bool = False) -> list[str]:
    """Return one belief drawn: a density over its axis, or bars where it is a count."""
    if getattr(shape, "integer", False):
        return counts(shape, width, ascii_only)
    scale = scale_for([shape], width)
    blocks = ASCII_BLOCKS if ascii_only else BLOCKS
    return [*density(shape, scale, height, blocks), *axis(scale, shape, ascii_only)]


def counts(shape: Shape, width: int, ascii_only: bool = False, most: int = 12) -> list[str]:
    """Return a bar per count with its probability, the last one holding all that is above."""
    low, high = round(shape.percentile(0.005)), round(shape.percentile(0.995))
    high = min(high, low + most - 1)
    cdf = smooth(shape).cdf
    below = [float(cdf(k + 0.5)) for k in range(low, high)] + [1.0]
    shares = np.diff([0.0, *below])
    names = [*map(str, range(low, high)), f"{high}+"]
    if low > 0 and below[0] > 0 and float(cdf(low - 0.5)) > 0:
        names[0] = f"≤{low}" if not ascii_only else f"<={low}"
    room = max(width - max(map(len, names)) - 8, 4)
    longest = shares.max()
    return [
        f"{name:>{max(map(len, names))}} {_bar(share / longest * room, ascii_only)} {share:.0%}"
        for name, share in zip(names, shares, strict=True)
    ]


def _bar(length: float, ascii_only: bool) -> str:
    if ascii_only:
        return "#" * round(length)
    eighths = round(float(length) * 8)
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()


def together(
    named: Sequence[tuple[str, Shape]], width: int, height: int = 3, ascii_only: bool = False
) -> list[str]:
    """Return several beliefs of one unit on one axis, each under its name with its own marks."""
    scale = scale_for([shape for _, shape in named], width)
    blocks = ASCII_BLOCKS if ascii_only else BLOCKS
    lines: list[str] = []
    for name, shape in named:
        lines += [name, *density(shape, scale, height, blocks), axis(scale, shape, ascii_only)[0]]
    return [*lines, axis(scale, None, ascii_only)[1]]
