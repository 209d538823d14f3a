"""Simulation-based calibration of the likelihoods (Talts et al. 2018, arXiv:1804.06788).

Draw parameters from the prior and data from them; the rank of each true parameter among draws
from its posterior is uniform if prior, likelihood and sampler agree. Uniformity is tested by the
largest distance of the ranks' empirical distribution from the diagonal, whose law under
uniformity is simulated: so is the band that holds the whole curve with the stated probability
(Säilynoja, Bürkner & Vehtari 2022, Statistics and Computing 32:32).

Chains start cold, at the parameters of another simulation: a chain that starts at the truth never has
to find it, and one that cannot leave the mode it starts in would pass.

simuk (0.3) does the same for any PyMC model, and is not used: for every simulation it makes a model
anew and `pymc.sample` compiles it anew, two to four times the cost of a fit here; it drops the
sampler's statistics, so that nobody sees divergences; and an error in a fit ends the simulations with
those done so far.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from difprog.base import files
from difprog.beliefs.beliefs import Layer, Stack
from difprog.beliefs.distributions import Shape
from difprog.beliefs.parse import read_layer
from difprog.evidence import DATASETS, Case, compilation, likelihood, tables
from difprog.evidence.compiled import Compiled
from difprog.evidence.fit import quiet

Array = npt.NDArray[np.float64]

#: Posterior draws per simulation, steps between them, and steps of adaptation before.
DRAWS, THIN, TUNE = 63, 3, 300
#: Simulated sets of uniform ranks for the test's null distribution.
NULL = 4000
#: A likelihood passes if its least p-value, times the number tested (Bonferroni), is above this.
LEVEL = 0.01
#: Probability with which the band holds the whole curve.
BAND = 0.95


def model_of(name: str) -> Any:
    """Return a likelihood as it ships: shipped priors, shipped table."""
    module = likelihood(name)
    day = _world().as_of or date(2026, 1, 1)
    return module.build(Case(module.read(), stated(name), tables.decimal_year(day)))


def stated(name: str) -> dict[str, Shape]:
    """Return a dataset's beliefs as they ship, the prior."""
    stack, shapes = Stack((_world(),)), {}
    for belief in likelihood(name).BELIEFS:
        found = stack.lookup(belief, {})
        assert found is not None
        shapes[belief] = found.shape
    return shapes


def _world() -> Layer:
    return read_layer(files.shipped("priors", "world.toml"))


def calibrate(
    name: str, simulations: int, seed: int = 1, tick: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """Calibrate one likelihood.

    Parameters
    ----------
    name : str
        A dataset.
    simulations : int
        How many; two at least, since each starts where another one's truth is.
    seed : int
        Of everything.
    tick : callable, optional
        Told how many are done, of how many.

    Returns
    -------
    dict
        ``likelihood``, ``simulations``, ``divergences`` (all simulations together), ``diverged`` (the
        share of simulations that had any), ``passed``, ``least`` (smallest p-value, times the number
        tested) and ``quantities``: name → ``p``,
        ``mean_rank`` (share; ½ if calibrated) and ``ranks``.
    """
    assert name in DATASETS
    compilation.keep()
    return calibrated(name, model_of(name), simulations, seed, tick)


def calibrated(
    name: str,
    model: Any,
    simulations: int,
    seed: int = 1,
    tick: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Calibrate any model with its observed data in containers; see `calibrate`."""
    truth, data = simulate(model, simulations, seed)
    # A score and the belief that is its quantile have the same rank.
    tested = {
        k: v for k, v in truth.items() if not (k.endswith("_score") and k.removesuffix("_score") in truth)
    }
    compiled = Compiled(model)
    ranks: dict[str, list[int]] = {}
    divergences = diverged = 0
    for i in range(simulations):
        compiled.observe(**{f"{key}_data": values[i] for key, values in data.items()})
        start = {key: values[(i + 1) % simulations] for key, values in truth.items()}
        draws, lost = compiled.run(draws=DRAWS, tune=TUNE, thin=THIN, seed=seed * 1_000_003 + i, start=start)
        divergences += lost
        diverged += lost > 0
        for key, values in tested.items():
            for at, true in _parts(values[i]):
                column = draws[key] if at is None else draws[key][:, at]
                ranks.setdefault(key if at is None else f"{key}[{at}]", []).append(int(np.sum(column < true)))
        if tick is not None:
            tick(i + 1, simulations)
    null = null_distances(simulations, DRAWS, seed)
    quantities: dict[str, dict[str, Any]] = {
        key: {
            "p": float((1 + np.sum(null >= distance(np.asarray(r), DRAWS))) / (1 + len(null))),
            "mean_rank": float(np.mean(r) / DRAWS),
            "ranks": r,
        }
        for key, r in ranks.items()
    }
    least = min(1.0, min(float(q["p"]) for q in quantities.values()) * len(quantities))
    return {
        "likelihood": name, "simulations": simulations, "draws": DRAWS, "divergences": divergences,
        "diverged": diverged / simulations, "least": least, "passed": least > LEVEL,
        "band": float(np.quantile(null, BAND)), "quantities": quantities,
    }  # fmt: skip


def simulate(model: Any, count: int, seed: int) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return parameters from the prior and data from them, each of shape (count, …)."""
    import pymc as pm

    with quiet():
        tree = pm.sample_prior_predictive(count, model=model, random_seed=seed)
    observed = [v.name for v in model.observed_RVs]
    fixed = {v.name for v in model.deterministics} | {v.name for v in model.free_RVs}
    truth = {
        str(k): np.asarray(v.values[0], dtype=float)
        for k, v in tree.prior.data_vars.items()
        if str(k) in fixed
    }
    data = {k: np.asarray(tree.prior_predictive[k].values[0], dtype=float) for k in observed}
    return truth, data


def _parts(values: Any) -> list[tuple[int | None, float]]:
    """Return a scalar as it is, and of an exchangeable vector its first entry."""
    array = np.asarray(values)
    return [(None, float(array))] if array.ndim == 0 else [(0, float(array[0]))]


def ecdf(ranks: npt.NDArray[np.intp], draws: int) -> Array:
    """Return the share of ranks at or below each of 0 … draws − 1, shape (draws,)."""
    return np.asarray(np.cumsum(np.bincount(ranks, minlength=draws + 1))[:-1] / len(ranks))


def distance(ranks: npt.NDArray[np.intp], draws: int) -> float:
    """Return the largest distance of the ranks' distribution from the uniform one."""
    return float(np.abs(ecdf(ranks, draws) - np.arange(1, draws + 1) / (draws + 1)).max())


def null_distances(simulations: int, draws: int, seed: int) -> Array:
    """Return that distance for sets of truly uniform ranks, shape (NULL,), sorted."""
    rng = np.random.default_rng([seed, simulations, draws])
    counts = rng.multinomial(simulations, np.full(draws + 1, 1 / (draws + 1)), size=NULL)
    curves = np.cumsum(counts, axis=1)[:, :-1] / simulations
    return np.sort(np.abs(curves - np.arange(1, draws + 1) / (draws + 1)).max(axis=1))
