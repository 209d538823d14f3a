"""Functions of the graph on arrays: compiled once a process, called for every question alike.

Draws stand on the last axis. A compiled function is told apart by the structure of the graph that
it belongs to (which beliefs are read, by which maths), never by numbers, so that policies, rows of
a portfolio and the channels of one project all call the same one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from difprog.beliefs.families import FAMILIES, Distribution, Member, Mixture, Point, Shape, mixture_quantile
from difprog.forecast.graph import Graph, Part, build, parts_of, readers
from difprog.forecast.question import Question

Array = npt.NDArray[np.float64]

#: Graphs of different structure that are kept.
MOST_GRAPHS = 24

#: Numbers of an array that is evaluated at a time: what the race takes stays in a processor's cache, and
#: the calls, one per operation and block, take less than the arithmetic.
BLOCK = 1 << 15


@lru_cache
def mode() -> Any:
    """Return how graphs are compiled: node by node on NumPy, with no compiler.

    What stands in the graph twice is computed once, and constants beforehand; all other rewriting
    takes longer than it saves. Measured: compiling takes a tenth of a second where Numba or C take
    many, and running is as fast, as every node works on whole arrays.
    """
    from pytensor.compile.mode import Mode
    from pytensor.graph.rewriting.db import RewriteDatabaseQuery

    return Mode(linker="py", optimizer=RewriteDatabaseQuery(include=["merge", "topo_constant_folding"]))


def function(inputs: Sequence[Any], outputs: Any) -> Callable[..., Any]:
    """Compile outputs as a function of inputs."""
    import pytensor

    return pytensor.function(  # type: ignore[no-any-return]
        list(inputs), outputs, mode=mode(), on_unused_input="ignore", accept_inplace=True
    )


@lru_cache
def _normal() -> Callable[..., Any]:
    """Compile PyMC's standard normal, given its generator and the number of draws."""
    import pymc as pm
    import pytensor.tensor as pt
    from pytensor.tensor.random.type import random_generator_type

    generator, count = random_generator_type("generator"), pt.lscalar("count")
    return function([generator, count], pm.Normal.dist(0.0, 1.0, size=(count,), rng=generator))


def normal(generator: np.random.Generator, count: int) -> Array:
    """Return standard normal scores drawn by PyMC from a generator, shape (count,)."""
    return np.asarray(_normal()(generator, count))


def quantile(shape: Shape, scores: Array) -> Array:
    """Return the quantiles of a distribution at standard normal scores, shape of the scores."""
    with np.errstate(all="ignore"):
        return np.asarray(_quantile(_structure(shape))(scores, *_numbers(shape)))


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
def _quantile(structure: tuple[Any, ...]) -> Callable[..., Any]:
    """Compile the quantile of all distributions of one structure."""
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
    return function([scores, *numbers], pt.round(value) if structure[1] else value)


class Branches(NamedTuple):
    """A project's effects on draws: arrays of shape (reading or 1, draw)."""

    hit: dict[str, Array]
    miss: dict[str, Array]
    """The same arrays as in ``hit`` where the breakthrough makes no difference."""
    chance: Array
    """Of the hit."""


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
        self._derive: Callable[..., Any] | None = None
        self._chance: Callable[..., Any] | None = None
        self.reads: dict[str, tuple[str, ...]] = {}

    def _replaced(self, outputs: list[Any], effects: bool) -> tuple[list[Any], dict[str, Any], list[Any]]:
        """Return inputs by name that stand in for nodes of the graph, and outputs that read them."""
        import pytensor.tensor as pt
        from pytensor.graph.replace import clone_replace
        from pytensor.graph.traversal import ancestors

        part = self._part
        nodes: dict[str, Any] = {}
        for name, node in part.inputs.items():
            shape = (None if name in part.wide else 1, None)
            nodes[name] = (node, pt.tensor(name, dtype="float64", shape=shape))
        for name, node in part.masks.items():
            nodes[f"reads {name}"] = (node, pt.tensor(f"reads {name}", dtype="bool", shape=(None, 1)))
        for name, node in part.facts.items():
            where = (None, 1) if name == "certain" else ()
            nodes[f"fact {name}"] = (node, pt.tensor(f"fact {name}", dtype="float64", shape=where))
        if effects:
            for name, node in part.given.items():
                stands_in = pt.tensor(f"effect {name}", dtype="float64", shape=(None, None))
                nodes[f"effect {name}"] = (node, stands_in)
        blockers = [node for node, _ in nodes.values()]
        used = set(ancestors(outputs, blockers=blockers))
        chosen = {name: pair for name, pair in nodes.items() if pair[0] in used}
        found = clone_replace(outputs, dict(chosen.values()), rebuild_strict=False)
        return found, {name: new for name, (_, new) in chosen.items()}, [new for _, new in chosen.values()]

    def _compiled(self, key: str, outputs: list[Any], effects: bool) -> Callable[..., Any]:
        found, inputs, ordered = self._replaced(outputs, effects)
        self.reads[key] = tuple(inputs)
        return function(ordered, found)

    def derive(self, given: Mapping[str, Array]) -> Branches:
        """Return a project's effects.

        Parameters
        ----------
        given : dict of str to array
            Beliefs (reading or 1, draw), masks ``"reads …"`` (reading, 1), facts ``"fact …"``.
        """
        outcome = self._part.outcome
        assert outcome is not None
        if self._derive is None:
            outputs = [getattr(outcome.if_hit, n) for n in self.effects]
            outputs += [getattr(outcome.if_miss, n) for n in self.branched]
            outputs = [_variable(value) for value in (*outputs, outcome.hit_probability)]
            self._derive = self._compiled("derive", outputs, False)
        found = self._derive(*(given[name] for name in self.reads["derive"]))
        hit = dict(zip(self.effects, found, strict=False))
        miss = {**hit, **dict(zip(self.branched, found[len(self.effects) :], strict=False))}
        return Branches(hit, miss, found[-1])

    def chance(self, given: Mapping[str, Array], effects: Mapping[str, Array]) -> Array:
        """Return p_success of shape (reading, draw).

        Parameters
        ----------
        given : dict of str to array
            As in `derive`.
        effects : dict of str to array
            Effect → its value, shape (reading or 1, draw); what is left out is 0.
        """
        self.race_reads()
        assert self._chance is not None
        return np.asarray(self._chance(*self._with(given, effects, "chance"))[0])

    def race_reads(self) -> tuple[str, ...]:
        """Return the names of what p_success is computed from; compiles it."""
        if self._chance is None:
            self._chance = self._compiled("chance", [self._part.race], True)
        return self.reads["chance"]

    def race_graph(self) -> tuple[tuple[str, ...], list[Any], list[Any]]:
        """Return the names of what p_success is computed from, its variables, and p_success, of the graph."""
        names = self.race_reads()
        graph = self._chance.maker.fgraph  # type: ignore[union-attr]
        return names, graph.inputs, graph.outputs

    def _with(self, given: Mapping[str, Array], effects: Mapping[str, Array], key: str) -> list[Array]:
        shape = self._shape(given)
        zero = np.broadcast_to(0.0, shape)
        return [
            given[name]
            if not name.startswith("effect ")
            else np.broadcast_to(effects[name[7:]], shape) if name[7:] in effects else zero
            for name in self.reads[key]
        ]

    @staticmethod
    def _shape(given: Mapping[str, Array]) -> tuple[int, int]:
        return len(given["fact certain"]), next(v.shape[1] for n, v in given.items() if " " not in n)

    def slope_graph(self, names: Sequence[str]) -> tuple[tuple[str, ...], list[Any], list[Any]]:
        """Return what `race_graph` does of the exact derivatives of p_success by effects that it reads."""
        import pytensor
        import pytensor.tensor as pt

        read, inputs, outputs = self.race_graph()
        wanted = [inputs[read.index(f"effect {name}")] for name in names]
        with pytensor.config.change_flags(traceback__limit=0):
            slopes = pytensor.grad(
                None, wanted, known_grads={outputs[0]: pt.ones((1, 1))},
                disconnected_inputs="ignore", return_disconnected="zero",
            )  # fmt: skip
        return read, inputs, list(slopes)


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

