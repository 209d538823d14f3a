"""What belief files say, once read: beliefs, correlations, layers, and how layers stack.

Layers stack, a later one replacing whole beliefs of an earlier; a stack and the facts of a project
resolve to one `Belief` per name. Plain data: files are read by `difprog.beliefs.parse`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from difprog.base import files
from difprog.base.errors import Problem
from difprog.beliefs.distributions import Point, Shape
from difprog.beliefs.fitting import misfit
from difprog.beliefs.outcomes import Outcome
from difprog.race.parameters import FACT_OF, Group, Parameter


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
    judgement : bool
        Whether the file says that it is somebody's judgement, not a measurement.
    evidence : str
        The dataset that this belief, as a prior, is conditioned on; "" where it is used as is.
    layer : str
        Label of the file it comes from.
    by_span : bool
        Whether no distribution is named and the percentiles' span alone made it a lognormal.
    """

    name: str
    shape: Shape
    stated: Mapping[float, float] = field(default_factory=dict)
    source: str = ""
    note: str = ""
    evidence: str = ""
    layer: str = ""
    judgement: bool = False
    by_span: bool = False

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

    ``beliefs`` maps a name to its belief per value of a fact, the value "" standing for all;
    ``outcomes`` are what it states about the outcome.
    """

    source: files.Source
    beliefs: Mapping[str, Mapping[str, Belief]]
    correlations: tuple[Correlation, ...] = ()
    as_of: date | None = None
    outcomes: tuple[Outcome, ...] = ()


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
        """The correlations in force by sorted pair, a later layer's replacing an earlier's.

        A layer that is certain of a belief's value leaves nothing for earlier layers to tie to it.
        """
        found: dict[tuple[str, str], Correlation] = {}
        for layer in self.layers:
            certain = {
                name for name, cases in layer.beliefs.items()
                if all(isinstance(belief.shape, Point) for belief in cases.values())
            }  # fmt: skip
            found = {pair: c for pair, c in found.items() if not certain & set(pair)}
            for correlation in layer.correlations:
                first, second = sorted(correlation.between)
                found[first, second] = correlation
        return found

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """What is stated about the outcome by name, a later layer's replacing an earlier's."""
        return {outcome.name: outcome for layer in self.layers for outcome in layer.outcomes}

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
