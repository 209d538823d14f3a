"""Quantities as people write them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from difprog.base.units import UnitError, factor, interval, quantity
from difprog.race.parameters import PARAMETERS


@pytest.mark.parametrize(
    ("value", "unit", "wanted", "result"),
    [
        (3, None, "years", 3),
        ("18 months", None, "years", 1.5),
        ("18", "months", "years", 1.5),
        (18, "months", "years", 1.5),
        ("18 months", "days", "years", 1.5),
        ("10%", None, "", 0.1),
        ("20% per year", None, "1/year", 0.2),
        ("1,100", None, "FTE", 1100),
        ("2_500_000", None, "USD", 2.5e6),
        ("$/year", None, "USD/year", None),
        ("3 person-years", None, "FTE year", 3),
        ("6 FTE-months", None, "FTE year", 0.5),
        ("1e3 people", None, "FTE", 1000),
        ("-.5", None, "", -0.5),
        (1e11, "USD per year", "USD/year", 1e11),
        ("52 weeks", None, "years", 0.9965777),
    ],
)
def test_quantities_are_converted(value, unit, wanted, result):
    if result is None:
        with pytest.raises(UnitError):
            quantity(value, unit, wanted)
    else:
        assert quantity(value, unit, wanted) == pytest.approx(result, rel=1e-6)


@pytest.mark.parametrize(
    "value",
    [
        "nan",
        "inf",
        float("nan"),
        float("-inf"),
        True,
        None,
        [],
        {},
        "1,5 years",
        "1.2.3",
        "",
        "years",
        "1e400",
        10**400,
        "9" * 100,
        "5 kelvin",
        "5 degC",
        "1 year * 9**9**9**9",
        "__import__('os') years",
        "5 years\x00",
        "3 metres",
        "0x10",
        "2 years 3 months",
    ],
)
def test_what_is_no_number_of_years_is_refused(value):
    with pytest.raises(UnitError):
        quantity(value, None, "years")


@pytest.mark.parametrize("parameter", PARAMETERS.values(), ids=list(PARAMETERS))
def test_every_parameter_s_own_unit_is_known(parameter):
    assert factor(parameter.unit, parameter.unit) == 1
    assert quantity("2", parameter.unit or None, parameter.unit) == pytest.approx(2)
    other = "" if parameter.unit else "years"
    with pytest.raises(UnitError):
        factor(other or "furlongs", parameter.unit)


@given(st.floats(1e-9, 1e9), st.sampled_from(["days", "weeks", "months", "years", "hours"]))
def test_a_unit_there_and_back_changes_nothing(number, unit):
    there = quantity(number, unit, "years")
    assert quantity(there, "years", unit) == pytest.approx(number, rel=1e-12)


@given(st.text(max_size=60))
def test_any_text_is_a_number_or_refused(text):
    try:
        number = quantity(text, None, "years")
    except UnitError:
        return
    assert math.isfinite(number)


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("2 to 45 years", ("2 years", "45 years")),
        ("2 – 45", ("2", "45")),
        ("10 to 20%", ("10 %", "20%")),
        ("2 to", None),
        ("18 months", None),
        ("6 months to 2 years", ("6 months", "2 years")),
        ("-1 to 1", ("-1", "1")),
        ("a to b", ("a", "b")),
        ("x" * 200, None),
    ],
)
def test_intervals_are_split(text, ends):
    assert interval(text) == ends
