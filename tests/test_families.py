"""Families against scipy.stats, fits against their percentiles, PyMC against the sampler."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from difprog.beliefs.distributions import Distribution, Mixture, Point, Shape
from difprog.beliefs.families import BOUNDED_BY_ENDS, FAMILIES
from difprog.beliefs.fitting import FitError, checked, fit, misfit
from difprog.forecast import compiled

LEVELS = np.array([0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999])


class _LogitNormal:
    """scipy has none: the transform of its normal."""

    def __init__(self, mu: float, sigma: float) -> None:
        self.inner = stats.norm(mu, sigma)

    def ppf(self, p):
        return special.expit(self.inner.ppf(p))

    def cdf(self, x):
        return self.inner.cdf(special.logit(x))

    def support(self):
        return 0.0, 1.0

    def mean(self):
        from scipy.integrate import quad

        mu, sigma = self.inner.mean(), self.inner.std()
        return quad(lambda z: special.expit(mu + sigma * z) * stats.norm.pdf(z), -10, 10)[0]


def _pert(low, mode, high):
    a, b = 1 + 4 * (mode - low) / (high - low), 1 + 4 * (high - mode) / (high - low)
    return stats.beta(a, b, low, high - low)


REFERENCE = {
    "normal": lambda m, s: stats.norm(m, s),
    "lognormal": lambda m, s: stats.lognorm(s, scale=math.exp(m)),
    "logitnormal": _LogitNormal,
    "beta": lambda a, b: stats.beta(a, b),
    "gamma": lambda k, s: stats.gamma(k, scale=s),
    "uniform": lambda a, b: stats.uniform(a, b - a),
    "loguniform": lambda a, b: stats.loguniform(a, b),
    "exponential": lambda s: stats.expon(scale=s),
    "pert": _pert,
    "triangular": lambda a, m, b: stats.triang((m - a) / (b - a), a, b - a),
}

MEMBERS = [
    ("normal", (2.0, 0.5)), ("normal", (-1e6, 1e-3)),
    ("lognormal", (1.0, 0.7)), ("lognormal", (-20.0, 3.0)),
    ("logitnormal", (-2.0, 1.1)), ("logitnormal", (0.3, 4.0)),
    ("beta", (2.0, 5.0)), ("beta", (0.3, 0.4)), ("beta", (80.0, 3.0)),
    ("gamma", (2.0, 3.0)), ("gamma", (0.2, 1e4)),
    ("uniform", (-3.0, 8.0)), ("loguniform", (0.01, 300.0)), ("exponential", (4.0,)),
    ("pert", (1.0, 2.5, 10.0)), ("pert", (0.0, 0.0, 1.0)), ("pert", (-0.6, -0.5, 0.2)),
    ("triangular", (1.0, 2.5, 10.0)), ("triangular", (0.0, 1.0, float("1"))),
    ("triangular", (-0.6, -0.5, 0.2)),
]  # fmt: skip


def test_every_family_is_compared():
    assert set(REFERENCE) == set(FAMILIES) == {name for name, _ in MEMBERS}


@pytest.mark.parametrize(("name", "parameters"), MEMBERS)
def test_quantiles_cdf_and_mean_agree_with_scipy(name, parameters):
    ours, scipys = Distribution(FAMILIES[name], parameters), REFERENCE[name](*parameters)
    wanted = scipys.ppf(LEVELS)
    assert ours.quantile(special.ndtri(LEVELS)) == pytest.approx(wanted, rel=1e-10, abs=1e-300)
    assert ours.cdf(wanted) == pytest.approx(LEVELS, rel=1e-6)
    assert ours.mean == pytest.approx(float(scipys.mean()), rel=1e-6)


CUTS = [
    ("normal", (2.0, 1.0), 1.0, 4.5), ("lognormal", (1.0, 0.7), 0.5, 20.0), ("gamma", (2.0, 3.0), 1.0, 9.0),
    ("logitnormal", (-1.0, 1.0), 0.1, 0.9), ("beta", (2.0, 5.0), 0.1, 0.6),
    ("exponential", (4.0,), 1.0, 10.0),
    ("uniform", (0.0, 8.0), 1.0, 5.0), ("loguniform", (0.1, 30.0), 1.0, 5.0),
]  # fmt: skip


@pytest.mark.parametrize(("name", "parameters", "lower", "upper"), CUTS)
def test_truncated_quantiles_agree_with_scipy(name, parameters, lower, upper):
    ours, whole = Distribution(FAMILIES[name], parameters, lower, upper), REFERENCE[name](*parameters)
    low, high = whole.cdf(lower), whole.cdf(upper)
    wanted = whole.ppf(low + LEVELS * (high - low))
    got = ours.quantile(special.ndtri(LEVELS))
    assert ours.truncated
    assert got == pytest.approx(wanted, rel=1e-10)
    assert ours.cdf(got) == pytest.approx(LEVELS, rel=1e-8)
    assert ours.cdf(lower - 0.01) == 0
    assert ours.cdf(upper + 0.01) == 1
    ends = ours.quantile(np.array([-40.0, 40.0]))
    assert ends == pytest.approx([lower, upper])
    assert ends[0] >= lower
    assert ends[1] <= upper


TWO = [
    ("normal", st.floats(-100, 100), st.floats(0.01, 100)),
    ("lognormal", st.floats(0.001, 100), st.floats(0.01, 100)),
    ("logitnormal", st.floats(0.01, 0.5), st.floats(0.01, 0.45)),
    ("uniform", st.floats(-100, 100), st.floats(0.01, 100)),
    ("loguniform", st.floats(0.001, 100), st.floats(0.01, 100)),
]


@pytest.mark.parametrize(("name", "lows", "widths"), TWO, ids=[t[0] for t in TWO])
@given(data=st.data(), low_level=st.floats(0.01, 0.45), high_level=st.floats(0.55, 0.99))
@settings(max_examples=40, deadline=None)
def test_two_percentiles_are_met_exactly(name, lows, widths, data, low_level, high_level):
    low = data.draw(lows)
    stated = {low_level: low, high_level: low + data.draw(widths)}
    found = fit(FAMILIES[name], stated)
    for p, value in stated.items():
        assert found.percentile(p) == pytest.approx(value, rel=1e-9, abs=1e-9)
    assert misfit(found, stated) < 1e-6 or min(map(abs, stated.values())) < 1e-3


@pytest.mark.parametrize(("name", "parameters"), MEMBERS)
@pytest.mark.parametrize("levels", [(0.05, 0.5, 0.95), (0.1, 0.3, 0.6, 0.9)])
def test_a_fit_finds_the_member_that_the_percentiles_are_of(name, parameters, levels):
    truth = Distribution(FAMILIES[name], parameters)
    stated = {p: truth.percentile(p) for p in levels}
    found = fit(FAMILIES[name], stated)
    assert misfit(found, stated) < 1e-5
    if (name, parameters) != ("triangular", (0.0, 1.0, 1.0)):  # others have the same lower side
        assert [found.percentile(p) for p in (0.02, 0.5, 0.98)] == pytest.approx(
            [truth.percentile(p) for p in (0.02, 0.5, 0.98)], rel=1e-5
        )


@pytest.mark.parametrize("name", BOUNDED_BY_ENDS)
@pytest.mark.parametrize("low", [-12.0, -4.0, 0.0, 1.0, 30.0])
@pytest.mark.parametrize("median", [2.7, 6.0])
def test_bounds_are_the_ends_of_pert_and_triangular(name, low, median):
    bounds = (low, low + 9.0)
    found = fit(FAMILIES[name], {0.5: low + median}, bounds)
    assert (found.parameters[0], found.parameters[2]) == bounds
    assert found.percentile(0.5) == pytest.approx(low + median)
    with pytest.raises(FitError):
        fit(FAMILIES[name], {0.5: low + 0.01}, bounds)


@pytest.mark.parametrize(
    ("name", "stated", "bounds"),
    [
        ("lognormal", {0.05: 1.0, 0.95: 10.0}, (0.5, 20.0)), ("normal", {0.1: 0.2, 0.9: 0.7}, (0.0, 1.0)),
        ("gamma", {0.05: 1.0, 0.95: 10.0}, (0.5, 20.0)), ("beta", {0.1: 0.2, 0.9: 0.5}, (0.1, 0.8)),
        ("loguniform", {0.05: 1.0, 0.95: 10.0}, (0.5, 40.0)),
    ],
)  # fmt: skip
def test_percentiles_are_those_of_the_cut_distribution(name, stated, bounds):
    found = fit(FAMILIES[name], stated, bounds)
    for p, value in stated.items():
        assert found.percentile(p) == pytest.approx(value, rel=1e-7)
    assert found.quantile(-30.0) >= bounds[0] - 1e-12
    assert found.quantile(30.0) <= bounds[1] + 1e-12


@pytest.mark.parametrize(
    ("name", "stated"),
    [
        ("lognormal", {0.05: 0.0, 0.95: 1.0}), ("lognormal", {0.5: 1.0}), ("beta", {0.1: 0.5, 0.9: 1.5}),
        ("lognormal", {0.05: 1.0, 0.95: 1e300}), ("normal", {0.05: -1e308, 0.95: 1e308}),
        ("uniform", {0.05: -1e308, 0.95: 1e308}), ("pert", {0.05: 1.0, 0.95: 2.0}),
    ],
)  # fmt: skip
def test_what_no_member_has_is_refused(name, stated):
    with pytest.raises(FitError):
        fit(FAMILIES[name], stated)


@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e4])
def test_two_percentiles_that_the_bounds_forbid_are_refused(unit):
    # A uniform with 1 at 40% and 9 at 50% reaches far beyond 0 and 10; cut there, it has them at 10% and 90%.
    with pytest.raises(FitError, match="within the bounds"):
        fit(FAMILIES["uniform"], {0.4: 1.0 * unit, 0.5: 9.0 * unit}, (0.0, 10.0 * unit))


@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e4])
def test_three_percentiles_that_no_member_has_are_met_as_well_as_can_be(unit):
    stated = {0.05: 1.0 * unit, 0.5: 1.1 * unit, 0.95: 5.0 * unit}
    found = fit(FAMILIES["pert"], stated)
    assert 0.1 < misfit(found, stated) < 0.6
    plain = fit(FAMILIES["pert"], {p: v / unit for p, v in stated.items()})
    assert found.mean == pytest.approx(plain.mean * unit, rel=1e-3)


@pytest.mark.parametrize(
    "parameters",
    [(1.0,), (1.0, 2.0, 3.0), (1.0, 0.0), (math.nan, 1.0), (0.0, 1e308), (1.7e308, 2e307), (-1.7e308, 2e307)],
)
def test_parameters_that_are_none_are_refused(parameters):
    with pytest.raises(FitError):
        checked(Distribution(FAMILIES["normal"], parameters))
    assert checked(Distribution(FAMILIES["normal"], (1.0, 2.0))).parameters == (1.0, 2.0)


@pytest.mark.parametrize(("name", "parameters"), MEMBERS)
def test_beyond_the_ends_there_is_nothing(name, parameters):
    member = Distribution(FAMILIES[name], parameters)
    low, high = REFERENCE[name](*parameters).support()
    assert member.cdf(np.array([low - 0.5, high + 0.5])).tolist() == [0.0, 1.0]


def test_what_is_missing_is_said():
    with pytest.raises(FitError, match=r"needs at least 3 percentiles \(or bounds, and one\)"):
        fit(FAMILIES["pert"], {0.05: 1.0, 0.95: 2.0})
    with pytest.raises(FitError, match=r"needs at least 2 percentiles$"):
        fit(FAMILIES["normal"], {0.5: 1.0})


def test_a_mixture_has_a_weight_for_every_part():
    uneven = Mixture((1.0,), (Point(1.0), Point(2.0)))
    for ask in (lambda: uneven.cdf(1.0), lambda: uneven.mean, lambda: uneven.quantile(0.0)):
        with pytest.raises(ValueError, match="zip"):
            ask()


def test_a_lognormal_may_have_no_mean_that_a_machine_holds():
    assert Distribution(FAMILIES["lognormal"], (700.0, 1.0)).mean == math.exp(700.5)
    assert Distribution(FAMILIES["lognormal"], (800.0, 1.0)).mean == math.inf


def test_misfit_says_how_far_a_third_percentile_is_missed():
    stated = {0.1: 1.0, 0.5: 2.0, 0.9: 100.0}
    found = fit(FAMILIES["lognormal"], stated)
    assert misfit(found, stated) == pytest.approx(
        max(abs(found.percentile(p) / v - 1) for p, v in stated.items())
    )
    assert misfit(found, stated) > 0.5
    assert misfit(Point(3.0), {0.5: 2.0}) == 0.0
    assert misfit(found, {}) == 0.0
    for near_zero in ({0.05: -1.0, 0.5: 0.001, 0.95: 1.0}, {0.05: 0.0, 0.5: 1.001, 0.95: 2.0}):
        assert misfit(fit(FAMILIES["normal"], near_zero), near_zero) < 0.01


MIXED = Mixture(
    (0.5, 0.3, 0.2),
    (
        Distribution(FAMILIES["lognormal"], (0.0, 1.0)),
        Point(2.0),
        Distribution(FAMILIES["gamma"], (3.0, 2.0), 1.0, 9.0),
    ),
)


@given(st.floats(-7, 7), st.floats(-7, 7))
@settings(max_examples=60, deadline=None)
def test_a_mixture_s_quantile_is_monotone_and_inverts_its_cdf(first, second):
    low, high = sorted((first, second))
    assert MIXED.quantile(low) <= MIXED.quantile(high)
    x = float(MIXED.quantile(low))
    assert MIXED.cdf(x) >= special.ndtr(low) - 1e-12
    assert MIXED.cdf(x * (1 - 1e-9)) <= special.ndtr(low) + 1e-8


def test_a_mixture_s_points_are_drawn_exactly_and_as_often_as_weighed():
    drawn = MIXED.quantile(special.ndtri((np.arange(100_000) + 0.5) / 100_000))
    assert np.mean(drawn == 2.0) == pytest.approx(0.3, abs=2e-5)
    assert np.mean(drawn) == pytest.approx(MIXED.mean, rel=1e-3)
    one = Mixture((1.0,), (Distribution(FAMILIES["lognormal"], (0.0, 1.0)),))
    assert one.percentile(0.2) == pytest.approx(one.parts[0].percentile(0.2), rel=1e-12)


@pytest.mark.parametrize("at", [-0.3, 0.0, 1e-9])
def test_a_point_is_drawn_exactly_wherever_it_lies(at):
    """Halving an interval comes to 2 exactly in time, to 0 never."""
    spread = Mixture((0.5, 0.3, 0.2), (Point(at), Distribution(FAMILIES["normal"], (0.0, 100.0)), Point(7.0)))
    drawn = spread.quantile(special.ndtri((np.arange(10_000) + 0.5) / 10_000))
    assert np.mean(drawn == at) == pytest.approx(0.5, abs=2e-4)
    assert np.mean(drawn == 7.0) == pytest.approx(0.2, abs=2e-4)
    same = Point(float(repr(at)))  # equal, and another object
    twice = Mixture((0.25, 0.5, 0.25), (Point(at), Distribution(FAMILIES["normal"], (0.0, 1.0)), same))
    drawn = twice.quantile(special.ndtri((np.arange(10_000) + 0.5) / 10_000))
    assert np.mean(drawn == at) == pytest.approx(0.5, abs=2e-4)


def test_no_score_gives_an_infinite_draw():
    z = np.array([-12.0, -9.0, 9.0, 12.0])
    for name, parameters in MEMBERS:
        if not FAMILIES[name].normal:
            assert np.isfinite(Distribution(FAMILIES[name], parameters).quantile(z)).all(), name


def test_integers_are_rounded():
    found = fit(FAMILIES["lognormal"], {0.1: 1.0, 0.9: 5.0}, integer=True)
    drawn = found.quantile(np.linspace(-3, 3, 101))
    assert np.array_equal(drawn, np.round(drawn))
    assert len(np.unique(drawn)) > 5


PYMC: dict[str, Shape] = {
    **{f"{name} {p}": Distribution(FAMILIES[name], p) for name, p in MEMBERS if p != (-1e6, 1e-3)},
    **{f"cut {name}": Distribution(FAMILIES[name], p, low, high) for name, p, low, high in CUTS},
    "rare cut": Distribution(FAMILIES["lognormal"], (0.0, 1.0), 30.0, 60.0),
    "mixture": MIXED,
    "mixture of all": Mixture((0.4, 0.3, 0.3), (
        Distribution(FAMILIES["pert"], (1.0, 2.0, 9.0)),
        Distribution(FAMILIES["loguniform"], (1.0, 9.0)), Point(3.0),
    )),
    "integer": Distribution(FAMILIES["lognormal"], (1.0, 0.6), integer=True),
    "point": Point(3.0),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(PYMC.keys() - {"point"}))
def test_the_compiled_quantile_is_the_array_s(name):
    """One formula for arrays and for the graph: no rounding apart but PyTensor's own."""
    shape, z = PYMC[name], np.linspace(-5.0, 5.0, 201)
    ours = np.broadcast_to(shape.quantile(z), z.shape)
    got = np.broadcast_to(compiled.quantile(shape, z), z.shape)
    np.testing.assert_allclose(got, ours, rtol=1e-9, atol=1e-300)


@pytest.mark.parametrize(
    "name", ["lognormal (1.0, 0.7)", "cut logitnormal", "rare cut", "mixture", "integer"]
)
def test_a_pymc_variable_has_the_law_of_the_quantiles(name):
    """Kolmogorov distance between PyMC's own draws and the quantiles at evenly spread levels."""
    import pymc as pm

    shape, count = PYMC[name], 3000
    scores = pm.Normal.dist(0.0, 1.0, size=count)
    theirs = pm.draw(shape.quantile(scores), random_seed=7, mode=compiled.mode())
    ours = shape.quantile(special.ndtri((np.arange(count) + 0.5) / count))
    grid = np.unique(np.quantile(ours, np.linspace(0.005, 0.995, 199))) * (1 + 1e-12)
    far = max(abs(np.mean(theirs <= x) - np.mean(ours <= x)) for x in grid)
    # A Kolmogorov statistic past 2.2 has probability 1e-4 (Kolmogorov's law).
    assert far < 2.2 / math.sqrt(count), far
