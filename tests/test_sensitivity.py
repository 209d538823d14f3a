"""Drivers: distances and EVPPI against closed forms, on correlated beliefs too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from difprog.forecast.tilting import Tilt, tilt
from difprog.why.cells import Sorted
from difprog.why.drivers import drivers
from difprog.why.information import partial_information, perfect_information

COUNT = 20_000
SEEDS = range(12)


def expected_gain(mean: float, sd: float) -> float:
    """E[max(0, X)] − max(0, E X) for X ~ N(mean, sd²)."""
    z = mean / sd
    return float(mean * stats.norm.cdf(z) + sd * stats.norm.pdf(z) - max(mean, 0.0))


def normal_distance(rho: float) -> float:
    """Mean KS distance between N(0, 1) and itself given a tenth of what correlates with it by ρ."""
    x = np.linspace(-5, 5, 2001)
    cuts = stats.norm.ppf(np.linspace(0, 1, 11))
    inside = (np.linspace(0, 1, 400 + 1)[:-1] + 0.5 / 400).reshape(10, 40)
    assert ((stats.norm.ppf(inside) > cuts[:-1, None]) & (stats.norm.ppf(inside) < cuts[1:, None])).all()
    apart = (x[:, None, None] - rho * stats.norm.ppf(inside)) / np.sqrt(1 - rho**2)
    given = stats.norm.cdf(apart).mean(axis=2)
    return float(np.abs(given - stats.norm.cdf(x)[:, None]).max(axis=0).mean())


def normal_case(
    seed: int, rho: float, mean: float = 0.3
) -> tuple[dict[str, Any], Any, dict[str, tuple[float, float]]]:
    """Net benefit = mean + a + b/2 + noise with corr(a, b) = rho; the truth by belief."""
    rng = np.random.default_rng(seed)
    a, b, useless, noise = rng.standard_normal((4, COUNT))
    b = rho * a + np.sqrt(1 - rho**2) * b
    net = mean + a + 0.5 * b + 2 * noise
    total = 1 + 0.25 + rho + 4
    # E[net | a] = mean + (1 + ρ/2)·a: what is correlated with a belief is learnt with it.
    slopes = {"a": 1 + 0.5 * rho, "b": 0.5 + rho}
    truth = {k: (abs(s) / total**0.5, expected_gain(mean, abs(s))) for k, s in slopes.items()}
    beliefs = {"a": np.exp(2 * a), "b": b, "useless": useless, "point": 3.0}
    return beliefs, net, truth


@pytest.mark.parametrize("rho", [0.0, 0.6, -0.4])
def test_normal_net_benefits_match_the_closed_form(rho: float) -> None:
    distances, values = [], []
    for seed in SEEDS:
        beliefs, net, truth = normal_case(seed, rho)
        found = {d.belief: d for d in drivers(beliefs, net, [net])}
        assert "point" not in found
        for name, (correlation, value) in truth.items():
            d = found[name]
            if correlation > 0.3:
                distances.append(d.distance / normal_distance(correlation))
            # What is read off other draws falls short of the widest gap; it never exceeds it.
            assert d.distance < normal_distance(correlation) + 3 * d.distance_se
            assert d.distance > 0.85 * normal_distance(correlation) - 3 * d.distance_se
            if value > 0.01:
                values.append((d.evppi - value) / d.evppi_se)
    assert 0.95 < np.mean(distances) < 1.0
    assert np.max(np.abs(values)) < 4
    assert abs(np.mean(values)) < 1.0
    assert 0.5 < np.std(values) < 1.6


@pytest.mark.parametrize("clusters", [None, 500])
@pytest.mark.parametrize("tilted", [False, True])
def test_errors_are_honest_over_seeds(clusters: int | None, tilted: bool) -> None:
    got, said = [], []
    for seed in range(120):
        rng = np.random.default_rng(seed)
        count = 4000
        theta = np.resize(rng.standard_normal(clusters or count), count)
        other, noise = rng.standard_normal((2, count))
        net = 0.4 * theta + 0.5 * other + np.exp(0.5 * noise) - 1
        more: dict[str, Any] = {}
        if tilted:
            weighted = tilt({"s": stats.norm.cdf(theta + other)}, {"s": 0.65})
            assert isinstance(weighted, Tilt)
            more = {"weights": weighted.weights, "moments": weighted.moments}
        d = drivers({"t": theta}, net, [net - 0.5], clusters, **more)[0]
        whole = perfect_information([net - 0.5], count, clusters, **more)
        got.append([d.distance, d.low, d.high, d.evppi, whole.value])
        said.append([d.distance_se, d.low_se, d.high_se, d.evppi_se, whole.se])
    ratio = np.std(got, axis=0, ddof=1) / np.median(said, axis=0)
    assert (ratio > 0.8).all(), ratio
    assert (ratio < 1.25).all(), ratio


def test_weights_are_as_good_as_other_draws() -> None:
    """Tilting a normal belief moves it: drivers are those of draws of the moved one."""
    rng = np.random.default_rng(9)
    x, noise = rng.standard_normal((2, COUNT))
    weighted = tilt({"x": x}, {"x": 0.7})
    assert isinstance(weighted, Tilt)
    more = {"weights": weighted.weights, "moments": weighted.moments}
    net = np.exp(0.5 * x) - 1.5 + noise
    moved = x + 0.7
    other = np.exp(0.5 * moved) - 1.5 + noise
    ours = drivers({"x": x}, net, [net], **more)[0]
    theirs = drivers({"x": moved}, other, [other])[0]
    for name in ("distance", "low", "high", "evppi"):
        error = np.hypot(getattr(ours, f"{name}_se"), getattr(theirs, f"{name}_se"))
        assert getattr(ours, name) == pytest.approx(getattr(theirs, name), abs=4 * error)


def test_a_belief_that_does_not_matter_gets_about_0() -> None:
    for seed in SEEDS:
        beliefs, net, _ = normal_case(seed, 0.3)
        found = {d.belief: d for d in drivers(beliefs, net, [net, net - 0.1])}
        assert found["useless"].distance < 3.5 * found["useless"].distance_se
        assert found["useless"].distance < 0.015
        assert found["useless"].evppi < 0.005


def test_heavy_tails_do_not_hide_the_first_driver() -> None:
    """The sign is one belief's; nearly all of the variance another's rare worlds'."""
    rng = np.random.default_rng(10)
    side, size = rng.standard_normal((2, COUNT))
    net = np.sign(side) * np.exp(3 * size)
    found = drivers({"side": side, "size": size}, net, [net])
    assert found[0].belief == "side"
    assert found[0].distance == pytest.approx(0.5, abs=4 * found[0].distance_se + 0.005)


def test_perfect_information_is_the_mean_of_the_best() -> None:
    x = np.random.default_rng(11).standard_normal(COUNT)
    found = perfect_information([0.3 + x], COUNT)
    assert found.value == pytest.approx(expected_gain(0.3, 1.0), abs=4 * found.se)
    assert perfect_information([], 10) == (0.0, 0.0)
    assert perfect_information([2.0], 10) == (0.0, 0.0)


def test_several_beliefs_together_match_the_closed_form() -> None:
    """E[net | a, b] is normal; a product of two is worth nothing singly and all together."""
    scores = []
    for seed in SEEDS:
        a, b, c, noise = np.random.default_rng(seed).standard_normal((4, COUNT))
        net = 0.3 + a + 0.5 * b + c + 2 * noise
        found = partial_information({"a": np.exp(a), "b": b, "point": 1.0}, [net])
        scores.append((found.value - expected_gain(0.3, 1.25**0.5)) / found.se)
        both = partial_information({"a": a, "b": b}, [a * b + noise])
        assert both.value == pytest.approx(1 / np.pi, abs=4 * both.se)
        assert partial_information({"a": a}, [a * b + noise]).value < 0.03
    assert np.abs(scores).max() < 4
    assert abs(np.mean(scores)) < 1.0
    assert partial_information({"point": 1.0}, [1.0]) == (0.0, 0.0)


def test_one_belief_together_is_that_belief() -> None:
    beliefs, net, _ = normal_case(1, 0.3)
    found = {d.belief: d for d in drivers(beliefs, net, [net])}
    alone = partial_information({"a": beliefs["a"]}, [net])
    assert alone == (found["a"].evppi, found["a"].evppi_se)


def test_shares_of_draws_that_weigh_little_round_to_no_negative_variance() -> None:
    """Of these one in eight had a share of 1 + 2e-16 below a cut, and an error that was no number."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        value, net = rng.standard_normal(100), (rng.random(100) < 0.01).astype(float)
        weights = rng.exponential(size=100) ** 3
        (found,) = drivers({"x": value}, net, [net], weights=weights / weights.sum())
        assert np.isfinite(found.distance_se)


def test_what_is_kept_changes_nothing() -> None:
    beliefs, net, _ = normal_case(2, 0.3)
    kept = Sorted()
    first = drivers(beliefs, net, [net], kept=kept)
    assert drivers(beliefs, net, [net], kept=kept) == first
    assert drivers(beliefs, net, [net]) == first


def test_several_options_match_numerical_integration() -> None:
    """Three options that cross in one belief: 0, θ + ¼, and −2θ + ½, all with noise."""
    rng = np.random.default_rng(5)
    theta, noise = rng.standard_normal((2, COUNT))
    options = [theta + 0.25 + noise, -2 * theta + 0.5 + noise]

    def best(t: float) -> float:
        return max(0.0, t + 0.25, 0.5 - 2 * t) * float(stats.norm.pdf(t))

    truth = integrate.quad(best, -8, 8, points=[-0.25, 1 / 12, 0.25])[0] - 0.5
    found = drivers({"theta": theta}, options[0], options)[0]
    assert found.evppi == pytest.approx(truth, abs=3 * found.evppi_se)
    assert found.evppi_se < 0.05 * truth


def test_a_curve_that_is_not_monotone_is_found() -> None:
    rng = np.random.default_rng(3)
    theta, noise = rng.standard_normal((2, COUNT))
    found = drivers({"theta": theta}, theta**2 + noise, [theta**2 - 1 + noise])[0]
    # E|θ² − 1|/2 = 2φ(1).
    assert found.evppi == pytest.approx(2 * stats.norm.pdf(1), abs=4 * found.evppi_se)
    assert found.distance > 0.2


def test_heavy_tails_do_not_hide_a_decision() -> None:
    """Net benefit 1 − x·y, both lognormal: wild where x is large, decided where it is small."""
    truth = integrate.quad(lambda z: max(0.0, 1 - np.exp(2 * z + 0.5)) * stats.norm.pdf(z), -8, 8)[0]
    for seed in range(4):
        z, w = np.random.default_rng(seed).standard_normal((2, COUNT))
        net = 1 - np.exp(2 * z) * np.exp(w)
        found = drivers({"x": np.exp(2 * z)}, net, [net])[0]
        assert found.evppi == pytest.approx(truth, abs=4 * found.evppi_se)


@given(st.integers(0, 10_000), st.sampled_from(["exp", "cube", "negative"]))
@settings(max_examples=15, deadline=None)
def test_only_the_order_of_a_belief_counts(seed: int, how: str) -> None:
    rng = np.random.default_rng(seed)
    theta, noise = rng.standard_normal((2, 3000))
    net = np.sin(2 * theta) + noise
    changed = {"exp": np.exp, "cube": lambda t: t**3, "negative": lambda t: -t}[how](theta)
    first = drivers({"b": theta}, net, [net])[0]
    second = drivers({"b": changed}, net, [net])[0]
    if how == "negative":
        assert second.distance == pytest.approx(first.distance, abs=0.02)
        assert (second.low, second.high) == pytest.approx((first.high, first.low))
    else:
        assert second == first


def test_a_count_is_averaged_value_by_value() -> None:
    rng = np.random.default_rng(8)
    chains = rng.integers(1, 6, COUNT).astype(float)
    table = np.array([0.0, 3.0, -1.0, 2.0, 0.5, -2.0])
    noise = rng.standard_normal(COUNT)
    net = table[chains.astype(int)] + noise
    found = drivers({"chains": chains}, net, [net])[0]
    x = np.linspace(-8, 8, 4001)[:, None]
    given = stats.norm.cdf(x - table[1:])
    truth = np.abs(given - given.mean(axis=1, keepdims=True)).max(axis=0).mean()
    assert found.distance == pytest.approx(truth, abs=4 * found.distance_se)
    for got, error, value in ((found.low, found.low_se, 3.0), (found.high, found.high_se, -2.0)):
        assert got == pytest.approx(value, abs=4 * error)
    gain = np.maximum(table[1:], 0).mean() - max(0.0, table[1:].mean())
    assert found.evppi == pytest.approx(gain, abs=4 * found.evppi_se)


def test_reused_posterior_draws_widen_the_errors() -> None:
    """20,000 draws of 500 posterior draws know the belief no better than 500 do."""
    rng = np.random.default_rng(2)
    theta = np.tile(rng.standard_normal(500), COUNT // 500)
    net = 0.2 + theta + 0.1 * rng.standard_normal(COUNT)
    alone = drivers({"theta": theta}, net, [net])[0]
    together = drivers({"theta": theta}, net, [net], clusters=500)[0]
    assert together.evppi_se > 4 * alone.evppi_se
    assert together.evppi == pytest.approx(expected_gain(0.2, 1.0), abs=4 * together.evppi_se)


def test_low_and_high_are_means_of_the_outer_tenths() -> None:
    rng = np.random.default_rng(4)
    theta, noise = rng.standard_normal((2, COUNT))
    found = drivers({"theta": theta}, theta + noise, [])[0]
    outer = stats.norm.pdf(stats.norm.ppf(0.9)) / 0.1
    assert found.low == pytest.approx(-outer, abs=4 * found.low_se)
    assert found.high == pytest.approx(outer, abs=4 * found.high_se)
    assert 0.01 < found.low_se < 0.04


@pytest.mark.parametrize("count", [100, 137, 1000])
def test_few_draws_and_constant_outcomes_are_no_trouble(count: int) -> None:
    rng = np.random.default_rng(count)
    theta = rng.standard_normal(count)
    for net in (np.zeros(count), 0.0, np.where(theta > 2, 1.0, 0.0)):
        found = drivers({"theta": theta, "point": 1.0}, net, [net, 0.0])
        assert len(found) == 1
        assert np.isfinite([v for v in found[0] if not isinstance(v, str)]).all()
    assert drivers({"point": 1.0}, 0.0, [0.0]) == []


def test_the_largest_distance_comes_first() -> None:
    beliefs, net, _ = normal_case(1, 0.0)
    found = drivers(beliefs, net, [net])
    assert [d.belief for d in found][:2] == ["a", "b"]
