"""A question as one PyMC model: beliefs as random variables, the race as its graph, all readings in it.

A belief is a score, standard normal, and its quantile, a Deterministic of the belief's name; so
correlations are a copula over the scores. A reading is data: which mechanisms are open in it.
The race is written once (`difprog.race`), and built once, over reading × world.

Inside the graph, what a world is made of has two axes, the reading's and one more, which is the
world's here. Everything on them is elementwise, so that `difprog.forecast.compiled` can put the
draws on that axis and evaluate the same nodes on arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

from difprog.base.errors import BadInput, Problem
from difprog.forecast.copula import mixing, reference
from difprog.forecast.question import WORLDS, Question, Source
from difprog.models.model import STATED_ONLY, failure
from difprog.race.effects import Facts, Outcome, derive, stated_outright
from difprog.race.grid import APPROACH_SCORE, FOCUS_SCORE
from difprog.race.parameters import Group
from difprog.race.race import Effects, Variable, success


@dataclass
class Part:
    """Readings that share their maths: one stretch of the graph.

    Attributes
    ----------
    rows : tuple of int
        Places of the readings in the question.
    inputs : dict of str to Variable
        Belief → its node with two axes, as the maths reads it.
    masks : dict of str to Variable
        Belief → which of the readings read it, shape (reading, 1).
    facts : dict of str to Variable
        Scalars, and ``certain`` of shape (reading, 1).
    outcome : Outcome
        The project's effects.
    given : dict of str to Variable
        Effect → its node in all worlds, as the race reads it.
    race : Variable
        p_success as the maths returns it.
    wide : set of str
        Beliefs about which the readings differ: their nodes have a row per reading.
    """

    rows: tuple[int, ...]
    inputs: dict[str, Variable] = field(default_factory=dict)
    masks: dict[str, Variable] = field(default_factory=dict)
    facts: dict[str, Variable] = field(default_factory=dict)
    outcome: Outcome | None = None
    given: dict[str, Variable] = field(default_factory=dict)
    race: Variable = None
    wide: set[str] = field(default_factory=set)

    @property
    def chance(self) -> Variable:
        """p_success with a row for every reading, whether or not the maths tells them apart."""
        return _column(self, self.race)


@dataclass(frozen=True)
class Graph:
    """A question's PyMC model, and the stretches of its graph."""

    model: Any
    parts: tuple[Part, ...]


def parts_of(question: Question) -> list[tuple[int, ...]]:
    """Return the places of the readings that share their maths, those of the shipped maths first."""
    groups: dict[tuple[object, object], list[int]] = {}
    for place, view in enumerate(question.views):
        groups.setdefault((view.model.derive, view.model.success), []).append(place)
    return [tuple(rows) for _, rows in sorted(groups.items(), key=lambda g: g[0] != (None, None))]


def fact_values(question: Question) -> dict[str, float]:
    """Return a question's facts as the numbers that the maths reads, all but ``certain``."""
    kind = question.facts["kind"]
    return {
        "capabilities": float(kind == "capabilities"),
        "applications": float(kind == "applications"),
        "field_building": float(kind == "field-building"),
        "focus": FOCUS_SCORE[question.facts["focus"]],
        "approach": APPROACH_SCORE[question.facts["approach"]],
        "fit": question.fit,
    }


def build(question: Question) -> Graph:
    """Return the question as a PyMC model.

    Returns
    -------
    Graph
        Its model has the coords ``reading`` and ``world``; a variable per belief (dims
        ``reading`` where readings differ about it) and its score; Deterministics per effect,
        ``p_success`` (reading, world) and ``net_effect`` (reading).

    Raises
    ------
    BadInput
        Where correlations cannot hold, or a user's model file is at fault.
    """
    import pymc as pm
    import pytensor
    import pytensor.tensor as pt
    from pytensor.scalar import autocast_float_as

    coords = {"reading": list(question.readings), "world": list(WORLDS)}
    # Where in the code each node was made is of no use, and takes a third of the time. And a plain
    # number that fits would be held in single precision, and so would all that is made of such.
    frugal = pytensor.config.change_flags(traceback__limit=0)
    with frugal, autocast_float_as("float64"), pm.Model(coords=coords) as model:
        values = _beliefs(question)
        facts = {name: pm.Data(f"fact_{name}", value) for name, value in fact_values(question).items()}
        parts = tuple(_part(question, rows, values, facts) for rows in parts_of(question))
        back = np.argsort([row for part in parts for row in part.rows])

        def joined(pieces: Sequence[Variable]) -> Variable:
            return pieces[0] if len(pieces) == 1 else pt.concatenate(pieces, axis=0)[back]

        hit = joined([_column(part, _outcome(part).hit_probability) for part in parts])[:, 0]
        chance = joined([part.chance for part in parts])
        for name in effect_names(question):
            found = [_averaged(part, name) for part in parts]
            pm.Deterministic(name, joined(found)[:, 0], dims=("reading",))
        pm.Deterministic("chance_of_hit", hit, dims=("reading",))
        chance = pm.Deterministic("p_success", chance, dims=("reading", "world"))
        without = chance[:, 0]
        net = hit * (chance[:, 1] - without) + (1.0 - hit) * (chance[:, 2] - without)
        pm.Deterministic("net_effect", net, dims=("reading",))
    return Graph(model, parts)


def effect_names(question: Question) -> list[str]:
    """Return the effects that a project can have in any of the readings."""
    found = {name for view in question.views for name in view.model.effects}
    return [n for n, p in question.vocabulary.items() if p.group is Group.EFFECT and n in found]


def _outcome(part: Part) -> Outcome:
    assert part.outcome is not None
    return part.outcome


def _column(part: Part, value: Variable) -> Variable:
    """Return a value with a row for every reading of a part, shape (reading, 1)."""
    import pytensor.tensor as pt

    return pt.as_tensor_variable(value) + pt.zeros((len(part.rows), 1))


def _averaged(part: Part, name: str) -> Variable:
    """Return an effect with the hit probability averaged in, shape (reading, 1)."""
    outcome = _outcome(part)
    hit, miss = getattr(outcome.if_hit, name), getattr(outcome.if_miss, name)
    if hit is miss:
        return _column(part, hit)
    chance = outcome.hit_probability
    return _column(part, chance * hit + (1.0 - chance) * miss)


def _beliefs(question: Question) -> dict[str, Variable]:
    """Name a score and a value for every belief; return the values, scalars or of shape (reading,)."""
    import pymc as pm
    import pytensor.tensor as pt

    random = {
        name: pm.Normal(f"{name}_score")  # stating its spread would cost a power, for each of them
        for name in question.names
        if any(source.point is None for source in question.distinct(name))
    }
    index: dict[int, Variable] = {}
    values: dict[str, Variable] = {}
    scores: dict[str, Variable] = dict(random)

    def drawn(name: str, source: Source) -> Variable:
        if source.posterior is None:
            shape = source.shape
            value = shape.quantile(scores[name]) if source.point is None else float(source.point)
            return pt.as_tensor_variable(value)
        size = source.posterior.size
        if size not in index:
            index[size] = pm.DiscreteUniform(f"evidence_{size}" if index else "evidence", 0, size - 1)
        return source.posterior.sample(name, index[size], scores[name])

    def named(name: str) -> None:
        found = {source.key: drawn(name, source) for source in question.distinct(name)}
        label = name if not question.stated(name) or name in STATED_ONLY else f"{name}_stated"
        if len(found) == 1:
            values[name] = pm.Deterministic(label, *found.values())
            return
        neutral = question.vocabulary[name].neutral
        rows = [
            found[source.key] if source is not None else pt.constant(float(neutral or 0.0))
            for source in question.sources[name]
        ]
        values[name] = pm.Deterministic(label, pt.stack(rows), dims=("reading",))

    free = {name for group in question.groups for name in mixing(question, group).free}
    for name in question.names:
        if name not in free:
            named(name)
    for group in question.groups:
        how = mixing(question, group)
        known = []
        for name in how.given:
            posterior = next(s.posterior for s in question.distinct(name) if s.posterior is not None)
            value = values[name] if values[name].ndim == 0 else drawn(
                name, next(s for s in question.distinct(name) if s.posterior is not None)
            )
            known.append(rank_score(np.sort(reference(posterior, name)), value))
        for row, name in enumerate(how.free):
            terms = [w * k for w, k in zip(how.weights[row], known, strict=True)]
            terms += [r * random[n] for r, n in zip(how.root[row, : row + 1], how.free, strict=False)]
            scores[name] = pm.Deterministic(f"{name}_score_tied", sum(terms[1:], start=terms[0]))
        for name in how.free:
            named(name)
    return values


def rank_score(ordered: Any, values: Any) -> Any:
    """Return the normal scores of values by their rank among reference values, in rising order."""
    from difprog.beliefs import elementwise as ew

    size = len(ordered)
    rank = ew.searchsorted(ordered, values) + 0.5
    return ew.ndtri(ew.clip(rank / size, 0.5 / size, 1.0 - 0.5 / size))


def readers(question: Question, name: str, rows: Sequence[int]) -> list[bool]:
    """Return which of the readings read a belief."""
    return [question.sources[name][row] is not None for row in rows]


def _part(
    question: Question, rows: tuple[int, ...], values: Mapping[str, Variable], facts: Mapping[str, Variable]
) -> Part:
    """Build the maths of the readings that share it."""
    import pytensor.tensor as pt

    part = Part(rows, facts=dict(facts))
    every = len(rows) == len(question.views)
    w = SimpleNamespace()
    stated: dict[str, tuple[Variable, Variable]] = {}
    for name, parameter in question.vocabulary.items():
        reads = readers(question, name, rows) if name in question.names else [False]
        if not any(reads):
            if parameter.neutral is not None and not question.stated(name):
                setattr(w, name, float(parameter.neutral))
            continue
        value = values[name]
        if value.ndim:
            part.wide.add(name)
            value = (value if every else value[list(rows)])[:, None]
        else:
            value = value[None, None]
        part.inputs[name] = value
        mask = None
        if question.stated(name) or not all(reads):
            part.masks[name] = mask = pt.as_tensor_variable(np.array(reads)[:, None])
        if question.stated(name):
            if name in STATED_ONLY:
                setattr(w, name, (value, mask))
            else:
                stated[name] = value, mask
        else:
            neutral = float(parameter.neutral or 0.0)
            setattr(w, name, value if mask is None else pt.switch(mask, value, neutral))
    if not hasattr(w, "hit_probability"):
        w.hit_probability = 1.0  # in all of these readings the breakthrough is certain, and none states it
    part.facts["certain"] = pt.as_tensor_variable(
        np.array([[float(question.certain[row]) if question.certain else 0.0] for row in rows])
    )
    known = Facts(**part.facts)
    own = question.views[rows[0]].model
    part.outcome = stated_outright(_called(own, own.derive or derive, known, w), stated, w)
    together = Effects(**{n: _stacked(part, part.outcome, n) for n in part.outcome.if_hit})
    part.given = {name: getattr(together, name) for name in together}
    part.race = pt.as_tensor_variable(_called(own, own.success or success, w, together))
    if part.race.ndim > 2:
        raise BadInput(Problem(own.source.label, "success", "must be elementwise", f"{part.race.ndim} axes"))
    return part


def _stacked(part: Part, outcome: Outcome, name: str) -> Variable:
    """Return an effect in the worlds without, hit and miss, shape (reading, world)."""
    import pytensor.tensor as pt

    hit = _column(part, getattr(outcome.if_hit, name))
    miss = _column(part, getattr(outcome.if_miss, name))
    return pt.concatenate([pt.zeros_like(hit), hit, miss], axis=1)


def _called(model: Any, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a model's maths; what a user's own does wrong is bad input, with its line."""
    if function in (derive, success):
        return function(*arguments)
    try:
        return function(*arguments)
    except Exception as error:
        what = f"{function.__name__} fails"
        raise failure(error, model.source.path, model.source.label, what) from error
