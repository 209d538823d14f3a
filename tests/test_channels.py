"""Channels, paths, break-even factors, exchange rates and ratios."""

from __future__ import annotations

from functools import lru_cache
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from difprog.forecast import forecast
from difprog.forecast.forecast import Forecast
from difprog.forecast.sampling import Draws
from difprog.forecast.setup import find_project, prepare
from difprog.forecast.variants import Variants
from difprog.models.model import vocabulary
from difprog.race.parameters import Group
from difprog.why import breakeven, channels, exchange
from difprog.why.channels import CHANNELS, PATHS
from tests.helpers import MODELS, effect_names, net_with, project, proposal, score, score_all

DRAWS = 1500
ALIGNMENT = ("parallel_speedup", "serial_speedup", "gated_speedup")

#: A world in which all is known but how much parallel work is needed: p = Φ((ln W − ln R)/σ).
PARALLEL_ONLY: dict[str, Any] = {
    "agi_arrival": 20, "grace_period": 0, "researchers": 100, "researcher_growth": 0,
    "labour_quality": 0.5, "parallel_exponent": 1, "parallel_requirement": 900, "parallel_spread": 0.8,
    "chunk_length": 0, "serial_requirement": 10, "serial_spread": 0.5, "serial_chains": 0,
    "brink_surge": 1, "default_success": 0,
}  # fmt: skip


@lru_cache
def shared(name: str) -> Forecast:
    """Return a shipped proposal's forecast under all models, few draws."""
    return score_all(name, draws=DRAWS)


def toy(beliefs: dict[str, Any], **effects: Any) -> Draws:
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

    found = channels.shapley(names, value)
    orders = list(permutations(names))
    for name in names:
        gains = []
        for order in orders:
            before = frozenset(order[: order.index(name)])
            gains.append(value(before | {name}) - value(before))
        assert found[name] == pytest.approx(np.mean(gains), abs=1e-12)


def test_every_effect_of_the_shipped_models_is_in_one_shown_channel() -> None:
    listed = {n: p.channel for n, p in vocabulary().items() if p.group is Group.EFFECT}
    assert set(listed) == set(effect_names())
    assert set(listed.values()) == set(CHANNELS)
    run_up = sorted(name for name, channel in listed.items() if channel == "run_up")
    assert sorted(e for effects in PATHS.values() for e in effects) == run_up


@pytest.mark.parametrize("name", ["rlhf", "agent-foundations"])
def test_channels_add_up_to_the_net_effect_draw_by_draw(name: str) -> None:
    draws = shared(name).draws
    means = channels.channels(draws)
    for row, parts in enumerate(channels.channel_draws(draws)):
        assert set(parts) == set(CHANNELS)
        by_draw: Any = sum(parts.values())
        np.testing.assert_allclose(by_draw, draws.net_effect[row], rtol=1e-9, atol=1e-15)
        total = sum(part.value for part in means[row].values())
        assert total == pytest.approx(draws.net_effect[row].mean(), rel=1e-9)
        assert all(part.mcse > 0 for part in means[row].values() if part.value)


def test_a_channel_that_is_not_opened_is_exactly_0() -> None:
    draws = shared("rlhf").draws
    players = channels.channels_of(draws)
    for row, parts in enumerate(channels.channels(draws)):
        for name, effects in players.items():
            used = any(np.any(draws.effects_hit[e][row]) for e in effects)
            assert (parts[name] != (0.0, 0.0)) == used, (row, name)


def test_a_lone_channel_is_the_net_effect() -> None:
    alone = proposal({"parallel_speedup": "1 to 10", "serial_speedup": 0, "capability_speedup": 0})
    draws = score(alone, "serial_parallel", draws=DRAWS).draws
    net = channels.estimate(draws, 0, draws.net_effect[0])
    assert channels.channels(draws)[0]["parallel"] == pytest.approx(net, rel=1e-12)


#: A reading with an effect of its own: a share of the worlds that fail are saved by it.
OWN_MODEL = '''"""A proposal can also buy luck, which saves a share of the worlds that would fail."""

from difprog.race import race
from difprog.race.parameters import SHARE, effect

TITLE = "luck"
CITES = "nobody"
ASSUMES = ("Luck can be had.",)
OPENS = {}
PARAMETERS = (effect("luck_effect", "", "", SHARE, "share of failures that luck saves", ""),)


def success(w, e):
    p = race.success(w, e)
    return p + (1 - p) * e.luck_effect
'''


def test_an_effect_of_a_model_of_one_s_own_has_a_channel_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "luck.py"
    path.write_text(OWN_MODEL)
    plan = tmp_path / "plan.toml"
    plan.write_text(
        '[project]\nname = "Plan"\neffort = 5\nduration = 1\n'
        '[beliefs]\nluck_effect = { p5 = 0.001, p95 = 0.01, source = "a guess" }\n'
    )
    setup = prepare([str(path), "serial_parallel"], use_evidence=False)
    found = forecast.score(find_project(str(plan), setup), setup, DRAWS)
    draws = found.draws
    own, base = channels.channel_draws(draws)
    for row, parts in enumerate((own, base)):
        by_draw: Any = sum(parts.values())
        np.testing.assert_allclose(by_draw, draws.net_effect[row], rtol=1e-9, atol=1e-15)
    assert np.mean(own["luck_effect"]) > 0
    assert not np.any(base["luck_effect"])

    from difprog.render import explained, reasons, words
    from difprog.why import explain

    content = explained.report(explain.explain(found, with_drivers=False))
    assert content["models"][0]["channels"]["luck_effect"] == pytest.approx(np.mean(own["luck_effect"]))
    assert "helps mostly through luck effect" in words.plain(reasons.main_channel(content))


def test_paths_share_their_channel_and_stand_alone() -> None:
    found = shared("rlhf")
    draws = found.draws
    shares = channels.channel_draws(draws)
    paths = channels.paths(draws, [share["run_up"] for share in shares])
    assert any(paths)
    for row, (answer, parts) in enumerate(zip(found.models, paths, strict=True)):
        assert bool(parts) == bool(np.any(shares[row]["run_up"]))
        if not parts:
            continue
        total = sum(path.value for path in parts.values())
        assert total == pytest.approx(np.mean(shares[row]["run_up"]), rel=1e-9)
        off = dict.fromkeys(draws.effects_hit, 0.0)
        for name, effects in PATHS.items():
            only = {**off, **{e: draws.effects_hit[e] for e in effects}}
            assert parts[name].alone == pytest.approx(net_with(answer, **only).mean(), rel=1e-9)
            without = net_with(answer, **dict.fromkeys(effects, 0.0))
            assert parts[name].left_out == pytest.approx(without.mean(), rel=1e-9)


def test_a_channel_that_is_one_path_is_not_split() -> None:
    """People whom field-building draws in: what rounding leaves of the other paths is no share."""
    found = score_all(project("sandwiching", kind="field-building", criteria=()), draws=200)
    shares = channels.channel_draws(found.draws)
    assert all(np.any(share["run_up"]) for share in shares)
    assert not any(channels.paths(found.draws, [share["run_up"] for share in shares]))


# break-even

def mean_at(draws: Draws, row: int, effects: Any, factor: float) -> float:
    every = list(draws.effects_hit)
    return float(Variants(draws).net_effect(every, [row], dict.fromkeys(effects, factor))[0].mean())


def test_a_break_even_factor_fed_back_gives_no_effect() -> None:
    draws = shared("rlhf").draws
    capability = channels.channels_of(draws)["capability"]
    for row in range(len(MODELS)):
        found = breakeven.break_even(draws, row)
        seen = 0
        for factor, error, effects in (
            (found.capability_multiplier, found.capability_mcse, capability),
            (found.alignment_multiplier, found.alignment_mcse, ALIGNMENT),
        ):
            if factor is None:
                continue
            seen += 1
            scale = abs(mean_at(draws, row, effects, 2 * factor))
            assert abs(mean_at(draws, row, effects, factor)) <= 1e-8 * scale
            assert error is not None
            assert error > 0
        assert seen


def test_break_even_of_the_toy_is_the_year_it_can_spare() -> None:
    """26 years for chains of 25: a project that takes two may take one, and then all is lost."""
    draws = score("toy", "serial_parallel", draws=100).draws
    found = breakeven.break_even(draws, 0)
    assert draws.net_effect == pytest.approx(-1.0)
    assert found.sign == -1
    assert found.capability_multiplier == pytest.approx(0.5, abs=1e-12)


def test_break_even_where_no_factor_does_it() -> None:
    helps = breakeven.break_even(toy(PARALLEL_ONLY, parallel_speedup=5), 0)
    assert (helps.capability_multiplier, helps.alignment_multiplier, helps.sign) == (None, 0.0, 1)
    harms = breakeven.break_even(toy(PARALLEL_ONLY, capability_speedup=0.1), 0)
    assert (harms.capability_multiplier, harms.alignment_multiplier, harms.sign) == (0.0, None, -1)
    nothing = breakeven.break_even(toy(PARALLEL_ONLY), 0)
    assert (nothing.capability_multiplier, nothing.alignment_multiplier, nothing.sign) == (None, None, 0)


def test_break_even_where_only_a_stretch_of_factors_does_it() -> None:
    """In an overhang x brings the paradigm nearer ten times faster than AGI, until the paradigm is here.

    Work counts from the paradigm on: 50·(0.9·x) person-years more make up for 200 lost from x = 4.44 on,
    and 50·(10 − 0.1·x) do until x = 60.
    """
    late = {
        "overhang": 0.9, "paradigm_fraction": 0.5, "early_relevance": 0, "gated_chains": 0, "convergence": 0
    }  # fmt: skip
    stated = proposal({"parallel_speedup": -200, "serial_speedup": 0, "capability_speedup": 0.005})
    draws = score(stated, "overhang", PARALLEL_ONLY | late, draws=200).draws
    found = breakeven.break_even(draws, 0)
    assert found.capability_multiplier == pytest.approx(200 / 45 / 0.005, rel=1e-5)
    assert found.sign == -1


def test_break_even_in_closed_form() -> None:
    """Half a hundred people a year make up for x years: 50·x person-years."""
    found = breakeven.break_even(toy(PARALLEL_ONLY, parallel_speedup=5, capability_speedup=0.2), 0)
    assert found.capability_multiplier == pytest.approx(5 / (50 * 0.2), rel=1e-9)
    assert found.alignment_multiplier == pytest.approx(50 * 0.2 / 5, rel=1e-9)


# exchange rates and ratios

def rates(draws: Draws, row: int = 0) -> exchange.Exchange:
    return exchange.exchange(draws, row, exchange.slopes(draws))


def test_exchange_in_closed_form() -> None:
    """Without growth a month of timelines is a month of the field's work, and no chain can pay."""
    found = rates(toy(PARALLEL_ONLY))
    assert found.parallel_person_years_per_month == pytest.approx(50 / 12, rel=1e-12)
    assert found.parallel_years_per_year == pytest.approx(1.0, rel=1e-12)
    assert found.serial_months_per_month is None
    chain = rates(toy({**PARALLEL_ONLY, "serial_chains": 1, "parallel_requirement": 1e-3}))
    assert chain.serial_months_per_month == pytest.approx(1.0, rel=1e-9)


def test_slopes_are_those_of_central_differences() -> None:
    found = shared("rlhf")
    slopes = exchange.slopes(found.draws)
    step = 1e-4
    off = dict.fromkeys(found.draws.effects_hit, 0.0)
    for answer in found.models:
        overhang = answer.value("overhang") if "overhang" in answer.beliefs else 0.0
        moved = {
            "capability": lambda by, o=overhang: {
                "capability_speedup": by, "timeline_shortening": (1.0 - o) * by
            },
            "parallel": lambda by: {"parallel_speedup": by},
            "serial": lambda by: {"serial_speedup": by, "gated_speedup": by},
        }  # fmt: skip
        for name, change in moved.items():
            up, down = (net_with(answer, **{**off, **change(by)}) for by in (step, -step))
            slope = getattr(slopes, name)[answer.place]
            assert slope.mean() == pytest.approx(np.mean(up - down) / (2 * step), rel=1e-4), name
            typical = np.abs(slope).mean()
            wrong = ~np.isclose(slope, (up - down) / (2 * step), rtol=1e-2, atol=1e-4 * typical)
            # A kink (the paradigm at 0, the end of growth) has another slope on each side.
            assert wrong.mean() < 0.01, name


def test_slopes_are_finite_where_a_power_is_0_to_the_0() -> None:
    """All chains gated, and none possible: the ungated factor is 0 to the power 0."""
    beliefs = {**PARALLEL_ONLY, "serial_chains": 2, "serial_spread": 0, "serial_requirement": 90,
               "gated_chains": 2, "paradigm_fraction": 0.5}  # fmt: skip
    asked = proposal({"parallel_speedup": 0, "serial_speedup": 0, "capability_speedup": 0})
    slopes = exchange.slopes(score(asked, "overhang", beliefs, draws=100).draws)
    assert all(np.isfinite(s).all() for s in slopes)


def test_ratios_are_ratios_of_means() -> None:
    answer = score("rlhf", "serial_parallel", draws=DRAWS)
    draws = answer.draws
    found = exchange.ratios(draws, 0, rates(draws))
    field = answer.value("labour_quality") * answer.value("researchers")
    x = draws.effect("capability_speedup")[0].mean()
    assert found.parallel == pytest.approx((draws.effect("parallel_speedup")[0] / field).mean() / x)
    assert found.serial == pytest.approx(draws.effect("serial_speedup")[0].mean() / x)
    nothing = toy(PARALLEL_ONLY)
    assert exchange.ratios(nothing, 0, rates(nothing)).parallel is None


@settings(max_examples=10, deadline=None)
@given(st.floats(0.1, 50), st.floats(0.001, 2))
def test_break_even_parallel_ratio_is_where_parallel_work_just_pays(labour: float, years: float) -> None:
    """At the margin a project whose ratio is the break-even one has no effect."""
    draws = toy({**PARALLEL_ONLY, "researcher_growth": 0.1}, parallel_speedup=1e-6 * labour,
                capability_speedup=1e-6 * years)  # fmt: skip
    found = exchange.ratios(draws, 0, rates(draws))
    assert found.parallel is not None
    assert found.parallel_break_even is not None
    if abs(found.parallel / found.parallel_break_even - 1) > 1e-3:
        assert (draws.net_effect.mean() > 0) == (found.parallel > found.parallel_break_even)


def test_a_policy_that_leaks_less_changes_no_other_belief() -> None:
    """Channels under another policy are those of the same worlds."""
    open_, closed = (score(project("rlhf", publication=p), "overhang", draws=300).draws
                     for p in ("open", "closed"))  # fmt: skip
    for name in ("agi_arrival", "effort", "breakthrough", "relevance_residual"):
        np.testing.assert_array_equal(open_.values[name], closed.values[name])
