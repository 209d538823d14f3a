"""Numbers as printed: no digit that the error does not support, and read back as they were."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from difprog.render.axis import Axis, common_axis, dots, rule, strip
from difprog.render.format import (
    interval,
    microdooms,
    one_in,
    percent,
    significant,
    supported,
    with_error,
)


def back(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


@given(
    st.floats(-1e9, 1e9, allow_subnormal=False).filter(lambda v: abs(v) > 1e-9),
    st.floats(1e-6, 1e6),
)
def test_what_is_printed_is_within_the_error_and_not_finer(value: float, error: float) -> None:
    printed = back(supported(value, error, digits=12))
    place = int(f"{error:.0e}".partition("e")[2])
    assert abs(printed - value) <= 0.51 * 10.0**place * (1 + 1e-9) or (
        abs(printed - value) <= 1e-6 * abs(value)
    )


@pytest.mark.parametrize(
    ("value", "error", "want"),
    [
        (31.187, 0.632, "31.2"), (-2.2777, 0.51, "−2.3"), (0.4314, 0.0026, "0.431"),
        (1234.5, 30.0, "1,230"), (0.0, 1.0, "0"), (0.3, 5.0, "0"), (5e-7, 0.0, "5e−7"),
        (math.inf, 0.0, "∞"), (9.97, 0.0, "9.97"), (9.997, 0.0, "10.0"), (-99.96, 0.0, "−100"),
        (0.09999, 0.0, "0.100"), (9.96, 0.097, "10.0"), (9.97, 0.02, "9.97"), (9_999_999, 0.0, "1e7"),
        (1.0, math.nan, "?"), (1.0, math.inf, "?"), (0.0, math.nan, "0"),
    ],
)  # fmt: skip
def test_examples(value: float, error: float, want: str) -> None:
    assert supported(value, error) == want


def test_with_error_shows_both_to_the_same_place() -> None:
    assert with_error(31.187e-6, 0.632e-6, 1e-6, sign=True) == "+31.2 ± 0.6"
    assert with_error(-0.041, 0.0, 1.0) == "−0.0410"
    # An error of 0.096 is 0.1 to one digit, and so is the place that the mean is cut at.
    assert with_error(1.0, 0.096) == "1.0 ± 0.1"
    assert with_error(1.0, 0.094) == "1.00 ± 0.09"
    assert with_error(1.0, math.inf) == "1.00 ± ?"


@given(st.floats(1e-9, 1e9))
def test_significant_digits_read_back(value: float) -> None:
    assert back(significant(value, 3)) == pytest.approx(value, rel=6e-3)


DECIMALS = st.builds(lambda n, k: float(f"{n}e{k}"), st.integers(-999_999, 999_999), st.integers(-12, 9))


def shifted(value: float, steps: int) -> float:
    for _ in range(abs(steps)):
        value = math.nextafter(value, math.copysign(math.inf, steps))
    return value


@given(DECIMALS, DECIMALS.map(abs), st.integers(1, 4), st.integers(-20, 20), st.integers(-20, 20))
def test_no_digit_hangs_on_the_last_bits(
    value: float, error: float, digits: int, one: int, other: int
) -> None:
    """Also where a digit turns: 9.95, 2.25, an error of 0.1."""
    if value != 0 and error != 0:
        near, about = shifted(value, one), shifted(error, other)
        assert supported(near, about, digits=digits) == supported(value, error, digits=digits)
        assert with_error(near, about) == with_error(value, error)
        assert significant(near, digits) == significant(value, digits)


@given(st.floats(allow_nan=False, allow_infinity=False).filter(bool), st.integers(1, 6))
def test_a_number_has_the_digits_that_are_asked_for(value: float, digits: int) -> None:
    text = significant(value, digits).lstrip("−")
    figures = re.sub(r"[.,]", "", text.partition("e")[0]).lstrip("0")
    # Beyond ten million zeros at the end are left out, before it they stand for the place.
    if "e" in text:
        assert 1 <= len(figures) <= digits
    elif "." in text:
        assert len(figures) == digits
    else:
        assert len(figures.rstrip("0")) <= digits


@given(st.floats(1e-300, 1e300), st.integers(1, 6))
def test_printed_again_it_is_the_same(value: float, digits: int) -> None:
    once = significant(value, digits)
    assert significant(back(once), digits) == once


@given(st.floats(1e-12, 1e12), st.floats(1e-9, 1e9))
def test_a_mean_and_its_error_end_at_the_same_place(value: float, error: float) -> None:
    mean, _, spread = with_error(value, error).partition(" ± ")
    figures = re.sub(r"[.,]", "", spread.partition("e")[0]).strip("0")
    assert len(figures) == 1
    if mean != "0" and "e" not in mean + spread and error >= value * 1e-5:
        assert len(mean.partition(".")[2]) == len(spread.partition(".")[2])


def test_small_things() -> None:
    assert microdooms(1.3e-5, 2e-7) == "+13.0"
    assert interval(-1e-6, 2e-6, 1e-6, sign=True) == "−1.0 to +2.0"
    assert interval(1.0, 1.0) == "1.0"
    assert one_in(1 / 72_000) == "1 in 72,000"
    assert one_in(-1e-6) == "1 in 1,000,000"
    assert one_in(0) == "nothing"
    assert one_in(-1) == "certainty"


@pytest.mark.parametrize(
    ("share", "count", "want"),
    [(0.0, 100, "0%"), (1.0, 100, "100%"), (0.374, 20_000, "37%"), (0.0001, 20_000, "<1%"),
     (0.9999, 20_000, ">99%"), (0.37, 100, "35%"), (0.001, 100, "<5%")],
)  # fmt: skip
def test_shares_are_as_fine_as_the_draws(share: float, count: int, want: str) -> None:
    assert percent(share, count) == want


@pytest.mark.parametrize("width", [20, 50, 100, 150])
def test_a_strip_shows_an_even_spread_at_any_width(width: int) -> None:
    """Four thousand draws spread over the axis leave no column empty."""
    axis = Axis(-1.0, 1.0, 1.0, width)
    ends = (np.arange(4000) + 0.5) / 4000 * 2 - 1
    assert " " not in strip(ends, axis)


@given(
    st.lists(st.floats(-1e4, 1e4), min_size=5, max_size=60), st.integers(10, 120)
)
def test_an_axis_holds_zero_and_keeps_order(values: list[float], width: int) -> None:
    sample = np.array(values)
    axis = common_axis([sample], width)
    assert axis.zero is not None
    assert len(strip(sample, axis)) == len(rule(axis)) == width
    assert len(axis.labels()) <= width
    columns = axis.column(np.sort(sample))
    assert (np.diff(columns) >= 0).all()
    assert all((c <= axis.zero) for c, v in zip(columns, np.sort(sample), strict=True) if v < 0)


def test_fifty_dots_are_fifty() -> None:
    sample = np.random.default_rng(0).normal(5, 20, 4000)
    rows = dots(sample, Axis(-60, 60, 1.0, 70), most=50)
    assert sum(row.count("●") for row in rows) == 50


def test_a_pile_that_is_too_high_says_how_high() -> None:
    rows = dots(np.zeros(100), Axis(-1, 1, 0.1, 20), count=50, most=5)
    assert len(rows) == 5
    assert "50" in rows[0]
