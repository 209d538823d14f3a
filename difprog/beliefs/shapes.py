"""From what a belief states (percentiles, a value, parts) to its distribution, in the parameter's unit."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from difprog.base.errors import Problems
from difprog.base.units import UnitError, interval, quantity
from difprog.beliefs.distributions import Distribution, Mixture, Point, Shape
from difprog.beliefs.families import BOUNDED_BY_ENDS, FAMILIES
from difprog.beliefs.fitting import FitError, fit
from difprog.beliefs.forms import BELIEF_KEYS, PERCENTILE, BeliefForm, read
from difprog.race.parameters import Parameter, Support

#: Largest weight: a few of them still have a sum.
MOST_WEIGHT = 1e12

#: Percentiles further apart than this factor are taken to be stated on a scale of ratios.
WIDE = 10.0

#: Keys whose faults leave a belief's shape to be checked all the same.
_BESIDE = ("source", "note", "evidence", "judgement")


def spelt_out(content: object) -> object:
    """Return a belief in its long form: "2 to 45 years" is an interval of 90%, a number is a point."""
    if isinstance(content, str):
        ends = interval(content)
        return {"p5": ends[0], "p95": ends[1]} if ends else {"value": content}
    return content if isinstance(content, Mapping) else {"value": content}


def default_family(support: Support, values: Iterable[float]) -> str:
    """Return the family meant where a belief names none.

    By the support; where any number is allowed a normal, unless all percentiles are positive and either
    the parameter is an effect or they span more than a factor of ten: then a lognormal.
    """
    stated = list(values)
    if support.lower > -math.inf:
        return support.family
    positive = bool(stated) and min(stated) > 0
    return "lognormal" if positive and (support.signed or by_span(support, stated)) else "normal"


def by_span(support: Support, values: Iterable[float]) -> bool:
    """Whether the percentiles' span alone makes the default a lognormal and not a normal."""
    stated = list(values)
    if support.lower > -math.inf or support.signed or not stated or min(stated) <= 0:
        return False
    return max(stated) > WIDE * min(stated)


def read_form(content: object, key: str, problems: Problems) -> BeliefForm | None:
    """Check a belief's table against its form."""
    return read(BeliefForm, spelt_out(content), key, problems, spare=_BESIDE)


def parse_shape(
    parameter: Parameter, form: BeliefForm, key: str, problems: Problems, unit: str | None = None
) -> tuple[Shape | None, dict[float, float]]:
    """Return the shape and the percentiles as stated; adds what is wrong to ``problems``.

    Parameters
    ----------
    parameter : Parameter
        What it is about.
    form : BeliefForm
        The belief's table.
    key : str
        Where it stands.
    problems : Problems
        Collects what is wrong.
    unit : str, optional
        Of plain numbers, where the table names none.
    """
    before = len(problems.found)
    unit = form.unit if form.unit is not None else unit
    percentiles = _percentiles(parameter, form, unit, key, problems)
    bounds = _bounds(parameter, form.bounds, unit, f"{key}.bounds", problems)
    if len(problems.found) > before:
        return None, {}
    mixed = form.distribution == "mixture" or form.parts is not None or form.weights is not None
    if form.value is not None:
        if percentiles or mixed or form.distribution or bounds:
            problems.add(key, "states a value and a distribution too", hint="state one of them")
            return None, {}
        value = number(parameter, form.value, unit, f"{key}.value", problems)
        return (Point(value), {}) if len(problems.found) == before else (None, {})
    if mixed:
        if percentiles or bounds or form.distribution not in (None, "mixture"):
            problems.add(key, "a mixture has weights and parts only")
            return None, {}
        return _mixture(parameter, form, unit, key, problems), {}
    if not percentiles:
        hint = "write value = …, or p10 = … and p90 = …"
        problems.add(key, "states neither a value nor percentiles", hint=hint)
        return None, {}
    for low, high in itertools.pairwise(sorted(percentiles)):
        if percentiles[high] <= percentiles[low]:
            got = f"{percentiles[high]:g} and {percentiles[low]:g}"
            problems.add(key, f"p{100 * high:g} must be above p{100 * low:g}", got)
    if len(problems.found) > before:
        return None, {}
    return _fitted(parameter, form.distribution, percentiles, bounds, key, problems), percentiles


def number(parameter: Parameter, value: object, unit: str | None, key: str, problems: Problems) -> float:
    """Return a value in the parameter's unit, or NaN after adding what is wrong."""
    try:
        found = quantity(value, unit, parameter.unit)
    except UnitError as error:
        unit_said = parameter.unit.replace("FTE year", "FTE-years")
        wanted = f" ({unit_said})" if unit_said and "number" in str(error) else ""
        problems.add(key, f"{error}{wanted}", value, error.hint)
        return math.nan
    if found not in parameter.support:
        share = not parameter.unit and parameter.support.upper == 1 and 1 < found <= 100
        hint = f'write "{found:g}%"' if share else ""
        allowed = str(parameter.support)
        lead = "in " if allowed[0] in "[(" else "an " if allowed.startswith("integer") else ""
        problems.add(key, f"{parameter.name} must be {lead}{allowed}", value, hint)
    return found


def _smooth(parameter: Parameter) -> Parameter:
    """Return the parameter without its rounding: only draws and points of a count are integers."""
    return replace(parameter, support=replace(parameter.support, integer=False))


def _percentiles(
    parameter: Parameter, form: BeliefForm, unit: str | None, key: str, problems: Problems
) -> dict[float, float]:
    found: dict[float, float] = {}
    for name, value in (form.model_extra or {}).items():
        match = PERCENTILE.fullmatch(name)
        if match is None:
            problems.unknown(f"{key}.{name}", name, (*BELIEF_KEYS, "p5", "p10", "p50", "p90", "p95"))
            continue
        level = float(f"{match[1]}.{match[2] or 0}") / 100
        if not 0 < level < 1:
            problems.add(f"{key}.{name}", "percentiles run from p1 to p99 (p0_1 style for fractions)")
        elif level in found:
            problems.add(f"{key}.{name}", "states a percentile for the second time")
        else:
            found[level] = number(_smooth(parameter), value, unit, f"{key}.{name}", problems)
    return found


def _bounds(
    parameter: Parameter, stated: list[Any] | None, unit: str | None, key: str, problems: Problems
) -> tuple[float, float] | None:
    if stated is None:
        return None
    low, high = (number(_smooth(parameter), v, unit, key, problems) for v in stated)
    if not math.isnan(low + high) and high <= low:
        problems.add(key, "the upper bound must be above the lower", stated)
    return low, high


def _fitted(
    parameter: Parameter,
    distribution: str | None,
    percentiles: Mapping[float, float],
    bounds: tuple[float, float] | None,
    key: str,
    problems: Problems,
) -> Shape | None:
    support = parameter.support
    family = FAMILIES[distribution or default_family(support, percentiles.values())]
    lower = max(support.lower, bounds[0] if bounds else -math.inf)
    upper = min(support.upper, bounds[1] if bounds else math.inf)
    if bounds is None and family.name in BOUNDED_BY_ENDS:
        lower, upper = -math.inf, math.inf
    if bounds:
        outside = [v for v in percentiles.values() if not lower < v < upper]
        if outside:
            problems.add(key, "a percentile lies outside the bounds", f"{outside[0]:g}")
            return None
    try:
        shape = fit(family, percentiles, (lower, upper), support.integer)
    except FitError as error:
        hint = "state the distribution, or a value" if distribution is None else ""
        if len(percentiles) == 1:
            hint = "state two, such as p5 and p95, or a value"
        problems.add(key, str(error), ", ".join(f"{v:g}" for v in percentiles.values()), hint)
        return None
    if family.name in BOUNDED_BY_ENDS and not (
        shape.parameters[0] in support and shape.parameters[2] in support
    ):
        problems.add(
            key, f"the fitted ends leave the support {support}",
            f"{shape.parameters[0]:.3g} to {shape.parameters[2]:.3g}", "state bounds",
        )  # fmt: skip
        return None
    return shape


def _mixture(
    parameter: Parameter, form: BeliefForm, unit: str | None, key: str, problems: Problems
) -> Shape | None:
    before = len(problems.found)
    weights, parts = form.weights or [], form.parts or []
    if not parts or len(parts) != len(weights):
        problems.add(key, "a mixture needs as many weights as parts")
        return None
    numbers = [weight(w, f"{key}.weights[{i}]", problems) for i, w in enumerate(weights)]
    shapes: list[Distribution | Point] = []
    for index, part in enumerate(parts):
        where = f"{key}.parts[{index}]"
        inner = read_form(part, where, problems)
        if inner is None:
            continue
        if inner.parts is not None or inner.weights is not None or inner.distribution == "mixture":
            problems.add(where, "a mixture cannot hold a mixture")
            continue
        shape, _ = parse_shape(parameter, inner, where, problems, unit)
        if isinstance(shape, (Distribution, Point)):
            # Rounding a part would leave its cdf a smooth one: the whole is rounded instead.
            shapes.append(replace(shape, integer=False) if isinstance(shape, Distribution) else shape)
    if len(problems.found) > before:
        return None
    total = math.fsum(numbers)
    if not total > 0:
        problems.add(f"{key}.weights", "must not all be 0")
        return None
    return Mixture(tuple(w / total for w in numbers), tuple(shapes), parameter.support.integer)


def weight(value: object, key: str, problems: Problems) -> float:
    """Return a weight, or NaN after adding what is wrong."""
    try:
        found = quantity(value, None, "")
    except UnitError as error:
        problems.add(key, str(error), value, error.hint)
        return math.nan
    if not 0 <= found <= MOST_WEIGHT:
        problems.add(key, "must not be negative" if found < 0 else "is too large a weight", value)
    return found
