"""Laws that a forecast obeys whatever is believed: in many worlds at once, and by the shipped beliefs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from difprog.base.errors import Problems
from difprog.beliefs.project import Project, parse_project
from difprog.forecast.conditioning import question_of
from difprog.forecast.question import Question
from difprog.forecast.sampling import Draws, draw, draw_beliefs
from difprog.forecast.sampling import evaluate as evaluate_draws
from difprog.models.model import vocabulary
from difprog.race.parameters import FACTS
from tests import strategies
from tests.helpers import INLINE, effect_names, project, question, score, setup
from tests.helpers import evaluated as in_worlds

#: Worlds that an example evaluates at once.
BATCH = 24
#: What rounding may do to a probability.
ROUNDING = 1e-14
#: A project that gives nothing away to capability research.
LEAKS_NOTHING = {"leak": 0.0, "hype_leverage": 0.0}
#: Effects that can only help.
HELPS = tuple(n for n in effect_names() if n not in ("capability_speedup", "timeline_shortening"))

Worlds = dict[str, np.ndarray]


# In any world


@settings(max_examples=3, deadline=None)
@given(worlds=strategies.worlds(BATCH), kind=st.sampled_from(FACTS["kind"]), late=st.floats(0, 40))
def test_nobody_and_too_late_do_exactly_nothing(worlds: Worlds, kind: str, late: float) -> None:
    nobody = worlds | {"effort": 0.0, "cost": 0.0}
    after = worlds | {"start": worlds["agi_arrival"] + late}
    for each in (nobody, after):
        drawn = in_worlds(each, kind=kind, criteria=("no-scaling", "useful"))
        assert not drawn.net_effect.any()
        assert not any(value.any() for value in drawn.effects_hit.values())


@settings(max_examples=3, deadline=None)
@given(worlds=strategies.worlds(BATCH), sooner=st.floats(0, 20), later=st.floats(0, 20))
def test_alignment_work_that_leaks_nothing_is_worth_no_more_the_later_it_starts(
    worlds: Worlds, sooner: float, later: float
) -> None:
    """Where work before the paradigm is worth as much as after. Where it is not, see the next test."""
    asked = worlds | LEAKS_NOTHING | {"early_relevance": 1.0, "gated_chains": 0.0}
    first, second = (in_worlds(asked | {"start": by}).net_effect for by in (sooner, sooner + later))
    assert (first >= second - ROUNDING).all()


@settings(max_examples=3, deadline=None)
@given(strategies.worlds(BATCH))
def test_work_can_gain_by_waiting_for_the_paradigm(worlds: Worlds) -> None:
    """A later start does help where what is done before the paradigm is worth ε < 1: so says the essay."""
    asked = worlds | LEAKS_NOTHING | {
        "paradigm_fraction": 0.5, "early_relevance": 0.1, "agi_arrival": 20.0, "duration": 2.0
    }  # fmt: skip
    early, late = (in_worlds(asked | {"start": by}, ["overhang"]) for by in (0.0, 10.0))
    for name in ("parallel_speedup", "serial_speedup"):
        np.testing.assert_allclose(late.effects_hit[name], 10 * early.effects_hit[name], rtol=1e-12)
    assert (late.net_effect >= early.net_effect - ROUNDING).all()


@settings(max_examples=3, deadline=None)
@given(worlds=strategies.worlds(BATCH), less=st.floats(0, 1), kind=st.sampled_from(FACTS["kind"]))
def test_what_reaches_fewer_people_helps_no_more(worlds: Worlds, less: float, kind: str) -> None:
    known, kept = (
        in_worlds(worlds | LEAKS_NOTHING | {"reach": by}, kind=kind, criteria=("no-scaling", "useful"))
        for by in (worlds["reach"], worlds["reach"] * less)
    )
    for name in HELPS:
        assert (kept.effect(name) <= known.effect(name)).all(), name
    assert (kept.net_effect <= known.net_effect + ROUNDING).all()


# By the shipped beliefs


@pytest.mark.parametrize("name", ["rlhf", "sandwiching", "inclusion"])
def test_closed_publication_raises_no_benefit(name: str) -> None:
    """On the same worlds, and the reaches that ship: open 1, closed a share."""
    asked = setup()
    first, second = (
        draw(question_of(project(name, publication=policy), asked)[0], 2000, 1)
        for policy in ("open", "closed")
    )
    for effect in HELPS:
        assert (second.effect(effect) <= first.effect(effect)).all(), effect


def scaled(asked: Question, values: dict[str, Any], count: int, **factors: float) -> Draws:
    return evaluate_draws(asked, {**values, **{n: values[n] * by for n, by in factors.items()}}, count, 1)


@pytest.mark.parametrize("name", ["rlhf", "agent-foundations", "sandwiching"])
def test_effort_divided_and_effort_stretched(name: str) -> None:
    """Ten projects of a tenth against the one, and the same effort over ten times the time, by the mean."""
    asked, count = question(name), 4000
    values = draw_beliefs(asked, count, 1)
    one, tenth, long = (
        scaled(asked, values, count, **factors).net_effect.mean(axis=1)
        for factors in ({}, {"effort": 0.1, "cost": 0.1}, {"duration": 10.0})
    )
    for model, whole, part, stretched in zip(asked.readings, one, tenth, long, strict=True):
        assert 0.7 <= 10 * part / whole <= 1.6, (model, 10 * part / whole)
        if whole > 0:
            assert stretched <= 1.6 * whole, (model, stretched / whole)


@settings(max_examples=5, deadline=None)
@given(low=st.floats(500, 5000), factor=st.floats(1, 100))
def test_a_field_that_goes_on_growing_lowers_no_chance(low: float, factor: float) -> None:
    asked = question("rlhf")
    values = draw_beliefs(asked, 500, 1)
    some, more = (
        evaluate_draws(asked, {**values, "field_ceiling": ceiling}, 500, 1).without
        for ceiling in (low, low * factor)
    )
    assert (more >= some - ROUNDING).all()


# Reviewers


def reviewed(intervals: Sequence[tuple[float, float]]) -> Project:
    """Return a proposal whose reviewers state these 80% intervals of its parallel speedup, person-years."""
    problems = Problems("inline")
    reviews = [
        {"reviewer": f"r{i}", "parallel_speedup": {"p10": low, "p90": high}}
        for i, (low, high) in enumerate(intervals)
    ]
    table = {"name": "inline", "effort": 10, "duration": 2, "cost": 0}
    made = parse_project({"project": table, "reviews": reviews}, INLINE, problems, vocabulary())
    problems.check()
    assert made is not None
    return made


def width(intervals: Sequence[tuple[float, float]]) -> float:
    """Return the ratio of the ends of the pool's 90% interval, as the forecast draws it."""
    answer = score(reviewed(intervals), "serial_parallel", draws=8000)
    low, high = np.quantile(answer.draws.effect("parallel_speedup")[0], [0.05, 0.95])
    return float(high / low)


@settings(max_examples=4, deadline=None)
@given(middle=st.floats(0.1, 100), spread=st.floats(1.2, 5), vague=st.floats(1, 3), far=st.floats(1, 10))
def test_who_agrees_never_widens_a_pool_and_who_dissents_more_never_narrows_it(
    middle: float, spread: float, vague: float, far: float
) -> None:
    two = [(middle / spread, middle * spread), (middle / spread**1.5, middle * spread**1.5)]
    agrees = (middle / spread**vague, middle * spread**vague)
    assert width([*two, agrees]) <= width(two) * (1 + 1e-9)
    dissents = [(two[0][0] * by, two[0][1] * by) for by in (far, 2 * far)]
    assert width([*two, dissents[1]]) >= width([*two, dissents[0]]) * (1 - 1e-9)
