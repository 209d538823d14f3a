"""The reference against numbers worked out on paper, and its limits."""

from __future__ import annotations

import ast
import math
from pathlib import Path
from typing import Any

import pytest

from tests import reference

LN2 = math.log(2)

#: Round beliefs under which the numbers below come out on paper; every mechanism is open.
WORLD = {
    "agi_arrival": 10.0, "grace_period": 2.0, "researchers": 100.0, "researcher_growth": 0.0,
    "field_ceiling": math.inf, "labour_quality": 0.5, "parallel_exponent": 0.5,
    "parallel_requirement": 1500.0, "parallel_spread": 1.3, "chunk_length": 12.0, "chunk_spread": 0.0,
    "serial_requirement": 12.0, "serial_spread": 0.7, "serial_chains": 3.0, "brink_surge": 4.0,
    "default_success": 0.2, "overhang": 0.5, "paradigm_fraction": 0.5, "early_relevance": 0.5,
    "gated_chains": 1.0, "convergence": 1.0, "runup_length": 2.0, "assistance": 0.5,
    "safety_lead": 0.5, "adoption": 0.5, "breadth": 0.5, "knowhow_horizon": 4.0,
    "difficulty": 0.0, "requirement_difficulty": 0.0, "relevance_difficulty": 0.0,
    "relevance_intercept": LN2, "relevance_focus": 0.3, "relevance_approach": 0.3,
    "relevance_residual": 0.0, "coupling_intercept": 0.0, "coupling_focus": 0.7,
    "coupling_approach": 0.7, "coupling_residual": 0.0,
    "applications_relevance": 0.01, "applications_coupling": 0.02,
    "serial_share": 0.25, "skill": 0.5, "displacement": 0.0, "serial_researchers": 0.5,
    "serial_exponent": 0.5, "reach": 0.8, "breakthrough": 8.0, "hit_probability": 0.25,
    "lead_time": 3.0, "leak": 0.5, "capability_researchers": 3.0, "capability_exponent": 0.5,
    "elasticity": 2.0, "hype_leverage": 3.0, "ai_spend": 1e8, "recruits_per_fte_year": 0.1,
    "area_researchers": 10.0, "crowding_peak": 10.0,
    "adoption_per_fte_year": 0.1, "lead_per_fte_year": 0.01, "breadth_per_fte_year": 0.05,
    "knowhow_per_fte_year": 0.01, "assistance_per_fte_year": 0.02, "grace_per_fte_year": 0.05,
    "followers_per_fte_year": 1.0, "solution_per_fte_year": LN2 / 4.5,
}  # fmt: skip

FACTS: dict[str, Any] = {
    "effort": 12.0, "start": 0.0, "duration": 2.0, "cost": 1e6, "kind": "alignment", "focus": "worst",
    "approach": "engineering", "novelty": "mainstream", "publication": "open",
    "criteria": ("fine-tunes", "no-scaling", "useful"),
}  # fmt: skip


def near(value: Any) -> Any:
    return pytest.approx(value, rel=1e-12, abs=1e-15)


def grown(t: float, g: float, ceiling: float = math.inf, exponent: float = 1.0) -> float:
    return reference.grown(t, exponent=exponent, growth=g, ceiling=ceiling, researchers=100.0)


def test_it_is_independent():
    tree = ast.parse(Path(reference.__file__).read_text(encoding="utf-8"))
    roots = {a.name.split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    roots |= {str(n.module).split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert roots == {"__future__", "collections", "math", "scipy", "typing"}


# The race


def test_growth():
    # No growth: a year of labour a year.
    assert grown(7, 0.0) == 7
    # Doubling each year, no end: (8 − 1)/ln 2.
    assert grown(3, LN2) == near(7 / LN2)
    # It ends at twice the field, after a year: (2 − 1)/ln 2 in the first year, then 2 a year for 2 years.
    assert grown(3, LN2, ceiling=200) == near(1 / LN2 + 4)
    assert grown(3, LN2, ceiling=200) == pytest.approx(5.442695, abs=1e-6)
    # Stepping on toes: the headcount still doubles in a year and ends there, and counts as its root.
    # (√2 − 1)/(½ ln 2) + 2√2 = 1.195168 + 2.828427.
    assert grown(3, LN2, ceiling=200, exponent=0.5) == pytest.approx(4.023595, abs=1e-6)
    # Before the end nothing shows of it.
    assert grown(0.5, LN2, ceiling=200) == grown(0.5, LN2)
    # Halving each year: (½ − 1)/(−ln 2) = 0.721348; a ceiling does not bear on a shrinking field.
    assert grown(1, -LN2) == near(0.5 / LN2)
    assert grown(1, -LN2, ceiling=50) == near(0.5 / LN2)
    # A field above its ceiling stays as it is.
    assert grown(5, LN2, ceiling=50) == 5


@pytest.mark.parametrize("ceiling", [50, 100, 150, math.inf])
@pytest.mark.parametrize("sign", [-1, 1])
def test_growth_goes_to_none_continuously(sign, ceiling):
    for g in (1e-3, 1e-6, 1e-9, 1e-12):
        # G(t) = t + γt²/2 + …, so 12.5 g at t = 5; less where growth ends.
        assert abs(grown(5, sign * g, ceiling) - 5) <= 12.6 * g
    assert grown(5, sign * 1e-300, ceiling) == 5


def test_requirements():
    # A standard deviation above the median: Φ(1).
    assert reference.met(math.e, 1, 1) == pytest.approx(0.8413447460685429)
    assert reference.met(4, 1, 2 * LN2) == pytest.approx(0.8413447460685429)
    assert reference.met(3, 3, 0.4) == 0.5
    assert [reference.met(y, 3, 0) for y in (2.999, 3, 3.001)] == [0, 1, 1]
    assert [reference.met(y, 3, s) for y in (0, -1) for s in (0, 1)] == [0] * 4
    assert [reference.met(y, 0, s) for y in (0, 1) for s in (0, 1)] == [1] * 4


def test_log_odds():
    # Odds 1 : 1 times 3 is ¾.
    assert reference.shifted(0.5, math.log(3)) == near(0.75)
    assert reference.shifted(0.2, math.log(4)) == near(0.5)
    assert [reference.shifted(p, 5) for p in (0, 1)] == [0, 1]
    assert reference.shifted(0.5, -1e6) == 0


def test_the_base_race():
    # G(t) = t and b^λ = √4 = 2, so W = 0.5·100·(10 + 2·2) = 700 = R: ½. Two chains of 12 years by year 12:
    # ¼. S = ⅛, p = 0.2 + 0.8/8 = 0.3.
    base = {**reference.seen("serial_parallel", WORLD), "parallel_requirement": 700, "serial_chains": 2}
    assert reference.chance(base, {}) == near(0.3)
    # The step of the chunk: twelve years, and not a day more.
    assert reference.chance({**base, "chunk_length": 12.01}, {}) == near(0.2)
    # A spread of the chunk about that median: ½ more.
    assert reference.chance({**base, "chunk_spread": 0.3}, {}) == near(0.25)
    # The default left out, and no chain at all: the parallel ½.
    assert reference.chance({**base, "default_success": 0, "serial_chains": 0}, {}) == near(0.5)
    # Difficulty 2 at τ = ln 2 makes it four times the work.
    easy = {**base, "parallel_requirement": 175, "difficulty": 2.0, "requirement_difficulty": LN2}
    assert reference.chance(easy, {}) == near(0.3)


def test_the_whole_race():
    # Δ = 1: T' = 9. δB = 1: D' = 9 + 2 + 1 = 12. x = 2: E' = 5 − 2 = 3.
    # W: 50·(0.5·3 + 2·(9 − 3 + 2·3)) = 50·25.5 = 1275; know-how 50·0.1·4 = 20; run-up 50·(0.5 + 0.5)·2 = 100;
    #    recruits 0.5·10·12 = 60; a_P = 45. In all 1500 = R: ½.
    # s₁ = 0.5·3 + 9 + 1.5 = 12: ½ for each of two chains. s₂ = 9 + 3 = 12: ½ for the gated one. c = 12: 1.
    # S = 1/16, S⁺ = 1/16 + 0.2·15/16 = ¼. s' = ¾, a' = ¼: A = ¾ + 1/16 = 0.8125. V = 0.8.
    # p = 0.2 + 0.8·0.25·0.8125·0.8 = 0.33.
    e = {
        "parallel_speedup": 45, "serial_speedup": 1.5, "gated_speedup": 3, "capability_speedup": 2,
        "timeline_shortening": 1, "grace_effect": 1, "knowhow_effect": 0.1, "assistance_effect": 0.5,
        "field_growth": 10, "solution_probability": 0.2, "lead_effect": math.log(3),
        "adoption_effect": -math.log(3), "breadth_effect": math.log(4),
    }  # fmt: skip
    assert reference.chance(WORLD, e) == near(0.33)
    # More chains gated than there are: all are.
    two = reference.chance({**WORLD, "gated_chains": 3.0}, e)
    assert reference.chance({**WORLD, "gated_chains": 7.0}, e) == two


def test_agi_and_the_paradigm_come_no_sooner_than_now():
    # T' = 0, E' = 0, D' = 2: W = 50·2·(2·2) = 400, s₁ = s₂ = 2.
    e = {"capability_speedup": 99.0, "timeline_shortening": 99.0}
    w = {**WORLD, "parallel_requirement": 400, "serial_requirement": 2, "chunk_length": 2, "assistance": 0}
    # S = ½⁴, A = ¾, V = ½: p = 0.2 + 0.8·0.0234375.
    assert reference.chance(w, e) == near(0.21875)


# From facts to effects


def test_added():
    # Twice the field for two years, counting as its root: 2·(√2 − 1).
    assert reference.added(2, 2, 0.5) == near(2 * (math.sqrt(2) - 1))
    assert reference.added(3, 2, 1) == near(3)
    assert reference.added(16, 2, 0.5) == near(4)
    assert reference.added(5, 2, 0) == 0
    assert reference.added(0, 2, 0.5) == 0
    # A small team: β·r.
    assert reference.added(1e-9, 2, 0.3) == pytest.approx(0.3e-9, rel=1e-8)
    # β → 0: β·d·ln(1 + r/d).
    for exponent in (1e-3, 1e-6, 1e-12):
        assert reference.added(6, 2, exponent) / exponent == pytest.approx(4 * LN2, rel=2 * exponent)


def test_work_in_time():
    w = {"agi_arrival": 10.0, "paradigm_fraction": 0.5, "early_relevance": 0.25}
    # From year 4 to year 8: all done by year 10, a quarter by year 5: 0.25·0.25 + 0.75.
    assert reference.in_time({"start": 4, "duration": 4}, w) == (1, 0.25, 0.8125)
    # AGI in year 6, the paradigm in year 3: half done, none of it early.
    assert reference.in_time({"start": 4, "duration": 4}, {**w, "agi_arrival": 6.0}) == (0.5, 0, 0.5)
    # Done before the paradigm; started now where nothing is said.
    assert reference.in_time({"duration": 5}, w) == (1, 1, 0.25)
    # Never begun.
    assert reference.in_time({"start": 10, "duration": 4}, w) == (0, 0, 0)


def test_the_grid():
    # Worst focus and engineering cancel out: relevance e^(ln 2) = 2, coupling logit⁻¹(0) = ½.
    assert reference.grid(FACTS, WORLD) == (near(2), near(0.5))
    # Worst and cognitivist: e^(ln 2 + 0.6), logit⁻¹(−1.4); average and engineering the other way about.
    cell = {"focus": "worst", "approach": "cognitivist"}
    assert reference.grid(cell, WORLD) == (near(2 * math.exp(0.6)), near(1 / (1 + math.exp(1.4))))
    cell = {"focus": "average", "approach": "engineering"}
    assert reference.grid(cell, WORLD) == (near(2 * math.exp(-0.6)), near(1 / (1 + math.exp(-1.4))))
    # Difficulty 1 at ρ = ln 4 leaves a quarter of the relevance, and the coupling as it was.
    hard = {**WORLD, "difficulty": 1.0, "relevance_difficulty": 2 * LN2}
    assert reference.grid(FACTS, hard) == (near(0.5), near(0.5))
    own = {**WORLD, "relevance_residual": LN2, "coupling_residual": math.log(3)}
    assert reference.grid(FACTS, own) == (near(4), near(0.75))


def test_criteria_and_crowdedness():
    assert reference.fit(FACTS["criteria"]) == 0.75
    assert reference.fit({"fine-tunes", "humans", "useful"}) == 0
    assert reference.fit({"no-scaling"}) == 0.25
    assert reference.fit(()) == 0
    assert reference.crowd(WORLD) == 1
    # Twice the peak: 2/e.
    assert reference.crowd({"area_researchers": 20.0, "crowding_peak": 10.0}) == near(2 / math.e)


def test_the_effects_of_an_alignment_project():
    w = {**WORLD, "paradigm_fraction": 0.0}
    found = reference.effects(FACTS, w)
    assert found["hit_probability"] == 0.25
    # n = 12·2·0.5 = 12; all of it done in time, none of it early.
    # a_S: r = 12·0.25/0.5 = 6, 2·(√(1 + 3) − 1) = 2, of which 0.8 reaches others. path = 0.75·12·0.5 = 4.5.
    # x by chance: r = 0.5·12·8/3 = 16, 2·(√9 − 1) = 4, cut at 3, half of it leaks: 1.5.
    # x always: 2·3·1e6/1e8 = 0.06. Half of x is paid back.
    expected = {
        "parallel_speedup": 0.8 * 12 * 0.75 * 0.5,  # 3.6
        "serial_speedup": 1.6,
        "gated_speedup": 1.6,
        "adoption_effect": 0.48,
        "lead_effect": 0.12,
        "breadth_effect": 0.48,
        "knowhow_effect": 0.036,
        "assistance_effect": 0.072,
        "grace_effect": 0.18,
        "field_growth": 3.6,
        "solution_probability": 0.5,
    }
    assert found["always"] == near(expected)
    assert found["hit"] == near({**expected, "capability_speedup": 1.56, "timeline_shortening": 0.78})
    assert found["miss"] == near({**expected, "capability_speedup": 0.06, "timeline_shortening": 0.03})


def test_early_work_and_work_that_is_too_late():
    # The paradigm in year 5: all early, worth ½, and nothing for the gated chains; the rest as it was.
    early = reference.effects(FACTS, WORLD)["hit"]
    assert (early["parallel_speedup"], early["serial_speedup"], early["gated_speedup"]) == near((1.8, 0.8, 0))
    assert early["lead_effect"] == near(0.12)
    # From year 4 for two years: half early: worth ½·½ + ½ = ¾, and half of it for the gated chains.
    half = reference.effects({**FACTS, "start": 4.0}, WORLD)["hit"]
    assert (half["parallel_speedup"], half["serial_speedup"], half["gated_speedup"]) == near((2.7, 1.2, 0.8))
    # Only a quarter is done by AGI; all of that after the paradigm.
    late = reference.effects({**FACTS, "start": 9.5}, WORLD)["hit"]
    assert (late["parallel_speedup"], late["capability_speedup"]) == near((0.9, 0.39))
    assert late["solution_probability"] == near(1 - 2**-0.25)
    # Begun after AGI: nothing at all, and 0 exactly.
    none = reference.effects({**FACTS, "start": 11.0}, WORLD)
    assert none["hit"] == none["miss"] == reference.NOTHING


def test_crowds_and_displacement():
    w = {**WORLD, "paradigm_fraction": 0.0, "area_researchers": 20.0, "displacement": 0.5}
    e = reference.effects(FACTS, w)["hit"]
    # A crowd of 2/e scales a_P and the paths; others would do half anyway.
    assert e["parallel_speedup"] == near(3.6 * 0.5 * 2 / math.e)
    assert e["knowhow_effect"] == near(0.036 * 0.5 * 2 / math.e)
    # r = 3: 2·(√2.5 − 1), 0.8 of it. Not scaled by the crowd, nor is adoption.
    assert e["serial_speedup"] == near(1.6 * (math.sqrt(2.5) - 1))
    assert e["adoption_effect"] == near(0.24)
    # Capability work is scaled by neither.
    assert e["capability_speedup"] == near(1.56)


def test_kinds():
    w = {**WORLD, "paradigm_fraction": 0.0}
    e = reference.effects({**FACTS, "kind": "capabilities"}, w)["hit"]
    assert e["parallel_speedup"] == e["serial_speedup"] == e["gated_speedup"] == e["adoption_effect"] == 0
    # Coupling 1: r = 12·8/3 = 32, 2·(√17 − 1) = 6.2 is cut at 3, as before; with more time not.
    assert e["capability_speedup"] == near(1.56)
    long = reference.effects({**FACTS, "kind": "capabilities"}, {**w, "lead_time": 99.0})["hit"]
    assert long["capability_speedup"] == near(math.sqrt(17) - 1 + 0.06)
    # Applications: n = 12·0.01·0.5 = 0.06, a_P = 0.8·0.06·0.75·0.5; r = 0.02·12·8/3 = 0.64.
    e = reference.effects({**FACTS, "kind": "applications"}, w)["hit"]
    assert e["parallel_speedup"] == near(0.018)
    assert e["capability_speedup"] == near(math.sqrt(1.32) - 1 + 0.06)
    # Field-building: 12·0.5·0.1 = 0.6 FTE, neither alignment nor capability work.
    found = reference.effects({**FACTS, "kind": "field-building", "criteria": ()}, w)
    assert found["hit"]["field_growth"] == near(0.6)
    assert found["hit"]["parallel_speedup"] == 0
    assert found["hit"]["capability_speedup"] == found["miss"]["capability_speedup"] == near(0.06)


def test_stated_effects_replace_whole():
    found = reference.effects(FACTS, WORLD, {"serial_speedup": 0.7, "field_growth": -2.0})
    # A stated serial speedup holds for the gated chains too.
    assert (found["hit"]["serial_speedup"], found["miss"]["gated_speedup"]) == (0.7, 0.7)
    assert found["hit"]["field_growth"] == -2
    both = reference.effects(FACTS, WORLD, {"serial_speedup": 0.7, "gated_speedup": 0.1})
    assert both["hit"]["gated_speedup"] == 0.1
    gated = reference.effects(FACTS, WORLD, {"gated_speedup": 0.1})["hit"]
    assert (gated["serial_speedup"], gated["gated_speedup"]) == (near(0.8), 0.1)
    # A stated capability speedup is certain, and hype is no part of it; AGI follows it.
    certain = reference.effects(FACTS, WORLD, {"capability_speedup": 0.4})
    assert certain["hit_probability"] == 1
    assert (certain["hit"]["capability_speedup"], certain["hit"]["timeline_shortening"]) == (0.4, 0.2)
    # Unless its chance is stated too.
    chancy = reference.effects(FACTS, WORLD, {"capability_speedup": 0.4, "hit_probability": 0.1})
    assert (chancy["hit_probability"], chancy["miss"]["capability_speedup"]) == (0.1, 0)
    # A stated shortening is the whole shortening, and the capability effect keeps its chance.
    short = reference.effects(FACTS, WORLD, {"timeline_shortening": 0.3})
    assert (short["hit"]["timeline_shortening"], short["miss"]["timeline_shortening"]) == (0.3, 0.3)
    assert (short["hit"]["capability_speedup"], short["hit_probability"]) == (near(1.56), 0.25)
    # A stated relevance or coupling alone leaves the other to the grid. n = 12·1·0.5 = 6.
    own = reference.effects(FACTS, {**WORLD, "paradigm_fraction": 0.0}, {"relevance": 1.0})["hit"]
    assert (own["parallel_speedup"], own["adoption_effect"]) == near((1.8, 0.24))


# The readings


def test_hits_are_averaged():
    # Steps: the chain needs the ten years that there are, and a hit takes one away: 0 in place of 1.
    w = {**WORLD, "grace_period": 0.0, "chunk_length": 0.0, "parallel_requirement": 1.0,
         "parallel_spread": 0.0, "serial_requirement": 10.0, "serial_spread": 0.0}  # fmt: skip
    stated = {"capability_speedup": 1.0, "hit_probability": 0.25, "serial_speedup": 0.0}
    found = reference.net("serial_parallel", FACTS, w, stated)
    assert (found["without"], found["hit"], found["miss"]) == near((1, 0.2, 1))
    assert (found["with_project"], found["net_effect"]) == near((0.8, -0.2))


@pytest.mark.parametrize("reading", reference.OPENS)
def test_nobody_for_nothing_does_nothing(reading):
    nobody = {**FACTS, "effort": 0.0, "cost": 0.0}
    for kind in ("alignment", "capabilities", "applications", "field-building"):
        assert reference.net(reading, {**nobody, "kind": kind}, WORLD)["net_effect"] == 0


@pytest.mark.parametrize("reading", reference.OPENS)
def test_a_reading_is_the_synthesis_with_the_rest_at_neutral(reading):
    closed = reference.OPENS["synthesis"] - reference.OPENS[reading]
    world = {**WORLD, **{n: reference.NEUTRAL[n] for n in closed if n not in reference.NOTHING}}
    assert reference.net(reading, FACTS, WORLD) == reference.net("synthesis", FACTS, world)


@pytest.mark.parametrize("reading", reference.OPENS)
def test_what_is_closed_is_not_heard(reading):
    closed = reference.OPENS["synthesis"] - reference.OPENS[reading]
    odd = dict.fromkeys(closed, 0.37)
    assert reference.net(reading, FACTS, WORLD, odd) == reference.net(reading, FACTS, WORLD)
    moved = {**WORLD, **odd}
    assert reference.net(reading, FACTS, moved) == reference.net(reading, FACTS, WORLD)


def test_field_building_draws_people_in_everywhere():
    for reading in reference.OPENS:
        e = reference.net(reading, {**FACTS, "kind": "field-building"}, WORLD)["effects"]["hit"]
        assert e["field_growth"] == near(0.6)
        stated = {"field_growth": 5.0}
        e = reference.net(reading, {**FACTS, "kind": "field-building"}, WORLD, stated)["effects"]["hit"]
        assert e["field_growth"] == 5


def test_where_displacement_hype_and_crowds_act():
    w = {**WORLD, "paradigm_fraction": 0.0, "area_researchers": 20.0, "displacement": 0.5, "overhang": 0.0}
    for reading in reference.OPENS:
        e = reference.net(reading, FACTS, w)["effects"]["miss"]
        acts = reading in ("narrow_superhuman", "synthesis")
        assert e["parallel_speedup"] == near(3.6 / math.e if acts else 3.6)
        assert e["capability_speedup"] == near(0.06 if acts else 0)


def test_the_ensemble_is_the_mixture():
    assert reference.ensemble({"a": 1.0, "b": -2.0}, {"a": 3.0, "b": 1.0, "c": 5.0}) == near(0.25)
