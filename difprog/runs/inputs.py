"""What is different between the inputs of two runs: beliefs, facts, evidence, correlations.

Finds the differences and names them; what they do to the answer is `difprog.runs.rundiff`'s to say.
Reads nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from difprog.beliefs.beliefs import Belief
from difprog.beliefs.families import Point
from difprog.forecast.forecast import Forecast, ModelForecast
from difprog.race.parameters import FACT_OF, PARAMETERS, personal

Array = npt.NDArray[np.float64]

#: Facts that the effects themselves read; the others act through beliefs stated per value of them.
READ = ("kind", "focus", "approach", "criteria")


class Label(NamedTuple):
    """What a difference is: its kind, its name, and both sides in words."""

    kind: str
    what: str
    was: str
    now: str


class Swap(NamedTuple):
    """What has to be taken from the second run to make a change: beliefs, and facts by name."""

    beliefs: set[str]
    facts: dict[str, Any]


@dataclass
class Side:
    """One model's draws of one run, cut to the draws that both runs have.

    Attributes
    ----------
    answer : ModelForecast
        As the code is now.
    values : dict of str to array
        Draws of the beliefs.
    saved, now : dict of str to array
        What `difprog.runs.rundiff.QUANTITIES` came to, as saved and by the code as it is now.
    """

    answer: ModelForecast
    values: dict[str, Any]
    saved: dict[str, Array]
    now: dict[str, Array]


def differences(
    before: Forecast, after: Forecast, one: Mapping[str, Side], two: Mapping[str, Side]
) -> dict[Label, dict[str, Swap]]:
    """Return everything that is different between the two runs' inputs."""
    found: dict[Label, dict[str, Swap]] = {}
    facts_changed = {
        fact for fact in before.project.facts if before.project.facts[fact] != after.project.facts[fact]
    }

    def note(label: Label, model: str, beliefs: Sequence[str] = (), **facts: Any) -> None:
        names, stated = found.setdefault(label, {}).setdefault(model, Swap(set(), {}))
        names.update(beliefs)
        stated.update(facts)

    for model, old in one.items():
        new = two[model]
        facts, facts_now = old.answer.question.facts, new.answer.question.facts
        for fact in (*before.project.facts, "criteria"):
            was, now = getattr(facts, fact), getattr(facts_now, fact)
            if was != now:
                read = {fact: now} if fact in READ else {}
                note(Label("fact", fact, _words(was), _words(now)), model, **read)
        tied: dict[str, Any] = {}
        if facts.certain != facts_now.certain:
            tied = {"certain": facts_now.certain}
            note(_stated_label("capability_speedup", old, new), model,
                 ["capability_speedup", "hit_probability"], **tied)  # fmt: skip
        for name in dict.fromkeys([*old.values, *new.values]):
            if tied and name in ("capability_speedup", "hit_probability"):
                continue
            if not _same(old.values.get(name), new.values.get(name)):
                note(_label(name, old, new, facts_changed, before, after), model, [name])
    return found


def _label(
    name: str, old: Side, new: Side, facts_changed: set[str], before: Forecast, after: Forecast
) -> Label:
    """Return which change it is that a belief's draws differ by."""
    was, now = old.answer.question.beliefs.get(name), new.answer.question.beliefs.get(name)
    fact = _fact_of(name, new.answer)
    if fact in facts_changed and was is not None and now is not None and was.layer == now.layer:
        facts, facts_now = before.project.facts, after.project.facts
        return Label("fact", fact, facts[fact], facts_now[fact])
    questions = old.answer.question, new.answer.question
    conditioned = [b is not None and q.conditioned(name) for b, q in zip((was, now), questions, strict=True)]
    same = was is not None and now is not None and was.shape == now.shape
    if any(conditioned):
        datasets = [
            q.posterior.datasets.get(name, "evidence") if yes and q.posterior is not None else "not used"
            for yes, q in zip(conditioned, questions, strict=True)
        ]
        dataset = next(d for d in datasets if d != "not used")
        if datasets[0] != datasets[1]:
            return Label("evidence", dataset, *("used" if yes else "not used" for yes in conditioned))
        # Beliefs that one dataset is about move together, whichever's prior it was that changed.
        priors = [
            [spelled(q.beliefs.get(n), named=True) for n in _moved_priors(dataset, old, new)]
            for q in questions
        ]
        if priors[0]:
            return Label("evidence", dataset, "prior " + "; ".join(priors[0]), "; ".join(priors[1]))
        return Label("evidence", dataset, "as in the first run", "other data, code or versions")
    if not same:
        return _stated_label(name, old, new)
    parameter = PARAMETERS.get(name)
    if questions[0].own != questions[1].own and parameter is not None and personal(parameter):
        return Label("name", "the project’s own luck", questions[0].own, questions[1].own)
    if questions[0].correlations != questions[1].correlations:
        words = [
            "; ".join(f"{' and '.join(c.between)} {c.rank:g}" for c in q.correlations) or "none"
            for q in questions
        ]
        return Label("correlations", "correlations", *words)
    return Label("code", f"how {name} is drawn", "", "")


def _moved_priors(dataset: str, old: Side, new: Side) -> list[str]:
    """Return the beliefs of a dataset whose stated prior differs."""
    one, two = old.answer.question, new.answer.question
    return [
        name
        for name, belief in one.beliefs.items()
        if belief.evidence == dataset and name in two.beliefs and two.beliefs[name].shape != belief.shape
    ]


def _fact_of(name: str, answer: ModelForecast) -> str:
    """Return the fact per value of which a belief is stated, "" where it holds for all."""
    for layer in reversed(answer.layers):
        cases = layer.beliefs.get(name, {})
        for value in cases:
            if value and getattr(answer.question.facts, FACT_OF[value]) == value:
                return FACT_OF[value]
        if "" in cases:
            return ""
    return ""


def _stated_label(name: str, old: Side, new: Side) -> Label:
    was, now = (side.answer.question.beliefs.get(name) for side in (old, new))
    return Label("belief", name, spelled(was), spelled(now))


def spelled(belief: Belief | None, named: bool = False) -> str:
    """Return a belief in a few words: its value, or its stated percentiles, in its unit."""
    if belief is None:
        return "derived"
    if named:
        return f"{belief.name} {spelled(belief)}"
    parameter = PARAMETERS.get(belief.name)
    unit = f" {parameter.unit}" if parameter is not None and parameter.unit else ""
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
