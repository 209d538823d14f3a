"""Hypothesis strategies for beliefs that are points, within their supports."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st

from difprog.race.effects import CRITERIA
from difprog.race.parameters import FACTS, PARAMETERS, Group, Parameter

#: Where most of the interest lies, per parameter that would else be drawn from its support.
RANGES = {
    "agi_arrival": (0.1, 80), "grace_period": (0, 10), "researchers": (1, 1e5),
    "researcher_growth": (-0.3, 0.6), "parallel_requirement": (1, 1e6), "chunk_length": (0, 8),
    "serial_requirement": (0.1, 60), "brink_surge": (0, 100), "convergence": (0, 20),
    "runup_length": (0, 10), "assistance": (0, 10), "knowhow_horizon": (0.01, 20),
    "skill": (0.1, 10), "breakthrough": (0.01, 1e3), "lead_time": (0.01, 15),
    "capability_researchers": (100, 1e6), "elasticity": (0, 5), "hype_leverage": (0, 100),
    "ai_spend": (1e9, 1e13), "alignment_spend": (1e7, 1e10), "area_researchers": (1, 1e3),
    "crowding_peak": (1, 1e3), "parallel_spread": (0, 2), "serial_spread": (0, 2),
    "effort": (0, 300), "duration": (0, 10), "cost": (0, 1e9),
}  # fmt: skip


def value(parameter: Parameter) -> st.SearchStrategy[float]:
    """One value of a parameter."""
    support = parameter.support
    if support.integer:
        return st.integers(0, 6).map(float)
    if parameter.name in RANGES:
        low, high = RANGES[parameter.name]
    elif parameter.name.endswith("_per_fte_year"):
        low, high = 0, 1e-2
    elif support.upper == 1:
        low, high = (1e-6 if support.open_lower else 0), 1
    else:
        low, high = -2, 2
    inside = st.floats(low, high, exclude_min=support.open_lower, exclude_max=support.open_upper)
    return inside.map(lambda v: 0.0 if abs(v) < 1e-9 and 0.0 in support else v).filter(
        lambda v: v in support
    )


def points() -> st.SearchStrategy[dict[str, float]]:
    """A point for every belief that is neither an effect nor stated in place of the grid."""
    return st.fixed_dictionaries(
        {
            name: value(p)
            for name, p in PARAMETERS.items()
            if p.group not in (Group.FACT, Group.EFFECT) and name not in ("relevance", "coupling")
        }
    )


def facts() -> st.SearchStrategy[dict[str, Any]]:
    """The facts of a project, its criteria among them."""
    return st.fixed_dictionaries(
        {
            **{fact: st.sampled_from(values) for fact, values in FACTS.items()},
            "criteria": st.lists(st.sampled_from(CRITERIA), unique=True),
        }
    )


def quantities() -> st.SearchStrategy[dict[str, float]]:
    """Effort, duration, cost."""
    return st.fixed_dictionaries(
        {name: value(PARAMETERS[name]) for name in ("effort", "duration", "cost")}
    )


def stated() -> st.SearchStrategy[dict[str, float]]:
    """What a proposal may state outright: effects, its place on the grid, its chance of a hit."""
    names = [n for n, p in PARAMETERS.items() if p.group is Group.EFFECT]
    return st.fixed_dictionaries(
        {},
        optional={
            name: value(PARAMETERS[name]) for name in (*names, "relevance", "coupling", "hit_probability")
        },
    )


def close(first: float, second: float) -> bool:
    """Whether two numbers agree to 1e-9, relative, or to the rounding of a probability."""
    return math.isclose(first, second, rel_tol=1e-9, abs_tol=2e-15)
