"""The race against closed forms, a likelihood against its conjugate case, models against nested ones.

What is checked is what every score runs: the compiled graph (`difprog.forecast.evaluation.Race`) on
worlds that are given. What it is compared with is written here in plain Python, and integrates the
labour at work numerically where the graph has its integral.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from difprog.beliefs.beliefs import Belief
from difprog.beliefs.distributions import Distribution, Point
from difprog.beliefs.families import FAMILIES
from difprog.beliefs.project import DEFAULT_FACTS
from difprog.evidence import Case, compilation, headcounts
from difprog.evidence.compiled import Compiled
from difprog.forecast.evaluation import Race
from difprog.forecast.question import Question, View
from difprog.forecast.sampling import evaluate
from difprog.models.model import STATED_ONLY, Model, load, shipped_models, vocabulary
from difprog.race.parameters import Group, Parameter

Array = npt.NDArray[np.float64]

#: Two evaluations of the same formula may differ by rounding only.
ROUNDING = 1e-9
#: Posterior draws of the conjugate case, and the standard errors by which it may miss.
CONJUGATE_DRAWS, ERRORS = 1000, 4.5


def run(seed: int = 1) -> list[dict[str, Any]]:
    """Return one entry per comparison: its name, what was expected and got, what error is allowed."""
    found = [*toy(), closed_form(seed), quadrature(seed), *nesting(seed), *conjugate(seed)]
    for entry in found:
        entry["error"] = abs(entry["got"] - entry["expected"])
        entry["passed"] = bool(entry["error"] <= entry["allowed"])
    return found


def _entry(check: str, expected: float, got: float, allowed: float = ROUNDING) -> dict[str, Any]:
    return {"check": check, "expected": float(expected), "got": float(got), "allowed": allowed}


def question(model: Model) -> Question:
    """Return a question that reads every belief of a model that is not derived, all at 1 until given."""
    beliefs = {n: Belief(n, Point(1.0)) for n in model.reads if _drawn(vocabulary()[n])}
    return Question((View(model, beliefs),), DEFAULT_FACTS)


def _drawn(parameter: Parameter) -> bool:
    """Whether a parameter is given a value here: not an effect, nor what replaces the grid."""
    return parameter.group is not Group.EFFECT and parameter.name not in STATED_ONLY


def at(model: Model, **values: Any) -> dict[str, Any]:
    """Return a value for every belief of a model's question: those given, else neutral, else 1."""
    known = vocabulary()
    return {
        name: np.asarray(values.get(name, 1.0 if known[name].neutral is None else known[name].neutral), float)
        for name in question(model).names
    }


def chances(model: Model, effects: Mapping[str, Any], count: int, **values: Any) -> Array:
    """Return p_success by the program's own graph, shape (count,); effects that are not named are 0."""
    given = {n: np.broadcast_to(np.asarray(v, dtype=float), (1, count)) for n, v in effects.items()}
    return np.asarray(Race(question(model), at(model, **values), count).chance(given)[0])


def toy() -> list[dict[str, Any]]:
    """Play the essay's toy (Soares 2022): 26 years, 900 person-years, four chains of 25 years."""
    world = {
        "agi_arrival": 26.0, "researchers": 180.0, "parallel_requirement": 900.0, "serial_requirement": 25.0,
        "serial_chains": 4.0, "chunk_length": 5.0, "researcher_growth": 0.0,
    }  # fmt: skip
    cases: dict[str, tuple[dict[str, float], float]] = {
        "the toy without a project succeeds": ({}, 1.0),
        "one year sooner still succeeds": ({"timeline_shortening": 1.0, "capability_speedup": 1.0}, 1.0),
        "two years sooner fails": ({"timeline_shortening": 2.0, "capability_speedup": 2.0}, 0.0),
        "and fails with all parallel work done": (
            {"timeline_shortening": 2.0, "capability_speedup": 2.0, "parallel_speedup": 900.0}, 0.0,
        ),
    }  # fmt: skip
    base = load("serial_parallel")
    return [_entry(name, want, chances(base, e, 1, **world)[0]) for name, (e, want) in cases.items()]


def closed_form(seed: int) -> dict[str, Any]:
    """Compare one chain, no growth, no grace: p = Φ(ln(φN₀T/R)/σ_R)·Φ(ln(T/L)/σ_L)."""
    rng = np.random.default_rng(seed)
    years, people, need, serial = (np.exp(rng.normal(m, 0.7, 1000)) for m in (2.3, 5.0, 7.0, 2.3))
    got = chances(
        load("serial_parallel"), {}, 1000, agi_arrival=years, researchers=people, labour_quality=0.3,
        parallel_requirement=need, parallel_spread=0.7, serial_requirement=serial, serial_spread=0.5,
        serial_chains=1.0, researcher_growth=0.0,
    )  # fmt: skip
    parallel = special.ndtr(np.log(0.3 * people * years / need) / 0.7)
    apart = np.abs(got - parallel * special.ndtr(np.log(years / serial) / 0.5)).max()
    return _entry("a race without mechanisms, 1,000 worlds (largest difference)", 0.0, apart)


#: Ranges from which the worlds of `quadrature` are drawn, and the project's effects.
WORLDS: dict[str, tuple[float, float]] = {
    "agi_arrival": (2, 40), "grace_period": (0, 4), "researchers": (50, 900),
    "researcher_growth": (-0.1, 0.4), "field_ceiling": (500, 20_000),
    "labour_quality": (0.05, 1), "parallel_exponent": (0.2, 1),
    "parallel_spread": (0.2, 1), "chunk_length": (0.5, 8), "chunk_spread": (0.2, 1),
    "serial_requirement": (2, 30), "serial_spread": (0.2, 1), "brink_surge": (1, 30),
    "default_success": (0, 0.3), "early_relevance": (0, 1), "paradigm_fraction": (0, 0.95),
    "convergence": (0, 2), "runup_length": (0, 9), "assistance": (0, 3), "knowhow_horizon": (1, 30),
    "safety_lead": (0.05, 0.95), "adoption": (0.05, 0.95), "breadth": (0.05, 0.95), "difficulty": (-2, 2),
    "requirement_difficulty": (0, 1),
}  # fmt: skip
EFFECTS: dict[str, tuple[float, float]] = {
    "parallel_speedup": (0, 20), "serial_speedup": (0, 1), "gated_speedup": (0, 1),
    "capability_speedup": (0, 1), "timeline_shortening": (0, 1), "adoption_effect": (-1, 1),
    "lead_effect": (-1, 1), "breadth_effect": (-1, 1), "knowhow_effect": (0, 0.2),
    "assistance_effect": (0, 0.5), "grace_effect": (0, 1), "solution_probability": (0, 0.3),
    "field_growth": (0, 20),
}  # fmt: skip
COUNT = 50


def quadrature(seed: int) -> dict[str, Any]:
    """Compare the race with every mechanism open, its labour summed up by quadrature over time."""
    rng = np.random.default_rng([seed, 1])
    w = {name: rng.uniform(*ends, COUNT) for name, ends in WORLDS.items()}
    w["serial_chains"] = rng.integers(0, 6, COUNT).astype(float)
    w["gated_chains"] = rng.integers(0, 4, COUNT).astype(float)
    e = {name: rng.uniform(*ends, COUNT) for name, ends in EFFECTS.items()}
    each = [
        (SimpleNamespace(**{n: float(v[i]) for n, v in w.items()}),
         SimpleNamespace(**{n: float(v[i]) for n, v in e.items()}))
        for i in range(COUNT)
    ]  # fmt: skip
    done = np.array([_labour(*pair) for pair in each])
    # A requirement within reach of what is done, or the chance would show nothing of it.
    w["parallel_requirement"] = done * np.exp(rng.normal(0.0, 0.5, COUNT))
    want = [
        _success(*pair, work, need)
        for pair, work, need in zip(each, done, w["parallel_requirement"], strict=True)
    ]
    apart = np.abs(chances(load("synthesis"), e, COUNT, **w) - want).max()
    return _entry(f"every mechanism, labour by quadrature, {COUNT} worlds (largest difference)", 0.0, apart)


def _times(w: Any, e: Any) -> tuple[float, float, float]:
    """Return when AGI arrives, the deadline, and the arrival of the paradigm."""
    arrival = max(w.agi_arrival - e.timeline_shortening, 0.0)
    paradigm = min(max(w.paradigm_fraction * w.agi_arrival - e.capability_speedup, 0.0), arrival)
    return arrival, arrival + w.grace_period + e.grace_effect, paradigm


def _labour(w: Any, e: Any) -> float:
    """Return W by integrating the labour that is at work at each moment."""
    from scipy.integrate import quad

    arrival, deadline, paradigm = _times(w, e)
    full = math.inf
    if w.researcher_growth > 0:
        full = math.log(max(w.field_ceiling / w.researchers, 1.0)) / w.researcher_growth

    def rate(t: float) -> float:
        grown = math.exp(w.parallel_exponent * w.researcher_growth * min(t, full))
        share = w.early_relevance if t < paradigm else 1.0 + w.convergence
        if t > arrival:
            share *= w.brink_surge**w.parallel_exponent
        if t < min(arrival, w.knowhow_horizon):
            share += e.knowhow_effect
        if max(arrival - w.runup_length, 0.0) < t < arrival:
            share += w.assistance + e.assistance_effect
        return float(w.labour_quality * (w.researchers * grown * share + e.field_growth))

    run_up, known = max(arrival - w.runup_length, 0.0), min(arrival, w.knowhow_horizon)
    turns = sorted({0.0, paradigm, run_up, known, arrival, deadline, min(full, deadline)})
    pieces = (quad(rate, a, b, epsabs=1e-10, epsrel=1e-12)[0] for a, b in pairwise(turns))
    return math.fsum(pieces) + float(e.parallel_speedup)


def _success(w: Any, e: Any, work: float, need: float) -> float:
    """Return p(θ; e) in plain arithmetic, given the labour done."""
    _, deadline, paradigm = _times(w, e)
    late = min(w.gated_chains, w.serial_chains)

    def met(done: float, median: float, spread: float) -> float:
        return float(stats.lognorm.cdf(done, spread, scale=median))

    def odds(chance: float, change: float) -> float:
        return float(special.expit(special.logit(chance) + change))

    early, after = w.early_relevance * paradigm, deadline - paradigm
    solved = (
        met(deadline, w.chunk_length, w.chunk_spread)
        * met(work, need * math.exp(w.requirement_difficulty * w.difficulty), w.parallel_spread)
        * met(early + after + e.serial_speedup, w.serial_requirement, w.serial_spread)
        ** (w.serial_chains - late)
        * met(after + e.gated_speedup, w.serial_requirement, w.serial_spread) ** late
    )
    solved = 1.0 - (1.0 - solved) * (1.0 - e.solution_probability)
    lead = odds(w.safety_lead, e.lead_effect)
    adopted = 1.0 - (1.0 - lead) * (1.0 - odds(w.adoption, e.adoption_effect))
    good = solved * adopted * odds(w.breadth, e.breadth_effect)
    return float(1.0 - (1.0 - w.default_success) * (1.0 - good))


def nesting(seed: int) -> list[dict[str, Any]]:
    """Every model is the synthesis with what it does not open held at neutral, to the bit."""
    models = {name: load(name) for name in shipped_models()}
    whole = models.get("synthesis")
    if whole is None:
        return []
    return [
        _nested(name, model, whole, seed)
        for name, model in models.items()
        if name != whole.name and set(model.opens) <= set(whole.opens)
    ]


def _nested(name: str, model: Model, whole: Model, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng([seed, len(name)])
    asked = question(model)
    values = {key: _value(vocabulary()[key], rng, 500) for key in asked.names}
    small = evaluate(asked, values, 500, 0)
    large = evaluate(question(whole), at(whole, **values), 500, 0)
    apart = np.abs(np.stack([small.net_effect - large.net_effect, small.without - large.without])).max()
    return _entry(f"{name} is nested in {whole.name}, 500 worlds (largest difference)", 0.0, apart, 0.0)


def _value(parameter: Parameter, rng: np.random.Generator, count: int) -> Array:
    support = parameter.support
    if support.integer:
        return rng.integers(0, 5, count).astype(float)
    if support.upper == 1:
        return rng.uniform(0.01, 0.99, count)
    if support.lower == 0:
        return np.asarray(np.exp(rng.normal(0.5, 1.0, count)))
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
    draws, _ = compiled.run(draws=CONJUGATE_DRAWS, tune=500, thin=3, seed=seed)
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
