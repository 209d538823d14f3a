"""What is believed about a quantity or a yes-no question, and what that is worth once the answer is known.

A forecast of yes or no is a chance. One of a quantity is a normal or a lognormal where the belief is
one, else quantiles: the distribution is uniform between neighbours and, beyond the outermost, either
uniform up to a bound or exponential with the density of the nearest step. All scores are closed forms
of exactly that distribution (Gneiting & Raftery 2007, Strictly proper scoring rules, J Am Stat Assoc
102:359; the lognormal's CRPS: Baran & Lerch 2015, Q J R Meteorol Soc 141:2289).

Log scores are ln of the density or chance given to what happened: more is better. Brier scores and the
continuous ranked probability score (CRPS, in the quantity's unit) are losses: less is better.

A library for scores has no place here: scoringrules has the two families' closed forms, which are a line
each, and only an approximation of the CRPS where a forecast is quantiles; properscoring is not kept up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Protocol

import numpy as np
import numpy.typing as npt

from difprog.beliefs.forms import PERCENTILE

Array = npt.NDArray[np.float64]

#: Levels at which a forecast of no known family is kept: every per cent, and finer in both tails.
LEVELS = (
    0.001, 0.0025, 0.005, *(k / 100 for k in range(1, 100)), 0.995, 0.9975, 0.999,
)  # fmt: skip


class Predictive(Protocol):
    """A distribution of a quantity."""

    def cdf(self, y: float) -> float:
        """Return the chance of at most y, half of that of y itself left out."""

    def log_density(self, y: float) -> float | None:
        """Return ln of the density at y; None where y itself has a chance, and so no density."""

    def crps(self, y: float) -> float:
        """Return ∫ (F(x) − 1[x ≥ y])² dx, in the quantity's unit."""

    def quantile(self, level: float) -> float:
        """Return the quantile at a level in (0, 1)."""

    def content(self) -> dict[str, object]:
        """Return what `read` makes it of again."""


def _phi(z: float) -> float:
    """Return the standard normal cdf, to full relative precision in the lower tail."""
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def _score(level: float) -> float:
    from scipy import special

    return float(special.ndtri(level))


@dataclass(frozen=True)
class Normal:
    """A normal distribution."""

    mean: float
    sd: float

    def cdf(self, y: float) -> float:
        """Return the chance of at most y."""
        return _phi((y - self.mean) / self.sd)

    def log_density(self, y: float) -> float:
        """Return ln of the density at y."""
        z = (y - self.mean) / self.sd
        return -z * z / 2.0 - math.log(self.sd) - math.log(2.0 * math.pi) / 2.0

    def crps(self, y: float) -> float:
        """Return the CRPS: σ·(z·(2Φ(z) − 1) + 2φ(z) − 1/√π)."""
        z = (y - self.mean) / self.sd
        density = math.exp(-z * z / 2.0) / math.sqrt(2.0 * math.pi)
        return self.sd * (z * (2.0 * _phi(z) - 1.0) + 2.0 * density - 1.0 / math.sqrt(math.pi))

    def quantile(self, level: float) -> float:
        """Return the quantile at a level."""
        return self.mean + self.sd * _score(level)

    def content(self) -> dict[str, object]:
        """Return mean and standard deviation."""
        return {"normal": {"mean": self.mean, "sd": self.sd}}


@dataclass(frozen=True)
class Lognormal:
    """A lognormal distribution: ln y is normal with mean ``mu`` and standard deviation ``sigma``."""

    mu: float
    sigma: float

    def _z(self, y: float) -> float:
        return (math.log(y) - self.mu) / self.sigma if y > 0 else -math.inf

    def cdf(self, y: float) -> float:
        """Return the chance of at most y."""
        return _phi(self._z(y))

    def log_density(self, y: float) -> float:
        """Return ln of the density at y."""
        if y <= 0:
            return -math.inf
        z = self._z(y)
        return -z * z / 2.0 - math.log(self.sigma * y) - math.log(2.0 * math.pi) / 2.0

    def crps(self, y: float) -> float:
        """Return the CRPS: y·(2Φ(z) − 1) − 2·mean·(Φ(z − σ) + Φ(σ/√2) − 1)."""
        exponent = self.mu + self.sigma**2 / 2.0
        if exponent > 700:  # so wide that its mean is beyond any number
            return math.inf
        z, mean = self._z(y), math.exp(exponent)
        rest = _phi(z - self.sigma) - _phi(-self.sigma / math.sqrt(2.0))
        return y * (2.0 * _phi(z) - 1.0) - 2.0 * mean * rest

    def quantile(self, level: float) -> float:
        """Return the quantile at a level."""
        return math.exp(self.mu + self.sigma * _score(level))

    def content(self) -> dict[str, object]:
        """Return the mean and the standard deviation of the logarithm."""
        return {"lognormal": {"mu": self.mu, "sigma": self.sigma}}


@dataclass(frozen=True)
class Point:
    """A quantity of which one is certain, or says no more than one number."""

    value: float

    def cdf(self, y: float) -> float:
        """Return 0 below the value, ½ at it, 1 above."""
        return 0.5 * ((y >= self.value) + (y > self.value))

    def log_density(self, y: float) -> None:  # noqa: ARG002
        """Return None: a point has no density."""
        return

    def crps(self, y: float) -> float:
        """Return the absolute error, which the CRPS of a point is."""
        return abs(y - self.value)

    def quantile(self, level: float) -> float:  # noqa: ARG002
        """Return the value."""
        return self.value

    def content(self) -> dict[str, object]:
        """Return the value."""
        return {"value": self.value}


@dataclass(frozen=True)
class Quantiles:
    """A distribution by its quantiles.

    Attributes
    ----------
    levels, values : tuple of float
        Rising levels in (0, 1), at least two, and the quantiles at them; equal quantiles are a lump.
    lower, upper : float
        Bounds of the quantity; infinite where it has none.
    """

    levels: tuple[float, ...]
    values: tuple[float, ...]
    lower: float = -math.inf
    upper: float = math.inf

    @cached_property
    def _knots(self) -> tuple[Array, Array]:
        """The corners of the cdf: values and levels, with the bounds where there are any."""
        x, p = list(self.values), list(self.levels)
        if math.isfinite(self.lower):
            x, p = [self.lower, *x], [0.0, *p]
        if math.isfinite(self.upper):
            x, p = [*x, self.upper], [*p, 1.0]
        return np.asarray(x), np.asarray(p)

    @cached_property
    def _rates(self) -> tuple[float, float]:
        """Rates of the exponential tails below and above, where there is no bound."""
        x, p = np.asarray(self.values), np.asarray(self.levels)
        # Beside a lump no density is to be had from the next step: one over the whole width.
        first, last = (
            (p[k + 1] - p[k]) / (x[k + 1] - x[k]) if x[k + 1] > x[k] else 1.0 / (x[-1] - x[0])
            for k in (0, -2)
        )
        return float(first / p[0]), float(last / (1.0 - p[-1]))

    def cdf(self, y: float) -> float:
        """Return the chance of at most y, half of that of y itself left out."""
        x, p = self._knots
        if y < x[0]:
            return 0.0 if p[0] == 0 else float(p[0]) * math.exp(self._rates[0] * (y - float(x[0])))
        if y > x[-1]:
            rest = 1.0 - float(p[-1])
            return 1.0 - rest * math.exp(self._rates[1] * (float(x[-1]) - y)) if rest else 1.0
        same = np.flatnonzero(x == y)
        if same.size:
            return float(p[same[0]] + p[same[-1]]) / 2.0
        return float(np.interp(y, x, p))

    def log_density(self, y: float) -> float | None:
        """Return ln of the density at y; None at a lump."""
        x, p = self._knots
        if np.count_nonzero(x == y) > 1:
            return None
        if y < x[0]:
            rate = self._rates[0]
            return -math.inf if p[0] == 0 else math.log(rate * float(p[0])) + rate * (y - float(x[0]))
        if y > x[-1] or (y == x[-1] and p[-1] < 1):
            rest, rate = 1.0 - float(p[-1]), self._rates[1]
            return math.log(rate * rest) + rate * (float(x[-1]) - y) if rest else -math.inf
        k = min(int(np.searchsorted(x, y, side="right")), len(x) - 1)
        return math.log((p[k] - p[k - 1]) / (x[k] - x[k - 1]))

    def crps(self, y: float) -> float:
        """Return the CRPS: its integrand is a square of straight lines, and of exponentials in the tails."""
        x, p = self._knots
        at = self.cdf(y)
        if x[0] <= y <= x[-1]:
            place = int(np.searchsorted(x, y))
            x, p = np.insert(x, place, [y, y]), np.insert(p, place, self._beside(y))
        steps, low, high = np.diff(x), p[:-1], p[1:]
        above = x[:-1] >= y
        low, high = np.where(above, 1.0 - low, low), np.where(above, 1.0 - high, high)
        total = float(np.sum(steps * (low**2 + low * high + high**2)) / 3.0)
        first, last = float(p[0]), 1.0 - float(p[-1])
        if first > 0:
            total += _tail(first, self._rates[0], float(x[0]) - y, at)
        elif y < x[0]:
            total += float(x[0]) - y
        if last > 0:
            total += _tail(last, self._rates[1], y - float(x[-1]), 1.0 - at)
        elif y > x[-1]:
            total += y - float(x[-1])
        return total

    def _beside(self, y: float) -> list[float]:
        """Return the cdf just below y and at it."""
        x, p = self._knots
        same = np.flatnonzero(x == y)
        if same.size:
            return [float(p[same[0]]), float(p[same[-1]])]
        return [float(np.interp(y, x, p))] * 2

    def quantile(self, level: float) -> float:
        """Return the quantile at a level."""
        x, p = self._knots
        if level < p[0]:
            return float(x[0]) + math.log(level / float(p[0])) / self._rates[0]
        if level > p[-1]:
            return float(x[-1]) - math.log((1.0 - level) / (1.0 - float(p[-1]))) / self._rates[1]
        return float(np.interp(level, p, x))

    def content(self) -> dict[str, object]:
        """Return the quantiles by their names, and the bounds that there are."""
        found: dict[str, object] = {
            "quantiles": {percentile(p): v for p, v in zip(self.levels, self.values, strict=True)}
        }
        if math.isfinite(self.lower):
            found["lower"] = self.lower
        if math.isfinite(self.upper):
            found["upper"] = self.upper
        return found


def _tail(mass: float, rate: float, beyond: float, at: float) -> float:
    """Return the part of a CRPS that an exponential tail adds.

    Parameters
    ----------
    mass, rate : float
        The tail's chance and rate.
    beyond : float
        How far into the tail the outcome lies; not above 0 where it lies elsewhere.
    at : float
        The chance of what lies beyond the outcome.
    """
    if beyond <= 0:
        return mass**2 / (2.0 * rate)
    between = beyond - 2.0 * (mass - at) / rate + (mass**2 - at**2) / (2.0 * rate)
    return at**2 / (2.0 * rate) + between


def percentile(level: float) -> str:
    """Return a level as belief files write it: "p5", "p0_25"."""
    return f"p{100 * level:.6g}".replace(".", "_")


def level_of(name: str) -> float | None:
    """Return the level that a name such as "p2_5" means, None where it means none."""
    found = PERCENTILE.fullmatch(name)
    level = round(float(f"{found[1]}.{found[2] or 0}") / 100.0, 10) if found else 0.0
    return level if 0 < level < 1 else None


def from_quantiles(
    levels: tuple[float, ...], values: tuple[float, ...], lower: float = -math.inf, upper: float = math.inf
) -> Predictive:
    """Return the distribution of some quantiles; a point where they are all the same.

    Raises
    ------
    ValueError
        Where they are fewer than two, do not rise, or lie beyond the bounds.
    """
    if len(levels) < 2 or any(b <= a for a, b in pairwise(levels)):
        raise ValueError("needs two quantiles or more, at rising levels")
    if not all(map(math.isfinite, values)) or any(b < a for a, b in pairwise(values)):
        raise ValueError("has quantiles that do not rise")
    if not lower <= values[0] or not values[-1] <= upper:
        raise ValueError("has quantiles beyond its bounds")
    if values[0] == values[-1]:
        return Point(values[0])
    return Quantiles(levels, values, lower, upper)


def read(content: object) -> Predictive | float:
    """Return what a line of the log says is believed: a distribution, or a chance.

    Keys that are not known are passed by: a later version may say more.

    Raises
    ------
    ValueError
        Where it is neither; the message says why.
    """
    if not isinstance(content, Mapping):
        raise ValueError("holds no forecast")
    if "chance" in content:
        chance = _number(content["chance"])
        if not 0 <= chance <= 1:
            raise ValueError("has a chance outside 0 to 1")
        return chance
    if "value" in content:
        return Point(_number(content["value"]))
    if isinstance(form := content.get("normal"), Mapping):
        return Normal(_number(form.get("mean")), _positive(form.get("sd")))
    if isinstance(form := content.get("lognormal"), Mapping):
        return Lognormal(_number(form.get("mu")), _positive(form.get("sigma")))
    if isinstance(form := content.get("quantiles"), Mapping):
        found = sorted((level, _number(form[n])) for n in form if (level := level_of(str(n))) is not None)
        levels, values = tuple(level for level, _ in found), tuple(v for _, v in found)
        bounds = _number(content.get("lower", -math.inf), True), _number(content.get("upper", math.inf), True)
        return from_quantiles(levels, values, *bounds)
    raise ValueError("holds no forecast that this version knows")


def _number(value: object, infinite: bool = False) -> float:
    try:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError
        number = float(value)
    except (ValueError, OverflowError):
        raise ValueError("holds what is no number") from None
    if not (infinite or math.isfinite(number)):
        raise ValueError("holds what is no number")
    return number


def _positive(value: object) -> float:
    number = _number(value)
    if number <= 0:
        raise ValueError("has a spread that is not above 0")
    return number


def content(said: Predictive | float) -> dict[str, object]:
    """Return what `read` makes a forecast of again."""
    return {"chance": said} if isinstance(said, float) else said.content()


def brier(chance: float, happened: bool) -> float:
    """Return (chance − outcome)²."""
    return (chance - happened) ** 2


def log_score(chance: float, happened: bool) -> float:
    """Return ln of the chance given to what happened."""
    given = chance if happened else 1.0 - chance
    return math.log(given) if given > 0 else -math.inf
