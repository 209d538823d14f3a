"""Questions as plain data and back: what a saved run writes down of beliefs, facts and evidence.

Knows no files. Restoring a record gives an object that is equal to the one recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from difprog.beliefs.beliefs import Belief, Correlation
from difprog.beliefs.families import FAMILIES, Distribution, Mixture, Point, Shape, checked
from difprog.evidence.posterior import Posterior, Predictive
from difprog.race.effects import Facts


def shape(found: Shape) -> dict[str, Any]:
    """Return a shape as plain data; infinite ends are left out, as JSON has none."""
    if isinstance(found, Point):
        return {"value": found.value}
    if isinstance(found, Mixture):
        return {
            "weights": list(found.weights),
            "parts": [shape(part) for part in found.parts],
            "integer": found.integer,
        }
    ends = {"lower": found.lower, "upper": found.upper}
    return {
        "family": found.family.name,
        "parameters": list(found.parameters),
        "integer": found.integer,
        **{name: end for name, end in ends.items() if np.isfinite(end)},
    }


def restored_shape(data: Mapping[str, Any]) -> Shape:
    """Return the shape that was recorded; raises KeyError, TypeError or ValueError on other data."""
    if "value" in data:
        return Point(float(data["value"]))
    if "parts" in data:
        parts = tuple(restored_shape(part) for part in data["parts"])
        if any(isinstance(part, Mixture) for part in parts):
            raise ValueError("a mixture inside a mixture")
        simple = tuple(part for part in parts if not isinstance(part, Mixture))
        return Mixture(tuple(map(float, data["weights"])), simple, bool(data["integer"]))
    return checked(
        Distribution(
            FAMILIES[data["family"]],
            tuple(map(float, data["parameters"])),
            float(data.get("lower", -np.inf)),
            float(data.get("upper", np.inf)),
            bool(data["integer"]),
        )
    )


def belief(found: Belief) -> dict[str, Any]:
    """Return a belief as plain data."""
    return {
        "shape": shape(found.shape),
        "stated": [[level, value] for level, value in sorted(found.stated.items())],
        "source": found.source,
        "note": found.note,
        "evidence": found.evidence,
        "layer": found.layer,
    }


def restored_belief(name: str, data: Mapping[str, Any]) -> Belief:
    """Return the belief that was recorded."""
    return Belief(
        name,
        restored_shape(data["shape"]),
        {float(level): float(value) for level, value in data["stated"]},
        **{key: str(data[key]) for key in ("source", "note", "evidence", "layer")},
    )


def facts(found: Facts) -> dict[str, Any]:
    """Return a project's facts, as a model reads them, as plain data."""
    return {
        "kind": found.kind,
        "focus": found.focus,
        "approach": found.approach,
        "novelty": found.novelty,
        "publication": found.publication,
        "criteria": sorted(found.criteria),
        "certain": found.certain,
    }


def restored_facts(data: Mapping[str, Any]) -> Facts:
    """Return the facts that were recorded."""
    rest = {key: str(data[key]) for key in ("kind", "focus", "approach", "novelty", "publication")}
    return Facts(**rest, criteria=frozenset(map(str, data["criteria"])), certain=bool(data["certain"]))


def correlation(found: Correlation) -> dict[str, Any]:
    """Return a correlation as plain data."""
    return {"between": list(found.between), "rank": found.rank, "layer": found.layer}


def restored_correlation(data: Mapping[str, Any]) -> Correlation:
    """Return the correlation that was recorded."""
    first, second = map(str, data["between"])
    return Correlation((first, second), float(data["rank"]), str(data["layer"]))


def posterior(found: Posterior) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a posterior as plain data and arrays by name, each of shape (kept,)."""
    arrays: dict[str, Any] = dict(found.draws)
    for name, predictive in found.predictive.items():
        arrays[f"{name}.location"] = predictive.location
        arrays[f"{name}.scale"] = predictive.scale
    data = {
        "key": found.key,
        "draws": list(found.draws),
        "shifts": {name: predictive.shift for name, predictive in found.predictive.items()},
        "datasets": dict(found.datasets),
        "diagnostics": dict(found.diagnostics),
    }
    return data, arrays


def restored_posterior(data: Mapping[str, Any], arrays: Mapping[str, Any]) -> Posterior:
    """Return the posterior that was recorded."""
    return Posterior(
        draws={name: arrays[name] for name in data["draws"]},
        predictive={
            name: Predictive(arrays[f"{name}.location"], arrays[f"{name}.scale"], float(shift))
            for name, shift in data["shifts"].items()
        },
        datasets={str(name): str(dataset) for name, dataset in data["datasets"].items()},
        diagnostics=dict(data["diagnostics"]),
        key=str(data["key"]),
    )
