"""Question + seed → draws. The only place that samples.

Every belief has a stream of standard normal scores of its own, drawn by PyMC from a generator
that is named by the seed and by the belief. So two readings, two projects or two prior files are
compared on the same worlds, a mechanism at neutral changes no other belief's draws, and the first
n draws of a longer run are the shorter run. All work is on whole arrays; nothing loops over draws.

What is about one project only (its effort, its deviation from its class, its effects:
`Parameter.personal`) takes its stream from the project's name too (`Question.own`). Two projects
then share their worlds but not their luck, without which the chance that one beats the other
would be far too near 0 or 1; policies and edited versions of one project, which keep its name,
stay paired throughout; and no project's numbers depend on what it is compared with.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from difprog.forecast import compiled
from difprog.forecast.copula import mixing, reference
from difprog.forecast.evaluation import Race, check
from difprog.forecast.graph import Graph, rank_score
from difprog.forecast.kept import Kept
from difprog.forecast.question import Question, Source
from difprog.forecast.tilting import Tilt
from difprog.forecast.weighing import Weighing

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Draws:
    """Joint draws of beliefs, effects and worlds, under every reading of a question.

    Attributes
    ----------
    question : Question
        What was asked.
    values : dict of str to array or float
        Belief → its draws: a float for a point, else shape (draw,), or (reading, draw) where
        readings differ about it.
    without, hit, miss : array, shape (reading, draw)
        p_success in the three worlds.
    chance_of_hit : array, shape (reading, draw)
        The chance of the breakthrough.
    effects_hit, effects_miss : dict of str to array, shape (reading, draw)
        The project's effects in the two worlds with it.
    count, seed : int
        How many draws, and from which seed.
    tilts : tuple of Tilt
        Per reading, how its draws are weighed so that they meet what is stated about the outcome;
        empty where nothing is stated.
    """

    question: Question
    values: Mapping[str, Any]
    without: Array
    hit: Array
    miss: Array
    chance_of_hit: Array
    effects_hit: Mapping[str, Array]
    effects_miss: Mapping[str, Array]
    count: int
    seed: int
    tilts: tuple[Tilt | None, ...] = ()

    @cached_property
    def ways(self) -> tuple[Weighing, ...]:
        """How each reading's draws count."""
        clusters = [self.question.clusters(place) for place in range(len(self.question.views))]
        tilts = self.tilts or (None,) * len(clusters)
        return tuple(
            Weighing(self.count, of) if tilt is None else Weighing(self.count, of, tilt.weights, tilt.moments)
            for of, tilt in zip(clusters, tilts, strict=True)
        )

    def counts_like(self, other: Draws) -> bool:
        """Whether each draw counts for as much as the same draw of another question, under every reading."""
        for place in range(len(self.without)):
            one, two = self.ways[place].weights, other.ways[place].weights
            if one is not two and (one is None or two is None or not np.array_equal(one, two)):
                return False
        return True

    def same_worlds(self, other: Draws) -> bool:
        """Whether the worlds without the project are those of another question, and count alike."""
        return np.array_equal(self.without, other.without) and self.counts_like(other)

    @cached_property
    def net_effect(self) -> Array:
        """p(θ; e) − p(θ; no effect), the hit probability averaged in exactly, (reading, draw)."""
        return self.averaged(self.hit - self.without, self.miss - self.without)

    @cached_property
    def with_project(self) -> Array:
        """p(θ; e), the hit probability averaged in exactly, (reading, draw)."""
        return self.averaged(self.hit, self.miss)

    def averaged(self, hit: Array, miss: Array) -> Array:
        """Return what holds before it is known whether the breakthrough happens."""
        return hit if hit is miss else self.chance_of_hit * hit + (1.0 - self.chance_of_hit) * miss

    def effect(self, name: str) -> Array:
        """Return an effect with the hit probability averaged in, (reading, draw); 0 where there is none."""
        if name not in self.effects_hit:
            return np.zeros(self.without.shape)
        return self.averaged(self.effects_hit[name], self.effects_miss[name])

    @cached_property
    def race(self) -> Race:
        """The compiled race on these draws."""
        return Race(self.question, self.values, self.count)

    def value(self, name: str, reading: int) -> Any:
        """Return a belief's draws under a reading: shape (draw,), or a float."""
        found = self.values[name]
        return found[reading] if np.ndim(found) == 2 else found


def generator(stream: str, seed: int) -> np.random.Generator:
    """Return the random generator of a named stream."""
    word = int.from_bytes(hashlib.blake2b(stream.encode(), digest_size=8).digest(), "little")
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence((seed, word))))


def scores(stream: str, seed: int, count: int) -> Array:
    """Return the first standard normal scores of a named stream, shape (count,)."""
    return compiled.normal(generator(stream, seed), count)


def draw(
    question: Question,
    count: int,
    seed: int,
    *,
    kept: Kept | None = None,
    graph: Callable[[], Graph] | None = None,
) -> Draws:
    """Draw beliefs and evaluate the race on them, under all readings.

    Parameters
    ----------
    question : Question
        A project under several readings.
    count : int
        Number of draws, at least 1.
    seed : int
        Non-negative.
    kept : Kept, optional
        Keeps what several questions share; changes no number.
    graph : callable, optional
        Gives the question's graph, where it is at hand already.

    Raises
    ------
    BadInput
        Where correlations cannot hold together, or a user's model returns no probability.
    """
    return evaluate(question, draw_beliefs(question, count, seed, kept), count, seed, kept=kept, graph=graph)


def draw_beliefs(question: Question, count: int, seed: int, kept: Kept | None = None) -> dict[str, Any]:
    """Return draws of every belief: a float, or shape (draw,), or (reading, draw)."""
    own = Kept()  # what is about this project only is of no use to the next
    shared = kept or own

    def at_hand(name: str) -> Kept:
        return own if question.personal(name) else shared

    def fresh(name: str) -> Array:
        stream = question.stream(name)
        found: Array = at_hand(name).get(("scores", stream, count, seed), lambda: scores(stream, seed, count))
        return found

    def index(size: int) -> npt.NDArray[np.intp]:
        found: npt.NDArray[np.intp] = shared.get(
            ("index", size, count, seed), lambda: evidence_index(size, count, seed)
        )
        return found

    def drawn(name: str, source: Source, tie: Hashable, z: Array) -> Any:
        if source.point is not None:
            return source.point

        def make() -> Array:
            if source.posterior is None:
                return compiled.quantile(source.shape, z)
            return np.asarray(source.posterior.sample(name, index(source.posterior.size), z))

        return at_hand(name).get(("draws", question.stream(name), source.key, tie, count, seed), make)

    tied, ties = _tied_scores(question, count, fresh, drawn)
    values: dict[str, Any] = {}
    for name in question.names:
        points = all(source.point is not None for source in question.distinct(name))
        z = tied[name] if name in tied else np.empty(0) if points else fresh(name)
        columns = {s.key: drawn(name, s, ties.get(name), z) for s in question.distinct(name)}
        if len(columns) == 1:
            (values[name],) = columns.values()
            continue
        neutral = question.vocabulary[name].neutral
        keys = tuple(None if s is None else s.key for s in question.sources[name])
        rows = [neutral or 0.0 if key is None else columns[key] for key in keys]
        values[name] = at_hand(name).get(
            ("rows", question.stream(name), keys, neutral, ties.get(name), count, seed),
            partial(_stacked, rows, count),
        )
    return values


def _stacked(rows: Sequence[Any], count: int) -> Array:
    """Return a belief's draws per reading, shape (reading, draw)."""
    return np.stack([np.broadcast_to(np.asarray(row, dtype=float), (count,)) for row in rows])


def _tied_scores(
    question: Question,
    count: int,
    fresh: Callable[[str], Array],
    drawn: Callable[[str, Source, Hashable, Array], Any],
) -> tuple[dict[str, Array], dict[str, Hashable]]:
    """Return the scores of beliefs that follow others, and what they hang on."""
    tied: dict[str, Array] = {}
    ties: dict[str, Hashable] = {}
    for group in question.groups:
        how = mixing(question, group)
        known = np.empty((len(how.given), count))
        for row, name in enumerate(how.given):
            source = next(s for s in question.distinct(name) if s.posterior is not None)
            assert source.posterior is not None
            ordered = np.sort(reference(source.posterior, name))
            known[row] = rank_score(ordered, drawn(name, source, None, fresh(name)))
        tie = (
            how.given, how.free, how.weights.tobytes(), how.root.tobytes(),
            tuple(next(s.key for s in question.distinct(n) if s.posterior is not None) for n in how.given),
            tuple(question.stream(n) for n in how.free),
        )  # fmt: skip
        mixed = how.weights @ known + how.root @ np.stack([fresh(name) for name in how.free])
        for row, name in enumerate(how.free):
            tied[name], ties[name] = mixed[row], tie
    return tied, ties


def evidence_index(size: int, count: int, seed: int) -> npt.NDArray[np.intp]:
    """Return which kept posterior draw each draw uses: all of them in turn, in shuffled order."""
    order = np.argsort(scores("posterior", seed, size), kind="stable")
    return order[np.arange(count) % size]


def evaluate(
    question: Question,
    values: Mapping[str, Any],
    count: int,
    seed: int,
    *,
    kept: Kept | None = None,
    graph: Callable[[], Graph] | None = None,
) -> Draws:
    """Evaluate the race on draws of beliefs that are given.

    Raises
    ------
    BadInput
        Where a user's model fails or returns no probability.
    """
    race = Race(question, values, count, graph)
    effects_hit, effects_miss, chance = race.outcome()
    without, hit = race.without(kept), race.chance(effects_hit)
    miss = race.chance(effects_miss) if race.branched else hit
    check(question, (without, hit, miss))
    return Draws(question, values, without, hit, miss, chance, effects_hit, effects_miss, count, seed)
