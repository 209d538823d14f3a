"""Quantities as people write them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from difprog.base.units import UnitError, factor, interval, quantity
from difprog.models.model import vocabulary


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
        "18m",
        "3M",
        "about 3 years",
        "5±1 years",
        ">5 years",
        "10+ years",
        "€3",
        "5 kelvin",
        "5 degC",
        "1 year * 9**9**9**9",
        "__import__('os') years",
        "5 years\x00",
        "3 metres",
        "0x10",
    ],
)
def test_what_is_no_number_of_years_is_refused(value):
    with pytest.raises(UnitError):
        quantity(value, None, "years")


@pytest.mark.parametrize("parameter", vocabulary().values(), ids=list(vocabulary()))
def test_every_parameter_s_own_unit_is_known(parameter):
    assert factor(parameter.unit, parameter.unit) == 1
    assert quantity("2", parameter.unit or None, parameter.unit) == pytest.approx(2)
    other = "" if parameter.unit else "years"
    with pytest.raises(UnitError):
        factor(other or "furlongs", parameter.unit)


PHRASES = [
    ("$3M", "USD", 3e6),
    ("3M", "USD", 3e6),
    ("$3m", "USD", 3e6),
    ("$900k", "USD", 9e5),
    ("900k", "USD", 9e5),
    ("$2.5 million", "USD", 2.5e6),
    ("2.5 million dollars", "USD", 2.5e6),
    ("USD 3M", "USD", 3e6),
    ("US$3M", "USD", 3e6),
    ("3M USD", "USD", 3e6),
    ("2,500,000", "USD", 2.5e6),
    ("2 500 000", "USD", 2.5e6),
    ("1.5e6", "USD", 1.5e6),
    ("$500k a year for 2 years", "USD", 1e6),
    ("$1.2bn per year", "USD/year", 1.2e9),
    ("100 billion USD/year", "USD/year", 1e11),
    ("18 months", "years", 1.5),
    ("18 mo", "years", 1.5),
    ("2 yrs", "years", 2),
    ("two years", "years", 2),
    ("half a year", "years", 0.5),
    ("a quarter", "years", 0.25),
    ("a decade", "years", 10),
    ("8 people for 2 years", "FTE year", 16),
    ("8 people × 2 years", "FTE year", 16),
    ("8 people x 2 years", "FTE year", 16),
    ("3 FTE for 18 months", "FTE year", 4.5),
    ("3 people full-time for a year", "FTE year", 3),
    ("half an FTE for 6 months", "FTE year", 0.25),
    ("16 FTE-years", "FTE year", 16),
    ("16 person-years", "FTE year", 16),
    ("192 person months", "FTE year", 16),
    ("1.1k people", "FTE", 1100),
    ("80%", "", 0.8),
    ("80 percent", "", 0.8),
    ("4 in 5", "", 0.8),
    ("1 in 20", "", 0.05),
    ("1 out of 20", "", 0.05),
    ("1/20", "", 0.05),
    ("−0.5", "", -0.5),
    ("20% per year", "1/year", 0.2),
    ("20%/year", "1/year", 0.2),
    ("0.1 per FTE-year", "1/(FTE year)", 0.1),
    ("2 years 3 months", "years", 2.25),
    ("1 year and 6 months", "years", 1.5),
    ("a year and a half", "years", 1.5),
    ("one and a half years", "years", 1.5),
    ("1 1/2 years", "years", 1.5),
    ("1½ years", "years", 1.5),
    ("twenty-five years", "years", 25),
    ("a third of a year", "years", 1 / 3),
    ("30 min", "years", 30 / 525_960),
    ("51 s", "years", 51 / 31_557_600),
    ("a fortnight", "years", 14 / 365.25),
    ("four in five", "", 0.8),
    ("4-in-5", "", 0.8),
    ("1 in 10,000", "", 1e-4),
    ("80 per cent", "", 0.8),
    ("50/50", "", 0.5),
    ("even odds", "", 0.5),
    ("half", "", 0.5),
    ("two thirds", "", 2 / 3),
    ("three quarters", "", 0.75),
    ("3 times", "", 3),
    ("a factor of 3", "", 3),
    ("3×10^-4", "", 3e-4),
    ("a hundred people", "FTE", 100),
    ("half a million dollars", "USD", 5e5),
    ("$1.2 mil", "USD", 1.2e6),
    ("1.2M$", "USD", 1.2e6),
    ("3 p-y", "FTE year", 3),
    ("40 man-months", "FTE year", 40 / 12),
    ("2 PhD students for 3 years", "FTE year", 6),
    ("3 people over 2 years", "FTE year", 6),
    ("3 people, 2 years", "FTE year", 6),
]


@pytest.mark.parametrize(("text", "wanted", "result"), PHRASES)
def test_quantities_are_read_as_people_write_them(text, wanted, result):
    assert quantity(text, None, wanted) == pytest.approx(result, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "wanted", "hint"),
    [
        ("€3M", "USD", "convert it"),
        ("3M EUR", "USD", "convert it"),
        ("18m", "years", "months"),
        ("3M", "years", "million"),
        ("about 3", "years", "interval"),
        ("5 ± 1", "years", "interval"),
        ("at least 5", "years", "interval"),
        ("1,5", "years", "1.5"),
        ("8 people", "FTE year", "8 people for 2 years"),
        ("2 years", "FTE year", "8 people for 2 years"),
        ("2000 person-hours", "FTE year", "person-weeks"),
        ("$3M for 2 years", "USD", "a year"),
        ("$3M over 2 years", "USD", "or the sum alone"),
        ("3 years at $100k", "USD", "a year for 3 years"),
        ("1.200.000", "USD", "with a comma"),
        ("free", "USD", "write 0"),
        ("2030", "years", "count from now"),
        (2030, "years", "count from now"),
        ("by 2030", "years", "count from now"),
        ("unknown", "years", "leave it out"),
        ("a couple of years", "years", "interval"),
        ("1-2 years", "years", "interval"),
        ("6 to 15 (90%)", "years", "interval"),
        ("3 and 5 years", "years", "18 months"),
        ("1:20", "", "1 in 20"),
        ("never", "", "1 in 1,000"),
        ("4 of 5", "", "4 in 5"),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused_with_a_hint(text, wanted, hint):
    with pytest.raises(UnitError) as caught:
        quantity(text, None, wanted)
    assert hint in caught.value.hint


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
        ("12-20", ("12", "20")),
        ("between 6 and 15", ("6", "15")),
        ("from 6 to 15", ("6", "15")),
        ("6..15", ("6", "15")),
        ("two to three people for 18 months", ("2 people for 18 months", "3 people for 18 months")),
        ("a third to two thirds", ("0.3333333333333333", "0.6666666666666666")),
        ("12–20 years", ("12 years", "20 years")),
        ("10 to 20%", ("10 %", "20%")),
        ("10-20%", ("10 %", "20%")),
        ("5%-10%", ("5%", "10%")),
        ("$2-3M", ("$2 M", "$3M")),
        ("$2M-$3M", ("$2M", "$3M")),
        ("$900k to 1.2M", ("$900k", "$1.2M")),
        ("900k to 1.2M USD", ("900k USD", "1.2M USD")),
        ("1e-5 to 1e-3", ("1e-5", "1e-3")),
        ("1 in 20 to 1 in 5", ("1 in 20", "1 in 5")),
        ("6 to 8 people for 2 years", ("6 people for 2 years", "8 people for 2 years")),
        ("8 people for 2 to 3 years", ("8 people for 2 years", "8 people for 3 years")),
        ("1e-5", None),
        ("-5", None),
        ("16 person-years", None),
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


@given(st.text(max_size=60))
def test_any_text_is_an_interval_or_none(text):
    ends = interval(text)
    assert ends is None or len(ends) == 2
