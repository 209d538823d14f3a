"""Reviewers' intervals on one effect of a proposal → their pool.

On the effect's natural scale (log where every interval is positive, logit for a chance, else as
it is) reviewer j states a middle l_j and a width w_j. With θ the effect,

    l_j ~ N( θ + √r·k₀·w·e₀ , (1 − r)·k_j²·w_j² + (β·w)² + (ρ·w_j)² )

k_j is how overconfident the reviewer is, k₀ how overconfident all of them are together, w the
typical width, β the size of the reviewers' biases in units of w, r the share of their errors that
all have in common, e₀ ~ N(0, 1), and ρ how roundly people state a middle: without it the exact
agreement of six reviewers would make the posterior improper. Reviewers read the same papers, and
at a correlation r no number of them is worth more than 1/r independent ones (Clemen & Winkler
1985, Operations Research 33:427). So one reviewer's interval is widened, agreement narrows the
pool by less than one over the square root of their number, and contradiction widens it.

`build` is the likelihood in PyMC. `pool` has the same posterior without a sampler: k_j is summed
out by quadrature for each reviewer, and the three numbers that are left by importance sampling
over a fixed low-discrepancy sequence, deterministic and below a second. Imports pymc only in
`build`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from difprog.base.errors import DiagnosticsFailed
from difprog.beliefs.beliefs import Belief
from difprog.beliefs.families import FAMILIES, FitError, Point, Shape, fit
from difprog.beliefs.project import Project, Review
from difprog.evidence.posterior import Posterior
from difprog.race.parameters import PARAMETERS, SHARE

Array = npt.NDArray[np.float64]

#: Overconfidence: 90% intervals hold the truth about half of the time (Moore, Tenney & Haran 2015,
#: Overprecision in Judgment), a factor of 2.4; reviewers know their field, so the median is lower.
#: A judgement: 1 and 2.6 are the ends of its 80% interval.
OVERCONFIDENCE, OVERCONFIDENCE_SPREAD = 1.6, 0.4
#: Bias in units of the typical width: half-t, so that reviewers who contradict each other can be.
BIAS, BIAS_TAILS = 0.5, 4.0
#: Beta prior of the share of error that reviewers have in common.
COMMON = 2.0
#: People state round numbers: the error of a middle from that alone, in its reviewer's width.
ROUNDING = 0.1
#: θ is vague: its prior sd is this many times the reviewers' widths and distances together.
VAGUE = 10.0

#: Draws kept, as many as a dataset's.
KEPT = 8000
#: Points of the low-discrepancy sequence for the shape of the posterior, then for its draws, and
#: the most that are tried.
FIRST_POINTS, POINTS, MOST_POINTS = 1 << 13, 1 << 14, 1 << 18
#: Effective draws below which a pool is refused: the threshold of every other fit.
LEAST = 400.0
#: Effective draws that a shape is fitted to, by tempered weights where there are fewer, and how
#: often it is before more points are taken.
ROUGH, ROUNDS = 200.0, 3
#: Share of the proposals that are made given the reviewers' bias and common error.
GIVEN = 0.6
#: Quadrature over overconfidence.
_NODES, _MASS = special.roots_hermitenorm(15)
_MASS = _MASS / _MASS.sum()
#: Degrees of freedom of the proposals, and how much wider than the posterior they are.
TAILS, WIDER = 5, 1.2
#: Effective draws below which more points are tried.
ENOUGH = 4000.0
#: Levels at which reviewers and pool are listed.
LEVELS = (0.05, 0.1, 0.5, 0.9, 0.95)


class Interval(NamedTuple):
    """What a reviewer says, on the scale that the pool is made on."""

    middle: float
    width: float


class Pool(NamedTuple):
    """The pool of one effect."""

    scale: str
    """"log", "logit" or "plain"."""
    draws: Array
    """Draws of the effect in its unit, shape (kept,), in random order."""
    effective: float
    """Effective number of those draws."""


_TO = {"log": np.log, "logit": special.logit, "plain": lambda x: x}
_FROM = {"log": np.exp, "logit": special.expit, "plain": lambda x: x}


def scale_of(name: str, beliefs: Sequence[Belief]) -> str:
    """Return the scale on which reviewers of an effect are pooled."""
    if PARAMETERS[name].support is SHARE:
        return "logit"
    low = min(float(b.shape.percentile(0.01)) for b in beliefs)
    return "log" if low > 0 else "plain"


def interval(belief: Belief, scale: str) -> Interval:
    """Return a reviewer's median and standard deviation on a scale, from the 16th to the 84th percentile."""
    low, middle, high = (float(_TO[scale](belief.shape.quantile(z))) for z in (-1.0, 0.0, 1.0))
    return Interval(middle, max((high - low) / 2.0, 1e-9))


def vague(intervals: Sequence[Interval]) -> tuple[float, float, float]:
    """Return (centre, scale) of the prior of θ, and the typical width w."""
    middles = np.asarray([i.middle for i in intervals])
    width = float(np.median([i.width for i in intervals]))
    return float(np.median(middles)), VAGUE * (width + float(np.ptp(middles))), width


def build(intervals: Sequence[Interval], centre: float, spread: float, width: float) -> Any:
    """Return the likelihood of one effect's reviews, a pymc.Model.

    Parameters
    ----------
    intervals : sequence of Interval
        One per reviewer.
    centre, spread : float
        Of the prior of θ.
    width : float
        The unit of bias.
    """
    import pymc as pm
    import pytensor.tensor as pt

    widths = np.asarray([i.width for i in intervals])
    with pm.Model() as model:
        shared = pm.Normal("shared")
        together = OVERCONFIDENCE * pt.exp(OVERCONFIDENCE_SPREAD * pm.Normal("together_score"))
        common = pm.Beta("common", COMMON, COMMON)
        bias = pm.HalfStudentT("bias", nu=BIAS_TAILS, sigma=BIAS)
        score = pm.Normal("overconfidence_score", shape=len(intervals))
        k = OVERCONFIDENCE * pt.exp(OVERCONFIDENCE_SPREAD * score)
        # What the intervals pin is θ plus what all reviewers have wrong together.
        wrong = pt.sqrt(common) * together * width * shared
        pinned = pm.Normal("pinned", centre + wrong, spread)
        pm.Deterministic("theta", pinned - wrong)
        pm.Normal(
            "middles",
            pinned,
            pt.sqrt((1.0 - common) * (k * widths) ** 2 + (bias * width) ** 2 + (ROUNDING * widths) ** 2),
            observed=pm.Data("middles_data", np.asarray([i.middle for i in intervals])),
        )
    return model


def pool(intervals: Sequence[Interval], seed: int = 1) -> tuple[Array, float]:
    """Return draws of θ given reviewers' intervals, and how many they are worth.

    Parameters
    ----------
    intervals : sequence of Interval
        In any order: they are sorted, so that permuting them changes nothing.
    seed : int
        Scrambles the sequence and the order of the draws.

    Returns
    -------
    draws : array, shape (KEPT,)
        Of θ, on the scale of the intervals.
    effective : float
        Kish's effective number of points.
    """
    intervals = sorted(intervals)
    fitted = _first(intervals, FIRST_POINTS, seed)
    points, rounds = POINTS, 0
    while True:
        x, weights = _second(intervals, fitted, points, seed)
        effective = float(1.0 / np.sum(weights**2))
        if effective >= ENOUGH or points >= MOST_POINTS:
            break
        # Widths far apart leave the first shape rough: each round fits it to the one before.
        fitted = _moments(x, _tempered(weights), vague(intervals)[2])
        rounds += 1
        points *= 1 if rounds % ROUNDS else 4
    rng = np.random.default_rng(seed)
    order = np.argsort(x[:, 2], kind="stable")
    at = (np.arange(KEPT) + rng.random()) / KEPT
    mass = np.cumsum(weights[order])
    chosen = x[order][np.minimum(np.searchsorted(mass / mass[-1], at), points - 1)]
    chosen = rng.permutation(chosen)
    return chosen[:, 2] - _common_error(chosen, vague(intervals)[2], rng), min(effective, float(KEPT))


def _common_error(x: Array, width: float, rng: np.random.Generator) -> Array:
    """Return what all reviewers have wrong together: no interval says anything of it but through r."""
    together = OVERCONFIDENCE * np.exp(OVERCONFIDENCE_SPREAD * rng.standard_normal(len(x)))
    return np.asarray(np.sqrt(special.expit(x[:, 0])) * together * width * rng.standard_normal(len(x)))


def _log_target(x: Array, intervals: Sequence[Interval]) -> Array:
    """Return the log posterior density at points, up to a constant, shape (points,).

    Columns of ``x``: logit r, ln β, and what the intervals pin, θ plus the common error. The
    reviewers' overconfidence is summed out by Gauss–Hermite quadrature.
    """
    centre, spread, width = vague(intervals)
    odds, log_bias, pinned = x.T
    bias = np.exp(log_bias)
    # θ ~ N(centre, spread²) and the common error together: its variance is (√r·k₀·w)².
    typical = special.expit(odds)[:, None] * (OVERCONFIDENCE * np.exp(OVERCONFIDENCE_SPREAD * _NODES)) ** 2
    variance = spread**2 + typical * width**2
    away = (pinned - centre)[:, None]
    density = (
        COMMON * (special.log_expit(odds) + special.log_expit(-odds))
        + log_bias - 0.5 * (BIAS_TAILS + 1.0) * np.log1p((bias / BIAS) ** 2 / BIAS_TAILS)
        + np.log(np.exp(-0.5 * away**2 / variance) / np.sqrt(variance) @ _MASS + 1e-300)
    )  # fmt: skip
    own = special.expit(-odds)[:, None] * (OVERCONFIDENCE * np.exp(OVERCONFIDENCE_SPREAD * _NODES)) ** 2
    floor = ((bias * width) ** 2)[:, None]
    for middle, wide in intervals:
        variance = own * wide**2 + floor + (ROUNDING * wide) ** 2
        distance = (middle - pinned)[:, None]
        density += np.log(np.exp(-0.5 * distance**2 / variance) / np.sqrt(variance) @ _MASS + 1e-300)
    return np.asarray(density)


def _first(intervals: Sequence[Interval], points: int, seed: int) -> tuple[Array, Array]:
    """Return mean and covariance of the posterior, roughly, by proposals from about the prior."""
    from scipy.stats import qmc

    middles = np.asarray([i.middle for i in intervals])
    _, spread, width = vague(intervals)
    u = np.clip(qmc.Sobol(4, scramble=True, rng=seed).random(points), 1e-12, 1 - 1e-12)
    # The bias heavier than its prior, and wider where the reviewers are far apart.
    apart = max(BIAS, float(np.std(middles)) / width)
    x = np.empty((points, 3))
    x[:, 0], x[:, 1] = special.logit(u[:, 0]), math.log(apart) + special.logit(u[:, 1])
    x[:, 2], proposed = _pinned(intervals, x, (float(np.mean(middles)), spread), u[:, 2], u[:, 3])
    proposed += np.log(u[:, 0] * (1 - u[:, 0]) * u[:, 1] * (1 - u[:, 1]))
    log_weight = _log_target(x, intervals) - proposed
    share = np.exp(log_weight - log_weight.max())
    return _moments(x, _tempered(share / share.sum()), width)


def _pinned(
    intervals: Sequence[Interval], x: Array, broad: tuple[float, float], level: Array, which: Array
) -> tuple[Array, Array]:
    """Propose what the intervals pin, given the common share and the bias in ``x``.

    It is as sharp as those two allow, so most proposals are made about the precision-weighted
    middle of the reviewers; the others at ``broad`` (centre, reach), for those who contradict
    each other.

    Returns
    -------
    pinned, log_density : array, shape (points,)
        The proposals, and their log density up to a constant.
    """
    middles, widths = (np.asarray(column) for column in zip(*intervals, strict=True))
    width = vague(intervals)[2]
    own = special.expit(-x[:, :1]) * (OVERCONFIDENCE * widths) ** 2
    precision = 1.0 / (own + (np.exp(x[:, 1:2]) * width) ** 2 + (ROUNDING * widths) ** 2)
    total = precision.sum(axis=1)
    sharp = precision @ middles / total, WIDER / np.sqrt(total)
    score = special.stdtrit(TAILS, level)
    pinned = np.where(which < GIVEN, sharp[0] + sharp[1] * score, broad[0] + broad[1] * score)

    def density(about: Any, reach: Any) -> Array:
        away = (pinned - about) / reach
        return np.asarray((1.0 + away**2 / TAILS) ** (-0.5 * (TAILS + 1)) / reach)

    return pinned, np.log(GIVEN * density(*sharp) + (1.0 - GIVEN) * density(*broad))


def _tempered(weights: Array) -> Array:
    """Return weights raised to the first of 1, ½, ¼ … at which they are worth `ROUGH` draws."""
    while 1.0 / np.sum(weights**2) < ROUGH:
        weights = np.sqrt(weights)
        weights /= weights.sum()
    return weights


def _moments(x: Array, share: Array, width: float) -> tuple[Array, Array]:
    """Return mean and covariance of weighted points, the covariance kept from collapsing."""
    mean = share @ x
    cov = (x - mean).T @ ((x - mean) * share[:, None])
    return mean, cov + np.diag(1e-6 * np.asarray([1.0, 1.0, width**2]))


def _second(
    intervals: Sequence[Interval], fitted: tuple[Array, Array], points: int, seed: int
) -> tuple[Array, Array]:
    """Return importance-weighted points, by proposals of about the posterior's own shape."""
    from scipy.stats import qmc

    mean, cov = fitted
    u = np.clip(qmc.Sobol(5, scramble=True, rng=seed + 1).random(points), 1e-12, 1 - 1e-12)
    chi2 = 2.0 * special.gammaincinv(TAILS / 2.0, u[:, 3])
    z = special.ndtri(u[:, :2]) / np.sqrt(chi2 / TAILS)[:, None]
    x = np.empty((points, 3))
    # Beyond e^±30 nothing has weight, and exponentials overflow.
    x[:, :2] = np.clip(mean[:2] + WIDER * z @ np.linalg.cholesky(cov[:2, :2]).T, -30.0, 30.0)
    broad = float(mean[2]), WIDER * math.sqrt(cov[2, 2])
    x[:, 2], proposed = _pinned(intervals, x, broad, u[:, 2], u[:, 4])
    proposed -= 0.5 * (TAILS + 2) * np.log1p(np.sum(z**2, axis=1) / TAILS)
    log_weight = _log_target(x, intervals) - proposed
    weights = np.exp(log_weight - log_weight.max())
    return x, weights / weights.sum()


def reviewed(reviews: Sequence[Review]) -> dict[str, list[tuple[str, Belief]]]:
    """Return effect → (reviewer, belief) of those who reviewed it, in a fixed order."""
    found: dict[str, list[tuple[str, Belief]]] = {}
    for review in sorted(reviews, key=lambda r: r.reviewer):
        for name, belief in review.effects.items():
            found.setdefault(name, []).append((review.reviewer, belief))
    return {name: found[name] for name in sorted(found)}


def pools(project: Project, reads: Sequence[str]) -> dict[str, Pool]:
    """Return the pool of every reviewed effect that a model reads.

    Raises
    ------
    DiagnosticsFailed
        Where a pool is worth fewer than `LEAST` draws: then it is not trusted.
    """
    found = {}
    for name, stated in reviewed(project.reviews).items():
        if name in reads:
            scale = scale_of(name, [b for _, b in stated])
            theta, effective = _pool(tuple(sorted(interval(b, scale) for _, b in stated)), _seed(name))
            if effective < LEAST:
                raise DiagnosticsFailed(
                    f"the reviews of {name} in {project.source.label} cannot be pooled: their pool is "
                    f"worth {effective:.0f} draws, fewer than {LEAST:.0f}; state {name} outright"
                )
            found[name] = Pool(scale, np.asarray(_FROM[scale](theta), dtype=float), effective)
    return found


def _seed(name: str) -> int:
    """Return a seed of the effect's own: the pools of two effects are independent."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest(), "little")


@lru_cache(maxsize=64)
def _pool(intervals: tuple[Interval, ...], seed: int) -> tuple[Array, float]:
    return pool(intervals, seed)


def posterior(project: Project, name: str, result: Pool) -> Posterior:
    """Return a pool in the form in which scoring uses it, with each reviewer's quantiles beside it."""
    stated = reviewed(project.reviews)[name]
    rows = [
        {"reviewer": who, **{f"p{100 * p:g}": float(b.shape.percentile(p)) for p in LEVELS}}
        for who, b in stated
    ]
    diagnostics = {
        "dataset": f"reviews of {name}", "effect": name, "scale": result.scale, "reviews": rows,
        "pool": {f"p{100 * p:g}": float(np.quantile(result.draws, p)) for p in LEVELS},
        "effective": result.effective, "failures": [],
    }  # fmt: skip
    digest = hashlib.blake2b(result.draws.tobytes(), digest_size=16).hexdigest()
    return Posterior({name: result.draws}, {}, {name: "reviews"}, diagnostics, digest)


def beliefs(project: Project, found: Mapping[str, Pool]) -> dict[str, Belief]:
    """Return beliefs that stand for the pools: tagged "reviews", shaped like the draws."""
    return {
        name: Belief(
            name, shape_of(name, result), layer=project.source.label, evidence="reviews",
            source=f"pool of {_count(sum(name in r.effects for r in project.reviews))} in the proposal",
        )
        for name, result in found.items()
    }  # fmt: skip


def _count(number: int) -> str:
    return "1 review" if number == 1 else f"{number} reviews"


def shape_of(name: str, result: Pool) -> Shape:
    """Return a distribution like the draws, for whatever asks a belief for its shape."""
    family = FAMILIES[{"log": "lognormal", "logit": "logitnormal", "plain": "normal"}[result.scale]]
    support = PARAMETERS[name].support
    low, high = (float(np.quantile(result.draws, p)) for p in (0.05, 0.95))
    try:
        return fit(family, {0.05: low, 0.95: high}, (support.lower, support.upper))
    except FitError:
        return Point(float(np.median(result.draws)))
