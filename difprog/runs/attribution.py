"""What moved between two saved runs, and which change moved it by how much.

Every change on its own, on the same draws: the first run's draws are evaluated again with one
belief's draws, or one fact, taken from the second. All changes at once are evaluated too: what
they do together beyond the sum of what they do apart is the interaction. Both ends are evaluated
by the code as it is now; what that makes of them other than what was saved is the code's share.
The parts therefore sum to the whole, for every model and for the mixture, and a difference that
was not found would show as the code's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from difprog.base.errors import BadInput, Problem
from difprog.beliefs.beliefs import Belief, Stack
from difprog.beliefs.distributions import Point
from difprog.forecast import identity
from difprog.forecast.believed import meeting
from difprog.forecast.forecast import MIXED, Forecast, fewest_clusters
from difprog.forecast.question import Question, View
from difprog.forecast.sampling import Draws, evaluate
from difprog.forecast.weighing import clustered_error, fewest
from difprog.models.model import Model
from difprog.runs import restore, runs
from difprog.runs.inputs import Label, Side, Swap, differences
from difprog.runs.runs import Run

Array = npt.NDArray[np.float64]

#: Draws of chances that differ by no more differ by rounding.
ROUNDING = 1e-12


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
        "belief", "fact", "outcome", "evidence", "correlations", "name", "draws", "code", "credences",
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
class Attribution:
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
        Inputs that differ, and how: "changed", "only in the first", "only in the second".
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


def attribute(first: Run, second: Run, models: Mapping[str, Model] | None = None) -> Attribution:
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
    common = [name for name in first.readings if name in second.readings]
    if not common:
        raise BadInput(
            Problem(str(second.folder), "models", "has no model in common with the first run",
                    ", ".join(second.readings), f"the first has {', '.join(first.readings)}")
        )  # fmt: skip
    ends = _End.of(first, models), _End.of(second, models)
    paired = ends[0].forecast.seed == ends[1].forecast.seed
    if any(end.forecast.draws.tilts for end in ends):  # weights are those of all draws, not of the first
        paired &= ends[0].forecast.count == ends[1].forecast.count
    changes = _changes(*ends, common) if paired else []
    changes.sort(key=lambda c: (c.kind == "interaction", -abs(c.ensemble["net_effect"].mean)))
    return Attribution(
        first, second, _total(*ends, common, paired), tuple(changes), paired,
        _files(first, second), _versions(first, second),
    )  # fmt: skip


@dataclass(frozen=True)
class _End:
    """One of the two runs: as saved, and as restored by the code as it is now."""

    run: Run
    forecast: Forecast
    saved: Mapping[str, Array]
    """Quantity → draws, shape (reading, draw), whose plain means are the weighted ones."""

    @classmethod
    def of(cls, run: Run, models: Mapping[str, Model] | None) -> _End:
        forecast = restore.forecast(run, models)
        return cls(run, forecast, _plain(forecast.draws, run.outcome()))

    @property
    def weights(self) -> dict[str, float]:
        """The readings' credences, which sum to 1."""
        names = (answer.model.name for answer in self.forecast.models)
        return dict(zip(names, self.forecast.weights, strict=True))

    def rows(self, quantity: str, readings: Sequence[str]) -> Array:
        """Return draws as saved, shape (readings, draw)."""
        order = list(self.run.readings)
        return self.saved[quantity][[order.index(name) for name in readings]]

    def mixed(self, quantity: str) -> Array:
        """Return the mixture's draws as saved, shape (draw,)."""
        return np.asarray(list(self.weights.values()) @ self.saved[quantity])


def _changes(before: _End, after: _End, common: Sequence[str]) -> list[Change]:
    """Return the parts of what moved."""
    count = min(before.forecast.count, after.forecast.count)
    one, two = Side(before.forecast, count), Side(after.forecast, count)
    found = differences(one, two, common)
    tally = _Tally(
        common, np.asarray([before.weights[name] for name in common]), _clusters(before, after)
    )
    base = _evaluated(one, two, common, ())
    end = _evaluated(one, two, common, found.values()) if found else base
    together = {q: end[q] - base[q] for q in MIXED}
    changes = []
    for label, swap in found.items():
        try:
            alone = end if len(found) == 1 else _evaluated(one, two, common, [swap])
        except BadInput:  # what is stated cannot be met on its own: its part is among the interaction
            alone, label = base, label._replace(now=f"{label.now} (cannot be met on its own)")
        moved = {q: alone[q] - base[q] for q in MIXED}
        together = {q: together[q] - moved[q] for q in MIXED}
        changes.append(tally.change(label, moved, [n for n in common if n in swap.beliefs]))
    changes += _by_code(before, after, base, end, tally)
    changes += _by_count(before, after, tally, count)
    changes += _by_credences(before, after)
    changes.append(_interaction(before, after, together, tally))
    return changes


def _clusters(before: _End, after: _End) -> int | None:
    """Return the least number of kept posterior draws that the draws of either run are spread over."""
    return fewest(fewest_clusters(end.forecast.draws.question) for end in (before, after))


def _evaluated(one: Side, two: Side, readings: Sequence[str], swaps: Iterable[Swap]) -> dict[str, Array]:
    """Return what the first run comes to with some changes made, quantity → shape (reading, draw)."""
    views: list[View] = []
    columns: list[dict[str, Any]] = []
    certain: list[bool] = []
    facts, criteria, swaps = dict(one.question.facts), one.question.criteria, list(swaps)
    for swap in swaps:
        criteria = swap.facts.get("criteria", criteria)
        facts.update({name: value for name, value in swap.facts.items() if name != "criteria"})
    for place, reading in enumerate(readings):
        swapped = {name for swap in swaps for name in swap.beliefs.get(reading, ())}
        answer = one.answer(reading)
        names = [*answer.beliefs, *(n for n in two.answer(reading).beliefs if n not in answer.beliefs)]
        values = {name: (two if name in swapped else one).value(reading, name) for name in names}
        columns.append({name: value for name, value in values.items() if value is not None})
        # Only draws count here: a point per reading lets every reading have draws of its own.
        stands = {name: Belief(name, Point(float(place))) for name in columns[-1]}
        views.append(View(answer.model, stands))
        side = two if any(reading in swap.certain for swap in swaps) else one
        certain.append(side.certain(reading))
    question = Question(tuple(views), facts, criteria, tuple(certain))
    drawn = evaluate(question, _joined(question, columns, one.count), one.count, 0)
    side = two if any(swap.outcomes for swap in swaps) else one
    dates = [Stack(side.answer(reading).layers).as_of for reading in readings]
    drawn = meeting(drawn, [side.outcomes(reading) for reading in readings], dates)
    worlds = drawn.without, drawn.hit, drawn.miss
    return _plain(drawn, runs.by_quantity(worlds, drawn.chance_of_hit, drawn.net_effect))


def _plain(draws: Draws, rows: Mapping[str, Array]) -> dict[str, Array]:
    """Return draws by quantity whose plain means, and their errors, are the weighted ones."""
    if not draws.tilts:
        return dict(rows)
    return {
        q: np.stack([way.plain(row) for way, row in zip(draws.ways, each, strict=True)])
        for q, each in rows.items()
    }


def _joined(question: Question, columns: Sequence[Mapping[str, Any]], count: int) -> dict[str, Any]:
    """Return the draws of each reading as those of the question."""
    values: dict[str, Any] = {}
    for name in question.names:
        rows = [own.get(name) for own in columns]
        if not question.varies(name):
            values[name] = next(row for row in rows if row is not None)
            continue
        neutral = question.vocabulary[name].neutral or 0.0
        values[name] = np.stack([np.broadcast_to(neutral if r is None else r, (count,)) for r in rows])
    return values


@dataclass(frozen=True)
class _Tally:
    """Sums up draws by reading, and mixed by the first run's credences."""

    readings: Sequence[str]
    weights: Array
    clusters: int | None

    def moved(self, draws: Array) -> Moved:
        return Moved(float(draws.mean()), clustered_error(draws, self.clusters))

    def models(self, moved: Mapping[str, Array], some: Sequence[str]) -> dict[str, dict[str, Moved]]:
        rows = {name: self.readings.index(name) for name in some}
        return {name: {q: self.moved(moved[q][row]) for q in MIXED} for name, row in rows.items()}

    def change(self, label: Label, moved: Mapping[str, Array], some: Sequence[str]) -> Change:
        ensemble = {q: self.moved(np.asarray(self.weights @ moved[q])) for q in MIXED}
        return Change(*label, self.models(moved, some), ensemble)


def _total(before: _End, after: _End, common: Sequence[str], paired: bool) -> Change:
    """Return second minus first, as saved."""
    clusters = _clusters(before, after)

    def moved(old: Array, new: Array) -> Moved:
        if paired and len(old) == len(new):
            return Moved(float(new.mean() - old.mean()), clustered_error(new - old, clusters))
        error = np.hypot(clustered_error(old, clusters), clustered_error(new, clusters))
        return Moved(float(new.mean() - old.mean()), float(error))

    rows = {q: (before.rows(q, common), after.rows(q, common)) for q in MIXED}
    models = {
        name: {q: moved(rows[q][0][row], rows[q][1][row]) for q in MIXED} for row, name in enumerate(common)
    }
    ensemble = {q: moved(before.mixed(q), after.mixed(q)) for q in MIXED}
    names = [str(end.run.manifest["project"]["name"]) for end in (before, after)]
    return Change("total", "all changes together", names[0], names[1], models, ensemble)


def _by_code(
    before: _End, after: _End, base: Mapping[str, Array], end: Mapping[str, Array], tally: _Tally
) -> list[Change]:
    """Return what the code as it is now makes of the runs other than what was saved."""
    count = base["net_effect"].shape[1]
    moved = {
        q: (base[q] - before.rows(q, tally.readings)[:, :count])
        + (after.rows(q, tally.readings)[:, :count] - end[q])
        for q in MIXED
    }
    codes = [str(each.run.manifest["code"]) for each in (before, after)]
    files = [[each.run.readings[name]["sha256"] for name in tally.readings] for each in (before, after)]
    if codes[0] == codes[1] and files[0] == files[1] and all(_nothing(d) for d in moved.values()):
        return []
    current = identity.code()
    words = ["this code" if code == current else f"code {code[:8]}" for code in codes]
    return [tally.change(Label("code", "code and models", *words), moved, tally.readings)]


def _nothing(draws: Array) -> bool:
    """Whether draws are 0 but for rounding."""
    return bool(np.abs(draws).max() <= ROUNDING)


def _by_count(before: _End, after: _End, tally: _Tally, count: int) -> list[Change]:
    """Return what the draws do that only the longer run has: Monte Carlo noise, no change of view."""
    if before.run.count == after.run.count:
        return []

    def rest(end: _End, q: str) -> Array:
        rows = end.rows(q, tally.readings)
        return np.asarray(rows.mean(axis=1) - rows[:, :count].mean(axis=1))

    first = {q: before.rows(q, tally.readings)[:, :count] for q in MIXED}
    means = {q: rest(after, q) - rest(before, q) for q in MIXED}
    noise = tally.change(Label("", "", "", ""), first, tally.readings)
    models = {
        name: {q: Moved(float(means[q][row]), noise.models[name][q].mcse) for q in MIXED}
        for row, name in enumerate(tally.readings)
    }
    ensemble = {q: Moved(float(tally.weights @ means[q]), noise.ensemble[q].mcse) for q in MIXED}
    words = f"{before.run.count:,}", f"{after.run.count:,}"
    return [Change("draws", "number of draws", *words, models, ensemble)]


def _by_credences(before: _End, after: _End) -> list[Change]:
    """Return what other weights, and models that only one run has, do to the mixture."""
    old, new = before.weights, after.weights
    if old == new:
        return []
    ensemble = {}
    for q in MIXED:
        part = 0.0
        for name in dict.fromkeys([*old, *new]):
            end = before if name in old else after
            part += (new.get(name, 0.0) - old.get(name, 0.0)) * float(end.rows(q, [name]).mean())
        ensemble[q] = Moved(part, 0.0)
    was, now = (", ".join(f"{name} {w:.0%}" for name, w in side.items()) for side in (old, new))
    return [Change("credences", "credences", was, now, {}, ensemble)]


def _interaction(before: _End, after: _End, together: Mapping[str, Array], tally: _Tally) -> Change:
    """Return what the changes do together beyond the sum of what they do apart, credences included.

    Parameters
    ----------
    before, after : _End
        The runs.
    together : dict of str to array
        Quantity → all changes at once less each alone, shape (reading, draw).
    tally : _Tally
        Sums up.
    """
    drawn = {q: np.zeros_like(d) if _nothing(d) else d for q, d in together.items()}
    label = Label("interaction", "interaction", "", "")
    found = tally.change(label, drawn, tally.readings)
    count = drawn["net_effect"].shape[1]
    # What moved counts by the first run's credences above; by the second's it is so much more.
    shift = np.asarray([after.weights[name] for name in tally.readings]) - tally.weights
    if not shift.any():
        return found
    ensemble = {}
    for q in MIXED:
        old, new = (end.rows(q, tally.readings) for end in (before, after))
        more = float(shift @ (new.mean(axis=1) - old.mean(axis=1)))
        mixed = tally.weights @ drawn[q] + shift @ (new[:, :count] - old[:, :count])
        ensemble[q] = Moved(found.ensemble[q].mean + more, tally.moved(np.asarray(mixed)).mcse)
    return replace(found, ensemble=ensemble)


def _files(first: Run, second: Run) -> tuple[tuple[str, str], ...]:
    """Return the inputs that differ: the proposal, belief files, model files."""
    sides = []
    for run in (first, second):
        found = {"the proposal": run.manifest["project"]["sha256"]}
        for entry in run.readings.values():
            found[f"model {entry['label']}"] = entry["sha256"]
            found.update((f"beliefs {x['label']}", x["sha256"]) for x in entry["layers"])
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
