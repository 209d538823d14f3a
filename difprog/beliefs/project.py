"""A proposal file becomes a `Project`: its facts, its own beliefs, its reviewers' intervals.

All problems of a file are reported at once. Rows of a portfolio table go through `parse_project`
too, so that a table cannot mean something else than a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from difprog.base import files
from difprog.base.errors import Problems
from difprog.beliefs.beliefs import (
    Belief,
    Layer,
    parse_belief,
    parse_beliefs,
    parse_correlations,
)
from difprog.beliefs.families import Point
from difprog.race.parameters import CRITERIA, FACTS, PARAMETERS, Group, Parameter, in_group

QUANTITIES = tuple(p.name for p in in_group(Group.FACT))
PROJECT_KEYS = ("name", "summary", *FACTS, *QUANTITIES, "criteria", "source", "note")
FILE_KEYS = ("project", "beliefs", "correlations", "reviews")

#: What a fact is taken to be where a proposal does not say.
DEFAULT_FACTS = {fact: values[0] for fact, values in FACTS.items()}

#: Most reviewers that one proposal may have.
MOST_REVIEWS = 100


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
        Its beliefs, its quantities (effort, duration, cost) among them; it stacks on top.
    reviews : tuple of Review
        Independent reviewers' intervals.
    assumed : tuple of str
        Facts that the file leaves out, each with the value taken.
    """

    name: str
    facts: Mapping[str, str]
    criteria: frozenset[str]
    layer: Layer
    summary: str = ""
    reviews: tuple[Review, ...] = ()
    assumed: tuple[str, ...] = field(default=())

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
    for key in content:
        if key not in FILE_KEYS:
            problems.unknown(key, key, FILE_KEYS)
    table = content.get("project")
    if not isinstance(table, Mapping):
        problems.add("project", "a proposal needs a [project] table", table)
        return None
    for key in table:
        if key not in PROJECT_KEYS:
            problems.unknown(f"project.{key}", key, PROJECT_KEYS)
    for key in ("summary", "source", "note"):
        if not isinstance(table.get(key, ""), str):
            problems.add(f"project.{key}", "must be a text", table[key])
    name = table.get("name")
    if not isinstance(name, str) or not name.strip():
        problems.add("project.name", "must be a text", name)
    facts, assumed = _facts(table, problems)
    beliefs = parse_beliefs(content.get("beliefs", {}), source.label, problems, vocabulary)
    for quantity in QUANTITIES:
        if quantity in table:
            parameter, key = PARAMETERS[quantity], f"project.{quantity}"
            belief = parse_belief(parameter, table[quantity], key, source.label, problems)
        else:
            belief = Belief(quantity, Point(0.0), source="not stated", layer=source.label)
            needed = {"effort": ("parallel_speedup", "capability_speedup"), "duration": ("serial_speedup",)}
            if any(effect not in beliefs for effect in needed.get(quantity, ())):
                hint = f"write {quantity} = …, a number or an interval"
                problems.add(f"project.{quantity}", "is missing", hint=hint)
        if belief is not None:
            beliefs[quantity] = {"": belief}
    layer = Layer(
        source,
        beliefs,
        parse_correlations(content.get("correlations", []), source.label, problems, vocabulary),
    )
    reviews = _reviews(content.get("reviews", []), source.label, problems)
    return Project(
        name=str(name),
        facts=facts,
        criteria=_criteria(table.get("criteria", []), problems),
        layer=layer,
        summary=str(table.get("summary", "")),
        reviews=reviews,
        assumed=assumed,
    )


def _facts(
    table: Mapping[str, Any], problems: Problems
) -> tuple[dict[str, str], tuple[str, ...]]:
    facts = dict(DEFAULT_FACTS)
    assumed = []
    for fact, values in FACTS.items():
        value = table.get(fact)
        if value is None:
            assumed.append(f"{fact} = {facts[fact]}")
        elif not isinstance(value, str) or value not in values:
            problems.unknown(f"project.{fact}", str(value), values, f"unknown {fact}")
        else:
            facts[fact] = value
    return facts, tuple(assumed)


def _criteria(value: object, problems: Problems) -> frozenset[str]:
    if not isinstance(value, list):
        problems.add("project.criteria", "must be a list of texts", value)
        return frozenset()
    for item in value:
        if item not in CRITERIA:
            problems.unknown("project.criteria", str(item), CRITERIA, "unknown criterion")
    return frozenset(item for item in value if isinstance(item, str) and item in CRITERIA)


def _reviews(content: object, label: str, problems: Problems) -> tuple[Review, ...]:
    if not isinstance(content, list):
        problems.add("reviews", "must be a list of tables, [[reviews]]", content)
        return ()
    if len(content) > MOST_REVIEWS:
        problems.add("reviews", f"are more than {MOST_REVIEWS}", len(content))
        return ()
    effects = {p.name: p for p in in_group(Group.EFFECT)}
    reviews: list[Review] = []
    for index, entry in enumerate(content):
        key = f"reviews[{index}]"
        if not isinstance(entry, Mapping):
            problems.add(key, "must be a table", entry)
            continue
        reviewer = entry.get("reviewer", f"reviewer {index + 1}")
        if not isinstance(reviewer, str) or not reviewer.strip():
            problems.add(f"{key}.reviewer", "must be a text", reviewer)
        elif any(reviewer == other.reviewer for other in reviews):
            problems.add(f"{key}.reviewer", "reviews for the second time", reviewer)
        for name in ("source", "note"):
            if not isinstance(entry.get(name, ""), str):
                problems.add(f"{key}.{name}", "must be a text", entry[name])
        found: dict[str, Belief] = {}
        for name, value in entry.items():
            if name in ("reviewer", "source", "note"):
                continue
            if name not in effects:
                problems.unknown(f"{key}.{name}", name, effects, "unknown effect")
                continue
            belief = parse_belief(effects[name], value, f"{key}.{name}", label, problems)
            if belief is not None and isinstance(belief.shape, Point):
                problems.add(
                    f"{key}.{name}", "must be an interval", belief.shape.value,
                    "a reviewer states percentiles, { p10 = …, p90 = … }",
                )  # fmt: skip
            elif belief is not None:
                found[name] = belief
        if not found:
            problems.add(key, "reviews no effect", hint=f"such as {', '.join(list(effects)[:3])}")
        reviews.append(Review(str(reviewer), found))
    return tuple(reviews)
