"""Belief files: read, validate, layer, resolve.

A file becomes a `Layer`; layers stack, a later one replacing whole beliefs of an earlier; a
stack and the facts of a project resolve to one `Belief` per name. All problems of a file are
reported at once. Knows nothing of models, PyMC or draws.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from difprog.base import files
from difprog.base.errors import Problem, Problems
from difprog.base.units import UnitError, interval, quantity
from difprog.beliefs.families import (
    BOUNDED_BY_ENDS,
    FAMILIES,
    Distribution,
    FitError,
    Mixture,
    Point,
    Shape,
    fit,
    misfit,
)
from difprog.race.parameters import FACT_OF, PARAMETERS, Group, Parameter, Support

#: Keys of a belief table beside its percentiles.
BELIEF_KEYS = (
    "value", "distribution", "unit", "bounds", "source", "note", "weights", "parts", "evidence",
)  # fmt: skip
CORRELATION_KEYS = ("between", "rank", "source", "note")
DISTRIBUTIONS = (*FAMILIES, "mixture")
PERCENTILE = re.compile(r"p(\d{1,2})(?:_(\d{1,6}))?")

#: Most parts of a mixture, and most characters of a text, that a file may hold.
MOST_PARTS = 20
LONGEST_TEXT = 4000

#: Largest weight: a few of them still have a sum.
MOST_WEIGHT = 1e12


@dataclass(frozen=True)
class Belief:
    """What a file says about one parameter.

    Attributes
    ----------
    name : str
        The parameter.
    shape : Point, Distribution or Mixture
        In the parameter's own unit.
    stated : dict of float to float
        The percentiles as stated, level in (0, 1) to value in the parameter's unit.
    source, note : str
        Who says so, and why.
    evidence : str
        The dataset that this belief, as a prior, is conditioned on; "" where it is used as is.
    layer : str
        Label of the file it comes from.
    """

    name: str
    shape: Shape
    stated: Mapping[float, float] = field(default_factory=dict)
    source: str = ""
    note: str = ""
    evidence: str = ""
    layer: str = ""

    @property
    def misfit(self) -> float:
        """Largest relative distance between a stated percentile and the fitted one."""
        return misfit(self.shape, self.stated)


@dataclass(frozen=True)
class Correlation:
    """A Spearman rank correlation between two beliefs, by a Gaussian copula."""

    between: tuple[str, str]
    rank: float
    layer: str = ""


@dataclass(frozen=True)
class Layer:
    """One belief file.

    ``beliefs`` maps a name to its belief per value of a fact, the value "" standing for all.
    """

    source: files.Source
    beliefs: Mapping[str, Mapping[str, Belief]]
    correlations: tuple[Correlation, ...] = ()
    as_of: date | None = None


def read_layer(
    path: Path, vocabulary: Mapping[str, Parameter] = PARAMETERS, name: str | None = None
) -> Layer:
    """Read and validate a belief file.

    Parameters
    ----------
    path : Path
        A TOML file with ``[beliefs]``, and optionally ``[[correlations]]`` and ``as_of``.
    vocabulary : mapping of str to Parameter
        The names that beliefs may have.
    name : str, optional
        What to call the file in error messages; its path by default.

    Raises
    ------
    BadInput
        With every problem of the file.
    """
    content, source = files.read_toml(path, name)
    problems = Problems(name or str(path))
    layer = parse_layer(content, source, problems, vocabulary)
    problems.check()
    return layer


def parse_layer(
    content: Mapping[str, Any],
    source: files.Source,
    problems: Problems,
    vocabulary: Mapping[str, Parameter] = PARAMETERS,
) -> Layer:
    """Validate the content of a belief file, adding what is wrong to ``problems``."""
    for key in content:
        if key not in ("beliefs", "correlations", "as_of"):
            problems.unknown(key, key, ("beliefs", "correlations", "as_of"))
    as_of = content.get("as_of")
    if as_of is not None:
        as_of = _date(as_of, problems)
    return Layer(
        source=source,
        beliefs=parse_beliefs(content.get("beliefs", {}), source.label, problems, vocabulary),
        correlations=parse_correlations(
            content.get("correlations", []), source.label, problems, vocabulary
        ),
        as_of=as_of,
    )


def _date(value: object, problems: Problems) -> date | None:
    try:
        if type(value) is date:
            return value
        if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            return date.fromisoformat(value)
        raise ValueError
    except ValueError:
        problems.add("as_of", "is not a date", value, 'write as_of = "2026-11-20"')
        return None


def parse_beliefs(
    table: object,
    label: str,
    problems: Problems,
    vocabulary: Mapping[str, Parameter] = PARAMETERS,
) -> dict[str, dict[str, Belief]]:
    """Validate a ``[beliefs]`` table: name → value of a fact ("" for all) → belief."""
    beliefs: dict[str, dict[str, Belief]] = {}
    if not isinstance(table, Mapping):
        problems.add("beliefs", "must be a table", table)
        return beliefs
    for name, content in table.items():
        key = f"beliefs.{name}"
        parameter = vocabulary.get(name)
        if parameter is None:
            problems.unknown(key, name, vocabulary, "unknown belief")
        elif parameter.group is Group.FACT:
            problems.add(key, "is a fact of a proposal, not a belief", hint="state it in [project]")
        else:
            beliefs[name] = _per_fact(parameter, content, key, label, problems)
    return beliefs


def _per_fact(
    parameter: Parameter, content: object, key: str, label: str, problems: Problems
) -> dict[str, Belief]:
    """Split a belief into what it says for all projects and per value of a fact."""
    if not isinstance(content, Mapping):
        belief = parse_belief(parameter, content, key, label, problems)
        return {} if belief is None else {"": belief}
    nested = {k: v for k, v in content.items() if isinstance(v, Mapping) or k in FACT_OF}
    found: dict[str, Belief] = {}
    facts = {FACT_OF[value] for value in nested if value in FACT_OF}
    if len(facts) > 1:
        problems.add(key, f"depends on more than one fact: {', '.join(sorted(facts))}")
    for value, inner in nested.items():
        if value not in FACT_OF:
            problems.unknown(f"{key}.{value}", value, (*BELIEF_KEYS, *FACT_OF))
            continue
        belief = parse_belief(parameter, inner, f"{key}.{value}", label, problems)
        if belief is not None:
            found[value] = belief
    plain = {k: v for k, v in content.items() if k not in nested}
    if plain or not nested:
        belief = parse_belief(parameter, plain, key, label, problems)
        if belief is not None:
            found[""] = belief
    return found


def parse_belief(
    parameter: Parameter, content: object, key: str, label: str, problems: Problems
) -> Belief | None:
    """Validate one belief; returns None after adding what is wrong to ``problems``.

    Parameters
    ----------
    parameter : Parameter
        What it is about: gives the unit and the support.
    content : object
        A table, a number (a point), or a text ("2 to 45 years", "18 months").
    key : str
        Where in the file it stands.
    label : str
        Label of the file.
    problems : Problems
        Collects what is wrong.
    """
    before = len(problems.found)
    if isinstance(content, str):
        ends = interval(content)
        content = {"p5": ends[0], "p95": ends[1]} if ends else {"value": content}
    elif not isinstance(content, Mapping):
        content = {"value": content}
    texts = {k: _text(content.get(k, ""), f"{key}.{k}", problems) for k in ("source", "note", "evidence")}
    shape, stated = _parse_shape(parameter, content, key, problems)
    if len(problems.found) > before or shape is None:
        return None
    return Belief(parameter.name, shape, stated, layer=label, **texts)


def _text(value: object, key: str, problems: Problems) -> str:
    if not isinstance(value, str):
        problems.add(key, "must be a text", value)
        return ""
    if len(value) > LONGEST_TEXT:
        problems.add(key, f"is longer than {LONGEST_TEXT} characters")
    return value


def _parse_shape(
    parameter: Parameter, content: Mapping[str, Any], key: str, problems: Problems
) -> tuple[Shape | None, dict[float, float]]:
    """Return the shape and the percentiles as stated; adds what is wrong to ``problems``."""
    unit = content.get("unit")
    if unit is not None and not isinstance(unit, str):
        problems.add(f"{key}.unit", "must be a text", unit)
        return None, {}
    before = len(problems.found)
    percentiles: dict[float, float] = {}
    for name, value in content.items():
        match = PERCENTILE.fullmatch(name)
        if match is None:
            if name not in BELIEF_KEYS:
                problems.unknown(f"{key}.{name}", name, (*BELIEF_KEYS, "p5", "p10", "p50", "p90", "p95"))
            continue
        level = float(f"{match[1]}.{match[2] or 0}") / 100
        if not 0 < level < 1:
            problems.add(f"{key}.{name}", "percentiles run from p1 to p99 (p0_1 style for fractions)")
        elif level in percentiles:
            problems.add(f"{key}.{name}", "states a percentile for the second time")
        else:
            percentiles[level] = _number(_smooth(parameter), value, unit, f"{key}.{name}", problems)
    distribution = content.get("distribution")
    if distribution is not None and distribution not in DISTRIBUTIONS:
        if isinstance(distribution, str):
            problems.unknown(f"{key}.distribution", distribution, DISTRIBUTIONS, "unknown distribution")
        else:
            problems.add(f"{key}.distribution", "must be a text", distribution)
    bounds = _bounds(parameter, content.get("bounds"), unit, f"{key}.bounds", problems)
    if len(problems.found) > before:
        return None, {}

    if "value" in content:
        others = [k for k in content if k in ("distribution", "bounds", "weights", "parts")]
        if percentiles or others:
            problems.add(key, "states a value and a distribution too", hint="state one of them")
            return None, {}
        value = _number(parameter, content["value"], unit, f"{key}.value", problems)
        return (Point(value), {}) if len(problems.found) == before else (None, {})
    if distribution == "mixture" or "parts" in content or "weights" in content:
        if percentiles or "bounds" in content or distribution not in (None, "mixture"):
            problems.add(key, "a mixture has weights and parts only")
            return None, {}
        return _mixture(parameter, content, unit, key, problems), {}
    if not percentiles:
        problems.add(
            key, "states neither a value nor percentiles", hint="write value = …, or p10 = … and p90 = …"
        )
        return None, {}
    levels = sorted(percentiles)
    for low, high in itertools.pairwise(levels):
        if percentiles[high] <= percentiles[low]:
            problems.add(
                key,
                f"p{100 * high:g} must be above p{100 * low:g}",
                f"{percentiles[high]:g} and {percentiles[low]:g}",
            )
    if len(problems.found) > before:
        return None, {}
    shape = _fitted(parameter, distribution, percentiles, bounds, key, problems)
    return shape, percentiles


def _smooth(parameter: Parameter) -> Parameter:
    """Return the parameter without its rounding: only draws and points of a count are integers."""
    return replace(parameter, support=replace(parameter.support, integer=False))


def _number(
    parameter: Parameter, value: object, unit: str | None, key: str, problems: Problems
) -> float:
    """Return a value in the parameter's unit, or NaN after adding what is wrong."""
    try:
        number = quantity(value, unit, parameter.unit)
    except UnitError as error:
        wanted = f" ({parameter.unit})" if parameter.unit else ""
        problems.add(key, f"{error}{wanted}" if "number" in str(error) else str(error), value)
        return math.nan
    if number not in parameter.support:
        problems.add(key, f"{parameter.name} must be {parameter.support}", value)
    return number


def _bounds(
    parameter: Parameter, value: object, unit: str | None, key: str, problems: Problems
) -> tuple[float, float] | None:
    if value is None:
        return None
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        problems.add(key, "must be two numbers, the lower and the upper", value)
        return None
    low, high = (_number(_smooth(parameter), v, unit, key, problems) for v in value)
    if not math.isnan(low + high) and high <= low:
        problems.add(key, "the upper bound must be above the lower", value)
    return low, high


def default_family(support: Support, values: Iterable[float]) -> str:
    """Return the family meant where a belief names none: by its support, and the values' sign."""
    if support.signed:
        return "lognormal" if all(v > 0 for v in values) else "normal"
    return support.family


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
    parameter: Parameter, content: Mapping[str, Any], unit: str | None, key: str, problems: Problems
) -> Shape | None:
    weights, parts = content.get("weights"), content.get("parts")
    if not isinstance(parts, list) or not isinstance(weights, list) or len(parts) != len(weights):
        problems.add(key, "a mixture needs as many weights as parts")
        return None
    if not 1 <= len(parts) <= MOST_PARTS:
        problems.add(f"{key}.parts", f"must be 1 to {MOST_PARTS}", len(parts))
        return None
    numbers: list[float] = []
    for index, weight in enumerate(weights):
        try:
            numbers.append(quantity(weight, None, ""))
        except UnitError as error:
            problems.add(f"{key}.weights[{index}]", str(error), weight)
            return None
        if not 0 <= numbers[-1] <= MOST_WEIGHT:
            wrong = "must not be negative" if numbers[-1] < 0 else "is too large a weight"
            problems.add(f"{key}.weights[{index}]", wrong, weight)
    shapes: list[Distribution | Point] = []
    for index, part in enumerate(parts):
        where = f"{key}.parts[{index}]"
        if not isinstance(part, Mapping):
            part = {"value": part}
        if "parts" in part or "weights" in part or part.get("distribution") == "mixture":
            problems.add(where, "a mixture cannot hold a mixture")
            continue
        for name in ("source", "note", "evidence"):
            _text(part.get(name, ""), f"{where}.{name}", problems)
        inner = {"unit": unit, **part} if unit is not None else part
        shape, _ = _parse_shape(parameter, inner, where, problems)
        if isinstance(shape, (Distribution, Point)):
            # Rounding a part would leave its cdf a smooth one: the whole is rounded instead.
            shapes.append(replace(shape, integer=False) if isinstance(shape, Distribution) else shape)
    if len(shapes) != len(parts) or max(numbers) > MOST_WEIGHT:
        return None
    total = math.fsum(numbers)
    if not total > 0:
        problems.add(f"{key}.weights", "must not all be 0")
        return None
    return Mixture(tuple(w / total for w in numbers), tuple(shapes), parameter.support.integer)


def parse_correlations(
    content: object, label: str, problems: Problems, vocabulary: Mapping[str, Parameter] = PARAMETERS
) -> tuple[Correlation, ...]:
    """Validate ``[[correlations]]``: two different beliefs and a rank strictly within ±1."""
    if not isinstance(content, list):
        problems.add("correlations", "must be a list of tables, [[correlations]]", content)
        return ()
    found: list[Correlation] = []
    for index, entry in enumerate(content):
        key = f"correlations[{index}]"
        if not isinstance(entry, Mapping):
            problems.add(key, "must be a table", entry)
            continue
        for name in entry:
            if name not in CORRELATION_KEYS:
                problems.unknown(f"{key}.{name}", name, CORRELATION_KEYS)
        for name in ("source", "note"):
            _text(entry.get(name, ""), f"{key}.{name}", problems)
        pair = entry.get("between")
        if not isinstance(pair, list) or len(pair) != 2 or pair[0] == pair[1]:
            problems.add(f"{key}.between", "must be two different beliefs", pair)
            continue
        unknown = [n for n in pair if not isinstance(n, str) or n not in vocabulary]
        for name in unknown:
            problems.unknown(f"{key}.between", str(name), vocabulary, "unknown belief")
        try:
            rank = quantity(entry.get("rank"), None, "")
        except UnitError as error:
            problems.add(f"{key}.rank", str(error), entry.get("rank"))
            continue
        if not -1 < rank < 1:
            problems.add(f"{key}.rank", "must be strictly between -1 and 1", rank)
        elif not unknown:
            found.append(Correlation((pair[0], pair[1]), rank, label))
    return tuple(found)


@dataclass(frozen=True)
class Stack:
    """Layers in order, the last one winning."""

    layers: tuple[Layer, ...]

    def lookup(self, name: str, facts: Mapping[str, str]) -> Belief | None:
        """Return the belief that holds for a project with these facts, or None."""
        for layer in reversed(self.layers):
            cases = layer.beliefs.get(name)
            if not cases:
                continue
            for value, belief in cases.items():
                if value and facts.get(FACT_OF[value]) == value:
                    return belief
            if "" in cases:
                return cases[""]
        return None

    @property
    def as_of(self) -> date:
        """The date from which years are counted: that of the last layer that states one."""
        for layer in reversed(self.layers):
            if layer.as_of is not None:
                return layer.as_of
        return date(1970, 1, 1)

    @property
    def correlations(self) -> dict[tuple[str, str], Correlation]:
        """The correlations in force by sorted pair, a later layer's replacing an earlier's."""
        found: dict[tuple[str, str], Correlation] = {}
        for layer in self.layers:
            for correlation in layer.correlations:
                first, second = sorted(correlation.between)
                found[first, second] = correlation
        return found

    def resolve(
        self, names: Iterable[str], facts: Mapping[str, str], vocabulary: Mapping[str, Parameter]
    ) -> tuple[dict[str, Belief], list[Problem]]:
        """Return one belief per name that is stated or has a neutral value, and what is missing.

        Effects are returned only where a layer states them: otherwise they are derived.
        """
        beliefs: dict[str, Belief] = {}
        missing: list[Problem] = []
        for name in names:
            parameter = vocabulary[name]
            belief = self.lookup(name, facts)
            if belief is not None:
                beliefs[name] = belief
            elif parameter.group is Group.EFFECT or name in ("relevance", "coupling"):
                continue
            elif parameter.neutral is not None:
                beliefs[name] = neutral(parameter)
            else:
                stated = {v for layer in self.layers for v in layer.beliefs.get(name, {})}
                only = f"stated only for: {', '.join(sorted(stated))}"
                hint = only if stated else "state it in a belief file"
                missing.append(Problem("beliefs", name, "is not stated by any file", hint=hint))
        return beliefs, missing


def neutral(parameter: Parameter) -> Belief:
    """Return the point belief that switches a parameter's mechanism off."""
    assert parameter.neutral is not None
    return Belief(parameter.name, Point(parameter.neutral), source="neutral value", layer="neutral")
