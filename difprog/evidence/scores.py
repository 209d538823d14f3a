"""From a stated belief to a prior: a standard normal score, and the belief's quantile of it.

A belief is its quantile function of a standard normal score, in scoring and here alike. So the
prior of a likelihood is the stated belief exactly, whatever its family, and the sampler sees a
standard normal. Imports pymc only inside functions.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy import special

from difprog.beliefs.distributions import Distribution, Mixture, Point, Shape

#: Scores beyond this are as good as certain; grid of families with no closed form.
FARTHEST = 6.0
GRID = 4001


def prior(name: str, shape: Shape) -> Any:
    """Return a belief as a variable of the PyMC model that is open.

    Adds ``<name>_score`` ~ N(0, 1), unless the belief is a point, and the Deterministic ``name``.
    """
    import pymc as pm

    if isinstance(shape, Point):
        return pm.Deterministic(name, quantile(shape, 0.0))
    return pm.Deterministic(name, quantile(shape, pm.Normal(f"{name}_score")))


def quantile(shape: Shape, z: Any) -> Any:
    """Return the belief's value at a symbolic score, differentiable in it.

    Families of a transformed normal in closed form; others piecewise linear on a grid of scores
    0.003 apart, whose error is far below any Monte Carlo error here.
    """
    import pytensor.tensor as pt

    if isinstance(shape, Point):
        return pt.as_tensor_variable(float(shape.value))
    if isinstance(shape, Distribution) and shape.family.normal and not shape.truncated:
        location, spread = shape.parameters
        line = location + spread * z
        return {"normal": lambda: line, "lognormal": lambda: pt.exp(line)}.get(
            shape.family.name, lambda: pt.sigmoid(line)
        )()
    grid = np.linspace(-FARTHEST, FARTHEST, GRID)
    values = pt.as_tensor_variable(np.asarray(smooth(shape).quantile(grid), dtype=float))
    at = (pt.clip(z, -FARTHEST, FARTHEST - 1e-9) + FARTHEST) / (grid[1] - grid[0])
    below = pt.cast(pt.floor(at), "int64")
    return values[below] + (at - below) * (values[below + 1] - values[below])


def smooth(shape: Shape) -> Shape:
    """Return the belief before it is rounded to integers."""
    return shape if isinstance(shape, Point) else replace(shape, integer=False)


def score(shape: Shape, values: Any) -> Any:
    """Return the standard normal score that a belief gives to values; none beyond `FARTHEST`."""
    if isinstance(shape, Distribution) and shape.family.normal and not shape.truncated:
        found = shape.family.cdf(values, *shape.parameters)
    else:
        assert isinstance(shape, (Distribution, Mixture, Point))
        found = special.ndtri(smooth(shape).cdf(values))
    return np.clip(found, -FARTHEST, FARTHEST)
