"""Reviewers' intervals pooled: the laws, coverage; and in a score."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from difprog.base.errors import BadInput
from difprog.beliefs.distributions import Point
from difprog.cli import main
from difprog.evidence import reviews
from difprog.evidence.reviews import KEPT, Interval, pool
from difprog.forecast import forecast
from difprog.forecast.setup import find_project, prepare
from difprog.models.model import load, vocabulary

LEVELS = (0.005, 0.05, 0.25, 0.75, 0.95, 0.995)
#: The laws hold exactly; this is for the rounding of sums.
ROUNDING = 1e-9

middles = st.floats(-20, 20)
widths = st.floats(0.01, 10)
several = st.lists(st.builds(Interval, middles, widths), min_size=1, max_size=6)


def reach(intervals: list[Interval]) -> npt.NDArray[np.float64]:
    """Return how far the pool's quantiles lie from its centre."""
    centre, _ = reviews.spread(sorted(intervals), np.ones(1))
    return np.asarray(np.abs(np.quantile(pool(intervals), LEVELS) - centre))


def centre(intervals: list[Interval]) -> float:
    return reviews.spread(sorted(intervals), np.ones(1))[0]


@given(several, st.randoms())
@settings(max_examples=50, deadline=None)
def test_permuting_reviewers_changes_nothing(intervals: list[Interval], random: object) -> None:
    shuffled = list(intervals)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert np.array_equal(pool(intervals), pool(shuffled))


@given(several, widths)
@settings(max_examples=200, deadline=None)
def test_a_reviewer_who_agrees_never_widens_the_pool(intervals: list[Interval], width: float) -> None:
    more = [*intervals, Interval(centre(intervals), width)]
    assert (reach(more) <= reach(intervals) * (1 + ROUNDING) + ROUNDING).all()


@given(several, st.floats(1, 100))
@settings(max_examples=200, deadline=None)
def test_a_vaguer_reviewer_never_widens_it_beyond_what_it_was(
    intervals: list[Interval], vaguer: float
) -> None:
    vague = Interval(centre(intervals), vaguer * max(i.width for i in intervals))
    assert (reach([*intervals, vague]) <= reach(intervals) * (1 + ROUNDING) + ROUNDING).all()


@given(several, middles, widths, st.floats(1, 20))
@settings(max_examples=200, deadline=None)
def test_wilder_dissent_never_narrows_it(
    intervals: list[Interval], middle: float, width: float, wilder: float
) -> None:
    others = centre(intervals)
    near, far = (
        [*intervals, Interval(others + factor * (middle - others), width)] for factor in (1.0, wilder)
    )
    assert (reach(far) >= reach(near) * (1 - ROUNDING) - ROUNDING).all()


@given(several, st.floats(-5, 5), st.floats(0.1, 10))
@settings(max_examples=50, deadline=None)
def test_the_pool_moves_and_stretches_with_the_intervals(
    intervals: list[Interval], shift: float, factor: float
) -> None:
    moved = [Interval(shift + factor * i.middle, factor * i.width) for i in intervals]
    assert pool(moved) == pytest.approx(shift + factor * pool(intervals), rel=1e-6, abs=1e-5)


@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_reviewers_who_are_as_overconfident_and_as_alike_as_assumed_are_covered(count: int) -> None:
    """Simulated from the assumptions; dissent by chance may widen a pool, so it holds a little more."""
    rng = np.random.default_rng(count)
    repeats, hits = 600, {0.5: 0, 0.9: 0}
    for _ in range(repeats):
        k = reviews.OVERCONFIDENCE * np.exp(reviews.OVERCONFIDENCE_SPREAD * rng.standard_normal())
        shared, own = np.sqrt([reviews.COMMON, 1 - reviews.COMMON])
        errors = k * (shared * rng.standard_normal() + own * rng.standard_normal(count))
        draws = pool([Interval(e, 1.0) for e in errors])
        for mass in hits:
            low, high = np.quantile(draws, [(1 - mass) / 2, (1 + mass) / 2])
            hits[mass] += low < 0 < high
    for mass, number in hits.items():
        error = np.sqrt(mass * (1 - mass) / repeats)
        assert mass - 3 * error < number / repeats < mass + 3 * error + 0.06


def test_one_reviewer_is_widened_about_their_own_median() -> None:
    draws = pool([Interval(0.3, 1.0)])
    assert draws.shape == (KEPT,)
    assert np.median(draws) == pytest.approx(0.3, abs=1e-3)
    # The mean of k² is 1.6²·exp(2·0.4²).
    assert draws.std() == pytest.approx(1.6 * np.exp(0.4**2), rel=0.02)


def test_agreement_narrows_to_the_error_that_all_share() -> None:
    alone, many = (pool([Interval(0.0, 1.0)] * n).std() for n in (1, 1000))
    assert many / alone == pytest.approx(np.sqrt(reviews.COMMON), rel=0.01)


def test_contradiction_widens_and_the_pool_holds_all_of_them() -> None:
    far = [Interval(-5.0, 0.3), Interval(0.0, 0.3), Interval(6.0, 0.3)]
    draws = pool(far)
    assert draws.std() > 4 * pool([Interval(0.0, 0.3)] * 3).std()
    low, high = np.quantile(draws, [0.05, 0.95])
    assert low < -5
    assert high > 6


def test_a_wide_interval_counts_for_less() -> None:
    assert abs(np.median(pool([Interval(0.0, 0.2), Interval(4.0, 5.0)]))) < 0.01


def test_the_pools_of_two_effects_are_independent() -> None:
    one, other = (pool([Interval(0.0, 1.0)], seed) for seed in (1, 2))
    assert abs(np.corrcoef(one, other)[0, 1]) < 4 / np.sqrt(KEPT)


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
    setup = prepare(("serial_parallel",), use_evidence=use_evidence)
    return forecast.score(find_project(str(path), setup), setup, 4000).models[0]


@pytest.mark.parametrize("use_evidence", [False, True])
def test_a_pool_replaces_what_would_be_derived(tmp_path: Path, use_evidence: bool) -> None:
    answer = ask(tmp_path, THREE, use_evidence)
    view = answer.view
    assert view.conditioned("serial_speedup")
    assert view.conditioned("capability_speedup")
    assert view.conditioned("agi_arrival") is use_evidence
    assert "parallel_speedup" not in view.beliefs
    assert view.posterior is not None
    pooled = np.quantile(view.posterior.draws["serial_speedup"], [0.05, 0.95])
    got = answer.summaries["serial_speedup"]
    assert [got.lower, got.upper] == pytest.approx(pooled, rel=0.15)
    assert pooled[0] > 0


def test_the_worlds_are_the_same_with_and_without_reviews(tmp_path: Path) -> None:
    with_them, without = ask(tmp_path, THREE), ask(tmp_path, "")
    for name in ("agi_arrival", "researchers", "parallel_requirement"):
        assert np.array_equal(with_them.draws.values[name], without.draws.values[name])


def test_intervals_that_hold_zero_are_pooled_as_they_are(tmp_path: Path) -> None:
    posterior = ask(tmp_path, THREE + SIGNED).view.posterior
    assert posterior is not None
    assert posterior.draws["serial_speedup"].min() < 0
    assert posterior.diagnostics["reviews of serial_speedup"]["scale"] == "plain"


def test_every_reviewer_stands_beside_the_pool(tmp_path: Path) -> None:
    posterior = ask(tmp_path, THREE).view.posterior
    assert posterior is not None
    notes = posterior.diagnostics["reviews of serial_speedup"]
    assert [row["reviewer"] for row in notes["reviews"]] == ["A", "B", "C"]
    assert notes["reviews"][0]["p10"] == pytest.approx(0.001)
    assert notes["pool"]["p5"] < notes["pool"]["p50"] < notes["pool"]["p95"]
    # The linear pool gives each of the three a third.
    linear = notes["linear_pool"]
    assert min(row["p5"] for row in notes["reviews"]) < linear["p5"] < linear["p50"] < linear["p95"]


@pytest.mark.parametrize(
    "stated",
    [
        "capability_speedup = '-1e160 to 1e161 years'",
        "capability_speedup = { p10 = 1e-200, p90 = 1e200 }",
        "parallel_speedup = { p10 = -1e160, p90 = 1e161 }",
    ],
)
def test_an_interval_too_large_is_a_problem_with_its_file_and_key(tmp_path: Path, stated: str) -> None:
    path = tmp_path / "large.toml"
    path.write_text(f'{PROPOSAL}\n[[reviews]]\nreviewer = "A"\n{stated}\n')
    done = CliRunner().invoke(main, ["score", str(path), "--model", "serial_parallel", "--no-evidence"])
    assert done.exit_code == 2, done.output
    assert "large.toml: reviews[0]." in done.stderr


def test_percentiles_whose_spread_is_beyond_all_are_a_problem_with_their_file(tmp_path: Path) -> None:
    """Each is within the numbers that a file may hold; a standard deviation of these is not."""
    path = tmp_path / "steep.toml"
    path.write_text(f'{PROPOSAL}\n[[reviews]]\nreviewer = "A"\nparallel_speedup.p10 = -9e99\n'
                    "parallel_speedup.p11 = 9e99\n")  # fmt: skip
    setup = prepare(("serial_parallel",), use_evidence=False)
    with pytest.raises(BadInput, match=r"steep.toml: reviews\[0\].parallel_speedup: is too wide"):
        reviews.pools(find_project(str(path), setup), load("serial_parallel"))


def test_a_pool_without_a_spread_has_the_shape_of_a_point() -> None:
    certain = reviews.Pool("log", np.full(100, 2.0), vocabulary()["serial_speedup"].support)
    assert reviews.shape_of(certain) == Point(2.0)


def test_reviewers_too_far_apart_to_pool_are_a_problem_with_their_file(tmp_path: Path) -> None:
    far = "".join(
        f'[[reviews]]\nreviewer = "{who}"\nserial_speedup = {{ p10 = {low}, p90 = {high} }}\n'
        for who, low, high in (("A", 1e-90, 1e-89), ("B", 1e89, 1e90))
    )
    path = tmp_path / "apart.toml"
    path.write_text(PROPOSAL + far)
    setup = prepare(("serial_parallel",), use_evidence=False)
    with pytest.raises(BadInput, match=r"apart.toml: reviews: of serial_speedup"):
        reviews.pools(find_project(str(path), setup), load("serial_parallel"))


def test_a_chance_is_pooled_within_its_support(tmp_path: Path) -> None:
    path = tmp_path / "q.toml"
    path.write_text(
        PROPOSAL + '[[reviews]]\nreviewer = "A"\nsolution_probability = { p10 = 0.001, p90 = 0.2 }\n'
    )
    setup = prepare(("narrow_superhuman",), use_evidence=False)
    pools = reviews.pools(find_project(str(path), setup), load("narrow_superhuman"))
    draws = pools["solution_probability"].draws
    assert all(float(v) in vocabulary()["solution_probability"].support for v in draws)


def test_order_in_the_file_changes_no_number(tmp_path: Path) -> None:
    entries = THREE.strip().split("[[reviews]]")[1:]
    turned = "".join("[[reviews]]" + entry.rstrip() + "\n" for entry in reversed(entries))
    assert ask(tmp_path, THREE).summaries == ask(tmp_path, "\n" + turned).summaries


def test_a_reviewed_proposal_scores_from_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "reviewed.toml"
    path.write_text(PROPOSAL + THREE)
    args = ["score", str(path), "--model", "serial_parallel", "--draws", "2000", "--no-evidence", "--json"]
    done = CliRunner().invoke(main, args)
    assert done.exit_code == 0, done.output
    [model] = json.loads(done.stdout)["models"]
    assert model["serial_speedup"]["median"] > 0
    # Every reviewer, the pool that is used, and the linear one beside it.
    shown = model["diagnostics"]["reviews"]
    assert set(shown) == {"serial_speedup", "capability_speedup"}
    assert [row["reviewer"] for row in shown["serial_speedup"]["reviews"]] == ["A", "B", "C"]
    for kind in ("pool", "linear_pool"):
        assert shown["serial_speedup"][kind]["p5"] < shown["serial_speedup"][kind]["p95"]
