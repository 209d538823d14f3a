"""The race against a second, independent evaluation, and the laws it has to obey."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from difprog.forecast.forecast import quantities
from difprog.forecast.simulate import Question, evaluate
from difprog.models.model import load, shipped_models
from difprog.race import race
from difprog.race.arrays import numpy_namespace, pytensor_namespace
from difprog.race.effects import Facts, derive
from difprog.race.race import (
    NO_EFFECT,
    Effects,
)
from tests import reference, strategies

MODELS = sorted(shipped_models())
XP = numpy_namespace()

effects = st.fixed_dictionaries(
    {
        "parallel_speedup": st.floats(0, 1e4), "serial_speedup": st.floats(0, 10),
        "capability_speedup": st.floats(0, 10), "timeline_shortening": st.floats(0, 10),
        "adoption_effect": st.floats(-3, 3), "lead_effect": st.floats(-3, 3),
        "breadth_effect": st.floats(-3, 3), "knowhow_effect": st.floats(-1, 1),
        "assistance_effect": st.floats(-1, 1), "grace_effect": st.floats(0, 1),
        "solution_probability": st.floats(0, 1), "field_growth": st.floats(-100, 100),
    }
)  # fmt: skip


def world(points: dict[str, float], model: str = "synthesis") -> SimpleNamespace:
    return load(model).world(points)


def p(w: Any, e: Effects) -> float:
    with np.errstate(over="ignore", under="ignore"):
        return float(race.success(w, e, XP))


@settings(max_examples=300, deadline=None)
@given(strategies.points(), effects)
def test_success_equals_an_independent_evaluation(points: dict[str, float], e: dict[str, float]) -> None:
    got = p(world(points), Effects(**e))
    want = reference.success({**reference.NEUTRAL, **points}, e)
    assert strategies.close(got, want), (got, want)


@pytest.mark.parametrize("model", MODELS)
@settings(max_examples=60, deadline=None)
@given(points=strategies.points(), facts=strategies.facts(), amounts=strategies.quantities())
def test_every_model_equals_an_independent_evaluation(
    model: str, points: dict[str, float], facts: dict[str, Any], amounts: dict[str, float]
) -> None:
    loaded = load(model)
    told = Facts(**{**facts, "criteria": frozenset(facts["criteria"])})
    drawn = evaluate(Question(loaded, told, {}), {**points, **amounts}, 1, 0)
    want = reference.evaluate(model, facts, points, amounts)
    for name, value in quantities(drawn).items():
        assert strategies.close(float(value), want[name]), (name, float(value), want[name])


@pytest.mark.parametrize("model", MODELS)
@settings(max_examples=60, deadline=None)
@given(
    points=strategies.points(), facts=strategies.facts(), amounts=strategies.quantities(),
    stated=strategies.stated(),
)  # fmt: skip
def test_every_effect_equals_an_independent_evaluation(
    model: str, points: dict[str, float], facts: dict[str, Any], amounts: dict[str, float],
    stated: dict[str, float],
) -> None:  # fmt: skip
    """Effects one by one: of most of them a saturated chance shows nothing."""
    loaded = load(model)
    certain = "capability_speedup" in stated and "hit_probability" not in stated
    told = Facts(**{**facts, "criteria": frozenset(facts["criteria"])}, certain=certain)
    got = derive(told, loaded.world({**points, **amounts, **stated}), XP)
    want = reference.outcome(model, facts, points, amounts, stated)
    assert strategies.close(got.hit_probability, want.hit)
    for branch, wanted in ((got.if_hit, want.if_hit), (got.if_miss, want.if_miss)):
        for name, value in branch._asdict().items():
            assert math.isclose(value, wanted[name], rel_tol=1e-9, abs_tol=1e-15), name


@settings(max_examples=200, deadline=None)
@given(strategies.points())
def test_no_effect_is_exactly_no_effect(points: dict[str, float]) -> None:
    w = world(points)
    assert p(w, Effects()) == p(w, NO_EFFECT)
    assert 0 <= p(w, NO_EFFECT) <= 1


@settings(max_examples=200, deadline=None)
@given(strategies.points(), st.floats(0, 1e3), st.floats(0, 1e3))
def test_more_alignment_speedup_never_lowers_p(points: dict[str, float], a: float, more: float) -> None:
    w = world(points)
    for name in ("parallel_speedup", "serial_speedup"):
        low = p(w, Effects(**{name: a}))
        high = p(w, Effects(**{name: a + more}))
        assert high >= low - 1e-15, name


@settings(max_examples=200, deadline=None)
@given(strategies.points(), st.floats(0, 20), st.floats(0, 20))
def test_a_longer_grace_period_never_lowers_p(points: dict[str, float], grace: float, more: float) -> None:
    short = p(world({**points, "grace_period": grace}), NO_EFFECT)
    long = p(world({**points, "grace_period": grace + more}), NO_EFFECT)
    assert long >= short - 1e-15


@settings(max_examples=100, deadline=None)
@given(strategies.points(), st.floats(0, 5))
def test_in_a_field_that_does_not_shrink_sooner_is_never_better(points: dict[str, float], x: float) -> None:
    # A shrinking field has more people today, whom the surge of the grace period multiplies.
    growing = {**points, "researcher_growth": abs(points["researcher_growth"])}
    w = load("serial_parallel").world(growing)
    assert p(w, Effects(capability_speedup=x, timeline_shortening=x)) <= p(w, NO_EFFECT) + 1e-15


@settings(max_examples=100, deadline=None)
@given(strategies.points())
def test_with_no_chains_only_parallel_work_counts(points: dict[str, float]) -> None:
    w = load("serial_parallel").world({**points, "serial_chains": 0, "default_success": 0})
    parallel, _, _, deadline = race.work_done(w, NO_EFFECT, XP)
    want = (deadline >= w.chunk_length) * float(
        race.chance_met(parallel, w.parallel_requirement, w.parallel_spread, XP)
    )
    assert p(w, NO_EFFECT) == pytest.approx(want, rel=1e-12, abs=0)


@settings(max_examples=100, deadline=None)
@given(strategies.points())
def test_with_little_parallel_work_needed_only_the_chains_count(points: dict[str, float]) -> None:
    easy = {
        **points, "parallel_requirement": 1e-280, "parallel_spread": 0.0, "chunk_length": 0.0,
        "default_success": 0,
    }  # fmt: skip
    w = load("serial_parallel").world(easy)
    done = w.agi_arrival + w.grace_period
    chain = reference.met(done, w.serial_requirement, w.serial_spread)
    assert p(w, NO_EFFECT) == pytest.approx(chain**w.serial_chains, rel=1e-9, abs=1e-300)


def test_growth_integral_is_continuous_at_no_growth() -> None:
    years = np.array([0.0, 1.0, 30.0])
    assert (race.growth_integral(years, 0.0, XP) == years).all()
    near = race.growth_integral(years, 1e-13, XP)
    np.testing.assert_allclose(near, years, rtol=1e-11)
    grown = race.growth_integral(years, 0.2, XP)
    np.testing.assert_allclose(grown, (np.exp(0.2 * years) - 1) / 0.2, rtol=1e-12)


def test_labour_beyond_all_numbers_stays_finite() -> None:
    with np.errstate(all="raise", under="ignore"):
        assert np.isfinite(race.growth_integral(np.array([1e5]), 1.0, XP)).all()


@pytest.mark.parametrize("certain", [0.0, 1.0])
def test_certain_probabilities_stay_put(certain: float) -> None:
    shifted = race.shift_odds(np.array([certain]), np.array([5.0]), XP)
    assert shifted[0] == certain


@given(st.floats(0.001, 0.999), st.floats(-20, 20))
def test_odds_shift_by_the_log_odds(probability: float, d: float) -> None:
    got = float(race.shift_odds(probability, d, XP))
    assert got == pytest.approx(reference.shifted(probability, d), rel=1e-9)
    assert float(race.shift_odds(probability, 0.0, XP)) == probability


def test_a_step_requirement_is_met_exactly_at_the_median() -> None:
    done = np.array([899.999, 900.0, 900.001, 0.0, -1.0])
    assert race.chance_met(done, 900.0, 0.0, XP).tolist() == [0, 1, 1, 0, 0]
    half = race.chance_met(np.array([900.0, 0.0, -1.0]), 900.0, 0.7, XP)
    assert half.tolist() == [0.5, 0.0, 0.0]


def test_a_deadline_that_is_the_chunk_s_length_suffices() -> None:
    points = {**reference.NEUTRAL, **{n: 0.5 for n in load("synthesis").reads if n not in Effects._fields}}
    points |= {"agi_arrival": 3.0, "grace_period": 2.0, "parallel_requirement": 1.0, "default_success": 0.0}
    assert p(world({**points, "chunk_length": 5.0}), NO_EFFECT) > 0
    assert p(world({**points, "chunk_length": np.nextafter(5.0, 6.0)}), NO_EFFECT) == 0


def test_agi_cannot_come_before_today() -> None:
    points = {**reference.NEUTRAL, **{n: 0.5 for n in load("synthesis").reads if n not in Effects._fields}}
    w = world({**points, "agi_arrival": 1.0, "grace_period": 2.0, "paradigm_fraction": 0.9})
    for shortening in (1.0, 1.5, 4.0):
        _, serial, gated, deadline = race.work_done(w, Effects(timeline_shortening=shortening), XP)
        assert (serial, gated, deadline) == (2.0, 2.0, 2.0)


@pytest.mark.parametrize(
    ("value", "is_closed"),
    [(0, True), (0.0, True), (-0.0, True), (-1, False), (-1.0, False), (1, False), (np.zeros(2), False)],
)
def test_only_the_number_0_closes_a_mechanism(value: Any, is_closed: bool) -> None:
    assert race.closed(value) is is_closed


def test_numpy_and_pytensor_evaluate_the_same_race() -> None:
    import pytensor
    import pytensor.tensor as pt

    rng = np.random.default_rng(0)
    n = 200
    names = [k for k, v in reference.NEUTRAL.items() if math.isfinite(v) and k not in Effects._fields]
    base = {
        "agi_arrival": rng.uniform(0.5, 60, n), "grace_period": rng.uniform(0, 5, n),
        "researchers": rng.uniform(10, 2000, n), "researcher_growth": rng.uniform(-0.1, 0.4, n),
        "labour_quality": rng.uniform(0.01, 1, n), "parallel_exponent": rng.uniform(0.1, 1, n),
        "parallel_requirement": rng.uniform(10, 1e4, n), "parallel_spread": rng.uniform(0, 1, n),
        "chunk_length": rng.uniform(0, 5, n), "serial_requirement": rng.uniform(1, 50, n),
        "serial_spread": rng.uniform(0, 1, n), "serial_chains": rng.integers(0, 5, n) * 1.0,
        "brink_surge": rng.uniform(0, 20, n), "default_success": rng.uniform(0, 0.5, n),
    }  # fmt: skip
    base |= {k: rng.uniform(0, 1, n) for k in names if k not in base}
    base["knowhow_horizon"] = rng.uniform(0.1, 5, n)
    model = load("synthesis")
    e = {k: rng.uniform(0, 0.5, n) for k in Effects._fields}
    with np.errstate(all="ignore"):
        by_numpy = model.success(model.world(base), Effects(**e), XP)
    symbols = {k: pt.vector(k) for k in (*base, *e)}
    out = model.success(
        model.world({k: symbols[k] for k in base}), Effects(**{k: symbols[k] for k in e}),
        pytensor_namespace(),
    )  # fmt: skip
    inputs = [symbols[k] for k in (*base, *e)]
    compiled = pytensor.function(inputs, out, mode="FAST_COMPILE", on_unused_input="ignore")
    by_pytensor = compiled(*base.values(), *e.values())
    np.testing.assert_allclose(by_numpy, by_pytensor, rtol=1e-11, atol=1e-15)


@given(st.floats(0, 1))
def test_the_hit_probability_averages_exactly(hit: float) -> None:
    points = {n: 0.5 for n in load("serial_parallel").reads if n not in Effects._fields}
    points |= {
        "agi_arrival": 20, "researchers": 500, "parallel_requirement": 900, "serial_requirement": 15,
        "serial_chains": 2, "effort": 50, "duration": 2, "cost": 0, "breakthrough": 100, "lead_time": 5,
        "capability_researchers": 1e4, "ai_spend": 1e11, "alignment_spend": 1e9,
    }  # fmt: skip
    del points["relevance"], points["coupling"]
    model = load("serial_parallel")

    def net(h: float) -> float:
        return float(model.chances(Facts(), {**points, "hit_probability": h}, XP).net_effect)

    assert net(hit) == pytest.approx(hit * net(1.0) + (1 - hit) * net(0.0), rel=1e-12, abs=1e-18)
