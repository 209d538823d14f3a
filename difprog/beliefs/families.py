"""Families of distributions: quantile, cdf and the natural scale in which percentiles are fitted.

Shapes: levels, scores and values are scalars, arrays or PyTensor variables, elementwise: quantiles and
cdfs are written once for all three (`difprog.beliefs.elementwise`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from difprog.beliefs import elementwise as ew

Array = npt.NDArray[np.float64]


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

#: Families whose two ends are `bounds`, not a truncation.
BOUNDED_BY_ENDS = ("pert", "triangular")
