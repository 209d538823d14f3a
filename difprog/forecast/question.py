"""A question: one project under several readings of the race. Knows beliefs and models; draws nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from difprog.beliefs.beliefs import Belief, Correlation
from difprog.beliefs.distributions import Point, Shape
from difprog.evidence.posterior import Posterior
from difprog.models.model import STATED_ONLY, Model, vocabulary_of
from difprog.race.parameters import CRITERIA, Group, Parameter

#: The three worlds of a question: without the project, with it and its breakthrough, with it and without.
WORLDS = ("without", "hit", "miss")


@dataclass(frozen=True)
class View:
    """One reading's view of a project.

    Attributes
    ----------
    model : Model
        The reading.
    beliefs : dict of str to Belief
        One for every parameter that the reading reads and that has one.
    posterior : Posterior or None
        Draws in place of the beliefs that are conditioned on evidence.
    """

    model: Model
    beliefs: Mapping[str, Belief]
    posterior: Posterior | None = None

    def conditioned(self, name: str) -> bool:
        """Whether a belief's draws come from the posterior."""
        belief = self.beliefs.get(name)
        return (
            belief is not None
            and bool(belief.evidence)
            and self.posterior is not None
            and name in self.posterior
        )


@dataclass(frozen=True)
class Source:
    """Where the draws of a belief come from: its own shape, or kept draws of a posterior."""

    shape: Shape
    posterior: Posterior | None = None

    @property
    def key(self) -> object:
        """What tells sources apart: equal keys give equal draws from equal scores."""
        return self.shape if self.posterior is None else ("kept", self.posterior.key or id(self.posterior))

    @property
    def point(self) -> float | None:
        """The value of a point, None of all else."""
        return self.shape.value if self.posterior is None and isinstance(self.shape, Point) else None


@dataclass(frozen=True)
class Question:
    """One project under several readings, on the same worlds: all that is needed to draw.

    Attributes
    ----------
    views : tuple of View
        One per reading, in the order of the report.
    facts : dict of str to str
        kind, focus, approach, novelty, publication.
    criteria : frozenset of str
        Which of the four criteria the project meets.
    certain : bool
        Whether its capability effect happens for sure.
    correlations : tuple of Correlation
        Between beliefs; those between others are passed by.
    own : str
        Names the streams of what is about this project only; "" shares them with every other
        question that leaves it so.
    """

    views: tuple[View, ...]
    facts: Mapping[str, str]
    criteria: frozenset[str] = frozenset()
    certain: tuple[bool, ...] = ()
    correlations: tuple[Correlation, ...] = ()
    own: str = ""

    @property
    def readings(self) -> tuple[str, ...]:
        """The readings' names."""
        return tuple(view.model.name for view in self.views)

    @cached_property
    def vocabulary(self) -> dict[str, Parameter]:
        """Every parameter that a belief of the question may be about."""
        return vocabulary_of(view.model for view in self.views)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The beliefs that any reading reads, in the order of the vocabulary."""
        found = {name for view in self.views for name in view.beliefs}
        return tuple(name for name in self.vocabulary if name in found)

    @cached_property
    def sources(self) -> dict[str, tuple[Source | None, ...]]:
        """Per belief, where each reading's draws come from; None where it does not read it."""
        return {name: tuple(self._source(view, name) for view in self.views) for name in self.names}

    @staticmethod
    def _source(view: View, name: str) -> Source | None:
        if name not in view.beliefs:
            return None
        posterior = view.posterior if view.conditioned(name) else None
        return Source(view.beliefs[name].shape, posterior)

    @cached_property
    def _distinct(self) -> dict[str, list[Source]]:
        found: dict[str, dict[object, Source]] = {}
        for name, sources in self.sources.items():
            found[name] = {}
            for source in sources:
                if source is not None:
                    found[name].setdefault(source.key, source)
        return {name: list(sources.values()) for name, sources in found.items()}

    def distinct(self, name: str) -> list[Source]:
        """Return the different sources of a belief's draws, each once."""
        return self._distinct[name]

    def varies(self, name: str) -> bool:
        """Whether readings that read a belief hold different beliefs about it."""
        return len(self.distinct(name)) > 1

    def personal(self, name: str) -> bool:
        """Whether a belief is about this project only, so that its luck is its own."""
        return self.vocabulary[name].personal

    def stream(self, name: str) -> str:
        """Return the name of a belief's stream of scores."""
        return f"{name} of {self.own}" if self.own and self.personal(name) else name

    def stated(self, name: str) -> bool:
        """Whether a belief is one that is derived unless a file states it."""
        return self.vocabulary[name].group is Group.EFFECT or name in STATED_ONLY

    @property
    def fit(self) -> float:
        """Share of the four criteria that are met; 0 where a model is made larger."""
        return len(self.criteria) / len(CRITERIA) if "no-scaling" in self.criteria else 0.0

    def clusters(self, reading: int) -> int | None:
        """Return how many kept draws a reading's draws are spread over, None for no limit."""
        return self._clusters[reading]

    @cached_property
    def _clusters(self) -> tuple[int | None, ...]:
        return tuple(
            view.posterior.size
            if view.posterior is not None and any(view.conditioned(name) for name in view.beliefs)
            else None
            for view in self.views
        )

    @cached_property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """The sets of beliefs that correlations tie together, in the order of the beliefs."""
        neighbours: dict[str, set[str]] = {}
        for correlation in self.correlations:
            first, second = correlation.between
            if first in self.names and second in self.names:
                neighbours.setdefault(first, set()).add(second)
                neighbours.setdefault(second, set()).add(first)
        groups: list[tuple[str, ...]] = []
        left = set(neighbours)
        while left:
            todo, group = [min(left)], set[str]()
            while todo:
                name = todo.pop()
                if name not in group:
                    group.add(name)
                    todo.extend(neighbours[name])
            left -= group
            groups.append(tuple(n for n in self.names if n in group))
        return tuple(groups)

    def ties(self, group: Sequence[str]) -> tuple[Correlation, ...]:
        """Return the correlations within a group."""
        return tuple(c for c in self.correlations if set(c.between) <= set(group))
