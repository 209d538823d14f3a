"""Statements about the outcome → draws that meet them. Finds the functions and says what cannot be met.

The mathematics is `difprog.forecast.tilting`'s; here are the functions of a forecast's draws, and
the words of a refusal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial

import numpy as np
import numpy.typing as npt

from difprog.base.errors import BadInput, Problem
from difprog.beliefs import published
from difprog.beliefs.beliefs import Layer, Stack
from difprog.beliefs.outcomes import Outcome
from difprog.forecast.kept import Kept
from difprog.forecast.sampling import Draws
from difprog.forecast.tilting import ENOUGH, Moved, Refusal, Tilt, meets, moved, tilt

Array = npt.NDArray[np.float64]

#: Days of a year on average, for years counted from a date.
DAYS = 365.2425

#: Most draws that are proposed where fewer do not carry a statement.
MOST_DRAWS = 100_000

#: The published chance that is proposed before others: the survey with the most answers.
USUAL = "espai-2023"

#: How many beliefs are named as having moved most.
NAMED = 5


def believed(
    draws: Draws,
    layers: Sequence[tuple[Layer, ...]],
    more: Sequence[Outcome] = (),
    kept: Kept | None = None,
) -> Draws:
    """Return draws weighed so that each reading meets what is stated about the outcome.

    Parameters
    ----------
    draws : Draws
        As they come of the beliefs.
    layers : sequence of tuple of Layer
        Per reading, what its beliefs rest on: they may state outcomes, the last one of a name wins.
    more : sequence of Outcome
        Stated over all layers.
    kept : Kept, optional
        Keeps what several projects share; changes no number.

    Returns
    -------
    Draws
        The same object where nothing is stated.

    Raises
    ------
    BadInput
        Where a reading's draws cannot meet the statements, with the range that they can meet and
        the beliefs that stand in the way; for all readings at once.
    """
    return meeting(draws, [stated(own, more) for own in layers], [Stack(own).as_of for own in layers], kept)


def stated(layers: tuple[Layer, ...], more: Sequence[Outcome] = ()) -> dict[str, Outcome]:
    """Return what is stated about the outcome, by name: by layers, the last one winning, and over them."""
    return {**Stack(layers).outcomes, **{outcome.name: outcome for outcome in more}}


def meeting(
    draws: Draws,
    statements: Sequence[Mapping[str, Outcome]],
    dates: Sequence[date],
    kept: Kept | None = None,
) -> Draws:
    """Return draws weighed so that each reading meets its statements; errors as of `believed`.

    Parameters
    ----------
    draws : Draws
        As they come of the beliefs.
    statements : sequence of mapping of str to Outcome
        Per reading, by name.
    dates : sequence of date
        Per reading, from when years are counted.
    kept : Kept, optional
        Keeps what several projects share; changes no number.
    """
    if not any(statements):
        return draws
    tilts: list[Tilt | None] = []
    problems: list[Problem] = []
    met: list[str] = []
    for place, (outcomes, as_of) in enumerate(zip(statements, dates, strict=True)):
        late = [o for o in outcomes.values() if o.year is not None and years_to(o.year, as_of) <= 0]
        problems.extend(
            Problem(o.layer, o.name, f"is about a year that has ended by {as_of.isoformat()}") for o in late
        )
        if late:
            continue
        functions = {name: function(draws, place, outcome, as_of) for name, outcome in outcomes.items()}
        chances = {name: outcome.chance for name, outcome in outcomes.items()}
        clusters = draws.question.clusters(place)
        found = (kept or Kept()).made_of(
            ("tilt", place, clusters, tuple(sorted(chances.items())), as_of),
            [draws.without[place], np.asarray(draws.value("agi_arrival", place), dtype=float)],
            partial(tilt, functions, chances, clusters=clusters),
        )
        if isinstance(found, Refusal):
            problems.append(_refused(draws, place, outcomes[found.hard], found))
        else:
            tilts.append(found)
            met.append(draws.question.readings[place])
    if problems:
        if met:  # under some readings it can be met
            last = problems[-1]
            hint = f"{last.hint}; under the others it is met: {' '.join(f'--model {name}' for name in met)}"
            problems[-1] = last._replace(hint=hint)
        raise BadInput(*dict.fromkeys(problems))
    return replace(draws, tilts=tuple(tilts))


def adoptable(draws: Draws) -> str | None:
    """Return the published chance of success that every reading's draws can be weighed to meet.

    Of several the one nearest to `USUAL`; None where there is none, or where outcomes are stated already.
    """
    if draws.tilts:
        return None
    entries = {name: published.chances(entry) for name, entry in published.outcomes().items()}
    found = {name: stated["p_success"] for name, stated in entries.items() if "p_success" in stated}
    usual = found[USUAL]
    for name in sorted(found, key=lambda name: (abs(found[name] - usual), name != USUAL, name)):
        if all(meets({name: row}, {name: found[name]}) for row in draws.without):
            return name
    return None


def function(draws: Draws, place: int, outcome: Outcome, as_of: date) -> Array:
    """Return the function of a reading's draws whose mean is stated, shape (draw,)."""
    found: Array = draws.without[place]
    if outcome.year is not None:
        arrival = np.broadcast_to(draws.value("agi_arrival", place), (draws.count,))
        found = (arrival <= years_to(outcome.year, as_of)).astype(float)
    return found


def years_to(year: int, as_of: date) -> float:
    """Return the years from a date to the end of a year."""
    return (date(year, 12, 31) - as_of).days / DAYS


def most_moved(
    draws: Draws, place: int, weights: Tilt, most: int = NAMED, *, world: bool = False
) -> list[Moved]:
    """Return the beliefs of a reading that weights move most; on request only those about the world."""
    question = draws.question
    names = (name for name in question.views[place].beliefs if not (world and question.personal(name)))
    values = {name: draws.value(name, place) for name in names}
    clusters = draws.question.clusters(place)
    return moved(values, weights.weights, most, clusters, weights.moments)


def _refused(draws: Draws, place: int, hard: Outcome, refusal: Refusal) -> Problem:
    """Return what is wrong, what can be met, and what stands in the way."""
    name = draws.question.readings[place]
    if refusal.impossible:
        what = f"no weighing of the {draws.count:,} draws of {name} meets it"
    else:
        what = (
            f"only {refusal.effective_draws:,.0f} effective draws of {draws.count:,} would meet it under "
            f"{name}, and {refusal.needed:,.0f} are needed"
        )
    said = []
    span = refusal.together[hard.name]
    if span is not None:
        beside = " with the other statements as they are" if len(refusal.together) > 1 else ""
        said.append(f"it can be {percent(span.low, up=True)} to {percent(span.high)}{beside}")
    elif (alone := refusal.alone.get(hard.name)) is not None:
        said.append(f"on its own it can be {percent(alone.low, up=True)} to {percent(alone.high)}")
    more = _draws_enough(refusal, draws.count)
    if more is not None:
        said.append(f"--draws {more} would carry it")
    if refusal.nearest is not None:
        way = most_moved(draws, place, refusal.nearest, 3)
        if way:
            shifts = ", ".join(f"{m.belief} (median {m.before[1]:.3g} → {m.after[1]:.3g})" for m in way)
            said.append(f"what would have to move most even so: {shifts}")
    return Problem(hard.layer, hard.name, what, f"{hard.chance:g}", "; ".join(said))


def _draws_enough(refusal: Refusal, count: int) -> int | None:
    """Return how many draws would meet what so many are too few for; None where that is not to be had."""
    if refusal.impossible or not refusal.effective_draws > 0:
        return None
    # A tenth more, as other draws are worth a little less; in steps of five thousand.
    wanted = 1.1 * ENOUGH * count / refusal.effective_draws
    return None if wanted > MOST_DRAWS else int(-(-wanted // 5_000) * 5_000)


def percent(chance: float, up: bool = False) -> str:
    """Return a chance in tenths of a per cent, rounded inwards so that what is said can be met."""
    tenths = np.ceil(1000 * chance - 1e-9) if up else np.floor(1000 * chance + 1e-9)
    return f"{tenths / 10:g}%"
