"""What the five essays claim, each claim a test on the shipped models, priors and proposals.

Names carry the claim's number in the README's table. Nothing here sets a prior: a claim that
does not hold at the sourced priors is marked as failing and says why.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from difprog.cli import main
from difprog.forecast.forecast import quantities
from difprog.forecast.simulate import Question
from difprog.race.effects import Facts, crowdedness
from tests.helpers import names, net_with, project, proposal, resolved, score, score_all

GRID = [
    ["scaling", "rlhf", "adversarial-robustness"],
    ["optimization-science", "scalable-oversight", "ai-control"],
    ["concept-interpretability", "mechanistic-interpretability", "agent-foundations"],
]
ALIGNMENT = [n for n in names([]) if n != "toy" and project(n).facts["kind"] == "alignment"]


def mean(answer: Any) -> float:
    return float(answer.net.mean)


# ── serial-and-parallel ────────────────────────────────────────────────────────────────────


def test_S1_two_years_are_a_death_sentence_and_one_year_is_not() -> None:
    answer = score("toy", "serial_parallel")
    assert answer.summaries["p_success_without"].mean == 1.0
    assert answer.summaries["p_success_with"].mean == 0.0
    handed_over = score(project("toy", {"parallel_speedup": 900}), "serial_parallel")
    assert handed_over.summaries["p_success_with"].mean == 0.0
    one_year = score(project("toy", {"capability_speedup": 1}), "serial_parallel")
    assert one_year.summaries["p_success_with"].mean == 1.0


@pytest.mark.parametrize(("people", "share", "years"), [(180, 1, 5), (1800, 0.05, 10)])
def test_S1_both_staffing_forms_give_900_person_years(people: int, share: float, years: int) -> None:
    staffed = {
        "researchers": people, "labour_quality": share, "agi_arrival": years,
        "serial_chains": 0, "capability_speedup": 0,
    }  # fmt: skip
    enough = score(project("toy", {**staffed, "parallel_requirement": 900}), "serial_parallel")
    more = score(project("toy", {**staffed, "parallel_requirement": 900.001}), "serial_parallel")
    assert enough.summaries["p_success_without"].mean == 1.0
    assert more.summaries["p_success_without"].mean == 0.0


def test_S2_two_units_of_parallel_for_one_of_capability_is_a_bad_trade() -> None:
    # A year of capability, two years' worth of today's counted labour in exchange.
    probe = score("rlhf", "serial_parallel")
    values = probe.draws.values
    labour = values["labour_quality"] * values["researchers"]
    x = 0.01

    def net(ratio: float) -> Any:
        return net_with(
            probe, parallel_speedup=ratio * x * labour, serial_speedup=0.0,
            capability_speedup=x, timeline_shortening=x,
        )  # fmt: skip

    assert resolved(0 * labour, net(2.0))
    # Far above 2: at four times the ratio it is still a bad trade.
    assert resolved(0 * labour, net(8.0))


def test_S3_serial_conceptual_work_is_positive_at_the_same_effort() -> None:
    changed = project("rlhf", approach="cognitivist", focus="worst")
    assert resolved(score(changed, "serial_parallel").draws.chances.net_effect, 0.0)
    assert mean(score("rlhf", "serial_parallel")) < mean(score(changed, "serial_parallel"))


def test_S4_serial_share_rises_along_approach() -> None:
    shares = [
        score(project("rlhf", approach=a), "serial_parallel").draws.values["serial_share"].mean()
        for a in ("engineering", "behaviourist", "cognitivist")
    ]
    assert shares[0] < shares[1] < shares[2]


def test_S5_weird_work_is_a_small_chance_of_a_lot() -> None:
    found = {}
    for novelty in ("niche", "mainstream"):
        answer = score(project("rlhf", novelty=novelty), "serial_parallel")
        outcome = answer.draws.chances.outcome
        found[novelty] = (
            float(np.mean(outcome.hit_probability)),
            float(np.mean(outcome.if_hit.capability_speedup)),
        )
        without = net_with(answer, capability_speedup=0.0, timeline_shortening=0.0)
        assert resolved(without, answer.draws.chances.net_effect), "both have a cost"
    assert found["niche"][0] < found["mainstream"][0]
    assert found["niche"][1] > found["mainstream"][1]


def test_S6_conditional_on_success_there_is_more_time() -> None:
    answer = score("rlhf", "serial_parallel")
    assert answer.arrival_given_success is not None
    assert answer.arrival_given_success > answer.draws.values["agi_arrival"].mean()


def test_S7_a_surge_cannot_lift_p_where_the_chains_are_missing() -> None:
    lacking = {"serial_requirement": 200, "serial_spread": 0.1, "serial_chains": 4, "grace_period": 1}
    surge = score("rlhf", "serial_parallel", {**lacking, "agi_arrival": 10, "brink_surge": 5})
    hundred = score("rlhf", "serial_parallel", {**lacking, "agi_arrival": 10, "brink_surge": 500})
    p = [a.summaries["p_success_without"].mean for a in (surge, hundred)]
    assert p[1] == pytest.approx(p[0], abs=1e-12)
    chains_done = {**lacking, "serial_requirement": 1, "agi_arrival": 10}
    few = score("rlhf", "serial_parallel", {**chains_done, "brink_surge": 5})
    many = score("rlhf", "serial_parallel", {**chains_done, "brink_surge": 500})
    assert many.summaries["p_success_without"].mean > few.summaries["p_success_without"].mean


def test_S8_closed_beats_open_for_the_same_niche_project() -> None:
    closed = score(project("agent-foundations", publication="closed"), "serial_parallel")
    opened = score(project("agent-foundations", publication="open"), "serial_parallel")
    assert resolved(closed.draws.chances.net_effect, opened.draws.chances.net_effect)


# ── capabilities-work-buys-time ────────────────────────────────────────────────────────────


def test_K1_capability_work_now_is_good_here_and_bad_there() -> None:
    here = score("capability-work-now", "overhang").draws.chances.net_effect
    there = score("capability-work-now", "serial_parallel").draws.chances.net_effect
    assert resolved(here, 0.0)
    assert resolved(0.0 * there, there)


def test_K2_a_late_compressed_era_is_worse() -> None:
    p = [
        score("rlhf", "overhang", {"paradigm_fraction": u}).summaries["p_success_without"].mean
        for u in (0.1, 0.4, 0.7, 0.95)
    ]
    assert p == sorted(p, reverse=True)
    assert p[0] > p[-1] + 0.01


def test_K3_work_before_the_paradigm_is_worth_little() -> None:
    p = [
        score("rlhf", "overhang", {"early_relevance": e}).summaries["p_success_without"].mean
        for e in (1.0, 0.5, 0.1, 0.0)
    ]
    assert p == sorted(p, reverse=True)
    assert p[0] > p[-1] + 0.01


def test_K3_a_year_before_the_paradigm_counts_as_early_relevance() -> None:
    # All work before the paradigm, none after: W = ε·φ·N₀·T, exactly at the requirement or not.
    world = {
        "agi_arrival": 10, "grace_period": 0, "researchers": 100, "researcher_growth": 0,
        "labour_quality": 1, "parallel_exponent": 1, "parallel_spread": 0, "chunk_length": 0,
        "serial_chains": 0, "default_success": 0, "early_relevance": 0.25, "convergence": 0,
        "paradigm_fraction": 1 - 1e-12,
    }  # fmt: skip
    met = score(proposal(), "overhang", {**world, "parallel_requirement": 249.999})
    missed = score(proposal(), "overhang", {**world, "parallel_requirement": 250.001})
    assert met.summaries["p_success_without"].mean == 1.0
    assert missed.summaries["p_success_without"].mean == 0.0


def test_K4_at_full_overhang_the_date_stays_and_the_era_grows() -> None:
    answer = score("capability-work-now", "overhang", {"overhang": 1.0, "paradigm_fraction": 0.5})
    assert answer.summaries["timeline_shortening"].mean == 0.0
    assert answer.summaries["capability_speedup"].mean > 0.0
    assert mean(answer) > 0
    half = score("capability-work-now", "overhang", {"overhang": 0.25})
    x, delta = (half.summaries[n].mean for n in ("capability_speedup", "timeline_shortening"))
    assert delta == pytest.approx(0.75 * x, rel=1e-12)


def test_K5_convergence_raises_p() -> None:
    p = [
        score("rlhf", "overhang", {"convergence": m}).summaries["p_success_without"].mean for m in (0, 1, 10)
    ]
    assert p[0] < p[1] < p[2]


def test_K6_gated_chains_lower_p() -> None:
    p = [
        score("rlhf", "overhang", {"gated_chains": k, "serial_chains": 3})
        .summaries["p_success_without"].mean
        for k in (0, 1, 3)
    ]  # fmt: skip
    assert p[0] > p[1] > p[2]


# ── all-alignment-is-capabilities ──────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ALIGNMENT)
def test_N1_every_alignment_project_is_capability_work_too(name: str) -> None:
    answer = score(name, "alignment_tax", draws=2000)
    assert np.min(answer.draws.chances.outcome.capability_speedup) > 0


@pytest.mark.parametrize("name", ["scaling", "capability-work-now"])
def test_N1_a_capabilities_project_has_no_alignment_speedup(name: str) -> None:
    answer = score(name, "alignment_tax", draws=2000)
    assert answer.summaries["parallel_speedup"].mean == 0.0
    assert answer.summaries["serial_speedup"].mean == 0.0


def test_N2_the_tax_can_be_negative() -> None:
    answer = score("rlhf", "alignment_tax")
    net = answer.draws.chances.net_effect
    adoption = {"adoption_effect": 0.0, "lead_effect": 0.0, "breadth_effect": 0.0}
    assert resolved(net, net_with(answer, **adoption))
    assert resolved(net_with(answer, capability_speedup=0.0, timeline_shortening=0.0), net)


def test_N3_the_lead_raises_p() -> None:
    answer = score("rlhf", "alignment_tax")
    assert np.mean(answer.draws.chances.outcome.if_hit.lead_effect) > 0
    assert resolved(answer.draws.chances.net_effect, net_with(answer, lead_effect=0.0))


def test_N4_inclusion_works_through_breadth_alone() -> None:
    answer = score("inclusion", "alignment_tax")
    assert resolved(answer.draws.chances.net_effect, 0.0)
    without = net_with(answer, breadth_effect=0.0)
    assert without.max() < 1e-15, "nothing but rounding is left above zero"
    effects = answer.draws.chances.outcome.if_hit
    for name in ("parallel_speedup", "serial_speedup", "adoption_effect", "lead_effect"):
        assert np.all(np.asarray(getattr(effects, name)) == 0), name


def test_N5_centralisation_stays_a_limit() -> None:
    answer = score("rlhf", "alignment_tax")
    w = answer.draws.values
    limit = w["default_success"] + (1 - w["default_success"]) * w["breadth"]
    assert (answer.draws.chances.without <= limit).all()
    stated = score(project("rlhf", {"breadth_effect": 0}), "alignment_tax")
    assert (stated.draws.chances.with_project <= limit).all()


# ── narrowly-superhuman ────────────────────────────────────────────────────────────────────

PATHS = {
    "know-how": ("knowhow_effect", "field_growth"),
    "run-up": ("assistance_effect", "grace_effect"),
    "solution": ("solution_probability",),
}


def only(answer: Any, kept: tuple[str, ...]) -> Any:
    """Net effect with only some of the three paths' effects, less that with none."""
    every = [name for path in PATHS.values() for name in path]
    none = net_with(answer, **dict.fromkeys(every, 0.0))
    return net_with(answer, **{n: 0.0 for n in every if n not in kept}) - none


def test_C1_each_path_counts_alone_and_can_be_switched_off() -> None:
    answer = score("sandwiching", "narrow_superhuman")
    net = answer.draws.chances.net_effect
    for path, effects in PATHS.items():
        assert resolved(only(answer, effects), 0.0), path
        assert resolved(net, net_with(answer, **dict.fromkeys(effects, 0.0))), path


def test_C2_the_third_path_is_a_third_to_three_quarters_of_the_value() -> None:
    # The rate behind the third path was elicited from this very statement of the essay: the
    # test shows that the shipped priors say what they claim to say, not that the world does.
    answer = score("sandwiching", "narrow_superhuman")
    value = {path: only(answer, effects).mean() for path, effects in PATHS.items()}
    assert 1 / 3 <= value["solution"] / sum(value.values()) <= 3 / 4


def test_C3_break_even_leverage_is_the_ratio_of_the_fields() -> None:
    # Equal proportional speed-up: a dollar speeds alignment by 1/alignment_spend and, at
    # leverage h, AI by elasticity·h/ai_spend; with unit elasticity they meet at the ratio.
    ai, alignment, cost = 2e11, 2e9, 1e6
    stated = {
        "ai_spend": ai, "alignment_spend": alignment, "elasticity": 1,
        "hype_leverage": ai / alignment, "coupling": 0, "hit_probability": 0,
    }  # fmt: skip
    answer = score(proposal(stated, cost=cost), "narrow_superhuman", draws=200)
    assert answer.summaries["capability_speedup"].mean == pytest.approx(cost / alignment, rel=1e-12)
    shipped = score("sandwiching", "narrow_superhuman").draws.values
    ratio = float(np.median(shipped["ai_spend"] / shipped["alignment_spend"]))
    assert 100 <= ratio <= 10_000, "two orders of magnitude or more"
    assert np.mean(shipped["hype_leverage"] > ratio) < 0.01, "drawing that in is unlikely"


def test_C4_what_counts() -> None:
    every = frozenset({"fine-tunes", "no-scaling", "humans", "useful"})
    assert Facts(criteria=every).fit == 1.0
    assert Facts(criteria=every - {"humans"}).fit == 0.75
    assert Facts(criteria=every - {"no-scaling"}).fit == 0.0
    larger = score(project("sandwiching", criteria=every - {"no-scaling"}), "narrow_superhuman")
    effects = larger.draws.chances.outcome.if_hit
    for name in (n for path in PATHS.values() for n in path):
        assert np.all(np.asarray(getattr(effects, name)) == 0), name


def test_C5_fully_displaced_work_speeds_nothing_up() -> None:
    answer = score("sandwiching", "narrow_superhuman", {"displacement": 1.0})
    assert answer.summaries["parallel_speedup"].mean == 0.0
    assert answer.summaries["serial_speedup"].mean == 0.0
    lead = score("sandwiching", "narrow_superhuman").draws.values["knowhow_horizon"]
    assert 0.5 <= np.median(lead) <= 2, "the lead is about a year"


def by_third(path: tuple[str, ...]) -> tuple[float, float]:
    """Share of the three paths' value in the shortest and in the longest third of T."""
    answer = score("sandwiching", "narrow_superhuman", draws=100_000)
    arrival = answer.draws.values["agi_arrival"]
    low, high = np.quantile(arrival, [1 / 3, 2 / 3])
    value = {name: only(answer, effects) for name, effects in PATHS.items()}
    total = sum(value.values())
    asked = only(answer, path)
    return tuple(asked[m].mean() / total[m].mean() for m in (arrival < low, arrival > high))  # type: ignore[return-value]


def test_C6_knowhow_matters_most_in_short_timelines() -> None:
    short, long = by_third(("knowhow_effect",))
    assert short > long


@pytest.mark.xfail(
    reason="the people a project draws into the field, counted with the first path, pay longest "
    "where there is most time; at the shipped priors they outweigh the know-how itself",
)
def test_C6_with_the_people_drawn_in_counted_as_know_how() -> None:
    short, long = by_third(PATHS["know-how"])
    assert short > long


def test_C7_the_value_of_marginal_work_rises_then_falls_with_crowdedness() -> None:
    class World:
        area_researchers = np.array([10.0, 50.0, 100.0, 200.0, 1000.0])
        crowding_peak = 100.0

    from difprog.race.arrays import numpy_namespace

    crowd = crowdedness(World, numpy_namespace())
    assert crowd[2] == 1.0
    assert (np.diff(crowd[:3]) > 0).all()
    assert (np.diff(crowd[2:]) < 0).all()
    net = [
        mean(score("sandwiching", "narrow_superhuman", {"area_researchers": n, "crowding_peak": 100}))
        for n in (10, 50, 100, 200, 1000)
    ]
    assert net[0] < net[1] < net[2] > net[3] > net[4]


def test_C8_sandwiching_is_shipped_and_scored() -> None:
    asked = project("sandwiching")
    assert len(asked.criteria) == 4
    assert resolved(score(asked, "narrow_superhuman").draws.chances.net_effect, 0.0)


# ── what-is-alignment-research ─────────────────────────────────────────────────────────────


def speedup_ratio(asked: Any) -> float:
    """Years of alignment progress (parallel and serial) per year of capability progress."""
    answer = score(asked, "research_grid")
    drawn = quantities(answer.draws)
    values = answer.draws.values
    parallel = drawn["parallel_speedup"] / (values["labour_quality"] * values["researchers"])
    gained = np.asarray(parallel + drawn["serial_speedup"])
    return float(np.mean(gained) / np.mean(drawn["capability_speedup"]))


def test_G1_the_ratio_rises_along_both_axes() -> None:
    same = project("scalable-oversight")
    for axis, values in {
        "focus": ("average", "pessimistic", "worst"),
        "approach": ("engineering", "behaviourist", "cognitivist"),
    }.items():
        ratios = [speedup_ratio(project("scalable-oversight", **{axis: v})) for v in values]
        assert ratios == sorted(ratios), (axis, ratios)
        assert ratios[-1] > 2 * ratios[0]
    assert same.facts["kind"] == "alignment"


def test_G1_scaling_is_lowest_and_agent_foundations_highest() -> None:
    ratios = {name: speedup_ratio(name) for row in GRID for name in row}
    assert min(ratios, key=ratios.__getitem__) == "scaling"
    assert max(ratios, key=ratios.__getitem__) == "agent-foundations"


def test_G2_applications_research_is_neither() -> None:
    applied, aligned, capable = (
        quantities(score(n, "research_grid").draws) for n in ("applications", "rlhf", "capability-work-now")
    )
    for effect in ("parallel_speedup", "serial_speedup"):
        assert np.mean(applied[effect]) < 0.05 * np.mean(aligned[effect])
    assert np.mean(applied["capability_speedup"]) < 0.05 * np.mean(capable["capability_speedup"])


def test_G3_intervals_of_neighbouring_cells_overlap() -> None:
    from difprog.race.arrays import numpy_namespace
    from difprog.race.effects import coupling, relevance

    for trait in (relevance, coupling):
        spans = {}
        for r, row in enumerate(GRID):
            for c, _ in enumerate(row):
                focus = ("average", "pessimistic", "worst")[c]
                approach = ("engineering", "behaviourist", "cognitivist")[r]
                asked = project("scalable-oversight", focus=focus, approach=approach)
                answer = score(asked, "research_grid", draws=5000)
                world = answer.model.world(answer.draws.values)
                drawn = trait(answer.question.facts, world, numpy_namespace())
                spans[r, c] = np.quantile(drawn, [0.05, 0.95])
        for (r, c), (low, high) in spans.items():
            for other in ((r + 1, c), (r, c + 1)):
                if other in spans:
                    assert max(low, spans[other][0]) < min(high, spans[other][1])
    question: Question = score("rlhf", "research_grid", draws=200).question
    spread = {
        n: question.beliefs[n].shape.percentile(0.95) - question.beliefs[n].shape.percentile(0.05)
        for n in ("relevance_residual", "coupling_residual")
    }
    assert spread["relevance_residual"] > 2 * question.beliefs["relevance_focus"].shape.mean
    assert spread["coupling_residual"] > 2 * question.beliefs["coupling_focus"].shape.mean


def test_G4_the_harder_the_more_is_useless_or_harmful() -> None:
    shares = []
    for difficulty in (-1.5, 0, 1.5):
        bad = total = 0.0
        for name in ALIGNMENT:
            answer = score(name, "research_grid", {"difficulty": difficulty}, draws=5000)
            bad += np.mean(answer.draws.chances.net_effect <= 1e-9)
            total += 1
        shares.append(bad / total)
    assert shares[0] < shares[1] < shares[2]


def test_G5_the_nine_examples_are_shipped_where_the_essay_puts_them() -> None:
    for r, row in enumerate(GRID):
        for c, name in enumerate(row):
            facts = project(name).facts
            assert facts["focus"] == ("average", "pessimistic", "worst")[c], name
            assert facts["approach"] == ("engineering", "behaviourist", "cognitivist")[r], name


# ── and the disagreement ───────────────────────────────────────────────────────────────────


def test_the_models_disagree_in_sign_about_capability_work_now() -> None:
    forecast = score_all("capability-work-now")
    assert forecast.sign_disagreement
    assert len(forecast.models) == 6


def test_the_program_says_so(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["score", "capability-work-now", "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["ensemble"]["sign_disagreement"] is True
