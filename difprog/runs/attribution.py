"""What moved between two saved runs, and which change moved it by how much.

Every change on its own, on the same draws: the first run's draws are evaluated again with one
belief's draws, or one fact, taken from the second. What the changes do together beyond the sum
of what they do apart is shown as interaction. Both runs are evaluated by the code as it is now;
what that code makes of them other than what was saved is the code's share. The parts therefore
sum to the whole, for every model and for the mixture.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from difprog.base.errors import BadInput, Problem
from difprog.forecast import identity
from difprog.forecast.forecast import (
    Forecast,
    ModelForecast,
)
from difprog.forecast.simulate import evaluate
from difprog.forecast.summary import clustered_error
from difprog.models.model import Model
from difprog.runs import runs
from difprog.runs.differences import Label, Side, Swap, differences
from difprog.runs.runs import (
    Run,
)

Array = npt.NDArray[np.float64]

QUANTITIES = ("p_success_without", "p_success_with", "net_effect")


@dataclass(frozen=True)
class Moved:
    """A change of a mean, with the Monte Carlo error of the change."""

    mean: float
    mcse: float


@dataclass(frozen=True)
class Change:
    """One thing that is different, and what it does on its own.

    Attributes
    ----------
    kind : str
        "belief", "fact", "evidence", "correlations", "name", "draws", "code", "credences",
        "interaction".
    what : str
        Its name.
    was, now : str
        In words.
    models : dict of str to dict of str to Moved
        Model → quantity → what it moved.
    ensemble : dict of str to Moved
        The same of the mixture by the first run's credences.
    """

    kind: str
    what: str
    was: str
    now: str
    models: Mapping[str, Mapping[str, Moved]] = field(default_factory=dict)
    ensemble: Mapping[str, Moved] = field(default_factory=dict)


@dataclass(frozen=True)
class RunDiff:
    """Two runs and what lies between them.

    Attributes
    ----------
    first, second : Run
        The runs.
    total : Change
        Second minus first, of every model that both have and of the mixture.
    changes : tuple of Change
        Parts of the total, the largest first; empty where the runs are not on the same draws.
    paired : bool
        Whether they are.
    files : list of (str, str)
        Inputs that differ, and how: "changed", "added", "removed".
    versions : dict of str to (str, str)
        Versions that differ.
    """

    first: Run
    second: Run
    total: Change
    changes: tuple[Change, ...]
    paired: bool
    files: tuple[tuple[str, str], ...]
    versions: Mapping[str, tuple[str, str]]


def diff(first: Run, second: Run, models: Mapping[str, Model] | None = None) -> RunDiff:
    """Compare two saved runs.

    Parameters
    ----------
    first, second : Run
        Before and after.
    models : mapping of str to Model, optional
        Models that do not ship, by name.

    Raises
    ------
    BadInput
        Where the runs have no model in common, or a model is not at hand.
    """
    common = [name for name in first.models if name in second.models]
    if not common:
        raise BadInput(
            Problem(str(second.folder), "models", "has no model in common with the first run",
                    ", ".join(second.models), f"the first has {', '.join(first.models)}")
        )  # fmt: skip
    before, after = runs.forecast(first, models), runs.forecast(second, models)
    paired = before.seed == after.seed
    count = min(before.count, after.count)
    one = {a.model.name: _side(first, a, count) for a in before.models if a.model.name in common}
    two = {a.model.name: _side(second, a, count) for a in after.models if a.model.name in common}
    weights = dict(zip((a.model.name for a in before.models), before.weights, strict=True))
    total = _total(first, second, before, after, common, paired)
    changes: list[Change] = []
    if paired:
        together = {m: {q: two[m].now[q] - one[m].now[q] for q in QUANTITIES} for m in common}
        for label, swaps in differences(before, after, one, two).items():
            moved = _alone(swaps, one, two)
            changes.append(_change(label, moved, weights))
            for model, each in moved.items():
                together[model] = {q: d - each[q] for q, d in together[model].items()}
        changes += _by_code(first, second, one, two, weights)
        changes += _by_count(first, second, one, two, weights, count)
        changes += _by_credences(first, second, before, after)
        left_over = _change(Label("interaction", "interaction", "", ""), together, weights)
        changes.append(_exact(left_over, total, changes))
        changes.sort(key=lambda c: (c.kind == "interaction", -abs(c.ensemble["net_effect"].mean)))
    return RunDiff(
        first, second, total, tuple(changes), paired, _files(first, second), _versions(first, second)
    )


def _side(run: Run, answer: ModelForecast, count: int) -> Side:
    def cut(value: Any) -> Any:
        return value[:count] if np.ndim(value) else value

    values = {name: cut(value) for name, value in answer.draws.values.items()}
    now = _quantities(answer.draws.chances, answer.draws.count)
    return Side(
        answer, values, run.outcome(answer.model.name), {name: v[:count] for name, v in now.items()}
    )


def _quantities(chances: Any, count: int) -> dict[str, Array]:
    found = (chances.without, chances.with_project, chances.net_effect)
    return {
        name: np.broadcast_to(np.asarray(value, dtype=float), (count,))
        for name, value in zip(QUANTITIES, found, strict=True)
    }


def _total(
    first: Run, second: Run, before: Forecast, after: Forecast, common: Sequence[str], paired: bool
) -> Change:
    """Return second minus first, as saved."""
    models = {}
    for name in common:
        old, new = first.outcome(name), second.outcome(name)
        models[name] = {q: _moved(old[q], new[q], paired) for q in QUANTITIES}

    def mixed(run: Run, forecast: Forecast, quantity: str) -> Array:
        parts = [
            w * run.outcome(a.model.name)[quantity]
            for a, w in zip(forecast.models, forecast.weights, strict=True)
        ]
        return np.sum(parts, axis=0)

    ensemble = {
        q: _moved(mixed(first, before, q), mixed(second, after, q), paired) for q in QUANTITIES
    }
    names = [str(run.manifest["project"]["name"]) for run in (first, second)]
    return Change("total", "all changes together", names[0], names[1], models, ensemble)


def _moved(old: Array, new: Array, paired: bool) -> Moved:
    if paired and len(old) == len(new):
        return Moved(float(new.mean() - old.mean()), clustered_error(new - old, None))
    error = np.hypot(clustered_error(old, None), clustered_error(new, None))
    return Moved(float(new.mean() - old.mean()), float(error))


def _alone(
    swaps: Mapping[str, Swap], one: Mapping[str, Side], two: Mapping[str, Side]
) -> dict[str, dict[str, Array]]:
    """Return what one change on its own adds to every draw of the first run: model → quantity → draws."""
    moved: dict[str, dict[str, Array]] = {}
    for model, swap in swaps.items():
        old, new = one[model], two[model]
        values = dict(old.values)
        for name in swap.beliefs:
            values.pop(name, None)
            if name in new.values:
                values[name] = new.values[name]
        question = old.answer.question
        question = replace(question, facts=replace(question.facts, **swap.facts))
        count = len(old.now["net_effect"])
        changed = _quantities(evaluate(question, values, count, 0).chances, count)
        moved[model] = {q: changed[q] - old.now[q] for q in QUANTITIES}
    return moved


def _change(
    label: Label, moved: Mapping[str, Mapping[str, Array]], weights: Mapping[str, float]
) -> Change:
    """Return a change from the draws that it adds to every model."""
    models = {
        model: {q: Moved(float(d.mean()), clustered_error(d, None)) for q, d in each.items()}
        for model, each in moved.items()
    }
    ensemble = {}
    for q in QUANTITIES:
        mixed = np.sum([weights[model] * each[q] for model, each in moved.items()], axis=0)
        ensemble[q] = Moved(float(mixed.mean()), clustered_error(mixed, None))
    return Change(*label, models, ensemble)


def _by_code(
    first: Run, second: Run, one: Mapping[str, Side], two: Mapping[str, Side], weights: Mapping[str, float]
) -> list[Change]:
    """Return what the code as it is now makes of the runs other than what was saved."""
    codes = [str(run.manifest["code"]) for run in (first, second)]
    models = [[run.models[name]["sha256"] for name in one] for run in (first, second)]
    moved = {}
    for model, old in one.items():
        new, count = two[model], len(old.now["net_effect"])
        moved[model] = {
            q: (old.now[q] - old.saved[q][:count]) + (new.saved[q][:count] - new.now[q]) for q in QUANTITIES
        }
    silent = not any(np.any(d) for each in moved.values() for d in each.values())
    if silent and codes[0] == codes[1] and models[0] == models[1]:
        return []
    current = identity.code()
    words = ["this code" if code == current else f"code {code[:8]}" for code in codes]
    return [_change(Label("code", "code and models", *words), moved, weights)]


def _by_count(
    first: Run,
    second: Run,
    one: Mapping[str, Side],
    two: Mapping[str, Side],
    weights: Mapping[str, float],
    count: int,
) -> list[Change]:
    """Return what the draws do that only the longer run has: Monte Carlo noise, no change of view."""
    if first.count == second.count:
        return []

    def rest(side: Side, q: str) -> float:
        return float(side.saved[q].mean() - side.saved[q][:count].mean())

    models: dict[str, dict[str, Moved]] = {}
    for model in one:
        models[model] = {}
        for q in QUANTITIES:
            error = clustered_error(one[model].saved[q][:count], None)
            models[model][q] = Moved(rest(two[model], q) - rest(one[model], q), error)
    ensemble = {
        q: Moved(
            sum(weights[m] * each[q].mean for m, each in models.items()),
            float(np.sqrt(sum((weights[m] * each[q].mcse) ** 2 for m, each in models.items()))),
        )
        for q in QUANTITIES
    }
    return [Change("draws", "number of draws", f"{first.count:,}", f"{second.count:,}", models, ensemble)]


def _by_credences(first: Run, second: Run, before: Forecast, after: Forecast) -> list[Change]:
    """Return what other weights, and models that only one run has, do to the mixture."""
    old = dict(zip((a.model.name for a in before.models), before.weights, strict=True))
    new = dict(zip((a.model.name for a in after.models), after.weights, strict=True))
    if old == new:
        return []
    ensemble = {}
    for q in QUANTITIES:
        part = 0.0
        for name in dict.fromkeys([*old, *new]):
            run = first if name in old else second
            part += (new.get(name, 0.0) - old.get(name, 0.0)) * float(run.outcome(name)[q].mean())
        ensemble[q] = Moved(part, 0.0)
    was, now = (", ".join(f"{name} {w:.0%}" for name, w in side.items()) for side in (old, new))
    return [Change("credences", "credences", was, now, {}, ensemble)]


def _exact(left_over: Change, total: Change, changes: Sequence[Change]) -> Change:
    """Return the interaction as what makes the parts sum to the whole, changed credences included.

    Its errors are those of its draws; what is there by rounding only is 0.
    """

    def rest(drawn: Moved, whole: Moved, parts: Sequence[Moved]) -> Moved:
        terms = [whole.mean, *(-part.mean for part in parts)]
        mean = math.fsum(terms)
        nothing = abs(mean) <= 1e-9 * max(map(abs, terms)) or abs(mean) < 1e-15
        return Moved(0.0 if nothing else mean, 0.0 if nothing else drawn.mcse)

    models = {}
    for model, each in left_over.models.items():
        parts = [c.models[model] for c in changes if model in c.models]
        models[model] = {
            q: rest(each[q], total.models[model][q], [part[q] for part in parts]) for q in QUANTITIES
        }
    mixed = [c.ensemble for c in changes]
    ensemble = {
        q: rest(left_over.ensemble[q], total.ensemble[q], [part[q] for part in mixed]) for q in QUANTITIES
    }
    return replace(left_over, models=models, ensemble=ensemble)


def _files(first: Run, second: Run) -> tuple[tuple[str, str], ...]:
    """Return the inputs that differ: the proposal, belief files, model files."""
    sides = []
    for run in (first, second):
        found = {"the proposal": run.manifest["project"]["sha256"]}
        for entry in run.models.values():
            found[f"model {entry['label']}"] = entry["sha256"]
            found.update((f"beliefs {x['label']}", x["sha256"]) for x in entry["layers"][:-1])
        sides.append(found)
    old, new = sides
    both = [(n, "changed") for n in old if n in new and old[n] != new[n]]
    gone = [(n, "only in the first") for n in old if n not in new]
    return tuple(both + gone + [(n, "only in the second") for n in new if n not in old])


def _versions(first: Run, second: Run) -> dict[str, tuple[str, str]]:
    old, new = first.manifest["versions"], second.manifest["versions"]
    return {
        str(n): (str(old.get(n, "")), str(new.get(n, ""))) for n in {**old, **new} if old.get(n) != new.get(n)
    }
