"""Least squares in a few unknowns, for percentiles that no closed form fits.

Levenberg–Marquardt (Marquardt 1963, J SIAM 11:431), with slopes by central differences. To load
scipy.optimize takes longer than all fits of all shipped beliefs together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

#: Steps before it gives up.
STEPS = 100
#: Half of a central difference, relative: the cube root of the rounding error.
WIDTH = 6e-6
#: Where a step, relative, is so small that the sum of squares no longer tells a better point from a worse.
NEAR = 1e-6
#: Damping at which no step of any size leads down.
STUCK = 1e12


def least_squares(misses: Callable[[Array], Array], start: Sequence[float]) -> Array:
    """Return where the sum of squares is least, near ``start``, to about 1e-12 where it is curved.

    Parameters
    ----------
    misses : callable
        ``misses(x)``, finite, shape (misses,); at least as many as unknowns.
    start : sequence of float
        Where to begin, shape (unknowns,).
    """
    x = np.asarray(start, dtype=float)
    miss, damping, last = misses(x), 1e-3, NEAR
    for _ in range(STEPS):
        slopes = _slopes(misses, x)
        plain = np.linalg.lstsq(slopes, -miss, rcond=None)[0]
        size = _size(plain, x)
        if size < NEAR:
            # Gauss–Newton steps, for as long as they shrink: rounding ends that.
            if not size < last:
                break
            x, last = x + plain, size
            miss = misses(x)
            continue
        scale = np.sqrt(np.sum(slopes**2, axis=0) + 1e-30)
        while damping < STUCK:
            walls = np.vstack([slopes, np.diag(np.sqrt(damping) * scale)])
            move = np.linalg.lstsq(walls, np.concatenate([-miss, np.zeros(x.size)]), rcond=None)[0]
            there = misses(x + move)
            if there @ there < miss @ miss:
                break
            damping *= 4.0
        else:
            break
        x, miss, damping = x + move, there, max(damping / 16.0, 1e-12)
    return x


def _slopes(misses: Callable[[Array], Array], x: Array) -> Array:
    """Return the derivatives of the misses, shape (misses, unknowns)."""
    widths = WIDTH * np.maximum(1.0, np.abs(x))
    sides = [(misses(x + step), misses(x - step)) for step in np.diag(widths)]
    return np.stack([(up - down) / (2 * w) for (up, down), w in zip(sides, widths, strict=True)], axis=1)


def _size(move: Array, x: Array) -> float:
    return float(np.max(np.abs(move) / np.maximum(1.0, np.abs(x))))
