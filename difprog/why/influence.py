"""Leave one source out: how far the pooled timeline, and a project's effect, rest on each.

The likelihood is compiled once; a source is left out by giving its quantiles an error so large
that they say nothing. Imports pymc through `difprog.evidence.compiled`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import special

from difprog.beliefs.distributions import Shape
from difprog.beliefs.project import Project
from difprog.evidence import Case, compilation, timelines
from difprog.evidence.compiled import Compiled
from difprog.evidence.posterior import Posterior, Predictive
from difprog.forecast.conditioning import question_of
from difprog.forecast.forecast import DEFAULT_DRAWS, DEFAULT_PROB, DEFAULT_SEED, mix
from difprog.forecast.sampling import draw
from difprog.forecast.setup import Setup
from difprog.forecast.summary import Summary

#: Chains, and draws, adaptation and thinning per chain. Shorter than a fit that is kept: what is
#: wanted is how far a quantile moves, not its third digit.
CHAINS, DRAWS, TUNE, THIN = 2, 1000, 500, 1
LEVELS = (0.1, 0.5, 0.9)
GRID, BATCHES = 64, 20

Tick = Callable[[int, int], None]


def left_out(
    shapes: Mapping[str, Shape], as_of: float, seed: int = 1, tick: Tick | None = None
) -> dict[str, Predictive]:
    """Return the pooled timeline with nothing left out (""), and without each source.

    Parameters
    ----------
    shapes : mapping of str to Shape
        The belief about AGI's arrival as stated.
    as_of : float
        Decimal year.
    seed : int
        Of the chains: the same for every source, so that what differs is the source.
    tick : callable, optional
        Told how many fits are done, of how many.
    """
    compilation.keep()
    case = Case(timelines.read(), shapes, as_of)
    compiled = Compiled(timelines.build(case), target_accept=0.95)
    found = {}
    names = ("", *case.data.sources)
    for i, source in enumerate(names):
        mask = [float(case.data.sources[j] == source) for j in case.data.source]
        compiled.observe(ignored_data=np.asarray(mask))
        chains = [
            compiled.run(draws=DRAWS, tune=TUNE, thin=THIN, seed=seed * 1000 + c)[0] for c in range(CHAINS)
        ]
        draws = {
            n: np.concatenate([chain[n] for chain in chains])
            for n in ("middle", "between", "within", "differences")
        }
        found[source] = timelines.used(draws, case, np.random.default_rng(seed))[1]["agi_arrival"]
        if tick is not None:
            tick(i + 1, len(names))
    return found


def quantiles(pooled: Predictive) -> dict[str, float]:
    """Return the pooled 10th, 50th and 90th percentile, years from ``as_of``.

    Returns
    -------
    dict
        ``p10``, ``p50``, ``p90`` and ``p50_error``, the Monte Carlo standard error of the median's log
        over batches of the draws.
    """
    size = len(pooled.location)
    # Each draw's distribution by a grid of its quantiles: no error from drawing within it.
    z = special.ndtri((np.arange(GRID) + 0.5) / GRID)
    draws = pooled.sample(np.repeat(np.arange(size), GRID), np.tile(z, size)).reshape(size, GRID)
    values = {f"p{100 * p:g}": float(np.quantile(draws, p)) for p in LEVELS}
    batches = [math.log(float(np.median(b))) for b in np.array_split(draws, BATCHES)]
    return {**values, "p50_error": float(np.std(batches, ddof=1) / math.sqrt(BATCHES))}


def effects(
    project: Project, setup: Setup, pooled: Mapping[str, Predictive], count: int = DEFAULT_DRAWS
) -> dict[str, Summary]:
    """Return the ensemble's net effect of a project under each timeline, on the same worlds."""
    question, _ = question_of(project, setup)
    credences = [setup.credences[view.model.name] for view in question.views]
    found = {}
    for source, predictive in pooled.items():
        views = tuple(replace(view, posterior=_with(view.posterior, predictive)) for view in question.views)
        draws = draw(replace(question, views=views), count, DEFAULT_SEED)
        found[source] = mix(draws, credences, DEFAULT_PROB)["net_effect"]
    return found


def _with(posterior: Posterior | None, arrival: Predictive) -> Posterior | None:
    """Return a posterior with another timeline, of as many draws as both have."""
    if posterior is None or "agi_arrival" not in posterior.predictive:
        return posterior
    size = min(posterior.size, len(arrival.location))
    every = {**posterior.predictive, "agi_arrival": arrival}
    return replace(
        posterior,
        draws={n: v[:size] for n, v in posterior.draws.items()},
        predictive={
            n: p._replace(location=p.location[:size], scale=p.scale[:size]) for n, p in every.items()
        },
        key=f"{posterior.key} {hash((arrival.location.tobytes(), arrival.scale.tobytes()))}",
    )


def table(pooled: Mapping[str, Predictive], net: Mapping[str, Summary] | None) -> list[dict[str, Any]]:
    """Return one row per source, the first with nothing left out, as plain numbers."""
    return [
        {
            "without": source,
            **quantiles(predictive),
            **({} if net is None else {"net_effect": net[source].mean, "net_effect_error": net[source].mcse}),
        }
        for source, predictive in pooled.items()
    ]
