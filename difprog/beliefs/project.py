"""A proposal file becomes a `Project`: its facts, its own beliefs, its reviewers' intervals.

All problems of a file are reported at once. Rows of a portfolio table go through `parse_project`
too, so that a table cannot mean something else than a file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from difprog.base import files
from difprog.base.errors import Problems
from difprog.beliefs.beliefs import Belief, Layer
from difprog.beliefs.distributions import Point
from difprog.beliefs.forms import PROJECT_KEYS, QUANTITIES, ProjectForm, ProposalForm, ReviewForm, read
from difprog.beliefs.outcomes import parse_outcomes
from difprog.beliefs.parse import parse_belief, parse_beliefs, parse_correlations
from difprog.race.parameters import FACTS, PARAMETERS, Group, Parameter

__all__ = [
    "DEFAULT_FACTS", "PROJECT_KEYS", "QUANTITIES", "Project", "Review", "parse_project", "read_project",
]  # fmt: skip

#: What a fact is taken to be where a proposal does not say.
DEFAULT_FACTS = {fact: values[0] for fact, values in FACTS.items()}

#: Effects that are derived from these quantities: they can be left out only where all are stated.
_NEEDED_FOR = {
    "effort": ("parallel_speedup", "serial_speedup", "capability_speedup"),
    "duration": ("parallel_speedup", "serial_speedup", "capability_speedup"),
}


@dataclass(frozen=True)
class Review:
    """One reviewer's beliefs about the effects of a project."""

    reviewer: str
    effects: Mapping[str, Belief]


@dataclass(frozen=True)
class Project:
    """A proposal.

    Attributes
    ----------
    name, summary : str
        As written by the proposer.
    facts : dict of str to str
        kind, focus, approach, novelty, publication.
    criteria : frozenset of str
        Which of the four criteria of practice on narrowly superhuman models it meets.
    layer : Layer
        Its beliefs, its quantities (effort, start, duration, cost) among them; it stacks on top.
    reviews : tuple of Review
        Independent reviewers' intervals.
    assumed : tuple of str
        Facts that the file leaves out, each with the value taken.
    group : str
        Projects of one group exclude each other; "" for none.
    """

    name: str
    facts: Mapping[str, str]
    criteria: frozenset[str]
    layer: Layer
    summary: str = ""
    reviews: tuple[Review, ...] = ()
    assumed: tuple[str, ...] = field(default=())
    group: str = ""

    @property
    def source(self) -> files.Source:
        """The file it was read from."""
        return self.layer.source

    def certain(self, layers: tuple[Layer, ...]) -> bool:
        """Whether the capability effect is certain to happen.

        It is where it is stated outright and neither the proposal nor the file that states it
        gives a hit probability.
        """
        stating = [layer for layer in layers if "capability_speedup" in layer.beliefs]
        if not stating and not any("capability_speedup" in r.effects for r in self.reviews):
            return False
        return not any("hit_probability" in layer.beliefs for layer in (*stating[-1:], self.layer))

    def published(self, policy: str) -> Project:
        """Return the same project under another publication policy."""
        return replace(self, facts={**self.facts, "publication": policy})


def read_project(
    path: Path, vocabulary: Mapping[str, Parameter] = PARAMETERS, name: str | None = None
) -> Project:
    """Read and validate a proposal file.

    Parameters
    ----------
    path : Path
        A TOML file with ``[project]``, and optionally ``[beliefs]``, ``[[correlations]]`` and
        ``[[reviews]]``.
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
    project = parse_project(content, source, problems, vocabulary)
    problems.check()
    assert project is not None
    return project


def parse_project(
    content: Mapping[str, Any],
    source: files.Source,
    problems: Problems,
    vocabulary: Mapping[str, Parameter] = PARAMETERS,
) -> Project | None:
    """Validate the content of a proposal file, adding what is wrong to ``problems``."""
    form = read(ProposalForm, content, "", problems, missing="a proposal needs a [project] table")
    if form is None or form.project is None:
        return None
    table = read(ProjectForm, form.project, "project", problems)
    assert table is not None
    said = dict(table)
    beliefs = parse_beliefs(form.beliefs, source.label, problems, vocabulary)
    for quantity in QUANTITIES:
        belief = _quantity(quantity, form.project, beliefs, source.label, problems)
        if belief is not None:
            beliefs[quantity] = {"": belief}
    layer = Layer(
        source,
        beliefs,
        parse_correlations(form.correlations, source.label, problems, vocabulary),
        outcomes=parse_outcomes(form.outcomes, source.label, problems),
    )
    stated = {fact: said[fact] for fact in FACTS if said[fact] is not None}
    return Project(
        name=str(said["name"]),
        facts={**DEFAULT_FACTS, **stated},
        criteria=frozenset(said["criteria"]),
        layer=layer,
        summary=said["summary"],
        reviews=_reviews(form.reviews, source.label, problems, vocabulary),
        assumed=tuple(f"{fact} = {value}" for fact, value in DEFAULT_FACTS.items() if fact not in stated),
        group=said["group"].strip(),
    )


def _quantity(
    name: str, table: Mapping[str, Any], beliefs: Mapping[str, Any], label: str, problems: Problems
) -> Belief | None:
    """Return the belief about effort, duration, cost…; what is not stated is a point at no cost to anyone."""
    parameter, key = PARAMETERS[name], f"project.{name}"
    if name in table:
        return parse_belief(parameter, table[name], key, label, problems)
    if any(effect not in beliefs for effect in _NEEDED_FOR.get(name, ())):
        problems.add(key, "is missing", hint=f"write {name} = …, a number or an interval")
    # A duration has to be one: with every effect stated, nothing is spread over it.
    nothing = 0.0 if 0.0 in parameter.support else 1.0
    return Belief(name, Point(nothing), source="not stated", layer=label)


def _reviews(
    content: Sequence[object], label: str, problems: Problems, vocabulary: Mapping[str, Parameter]
) -> tuple[Review, ...]:
    effects = {name: p for name, p in vocabulary.items() if p.group is Group.EFFECT}
    reviews: list[Review] = []
    for index, entry in enumerate(content):
        key = f"reviews[{index}]"
        form = read(ReviewForm, entry, key, problems)
        if form is None:
            continue
        reviewer = form.reviewer or f"reviewer {index + 1}"
        if any(reviewer == other.reviewer for other in reviews):
            problems.add(f"{key}.reviewer", "reviews for the second time", reviewer)
        found: dict[str, Belief] = {}
        for name, value in (form.model_extra or {}).items():
            if name not in effects:
                problems.unknown(f"{key}.{name}", name, effects, "unknown effect")
                continue
            belief = parse_belief(effects[name], value, f"{key}.{name}", label, problems)
            if belief is not None and isinstance(belief.shape, Point):
                hint = "a reviewer states percentiles, { p10 = …, p90 = … }"
                problems.add(f"{key}.{name}", "must be an interval", belief.shape.value, hint)
            elif belief is not None:
                found[name] = belief
        if not found:
            problems.add(key, "reviews no effect", hint=f"such as {', '.join(list(effects)[:3])}")
        reviews.append(Review(reviewer, found))
    return tuple(reviews)
