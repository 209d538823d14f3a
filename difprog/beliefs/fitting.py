"""From percentiles to the distribution that has them: exactly, or by least squares on the family's scale."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import special

from difprog.beliefs.distributions import Distribution, Mixture, Point, Shape
from difprog.beliefs.families import BOUNDED_BY_ENDS, Family
from difprog.beliefs.leastsquares import least_squares

Array = npt.NDArray[np.float64]

OUT_OF_REACH = "the percentiles are too close together or too far apart to fit"

#: Least chance that a cut may leave of a distribution, where percentiles are fitted.
LEAST_INSIDE = 1e-12

#: A miss, in widths of the percentiles, that stands for none at all.
FAR = 1e6


class FitError(ValueError):
    """Percentiles that no member of the family has."""


def _from_line(family: Family, intercept: float, slope: float) -> list[float]:
    """Parameters of a linear family from the line that its scaled quantiles follow."""
    if family.name in ("uniform", "loguniform"):
        ends = [intercept, intercept + slope]
        return ends if family.name == "uniform" else [math.exp(ends[0]), math.exp(ends[1])]
    return [intercept, slope]


@np.errstate(all="ignore")  # what does not fit is found out from what came out
def fit(
    family: Family,
    percentiles: Mapping[float, float],
    bounds: tuple[float, float] = (-math.inf, math.inf),
    integer: bool = False,
) -> Distribution:
    """Return the member of a family that has the stated percentiles.

    Parameters
    ----------
    family : Family
        Which kind.
    percentiles : mapping of float to float
        Level in (0, 1) to value; as many as the family has parameters fit exactly, more are
        fitted by least squares on the family's natural scale.
    bounds : tuple of float
        Where the distribution is cut; the percentiles are those of the cut distribution. For
        PERT and triangular, the two ends themselves.
    integer : bool
        Round draws to integers.

    Raises
    ------
    FitError
        Where the percentiles are too few or no member has them.
    """
    try:
        return _fit(family, percentiles, bounds, integer)
    except FitError:
        raise
    except (ArithmeticError, ValueError) as error:
        raise FitError(OUT_OF_REACH) from error


def _fit(
    family: Family, percentiles: Mapping[float, float], bounds: tuple[float, float], integer: bool
) -> Distribution:
    levels = np.array(sorted(percentiles))
    values = np.array([percentiles[p] for p in sorted(percentiles)])
    if not ((values > family.lower) & (values < family.upper)).all():
        below = "" if math.isinf(family.upper) else f" and below {family.upper:g}"
        raise FitError(f"a {family.name} needs percentiles above {family.lower:g}{below}")
    ends_given = family.name in BOUNDED_BY_ENDS and all(map(math.isfinite, bounds))
    needed = 1 if ends_given else len(family.parameters)
    if len(levels) < needed:
        also = " (or bounds, and one)" if family.name in BOUNDED_BY_ENDS else ""
        raise FitError(f"a {family.name} needs at least {needed} percentiles{also}")
    lower, upper = bounds
    cut = lower > family.lower or upper < family.upper
    start = _linear_fit(family, levels, values)
    if start is not None:
        member = Distribution(family, tuple(start), lower, upper, integer)
        if not cut or (np.isfinite(start).all() and not member.truncated):
            return checked(replace(member, lower=-math.inf, upper=math.inf))
    if start is None:
        assert family.start is not None
        start = list(family.start(levels, values))
    return _numerical_fit(family, levels, values, start, bounds, ends_given, integer)


def checked(distribution: Distribution) -> Distribution:
    """Return a distribution; refuse parameters that fell out of the numbers a machine holds.

    Raises
    ------
    FitError
        Where they are too few or too many, not finite, or give draws that are not.
    """
    with np.errstate(all="ignore"):
        usable = len(distribution.parameters) == len(distribution.family.parameters)
        usable = usable and bool(np.isfinite(distribution.parameters).all())
        usable = usable and distribution.parameters[-1] != 0
        # Draws reach about eight standard scores; none may overflow.
        usable = usable and bool(np.isfinite(distribution.quantile(np.array([-8.0, 8.0]))).all())
    if not usable:
        raise FitError(OUT_OF_REACH)
    return distribution


def _linear_fit(family: Family, levels: Array, values: Array) -> list[float] | None:
    if family.linear is None:
        return None
    x, y = family.linear(levels), family.scale(values)
    with np.errstate(over="ignore", invalid="ignore"):
        slope = float(np.dot(x - x.mean(), y - y.mean()) / np.dot(x - x.mean(), x - x.mean()))
    try:
        return _from_line(family, float(y.mean() - slope * x.mean()), slope)
    except OverflowError as error:
        raise FitError("the percentiles are too far apart to fit") from error


def _numerical_fit(
    family: Family,
    levels: Array,
    values: Array,
    start: Sequence[float],
    bounds: tuple[float, float],
    ends_given: bool,
    integer: bool,
) -> Distribution:
    lower, upper = bounds
    target, scores = family.scale(values), special.ndtri(levels)
    scale = max(float(np.ptp(target)), float(np.abs(target).max()) * 1e-3, 1e-12)

    def member(free: Sequence[float]) -> Distribution:
        if ends_given:
            mode = lower + (upper - lower) * float(special.expit(free[0]))
            return Distribution(family, (lower, mode, upper), integer=False)
        if family.linear is None:
            return Distribution(family, tuple(family.unpack(free)), lower, upper)
        spread = math.exp(min(max(free[1], -300.0), 300.0))
        return Distribution(family, tuple(_from_line(family, free[0], spread)), lower, upper)

    def misses(free: Array) -> Array:
        with np.errstate(all="ignore"):
            found = member(np.multiply(free, units))
            low, high = found.ends
            if not high - low > LEAST_INSIDE:
                return np.full(len(levels), FAR)
            got: Array = (family.scale(found.quantile(scores)) - target) / scale
        return np.clip(np.nan_to_num(got, nan=FAR), -FAR, FAR)

    if ends_given:
        initial = [0.0]
    elif family.linear is None:
        initial = family.pack(start)
    else:
        x = family.scale(np.asarray(start)) if family.name in ("uniform", "loguniform") else start
        width = x[1] - x[0] if family.name in ("uniform", "loguniform") else x[1]
        initial = [float(x[0]), math.log(width)]
    # Shapes, sizes and shares are logarithms or logits; a place on the family's scale has that of the target.
    places = not ends_given and (family.linear is not None or family.name in BOUNDED_BY_ENDS)
    units = np.array([scale if places else 1.0, *(1.0 for _ in initial[1:])])
    try:
        free = least_squares(misses, np.divide(initial, units))
        fitted = member(free * units)
        worst = float(np.abs(misses(free)).max())
    except (ValueError, OverflowError) as error:
        raise FitError(f"no {family.name} has these percentiles") from error
    exact = len(levels) <= min(2, 1 if ends_given else len(family.parameters))
    if worst > (1e-6 if exact else 1.0):
        raise FitError(f"no {family.name} within the bounds has these percentiles")
    parameters = tuple(map(float, fitted.parameters))
    return checked(Distribution(family, parameters, fitted.lower, fitted.upper, integer))


def misfit(shape: Shape, percentiles: Mapping[float, float]) -> float:
    """Return the largest distance of a fitted percentile from the one stated.

    Relative to the percentile where all are positive, else to their range: a percentile near 0
    says nothing about the size of the quantity.
    """
    if isinstance(shape, Point) or not percentiles:
        return 0.0
    smooth = (
        Distribution(shape.family, shape.parameters, shape.lower, shape.upper)
        if isinstance(shape, Distribution)
        else Mixture(shape.weights, shape.parts)
    )
    spread = max(percentiles.values()) - min(percentiles.values())
    positive = min(percentiles.values()) > 0
    return max(
        abs(smooth.percentile(p) - value) / max(value if positive else spread, 1e-300)
        for p, value in percentiles.items()
    )
