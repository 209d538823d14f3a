"""Functions of the graph on arrays: compiled once a process, called for every question alike.

Draws stand on the last axis. A compiled function is told apart by the structure of the graph that
it belongs to (which beliefs are read, by which maths), never by numbers, so that policies, rows of
a portfolio and the channels of one project all call the same one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from difprog.beliefs.distributions import Distribution, Member, Mixture, Point, Shape, mixture_quantile
from difprog.beliefs.families import FAMILIES
from difprog.forecast.graph import Graph, Part, build, parts_of, readers
from difprog.forecast.lowering import Lowered
from difprog.forecast.question import Question

Array = npt.NDArray[np.float64]

#: Graphs of different structure that are kept.
MOST_GRAPHS = 24

#: Numbers of an array that is evaluated at a time: what a line of the race reads and writes stays in a
#: processor's cache, and the calls, one per operation and block, take less than the arithmetic.
BLOCK = 3 << 12


@lru_cache
def mode() -> Any:
    """Return how PyTensor compiles what is not elementwise: node by node on NumPy, with no compiler.

    What stands in the graph twice is computed once, and generators are not copied before they draw;
    all other rewriting takes longer than it saves.
    """
    from pytensor.compile.mode import Mode
    from pytensor.graph.rewriting.db import RewriteDatabaseQuery

    return Mode(linker="py", optimizer=RewriteDatabaseQuery(include=["merge", "random_make_inplace"]))


@lru_cache
def _normal() -> Callable[..., Any]:
    """Compile PyMC's standard normal, given its generator and the number of draws."""
    import pymc as pm
    import pytensor
    import pytensor.tensor as pt
    from pytensor.tensor.random.type import random_generator_type

    generator, count = random_generator_type("generator"), pt.lscalar("count")
    score = pm.Normal.dist(0.0, 1.0, size=(count,), rng=generator)
    inputs = [pytensor.In(generator, mutable=True), count]
    found: Callable[..., Any] = pytensor.function(inputs, score, mode=mode(), accept_inplace=True)
    return found


def normal(generator: np.random.Generator, count: int) -> Array:
    """Return standard normal scores drawn by PyMC from a generator, shape (count,)."""
    return np.asarray(_normal()(generator, count))


def quantile(shape: Shape, scores: Array) -> Array:
    """Return the quantiles of a distribution at standard normal scores, shape of the scores."""
    numbers = {f"number {i}": np.float64(number) for i, number in enumerate(_numbers(shape))}
    with np.errstate(all="ignore"):
        (found,) = _quantile(_structure(shape))({"scores": scores, **numbers})
    return np.asarray(found)


def _structure(shape: Any) -> tuple[Any, ...]:
    """Return all of a distribution that is not a number."""
    if isinstance(shape, Point):
        return ("point",)
    if isinstance(shape, Member):
        return ("member", shape.family.name, shape.cut is not None)
    if isinstance(shape, Mixture):
        return ("mixture", shape.integer, *(_structure(part) for part in shape.members[1]))
    return ("one", shape.integer, _structure(shape.member))


def _numbers(shape: Any) -> list[float]:
    """Return the numbers of a distribution, in the order in which `_rebuilt` takes them."""
    if isinstance(shape, Point):
        return [shape.value]
    if isinstance(shape, Member):
        return [*shape.parameters, *(shape.cut or ())]
    if isinstance(shape, Mixture):
        weights, parts = shape.members
        return [*weights, *(number for part in parts for number in _numbers(part))]
    assert isinstance(shape, Distribution)
    return _numbers(shape.member)


@lru_cache(maxsize=256)
def _quantile(structure: tuple[Any, ...]) -> Lowered:
    """Compile the quantile of all distributions of one structure."""
    import pytensor

    with pytensor.config.change_flags(traceback__limit=0):
        return _compiled(structure)


def _compiled(structure: tuple[Any, ...]) -> Lowered:
    import pytensor.tensor as pt

    scores = pt.dvector("scores")
    numbers: list[Any] = []

    def number() -> Any:
        numbers.append(pt.dscalar())
        return numbers[-1]

    def rebuilt(part: tuple[Any, ...]) -> Any:
        if part[0] == "point":
            return Point(number())
        family = FAMILIES[part[1]]
        parameters = tuple(number() for _ in family.parameters)
        return Member(family, parameters, (number(), number(), number(), number()) if part[2] else None)

    if structure[0] == "mixture":
        weights = [number() for _ in structure[2:]]
        value = mixture_quantile(weights, [rebuilt(part) for part in structure[2:]], scores)
    else:
        value = rebuilt(structure[2]).quantile(scores)
    inputs = {"scores": scores, **{f"number {i}": node for i, node in enumerate(numbers)}}
    ones = {name: (False,) * node.ndim for name, node in inputs.items()}
    return Lowered(inputs, [pt.round(value) if structure[1] else value], ones)


class Branches(NamedTuple):
    """A project's effects on draws: arrays of shape (reading or 1, draw)."""

    hit: dict[str, Array]
    miss: dict[str, Array]
    """The same arrays as in ``hit`` where the breakthrough makes no difference."""
    chance: Array
    """Of the hit."""


class Nodes(NamedTuple):
    """Nodes that are wanted, and those that arrays stand in for: what `Lowered` takes."""

    inputs: dict[str, Any]
    outputs: list[Any]
    ones: dict[str, tuple[bool, ...]]


class Evaluator:
    """The maths of readings that share it, as compiled functions of arrays.

    Parameters
    ----------
    part : Part
        The stretch of the graph.
    """

    def __init__(self, part: Part) -> None:
        self._part = part
        assert part.outcome is not None
        self.effects = tuple(part.outcome.if_hit)
        self.branched = tuple(
            n for n in self.effects if getattr(part.outcome.if_hit, n) is not getattr(part.outcome.if_miss, n)
        )

    def _inputs(self, effects: bool) -> tuple[dict[str, Any], dict[str, tuple[bool, ...]]]:
        """Return the nodes that arrays stand in for, by name, and which of their axes are of length 1."""
        part, nodes = self._part, dict(self._part.inputs)
        ones: dict[str, tuple[bool, ...]] = {name: (name not in part.wide, False) for name in part.inputs}
        for name, node in part.masks.items():
            nodes[f"reads {name}"], ones[f"reads {name}"] = node, (False, True)
        for name, node in part.facts.items():
            nodes[f"fact {name}"], ones[f"fact {name}"] = node, (False, True) if name == "certain" else ()
        if effects:
            for name, node in part.given.items():
                nodes[f"effect {name}"], ones[f"effect {name}"] = node, (False, False)
        return nodes, ones

    def derive(self, given: Mapping[str, Array]) -> Branches:
        """Return a project's effects.

        Parameters
        ----------
        given : dict of str to array
            Beliefs (reading or 1, draw), masks ``"reads …"`` (reading, 1), facts ``"fact …"``.
        """
        found = self._derive(given)
        hit = dict(zip(self.effects, found, strict=False))
        miss = {**hit, **dict(zip(self.branched, found[len(self.effects) :], strict=False))}
        return Branches(hit, miss, found[-1])

    @cached_property
    def _derive(self) -> Lowered:
        outcome = self._part.outcome
        assert outcome is not None
        outputs = [getattr(outcome.if_hit, n) for n in self.effects]
        outputs += [getattr(outcome.if_miss, n) for n in self.branched]
        nodes, ones = self._inputs(False)
        return Lowered(nodes, [_variable(value) for value in (*outputs, outcome.hit_probability)], ones)

    def chance(self, given: Mapping[str, Array], effects: Mapping[str, Array]) -> Array:
        """Return p_success of shape (reading, draw).

        Parameters
        ----------
        given : dict of str to array
            As in `derive`.
        effects : dict of str to array
            Effect → its value, shape (reading or 1, draw); what is left out is 0.
        """
        return np.asarray(self._chance(self._with(given, effects, self._chance.reads))[0])

    @cached_property
    def _chance(self) -> Lowered:
        return Lowered(*self.race_graph())

    def race_reads(self) -> tuple[str, ...]:
        """Return the names of what p_success is computed from."""
        return self._chance.reads

    def _with(
        self, given: Mapping[str, Array], effects: Mapping[str, Array], reads: Sequence[str]
    ) -> dict[str, Array]:
        shape = self._shape(given)
        zero = np.broadcast_to(0.0, shape)
        return {
            name: given[name]
            if not name.startswith("effect ")
            else np.broadcast_to(effects[name[7:]], shape) if name[7:] in effects else zero
            for name in reads
        }

    @staticmethod
    def _shape(given: Mapping[str, Array]) -> tuple[int, int]:
        return len(given["fact certain"]), next(v.shape[1] for n, v in given.items() if " " not in n)

    def race_graph(self) -> Nodes:
        """Return p_success and what it can be computed from, as nodes of the graph."""
        nodes, ones = self._inputs(True)
        return Nodes(nodes, [self._part.race], ones)

    def slope_graph(self, names: Sequence[str]) -> Nodes:
        """Return the exact derivatives of p_success by effects that it reads, as `race_graph` does.

        They are taken on a copy of the graph whose last axis is that of the draws: the graph's
        own is that of the worlds, and derivatives are summed over axes that broadcast.
        """
        import pytensor
        import pytensor.tensor as pt
        from pytensor.graph.replace import clone_replace

        nodes, ones = self._inputs(True)
        inputs = {
            name: pt.tensor(
                name, dtype=nodes[name].type.dtype, shape=tuple(1 if one else None for one in ones[name])
            )
            for name in self.race_reads()
        }
        stand_in = {nodes[name]: new for name, new in inputs.items()}
        with pytensor.config.change_flags(traceback__limit=0):
            (chance,) = clone_replace([self._part.race], stand_in, rebuild_strict=False)
            slopes = pytensor.grad(
                None, [inputs[f"effect {name}"] for name in names], known_grads={chance: pt.ones((1, 1))},
                disconnected_inputs="ignore", return_disconnected="zero",
            )  # fmt: skip
        return Nodes(inputs, list(slopes), ones)


def _variable(value: Any) -> Any:
    import pytensor.tensor as pt

    return pt.as_tensor_variable(value)


_KEPT: OrderedDict[object, tuple[Evaluator, ...]] = OrderedDict()


def evaluators(question: Question, graph: Callable[[], Graph] | None = None) -> tuple[Evaluator, ...]:
    """Return the compiled maths of a question's readings, one for each group that shares it.

    Parameters
    ----------
    question : Question
        What is asked.
    graph : callable, optional
        Gives the question's graph where it is at hand; it is built where none of its structure is kept.
    """
    key = _signature(question)
    if key not in _KEPT:
        made = (graph or (lambda: build(question)))()
        _KEPT[key] = tuple(Evaluator(part) for part in made.parts)
        while len(_KEPT) > MOST_GRAPHS:
            _KEPT.popitem(last=False)
    _KEPT.move_to_end(key)
    return _KEPT[key]


def _signature(question: Question) -> object:
    """Return all that decides a question's maths, but for numbers."""
    parts = []
    for rows in parts_of(question):
        model = question.views[rows[0]].model
        names = tuple(
            (name, question.varies(name), all(readers(question, name, rows)))
            for name in question.names
            if any(readers(question, name, rows))
        )
        parts.append((model.derive, model.success, names))
    return tuple(parts), tuple(question.vocabulary)

