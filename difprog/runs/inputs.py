"""What is different between the inputs of two runs: beliefs, facts, evidence, correlations.

Finds the differences and names them; what they do to the answer is `difprog.runs.attribution`'s
to say. Reads nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from difprog.beliefs.beliefs import Belief
from difprog.beliefs.distributions import Point
from difprog.beliefs.outcomes import Outcome
from difprog.forecast.believed import stated
from difprog.forecast.forecast import Forecast, ModelForecast
from difprog.forecast.question import Question
from difprog.race.parameters import FACT_OF

#: Facts that the effects themselves read; the others act through beliefs stated per value of them.
READ = ("kind", "focus", "approach", "criteria")

#: Beliefs that change together where an effect is stated outright, and is certain for it.
CERTAIN = ("capability_speedup", "hit_probability")


class Label(NamedTuple):
    """What a difference is: its kind, its name, and both sides in words."""

    kind: str
    what: str
    was: str
    now: str


@dataclass
class Swap:
    """What has to be taken from the second run to make a change.

    Attributes
    ----------
    beliefs : dict of str to set of str
        Reading → beliefs.
    facts : dict of str to str or frozenset
        Facts that the effects read, in all readings.
    certain : set of str
        Readings whose capability effect becomes certain, or ceases to be.
    outcomes : bool
        Whether what is stated about the outcome is the second run's.
    """

    beliefs: dict[str, set[str]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    certain: set[str] = field(default_factory=set)
    outcomes: bool = False


@dataclass(frozen=True)
class Side:
    """One of two runs, as restored, cut to the draws that both have.

    Attributes
    ----------
    forecast : Forecast
        By the code as it is now.
    count : int
        How many draws.
    """

    forecast: Forecast
    count: int

    @property
    def question(self) -> Question:
        """What it asked."""
        return self.forecast.draws.question

    def answer(self, reading: str) -> ModelForecast:
        """Return the answer of a reading."""
        return next(a for a in self.forecast.models if a.model.name == reading)

    def value(self, reading: str, name: str) -> Any:
        """Return a belief's draws under a reading, shape (draw,), or a float; None where it reads none."""
        answer = self.answer(reading)
        if name not in answer.beliefs:
            return None
        found = answer.value(name)
        return found[: self.count] if np.ndim(found) else found

    def fact(self, name: str) -> Any:
        """Return a fact, or the criteria that are met."""
        return self.question.criteria if name == "criteria" else self.question.facts[name]

    def outcomes(self, reading: str) -> dict[str, Outcome]:
        """Return what is stated about the outcome under a reading."""
        return stated(self.answer(reading).layers, self.forecast.setup.believe)

    def certain(self, reading: str) -> bool:
        """Whether a reading's capability effect happens for sure."""
        place = self.question.readings.index(reading)
        return bool(self.question.certain and self.question.certain[place])


def differences(one: Side, two: Side, readings: Sequence[str]) -> dict[Label, Swap]:
    """Return everything that is different between the two runs' inputs, under some readings."""
    found: dict[Label, Swap] = {}

    def note(label: Label, reading: str, beliefs: Iterable[str]) -> Swap:
        swap = found.setdefault(label, Swap())
        swap.beliefs.setdefault(reading, set()).update(beliefs)
        return swap

    changed = {fact for fact in (*one.question.facts, "criteria") if one.fact(fact) != two.fact(fact)}
    for fact in changed:
        label = Label("fact", fact, _words(one.fact(fact)), _words(two.fact(fact)))
        for reading in readings:
            swap = note(label, reading, ())
            swap.facts.update({fact: two.fact(fact)} if fact in READ else {})
    said = [{n: o.chance for r in readings for n, o in side.outcomes(r).items()} for side in (one, two)]
    if said[0] != said[1]:
        spelled = [", ".join(f"{n} {100 * c:.3g}%" for n, c in each.items()) or "not stated" for each in said]
        for reading in readings:
            note(Label("outcome", "the outcome", *spelled), reading, ()).outcomes = True
    for reading in readings:
        own = one.certain(reading) != two.certain(reading)
        if own:
            note(_stated(CERTAIN[0], reading, one, two), reading, CERTAIN).certain.add(reading)
        for name in dict.fromkeys([*one.answer(reading).beliefs, *two.answer(reading).beliefs]):
            if own and name in CERTAIN:
                continue
            if not _same(one.value(reading, name), two.value(reading, name)):
                note(_label(name, reading, one, two, changed), reading, [name])
    return found


def _label(name: str, reading: str, one: Side, two: Side, changed: set[str]) -> Label:
    """Return which change it is that a belief's draws differ by."""
    old, new = one.answer(reading), two.answer(reading)
    was, now = old.beliefs.get(name), new.beliefs.get(name)
    fact = _fact_of(name, new)
    if fact in changed and was is not None and now is not None and was.layer == now.layer:
        return Label("fact", fact, _words(one.fact(fact)), _words(two.fact(fact)))
    views = old.view, new.view
    datasets = [
        view.posterior.datasets.get(name, "evidence")
        if view.conditioned(name) and view.posterior is not None else ""
        for view in views
    ]  # fmt: skip
    if any(datasets):
        dataset = datasets[0] or datasets[1]
        # Beliefs that one dataset is about move together, whichever's prior it was that changed.
        moved = list(dict.fromkeys((*_moved_priors(dataset, old, new), *_moved_priors(dataset, new, old))))
        if datasets[0] != datasets[1]:
            said = []
            for own, view in zip(datasets, views, strict=True):
                instead = "; ".join(f"{n} {_spelled(n, view.beliefs[n], one)}" for n in moved)
                without = f"not used: {instead}" if moved else "not used"
                said.append("used" if own == dataset else without)
            return Label("evidence", dataset, *said)
        if moved:
            priors = ["; ".join(f"{n} {_spelled(n, view.beliefs[n], one)}" for n in moved) for view in views]
            return Label("evidence", dataset, f"prior {priors[0]}", priors[1])
        return Label("evidence", dataset, "as in the first run", "other data, code or versions")
    if was is None or now is None or was.shape != now.shape:
        return _stated(name, reading, one, two)
    questions = one.question, two.question
    if questions[0].own != questions[1].own and questions[0].personal(name):
        return Label("name", "the project’s own luck", questions[0].own, questions[1].own)
    tied = [{f"{' and '.join(c.between)} {c.rank:g}" for c in q.correlations} for q in questions]
    if tied[0] != tied[1]:
        apart = (tied[0] - tied[1], tied[1] - tied[0])
        return Label("correlations", "correlations", *("; ".join(sorted(words)) or "none" for words in apart))
    # What it is tied to is drawn from elsewhere, and takes it along.
    for tie in questions[0].correlations:
        other = next((n for n in tie.between if n != name), name) if name in tie.between else name
        if other != name and _stated_apart(other, old, new):
            return _label(other, reading, one, two, changed)
    return Label("code", f"how {name} is drawn", "", "")


def _stated_apart(name: str, old: ModelForecast, new: ModelForecast) -> bool:
    """Whether a belief is another, or conditioned on evidence in one of two forecasts only."""
    was, now = old.beliefs.get(name), new.beliefs.get(name)
    if was is None or now is None:
        return was is not now
    return was.shape != now.shape or old.view.conditioned(name) != new.view.conditioned(name)


def _moved_priors(dataset: str, old: ModelForecast, new: ModelForecast) -> list[str]:
    """Return the beliefs of a dataset whose stated prior differs."""
    return [
        name
        for name, belief in old.beliefs.items()
        if belief.evidence == dataset and name in new.beliefs and new.beliefs[name].shape != belief.shape
    ]


def _fact_of(name: str, answer: ModelForecast) -> str:
    """Return the fact per value of which a belief is stated, "" where it holds for all."""
    facts = answer.draws.question.facts
    for layer in reversed(answer.layers):
        cases = layer.beliefs.get(name, {})
        for value in cases:
            if value and facts[FACT_OF[value]] == value:
                return FACT_OF[value]
        if "" in cases:
            return ""
    return ""


def _stated(name: str, reading: str, one: Side, two: Side) -> Label:
    was, now = (_spelled(name, side.answer(reading).beliefs.get(name), side) for side in (one, two))
    return Label("belief", name, was, now)


def _spelled(name: str, belief: Belief | None, side: Side) -> str:
    """Return a belief in a few words: its value, or its stated percentiles, in its unit."""
    if belief is None:
        return "derived"
    unit = side.question.vocabulary[name].unit
    unit = f" {unit}" if unit else ""
    if isinstance(belief.shape, Point):
        return f"{belief.shape.value:.4g}{unit}"
    if belief.stated:
        low, high = min(belief.stated), max(belief.stated)
        return (
            f"{belief.stated[low]:.4g} to {belief.stated[high]:.4g}{unit} "
            f"(p{100 * low:g} to p{100 * high:g})"
        )
    low, high = belief.shape.percentile(0.05), belief.shape.percentile(0.95)
    return f"{low:.3g} to {high:.3g}{unit} (p5 to p95)"


def _words(value: Any) -> str:
    return ", ".join(sorted(value)) or "none" if isinstance(value, frozenset) else str(value)


def _same(one: Any, two: Any) -> bool:
    if one is None or two is None or np.ndim(one) != np.ndim(two):
        return False
    return bool(np.array_equal(one, two))
