"""The race and its effects a second time: one draw, plain floats, written from the model's page alone.

Nothing here comes from difprog, so that what both get wrong would have to be wrong in the page. Every value
is a float; a belief that depends on a fact of the project (`leak` by publication policy, say) is given as
the value for that fact. `world` holds the beliefs, `stated` what the project file states of its own:
effects, which replace what would be derived, and beliefs, which replace those of `world`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from scipy.special import expit, logit, ndtr

Values = Mapping[str, float]

#: Beliefs that decide how the race goes, with the value that switches each mechanism off.
NEUTRAL_WORLD = {
    "grace_period": 0.0,
    "researcher_growth": 0.0,
    "field_ceiling": math.inf,
    "labour_quality": 1.0,
    "parallel_exponent": 1.0,
    "parallel_spread": 0.0,
    "chunk_length": 0.0,
    "chunk_spread": 0.0,
    "serial_spread": 0.0,
    "brink_surge": 1.0,
    "default_success": 0.0,
    "overhang": 0.0,
    "paradigm_fraction": 0.0,
    "early_relevance": 1.0,
    "gated_chains": 0.0,
    "convergence": 0.0,
    "runup_length": 0.0,
    "assistance": 0.0,
    "safety_lead": 1.0,
    "adoption": 1.0,
    "breadth": 1.0,
    "knowhow_horizon": math.inf,
    "difficulty": 0.0,
    "requirement_difficulty": 0.0,
}

#: Beliefs on the way from facts to effects that some reading closes. Crowdedness is off at crowd = 1.
NEUTRAL_EFFECTS = {
    "displacement": 0.0,
    "hype_leverage": 0.0,
    "area_researchers": 1.0,
    "crowding_peak": 1.0,
    "relevance_difficulty": 0.0,
    "adoption_per_fte_year": 0.0,
    "lead_per_fte_year": 0.0,
    "breadth_per_fte_year": 0.0,
    "knowhow_per_fte_year": 0.0,
    "followers_per_fte_year": 0.0,
    "assistance_per_fte_year": 0.0,
    "grace_per_fte_year": 0.0,
    "solution_per_fte_year": 0.0,
}

#: The project that does nothing.
NOTHING = dict.fromkeys(
    (
        "parallel_speedup", "serial_speedup", "gated_speedup", "capability_speedup", "timeline_shortening",
        "adoption_effect", "lead_effect", "breadth_effect", "knowhow_effect", "assistance_effect",
        "grace_effect", "solution_probability", "field_growth",
    ),
    0.0,
)  # fmt: skip

NEUTRAL: dict[str, float] = {**NEUTRAL_WORLD, **NEUTRAL_EFFECTS, **NOTHING}

OVERHANG = frozenset({"overhang", "paradigm_fraction", "early_relevance", "gated_chains", "convergence"})
TAX = frozenset(
    {
        "safety_lead", "adoption", "breadth",
        "lead_per_fte_year", "adoption_per_fte_year", "breadth_per_fte_year",
        "lead_effect", "adoption_effect", "breadth_effect",
    }
)  # fmt: skip
NARROW = frozenset(
    {
        "runup_length", "assistance", "knowhow_horizon",
        "displacement", "hype_leverage", "area_researchers", "crowding_peak",
        "knowhow_per_fte_year", "followers_per_fte_year", "assistance_per_fte_year",
        "grace_per_fte_year", "solution_per_fte_year",
        "knowhow_effect", "field_growth", "assistance_effect", "grace_effect", "solution_probability",
    }
)  # fmt: skip
GRID = frozenset({"difficulty", "relevance_difficulty", "requirement_difficulty"})

#: What each reading opens beyond the base race: beliefs, and effects that are 0 elsewhere.
OPENS: dict[str, frozenset[str]] = {
    "serial_parallel": frozenset(),
    "overhang": OVERHANG,
    "alignment_tax": TAX,
    "narrow_superhuman": NARROW,
    "research_grid": GRID,
    "synthesis": OVERHANG | TAX | NARROW | GRID,
}

FOCUS = {"average": -1, "pessimistic": 0, "worst": 1}
APPROACH = {"engineering": -1, "behaviourist": 0, "cognitivist": 1}
CRITERIA = frozenset({"fine-tunes", "no-scaling", "humans", "useful"})


# The race


def clip(value: float, low: float, high: float) -> float:
    """Return the value, or the end of the interval that it lies beyond."""
    return min(max(value, low), high)


def grown(t: float, *, exponent: float, growth: float, ceiling: float, researchers: float) -> float:
    """Return G(t): years of today's labour done by t, where growth counts to a power and ends somewhere."""
    rate = exponent * growth
    if rate == 0:
        return t
    end = math.inf
    if growth > 0 and math.isfinite(ceiling):
        end = math.log(max(ceiling / researchers, 1.0)) / growth
    growing = min(t, end)
    return math.expm1(rate * growing) / rate + math.exp(rate * growing) * (t - growing)


def met(done: float, median: float, spread: float) -> float:
    """Return F: the chance that what is done meets a lognormal requirement."""
    if median == 0:
        return 1.0
    if done <= 0:
        return 0.0
    if spread == 0:
        return 1.0 if done >= median else 0.0
    return float(ndtr((math.log(done) - math.log(median)) / spread))


def shifted(probability: float, log_odds: float) -> float:
    """Return a probability moved by log-odds; 0 and 1 stay put."""
    if probability in (0.0, 1.0):
        return float(probability)
    return float(expit(logit(probability) + log_odds))


def chance(world: Values, effects: Values) -> float:
    """Return p(θ; e). Beliefs left out are at neutral if they have such a value, effects left out are 0."""
    w = {**NEUTRAL_WORLD, **world}
    e = {**NOTHING, **effects}

    agi = max(w["agi_arrival"] - e["timeline_shortening"], 0.0)
    deadline = agi + w["grace_period"] + e["grace_effect"]
    paradigm = clip(w["paradigm_fraction"] * w["agi_arrival"] - e["capability_speedup"], 0.0, agi)

    def labour(t: float) -> float:
        return grown(
            t,
            exponent=w["parallel_exponent"],
            growth=w["researcher_growth"],
            ceiling=w["field_ceiling"],
            researchers=w["researchers"],
        )

    early = w["early_relevance"] * labour(paradigm)
    late = labour(agi) - labour(paradigm)
    surge = w["brink_surge"] ** w["parallel_exponent"] * (labour(deadline) - labour(agi))
    knowhow = e["knowhow_effect"] * labour(min(agi, w["knowhow_horizon"]))
    assistance = w["assistance"] + e["assistance_effect"]
    run_up = assistance * (labour(agi) - labour(max(agi - w["runup_length"], 0.0)))
    field = early + (1 + w["convergence"]) * (late + surge) + knowhow + run_up
    quality = w["labour_quality"]
    work = quality * w["researchers"] * field + quality * e["field_growth"] * deadline + e["parallel_speedup"]

    serial = w["early_relevance"] * paradigm + (deadline - paradigm) + e["serial_speedup"]
    gated = (deadline - paradigm) + e["gated_speedup"]
    gated_chains = min(w["gated_chains"], w["serial_chains"])
    requirement = w["parallel_requirement"] * math.exp(w["requirement_difficulty"] * w["difficulty"])

    solved = (
        met(deadline, w["chunk_length"], w["chunk_spread"])
        * met(work, requirement, w["parallel_spread"])
        * met(serial, w["serial_requirement"], w["serial_spread"]) ** (w["serial_chains"] - gated_chains)
        * met(gated, w["serial_requirement"], w["serial_spread"]) ** gated_chains
    )
    solved += e["solution_probability"] * (1 - solved)
    lead = shifted(w["safety_lead"], e["lead_effect"])
    adopted = lead + (1 - lead) * shifted(w["adoption"], e["adoption_effect"])
    broad = shifted(w["breadth"], e["breadth_effect"])
    default = w["default_success"]
    return float(default + (1 - default) * solved * adopted * broad)


# From facts to effects


def in_time(facts: Mapping[str, Any], world: Values) -> tuple[float, float, float]:
    """Return (finished, early, worth): the shares of the work done before AGI and before the paradigm, and
    what alignment work is worth for when it is done."""

    def done(t: float) -> float:
        return clip((t - facts.get("start", 0.0)) / facts["duration"], 0.0, 1.0)

    finished = done(world["agi_arrival"])
    early = min(done(world["paradigm_fraction"] * world["agi_arrival"]), finished)
    return finished, early, world["early_relevance"] * early + (finished - early)


def added(r: float, duration: float, exponent: float) -> float:
    """Return the years of progress that r FTE-years per head of a field add to it over some years."""
    return duration * math.expm1(exponent * math.log1p(r / duration))


def grid(facts: Mapping[str, Any], world: Values) -> tuple[float, float]:
    """Return the relevance and coupling of a project's cell, with its own deviation from it."""
    f, a = FOCUS[facts["focus"]], APPROACH[facts["approach"]]
    relevance = math.exp(
        world["relevance_intercept"]
        + world["relevance_focus"] * f
        + world["relevance_approach"] * a
        - world["relevance_difficulty"] * world["difficulty"]
        + world["relevance_residual"]
    )
    coupling = expit(
        world["coupling_intercept"]
        - world["coupling_focus"] * f
        - world["coupling_approach"] * a
        + world["coupling_residual"]
    )
    return relevance, float(coupling)


def relevance_and_coupling(facts: Mapping[str, Any], world: Values, stated: Values) -> tuple[float, float]:
    """Return both: the kind decides them except for alignment projects, where the file may, or the grid."""
    kind = facts.get("kind", "alignment")
    if kind == "capabilities":
        return 0.0, 1.0
    if kind == "field-building":
        return 0.0, 0.0
    if kind == "applications":
        return world["applications_relevance"], world["applications_coupling"]
    if {"relevance", "coupling"} <= stated.keys():
        return stated["relevance"], stated["coupling"]
    relevance, coupling = grid(facts, world)
    return stated.get("relevance", relevance), stated.get("coupling", coupling)


def fit(criteria: Any) -> float:
    """Return the share of the four criteria that is met, 0 if a model is made larger."""
    return len(CRITERIA & set(criteria)) / len(CRITERIA) if "no-scaling" in criteria else 0.0


def crowd(world: Values) -> float:
    """Return the worth of one more person in an area, 1 at the number where it is highest."""
    ratio = world["area_researchers"] / world["crowding_peak"]
    return ratio * math.exp(1 - ratio)


def effects(facts: Mapping[str, Any], world: Values, stated: Values | None = None) -> dict[str, Any]:
    """Return the effects of a project in a world whose closed mechanisms are at neutral.

    Returns
    -------
    dict
        `hit` and `miss`: all effects, if the capability effect happens and if not; `always`: those that are
        the same in both; `hit_probability`. Where that is 1, `miss` has a weight of 0.
    """
    stated = stated or {}
    w = {**NEUTRAL_WORLD, **NEUTRAL_EFFECTS, **world, **stated}
    finished, early, worth = in_time(facts, w)
    relevance, coupling = relevance_and_coupling(facts, w, stated)
    reach, effort, duration = w["reach"], facts["effort"], facts["duration"]
    quality = w["skill"] * (1 - w["displacement"])
    n = effort * relevance * quality

    hurried = added(n * w["serial_share"] / w["serial_researchers"], duration, w["serial_exponent"])
    result = {
        "parallel_speedup": worth * reach * n * (1 - w["serial_share"]) * w["labour_quality"] * crowd(w),
        "serial_speedup": worth * reach * hurried,
        "gated_speedup": (finished - early) * reach * hurried,
        "adoption_effect": finished * reach * n * coupling * w["adoption_per_fte_year"],
        "lead_effect": finished * n * w["lead_per_fte_year"],
        "breadth_effect": finished * reach * n * w["breadth_per_fte_year"],
    }
    path = finished * fit(facts.get("criteria", ())) * crowd(w) * effort * quality
    result |= {
        "knowhow_effect": reach * path * w["knowhow_per_fte_year"],
        "assistance_effect": reach * path * w["assistance_per_fte_year"],
        "grace_effect": reach * path * w["grace_per_fte_year"],
        "field_growth": reach * path * w["followers_per_fte_year"],
        "solution_probability": -math.expm1(-path * w["solution_per_fte_year"]),
    }
    if facts.get("kind") == "field-building":
        result["field_growth"] = finished * effort * quality * w["recruits_per_fte_year"]

    if "capability_speedup" in stated:
        by_chance, always = stated["capability_speedup"], 0.0
        hit_probability = stated.get("hit_probability", 1.0)
    else:
        per_head = coupling * effort * w["breakthrough"] / w["capability_researchers"]
        ahead = min(added(per_head, duration, w["capability_exponent"]), w["lead_time"])
        by_chance = finished * w["leak"] * ahead
        always = finished * w["elasticity"] * w["hype_leverage"] * facts.get("cost", 0.0) / w["ai_spend"]
        hit_probability = w["hit_probability"]

    result |= {name: value for name, value in stated.items() if name in result}
    if "serial_speedup" in stated and "gated_speedup" not in stated:
        result["gated_speedup"] = stated["serial_speedup"]

    def branch(x: float) -> dict[str, float]:
        shortening = stated.get("timeline_shortening", (1 - w["overhang"]) * x)
        return {**result, "capability_speedup": x, "timeline_shortening": shortening}

    hit, miss = branch(by_chance + always), branch(always)
    return {
        "always": {name: value for name, value in hit.items() if miss[name] == value},
        "hit": hit,
        "miss": miss,
        "hit_probability": hit_probability,
    }


# The readings


def seen(reading: str, world: Values) -> dict[str, float]:
    """Return the world as a reading sees it: what it does not open at neutral, where that has a value."""
    closed = OPENS["synthesis"] - OPENS[reading]
    return {**world, **{name: NEUTRAL[name] for name in closed if name not in NOTHING}}


def net(
    reading: str, facts: Mapping[str, Any], world: Values, stated: Values | None = None
) -> dict[str, Any]:
    """Return what a project does to the chance of success under a reading, hits averaged in."""
    closed = OPENS["synthesis"] - OPENS[reading]
    if facts.get("kind") == "field-building":
        closed -= {"field_growth"}  # it draws people in under every reading
    heard = {name: value for name, value in (stated or {}).items() if name not in closed}
    w = {**seen(reading, world), **{k: v for k, v in heard.items() if k not in NOTHING}}
    found = effects(facts, w, heard)
    without, hit, miss = chance(w, NOTHING), chance(w, found["hit"]), chance(w, found["miss"])
    p = found["hit_probability"]
    return {
        "without": without,
        "hit": hit,
        "miss": miss,
        "hit_probability": p,
        "with_project": p * hit + (1 - p) * miss,
        "net_effect": p * (hit - without) + (1 - p) * (miss - without),
        "effects": found,
    }


def ensemble(values: Values, credences: Values) -> float:
    """Return the mean of the mixture of the readings by credence."""
    return math.fsum(credences[r] * values[r] for r in values) / math.fsum(credences[r] for r in values)
