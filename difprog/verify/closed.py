"""The race against closed forms, a likelihood against its conjugate case, models against nested ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from difprog.beliefs.families import FAMILIES, Distribution
from difprog.evidence import Case, compilation, headcounts
from difprog.evidence.compiled import Compiled
from difprog.models.model import Model, load, shipped_models
from difprog.race import race
from difprog.race.arrays import numpy_namespace
from difprog.race.effects import Facts
from difprog.race.parameters import PARAMETERS
from difprog.race.race import (
    NO_EFFECT,
    Effects,
)

Array = npt.NDArray[np.float64]

#: Two evaluations of the same formula may differ by rounding only.
ROUNDING = 1e-9
#: Posterior draws of the conjugate case, and the standard errors by which it may miss.
CONJUGATE_DRAWS, ERRORS = 2000, 4.5

NEUTRAL = {name: p.neutral for name, p in PARAMETERS.items() if p.neutral is not None}


def run(seed: int = 1) -> list[dict[str, Any]]:
    """Return one entry per comparison: its name, what was expected and got, what error is allowed."""
    found = [*toy(), closed_form(seed), quadrature(seed), *nesting(seed), *conjugate(seed)]
    for entry in found:
        entry["error"] = abs(entry["got"] - entry["expected"])
        entry["passed"] = bool(entry["error"] <= entry["allowed"])
    return found


def _world(**values: Any) -> SimpleNamespace:
    return SimpleNamespace(**{**NEUTRAL, **values})


def _entry(check: str, expected: float, got: float, allowed: float = ROUNDING) -> dict[str, Any]:
    return {"check": check, "expected": float(expected), "got": float(got), "allowed": allowed}


def toy() -> list[dict[str, Any]]:
    """Play the essay's toy (Soares 2022): 26 years, 900 person-years, four chains of 25 years."""
    xp = numpy_namespace()
    world = _world(
        agi_arrival=26.0, researchers=180.0, parallel_requirement=900.0, serial_requirement=25.0,
        serial_chains=4.0, chunk_length=5.0,
    )  # fmt: skip
    cases = {
        "the toy without a project succeeds": (NO_EFFECT, 1.0),
        "one year sooner still succeeds": (Effects(timeline_shortening=1.0, capability_speedup=1.0), 1.0),
        "two years sooner fails": (Effects(timeline_shortening=2.0, capability_speedup=2.0), 0.0),
        "and fails with all parallel work done": (
            Effects(timeline_shortening=2.0, capability_speedup=2.0, parallel_speedup=900.0), 0.0,
        ),
    }  # fmt: skip
    return [_entry(name, want, float(race.success(world, e, xp))) for name, (e, want) in cases.items()]


def closed_form(seed: int) -> dict[str, Any]:
    """Compare one chain, no growth, no grace: p = Φ(ln(φN₀T/R)/σ_R)·Φ(ln(T/L)/σ_L)."""
    rng = np.random.default_rng(seed)
    years, people, need, serial = (np.exp(rng.normal(m, 0.7, 1000)) for m in (2.3, 5.0, 7.0, 2.3))
    world = _world(
        agi_arrival=years, researchers=people, labour_quality=0.3, parallel_requirement=need,
        parallel_spread=0.7, serial_requirement=serial, serial_spread=0.5, serial_chains=1.0,
    )  # fmt: skip
    got = race.success(world, NO_EFFECT, numpy_namespace())
    parallel = special.ndtr(np.log(0.3 * people * years / need) / 0.7)
    apart = np.abs(got - parallel * special.ndtr(np.log(years / serial) / 0.5)).max()
    return _entry("a race without mechanisms, 1,000 worlds (largest difference)", 0.0, apart)


def quadrature(seed: int) -> dict[str, Any]:
    """Parallel work by the deadline against the integral of labour over time, by quadrature."""
    from scipy.integrate import quad

    rng = np.random.default_rng([seed, 1])
    worst = 0.0
    for _ in range(50):
        w = _world(
            agi_arrival=rng.uniform(2, 40), grace_period=rng.uniform(0, 4), researchers=rng.uniform(50, 900),
            researcher_growth=rng.uniform(-0.1, 0.4), labour_quality=rng.uniform(0.05, 1),
            parallel_exponent=rng.uniform(0.2, 1), brink_surge=rng.uniform(1, 30),
            early_relevance=rng.uniform(), paradigm_fraction=rng.uniform(0, 0.95),
            convergence=rng.uniform(0, 2), runup_length=rng.uniform(0, 9),
            assistance=rng.uniform(0, 3), knowhow_horizon=rng.uniform(1, 30), serial_chains=0.0,
        )  # fmt: skip
        e = Effects(*(float(v) for v in rng.uniform(0, [5, 1, 1, 1, 0, 0, 0, 0.2, 0.5, 1, 0, 20])))
        got = float(race.work_done(w, e, numpy_namespace())[0])
        want = _labour(w, e, quad)
        worst = max(worst, abs(got / want - 1.0))
    return _entry("labour against quadrature, 50 worlds (largest relative difference)", 0.0, worst)


def _labour(w: Any, e: Effects, quad: Callable[..., Any]) -> float:
    """Return W by integrating the labour that is at work at each moment."""
    arrival = w.agi_arrival - e.timeline_shortening
    deadline = arrival + w.grace_period + e.grace_effect
    paradigm = min(max(w.paradigm_fraction * w.agi_arrival - e.capability_speedup, 0.0), arrival)

    def rate(t: float) -> float:
        grown = math.exp(w.parallel_exponent * w.researcher_growth * t)
        share = w.early_relevance if t < paradigm else 1.0 + w.convergence
        if t > arrival:
            share *= w.brink_surge**w.parallel_exponent
        if t < min(arrival, w.knowhow_horizon):
            share += e.knowhow_effect
        if max(arrival - w.runup_length, 0.0) < t < arrival:
            share += w.assistance + e.assistance_effect
        return float(w.labour_quality * (w.researchers * grown * share + e.field_growth))

    run_up, known = max(arrival - w.runup_length, 0.0), min(arrival, w.knowhow_horizon)
    turns = sorted({0.0, paradigm, run_up, known, arrival, deadline})
    pieces = (quad(rate, a, b, epsabs=1e-10, epsrel=1e-12)[0] for a, b in pairwise(turns))
    return math.fsum(pieces) + float(e.parallel_speedup)


def nesting(seed: int) -> list[dict[str, Any]]:
    """Every model is the synthesis with what it does not open held at neutral, to the bit."""
    models = {name: load(name) for name in shipped_models()}
    whole = models.get("synthesis")
    if whole is None:
        return []
    found = []
    for name, model in models.items():
        if name != whole.name and set(model.opens) <= set(whole.opens) and not model.own:
            found.append(_nested(name, model, whole, seed))
    return found


def _nested(name: str, model: Model, whole: Model, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng([seed, len(name)])
    drawn = [key for key in model.reads if key in PARAMETERS and _drawn(key)]
    values: dict[str, Any] = {key: _value(PARAMETERS[key], rng, 500) for key in drawn}
    rest = [key for key in whole.reads if key in NEUTRAL and key not in drawn and _drawn(key)]
    values |= {key: NEUTRAL[key] for key in rest}
    facts, xp = Facts(), numpy_namespace()
    both = model, replace(whole, derive=model.derive)
    small, large = (m.chances(facts, values, xp) for m in both)
    apart = np.abs(np.asarray(small.net_effect) - np.asarray(large.net_effect)).max()
    apart = max(apart, np.abs(np.asarray(small.without) - np.asarray(large.without)).max())
    return _entry(f"{name} is nested in {whole.name}, 500 worlds (largest difference)", 0.0, apart, 0.0)


def _drawn(name: str) -> bool:
    """Whether a parameter is drawn here: not an effect, nor what replaces the grid."""
    return name not in Effects._fields and name not in ("relevance", "coupling")


def _value(parameter: Any, rng: np.random.Generator, count: int) -> Array:
    support = parameter.support
    if support.integer:
        return rng.integers(0, 5, count).astype(float)
    if support.upper == 1:
        return rng.uniform(0.01, 0.99, count)
    if support.lower == 0:
        return np.exp(rng.normal(0.5, 1.0, count))
    return rng.normal(0.0, 0.5, count)


def conjugate(seed: int) -> list[dict[str, Any]]:
    """Headcounts with known noise and normal beliefs in the logs: the posterior in closed form."""
    data, as_of, noise = headcounts.read(), 2026.88, (0.25, 3.0)
    stated = {"researchers": (math.log(700.0), 0.5), "researcher_growth": (0.2, 0.12)}
    shapes = {
        "researchers": Distribution(FAMILIES["lognormal"], stated["researchers"]),
        "researcher_growth": Distribution(FAMILIES["normal"], stated["researcher_growth"]),
    }
    compilation.keep()
    mean, sd = conjugate_posterior(data, as_of, noise, stated)
    compiled = Compiled(headcounts.build(Case(data, shapes, as_of), noise))
    draws, _ = compiled.run(draws=CONJUGATE_DRAWS, tune=800, thin=4, seed=seed)
    growth = draws["researcher_growth"]
    columns = {"ln researchers": np.log(draws["researchers"]), "researcher_growth": growth}
    found = []
    for i, (name, values) in enumerate(columns.items()):
        error = ERRORS * float(sd[i]) / math.sqrt(effective(values))
        found.append(_entry(f"conjugate headcounts, mean of {name}", mean[i], values.mean(), error))
        found.append(_entry(f"conjugate headcounts, sd of {name}", sd[i], values.std(ddof=1), error))
    return found


def effective(values: Array) -> float:
    """Return the effective size of one chain, by ArviZ; never more than its length."""
    import arviz as az

    return float(min(az.ess(values[None, :]), len(values)))


def conjugate_posterior(
    data: headcounts.Data,
    as_of: float,
    noise: tuple[float, float],
    stated: Mapping[str, tuple[float, float]],
) -> tuple[Array, Array]:
    """Return mean and sd of (ln N₀, g) by the normal equations, the offsets summed out."""
    sigma, memory = noise
    same = np.asarray([[a == b for b in data.series] for a in data.series], dtype=float)
    apart = np.abs(data.dates[:, None] - data.dates[None, :])
    others = sorted({s for s in data.series if s not in headcounts.REFERENCE})
    member = np.asarray([[float(s == o) for o in others] for s in data.series])
    design = np.column_stack([np.ones(len(data.logs)), data.dates - as_of, member])
    noise_cov = sigma**2 * same * np.exp(-apart / memory) + np.diag(data.known**2 + 1e-8)
    names = ("researchers", "researcher_growth")
    prior_mean = np.concatenate([[stated[n][0] for n in names], np.zeros(len(others))])
    prior_sd = np.concatenate([[stated[n][1] for n in names], headcounts.offset_scales(others)])
    precision = design.T @ np.linalg.solve(noise_cov, design) + np.diag(prior_sd**-2)
    cov = np.linalg.inv(precision)
    mean = cov @ (design.T @ np.linalg.solve(noise_cov, data.logs) + prior_mean / prior_sd**2)
    return mean[:2], np.sqrt(np.diag(cov))[:2]
