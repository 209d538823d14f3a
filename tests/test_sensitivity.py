"""Drivers: variance shares and EVPPI against closed forms, on correlated beliefs too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from difprog.why import sensitivity

COUNT = 20_000
SEEDS = range(12)


def expected_gain(mean: float, sd: float) -> float:
    """E[max(0, X)] − max(0, E X) for X ~ N(mean, sd²)."""
    z = mean / sd
    return float(mean * stats.norm.cdf(z) + sd * stats.norm.pdf(z) - max(mean, 0.0))


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
    truth = {k: (s**2 / total, expected_gain(mean, abs(s))) for k, s in slopes.items()}
    beliefs = {"a": np.exp(2 * a), "b": b, "useless": useless, "point": 3.0}
    return beliefs, net, truth


@pytest.mark.parametrize("rho", [0.0, 0.6, -0.4])
def test_normal_net_benefits_match_the_closed_form(rho: float) -> None:
    shares, values = [], []
    for seed in SEEDS:
        beliefs, net, truth = normal_case(seed, rho)
        found = {d.belief: d for d in sensitivity.drivers(beliefs, net, [net])}
        assert "point" not in found
        for name, (share, value) in truth.items():
            d = found[name]
            shares.append((d.variance_share - share) / d.variance_share_se)
            if value > 0.01:
                values.append((d.evppi - value) / d.evppi_se)
    for scores in (shares, values):
        assert np.max(np.abs(scores)) < 4
        assert abs(np.mean(scores)) < 1.0
        assert 0.5 < np.std(scores) < 1.6


def test_a_belief_that_does_not_matter_gets_about_0() -> None:
    for seed in SEEDS:
        beliefs, net, _ = normal_case(seed, 0.3)
        found = {d.belief: d for d in sensitivity.drivers(beliefs, net, [net, net - 0.1])}
        assert found["useless"].variance_share < 0.001
        assert found["useless"].evppi < 0.005


def test_several_options_match_numerical_integration() -> None:
    """Three options that cross in one belief: 0, θ + ¼, and −2θ + ½, all with noise."""
    rng = np.random.default_rng(5)
    theta, noise = rng.standard_normal((2, COUNT))
    options = [theta + 0.25 + noise, -2 * theta + 0.5 + noise]

    def best(t: float) -> float:
        return max(0.0, t + 0.25, 0.5 - 2 * t) * float(stats.norm.pdf(t))

    truth = integrate.quad(best, -8, 8, points=[-0.25, 1 / 12, 0.25])[0] - 0.5
    found = sensitivity.drivers({"theta": theta}, options[0], options)[0]
    assert found.evppi == pytest.approx(truth, abs=3 * found.evppi_se)
    assert found.evppi_se < 0.05 * truth


def test_a_curve_that_is_not_monotone_is_found() -> None:
    rng = np.random.default_rng(3)
    theta, noise = rng.standard_normal((2, COUNT))
    found = sensitivity.drivers({"theta": theta}, theta**2 + noise, [])[0]
    assert found.variance_share == pytest.approx(2 / 3, abs=4 * found.variance_share_se)


def test_heavy_tails_do_not_hide_a_decision() -> None:
    """Net benefit 1 − x·y, both lognormal: wild where x is large, decided where it is small."""
    truth = integrate.quad(lambda z: max(0.0, 1 - np.exp(2 * z + 0.5)) * stats.norm.pdf(z), -8, 8)[0]
    for seed in range(4):
        z, w = np.random.default_rng(seed).standard_normal((2, COUNT))
        net = 1 - np.exp(2 * z) * np.exp(w)
        found = sensitivity.drivers({"x": np.exp(2 * z)}, net, [net])[0]
        assert found.evppi == pytest.approx(truth, abs=4 * found.evppi_se)


@given(st.integers(0, 10_000), st.sampled_from(["exp", "cube", "negative"]))
@settings(max_examples=15, deadline=None)
def test_only_the_order_of_a_belief_counts(seed: int, how: str) -> None:
    rng = np.random.default_rng(seed)
    theta, noise = rng.standard_normal((2, 3000))
    net = np.sin(2 * theta) + noise
    changed = {"exp": np.exp, "cube": lambda t: t**3, "negative": lambda t: -t}[how](theta)
    first = sensitivity.drivers({"b": theta}, net, [net])[0]
    second = sensitivity.drivers({"b": changed}, net, [net])[0]
    if how == "negative":
        assert second.variance_share == pytest.approx(first.variance_share, abs=1e-3)
    else:
        assert second == first


def test_a_count_is_averaged_value_by_value() -> None:
    rng = np.random.default_rng(8)
    chains = rng.integers(1, 6, COUNT).astype(float)
    table = np.array([0.0, 3.0, -1.0, 2.0, 0.5, -2.0])
    noise = rng.standard_normal(COUNT)
    net = table[chains.astype(int)] + noise
    found = sensitivity.drivers({"chains": chains}, net, [net])[0]
    truth = table[1:].var()
    assert found.variance_share == pytest.approx(truth / (truth + 1), abs=4 * found.variance_share_se)
    gain = np.maximum(table[1:], 0).mean() - max(0.0, table[1:].mean())
    assert found.evppi == pytest.approx(gain, abs=4 * found.evppi_se)


def test_reused_posterior_draws_widen_the_errors() -> None:
    """20,000 draws of 500 posterior draws know the belief no better than 500 do."""
    rng = np.random.default_rng(2)
    theta = np.tile(rng.standard_normal(500), COUNT // 500)
    net = 0.2 + theta + 0.1 * rng.standard_normal(COUNT)
    alone = sensitivity.drivers({"theta": theta}, net, [net])[0]
    together = sensitivity.drivers({"theta": theta}, net, [net], clusters=500)[0]
    assert together.evppi_se > 4 * alone.evppi_se
    assert together.evppi == pytest.approx(expected_gain(0.2, 1.0), abs=4 * together.evppi_se)


def test_low_and_high_are_means_of_the_outer_tenths() -> None:
    rng = np.random.default_rng(4)
    theta, noise = rng.standard_normal((2, COUNT))
    found = sensitivity.drivers({"theta": theta}, theta + noise, [])[0]
    outer = stats.norm.pdf(stats.norm.ppf(0.9)) / 0.1
    assert found.low == pytest.approx(-outer, abs=4 * found.low_se)
    assert found.high == pytest.approx(outer, abs=4 * found.high_se)
    assert 0.01 < found.low_se < 0.04


@pytest.mark.parametrize("count", [100, 137, 1000])
def test_few_draws_and_constant_outcomes_are_no_trouble(count: int) -> None:
    rng = np.random.default_rng(count)
    theta = rng.standard_normal(count)
    for net in (np.zeros(count), 0.0, np.where(theta > 2, 1.0, 0.0)):
        found = sensitivity.drivers({"theta": theta, "point": 1.0}, net, [net, 0.0])
        assert len(found) == 1
        assert np.isfinite([v for v in found[0] if not isinstance(v, str)]).all()
    assert sensitivity.drivers({"point": 1.0}, 0.0, [0.0]) == []


def test_the_largest_share_comes_first() -> None:
    beliefs, net, _ = normal_case(1, 0.0)
    found = sensitivity.drivers(beliefs, net, [net])
    assert [d.belief for d in found][:2] == ["a", "b"]
