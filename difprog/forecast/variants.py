"""The race under many variants of a project's effects, on the same draws.

A channel switched off, a factor on an effect, another publication policy: each changes some of the effects
that the race reads, while most of its graph hangs on the others. So the graph is cut into stages, one for
every set of effects that some of its nodes hang on, and a stage is computed once for each version of those
effects: what hangs on the world alone, once for all variants. Nodes and arithmetic are those of the compiled
function, so that numbers are the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from difprog.forecast.compiled import Evaluator
from difprog.forecast.sampling import Draws, chosen, cut, stretch

Array = npt.NDArray[np.float64]

#: Numbers of an array that is evaluated at a time: stages have few steps each, and a step takes some
#: microseconds whatever it works on.
BLOCK = 1 << 15

#: Bytes of stages that are kept; what goes beyond is computed again. Only saves time.
KEPT_BYTES = 1 << 26

#: Bytes of arrays that are at hand to write to.
FREE_BYTES = 1 << 24

#: An effect that is switched off, and its label.
OFF, NOTHING = np.zeros((1, 1)), 0


class Version(NamedTuple):
    """One version of an effect on a stretch of draws."""

    label: int | None
    """Tells it from the effect's other versions; None of one that will not come again."""
    value: Array
    """Shape (reading, draw)."""


class Step(NamedTuple):
    """One node: what it calls, and the places of what it reads and of what it makes."""

    call: Callable[..., Any]
    into: str
    """The type of the array that it writes to, as NumPy's letter; empty where it makes its own."""
    reads: tuple[int, ...]
    makes: int
    last: tuple[int, ...] = ()
    """Places that no later step reads: the next may have their memory."""


class Stage(NamedTuple):
    """The nodes that hang on the same effects."""

    hangs_on: tuple[str, ...]
    steps: tuple[Step, ...]
    kept: tuple[int, ...]
    """Places that other stages read."""


class Stages:
    """A graph of readings that share their maths, cut into stages.

    Parameters
    ----------
    inputs : dict of str to Variable
        Name → node, as in `difprog.forecast.compiled.Evaluator.race_graph`.
    outputs : sequence of Variable
        They are elementwise functions of the inputs.
    """

    def __init__(self, inputs: Mapping[str, Any], outputs: Sequence[Any]) -> None:
        from pytensor.graph.traversal import io_toposort

        place: dict[Any, int] = {}
        hangs: list[frozenset[str]] = []
        self.given: dict[int, str] = {}
        self.effects: dict[int, str] = {}
        self.constants: dict[int, Array] = {}

        def add(variable: Any, on: frozenset[str]) -> int:
            place[variable] = len(hangs)
            hangs.append(on)
            return place[variable]

        for name, variable in inputs.items():
            effect = name.removeprefix("effect ")
            if effect == name:
                self.given[add(variable, frozenset())] = name
            else:
                self.effects[add(variable, frozenset([effect]))] = effect
        found: dict[frozenset[str], list[Step]] = {}
        read_later = set()
        same: dict[Any, int] = {}
        for node in io_toposort(list(inputs.values()), outputs):
            for variable in node.inputs:
                if variable not in place:
                    self.constants[add(variable, frozenset())] = variable.data
            reads = tuple(place[variable] for variable in node.inputs)
            if (node.op, reads) in same:  # what stands there twice is computed once
                place[node.outputs[0]] = same[node.op, reads]
                continue
            own: frozenset[str] = frozenset().union(*(hangs[at] for at in reads))
            (result,) = node.outputs
            same[node.op, reads] = add(result, own)
            found.setdefault(own, []).append(Step(*_call(node), reads, place[result]))
            read_later |= {at for at in reads if hangs[at] != own}
        self.outputs = tuple(place[variable] for variable in outputs)
        read_later |= set(self.outputs)
        # A node hangs on all that what it reads hangs on: those that hang on fewer effects come first.
        ordered = sorted(found.items(), key=lambda item: (len(item[0]), sorted(item[0])))
        self.stages = [
            Stage(
                tuple(sorted(on)),
                _freeing(steps, read_later),
                tuple(step.makes for step in steps if step.makes in read_later),
            )
            for on, steps in ordered
        ]
        self.places = len(hangs)


def _narrow(value: Array) -> Array:
    """Return an array, or the one number that it is full of."""
    return value[:1, :1] if value.min() == value.max() else value


def _freeing(steps: Sequence[Step], read_later: Collection[int]) -> tuple[Step, ...]:
    """Return the steps of a stage, each with the places that are of no more use after it."""
    own, needed = {step.makes for step in steps}, set(read_later)
    found = []
    for step in reversed(steps):
        last = {at for at in (*step.reads, step.makes) if at in own and at not in needed}
        needed |= last
        found.append(step._replace(last=tuple(last)))
    return tuple(reversed(found))


def _call(node: Any) -> tuple[Callable[..., Any], str]:
    """Return the arithmetic of a node as a function of arrays, and the type of array that it writes to.

    What is elementwise is asked of NumPy directly, and arrays may be narrower than the graph says: an effect
    that is off is one number for all readings and draws.
    """
    from pytensor.scalar import Add, Mul, Second, Switch
    from pytensor.tensor.elemwise import Elemwise

    op, result = node.op, node.outputs[0].type
    kinds, into = [variable.type.dtype for variable in node.inputs], np.dtype(result.dtype).char
    if isinstance(op, Elemwise) and result.ndim == 2:
        if isinstance(op.scalar_op, Switch) and kinds[0] == "bool":
            return _switch, into
        if isinstance(op.scalar_op, Second):
            return _second, into
        ufunc = _ufunc(op.nfunc_spec[0]) if op.nfunc_spec else None
        if isinstance(ufunc, np.ufunc) and result.dtype in ("bool", np.result_type(*kinds).name):
            if ufunc.nin == len(kinds):
                return ufunc, into
            if isinstance(op.scalar_op, Add | Mul):
                return partial(_folded, ufunc), into

    def perform(*arrays: Any) -> Any:
        storage: list[Any] = [[None]]
        op.perform(node, np.broadcast_arrays(*arrays) if isinstance(op, Elemwise) else list(arrays), storage)
        return storage[0][0]

    return perform, ""


@lru_cache
def _ufunc(name: str) -> Any:
    """Return the function that a scalar operation is called by, of NumPy unless a module is named."""
    module, _, own = name.rpartition(".")
    return getattr(import_module(module or "numpy"), own)


def _switch(condition: Array, yes: Array, no: Array, out: Array) -> None:
    np.copyto(out, no)
    np.copyto(out, yes, where=condition)


def _second(_: Array, value: Array, out: Array) -> None:
    np.copyto(out, value)


def _folded(ufunc: Any, *arrays: Array, out: Array) -> None:
    ufunc(arrays[0], arrays[1], out=out)
    for array in arrays[2:]:
        ufunc(out, array, out=out)


@lru_cache(maxsize=8)
def race_stages(functions: Evaluator) -> Stages:
    """Return p_success in stages."""
    return Stages(*functions.race_graph())


@lru_cache(maxsize=8)
def slope_stages(functions: Evaluator, names: tuple[str, ...]) -> Stages:
    """Return the exact derivatives of p_success by some effects in stages."""
    return Stages(*functions.slope_graph(names))


class Memory:
    """Arrays at hand to write to: getting new ones from the machine takes as long as the arithmetic."""

    def __init__(self) -> None:
        self._free: dict[tuple[int, int, str], list[Array]] = {}
        self._bytes = 0

    def filled(self, call: Callable[..., Any], into: str, arrays: Sequence[Array]) -> Array:
        """Return what a step makes of arrays."""
        if not into:
            return call(*arrays)  # type: ignore[no-any-return]
        rows = columns = 1
        for array in arrays:
            own = array.shape
            rows, columns = max(rows, own[0]), max(columns, own[1])
        free = self._free.get((rows, columns, into))
        if free:
            out = free.pop()
            self._bytes -= out.nbytes
        else:
            out = np.empty((rows, columns), into)
        call(*arrays, out=out)
        return out

    def take(self, array: Array) -> None:
        """Take an array that is of no more use to anybody."""
        if array.base is None and array.ndim == 2 and self._bytes + array.nbytes <= FREE_BYTES:
            self._free.setdefault((*array.shape, array.dtype.char), []).append(array)
            self._bytes += array.nbytes


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
        self.memory = Memory()
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
                size = max(BLOCK // len(group), 1)
                for start in range(0, self.count, size):
                    yield Stretch(self, part, group, slice(start, min(start + size, self.count)))

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
        self._places = self._filled(self._stages)
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

    def _filled(self, stages: Stages) -> list[Any]:
        """Return the places of stages with what they read but effects."""
        places: list[Any] = [None] * stages.places
        for at, name in stages.given.items():
            places[at] = self._given[name]
        for at, value in stages.constants.items():
            places[at] = value
        return places

    def _chance(self, versions: Mapping[str, Version]) -> Array:
        """Return p_success, of a shape that broadcasts to (reading, draw), not to be written to."""
        places = self._places.copy()
        for at, name in self._stages.effects.items():
            places[at] = versions[name].value if name in versions else OFF
        fleeting: list[int] = []
        with self._blame():
            for number, stage in enumerate(self._stages.stages):
                key = number, *[versions[n].label if n in versions else NOTHING for n in stage.hangs_on]
                made = self._kept.get(key)
                if made is not None:
                    for at, array in zip(stage.kept, made, strict=True):
                        places[at] = array
                    continue
                self._make(stage.steps, places)
                made = [places[at] for at in stage.kept]
                size = sum(array.nbytes for array in made)
                if None in key or self._variants.kept + size > KEPT_BYTES:
                    fleeting += stage.kept
                else:
                    self._kept[key] = made
                    self._variants.kept += size
        (output,) = self._stages.outputs
        for at in fleeting:
            if at != output:
                self._variants.memory.take(places[at])
        return places[output]  # type: ignore[no-any-return]

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
        stages = slope_stages(self._functions, wanted)
        places = self._filled(stages)
        for place, name in stages.effects.items():
            places[place] = _narrow(at[name][self._at, self.where]) if name in at else OFF
        with self._blame():
            for stage in stages.stages:
                self._make(stage.steps, places)
        found = dict(zip(wanted, (places[place] for place in stages.outputs), strict=True))
        shape = self.without.shape
        return [np.broadcast_to(found[n], shape) if n in found else np.zeros(shape) for n in names]

    def _make(self, steps: Sequence[Step], places: list[Any]) -> None:
        """Do the steps of a stage."""
        memory = self._variants.memory
        for call, into, reads, makes, last in steps:
            places[makes] = memory.filled(call, into, [places[at] for at in reads])
            for at in last:
                memory.take(places[at])
                places[at] = None

    def close(self) -> None:
        """Give back what stages made: nobody asks for these draws again."""
        for made in self._kept.values():
            for array in made:
                self._variants.kept -= array.nbytes
                self._variants.memory.take(array)
        self._kept.clear()
