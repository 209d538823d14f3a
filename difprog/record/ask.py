"""A forecast of a project → the questions in it that time will answer, as lines for the log.

Every question is put to the models' own draws, weighed as the forecast weighs them, and to their mixture
by credence. Nothing is drawn anew.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from difprog.base.errors import BadInput, Problem, nearest
from difprog.beliefs.distributions import Distribution
from difprog.forecast import identity
from difprog.forecast.believed import DAYS
from difprog.forecast.forecast import Forecast
from difprog.forecast.graph import effect_names
from difprog.forecast.sampling import evidence_index
from difprog.forecast.weighing import flat
from difprog.race.parameters import Group, Parameter
from difprog.record.log import line
from difprog.record.predictive import LEVELS, Lognormal, Normal, Predictive, content, from_quantiles

Array = npt.NDArray[np.float64]

#: Significant digits of a quantile: draws support no more.
DIGITS = 6

#: Years from now by whose end AGI may be there.
AHEAD = (1, 4, 9)

#: What reviewers are asked about a project.
REVIEWED = ("parallel_speedup", "serial_speedup", "capability_speedup")

#: By when a project's own numbers are known: the 95th percentile of its end.
DONE = 0.95

_AGI = re.compile(r"agi_by_([0-9]{4})", re.ASCII)


class Asked(NamedTuple):
    """A question, before it is a line."""

    quantity: str
    question: str
    kind: str
    unit: str
    resolves: date
    columns: Mapping[int, Array | float]
    """Per reading that has an answer, draws of the quantity, or of the chance that the answer is yes."""
    yes_no: bool = False
    bounds: tuple[float, float] = (-np.inf, np.inf)
    belief: bool = False
    """Whether it is a belief as it stands, of which the family may be known."""


def lines(
    found: Forecast, made: date, by: date | None = None, questions: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Return the lines that a forecast adds to the log, what they rest on first; see `asked_of`."""
    basis = line({"event": "basis", **basis_of(found)})
    asked = asked_of(found, made, by, questions)
    return [basis, *(_line(found, one, made, str(basis["id"])) for one in asked)]


def asked_of(
    found: Forecast, made: date, by: date | None = None, questions: Sequence[str] = ()
) -> list[Asked]:
    """Return the questions in a forecast that time will answer.

    Parameters
    ----------
    found : Forecast
        A project's.
    made : date
        Today.
    by : date, optional
        When the questions about the world resolve, in a year by default, and those of one's own.
    questions : sequence of str
        Beliefs, effects or "agi_by_2035" to ask about, in place of all that there is to ask.

    Raises
    ------
    BadInput
        Where a question is about nothing that the forecast knows, or resolves in the past.
    """
    if by is not None and by <= made:
        raise BadInput(Problem("--by", "", "must lie in the future", by.isoformat()))
    if questions:
        asked = [own_question(found, name, by) for name in questions]
        if past := [one.quantity for one in asked if one.resolves <= made]:
            raise BadInput(Problem("--question", "", "resolved in the past", ", ".join(past)))
        return asked
    asked = [*about_project(found), *about_world(found, made, by or a_year_on(made))]
    return [one for one in asked if one.resolves > made]


def a_year_on(day: date) -> date:
    """Return the same day of the next year, the 28th for a 29th of February."""
    return date(day.year + 1, day.month, min(day.day, 28) if day.month == 2 else day.day)


def basis_of(found: Forecast) -> dict[str, Any]:
    """Return the hashes and settings that every forecast of a run rests on, but the proposal."""
    return {
        **identity.setup(found.setup),
        "draws": found.count,
        "seed": found.seed,
        "as_of": found.as_of.isoformat(),
    }


def about_project(found: Forecast) -> list[Asked]:
    """Return what will be known when the project is done."""
    done = _done(found)
    asked: list[Asked] = []
    for name in ("duration", "effort", "cost"):
        own = found.project.layer.beliefs.get(name, {}).get("")
        if own is None or own.source != "not stated":
            asked.append(_about(found, name, f"the project's {name}", "project", done))
    draws = found.draws
    chances: dict[int, Array | float] = {place: draws.chance_of_hit[place] for place in _places(found)}
    if any(0 < float(np.mean(chance)) < 1 for chance in chances.values()):
        asked.append(
            Asked("breakthrough_hit", "did the project's capability breakthrough happen", "project", "",
                  done, chances, True)
        )  # fmt: skip
    for name in REVIEWED:
        if any(np.ptp(draws.effect(name)[place]) > 0 for place in _places(found)):
            words = f"the median that its reviewers give of {name.replace('_', ' ')}"
            asked.append(_about(found, name, words, "effect", done))
    return asked


def about_world(found: Forecast, made: date, by: date) -> list[Asked]:
    """Return what will be known of the world."""
    when = (by - found.as_of).days / DAYS
    researchers = {p: _field(found, p, when) for p in _places(found)}
    day = f"{by.day} {by:%B %Y}"
    asked = [
        Asked("researchers", f"FTE alignment researchers on {day}", "world", "FTE", by, researchers,
              bounds=(0.0, np.inf)),
        _about(found, "ai_spend", f"investment in AI a year, as of {found.as_of.year}", "world", by),
    ]  # fmt: skip
    medians = {p: m for p in _places(found) if (m := _next_median(found, p)) is not None}
    if medians:
        words = "the year that the next published forecast gives as its median for AGI"
        asked.append(Asked("published_median", words, "world", "", by, medians))
    years = [year for n in AHEAD if (year := made.year + n) <= 9999]
    return [*asked, *(_agi_by(found, year, "world") for year in years)]


def own_question(found: Forecast, name: str, by: date | None) -> Asked:
    """Return a question of the user's own; raises `BadInput` where it is about nothing that is known."""
    year = _AGI.fullmatch(name)
    if year:
        return _agi_by(found, int(year[1]), "own")
    draws = found.draws
    known = {*draws.question.names, *effect_names(draws.question)}
    if name not in known:
        near = nearest(name, known)
        hint = f'did you mean "{near}"?' if near else "a belief or effect that a model reads, or agi_by_2035"
        raise BadInput(Problem("--question", "", "is nothing that the forecast knows", name, hint))
    if by is None:
        what = "needs a day by which it resolves"
        raise BadInput(Problem("--question", name, what, hint="--by 2027-06-30"))
    return _about(found, name, _parameter(found, name).meaning or name.replace("_", " "), "own", by)


def _places(found: Forecast) -> range:
    return range(len(found.models))


def _parameter(found: Forecast, name: str) -> Parameter:
    return found.draws.question.vocabulary[name]


def _about(found: Forecast, name: str, words: str, kind: str, by: date) -> Asked:
    """Return a question about a belief or an effect."""
    draws, parameter = found.draws, _parameter(found, name)
    columns: dict[int, Array | float]
    if parameter.group is Group.EFFECT:
        columns = {p: draws.effect(name)[p] for p in _places(found)}
    else:
        columns = {p: draws.value(name, p) for p in _places(found) if name in found.models[p].beliefs}
    bounds, belief = (parameter.support.lower, parameter.support.upper), parameter.group is not Group.EFFECT
    return Asked(name, words, kind, parameter.unit, by, columns, bounds=bounds, belief=belief)


def _agi_by(found: Forecast, year: int, kind: str) -> Asked:
    until = (date(year, 12, 31) - found.as_of).days / DAYS
    columns: dict[int, Array | float] = {
        p: np.asarray(found.models[p].value("agi_arrival") <= until, dtype=float) for p in _places(found)
    }
    words = f"is AGI there by the end of {year}"
    return Asked(f"agi_by_{year}", words, kind, "", date(year, 12, 31), columns, True)


def _done(found: Forecast) -> date:
    """Return the day by which the project is done, by the mixture."""
    columns = {}
    for p in _places(found):
        model = found.models[p]
        start = model.value("start") if "start" in model.beliefs else 0.0
        columns[p] = np.asarray(start + model.value("duration"), dtype=float)
    end = _quantiles(found, columns, (DONE,))[0]
    return found.as_of + timedelta(days=min(max(float(end), 0.0), 500.0) * DAYS)


def _field(found: Forecast, place: int, years: float) -> Array:
    """Return draws of the number of researchers after so many years: growth until the ceiling."""
    beliefs = found.models[place].beliefs
    today, growth, most = (
        np.asarray(found.draws.value(name, place), dtype=float) if name in beliefs else otherwise
        for name, otherwise in (("researchers", 0.0), ("researcher_growth", 0.0), ("field_ceiling", np.inf))
    )
    with np.errstate(over="ignore", invalid="ignore"):  # growth beyond all numbers ends at the ceiling
        grown = np.where(np.asarray(today) > 0, today * np.exp(growth * years), today)
    return np.asarray(np.minimum(grown, np.maximum(most, today)))


def _next_median(found: Forecast, place: int) -> Array | None:
    """Return draws of the median, a calendar year, of one more published forecast; None without evidence."""
    view = found.models[place].view
    if not view.conditioned("agi_arrival") or view.posterior is None:
        return None
    kept = view.posterior.predictive.get("agi_arrival")
    if kept is None:
        return None
    index = evidence_index(view.posterior.size, found.count, found.seed)
    now = found.as_of.year + (found.as_of.timetuple().tm_yday - 1) / DAYS
    return np.asarray(now - kept.shift + np.exp(kept.location[index]))


def _masses(found: Forecast, places: Sequence[int]) -> list[Array]:
    """Return the weight of every draw of some readings, all of them together 1."""
    weights = [found.weights[p] for p in places]
    total = sum(weights)
    shares = [w / total for w in weights] if total else [1.0 / len(places)] * len(places)
    return [share * found.models[p].weighing.each for share, p in zip(shares, places, strict=True)]


def _quantiles(
    found: Forecast, columns: Mapping[int, Array | float], levels: Sequence[float] = LEVELS
) -> Array:
    """Return quantiles of the mixture of some readings' draws."""
    masses = _masses(found, list(columns))
    table = [np.broadcast_to(np.asarray(c, dtype=float), (found.count,)) for c in columns.values()]
    untilted = all(found.models[p].tilt is None for p in columns)
    if untilted and all(np.array_equal(c, table[0]) for c in table):
        masses, table = [flat(found.count)], table[:1]
    values, mass = np.concatenate(table), np.concatenate(masses)
    order = np.argsort(values, kind="stable")
    points, mass = values[order], mass[order]
    return np.asarray(np.interp(levels, np.cumsum(mass) - mass / 2.0, points))


def _believed(found: Forecast, one: Asked, places: Sequence[int]) -> Predictive | float:
    """Return what some readings together say about a question."""
    columns = {p: one.columns[p] for p in places}
    if one.yes_no:
        pairs = zip(columns.values(), _masses(found, places), strict=True)
        chance = float(sum(np.sum(np.asarray(c) * mass) for c, mass in pairs))
        # No number of draws makes anything certain.
        least = 0.5 / found.count
        return float(f"{min(max(chance, least), 1.0 - least):.{DIGITS}g}")
    if one.belief and (family := _family(found, one.quantity, places)) is not None:
        return family
    lower, upper = one.bounds
    values = [float(f"{v:.{DIGITS}g}") for v in _quantiles(found, columns)]
    return from_quantiles(LEVELS, tuple(values), lower, upper)


def _family(found: Forecast, name: str, places: Sequence[int]) -> Normal | Lognormal | None:
    """Return the belief itself where it is used as stated, alike everywhere, and of a family with scores."""
    models = [found.models[p] for p in places]
    if any(m.tilt is not None or m.view.conditioned(name) for m in models):
        return None
    shapes = {m.beliefs[name].shape for m in models}
    shape = shapes.pop()
    if shapes or not isinstance(shape, Distribution) or shape.truncated or shape.integer:
        return None
    if shape.family.name == "normal":
        return Normal(*shape.parameters)
    return Lognormal(*shape.parameters) if shape.family.name == "lognormal" else None


def _line(found: Forecast, one: Asked, made: date, basis: str) -> dict[str, Any]:
    """Return the line of a question: what the mixture says, and every model where it says otherwise."""
    places = list(one.columns)
    together = content(_believed(found, one, places))
    models: dict[str, dict[str, Any]] = {}
    for p in places:
        own = content(_believed(found, one, [p]))
        models[found.models[p].model.name] = {
            "credence": found.models[p].credence, **({} if own == together else {"forecast": own}),
        }  # fmt: skip
    event: dict[str, Any] = {
        "event": "forecast", "quantity": one.quantity, "question": one.question, "kind": one.kind,
        "made": made.isoformat(), "resolves": one.resolves.isoformat(), "forecast": together,
        "models": models, "basis": basis,
    }  # fmt: skip
    if one.unit:
        event["unit"] = one.unit
    if one.kind != "world":
        event["project"] = found.project.name
    if one.kind != "world" or _states_world(found):
        event["proposal"] = found.project.source.sha256
    return line(event)


def _states_world(found: Forecast) -> bool:
    """Whether the proposal itself says something of the world."""
    own, vocabulary = found.project.layer, found.draws.question.vocabulary
    named = (n for n in own.beliefs if n in vocabulary)
    return bool(own.outcomes or own.correlations) or any(
        vocabulary[n].group not in (Group.FACT, Group.EFFECT) for n in named
    )
