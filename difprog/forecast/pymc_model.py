"""A model of the race as a PyMC model: beliefs as random variables, the race as its graph.

Scoring does not need it; sampling by PyMC's own samplers, PyMC's tools, and the check that both
have the same law do. Imports pymc inside functions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from difprog.beliefs.families import Distribution, Mixture, Point, Shape, pert_shapes
from difprog.models.model import Model
from difprog.race.arrays import pytensor_namespace
from difprog.race.effects import Facts


def build(model: Model, facts: Facts, shapes: Mapping[str, Any]) -> Any:
    """Return the model as a PyMC model: beliefs as random variables, the race as its graph.

    Parameters
    ----------
    model : Model
        The reading.
    facts : Facts
        The project's facts.
    shapes : mapping of str to Point, Distribution or Mixture
        The beliefs; all independent.

    Returns
    -------
    pymc.Model
        With Deterministics ``p_success_without``, ``p_success_with``, ``net_effect`` and the
        project's four effects.
    """
    import pymc as pm
    import pytensor.tensor as pt


    with pm.Model() as graph:
        values = {name: pymc_variable(name, shape) for name, shape in shapes.items()}
        chances = model.chances(facts, values, pytensor_namespace())
        outcome = chances.outcome
        for name, value in {
            "effect_parallel_speedup": outcome.if_hit.parallel_speedup,
            "effect_serial_speedup": outcome.if_hit.serial_speedup,
            "effect_capability_speedup": outcome.capability_speedup,
            "effect_timeline_shortening": outcome.timeline_shortening,
            "p_success_without": chances.without,
            "p_success_with": chances.with_project,
            "net_effect": chances.net_effect,
        }.items():
            pm.Deterministic(name, pt.as_tensor_variable(value))
    return graph


def pymc_variable(name: str, shape: Shape) -> Any:
    """Return the belief as a random variable of the PyMC model that is open.

    The same law as drawing `quantile` of standard normal scores, by PyMC's own samplers: the
    two are compared in the tests. A point is a constant, as a Deterministic.

    Parameters
    ----------
    name : str
        Name of the variable.
    shape : Point, Distribution or Mixture
        The belief. Integer beliefs are rounded in a Deterministic.
    """
    import pymc as pm
    import pytensor.tensor as pt

    if isinstance(shape, Point):
        return pm.Deterministic(name, pt.as_tensor_variable(shape.value))
    inner = f"{name}_" if shape.integer else name
    if isinstance(shape, Mixture):
        # PyMC's Mixture takes neither points among densities nor transformed variables.
        part = pm.Categorical(f"{name}_part", p=np.asarray(shape.weights))
        variable = pt.stack(
            [
                pt.as_tensor_variable(p.value) if isinstance(p, Point) else _named(f"{name}_{i}", p)
                for i, p in enumerate(shape.parts)
            ]
        )[part]
        return pm.Deterministic(name, pt.round(variable) if shape.integer else variable)
    variable = _named(inner, shape)
    return pm.Deterministic(name, pt.round(variable)) if shape.integer else variable


def _named(name: str, shape: Distribution) -> Any:
    """Return one member of a family, cut or not, as a named variable."""
    import pymc as pm
    import pytensor.tensor as pt

    family, p = shape.family.name, shape.parameters
    lower, upper = max(shape.lower, shape.family.lower), min(shape.upper, shape.family.upper)
    if family == "pert":
        # PyMC has neither this nor the log-uniform: both are transforms of what it has.
        a, b = pert_shapes((p[1] - p[0]) / (p[2] - p[0]))
        return pm.Deterministic(name, p[0] + (p[2] - p[0]) * pm.Beta(f"{name}_unit", a, b))
    if family == "loguniform":
        ends = math.log(max(p[0], lower)), math.log(min(p[1], upper))
        return pm.Deterministic(name, pm.math.exp(pm.Uniform(f"{name}_log", *ends)))
    if family == "uniform":
        return pm.Uniform(name, max(p[0], lower), min(p[1], upper))
    if not shape.truncated:
        return pm.model.core.modelcontext(None).register_rv(_pymc_dist(shape), name=name)
    if shape.family.normal:
        # By inversion: PyMC cuts these by rejection, which fails where little is left.
        level = pm.Uniform(f"{name}_level", *shape.ends)
        scaled = p[0] - p[1] * math.sqrt(2.0) * pt.erfcinv(2.0 * level)
        back = {"normal": lambda x: x, "lognormal": pt.exp, "logitnormal": pt.sigmoid}[family]
        return pm.Deterministic(name, back(scaled))
    cuts = {
        "lower": lower if lower > shape.family.lower else None,
        "upper": upper if upper < shape.family.upper else None,
    }
    return pm.Truncated(name, _pymc_dist(shape), **cuts)


def _pymc_dist(shape: Distribution) -> Any:
    """Return a member of a family that PyMC has, without its cut."""
    import pymc as pm

    p = shape.parameters
    match shape.family.name:
        case "normal":
            return pm.Normal.dist(*p)
        case "lognormal":
            return pm.LogNormal.dist(*p)
        case "logitnormal":
            return pm.LogitNormal.dist(*p)
        case "beta":
            return pm.Beta.dist(*p)
        case "gamma":
            return pm.Gamma.dist(alpha=p[0], beta=1.0 / p[1])
        case "exponential":
            return pm.Exponential.dist(scale=p[0])
        case "triangular":
            return pm.Triangular.dist(lower=p[0], c=p[1], upper=p[2])
        case name:
            raise NotImplementedError(f"no PyMC variable for a {name}")
