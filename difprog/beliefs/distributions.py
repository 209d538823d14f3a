"""Distributions: members of families, mixtures of them and points, with their quantiles.

Draws are quantiles of standard normal scores z, so that a belief keeps its stream of randomness
whatever its family is, and beliefs correlate by correlating their scores.

Shapes: z and values are scalars, arrays or PyTensor variables, elementwise.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from scipy import special

from difprog.beliefs import elementwise as ew
from difprog.beliefs.families import Family

#: The largest level below 1: a score past 8.3 must not become an infinite draw.
_BELOW_ONE = 1.0 - 2.0**-53

#: Halvings of the interval in which a quantile of a mixture lies.
_HALVINGS = 64


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


def mixture_quantile(weights: Sequence[Any], parts: Sequence[Member | Point], z: Any) -> Any:
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
