"""Distributions: from percentiles to a distribution, and its quantiles.

A family is a quantile function, its inverse (the cdf) and a natural scale in which percentiles
are fitted. Draws are quantiles of standard normal scores z, so that a belief keeps its stream
of randomness whatever its family is, and beliefs correlate by correlating their scores.

Shapes: z and values are scalars, arrays or PyTensor variables, elementwise: quantiles and cdfs are
written once for all three (`difprog.beliefs.elementwise`).
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from difprog.beliefs import elementwise as ew
from difprog.beliefs.leastsquares import least_squares

Array = npt.NDArray[np.float64]


OUT_OF_REACH = "the percentiles are too close together or too far apart to fit"


class FitError(ValueError):
    """Percentiles that no member of the family has."""


def pert_shapes(weight: float) -> tuple[float, float]:
    """Return the PERT's beta shapes for a mode at ``weight`` of the way from end to end."""
    return 1.0 + 4.0 * weight, 5.0 - 4.0 * weight


def _pert_quantile(u: Any, low: Any, mode: Any, high: Any) -> Any:
    a, b = pert_shapes((mode - low) / (high - low))
    return low + (high - low) * ew.betaincinv(a, b, u)


def _pert_cdf(x: Any, low: Any, mode: Any, high: Any) -> Any:
    a, b = pert_shapes((mode - low) / (high - low))
    return ew.betainc(a, b, ew.clip((x - low) / (high - low), 0.0, 1.0))


def _triangular_quantile(u: Any, low: Any, mode: Any, high: Any) -> Any:
    width = high - low
    turn = (mode - low) / width
    rising = low + ew.sqrt(u * width * (mode - low))
    falling = high - ew.sqrt((1.0 - u) * width * (high - mode))
    return ew.where(u < turn, rising, falling)


def _triangular_cdf(x: Any, low: Any, mode: Any, high: Any) -> Any:
    x = ew.clip(x, low, high)
    width = high - low
    with np.errstate(divide="ignore", invalid="ignore"):
        rising = (x - low) ** 2 / (width * (mode - low))
        falling = 1.0 - (high - x) ** 2 / (width * (high - mode))
    # Where the mode is an end, one of the two sides has no width, and is no number there.
    return ew.where((x < mode) | (x >= high) & (mode >= high), rising, falling)


def _log(x: Any) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        return ew.log(x)


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of distribution.

    Attributes
    ----------
    name : str
        As written in belief files.
    lower, upper : float
        Where the family lives before any truncation.
    parameters : tuple of str
        Names of the parameters, in order.
    quantile : callable
        ``quantile(u, *parameters)``; for families of a transformed normal ``u`` is the score z.
    cdf : callable
        ``cdf(x, *parameters)``, as a score z for families of a transformed normal.
    scale : callable
        The natural scale in which percentiles are compared in a fit.
    linear : callable or None
        Where scale(quantile) is linear in one regressor of p, that regressor: the fit is then
        ordinary least squares.
    normal : bool
        Whether quantile and cdf speak in scores.
    start, pack, unpack : callable or None
        Starting point and unconstrained coordinates of a numerical fit.
    """

    name: str
    lower: float
    upper: float
    parameters: tuple[str, ...]
    quantile: Callable[..., Any]
    cdf: Callable[..., Any]
    scale: Callable[[Any], Any]
    linear: Callable[[Any], Any] | None = None
    normal: bool = False
    start: Callable[[Array, Array], Sequence[float]] | None = None
    pack: Callable[[Sequence[float]], list[float]] = list
    unpack: Callable[[Sequence[float]], list[float]] = list


def _from_line(family: Family, intercept: float, slope: float) -> list[float]:
    """Parameters of a linear family from the line that its scaled quantiles follow."""
    if family.name in ("uniform", "loguniform"):
        ends = [intercept, intercept + slope]
        return ends if family.name == "uniform" else [math.exp(ends[0]), math.exp(ends[1])]
    return [intercept, slope]


def _beta_start(p: Array, q: Array) -> Sequence[float]:
    middle = float(np.clip(np.interp(0.5, p, q), 0.01, 0.99))
    spread = max(float(q[-1] - q[0]) / 2.56, 1e-4)
    size = max(middle * (1 - middle) / spread**2 - 1.0, 0.5)
    return middle * size, (1 - middle) * size


def _gamma_start(p: Array, q: Array) -> Sequence[float]:
    z = special.ndtri(p)
    slope, _ = np.polyfit(z, np.log(q), 1)
    shape = max(1.0 / max(float(slope), 1e-3) ** 2, 1e-2)
    return shape, float(np.interp(0.5, p, q)) / shape


def _exp(values: Sequence[float]) -> list[float]:
    return [math.exp(min(max(v, -300.0), 300.0)) for v in values]


def _exp_beta(values: Sequence[float]) -> list[float]:
    # Beyond, a beta is all but a point, and its quantile takes a second and more.
    return [math.exp(min(max(v, -300.0), 20.0)) for v in values]


def _logs(values: Sequence[float]) -> list[float]:
    return [math.log(v) for v in values]


def _ends_start(p: Array, q: Array) -> Sequence[float]:
    width = float(q[-1] - q[0])
    return float(q[0]) - width / 2, float(np.interp(0.5, p, q)), float(q[-1]) + width / 2


def _ends_pack(values: Sequence[float]) -> list[float]:
    low, mode, high = values
    share = min(max((mode - low) / (high - low), 1e-6), 1 - 1e-6)
    return [low, math.log(high - low), math.log(share / (1 - share))]


def _ends_unpack(values: Sequence[float]) -> list[float]:
    low, width, share = values[0], math.exp(min(values[1], 300.0)), special.expit(values[2])
    return [low, low + width * float(share), low + width]


def _same(x: Any) -> Any:
    return x


_INF = math.inf

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family(
            "normal", -_INF, _INF, ("mu", "sigma"),
            lambda z, mu, sigma: mu + sigma * z, lambda x, mu, sigma: (x - mu) / sigma,
            _same, special.ndtri, normal=True,
        ),
        Family(
            "lognormal", 0.0, _INF, ("mu", "sigma"),
            lambda z, mu, sigma: ew.exp(mu + sigma * z),
            lambda x, mu, sigma: (_log(x) - mu) / sigma,
            _log, special.ndtri, normal=True,
        ),
        Family(
            "logitnormal", 0.0, 1.0, ("mu", "sigma"),
            lambda z, mu, sigma: ew.expit(mu + sigma * z),
            lambda x, mu, sigma: (_log(x) - ew.log1p(-x) - mu) / sigma,
            special.logit, special.ndtri, normal=True,
        ),
        Family(
            "beta", 0.0, 1.0, ("alpha", "beta"),
            lambda u, a, b: ew.betaincinv(a, b, u),
            lambda x, a, b: ew.betainc(a, b, ew.clip(x, 0.0, 1.0)),
            special.logit, start=_beta_start, pack=_logs, unpack=_exp_beta,
        ),
        Family(
            "gamma", 0.0, _INF, ("shape", "scale"),
            lambda u, k, s: s * ew.gammaincinv(k, u),
            lambda x, k, s: ew.gammainc(k, ew.maximum(x, 0.0) / s),
            _log, start=_gamma_start, pack=_logs, unpack=_exp,
        ),
        Family(
            "uniform", -_INF, _INF, ("lower", "upper"),
            lambda u, a, b: a + (b - a) * u,
            lambda x, a, b: ew.clip((x - a) / (b - a), 0.0, 1.0),
            _same, _same,
        ),
        Family(
            "loguniform", 0.0, _INF, ("lower", "upper"),
            lambda u, a, b: a * ew.exp(u * ew.log(b / a)),
            lambda x, a, b: ew.clip(_log(x / a) / ew.log(b / a), 0.0, 1.0),
            _log, _same,
        ),
        Family(
            "exponential", 0.0, _INF, ("scale",),
            lambda u, s: -s * ew.log1p(-u), lambda x, s: -ew.expm1(-ew.maximum(x, 0.0) / s),
            _log, start=lambda p, q: (float(np.mean(q / -np.log1p(-p))),), pack=_logs, unpack=_exp,
        ),
        Family(
            "pert", -_INF, _INF, ("lower", "mode", "upper"), _pert_quantile, _pert_cdf,
            _same, start=_ends_start, pack=_ends_pack, unpack=_ends_unpack,
        ),
        Family(
            "triangular", -_INF, _INF, ("lower", "mode", "upper"),
            _triangular_quantile, _triangular_cdf,
            _same, start=_ends_start, pack=_ends_pack, unpack=_ends_unpack,
        ),
    )
}  # fmt: skip

#: The largest level below 1: a score past 8.3 must not become an infinite draw.
_BELOW_ONE = 1.0 - 2.0**-53

#: Least chance that a cut may leave of a distribution, where percentiles are fitted.
LEAST_INSIDE = 1e-12

#: A miss, in widths of the percentiles, that stands for none at all.
FAR = 1e6

#: Halvings of the interval in which a quantile of a mixture lies.
_HALVINGS = 64

#: Families whose two ends are `bounds`, not a truncation.
BOUNDED_BY_ENDS = ("pert", "triangular")


class Member(NamedTuple):
    """One member of a family, whose numbers may be PyTensor variables."""

    family: Family
    parameters: tuple[Any, ...]
    cut: tuple[Any, Any, Any, Any] | None = None
    """Where it is cut: the cdf at the lower and the upper cut, and the two cuts."""

    def quantile(self, z: Any) -> Any:
        """Return the value at the standard normal score z (at the level Φ(z))."""
        family = self.family
        if self.cut is None:
            level = z if family.normal else ew.minimum(ew.ndtr(z), _BELOW_ONE)
            return family.quantile(level, *self.parameters)
        low, high, lower, upper = self.cut
        u = low + ew.ndtr(z) * (high - low)
        value = family.quantile(ew.ndtri(u) if family.normal else u, *self.parameters)
        return ew.clip(value, lower, upper)

    def cdf(self, x: Any) -> Any:
        """Return the probability of at most x."""
        family = self.family
        low, high, lower, upper = (0.0, 1.0, family.lower, family.upper) if self.cut is None else self.cut
        value = family.cdf(ew.clip(x, lower, upper), *self.parameters)
        level = (ew.ndtr(value) if family.normal else value) - low
        return ew.clip(ew.where(x < lower, 0.0, level / (high - low)), 0.0, 1.0)


def mixture_quantile(
    weights: Sequence[Any], parts: Sequence[Member | Point], z: Any
) -> Any:
    """Return the value at the score z of a mixture, by bisection between the parts' own quantiles.

    Parameters
    ----------
    weights : sequence
        They sum to 1.
    parts : sequence of Member or Point
        No two points with one value.
    z : array or variable
        Standard normal scores.
    """
    u = ew.ndtr(z)

    def cdf(x: Any) -> Any:
        terms = [w * part.cdf(x) for w, part in zip(weights, parts, strict=True)]
        return functools.reduce(operator.add, terms)

    each = [part.quantile(z) + 0.0 * u for part in parts]
    low, high = functools.reduce(ew.minimum, each), functools.reduce(ew.maximum, each)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        below = cdf(middle) < u
        low, high = ew.where(below, middle, low), ew.where(below, high, middle)
    for weight, part in zip(weights, parts, strict=True):
        if isinstance(part, Point):
            # Bisection only comes near a point of the mixture; its draws are to be exact.
            top = cdf(part.value + 0.0 * u)
            high = ew.where((u > top - weight) & (u <= top), part.value, high)
    return high


@dataclass(frozen=True)
class Point:
    """A belief that is certain of one value."""

    value: float

    def quantile(self, z: Any) -> Any:  # noqa: ARG002
        """Return the value, whatever the score."""
        return self.value

    def percentile(self, p: float) -> float:  # noqa: ARG002
        """Return the value."""
        return self.value

    def cdf(self, x: Any) -> Any:
        """Return the step at the value."""
        return ew.where(x >= self.value, 1.0, 0.0)

    @property
    def mean(self) -> float:
        """The value."""
        return self.value


@dataclass(frozen=True)
class Distribution:
    """A member of a family, cut at ``lower`` and ``upper`` where those lie inside it."""

    family: Family
    parameters: tuple[float, ...]
    lower: float = -math.inf
    upper: float = math.inf
    integer: bool = False

    @property
    def truncated(self) -> bool:
        """Whether the cut takes anything away."""
        low, high = self.ends
        return low > 0.0 or high < 1.0

    @cached_property
    def ends(self) -> tuple[float, float]:
        """The untruncated cdf at the two cuts."""
        return self._raw_cdf(self.lower) if self.lower > self.family.lower else 0.0, (
            self._raw_cdf(self.upper) if self.upper < self.family.upper else 1.0
        )

    @np.errstate(all="ignore")
    def _raw_cdf(self, x: Any) -> Any:
        value = self.family.cdf(x, *self.parameters)
        return special.ndtr(value) if self.family.normal else value

    @property
    def member(self) -> Member:
        """The same without its rounding, in the form whose numbers may be variables."""
        cut = None
        if self.truncated:
            low, high = self.ends
            cut = (low, high, max(self.lower, self.family.lower), min(self.upper, self.family.upper))
        return Member(self.family, self.parameters, cut)

    @np.errstate(all="ignore")
    def quantile(self, z: Any) -> Any:
        """Return the value at the standard normal score z (at the level Φ(z))."""
        value = self.member.quantile(z)
        return ew.around(value) if self.integer else value

    def percentile(self, p: float) -> float:
        """Return the quantile at the level p, 0 < p < 1."""
        return float(self.quantile(special.ndtri(p)))

    @np.errstate(all="ignore")
    def cdf(self, x: Any) -> Any:
        """Return the probability of at most x."""
        return self.member.cdf(x)

    @cached_property
    def mean(self) -> float:
        """The mean: closed where it is, else by Gauss–Legendre quadrature in 32 panels.

        A lognormal's whose logarithm is wide lies where the quadrature does not look.
        """
        if self.family.name == "lognormal" and not self.truncated and not self.integer:
            mu, sigma = self.parameters
            exponent = mu + sigma**2 / 2
            return math.exp(exponent) if exponent < 709 else math.inf
        return _mean(self)


@dataclass(frozen=True)
class Mixture:
    """A weighted mixture of distributions and points."""

    weights: tuple[float, ...]
    parts: tuple[Distribution | Point, ...]
    integer: bool = False

    @cached_property
    def members(self) -> tuple[tuple[float, ...], tuple[Member | Point, ...]]:
        """Weights and parts, points of one value put together."""
        points: dict[float, float] = {}
        found: list[tuple[float, Member | Point]] = []
        for weight, part in zip(self.weights, self.parts, strict=True):
            if isinstance(part, Point):
                points[part.value] = points.get(part.value, 0.0) + weight
            else:
                found.append((weight, part.member))
        found += [(weight, Point(value)) for value, weight in points.items()]
        return tuple(w for w, _ in found), tuple(part for _, part in found)

    @np.errstate(all="ignore")
    def cdf(self, x: Any) -> Any:
        """Return the probability of at most x."""
        return sum(w * part.cdf(x) for w, part in zip(self.weights, self.parts, strict=True))

    @np.errstate(all="ignore")
    def quantile(self, z: Any) -> Any:
        """Return the value at the score z."""
        value = mixture_quantile(*self.members, z)
        return ew.around(value) if self.integer else value

    def percentile(self, p: float) -> float:
        """Return the quantile at the level p, 0 < p < 1."""
        return float(self.quantile(special.ndtri(p)))

    @cached_property
    def mean(self) -> float:
        """The weighted mean of the parts."""
        return float(sum(w * part.mean for w, part in zip(self.weights, self.parts, strict=True)))


Shape = Point | Distribution | Mixture


def _mean(distribution: Distribution) -> float:
    nodes, weights = np.polynomial.legendre.leggauss(32)
    # Panels in z: the integrand value(z)·φ(z) is smooth where value(u) has poles at 0 and 1.
    edges = np.linspace(-8.0, 8.0, 33)
    half = np.diff(edges)[:, None] / 2
    z = edges[:-1, None] + half * (nodes + 1.0)
    density = np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
    return float(np.sum(half * weights * density * distribution.quantile(z)))


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
