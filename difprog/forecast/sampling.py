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
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from difprog.base.errors import BadInput, Problem, plain
from difprog.forecast import compiled
from difprog.forecast.copula import mixing, reference
from difprog.forecast.graph import Graph, effect_names, fact_values, parts_of, rank_score, readers
from difprog.forecast.question import Question, Source
from difprog.forecast.tilting import Tilt
from difprog.forecast.weighing import Weighing

Array = npt.NDArray[np.float64]

#: Bytes of world beliefs' draws that are kept for the next project.
KEPT_BYTES = 1 << 27

#: How far beyond [0, 1] rounding may carry a probability.
ROUNDING = 1e-12


class Kept:
    """Arrays by key, the least recently used dropped beyond a number of bytes. Only saves time."""

    def __init__(self, limit: int = KEPT_BYTES) -> None:
        self.limit, self.used = limit, 0
        self._entries: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return the value of a key, made where it is not at hand."""
        if key in self._entries:
            self._entries.move_to_end(key)
            return self._entries[key][0]
        value = make()
        size = getattr(value, "nbytes", 0)
        self._entries[key] = value, size
        self.used += size
        while self.used > self.limit and len(self._entries) > 1:
            self.used -= self._entries.popitem(last=False)[1][1]
        return value

    def made_of(self, what: Hashable, arrays: Sequence[Array], make: Callable[[], Any]) -> Any:
        """Return what is made of arrays, made anew where they are other arrays than before.

        Arrays that were drawn once are kept by whoever asks, so that their places in memory tell
        them apart; small ones, and single numbers made wide, are told apart by what they hold.
        """
        key = what, *map(_mark, arrays)
        return self.get(key, lambda: _Held(make(), list(arrays))).value


def _mark(array: Array) -> Hashable:
    """Return what tells an array that is held from others."""
    if not any(array.strides):
        return array.shape, float(array.flat[0]) if array.size else None
    if array.size <= 64:
        return array.shape, array.tobytes()
    return array.shape, array.strides, array.__array_interface__["data"][0]


class _Held:
    """A value, and the arrays that it was made of: while they are held, no other has their place."""

    def __init__(self, value: Any, made_of: list[Array]) -> None:
        self.value, self.made_of = value, made_of
        own = sum(a.nbytes for a in made_of if any(a.strides))
        self.nbytes = getattr(value, "nbytes", 0) + own


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


def given_of(question: Question, values: Mapping[str, Any], count: int) -> list[dict[str, Array]]:
    """Return, per group of readings that share their maths, what its compiled functions take."""
    facts = {f"fact {name}": np.asarray(value) for name, value in fact_values(question).items()}
    found = []
    for rows in parts_of(question):
        given: dict[str, Array] = dict(facts)
        certain = question.certain or (False,) * len(question.views)
        given["fact certain"] = np.array([[float(certain[row])] for row in rows])
        for name in question.names:
            reads = readers(question, name, rows)
            if not any(reads):
                continue
            value = np.asarray(values[name], dtype=float)
            alike = np.broadcast_to(value, (count,))[None, :] if value.ndim < 2 else value
            given[name] = alike[stretch(rows)] if question.varies(name) else alike
            given[f"reads {name}"] = np.array(reads)[:, None]
        found.append(given)
    return found


def stretch(rows: Sequence[int]) -> Any:
    """Return an index of rows that copies nothing where they follow one another."""
    rows = list(rows)
    follow = rows == list(range(rows[0], rows[-1] + 1))
    return slice(rows[0], rows[-1] + 1) if follow else rows


def cut(given: Mapping[str, Array], where: slice) -> dict[str, Array]:
    """Return some of the draws of what compiled functions take."""
    return {n: v if " " in n else v[:, where] for n, v in given.items()}


def chosen(given: Mapping[str, Array], rows: Any) -> dict[str, Array]:
    """Return some of the readings of what compiled functions take."""
    return {
        n: v if v.ndim < 2 or (" " not in n and len(v) == 1) else v[rows] for n, v in given.items()
    }


def blocks(count: int, rows: int, numbers: int | None = None) -> Iterator[slice]:
    """Yield the stretches of draws that are evaluated at a time, of so many readings: so many numbers."""
    size = max((numbers or compiled.BLOCK) // rows, 1)
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


class Race:
    """The compiled race of a question on draws of its beliefs, for any effects and readings.

    Parameters
    ----------
    question : Question
        What is asked.
    values : dict of str to array or float
        Draws of its beliefs.
    count : int
        Number of draws.
    graph : callable, optional
        Gives the question's graph, where it is at hand already.
    """

    def __init__(
        self,
        question: Question,
        values: Mapping[str, Any],
        count: int,
        graph: Callable[[], Graph] | None = None,
    ) -> None:
        self.question, self.count = question, count
        self.parts = parts_of(question)
        self.maths = compiled.evaluators(question, graph)
        self.given = given_of(question, values, count)

    @property
    def branched(self) -> set[str]:
        """Effects that hang on the breakthrough."""
        return {name for functions in self.maths for name in functions.branched}

    def outcome(self) -> tuple[dict[str, Array], dict[str, Array], Array]:
        """Return the project's effects with and without its breakthrough, and the chance of it.

        Each array is of shape (reading, draw); an effect that does not hang on the breakthrough
        is the same array in both.
        """
        shape, branched = (len(self.question.views), self.count), self.branched
        chance = np.empty(shape)
        hit = {name: np.zeros(shape) for name in effect_names(self.question)}
        miss = {n: np.zeros(shape) if n in branched else v for n, v in hit.items()}
        for rows, functions, given in zip(self.parts, self.maths, self.given, strict=True):
            at = list(rows)
            with self.blame(rows):
                for where in blocks(self.count, len(rows)):
                    found = functions.derive(cut(given, where))
                    chance[at, where] = found.chance
                    for name, value in found.hit.items():
                        hit[name][at, where] = value
                        if name in branched:
                            miss[name][at, where] = found.miss[name]
        return hit, miss, chance

    def chance(self, effects: Mapping[str, Array], readings: Sequence[int] | None = None) -> Array:
        """Return p_success with effects.

        Parameters
        ----------
        effects : dict of str to array
            Effect → its value, shape (reading, draw); what is left out is 0.
        readings : sequence of int, optional
            Those asked for, in rising order; all by default.

        Returns
        -------
        array, shape (readings asked for, draw)
        """
        asked = list(range(len(self.question.views))) if readings is None else list(readings)
        found = np.empty((len(asked), self.count))
        for rows, functions, given in zip(self.parts, self.maths, self.given, strict=True):
            inside = [place for place, row in enumerate(rows) if row in asked]
            if not inside:
                continue
            here = given if len(inside) == len(rows) else chosen(given, inside)
            own = [rows[place] for place in inside]
            target = [asked.index(row) for row in own]
            with self.blame(rows):
                for where in blocks(self.count, len(own)):
                    some = {name: value[stretch(own), where] for name, value in effects.items()}
                    found[target, where] = functions.chance(cut(here, where), some)
        return found

    def without(self, kept: Kept | None = None) -> Array:
        """Return p_success without a project, shape (reading, draw); kept for the next project."""
        if len(self.parts) == 1:
            with self.blame(self.parts[0]):
                return _without(self.maths[0], self.given[0], self.count, kept)
        found = np.empty((len(self.question.views), self.count))
        for rows, functions, given in zip(self.parts, self.maths, self.given, strict=True):
            with self.blame(rows):
                found[list(rows)] = _without(functions, given, self.count, kept)
        return found

    @contextmanager
    def blame(self, rows: Sequence[int]) -> Iterator[None]:
        """Say of what goes wrong in a user's own maths that it is the file's fault."""
        model = self.question.views[rows[0]].model
        try:
            with np.errstate(all="ignore"):  # what is no number is found afterwards
                yield
        except Exception as error:
            if model.derive is None and model.success is None:
                raise
            what = f"cannot be evaluated: {type(error).__name__}: {plain(error, 200)}"
            raise BadInput(Problem(model.source.label, "", what)) from error


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
    _check(question, (without, hit, miss))
    return Draws(question, values, without, hit, miss, chance, effects_hit, effects_miss, count, seed)


def _without(
    functions: compiled.Evaluator, given: Mapping[str, Array], count: int, kept: Kept | None
) -> Array:
    """Return p_success without a project, which many projects share."""
    if kept is None:
        return _without_anew(functions, given, count)
    read = [given[name] for name in functions.race_reads() if not name.startswith("effect ")]
    what = "without", functions, count, len(given["fact certain"])
    found: Array = kept.made_of(what, read, lambda: _without_anew(functions, given, count))
    return found


def _without_anew(functions: compiled.Evaluator, given: Mapping[str, Array], count: int) -> Array:
    rows = len(given["fact certain"])
    pieces = [functions.chance(cut(given, where), {}) for where in blocks(count, rows)]
    return np.concatenate([np.broadcast_to(p, (rows, p.shape[-1])) for p in pieces], axis=1)


def _check(question: Question, chances: tuple[Array, ...]) -> None:
    """Refuse what is no probability."""
    for chance in chances:
        fine = ((chance >= -ROUNDING) & (chance <= 1 + ROUNDING)).all(axis=1)
        for view, good in zip(question.views, fine, strict=True):
            if good:
                continue
            model = view.model
            if model.derive is None and model.success is None:
                what = "go beyond the numbers that a machine holds: no probability comes of them"
                raise BadInput(Problem(model.name, "beliefs", what, hint="look for one that is huge or tiny"))
            raise BadInput(
                Problem(
                    model.source.label, "success", "returns something that is no probability",
                    hint="it must lie in [0, 1] for every draw",
                )
            )  # fmt: skip
