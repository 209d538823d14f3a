"""Published quantiles of when AGI arrives → the distribution of one more forecaster.

Forecaster i says at date d that target k comes with chance q within so many years:

    ln years ~ N( m_i + drift·(d − d*) + offset_k + z_q·s_i,  σ² )
    m_i ~ N(μ, τ²),   ln s_i ~ N(ln s̄, κ²)

d* is the date of the newest forecast. Medians have come closer from year to year within every
source that spoke twice, so forecasts of different dates are exchangeable only given a drift.
Targets are not the same event: offsets are relative to AGI, and have the sign that the
definitions imply (an automated coder before it, superintelligence and the automation of the
last occupation after it). Quantiles of one source are one distribution, not independent
observations: s_i and m_i carry what they share and σ is only how badly a lognormal fits them.

A published date is often less than a number, which the table's column ``censored`` says. With y the
ln years that the normal law above is for, the likelihood is

    exact (empty)   density of y
    ``year``        chance that y lies between the first and the last moment of the year
    ``above``       chance that y is beyond what is stated ("later than 2050")

Reading a whole year as its middle would be wrong by a factor of 1.7 for one that begins in half a
year, three times what the misfit allows for.

What is used is a new exchangeable forecaster who speaks at d*, cut at ``as_of``. The prior is
the stated belief: median and log variance of the new forecaster's date are the belief's, the
variance being split between μ, τ and s (`SHARES`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from difprog.beliefs.distributions import Shape
from difprog.evidence import Case, tables
from difprog.evidence.posterior import Predictive

Array = npt.NDArray[np.float64]

BELIEFS = ("agi_arrival",)
STATED = ("middle", "between", "within")
#: The log of the pooled median, whose sensitivity to prior and data is reported.
CENTRE = "middle"
TITLE = "published forecasts of when AGI arrives"
NOTE = "what is used is one more exchangeable forecaster, speaking at the newest forecast's date"
DATED = True

#: How the stated log variance is split: where opinion lies, forecasters' differences, and each
#: one's own uncertainty, which is the largest in every published forecast.
SHARES = {"middle": 0.35, "between": 0.15, "within": 0.5}
WITHIN_SPREAD, WITHIN_DIFFERENCES = 0.4, 0.3
#: Drift of ln years per year: a trend of 20% a year either way is one sd.
DRIFT = 0.2
#: How badly a lognormal fits a source's quantiles: 20% of the years.
MISFIT = 0.2

#: Error, in ln years, of a quantile that is left out.
NOTHING = 1e4

#: Years that a statement spans, by what the table's column ``censored`` says.
WIDTHS = {"": 0.0, "year": 1.0, "above": math.inf}
#: Fewest years ahead: the first moment of the year in which a forecaster speaks is past.
SOONEST = 1e-3

#: Log offsets from AGI: sign (0 for either) and scale.
OFFSETS = {"ASI": (1, 0.5), "FAOL": (1, 1.0), "TAI": (0, 0.3), "coder": (-1, 0.5), "horizon": (-1, 1.0)}


class Data(NamedTuple):
    """One entry per published quantile."""

    logs: Array
    """Natural log of the years from the forecast's date to the date stated: to the first moment of a whole
    year, to the bound where the forecaster says "later than"."""
    widths: Array
    """Years that the statement spans: 0 for a date, 1 for a whole year, infinite for "later than"."""
    z: Array
    """Standard normal score of the quantile's level."""
    dates: Array
    """Decimal year in which the forecaster spoke."""
    source: npt.NDArray[np.intp]
    """Index into ``sources``."""
    targets: tuple[str, ...]
    sources: tuple[str, ...]

    @property
    def newest(self) -> float:
        """The date of the newest forecast, decimal year."""
        return float(self.dates.max())

    def without(self, source: str) -> Data:
        """Return the data with one source left out."""
        keep = np.asarray([self.sources[i] != source for i in self.source])
        names = tuple(s for s in self.sources if s != source)
        return Data(
            self.logs[keep], self.widths[keep], self.z[keep], self.dates[keep],
            np.asarray([names.index(self.sources[i]) for i in self.source[keep]], dtype=np.intp),
            tuple(t for t, k in zip(self.targets, keep, strict=True) if k), names,
        )  # fmt: skip


def read() -> Data:
    """Return the quantiles that are used."""
    rows = tables.rows("timelines")
    sources = tuple(dict.fromkeys(r["source"] for r in rows))
    dates = np.asarray([float(r["date"]) for r in rows])
    years = np.asarray([float(r["year"]) for r in rows]) - dates
    return Data(
        np.log(np.maximum(years, SOONEST)), np.asarray([WIDTHS[r["censored"]] for r in rows]),
        special.ndtri([float(r["percentile"]) / 100.0 for r in rows]), dates,
        np.asarray([sources.index(r["source"]) for r in rows], dtype=np.intp),
        tuple(r["target"] for r in rows), sources,
    )  # fmt: skip


def spans(shape: Shape, shift: float) -> tuple[float, float]:
    """Return log median and log sd of a belief counted from ``shift`` years before ``as_of``."""
    low, median, high = (math.log(float(shape.quantile(z)) + max(shift, 0.0)) for z in (-1.2816, 0.0, 1.2816))
    return median, max((high - low) / (2 * 1.2816), 1e-3)


def build(case: Case) -> Any:
    """Return the likelihood over the stated belief, a pymc.Model.

    Parameters
    ----------
    case : Case
        The table and the beliefs as stated.
    """
    import pymc as pm
    import pytensor.tensor as pt

    data, shapes, as_of = case
    location, spread = spans(shapes["agi_arrival"], as_of - data.newest)
    # E s² over ln s̄ ~ N(., WITHIN_SPREAD²) and κ ~ HalfNormal(WITHIN_DIFFERENCES).
    inflation = math.exp(2 * WITHIN_SPREAD**2) / math.sqrt(1 - 4 * WITHIN_DIFFERENCES**2)
    typical = spread * math.sqrt(SHARES["within"] / inflation)
    targets = sorted({t for t in data.targets if t in OFFSETS})
    member = np.asarray([[float(t == k) for k in targets] for t in data.targets]).reshape(-1, len(targets))
    with pm.Model() as model:
        middle = pm.Normal("middle", location, spread * math.sqrt(SHARES["middle"]))
        between = pm.HalfNormal("between", spread * math.sqrt(SHARES["between"]))
        within = pm.LogNormal("within", math.log(typical), WITHIN_SPREAD)
        differences = pm.HalfNormal("differences", WITHIN_DIFFERENCES)
        drift = pm.Normal("drift", 0.0, DRIFT)
        misfit = pm.HalfNormal("misfit", MISFIT)
        # Centred: every source states a median, which pins its m. Widths are not: most state none.
        m = pm.Normal("m", middle, between, shape=len(data.sources))
        width = pm.Normal("width", 0.0, 1.0, shape=len(data.sources))
        s = within * pt.exp(differences * width)
        offsets = [_offset(target) for target in targets]
        mean = m[data.source] + drift * (data.dates - data.newest) + data.z * s[data.source]
        if offsets:
            mean = mean + pt.dot(member, pt.stack(offsets))
        # Rows at 1 are left out: with so large an error they say nothing.
        ignored = pm.Data("ignored_data", np.zeros(len(data.logs)))
        error = pt.switch(ignored > 0, NOTHING, misfit)
        pm.CustomDist(
            "logs", mean, error, data.dates, data.widths, data.logs,
            logp=log_chance, random=stated, observed=pm.Data("logs_data", data.logs),
        )  # fmt: skip
    return model


def log_chance(value: Any, mean: Any, error: Any, _dates: Any, widths: Any, bounds: Any) -> Any:
    """Return the log likelihood of statements, symbolic, shape (quantiles,).

    Parameters
    ----------
    value : tensor
        What was stated, as `Data.logs`.
    mean, error : tensor
        Of the ln years that the forecaster means.
    widths, bounds : tensor
        As in `Data`; `bounds` count only where a width is infinite.
    """
    import pymc as pm
    import pytensor.tensor as pt

    standard = pm.Normal.dist()
    whole = pt.gt(widths, 0) & ~pt.isinf(widths)
    # A forecaster who says "later than" would have named an earlier date: only simulations hold one.
    beyond = pt.isinf(widths) & pt.ge(value, bounds)
    first = (value - mean) / error
    last = (pt.log(pt.exp(value) + pt.switch(whole, widths, 1.0)) - mean) / error
    # By lower tails: a difference of two chances near 1 would be rounded away.
    flip = first > 0
    near, far = pt.switch(flip, -first, last), pt.switch(flip, -last, first)
    below = pm.logcdf(standard, near)
    within = below + pt.log1mexp(pt.minimum(pm.logcdf(standard, far) - below, -1e-12))
    dated = pm.logp(standard, first) - pt.log(error)
    return pt.switch(beyond, pm.logcdf(standard, -first), pt.switch(whole, within, dated))


def stated(
    mean: Array, error: Array, dates: Array, widths: Array, bounds: Array, rng: np.random.Generator, size: Any
) -> Array:
    """Return statements drawn from the likelihood, as `Data.logs`: what simulations are made of."""
    drawn = rng.normal(mean, error, size)
    logs = np.where(np.isinf(widths), np.minimum(drawn, bounds), drawn)
    first = np.floor(dates + np.exp(np.minimum(logs, 50.0))) - dates
    whole = np.isfinite(widths) & (widths > 0)
    return np.asarray(np.where(whole, np.log(np.maximum(first, SOONEST)), logs))


def _offset(target: str) -> Any:
    import pymc as pm

    sign, scale = OFFSETS[target]
    name = f"offset_{target}"
    return pm.Normal(name, 0.0, scale) if sign == 0 else sign * pm.HalfNormal(name, scale)


def used(
    draws: Mapping[str, Array], case: Case, rng: np.random.Generator
) -> tuple[dict[str, Array], dict[str, Predictive]]:
    """Return what scoring uses: a new forecaster's distribution for every draw."""
    middle, within = draws["middle"], draws["within"]
    location = middle + draws["between"] * rng.standard_normal(middle.shape)
    scale = within * np.exp(draws["differences"] * rng.standard_normal(middle.shape))
    return {}, {"agi_arrival": Predictive(location, scale, case.as_of - case.data.newest)}


def per_source(draws: Mapping[str, Array], data: Data) -> list[dict[str, Any]]:
    """Return each source's distribution, restated as a forecast of AGI made at the newest date.

    Returns
    -------
    list of dict
        ``source``, ``forecasts`` (number of quantiles), ``targets``, and calendar years ``p10``,
        ``p50``, ``p90`` at the posterior medians of m_i and ln s_i; ``stated`` holds the
        quantiles as published, [target, date, level, year], with ">" for a bound.
    """
    spread = draws["within"][..., None] * np.exp(draws["differences"][..., None] * draws["width"])
    m = np.median(draws["m"].reshape(-1, len(data.sources)), axis=0)
    s = np.median(spread.reshape(-1, len(data.sources)), axis=0)
    found = []
    for i, source in enumerate(data.sources):
        mine = np.flatnonzero(data.source == i)
        years = {
            f"p{100 * q:.0f}": float(data.newest + math.exp(m[i] + special.ndtri(q) * s[i]))
            for q in (0.1, 0.5, 0.9)
        }
        stated = [
            [
                data.targets[j], float(data.dates[j]), round(float(special.ndtr(data.z[j])), 4),
                round(float(data.dates[j] + math.exp(data.logs[j])), 2), bool(np.isinf(data.widths[j])),
            ]
            for j in mine
        ]  # fmt: skip
        found.append(
            {
                "source": source, "forecasts": len(mine),
                "targets": sorted({data.targets[j] for j in mine}), **years, "stated": stated,
            }
        )  # fmt: skip
    return found
