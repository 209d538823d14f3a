"""Where labels stand in a figure of points, so that none lies over another or over a point.

Points on paper: all lengths are in points, 1/72 inch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

#: Width of a digit, and height of one, as shares of the font's size (DejaVu Sans).
DIGIT, HEIGHT = 0.64, 0.74

#: Directions that are tried, in degrees: beside the point first. How far out, and what crossing a line costs.
BESIDE = (40, -40, 140, -140, 90, -90, 0, 180)
AROUND = tuple(range(15, 375, 30))
RINGS = (8.0, 12.0, 17.0, 23.0, 30.0)
CROSSING = 4.0

#: Distance beyond which a label needs a line to its point.
NEAR = 5.0


Box = tuple[float, float, float, float]
"""Left, bottom, right and top."""


class Mark(NamedTuple):
    """A point that has a label, and the vertical line through it."""

    x: float
    y: float
    radius: float
    low: float
    """Where its line ends; as ``y`` where it has none."""
    high: float
    label: str


class Place(NamedTuple):
    """Where the middle of a label stands, from its point."""

    x: float
    y: float
    far: bool
    """Whether a line has to say whose it is."""


def placed(marks: Sequence[Mark], size: float, box: Box) -> list[Place | None]:
    """Return where each label stands; None for one that has no room.

    One after the other, in the order given, each takes the nearest place that is free; a place that a line
    crosses counts as further away.

    Parameters
    ----------
    marks : sequence of Mark
        Those whose labels matter most come first.
    size : float
        Of the font.
    box : tuple of float
        Where labels may stand.
    """
    taken: list[Box] = []
    found: list[Place | None] = []
    for mark in marks:
        half = DIGIT * size * len(mark.label) / 2, HEIGHT * size / 2
        best: tuple[float, Place, Box] | None = None
        for distance, angle in _tried():
            x, y = _offset(mark, distance, angle, half)
            around = (mark.x + x - half[0], mark.y + y - half[1], mark.x + x + half[0], mark.y + y + half[1])
            cost = distance + CROSSING * sum(_crosses(around, other) for other in marks)
            if best is not None and cost >= best[0]:
                continue
            if _free(around, taken, marks, box):
                best = cost, Place(x, y, distance > NEAR), around
        found.append(None if best is None else best[1])
        if best is not None:
            taken.append(best[2])
    return found


def _tried() -> list[tuple[float, int]]:
    """Return distances from the point's edge, and directions, in the order in which they are tried."""
    return [*((1.0, angle) for angle in BESIDE), *((ring, angle) for ring in RINGS for angle in AROUND)]


def _offset(mark: Mark, distance: float, angle: int, half: tuple[float, float]) -> tuple[float, float]:
    """Return where a label's middle is whose edge is so far from the point's."""
    x, y = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    out = mark.radius + distance
    return x * (out + half[0]), y * (out + half[1])


def _free(around: Box, taken: Sequence[Box], marks: Sequence[Mark], box: Box) -> bool:
    left, bottom, right, top = around
    if left < box[0] or bottom < box[1] or right > box[2] or top > box[3]:
        return False
    if any(left < r and x < right and bottom < t and b < top for x, b, r, t in taken):
        return False
    return not any(
        left < m.x + m.radius and m.x - m.radius < right and bottom < m.y + m.radius and m.y - m.radius < top
        for m in marks
    )


def _crosses(around: Box, mark: Mark) -> bool:
    left, bottom, right, top = around
    return left < mark.x < right and bottom < mark.high and mark.low < top


__all__ = ["Mark", "Place", "placed"]
