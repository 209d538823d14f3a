"""Beliefs + model + seed → draws. The only place that samples.

Every belief has a stream of standard normal scores of its own, named by the seed and by the
belief's name. So two models, two projects or two prior files are compared on the same worlds,
a mechanism at neutral changes no other belief's draws, and the first n draws of a longer run
are the shorter run. All work is on whole arrays; nothing loops over draws.

What is about one project only (its effort, its deviation from its class, its effects:
`difprog.race.parameters.personal`) takes its stream from the project's name too (`Question.own`).
Two projects then share their worlds but not their luck, without which the chance that one beats
the other would be far too near 0 or 1; policies and edited versions of one project, which keep
its name, stay paired throughout; and no project's numbers depend on what it is compared with.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from difprog.base.errors import BadInput, DifprogError, Problem
from difprog.beliefs.beliefs import Belief, Correlation
from difprog.beliefs.families import Point
from difprog.evidence.posterior import Posterior
from difprog.forecast.memory import Memory
from difprog.models.model import Chances, Model, shipped_models
from difprog.race.arrays import numpy_namespace
from difprog.race.effects import Facts
from difprog.race.parameters import PARAMETERS, personal

Array = npt.NDArray[np.float64]

#: Scores are made in blocks of this many, each from a generator of its own.
BLOCK = 1 << 16


@dataclass(frozen=True)
class Question:
    """One model's view of one project: all that is needed to draw.

    Attributes
    ----------
    model : Model
        The reading of the race.
    facts : Facts
        The project's facts.
    beliefs : dict of str to Belief
        One for every parameter that the model reads and that has one.
    correlations : sequence of Correlation
        Between those beliefs; others are passed by.
    posterior : Posterior or None
        Draws in place of the beliefs that are conditioned on evidence.
    own : str
        Names the streams of what is about this project only; "" shares them with every other
        question that leaves it so.
    """

    model: Model
    facts: Facts
    beliefs: Mapping[str, Belief]
    correlations: Sequence[Correlation] = ()
    posterior: Posterior | None = None
    own: str = ""

    def stream_of(self, name: str) -> str:
        """Return the name of a belief's stream of scores."""
        parameter = self.model.own.get(name) or PARAMETERS.get(name)
        if self.own and parameter is not None and personal(parameter):
            return f"{name} of {self.own}"
        return name

    def conditioned(self, name: str) -> bool:
        """Whether a belief's draws come from the posterior."""
        belief = self.beliefs[name]
        return bool(belief.evidence) and self.posterior is not None and name in self.posterior

    @property
    def clusters(self) -> int | None:
        """Number of kept posterior draws that the draws are spread over, None for no limit."""
        if self.posterior is None or not any(self.conditioned(n) for n in self.beliefs):
            return None
        return self.posterior.size


@dataclass(frozen=True)
class Draws:
    """Joint draws of beliefs and of both worlds.

    Attributes
    ----------
    question : Question
        What was asked.
    values : dict of str to array or float
        Draws of every belief, shape (count,); a point is a plain float.
    chances : Chances
        The paired worlds; each of shape (count,), or a scalar where nothing varies.
    count, seed : int
        How many draws, and from which seed.
    """

    question: Question
    values: Mapping[str, Any]
    chances: Chances
    count: int
    seed: int


def stream(name: str, seed: int, count: int, start: int = 0) -> Array:
    """Return standard normal scores ``start`` to ``start + count`` of a named stream.

    Parameters
    ----------
    name : str
        Names the stream.
    seed : int
        Non-negative.
    count, start : int
        How many, and from which; a stream does not depend on how it is cut.
    """
    word = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
    scores = np.empty(count)
    at = start
    while at < start + count:
        block, offset = divmod(at, BLOCK)
        take = min(BLOCK - offset, start + count - at)
        generator = np.random.Generator(np.random.SFC64(np.random.SeedSequence((seed, word, block))))
        scores[at - start : at - start + take] = generator.standard_normal(offset + take)[offset:]
        at += take
    return scores


def draw(
    question: Question, count: int, seed: int, start: int = 0, memory: Memory | None = None
) -> Draws:
    """Draw beliefs and evaluate both worlds on them.

    Parameters
    ----------
    question : Question
        A model's view of a project.
    count : int
        Number of draws, at least 1.
    seed : int
        Non-negative.
    start : int
        Number of draws to skip, for drawing in chunks.
    memory : Memory, optional
        Keeps what several questions share; changes no number.

    Raises
    ------
    BadInput
        Where correlations cannot hold together, or a user's model returns no probability.
    """
    values = draw_beliefs(question, count, seed, start, memory)
    return evaluate(question, values, count, seed, memory)


def evaluate(
    question: Question,
    values: Mapping[str, Any],
    count: int,
    seed: int,
    memory: Memory | None = None,
) -> Draws:
    """Evaluate both worlds on draws of beliefs that are given."""
    model = question.model
    try:
        with np.errstate(all="ignore"):  # what is no number is found below
            chances = model.chances(question.facts, values, numpy_namespace(), memory)
    except Exception as error:
        if model.name in shipped_models() and not isinstance(error, DifprogError):
            raise
        what = f"cannot be evaluated: {type(error).__name__}: {error}"
        raise BadInput(Problem(model.source.label, "", what)) from error
    for chance in (chances.without, chances.if_hit, chances.if_miss):
        if not np.all((np.asarray(chance) >= -1e-12) & (np.asarray(chance) <= 1 + 1e-12)):
            if model.name in shipped_models():
                what = "go beyond the numbers that a machine holds: no probability comes of them"
                raise BadInput(Problem(model.name, "beliefs", what, hint="look for one that is huge or tiny"))
            raise BadInput(
                Problem(
                    question.model.name, "success", "returns something that is no probability",
                    hint="it must lie in [0, 1] for every draw",
                )
            )  # fmt: skip
    return Draws(question, values, chances, count, seed)


def draw_beliefs(
    question: Question, count: int, seed: int, start: int = 0, memory: Memory | None = None
) -> dict[str, Any]:
    """Return draws of every belief, shape (count,); a point is a plain float."""

    def kept(names: Sequence[str], make: Callable[[], Any], ties: tuple[Correlation, ...] = ()) -> Any:
        """Make draws of one stream and one belief only once for all models and projects."""
        if memory is None:
            return make()
        shapes = tuple(
            None if question.conditioned(name) else question.beliefs[name].shape for name in names
        )
        streams = tuple(question.stream_of(name) for name in names)
        key = ("draws", streams, shapes, ties, count, seed, start)
        posterior = question.posterior if None in shapes else None
        # A posterior's key is a hash of all that it depends on; one without is told by identity.
        return memory.get(key, make, *((posterior.key or posterior,) if posterior else ()))

    find = partial(_posterior_index, question, count, seed, start)
    index = find() if memory is None else memory.get(("index", question.clusters, count, seed, start), find)
    values: dict[str, Any] = {}
    groups = correlated_groups(question)
    grouped = {name for group in groups for name in group}
    for name, belief in question.beliefs.items():
        if name in grouped:
            continue
        if isinstance(belief.shape, Point) and not question.conditioned(name):
            values[name] = belief.shape.value
        else:
            values[name] = kept(
                [name], partial(_fresh, question, name, index, count, seed, start)
            )
    for group in groups:
        ties = tuple(c for c in question.correlations if set(c.between) <= set(group))
        make = partial(_correlated, question, group, index, count, seed, start)
        values.update(kept(group, make, ties))
    return {name: values[name] for name in question.beliefs}


def _posterior_index(
    question: Question, count: int, seed: int, start: int
) -> npt.NDArray[np.intp] | None:
    """Return which kept posterior draw each draw uses: all of them in turn, in shuffled order."""
    size = question.clusters
    if size is None:
        return None
    order = np.argsort(stream("posterior", seed, size), kind="stable")
    return order[np.arange(start, start + count) % size]


def _fresh(
    question: Question,
    name: str,
    index: npt.NDArray[np.intp] | None,
    count: int,
    seed: int,
    start: int,
) -> Any:
    """Return draws of a belief that correlates with no other."""
    return _value(question, name, index, stream(question.stream_of(name), seed, count, start))


def _value(
    question: Question, name: str, index: npt.NDArray[np.intp] | None, scores: Array
) -> Any:
    if index is not None and question.conditioned(name):
        assert question.posterior is not None
        return question.posterior.sample(name, index, scores)
    return question.beliefs[name].shape.quantile(scores)


def correlated_groups(question: Question) -> list[tuple[str, ...]]:
    """Return the sets of beliefs that correlations tie together, in the beliefs' order."""
    neighbours: dict[str, set[str]] = {}
    for correlation in question.correlations:
        first, second = correlation.between
        if first in question.beliefs and second in question.beliefs:
            neighbours.setdefault(first, set()).add(second)
            neighbours.setdefault(second, set()).add(first)
    groups: list[tuple[str, ...]] = []
    left = set(neighbours)
    while left:
        todo, group = [min(left)], set()
        while todo:
            name = todo.pop()
            if name not in group:
                group.add(name)
                todo.extend(neighbours[name])
        left -= group
        groups.append(tuple(n for n in question.beliefs if n in group))
    return groups


def copula(question: Question, group: Sequence[str]) -> Array:
    """Return the correlation matrix of the scores of a group of beliefs.

    A Spearman rank correlation ρ of two normal scores is a Pearson one of 2·sin(πρ/6)
    (Kruskal 1958, JASA 53:814).

    Raises
    ------
    BadInput
        Where a belief is a point, or the correlations cannot all hold: the pair whose own
        correlation has to shrink most is named.
    """
    place = {name: i for i, name in enumerate(group)}
    matrix = np.eye(len(group))
    pairs = [c for c in question.correlations if set(c.between) <= place.keys()]
    for correlation in pairs:
        first, second = correlation.between
        for name in correlation.between:
            if isinstance(question.beliefs[name].shape, Point) and not question.conditioned(name):
                raise BadInput(
                    Problem(
                        correlation.layer, f"correlations {first}, {second}",
                        f"{name} is a point and cannot correlate",
                    )
                )  # fmt: skip
        both = [question.conditioned(name) for name in correlation.between]
        if all(both):
            raise BadInput(
                Problem(
                    correlation.layer, f"correlations {first}, {second}",
                    "both beliefs are conditioned on evidence, which says how they correlate",
                    hint="state one of them outright, or leave the correlation out",
                )
            )  # fmt: skip
        value = 2.0 * math.sin(math.pi * correlation.rank / 6.0)
        matrix[place[first], place[second]] = matrix[place[second], place[first]] = value
    if np.linalg.eigvalsh(matrix)[0] < 1e-9:
        _, vectors = np.linalg.eigh(matrix)
        weakest = np.outer(vectors[:, 0], vectors[:, 0]) * matrix
        # Along the weakest direction the pairs' terms sum to below -1: the most negative is worst.
        worst = min(pairs, key=lambda c: weakest[place[c.between[0]], place[c.between[1]]])
        raise BadInput(
            Problem(
                worst.layer, f"correlations {worst.between[0]}, {worst.between[1]}",
                "cannot hold together with the other correlations (not positive definite)",
                worst.rank, "bring it closer to 0",
            )
        )  # fmt: skip
    return matrix


def _correlated(
    question: Question,
    group: Sequence[str],
    index: npt.NDArray[np.intp] | None,
    count: int,
    seed: int,
    start: int,
) -> dict[str, Any]:
    """Draw a group of correlated beliefs; conditioned ones come first and keep their draws."""
    given = [n for n in group if question.conditioned(n)]
    free = [n for n in group if n not in given]
    matrix = copula(question, [*given, *free])
    values: dict[str, Any] = {}
    known = np.empty((len(given), count))
    for row, name in enumerate(given):
        values[name] = _fresh(question, name, index, count, seed, start)
        known[row] = _normal_scores(question, name, values[name], seed)
    m = len(given)
    if m:
        # The posterior says how the conditioned beliefs move together: all of it, so that the
        # first draws of a longer run stay those of a shorter one.
        matrix[:m, :m] = _posterior_correlation(question, given, seed)
        weights = np.linalg.solve(matrix[:m, :m], matrix[:m, m:]).T
        rest = matrix[m:, m:] - weights @ matrix[:m, m:]
    else:
        weights, rest = np.zeros((len(free), 0)), matrix
    try:
        root = np.linalg.cholesky(rest)
    except np.linalg.LinAlgError:
        raise BadInput(
            Problem("correlations", ", ".join(group), "cannot hold together with the evidence")
        ) from None
    fresh = np.stack([stream(question.stream_of(name), seed, count, start) for name in free])
    scores = weights @ known + root @ fresh
    for row, name in enumerate(free):
        values[name] = question.beliefs[name].shape.quantile(scores[row])
    return values


def _posterior_correlation(question: Question, names: Sequence[str], seed: int) -> Array:
    """Return the correlation matrix of the normal scores of conditioned beliefs."""
    assert question.posterior is not None
    size = question.posterior.size
    every = np.arange(size)
    scores = np.empty((len(names), size))
    for row, name in enumerate(names):
        sample = question.posterior.sample(
            name, every, stream(question.stream_of(name), seed, size)
        )
        scores[row] = _normal_scores(question, name, sample, seed)
    return np.atleast_2d(np.corrcoef(scores)) if size > len(names) + 1 else np.eye(len(names))


def _normal_scores(question: Question, name: str, values: Array, seed: int) -> Array:
    """Return the normal scores of posterior draws by their rank in a fixed reference sample."""
    assert question.posterior is not None
    size = question.posterior.size
    every = np.arange(size)
    reference = np.sort(question.posterior.sample(
            name, every, stream(question.stream_of(name), seed, size)
        ))
    rank = np.searchsorted(reference, values, side="left") + 0.5
    return np.asarray(special.ndtri(np.clip(rank / size, 0.5 / size, 1 - 0.5 / size)))
