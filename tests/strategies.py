"""Hypothesis strategies for beliefs that are points, within their supports."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from difprog.models.model import STATED_ONLY, vocabulary
from difprog.race.parameters import CRITERIA, FACTS, Group, Parameter

#: Where most of the interest lies, per parameter that would else be drawn from its support.
RANGES = {
    "agi_arrival": (0.1, 80), "grace_period": (0, 10), "researchers": (1, 1e5),
    "researcher_growth": (-0.3, 0.6), "field_ceiling": (1, 1e6), "parallel_requirement": (1, 1e6),
    "chunk_length": (0, 8), "serial_requirement": (0.1, 60), "brink_surge": (0, 100), "convergence": (0, 20),
    "runup_length": (0, 10), "assistance": (0, 10), "knowhow_horizon": (0.01, 20),
    "skill": (0.1, 10), "breakthrough": (0.01, 1e3), "lead_time": (0.01, 15),
    "capability_researchers": (100, 1e6), "serial_researchers": (1, 1e4), "elasticity": (0, 5),
    "hype_leverage": (0, 100), "ai_spend": (1e9, 1e13), "alignment_spend": (1e7, 1e10),
    "area_researchers": (1, 1e3), "crowding_peak": (1, 1e3), "parallel_spread": (0, 2),
    "chunk_spread": (0, 2), "serial_spread": (0, 2), "applications_relevance": (0.001, 2),
    "relevance": (0.001, 10), "effort": (0, 300), "start": (0, 40), "duration": (0.01, 10), "cost": (0, 1e9),
    "parallel_speedup": (-100, 1e4), "serial_speedup": (-1, 10), "gated_speedup": (-1, 10),
    "capability_speedup": (-1, 10), "timeline_shortening": (-1, 10), "field_growth": (-0.5, 100),
    "knowhow_effect": (0, 1), "assistance_effect": (0, 1), "grace_effect": (0, 1),
}  # fmt: skip


def bounds(parameter: Parameter) -> tuple[float, float]:
    """Return the ends between which values of a parameter are drawn."""
    if parameter.support.integer:
        return 0, 6
    if parameter.name in RANGES:
        return RANGES[parameter.name]
    if parameter.name.endswith("_per_fte_year"):
        return 0, 1e-2
    if parameter.support.upper == 1:
        return (1e-6 if parameter.support.open_lower else 0), 1
    return -2, 2


def value(parameter: Parameter) -> st.SearchStrategy[float]:
    """One value of a parameter; the neutral one comes often."""
    support, (low, high) = parameter.support, bounds(parameter)
    if support.integer:
        return st.integers(int(low), int(high)).map(float)
    inside = st.floats(low, high, exclude_min=support.open_lower, exclude_max=support.open_upper)
    found = inside.map(lambda v: 0.0 if abs(v) < 1e-9 and 0.0 in support else v)
    found = found.filter(lambda v: v in support)
    neutral = parameter.neutral
    return found if neutral is None else st.one_of(found, found, found, st.just(float(neutral)))


def worlds(count: int = 24) -> st.SearchStrategy[dict[str, np.ndarray]]:
    """So many worlds at once, an array for every belief: the graph works on arrays.

    The first is drawn by hypothesis; in each of the others half of the beliefs, or so, are drawn anew by a
    generator whose seed is, where the range spans decades evenly in their logarithm.
    """
    wanted = [
        n for n, p in vocabulary().items() if p.group is not Group.EFFECT and n not in STATED_ONLY
    ]
    return stated(wanted, count)


def _spread(first: dict[str, float], seed: int, count: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    found = {}
    for name, value in first.items():
        parameter = vocabulary()[name]
        low, high = bounds(parameter)
        u = rng.uniform(1e-9, 1 - 1e-9, count)
        new = low * (high / low) ** u if low > 0 and high / low > 100 else low + (high - low) * u
        if parameter.support.integer:
            new = np.floor(low + (high + 1 - low) * u)
        if parameter.neutral is not None:
            new = np.where(rng.random(count) < 0.2, float(parameter.neutral), new)
        found[name] = np.where((rng.random(count) < 0.5) & (np.arange(count) > 0), new, value)
    return found


def stated(names: Sequence[str], count: int) -> st.SearchStrategy[dict[str, np.ndarray]]:
    """Some beliefs in so many worlds."""
    return st.builds(_spread, st.fixed_dictionaries({n: value(vocabulary()[n]) for n in names}),
                     st.integers(0, 2**32 - 1), st.just(count))  # fmt: skip


def facts() -> st.SearchStrategy[dict[str, Any]]:
    """The facts of a project, its criteria among them."""
    return st.fixed_dictionaries(
        {
            **{fact: st.sampled_from(values) for fact, values in FACTS.items()},
            "criteria": st.lists(st.sampled_from(CRITERIA), unique=True),
        }
    )


def effects() -> st.SearchStrategy[dict[str, float]]:
    """Every effect that a project can have under the shipped models."""
    return st.fixed_dictionaries({n: value(p) for n, p in vocabulary().items() if p.group is Group.EFFECT})


def close(first: float, second: float) -> bool:
    """Whether two numbers agree to 1e-9, relative, or to the rounding of a probability."""
    return math.isclose(first, second, rel_tol=1e-9, abs_tol=2e-15)
