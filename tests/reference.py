"""The maths a second time, from its prose and one draw at a time, for comparison.

Shares no code with difprog: plain Python numbers, `math` only.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

FOCUS = {"average": -1, "pessimistic": 0, "worst": 1}
APPROACH = {"engineering": -1, "behaviourist": 0, "cognitivist": 1}

NEUTRAL: dict[str, float] = {
    "overhang": 0, "paradigm_fraction": 0, "early_relevance": 1, "gated_chains": 0,
    "convergence": 0, "runup_length": 0, "assistance": 0, "safety_lead": 1, "adoption": 1,
    "breadth": 1, "knowhow_horizon": math.inf, "difficulty": 0, "requirement_difficulty": 0,
    "relevance_difficulty": 0, "displacement": 0, "hype_leverage": 0,
    "adoption_per_fte_year": 0, "lead_per_fte_year": 0, "breadth_per_fte_year": 0,
    "knowhow_per_fte_year": 0, "assistance_per_fte_year": 0, "grace_per_fte_year": 0,
    "followers_per_fte_year": 0, "solution_per_fte_year": 0,
    "area_researchers": 1, "crowding_peak": 1,
    "adoption_effect": 0, "lead_effect": 0, "breadth_effect": 0, "knowhow_effect": 0,
    "assistance_effect": 0, "grace_effect": 0, "field_growth": 0, "solution_probability": 0,
}  # fmt: skip

OVERHANG = {"overhang", "paradigm_fraction", "early_relevance", "gated_chains", "convergence"}
TAX = {
    "safety_lead", "adoption", "breadth",
    "adoption_per_fte_year", "lead_per_fte_year", "breadth_per_fte_year",
    "adoption_effect", "lead_effect", "breadth_effect",
}  # fmt: skip
NARROW = {
    "runup_length", "assistance", "knowhow_horizon", "displacement", "hype_leverage",
    "knowhow_per_fte_year", "assistance_per_fte_year", "grace_per_fte_year",
    "followers_per_fte_year", "solution_per_fte_year", "area_researchers", "crowding_peak",
    "knowhow_effect", "assistance_effect", "grace_effect", "field_growth", "solution_probability",
}  # fmt: skip
GRID = {"difficulty", "relevance_difficulty", "requirement_difficulty"}
OPENS = {
    "serial_parallel": set[str](),
    "overhang": OVERHANG,
    "alignment_tax": TAX,
    "narrow_superhuman": NARROW,
    "research_grid": GRID,
    "synthesis": OVERHANG | TAX | NARROW | GRID,
}


def logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0


def shifted(p: float, d: float) -> float:
    return p if p in (0, 1) else logistic(math.log(p / (1 - p)) + d)


def met(y: float, m: float, s: float) -> float:
    if s == 0:
        return 1.0 if y >= m else 0.0
    if y <= 0:
        return 0.0
    return 0.5 * math.erfc(-(math.log(y) - math.log(m)) / s / math.sqrt(2))


def success(w: dict[str, float], e: dict[str, float]) -> float:
    """p(θ; e) for one draw of the world and one set of effects."""
    rate = w["parallel_exponent"] * w["researcher_growth"]

    def g(t: float) -> float:
        return t if rate == 0 else math.expm1(rate * t) / rate

    t1 = max(w["agi_arrival"] - e["timeline_shortening"], 0)
    d1 = t1 + w["grace_period"] + e["grace_effect"]
    e1 = min(max(w["paradigm_fraction"] * w["agi_arrival"] - e["capability_speedup"], 0), t1)
    field = w["labour_quality"] * w["researchers"]
    surge = w["brink_surge"] ** w["parallel_exponent"]
    work = field * (
        w["early_relevance"] * g(e1)
        + (1 + w["convergence"]) * (g(t1) - g(e1) + surge * (g(d1) - g(t1)))
    )
    work += field * e["knowhow_effect"] * g(min(t1, w["knowhow_horizon"]))
    work += field * (w["assistance"] + e["assistance_effect"]) * (
        g(t1) - g(max(t1 - w["runup_length"], 0))
    )
    work += w["labour_quality"] * e["field_growth"] * d1 + e["parallel_speedup"]
    s1 = w["early_relevance"] * e1 + (d1 - e1) + e["serial_speedup"]
    s2 = (d1 - e1) + e["serial_speedup"]
    need = w["parallel_requirement"] * math.exp(w["requirement_difficulty"] * w["difficulty"])
    gated = min(w["gated_chains"], w["serial_chains"])
    solved = (
        (1.0 if d1 >= w["chunk_length"] else 0.0)
        * met(work, need, w["parallel_spread"])
        * met(s1, w["serial_requirement"], w["serial_spread"]) ** (w["serial_chains"] - gated)
        * met(s2, w["serial_requirement"], w["serial_spread"]) ** gated
    )
    solved += e["solution_probability"] * (1 - solved)
    lead = shifted(w["safety_lead"], e["lead_effect"])
    adopted = lead + (1 - lead) * shifted(w["adoption"], e["adoption_effect"])
    shared = shifted(w["breadth"], e["breadth_effect"])
    return w["default_success"] + (1 - w["default_success"]) * solved * adopted * shared


NOTHING = dict.fromkeys(
    (
        "parallel_speedup", "serial_speedup", "capability_speedup", "timeline_shortening",
        "adoption_effect", "lead_effect", "breadth_effect", "knowhow_effect",
        "assistance_effect", "grace_effect", "solution_probability", "field_growth",
    ),
    0.0,
)  # fmt: skip


class Outcome(NamedTuple):
    """A world, what the project does to it if it hits and if not, and how likely it hits."""

    world: dict[str, float]
    if_hit: dict[str, float]
    if_miss: dict[str, float]
    hit: float


def outcome(
    model: str, facts: dict[str, Any], points: dict[str, float], quantities: dict[str, float],
    stated: dict[str, float],
) -> Outcome:  # fmt: skip
    """From beliefs that are points to a project's effects; see `evaluate`."""
    every = {**NEUTRAL, **points, **stated}
    stated = {k: v for k, v in stated.items() if k not in NEUTRAL or k in OPENS[model]}
    w = {
        k: (NEUTRAL[k] if k in NEUTRAL and k not in OPENS[model] else v)
        for k, v in every.items()
    }
    kind = facts["kind"]
    effort, duration, cost = (quantities[k] for k in ("effort", "duration", "cost"))
    if kind == "capabilities":
        relevance, coupling = 0.0, 1.0
    elif kind == "applications":
        relevance, coupling = w["applications_relevance"], w["applications_coupling"]
    else:
        zf, za = FOCUS[facts["focus"]], APPROACH[facts["approach"]]
        relevance = every["relevance"] if "relevance" in every else logistic(
            w["relevance_intercept"] + w["relevance_focus"] * zf + w["relevance_approach"] * za
            - w["relevance_difficulty"] * w["difficulty"] + w["relevance_residual"]
        )  # fmt: skip
        coupling = every["coupling"] if "coupling" in every else logistic(
            w["coupling_intercept"] - w["coupling_focus"] * zf - w["coupling_approach"] * za
            + w["coupling_residual"]
        )  # fmt: skip
    kept = 1 - w["displacement"]
    ratio = w["area_researchers"] / w["crowding_peak"]
    crowd = ratio * math.exp(1 - ratio)
    criteria = facts["criteria"]
    fit = len(criteria) / 4 if "no-scaling" in criteria else 0.0
    path = fit * crowd * effort * kept
    odds = effort * relevance * kept
    e = {
        "parallel_speedup": effort * (1 - w["serial_share"]) * relevance * w["labour_quality"]
        * w["skill"] * kept * crowd,
        "serial_speedup": duration * w["serial_share"] * relevance * w["advance"] * kept,
        "adoption_effect": odds * w["adoption_per_fte_year"],
        "lead_effect": odds * w["lead_per_fte_year"],
        "breadth_effect": odds * w["breadth_per_fte_year"],
        "knowhow_effect": path * w["knowhow_per_fte_year"],
        "assistance_effect": path * w["assistance_per_fte_year"],
        "grace_effect": path * w["grace_per_fte_year"],
        "field_growth": path * w["followers_per_fte_year"],
        "solution_probability": 1 - math.exp(-path * w["solution_per_fte_year"]),
    }  # fmt: skip
    hype = w["elasticity"] * w["hype_leverage"] * cost / w["ai_spend"]
    found = min(
        coupling * effort * w["breakthrough"] / w["capability_researchers"], w["lead_time"]
    )
    hit, x_hit, x_miss = w["hit_probability"], w["leak"] * found + hype, hype
    if "capability_speedup" in stated:
        x_hit, x_miss = stated["capability_speedup"], 0.0
        hit = stated.get("hit_probability", 1.0)
    for name in e:
        if name in stated:
            e[name] = stated[name]

    def branch(x: float) -> dict[str, float]:
        return {
            **NOTHING, **e, "capability_speedup": x,
            "timeline_shortening": stated.get("timeline_shortening", (1 - w["overhang"]) * x),
        }  # fmt: skip

    return Outcome(w, branch(x_hit), branch(x_miss), hit)


def evaluate(
    model: str, facts: dict[str, Any], points: dict[str, float], quantities: dict[str, float],
    stated: dict[str, float] | None = None,
) -> dict[str, float]:  # fmt: skip
    """Everything that `score` reports, for beliefs that are points.

    ``points`` may hold beliefs that the model does not use; ``stated`` are effects and beliefs
    that the proposal itself states.
    """
    w, if_hit, if_miss, hit = outcome(model, facts, points, quantities, stated or {})
    without = success(w, NOTHING)
    with_hit, with_miss = success(w, if_hit), success(w, if_miss)

    def average(name: str) -> float:
        return hit * if_hit[name] + (1 - hit) * if_miss[name]

    return {
        "p_success_without": without,
        "p_success_with": hit * with_hit + (1 - hit) * with_miss,
        "net_effect": hit * (with_hit - without) + (1 - hit) * (with_miss - without),
        "parallel_speedup": if_hit["parallel_speedup"],
        "serial_speedup": if_hit["serial_speedup"],
        "capability_speedup": average("capability_speedup"),
        "timeline_shortening": average("timeline_shortening"),
    }
