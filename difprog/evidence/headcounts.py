"""Headcounts by year → how many alignment researchers there are today, and how fast they grow.

    ln count_j(t) = ln N₀ + g·(t − as_of) + offset_j + error_j(t)

N₀ is full-time equivalents in technical safety research, the reference series; a series that
counts something else (people at core organisations) has a free offset, and one that counts the same
by another method a smaller one. So the counts of 2022 and 2025 by one author, who changed method
between them, are no measurement of growth: that comes from the series by year. Errors of one series
are correlated over neighbouring years, which count mostly the same people: Cov = σ²·exp(−|Δt|/ℓ).
With errors taken as independent the growth rate would be claimed to within a percent a year.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from difprog.evidence import Case, scores, tables

Array = npt.NDArray[np.float64]

BELIEFS = ("researchers", "researcher_growth")
STATED = ("researchers_score", "researcher_growth_score")
TITLE = "headcounts of alignment researchers by year"
NOTE = "researchers means full-time equivalents in technical safety research"
DATED = True

#: Series that count what N₀ means; Hilton's states its own error.
REFERENCE = ("technical FTE", "technical FTE, Hilton")
#: Log sd of the factor between counts of two things: a factor of 4 either way is the 95% range.
OFFSET = 0.7
#: The same between two methods of counting one thing: a factor of 2. A judgement.
METHODS = {"technical FTE, count of 2022": 0.35}
#: Prior median of σ is 20%, of the correlation time ℓ 3 years, each within a factor of 2.7: weakly
#: informative.
NOISE, NOISE_SPREAD, YEARS, YEARS_SPREAD = 0.2, 0.5, 3.0, 0.5


class Data(NamedTuple):
    """One entry per count."""

    logs: Array
    """Natural log of the count."""
    dates: Array
    """Decimal year."""
    series: tuple[str, ...]
    known: Array
    """Log sd that the publication itself states; 0 where it states none."""


def read() -> Data:
    """Return the counts that are used."""
    rows = tables.rows("headcounts")
    wide = 2 * 1.6448536269514722
    return Data(
        np.log([float(r["count"]) for r in rows]),
        np.asarray([float(r["date"]) for r in rows]),
        tuple(r["series"] for r in rows),
        np.asarray([math.log(float(r["high"]) / float(r["low"])) / wide if r["low"] else 0.0 for r in rows]),
    )


def offset_scales(series: Sequence[str]) -> Array:
    """Return the prior sd of each series' log offset from the reference, shape (series,)."""
    return np.asarray([METHODS.get(s, OFFSET) for s in series])


def build(case: Case, noise: tuple[float, float] | None = None) -> Any:
    """Return the likelihood over the stated beliefs, a pymc.Model.

    Parameters
    ----------
    case : Case
        The table and the beliefs as stated.
    noise : tuple of float, optional
        (σ, ℓ) where they are known; with normal beliefs the posterior then has a closed form.
    """
    import pymc as pm
    import pytensor.tensor as pt

    data, shapes, as_of = case
    apart = np.abs(data.dates[:, None] - data.dates[None, :])
    same = np.asarray([[float(a == b) for b in data.series] for a in data.series])
    others = sorted({s for s in data.series if s not in REFERENCE})
    member = np.asarray([[float(s == other) for other in others] for s in data.series])
    with pm.Model() as model:
        today = scores.prior("researchers", shapes["researchers"])
        growth = scores.prior("researcher_growth", shapes["researcher_growth"])
        if noise is None:
            spread = pm.LogNormal("noise", math.log(NOISE), NOISE_SPREAD)
            memory = pm.LogNormal("memory", math.log(YEARS), YEARS_SPREAD)
        else:
            spread, memory = noise
        mean = pt.log(today) + growth * (data.dates - as_of)
        if others:
            mean = mean + pt.dot(member, pm.Normal("offset", 0.0, offset_scales(others), shape=len(others)))
        cov = spread**2 * same * pt.exp(-apart / memory) + pt.diag(data.known**2 + 1e-8)
        pm.MvNormal("logs", mean, cov=cov, observed=pm.Data("logs_data", data.logs))
    return model
