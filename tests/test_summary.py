"""Summaries against their definitions."""

from __future__ import annotations

import math
from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from difprog.forecast.summary import Summary, quantiles_given, sign, summarise, summarise_mixture
from difprog.forecast.weighing import Weighing, clustered_error, linear, mixture_shares

#: Errors of median, ends and shares of what does not vary.
NO_ERRORS = (0.0,) * 5


def flat(mean: float, mcse: float) -> Summary:
    return Summary(mean, 1.0, mcse, mean, mean, mean, 0.5, 0.5)


def test_a_summary_is_what_its_fields_say() -> None:
    values = np.array([-2.0, 0.0, 0.0, 1.0, 6.0])
    found = summarise(values, Weighing(5), 0.5)
    assert found.mean == 1.0
    assert found.sd == pytest.approx(np.std(values, ddof=1))
    assert found.mcse == pytest.approx(np.std(values, ddof=1) / math.sqrt(5))
    assert (found.lower, found.median, found.upper) == (0.0, 0.0, 1.0)
    assert (found.p_positive, found.p_negative) == (0.4, 0.2)
    assert found.p_zero == pytest.approx(0.4)


@pytest.mark.parametrize(("value", "signs"), [(0.1, (1, 0)), (-0.1, (0, 1)), (0.0, (0, 0))])
def test_what_does_not_vary_is_summarised_exactly(value: float, signs: tuple[int, int]) -> None:
    for values in (value, np.full(7, value)):
        want = (value, 0.0, 0.0, value, value, value, *signs, *NO_ERRORS)
        assert astuple(summarise(values, Weighing(7), 0.9)) == want


@given(st.integers(2, 300), st.integers(2, 400), st.integers(0, 2**32 - 1))
def test_clusters_that_are_not_reused_change_nothing(clusters: int, count: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=count)
    plain = clustered_error(values, None)
    assert plain == pytest.approx(np.std(values, ddof=1) / math.sqrt(count))
    if clusters >= count:
        assert clustered_error(values, clusters) == plain


def test_reused_posterior_draws_cost_what_they_should() -> None:
    # Each of 100 draws used 50 times over with no fresh noise: the error is that of 100 draws.
    kept = np.random.default_rng(1).normal(size=100)
    values = np.tile(kept, 50)
    assert clustered_error(values, 100) == pytest.approx(np.std(kept, ddof=1) / 10, rel=1e-12)
    assert clustered_error(values, None) < clustered_error(values, 100) / 5
    # And uneven use: 30 of the 100 once more.
    uneven = np.concatenate([values, kept[:30]])
    assert clustered_error(uneven, 100) == pytest.approx(clustered_error(values, 100), rel=0.05)


def test_one_draw_has_no_error_to_speak_of() -> None:
    assert clustered_error(np.array([3.0]), None) == 0.0


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.5, 0.8, 0.95]))
def test_a_mixture_of_one_is_that_one(seed: int, prob: float) -> None:
    values = np.random.default_rng(seed).normal(size=501)
    way = Weighing(501)
    alone, mixed = summarise(values, way, prob), summarise_mixture([values], [way], [3.0], prob)
    for name in ("mean", "mcse", "p_positive", "p_negative"):
        assert getattr(mixed, name) == pytest.approx(getattr(alone, name), rel=1e-12)
    assert mixed.sd == pytest.approx(alone.sd, rel=1e-12)
    assert mixed.lower == pytest.approx(alone.lower, abs=0.1)


def test_a_mixture_weighs_by_credence() -> None:
    columns = [np.array([1.0, 3.0]), np.array([-4.0, -4.0])]
    found = summarise_mixture(columns, [Weighing(2)] * 2, [3.0, 1.0], 0.5)
    assert found.mean == pytest.approx(0.75 * 2 - 0.25 * 4)
    variance = 0.75 * (2 + (2 - 0.5) ** 2) + 0.25 * (0 + (-4 - 0.5) ** 2)
    assert found.sd == pytest.approx(math.sqrt(variance))
    assert (found.p_positive, found.p_negative) == (0.75, 0.25)
    # Draw by draw: 0.75·1 − 1 and 0.75·3 − 1.
    assert found.mcse == pytest.approx(np.std([-0.25, 1.25], ddof=1) / math.sqrt(2))


@pytest.mark.parametrize("readings", range(1, 12))
def test_where_every_world_is_helped_the_share_is_exactly_one(readings: int) -> None:
    columns = list(np.random.default_rng(readings).uniform(1, 2, (readings, 7)))
    drawn = list(np.random.default_rng(readings).uniform(0, 1, readings))
    for credences in (drawn, [1 / readings] * readings):
        assert summarise_mixture(columns, [Weighing(7)] * readings, credences, 0.9).p_positive == 1.0


def test_a_mixture_of_equal_points_is_a_point() -> None:
    found = summarise_mixture([0.25, np.full(3, 0.25)], [Weighing(3)] * 2, [1.0, 2.0], 0.9)
    assert astuple(found) == (0.25, 0.0, 0.0, 0.25, 0.25, 0.25, 1.0, 0.0, *NO_ERRORS)
    rounded = summarise_mixture([0.1, np.full(7, 0.1), 0.1], [Weighing(7)] * 3, [0.1, 0.2, 0.7], 0.9)
    assert astuple(rounded) == (0.1, 0.0, 0.0, 0.1, 0.1, 0.1, 1.0, 0.0, *NO_ERRORS)
    other = summarise_mixture([0.25, np.full(3, 0.5)], [Weighing(3)] * 2, [1.0, 2.0], 0.9)
    assert (other.lower, other.upper) == (0.25, 0.5)


def test_what_only_starts_alike_is_no_point() -> None:
    for low in (np.array([0.5, 0.1]), np.array([0.5, 0.9])):
        assert summarise_mixture([low, np.full(2, 0.5)], [Weighing(2)] * 2, [1.0, 1.0], 0.9).sd > 0


def test_weighted_quantiles_are_the_least_values_that_reach_the_level() -> None:
    tilt = np.array([0.4, 0.4, 0.1, 0.1])
    points, levels = np.array([0.0, 1.0, 10.0, 20.0]), (0.4, 0.41, 0.8, 0.81, 0.9, 0.95)
    way = Weighing(4, weights=tilt)
    found = quantiles_given(points, 1.0, way, levels)
    assert found.values == (0, 1, 1, 10, 10, 20)
    assert way.quantiles(points, levels).tolist() == [0, 1, 1, 10, 10, 20]


@settings(max_examples=25)
@given(st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_quantiles_of_draws_that_count_alike_are_numpy_s(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    points, levels = np.sort(rng.normal(size=count)), [0.0, *rng.random(5).tolist(), 1.0]
    assert linear(points, levels).tolist() == np.quantile(points, levels).tolist()


@settings(max_examples=25)
@given(st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_a_cdf_is_the_share_at_or_below(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, at = rng.integers(0, 9, count), np.arange(-1.0, 10.0)
    weights, below = rng.dirichlet(np.ones(count)), values[:, None] <= at
    assert Weighing(count).cdf(values, at) == pytest.approx(below.mean(axis=0))
    assert Weighing(count, weights=weights).cdf(values, at) == pytest.approx(weights @ below)


def test_what_does_not_vary_has_no_error() -> None:
    assert Weighing(5).error(3.0) == Weighing(5, 2, np.full(5, 0.2)).error(3.0) == 0.0


@pytest.mark.parametrize("count", [0, 2])
def test_weighted_means_and_errors_are_those_of_plain_draws(count: int) -> None:
    """And what set means are given leaves no error: what remains is what a regression on it leaves."""
    rng = np.random.default_rng(5)
    values, weights, moments = rng.normal(size=60), rng.dirichlet(np.ones(60)), rng.normal(size=(60, count))
    way = Weighing(60, weights=weights, moments=moments)
    design = np.column_stack([np.ones(60), moments])
    root = np.sqrt(weights)
    left = values - design @ np.linalg.lstsq(root[:, None] * design, root * values)[0]
    assert way.residuals(values) == pytest.approx(left)
    assert way.mean(values) == pytest.approx(weights @ values)
    assert way.error(values) == pytest.approx(math.sqrt(np.sum((weights * left) ** 2) * 60 / 59))
    plain = way.plain(values)
    assert plain.mean() == pytest.approx(way.mean(values))
    assert plain.std(ddof=1) / math.sqrt(60) == pytest.approx(way.error(values))
    assert way.plain(3.0) == pytest.approx(np.full(60, 3.0))
    assert Weighing(60).mean(values) == values.mean()
    assert Weighing(60).mean(3.0) == way.mean(3.0) == 3.0
    assert Weighing(60).plain(3.0).tolist() == [3.0] * 60


def test_means_of_a_mixture_s_draws_are_the_mixture_s_of_the_readings_means() -> None:
    rng = np.random.default_rng(1)
    each, credences, values = rng.dirichlet(np.ones(6), 3), np.array([0.5, 0.2, 0.3]), rng.normal(size=(3, 6))
    each[:, 2] = 0.0  # a draw that no reading counts is worth nothing, and no error
    each /= each.sum(axis=1, keepdims=True)
    shares, total = mixture_shares(list(each), credences)
    assert total.sum() == pytest.approx(1.0)
    assert shares.sum(axis=0) == pytest.approx([1, 1, 0, 1, 1, 1])
    assert total @ (shares * values).sum(axis=0) == pytest.approx(credences @ (each * values).sum(axis=1))


def reaching(points: np.ndarray, mass: np.ndarray, levels: list[float]) -> np.ndarray:
    """Return the least points at which their cdf meets the levels."""
    order = np.argsort(points)
    cdf = np.cumsum(mass[order]) / mass.sum()
    return np.asarray(points[order][[int(np.argmax(cdf >= level - 1e-12)) for level in levels]])


def test_errors_of_shares_and_quantiles_are_what_they_are_said_to_be() -> None:
    """A share is a mean of ones and zeros; a quantile moves as far as the share below it lets it."""
    values = np.random.default_rng(1).normal(0.3, 1.0, 200)
    found = summarise(values, Weighing(200), 0.8)
    for part, error in ((values > 0, found.p_positive_se), (values < 0, found.p_negative_se)):
        assert error == pytest.approx(np.std(part, ddof=1) / math.sqrt(200))
    for level, at, error in (
        (0.1, found.lower, found.lower_se), (0.5, found.median, found.median_se),
        (0.9, found.upper, found.upper_se),
    ):  # fmt: skip
        assert at == pytest.approx(np.quantile(values, level))
        share = np.std(values <= at, ddof=1) / math.sqrt(200)
        assert error == pytest.approx(np.ptp(np.quantile(values, [level - share, level + share])) / 2)


def test_equal_weights_are_as_none() -> None:
    values = np.random.default_rng(2).normal(0.3, 1.0, 300)
    one, two = (summarise(values, Weighing(300, weights=w), 0.8) for w in (None, np.full(300, 1 / 300)))
    for name in ("mean", "sd", "mcse", "p_positive", "p_negative", "p_positive_se", "p_negative_se"):
        assert getattr(two, name) == pytest.approx(getattr(one, name)), name
    for name in ("median", "lower", "upper"):  # those of the one lie between draws
        assert abs(np.mean(values <= getattr(two, name)) - np.mean(values <= getattr(one, name))) <= 1 / 300


def test_quantiles_given_an_event_and_their_errors_by_their_definition() -> None:
    rng = np.random.default_rng(3)
    values, chance, levels = rng.lognormal(size=400), rng.random(400), [0.1, 0.5, 0.9]
    found = quantiles_given(values, chance, Weighing(400), levels)
    assert found.values == tuple(reaching(values, chance, levels))
    for level, at, error in zip(levels, *found, strict=True):
        # The share of the event's chance that lies below: a ratio of two means.
        terms = chance * ((values <= at) - chance[values <= at].sum() / chance.sum()) / chance.mean()
        share = terms.std(ddof=1) / math.sqrt(400)
        assert error == pytest.approx(np.ptp(reaching(values, chance, [level - share, level + share])) / 2)


def test_given_what_never_happens_there_are_no_quantiles() -> None:
    for values, chance in ((np.arange(4.0), np.zeros(4)), (np.arange(4.0), 0.0), (2.0, 0.0)):
        found = quantiles_given(values, chance, Weighing(4), (0.1, 0.9))
        assert all(map(math.isnan, found.values))
        assert len(found.values) == len(found.errors) == 2
    assert quantiles_given(2.0, 0.5, Weighing(4), (0.1, 0.9)) == ((2.0, 2.0), (0.0, 0.0))


@pytest.mark.parametrize("tilted", [False, True])
def test_a_mixture_is_that_of_all_draws_by_credence_and_weight(tilted: bool) -> None:
    rng = np.random.default_rng(4)
    table, share = np.stack([rng.normal(0.0, 1.0, 90), rng.normal(2.0, 3.0, 90)]), np.array([0.8, 0.2])
    own = rng.dirichlet(np.ones(90), 2) if tilted else np.full((2, 90), 1 / 90)
    ways = [Weighing(90, weights=weights if tilted else None) for weights in own]
    found = summarise_mixture(list(table), ways, list(10 * share), 0.8)
    mass = (share[:, None] * own).ravel()
    assert found.mean == pytest.approx(mass @ table.ravel())
    at = reaching(table.ravel(), mass, [0.1, 0.5, 0.9])
    assert (found.lower, found.median, found.upper) == tuple(at)
    assert found.p_positive == pytest.approx(mass @ (table > 0).ravel())
    assert found.p_negative == pytest.approx(mass @ (table < 0).ravel())
    alone = [summarise(row, way, 0.8) for row, way in zip(table, ways, strict=True)]
    within = share @ np.square([one.sd for one in alone])
    apart = share @ np.square([one.mean - found.mean for one in alone])
    assert found.sd == pytest.approx(math.sqrt(within + apart))
    if tilted:
        certain = summarise_mixture(list(table), ways, [1.0, 1e-15], 0.8)
        assert astuple(certain) == pytest.approx(astuple(alone[0]), rel=1e-6)


def test_a_level_that_is_met_but_for_rounding_is_met() -> None:
    assert 0.07 * 100 > 7  # to a machine; the seventh of a hundred values meets 7% all the same
    assert quantiles_given(np.arange(1.0, 101.0), 1.0, Weighing(100), (0.07,)).values == (7.0,)


@pytest.mark.parametrize("points", [(0.1, 0.3), (0.3, 0.1)])
def test_two_different_points_are_no_point(points: tuple[float, float]) -> None:
    found = summarise_mixture(points, [Weighing(4)] * 2, [1.0, 1.0], 0.9)
    assert found.mean == pytest.approx(0.2)
    assert found.sd == pytest.approx(0.1)
    assert (found.lower, found.upper) == (0.1, 0.3)


def test_a_mixture_of_single_draws_has_the_spread_between_them() -> None:
    found = summarise_mixture([np.array([1.0]), np.array([3.0])], [Weighing(1)] * 2, [1.0, 3.0], 0.9)
    assert (found.mean, found.mcse) == (2.5, 0.0)
    assert found.sd == pytest.approx(math.sqrt(0.25 * 1.5**2 + 0.75 * 0.5**2))


def test_two_clusters_are_the_fewest_that_have_an_error_of_their_own() -> None:
    values = np.array([1.0, 5.0, 2.0, 7.0])
    # Totals 3 and 12 about 2 · 3.75 each: residuals ∓4.5, √(2 · 4.5² · 2/1)/4.
    assert clustered_error(values, 2) == pytest.approx(math.sqrt(2 * 4.5**2 * 2) / 4)
    assert clustered_error(values, 1) == clustered_error(values, None)


def test_shares_that_sum_to_more_than_one_by_rounding_leave_none_at_zero() -> None:
    assert 1.0 - 0.9 - 0.1 < 0
    assert Summary(1.0, 1.0, 0.1, 1.0, -1.0, 2.0, 0.9, 0.1).p_zero == 0.0


def test_what_is_not_finite_raises_no_warning() -> None:
    """Whoever asked refuses it, in words of theirs; a warning would be an error here."""
    values = np.array([-np.inf, 1.0, np.inf])
    assert math.isnan(summarise(values, Weighing(3), 0.9).mean)
    assert math.isnan(summarise(math.nan, Weighing(3), 0.9).mean)
    assert math.isnan(summarise_mixture([values, 0.5], [Weighing(3)] * 2, [1.0, 1.0], 0.9).mean)
    assert sign(flat(math.nan, 1.0)) == 0


@pytest.mark.parametrize(
    ("mean", "error", "want"),
    [(3, 1, 1), (-3, 1, -1), (2, 1, 0), (-2, 1, 0), (0, 0, 0), (1e-9, 0, 1), (-1e-9, 0, -1)],
)
def test_a_sign_needs_two_errors(mean: float, error: float, want: int) -> None:
    assert sign(flat(mean, error)) == want
