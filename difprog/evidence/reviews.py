"""Reviewers' intervals on one effect of a proposal → their pool.

On the effect's natural scale (log where every interval is positive, logit for a chance, else as it
is) reviewer j states a middle l_j and a width w_j, one standard deviation. With k how overconfident
reviewers are, v_j = 1/(k·w_j)² and V = Σ v_j,

    centre    m = Σ v_j·l_j / V
    agreed    A = (1 − r)/V + r/max v_j
    dissent   D = max(0, Σ v_j·(l_j − m)² − (1 − r)·n) / V

and the pool is N(m, A + D), its k drawn from `OVERCONFIDENCE`. A is the variance of n equal reviewers
whose errors have correlation r: they read the same papers, so that no number of them is worth more
than 1/r independent ones (Clemen & Winkler 1985, Operations Research 33:427). What they share is at
most what the sharpest of them can have wrong. D is how much further apart they are than their own
errors would put them, and is not averaged away: where reviewers contradict each other, nobody knows
which is right.

A rule in closed form, and no hierarchical model fitted by sampling, because a pool must obey laws that
a posterior over biases and overconfidence breaks (ten who agree came out wider than two, and an
outlier that was far enough out was taken for noise). On one scale, for every level of the pool:

1. a reviewer who agrees (whose middle is m), sharp or vague, never widens it: V and max v_j grow,
   the sum does not, and n grows;
2. dissent that grows never narrows it: the sum is a quadratic in each l_j, least where l_j is the
   others' centre;
3. so a vaguer reviewer who agrees never widens it beyond what it was without;
4. the order of reviewers changes no bit.

They hold for each k, hence for the mixture. Needs neither pymc nor a sampler. Beside the pool stands
the linear one, the equal mixture of what the reviewers stated, for whoever wants no rule about how much
they know together.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from difprog.base.errors import BadInput, Problem
from difprog.beliefs.beliefs import Belief
from difprog.beliefs.distributions import Distribution, Mixture, Point, Shape
from difprog.beliefs.families import FAMILIES
from difprog.beliefs.fitting import FitError, fit
from difprog.beliefs.project import Project, Review
from difprog.evidence.posterior import Posterior
from difprog.models.model import Model
from difprog.race.parameters import SHARE, Parameter, Support

Array = npt.NDArray[np.float64]

#: Overconfidence: 90% intervals hold the truth about half of the time (Moore, Tenney & Haran 2015,
#: Overprecision in Judgment), a factor of 2.4; reviewers know their field, so the median is lower.
#: A judgement: 1 and 2.6 are the ends of its 80% interval.
OVERCONFIDENCE, OVERCONFIDENCE_SPREAD = 1.6, 0.4
#: Correlation of reviewers' errors. A judgement, between strangers and one voice: with it no number of
#: reviewers is worth more than two and a half independent ones.
COMMON = 0.4

#: Draws kept, as many as a dataset's.
KEPT = 8000
#: Middles and widths beyond this are none that anybody means, and their squares would overflow.
LARGEST = 1e100
#: A width of 0 stands for one too small to matter.
SMALLEST = 1e-9
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
    support: Support
    """Of the effect."""


_TO = {"log": np.log, "logit": special.logit, "plain": lambda x: x}
_FROM = {"log": np.exp, "logit": special.expit, "plain": lambda x: x}


def scale_of(effect: Parameter, beliefs: Sequence[Belief]) -> str:
    """Return the scale on which reviewers of an effect are pooled."""
    if effect.support is SHARE:
        return "logit"
    low = min(float(b.shape.percentile(0.01)) for b in beliefs)
    return "log" if low > 0 else "plain"


def interval(belief: Belief, scale: str) -> Interval:
    """Return a reviewer's median and standard deviation on a scale, from the 16th to the 84th percentile."""
    with np.errstate(all="ignore"):  # what is out of reach is refused by `pools`
        low, middle, high = (float(_TO[scale](belief.shape.quantile(z))) for z in (-1.0, 0.0, 1.0))
        return Interval(middle, max(high / 2.0 - low / 2.0, SMALLEST))


def spread(intervals: Sequence[Interval], overconfidence: Array) -> tuple[float, Array]:
    """Return the pool's centre, and its standard deviation given reviewers' overconfidence.

    Parameters
    ----------
    intervals : sequence of Interval
        Sorted, so that their order changes nothing.
    overconfidence : array
        k, the factor on every width.

    Returns
    -------
    centre : float
    deviation : array, shape of ``overconfidence``
    """
    middles, widths = (np.asarray(column) for column in zip(*intervals, strict=True))
    # In units of the sharpest width: no square overflows or vanishes.
    unit = widths.min()
    weights = (unit / widths) ** 2
    total = weights.sum()
    centre = middles[0] + float(weights @ (middles - middles[0]) / total)
    apart = float(weights @ ((middles - centre) / unit) ** 2)
    k = np.asarray(overconfidence) ** 2
    agreed = k * ((1.0 - COMMON) / total + COMMON)
    dissent = np.maximum(0.0, apart - k * (1.0 - COMMON) * len(middles)) / total
    return centre, unit * np.sqrt(agreed + dissent)


@lru_cache(maxsize=1)
def _points() -> tuple[Array, Array]:
    """Return standard normal scores, and overconfidence independent of them, each of shape (KEPT,)."""
    levels = special.ndtri((np.arange(KEPT) + 0.5) / KEPT)
    # A lattice: every stretch of the one holds all of the other.
    other = special.ndtri((np.arange(KEPT) * (math.sqrt(5) - 1) / 2 + 0.5 / KEPT) % 1.0)
    return levels, OVERCONFIDENCE * np.exp(OVERCONFIDENCE_SPREAD * other)


def pool(intervals: Sequence[Interval], seed: int = 1) -> Array:
    """Return draws of the pool of reviewers' intervals, on their scale, shape (KEPT,).

    Parameters
    ----------
    intervals : sequence of Interval
        In any order.
    seed : int
        Of the order of the draws, which are otherwise the same: as good as `KEPT` independent ones.
    """
    scores, overconfidence = _points()
    centre, deviation = spread(sorted(intervals), overconfidence)
    return np.random.default_rng(seed).permutation(centre + deviation * scores)


def reviewed(reviews: Sequence[Review]) -> dict[str, list[tuple[str, Belief]]]:
    """Return effect → (reviewer, belief) of those who reviewed it, in a fixed order."""
    found: dict[str, list[tuple[str, Belief]]] = {}
    for review in sorted(reviews, key=lambda r: r.reviewer):
        for name, belief in review.effects.items():
            found.setdefault(name, []).append((review.reviewer, belief))
    return {name: found[name] for name in sorted(found)}


def pools(project: Project, model: Model) -> dict[str, Pool]:
    """Return the pool of every reviewed effect that a model reads.

    Raises
    ------
    BadInput
        Where an interval is too large to be pooled.
    """
    found = {}
    for name, stated in reviewed(project.reviews).items():
        if name in model.reads:
            effect = model.vocabulary[name]
            scale = scale_of(effect, [b for _, b in stated])
            intervals = {who: interval(b, scale) for who, b in stated}
            _refuse_too_large(project, name, intervals)
            theta = _pool(tuple(sorted(intervals.values())), _seed(name))
            with np.errstate(over="ignore"):
                draws = np.asarray(_FROM[scale](theta), dtype=float)
            if not np.all(np.abs(draws) <= LARGEST):
                what = f"of {name} are too wide, or too far apart, to be pooled"
                raise BadInput(Problem(project.source.label, "reviews", what))
            found[name] = Pool(scale, draws, effect.support)
    return found


def _refuse_too_large(project: Project, name: str, intervals: Mapping[str, Interval]) -> None:
    problems = [
        Problem(
            project.source.label, f"reviews[{index}].{name}", "is too wide, or too far out, to be pooled",
            hint=f"an interval within ±{LARGEST:.0e}",
        )
        for index, review in enumerate(project.reviews)
        if review.reviewer in intervals and name in review.effects
        for one in [intervals[review.reviewer]]
        if not (abs(one.middle) <= LARGEST and one.width <= LARGEST)
    ]  # fmt: skip
    if problems:
        raise BadInput(*problems)


def _seed(name: str) -> int:
    """Return a seed of the effect's own: the pools of two effects are independent."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest(), "little")


@lru_cache(maxsize=64)
def _pool(intervals: tuple[Interval, ...], seed: int) -> Array:
    return pool(intervals, seed)


def linear(stated: Sequence[Belief]) -> Shape:
    """Return the linear pool, the equal mixture of what reviewers stated."""
    if len(stated) == 1:
        return stated[0].shape
    weights: list[float] = []
    parts: list[Distribution | Point] = []
    for belief in stated:
        shape = belief.shape
        each = (
            [*zip(shape.weights, shape.parts, strict=True)] if isinstance(shape, Mixture) else [(1.0, shape)]
        )
        weights += [weight / len(stated) for weight, _ in each]
        parts += [part for _, part in each]
    return Mixture(tuple(weights), tuple(parts))


def posterior(project: Project, name: str, result: Pool) -> Posterior:
    """Return a pool in the form in which scoring uses it, with each reviewer's quantiles beside it."""
    stated = reviewed(project.reviews)[name]
    rows = [
        {"reviewer": who, **{f"p{100 * p:g}": float(b.shape.percentile(p)) for p in LEVELS}}
        for who, b in stated
    ]
    mixed = linear([b for _, b in stated])
    diagnostics = {
        "dataset": f"reviews of {name}", "effect": name, "scale": result.scale, "reviews": rows,
        "pool": {f"p{100 * p:g}": float(np.quantile(result.draws, p)) for p in LEVELS},
        "linear_pool": {f"p{100 * p:g}": mixed.percentile(p) for p in LEVELS}, "failures": [],
    }  # fmt: skip
    digest = hashlib.blake2b(result.draws.tobytes(), digest_size=16).hexdigest()
    return Posterior({name: result.draws}, {}, {name: "reviews"}, diagnostics, digest)


def beliefs(project: Project, found: Mapping[str, Pool]) -> dict[str, Belief]:
    """Return beliefs that stand for the pools: tagged "reviews", shaped like the draws."""
    return {
        name: Belief(
            name, shape_of(result), layer=project.source.label, evidence="reviews",
            source=f"pool of {_count(sum(name in r.effects for r in project.reviews))} in the proposal",
        )
        for name, result in found.items()
    }  # fmt: skip


def _count(number: int) -> str:
    return "1 review" if number == 1 else f"{number} reviews"


def shape_of(result: Pool) -> Shape:
    """Return a distribution like the draws, for whatever asks a belief for its shape."""
    family = FAMILIES[{"log": "lognormal", "logit": "logitnormal", "plain": "normal"}[result.scale]]
    low, high = (float(np.quantile(result.draws, p)) for p in (0.05, 0.95))
    try:
        return fit(family, {0.05: low, 0.95: high}, (result.support.lower, result.support.upper))
    except FitError:
        return Point(float(np.median(result.draws)))
