"""Reviewers' intervals pooled: one, three, ten, contradictory; and in a score."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from difprog.base.errors import DiagnosticsFailed
from difprog.beliefs.project import Review
from difprog.cli import main
from difprog.evidence import reviews
from difprog.evidence.reviews import KEPT, Interval, pool
from difprog.forecast import forecast
from difprog.race.parameters import PARAMETERS
from tests.helpers import project

ONE = Interval(0.3, 1.0)
middles = st.floats(-20, 20)
widths = st.floats(0.01, 10)
several = st.lists(st.builds(Interval, middles, widths), min_size=1, max_size=6)


@given(several, st.randoms())
@settings(max_examples=10, deadline=None)
def test_permuting_reviewers_changes_nothing(intervals: list[Interval], random: object) -> None:
    shuffled = list(intervals)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert np.array_equal(pool(intervals)[0], pool(shuffled)[0])


@given(several, st.floats(-5, 5), st.floats(0.1, 10))
@settings(max_examples=10, deadline=None)
def test_the_pool_moves_and_stretches_with_the_intervals(
    intervals: list[Interval], shift: float, factor: float
) -> None:
    moved = [Interval(shift + factor * i.middle, factor * i.width) for i in intervals]
    base, other = (np.quantile(pool(i)[0], [0.05, 0.5, 0.95]) for i in (intervals, moved))
    spread = (base[2] - base[0]) * factor
    assert other == pytest.approx(shift + factor * base, abs=0.03 * spread)


@given(several)
@settings(max_examples=15, deadline=None)
def test_the_pool_has_draws_enough(intervals: list[Interval]) -> None:
    draws, effective = pool(intervals)
    assert draws.shape == (KEPT,)
    assert np.isfinite(draws).all()
    assert effective >= reviews.LEAST


@pytest.mark.parametrize("agreeing", [2, 6, 10])
def test_exact_agreement_beside_one_who_is_vague(agreeing: int) -> None:
    draws, effective = pool([Interval(1.0, 0.01)] * agreeing + [Interval(0.0, 10.0)])
    assert effective >= 4000
    assert np.median(draws) == pytest.approx(1.0, abs=0.01)
    assert draws.std() > 0.005, "the error they share is left"


def test_a_pool_that_is_not_to_be_trusted_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reviews, "LEAST", 1e9)
    belief = project("rlhf", {"capability_speedup": "0.001 to 0.01 years"}).layer.beliefs
    one = Review("A", {"capability_speedup": belief["capability_speedup"][""]})
    asked = replace(project("rlhf"), reviews=(one,))
    with pytest.raises(DiagnosticsFailed, match="capability_speedup"):
        reviews.pools(asked, ("capability_speedup",))


def test_one_reviewer_is_widened_about_their_own_median() -> None:
    draws, _ = pool([ONE])
    assert np.median(draws) == pytest.approx(ONE.middle, abs=0.08)
    assert 1.2 * ONE.width < draws.std() < 3 * ONE.width


def test_agreement_narrows_by_less_than_the_root_of_their_number() -> None:
    alone = pool([ONE])[0].std()
    for spread in (0.0, 0.5, 1.5):
        ten = [Interval(ONE.middle + spread * z, 1.0) for z in np.linspace(-1.5, 1.5, 10)]
        assert alone / np.sqrt(10) < pool(ten)[0].std() < alone


def test_contradiction_widens_and_the_pool_holds_all_of_them() -> None:
    far = [Interval(-5.0, 0.3), Interval(0.0, 0.3), Interval(6.0, 0.3)]
    draws, _ = pool(far)
    agreeing, _ = pool([Interval(0.0, 0.3)] * 3)
    assert draws.std() > 4 * agreeing.std()
    low, high = np.quantile(draws, [0.05, 0.95])
    assert low < -2
    assert high > 2


def test_an_outlier_among_ten_moves_the_pool_little() -> None:
    rest = [Interval(0.1 * k, 1.0) for k in range(-4, 5)]
    without, _ = pool(rest)
    with_it, _ = pool([*rest, Interval(15.0, 1.0)])
    assert abs(np.median(with_it) - np.median(without)) < 15 / 10


def test_a_wide_interval_counts_for_less() -> None:
    draws, _ = pool([Interval(0.0, 0.2), Interval(4.0, 5.0)])
    assert abs(np.median(draws)) < 0.5


@pytest.mark.slow
@pytest.mark.parametrize(
    "intervals",
    [
        [Interval(-0.5, 1.0), Interval(0.3, 0.7), Interval(0.9, 1.5)],
        [Interval(-5.0, 0.3), Interval(0.0, 0.3), Interval(6.0, 0.4)],
    ],
)
def test_the_pool_agrees_with_nuts(intervals: list[Interval]) -> None:
    from difprog.evidence.compiled import Compiled

    compiled = Compiled(reviews.build(intervals, *reviews.vague(intervals)), 0.95)
    theta = np.concatenate([compiled.run(1500, 1000, 4, seed)[0]["theta"] for seed in range(4)])
    draws, _ = pool(intervals)
    # Six thousand draws worth at least a quarter of that.
    error = draws.std() / np.sqrt(1500)
    assert theta.mean() == pytest.approx(draws.mean(), abs=4 * error)
    for p in (0.1, 0.25, 0.5, 0.75, 0.9):
        assert np.mean(theta < np.quantile(draws, p)) == pytest.approx(p, abs=0.06)


PROPOSAL = """
[project]
name = "Reviewed"
kind = "alignment"
focus = "pessimistic"
approach = "behaviourist"
novelty = "mainstream"
publication = "open"
effort = 10
duration = 2
cost = 1_000_000
"""

THREE = """
[[reviews]]
reviewer = "A"
serial_speedup = { p10 = 0.001, p90 = 0.1 }
capability_speedup = { p5 = 0.0001, p95 = 0.01 }
[[reviews]]
reviewer = "B"
serial_speedup = { p10 = 0.01, p90 = 0.3 }
[[reviews]]
reviewer = "C"
serial_speedup = { p10 = 0.0005, p90 = 0.02 }
"""

SIGNED = """
[[reviews]]
reviewer = "D"
serial_speedup = { p10 = -0.05, p90 = 0.1 }
"""


def ask(tmp_path: Path, text: str, use_evidence: bool = False) -> forecast.ModelForecast:
    path = tmp_path / "reviewed.toml"
    path.write_text(PROPOSAL + text)
    setup = forecast.prepare(("serial_parallel",), use_evidence=use_evidence)
    return forecast.score(forecast.find_project(str(path), setup), setup, 4000).models[0]


@pytest.mark.parametrize("use_evidence", [False, True])
def test_a_pool_replaces_what_would_be_derived(tmp_path: Path, use_evidence: bool) -> None:
    answer = ask(tmp_path, THREE, use_evidence)
    question = answer.question
    assert question.conditioned("serial_speedup")
    assert question.conditioned("capability_speedup")
    assert question.conditioned("agi_arrival") is use_evidence
    assert "parallel_speedup" not in question.beliefs
    assert question.posterior is not None
    pooled = np.quantile(question.posterior.draws["serial_speedup"], [0.05, 0.95])
    got = answer.summaries["serial_speedup"]
    assert [got.lower, got.upper] == pytest.approx(pooled, rel=0.15)
    assert pooled[0] > 0


def test_the_worlds_are_the_same_with_and_without_reviews(tmp_path: Path) -> None:
    with_them, without = ask(tmp_path, THREE, True), ask(tmp_path, "", True)
    for name in ("agi_arrival", "researchers", "parallel_requirement"):
        assert np.array_equal(with_them.draws.values[name], without.draws.values[name])


def test_intervals_that_hold_zero_are_pooled_as_they_are(tmp_path: Path) -> None:
    posterior = ask(tmp_path, THREE + SIGNED).question.posterior
    assert posterior is not None
    assert posterior.draws["serial_speedup"].min() < 0
    assert posterior.diagnostics["reviews of serial_speedup"]["scale"] == "plain"


def test_every_reviewer_stands_beside_the_pool(tmp_path: Path) -> None:
    posterior = ask(tmp_path, THREE).question.posterior
    assert posterior is not None
    notes = posterior.diagnostics["reviews of serial_speedup"]
    assert [row["reviewer"] for row in notes["reviews"]] == ["A", "B", "C"]
    assert notes["reviews"][0]["p10"] == pytest.approx(0.001)
    assert notes["pool"]["p5"] < notes["pool"]["p50"] < notes["pool"]["p95"]


def test_a_chance_is_pooled_within_its_support(tmp_path: Path) -> None:
    path = tmp_path / "q.toml"
    path.write_text(
        PROPOSAL + '[[reviews]]\nreviewer = "A"\nsolution_probability = { p10 = 0.001, p90 = 0.2 }\n'
    )
    setup = forecast.prepare(("narrow_superhuman",), use_evidence=False)
    pools = reviews.pools(forecast.find_project(str(path), setup), ("solution_probability",))
    draws = pools["solution_probability"].draws
    assert all(float(v) in PARAMETERS["solution_probability"].support for v in draws)


def test_order_in_the_file_changes_no_number(tmp_path: Path) -> None:
    entries = THREE.strip().split("[[reviews]]")[1:]
    turned = "".join("[[reviews]]" + entry.rstrip() + "\n" for entry in reversed(entries))
    assert ask(tmp_path, THREE).summaries == ask(tmp_path, "\n" + turned).summaries


def test_a_reviewed_proposal_scores_from_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "reviewed.toml"
    path.write_text(PROPOSAL + THREE)
    args = ["score", str(path), "--model", "serial_parallel", "--draws", "2000", "--json"]
    done = CliRunner().invoke(main, args)
    assert done.exit_code == 0, done.output
    [model] = json.loads(done.stdout)["models"]
    assert model["serial_speedup"]["median"] > 0
