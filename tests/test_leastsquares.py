"""Least squares in a few unknowns: laws of a minimum, and SciPy's as the independent one."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.optimize
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from difprog.beliefs.families import FAMILIES
from difprog.beliefs.fitting import fit
from difprog.beliefs.leastsquares import least_squares

SIZES = st.floats(0.1, 10.0)


@given(st.lists(st.tuples(SIZES, SIZES, st.floats(-5.0, 5.0)), min_size=3, max_size=6), SIZES, SIZES)
@settings(max_examples=30)
def test_a_line_is_fitted_as_by_the_normal_equations(
    rows: list[tuple[float, float, float]], first: float, second: float
) -> None:
    table = np.array(rows)
    design, target = table[:, :2] + np.arange(len(rows))[:, None] * [0.0, 1.0], table[:, 2]
    found = least_squares(lambda x: design @ x - target, [first, second])
    wanted = np.linalg.solve(design.T @ design, design.T @ target)
    assert found == pytest.approx(wanted, rel=1e-8, abs=1e-8 * np.linalg.cond(design) ** 2)


def test_it_ends_at_the_bottom_of_a_bent_valley() -> None:
    """Rosenbrock's: the way from the usual start is long, narrow and bent."""
    found = least_squares(lambda x: np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]]), [-1.2, 1.0])
    assert found == pytest.approx([1.0, 1.0], abs=1e-12)


def test_what_has_no_minimum_ends_too() -> None:
    found = least_squares(lambda x: np.exp(-x) + np.array([1.0]), [0.0])
    assert found[0] > 3
    stuck = least_squares(lambda x: np.ones(2) + 0 * x, [0.5])
    assert stuck.tolist() == [0.5]


@pytest.mark.parametrize(
    ("family", "stated"),
    [
        ("gamma", {0.25: 0.42, 0.5: 1.0, 0.75: 1.74, 0.9: 2.32}),
        ("beta", {0.05: 0.1, 0.5: 0.2, 0.95: 0.7}), ("exponential", {0.1: 1.0, 0.9: 9.0}),
    ],
)  # fmt: skip
def test_percentiles_that_no_member_has_are_met_as_well_as_by_scipy(
    family: str, stated: dict[float, float]
) -> None:
    """No worse in the sum of squares, and nearer to where its slope is nothing."""
    kind = FAMILIES[family]
    scores, target = special.ndtri(list(stated)), kind.scale(np.array(list(stated.values())))

    def misses(logs: np.ndarray) -> np.ndarray:
        values = kind.quantile(special.ndtr(scores), *np.exp(logs))
        return np.asarray(kind.scale(values) - target)

    def slope(logs: np.ndarray) -> float:
        step = 1e-5 * np.eye(len(logs))
        sums = [(np.sum(misses(logs + s) ** 2) - np.sum(misses(logs - s) ** 2)) / 2e-5 for s in step]
        return float(np.abs(sums).max())

    own = np.log(fit(kind, stated, (kind.lower, kind.upper)).parameters)
    other = scipy.optimize.least_squares(misses, own + 0.1, xtol=1e-15, ftol=1e-15, gtol=1e-15).x
    assert own == pytest.approx(other, abs=1e-6)
    assert np.sum(misses(own) ** 2) <= np.sum(misses(other) ** 2) * (1 + 1e-12)
    assert slope(own) < 1e-9


def test_two_percentiles_of_a_gamma_are_met_exactly() -> None:
    truth = FAMILIES["gamma"].quantile(np.array([0.1, 0.9]), 0.3, 7.0)
    found = fit(FAMILIES["gamma"], {0.1: truth[0], 0.9: truth[1]}, (0, math.inf))
    assert found.parameters == pytest.approx((0.3, 7.0), rel=1e-11)
