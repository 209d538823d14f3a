"""Channels, paths, break-even factors, exchange rates and ratios."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from difprog.models.model import shipped_models
from difprog.race.race import Effects
from difprog.why import decompose
from difprog.why.decompose import CHANNELS, PATHS
from tests.helpers import net_with, proposal, score

MODELS = sorted(shipped_models())
DRAWS = 2000

#: A world in which all is known but how much parallel work is needed: p = Φ((ln W − ln R)/σ).
PARALLEL_ONLY: dict[str, Any] = {
    "agi_arrival": 20, "grace_period": 0, "researchers": 100, "researcher_growth": 0,
    "labour_quality": 0.5, "parallel_exponent": 1, "parallel_requirement": 900, "parallel_spread": 0.8,
    "chunk_length": 0, "serial_requirement": 10, "serial_spread": 0.5, "serial_chains": 0,
    "brink_surge": 1, "default_success": 0,
}  # fmt: skip


def toy(beliefs: dict[str, Any], **effects: Any) -> Any:
    stated = {"parallel_speedup": 0, "serial_speedup": 0, "capability_speedup": 0, **effects}
    return score(proposal({**stated}), "serial_parallel", beliefs, draws=200).draws


@given(st.integers(0, 4), st.integers(0, 2**32 - 1))
def test_shapley_is_the_average_over_all_orders(players: int, seed: int) -> None:
    names = tuple("abcd"[:players])
    rng = np.random.default_rng(seed)
    worth: dict[frozenset[str], float] = {frozenset(): 0.0}

    def value(coalition: frozenset[str]) -> float:
        if coalition not in worth:
            worth[coalition] = float(rng.normal())
        return worth[coalition]

    found = decompose.shapley(names, value)
    orders = list(permutations(names))
    for name in names:
        gains = []
        for order in orders:
            before = frozenset(order[: order.index(name)])
            gains.append(value(before | {name}) - value(before))
        assert found[name] == pytest.approx(np.mean(gains), abs=1e-12)


def test_every_effect_is_in_one_channel() -> None:
    listed = [effect for effects in CHANNELS.values() for effect in effects]
    assert sorted(listed) == sorted(Effects._fields)
    assert sorted(e for effects in PATHS.values() for e in effects) == sorted(CHANNELS["run_up"])


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("project", ["rlhf", "agent-foundations"])
def test_channels_add_up_to_the_net_effect(model: str, project: str) -> None:
    answer = score(project, model, draws=DRAWS)
    parts = decompose.channels(answer.draws)
    assert set(parts) == set(CHANNELS)
    assert sum(part.value for part in parts.values()) == pytest.approx(answer.net.mean, rel=1e-12)
    by_draw: Any = sum(decompose.channel_draws(answer.draws).values())
    net = answer.draws.chances.net_effect
    np.testing.assert_allclose(by_draw, net, rtol=1e-9, atol=1e-15)
    assert all(part.mcse > 0 for part in parts.values() if part.value)


@pytest.mark.parametrize("model", MODELS)
def test_a_channel_that_is_not_opened_is_exactly_0(model: str) -> None:
    answer = score("rlhf", model, draws=DRAWS)
    parts = decompose.channels(answer.draws)
    for name, effects in CHANNELS.items():
        used = any(np.any(getattr(answer.draws.chances.outcome.if_hit, e)) for e in effects)
        assert (parts[name] != (0.0, 0.0)) == used


def test_many_draws_are_taken_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    draws = score("rlhf", "synthesis", draws=DRAWS).draws
    whole = {**decompose.channel_draws(draws), **decompose.path_draws(draws)}
    monkeypatch.setattr("difprog.why.channels.BLOCK", 700)
    parts = {**decompose.channel_draws(draws), **decompose.path_draws(draws)}
    for name, value in whole.items():
        np.testing.assert_array_equal(parts[name], np.broadcast_to(value, (DRAWS,)))


def test_a_lone_channel_is_the_net_effect() -> None:
    draws = score(proposal({"parallel_speedup": "1 to 10", "serial_speedup": 0, "capability_speedup": 0}),
                  "serial_parallel", draws=DRAWS).draws  # fmt: skip
    net = decompose.estimate(draws, draws.chances.net_effect)
    assert decompose.channels(draws)["parallel"] == pytest.approx(net, rel=1e-12)


@pytest.mark.parametrize("model", ["narrow_superhuman", "synthesis"])
def test_paths_share_their_channel_and_stand_alone(model: str) -> None:
    answer = score("rlhf", model, draws=DRAWS)
    paths = decompose.paths(answer.draws)
    channel = decompose.channels(answer.draws)["run_up"]
    assert sum(path.value for path in paths.values()) == pytest.approx(channel.value, rel=1e-9)
    off = dict.fromkeys(Effects._fields, 0.0)
    for name, effects in PATHS.items():
        hit = answer.draws.chances.outcome.if_hit
        alone = net_with(answer, **{**off, **{e: getattr(hit, e) for e in effects}})
        without = net_with(answer, **dict.fromkeys(effects, 0.0))
        assert paths[name].alone == pytest.approx(alone.mean(), rel=1e-9)
        assert paths[name].left_out == pytest.approx(without.mean(), rel=1e-9)


def test_models_without_paths_have_none() -> None:
    assert decompose.paths(score("rlhf", "serial_parallel", draws=DRAWS).draws) == {}


@pytest.mark.parametrize("model", MODELS)
def test_a_break_even_factor_fed_back_gives_no_effect(model: str) -> None:
    draws = score("rlhf", model, draws=DRAWS).draws
    found = decompose.break_even(draws)
    seen = 0
    for factor, error, effects in (
        (found.capability_multiplier, found.capability_mcse, CHANNELS["capability"]),
        (found.alignment_multiplier, found.alignment_mcse, ("parallel_speedup", "serial_speedup")),
    ):
        if factor is None:
            continue
        seen += 1
        scale = abs(decompose.mean(decompose.scaled_draws(draws, effects, 2 * factor)))
        assert abs(decompose.mean(decompose.scaled_draws(draws, effects, factor))) <= 1e-10 * scale
        assert error is not None
        assert error > 0
    assert seen


def test_break_even_of_the_toy_is_the_year_it_can_spare() -> None:
    """26 years for chains of 25: a project that takes two may take one, and then all is lost."""
    draws = score("toy", "serial_parallel", draws=100).draws
    found = decompose.break_even(draws)
    assert draws.chances.net_effect == pytest.approx(-1.0)
    assert found.sign == -1
    assert found.capability_multiplier == pytest.approx(0.5, abs=1e-12)


def test_break_even_where_no_factor_does_it() -> None:
    helps = decompose.break_even(toy(PARALLEL_ONLY, parallel_speedup=5))
    assert (helps.capability_multiplier, helps.alignment_multiplier, helps.sign) == (None, 0.0, 1)
    harms = decompose.break_even(toy(PARALLEL_ONLY, capability_speedup=0.1))
    assert (harms.capability_multiplier, harms.alignment_multiplier, harms.sign) == (0.0, None, -1)
    nothing = decompose.break_even(toy(PARALLEL_ONLY))
    assert (nothing.capability_multiplier, nothing.alignment_multiplier, nothing.sign) == (None, None, 0)


def test_break_even_in_closed_form() -> None:
    """Half a hundred people a year make up for x years: 50·x person-years."""
    found = decompose.break_even(toy(PARALLEL_ONLY, parallel_speedup=5, capability_speedup=0.2))
    assert found.capability_multiplier == pytest.approx(5 / (50 * 0.2), rel=1e-9)
    assert found.alignment_multiplier == pytest.approx(50 * 0.2 / 5, rel=1e-9)


def test_exchange_in_closed_form() -> None:
    """Without growth a month of timelines is a month of the field's work, and no chain can pay."""
    found = decompose.exchange(toy(PARALLEL_ONLY))
    assert found.parallel_person_years_per_month == pytest.approx(50 / 12, rel=1e-12)
    assert found.parallel_years_per_year == pytest.approx(1.0, rel=1e-12)
    assert found.serial_months_per_month is None
    chain = decompose.exchange(toy({**PARALLEL_ONLY, "serial_chains": 1, "parallel_requirement": 1e-3}))
    assert chain.serial_months_per_month == pytest.approx(1.0, rel=1e-9)


@pytest.mark.parametrize("model", MODELS)
def test_slopes_are_those_of_central_differences(model: str) -> None:
    answer = score("rlhf", model, draws=DRAWS)
    slopes = decompose.slopes(answer.draws)
    step = 1e-4
    off = dict.fromkeys(Effects._fields, 0.0)
    overhang = answer.question.model.world(answer.draws.values).overhang
    for name, slope in slopes.items():
        change = [dict(off, **{name: by}) for by in (step, -step)]
        if name == "capability_speedup":
            for each in change:
                each["timeline_shortening"] = (1.0 - overhang) * each[name]
        up, down = (net_with(answer, **each) for each in change)
        np.testing.assert_allclose(slope, (up - down) / (2 * step), rtol=1e-3, atol=1e-6)
        assert slope.mean() == pytest.approx(np.mean(up - down) / (2 * step), rel=1e-6)


def test_slopes_are_finite_where_a_power_is_0_to_the_0() -> None:
    """All chains gated, and none possible: the ungated factor is 0 to the power 0."""
    beliefs = {**PARALLEL_ONLY, "serial_chains": 2, "serial_spread": 0, "serial_requirement": 90,
               "gated_chains": 2, "paradigm_fraction": 0.5}  # fmt: skip
    asked = proposal({"parallel_speedup": 0, "serial_speedup": 0, "capability_speedup": 0})
    slopes = decompose.slopes(score(asked, "overhang", beliefs, draws=100).draws)
    assert all(np.isfinite(s).all() for s in slopes.values())


def test_a_model_that_makes_no_graph_gets_differences() -> None:
    draws = score("rlhf", "serial_parallel", draws=DRAWS).draws
    exact = decompose.slopes(draws)
    model = draws.question.model

    def on_arrays_only(w: Any, e: Effects, xp: Any) -> Any:
        return np.asarray(model.success(w, e, xp)).astype(float)

    plain = replace(draws, question=replace(draws.question, model=replace(model, success=on_arrays_only)))
    for name, slope in decompose.slopes(plain).items():
        assert slope.mean() == pytest.approx(exact[name].mean(), rel=1e-5)


def test_ratios_are_ratios_of_means() -> None:
    answer = score("rlhf", "serial_parallel", draws=DRAWS)
    found = decompose.ratios(answer.draws, decompose.exchange(answer.draws))
    outcome, world = answer.draws.chances.outcome, answer.draws.values
    field = world["labour_quality"] * world["researchers"]
    x = outcome.capability_speedup.mean()
    assert found.parallel == pytest.approx((outcome.if_hit.parallel_speedup / field).mean() / x)
    assert found.serial == pytest.approx(outcome.if_hit.serial_speedup.mean() / x)
    assert decompose.ratios(toy(PARALLEL_ONLY), decompose.exchange(toy(PARALLEL_ONLY))).parallel is None


@settings(max_examples=20, deadline=None)
@given(st.floats(0.1, 50), st.floats(0.001, 2))
def test_break_even_parallel_ratio_is_where_parallel_work_just_pays(labour: float, years: float) -> None:
    """At the margin a project whose ratio is the break-even one has no effect."""
    draws = toy({**PARALLEL_ONLY, "researcher_growth": 0.1}, parallel_speedup=1e-6 * labour,
                capability_speedup=1e-6 * years)  # fmt: skip
    found = decompose.ratios(draws, decompose.exchange(draws))
    assert found.parallel is not None
    assert found.parallel_break_even is not None
    net = decompose.mean(draws.chances.net_effect)
    if abs(found.parallel / found.parallel_break_even - 1) > 1e-3:
        assert (net > 0) == (found.parallel > found.parallel_break_even)
