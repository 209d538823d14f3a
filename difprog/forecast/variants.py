"""The race under many variants of a project's effects, on the same draws.

A channel switched off, a factor on an effect, another publication policy: each changes some of the effects
that the race reads, while most of its graph hangs on the others. So the graph is cut into stages, one for
every set of effects that some of its nodes hang on, and a stage is computed once for each version of those
effects: what hangs on the world alone, once for all variants. Nodes and arithmetic are those of the compiled
function, so that numbers are the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from difprog.forecast.compiled import Evaluator, Nodes
from difprog.forecast.evaluation import blocks, chosen, cut, stretch
from difprog.forecast.lowering import Lowered, Ones
from difprog.forecast.sampling import Draws

Array = npt.NDArray[np.float64]

#: Numbers of an array that is evaluated at a time: stages are many and short, and a call takes some
#: microseconds whatever it works on.
BLOCK = 1 << 15

#: Bytes of stages that are kept; what goes beyond is computed again. Only saves time.
KEPT_BYTES = 1 << 26

#: The label of an effect that is switched off.
NOTHING = 0


class Version(NamedTuple):
    """One version of an effect on a stretch of draws."""

    label: int | None
    """Tells it from the effect's other versions; None of one that will not come again."""
    value: Array
    """Shape (reading, draw)."""


class Stage(NamedTuple):
    """The nodes that hang on the same effects."""

    hangs_on: tuple[str, ...]
    made: tuple[str, ...]
    """Names of what other stages read of it."""
    call: Lowered


class Stages:
    """Nodes of a graph, cut into stages.

    Parameters
    ----------
    graph : Nodes
        Those wanted are elementwise functions of those given.

    Attributes
    ----------
    stages : list of Stage
        Each reads what those before it made.
    effects : tuple of str
        The effects that are read.
    outputs : tuple of str
        Names of what is wanted.
    """

    def __init__(self, graph: Nodes) -> None:
        from pytensor.graph.traversal import io_toposort

        given: dict[Any, str] = {variable: name for name, variable in graph.inputs.items()}
        on: dict[Any, frozenset[str]] = {
            variable: frozenset([name[7:]] if name.startswith("effect ") else [])
            for variable, name in given.items()
        }
        named: dict[Any, str] = dict(given)
        groups: dict[frozenset[str], list[Any]] = {}
        read: dict[frozenset[str], dict[str, Any]] = {}

        def name(variable: Any) -> str:
            if variable not in named:
                named[variable] = f"made {len(named)}"
            return named[variable]

        for node in io_toposort(list(given), graph.outputs):
            varied = [variable for variable in node.inputs if variable in on]  # all others are constants
            own: frozenset[str] = frozenset().union(*(on[variable] for variable in varied))
            on.update(dict.fromkeys(node.outputs, own))
            groups.setdefault(own, []).extend(node.outputs)
            for variable in varied:
                if variable in given or on[variable] != own:
                    read.setdefault(own, {})[name(variable)] = variable
        for variable in graph.outputs:
            name(variable)
            if variable not in on:
                groups.setdefault(frozenset(), []).append(variable)
        ones: dict[str, Ones] = dict(graph.ones)
        self.stages: list[Stage] = []
        # A node hangs on all that what it reads hangs on: those that hang on fewer effects come first.
        for hangs_on in sorted(groups, key=lambda effects: (len(effects), sorted(effects))):
            made = [variable for variable in groups[hangs_on] if variable in named]
            call = Lowered(read.get(hangs_on, {}), made, ones)
            ones.update(zip((named[variable] for variable in made), call.ones, strict=True))
            names = tuple(named[variable] for variable in made)
            self.stages.append(Stage(tuple(sorted(hangs_on)), names, call))
        self.effects = tuple(name[7:] for name in graph.inputs if name.startswith("effect "))
        self.outputs = tuple(named[variable] for variable in graph.outputs)


@lru_cache(maxsize=8)
def race_stages(functions: Evaluator) -> Stages:
    """Return p_success in stages."""
    return Stages(functions.race_graph())


@lru_cache(maxsize=8)
def slopes_of(functions: Evaluator, names: tuple[str, ...]) -> Lowered:
    """Return the exact derivatives of p_success by some effects."""
    return Lowered(*functions.slope_graph(names))


class Case(NamedTuple):
    """Effects of a project, by the labels of their versions."""

    hit: Mapping[str, int]
    miss: Mapping[str, int]
    chance_of_hit: Array
    """Shape (reading, draw)."""


class Variants:
    """Variants of a project's effects on the draws of a question.

    Parameters
    ----------
    draws : Draws
        The worlds, and the project's effects in them.
    every : int
        1 for all draws; 10 for each tenth.
    """

    def __init__(self, draws: Draws, every: int = 1) -> None:
        self.draws, self.some = draws, slice(None, None, every)
        self.count = len(range(0, draws.count, every))
        self.race = draws.race
        self.without = self._chosen(draws.without)
        self.given = [{n: v if " " in n else self._chosen(v) for n, v in g.items()} for g in self.race.given]
        self.kept = 0  # bytes
        self._versions: dict[str, list[Array]] = {name: [] for name in draws.effects_hit}
        self._acts: dict[str, list[npt.NDArray[np.bool_]]] = {name: [] for name in draws.effects_hit}
        self.stated = self.case(draws.effects_hit, draws.effects_miss, draws.chance_of_hit)

    def case(self, hit: Mapping[str, Array], miss: Mapping[str, Array], chance_of_hit: Array) -> Case:
        """Return effects and the chance of the breakthrough, arrays of shape (reading, draw), as a case."""
        labels = {name: self._label(name, value) for name, value in hit.items()}
        missed = {n: labels[n] if miss[n] is hit[n] else self._label(n, miss[n]) for n in hit}
        return Case(labels, missed, self._chosen(chance_of_hit))

    def _chosen(self, value: Array) -> Array:
        """Return the draws that count of an array, shape (reading, draw)."""
        return value if self.some.step == 1 else np.ascontiguousarray(value[:, self.some])

    def _label(self, name: str, value: Array) -> int:
        """Return the label of an effect's version, which is new where it is like none before."""
        value, known = self._chosen(value), self._versions[name]
        for place, other in enumerate(known):
            if np.array_equal(value, other):
                return place + 1
        known.append(value)
        self._acts[name].append(value.any(axis=1))
        return len(known)

    def acts(self, name: str, label: int, rows: Sequence[int]) -> bool:
        """Whether a version of an effect is other than 0 somewhere under one of the readings."""
        return bool(self._acts[name][label - 1][list(rows)].any())

    def stretches(self, rows: Sequence[int]) -> Iterator[Stretch]:
        """Yield stretches of draws, which together are all of them under the readings asked for.

        The readings of a stretch share their maths, and which effects act.
        """
        for part, own in enumerate(self.race.parts):
            alike: dict[tuple[bool, ...], list[int]] = {}
            for row in (r for r in own if r in rows):
                key = tuple(bool(acts[row]) for name in self._acts for acts in self._acts[name])
                alike.setdefault(key, []).append(row)
            for group in alike.values():
                for where in blocks(self.count, len(group), BLOCK):
                    yield Stretch(self, part, group, where)

    def net_effect(
        self, effects: Collection[str], rows: Sequence[int], factors: Mapping[str, float] | None = None
    ) -> Array:
        """Return the net effect of some of a project's effects, shape (readings asked for, draw).

        Parameters
        ----------
        effects : collection of str
            Those that count.
        rows : sequence of int
            Places of the readings asked for.
        factors : dict of str to float, optional
            Effect → what it is multiplied by.
        """
        found = np.empty((len(rows), self.count))
        for piece in self.stretches(rows):
            found[[list(rows).index(row) for row in piece.rows], piece.where] = piece.net(effects, factors)
        return found

    def slopes(self, names: Sequence[str], at: Mapping[str, Array]) -> dict[str, Array]:
        """Return the exact derivatives of p_success by effects, each of shape (reading, draw).

        Parameters
        ----------
        names : sequence of str
            The effects.
        at : mapping of str to array
            Effect → where, shape (reading, draw); those left out are 0.
        """
        found = {name: np.empty(self.without.shape) for name in names}
        for piece in self.stretches(range(len(self.without))):
            for name, slope in zip(names, piece.slopes(names, at), strict=True):
                found[name][piece.rows, piece.where] = slope
        return found

    def version(self, name: str, label: int) -> Array:
        """Return a version of an effect, shape (reading, draw)."""
        return self._versions[name][label - 1]


class Stretch:
    """Some draws under some readings that share their maths, and what stages made of them.

    Attributes
    ----------
    rows : list of int
        Places of the readings in the question.
    where : slice
        Of the draws.
    """

    def __init__(self, variants: Variants, part: int, rows: list[int], where: slice) -> None:
        self.rows, self.where = rows, where
        self._variants = variants
        self._at = stretch(rows)
        race = variants.race
        inside = stretch([race.parts[part].index(row) for row in rows])
        self._given = cut(chosen(variants.given[part], inside), where)
        self._functions = race.maths[part]
        self._stages = race_stages(self._functions)
        self._blame = partial(race.blame, race.parts[part])
        self._kept: dict[tuple[int | None, ...], list[Array]] = {}
        self.without = variants.without[self._at, where]

    def net(
        self,
        effects: Collection[str],
        factors: Mapping[str, float] | None = None,
        case: Case | None = None,
    ) -> Array:
        """Return the net effect of some of a project's effects, shape (reading, draw).

        Parameters
        ----------
        effects : collection of str
            Those that count.
        factors : dict of str to float, optional
            Effect → what it is multiplied by.
        case : Case, optional
            The project's effects; as stated by default.
        """
        case = case or self._variants.stated
        factors = factors or {}
        hit, miss = (self._versions(branch, effects, factors) for branch in (case.hit, case.miss))
        if_hit = self._chance(hit) - self.without
        if all(case.hit[name] == case.miss[name] for name in {*hit, *miss}):
            return if_hit
        if_miss = self._chance(miss) - self.without if miss else np.zeros(if_hit.shape)
        chance = case.chance_of_hit[self._at, self.where]
        return np.asarray(chance * if_hit + (1.0 - chance) * if_miss)

    def acts(self, effects: Collection[str]) -> bool:
        """Whether one of some effects, as stated, is other than 0 somewhere under one of the readings."""
        every, stated = self._variants, self._variants.stated
        return any(
            every.acts(n, branch[n], self.rows)
            for n in effects if n in stated.hit for branch in (stated.hit, stated.miss)
        )  # fmt: skip

    def _versions(
        self, branch: Mapping[str, int], effects: Collection[str], factors: Mapping[str, float]
    ) -> dict[str, Version]:
        """Return the effects that act."""
        found = {}
        for name in effects:
            factor = factors.get(name, 1.0)
            if name not in branch or factor == 0.0 or not self._variants.acts(name, branch[name], self.rows):
                continue
            value = self._variants.version(name, branch[name])[self._at, self.where]
            found[name] = Version(branch[name], value) if factor == 1.0 else Version(None, factor * value)
        return found

    def _chance(self, versions: Mapping[str, Version]) -> Array:
        """Return p_success, shape (reading, draw), not to be written to."""
        off = np.broadcast_to(0.0, self.without.shape)
        values = dict(self._given)
        for name in self._stages.effects:
            values[f"effect {name}"] = versions[name].value if name in versions else off
        with self._blame():
            for number, stage in enumerate(self._stages.stages):
                key = number, *[versions[n].label if n in versions else NOTHING for n in stage.hangs_on]
                made = self._kept.get(key)
                if made is None:
                    made = stage.call(values)
                    size = sum(array.nbytes for array in made)
                    if None not in key and self._variants.kept + size <= KEPT_BYTES:
                        self._kept[key] = made
                        self._variants.kept += size
                values.update(zip(stage.made, made, strict=True))
        (output,) = self._stages.outputs
        return np.broadcast_to(values[output], self.without.shape)

    def slopes(self, names: Sequence[str], at: Mapping[str, Array]) -> list[Array]:
        """Return the exact derivatives of p_success by effects, each of shape (reading, draw).

        Parameters
        ----------
        names : sequence of str
            The effects.
        at : mapping of str to array
            Effect → where, shape (reading of the question, draw); elsewhere they are taken at 0.
        """
        wanted = tuple(name for name in names if f"effect {name}" in self._functions.race_reads())
        call, shape = slopes_of(self._functions, wanted), self.without.shape
        values = dict(self._given)
        for name in call.reads:
            if name.startswith("effect "):
                off = np.broadcast_to(0.0, shape)
                values[name] = at[name[7:]][self._at, self.where] if name[7:] in at else off
        with self._blame():
            found = dict(zip(wanted, call(values), strict=True))
        return [np.broadcast_to(found[n], shape) if n in found else np.zeros(shape) for n in names]

    def close(self) -> None:
        """Give back what stages made: nobody asks for these draws again."""
        for made in self._kept.values():
            self._variants.kept -= sum(array.nbytes for array in made)
        self._kept.clear()
