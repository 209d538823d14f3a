"""From percentiles and chips to beliefs, and back in words."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from difprog.base.errors import BadInput
from difprog.beliefs import elicit
from difprog.beliefs.distributions import Distribution, Mixture, Point, Shape
from difprog.beliefs.families import FAMILIES
from difprog.beliefs.forms import PERCENTILE
from difprog.race.parameters import PARAMETERS
from difprog.render import beliefs as drawing

ARRIVAL = PARAMETERS["agi_arrival"]
AS_OF = date(2026, 11, 20)


def test_percentile_keys_are_what_files_say():
    assert elicit.percentile_key(0.05) == "p5"
    assert elicit.percentile_key(0.125) == "p12_5"
    for count in range(2, 60):
        for chips in range(1, count):
            match = PERCENTILE.fullmatch(elicit.percentile_key(chips / count))
            assert match, (chips, count)
            assert float(f"{match[1]}.{match[2] or 0}") / 100 == pytest.approx(chips / count, abs=1e-8)


def test_units_are_converted_and_misfit_is_shown():
    found = elicit.belief(ARRIVAL, {"p5": "18 months", "p50": 9, "p95": "720 months"})
    assert found.stated == {0.05: 1.5, 0.5: 9, 0.95: 60}
    assert 0.01 < found.misfit < 0.2


def test_every_family_that_fits_is_offered_and_the_usual_one_comes_first():
    found = elicit.fits(ARRIVAL, {"p5": 2, "p95": 40})
    assert found[0].family == "lognormal"
    assert {"gamma", "loguniform", "lognormal"} <= {f.family for f in found}
    assert all(f.misfit < 1e-6 for f in found if f.family in ("gamma", "loguniform", "lognormal"))
    three = elicit.fits(PARAMETERS["leak"], {"p10": 0.2, "p50": 0.5, "p90": 0.8})
    assert {"beta", "logitnormal", "normal"} <= {f.family for f in three}
    rest = [round(f.misfit, 6) for f in three[1:]]
    assert rest == sorted(rest)


def test_chips_become_percentiles_at_the_ends_of_the_bins():
    found = elicit.parse_roulette("0 to 2: 3, 2 to 5: 8, 5 to 10: 6, 10 to 50: 3", ARRIVAL)
    assert found == {"p15": 2, "p55": 5, "p85": 10}
    months = elicit.parse_roulette("0 to 24 months: 3, 2 years to 5: 8, 5 to 10: 6, 10 to 50: 3", ARRIVAL)
    assert months == found
    made = elicit.belief(ARRIVAL, found)
    assert made.shape.cdf(5) == pytest.approx(0.55, abs=0.06)


def test_a_bin_without_chips_leaves_no_two_percentiles_of_one_level():
    found = elicit.roulette([0, 1, 2, 3, 4], [4, 0, 4, 2])
    assert found == {"p40": 1.5, "p80": 3}


@given(st.lists(st.integers(0, 9), min_size=3, max_size=12))
@settings(max_examples=200, deadline=None)
def test_any_chips_say_rising_percentiles_or_too_little(chips):
    edges = [float(i + 1) for i in range(len(chips) + 1)]
    try:
        found = elicit.roulette(edges, chips)
    except BadInput:
        assert sum(1 for c in chips if c) < 3
        return
    levels = [float(k[1:].replace("_", ".")) for k in found]
    assert levels == sorted(set(levels))
    assert list(found.values()) == sorted(set(found.values()))
    for level, edge in zip(levels, found.values(), strict=True):
        if edge == int(edge):
            share = sum(chips[: int(edge) - 1]) / sum(chips)
            assert level == pytest.approx(100 * share, abs=1e-5)
    elicit.belief(ARRIVAL, found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "cannot be read"),
        ("0 to 2: x", "cannot be read"),
        ("0 to 2: 3, 3 to 5: 2", "side by side"),
        ("0 to 2: 3, 2 to 1: 2, 1 to 4: 1", "must ascend"),
        ("0 to 2: -3, 2 to 4: 2, 4 to 5: 9", "none negative"),
        ("0 to 2: 3, 2 to 4: 2", "say too little"),
        ("0 to 2 USD: 3, 2 to 4: 2", "cannot be read"),
    ],
)
def test_chips_that_say_nothing_are_refused(text, said):
    with pytest.raises(BadInput, match=said):
        elicit.parse_roulette(text, ARRIVAL)


def test_the_tails_are_said_in_calendar_years():
    made = elicit.belief(ARRIVAL, {"p5": 2, "p95": 40})
    first, second = elicit.in_words(ARRIVAL, made.shape, AS_OF)
    assert first == (
        "this says 1 in 20 that AGI comes after 2066, and 1 in 20 that it comes before 2028; "
        "the even chance is 2035"
    )
    assert "its mean is 13.5 years, and 7 in 10 lie below it" in second
    assert elicit.year(date(2026, 1, 1), 0.5) == "2026"
    assert elicit.year(date(2026, 12, 31), 0.5) == "2027"
    assert elicit.year(AS_OF, 1e9) == "the year one million"


def test_other_tails_carry_the_unit():
    parameter = PARAMETERS["ai_spend"]
    made = elicit.belief(parameter, {"p5": 1e11, "p95": 5e11})
    assert elicit.in_words(parameter, made.shape, AS_OF)[0] == (
        "this says 1 in 20 above 5e11 USD/year, and 1 in 20 below 1e11 USD/year; "
        "the even chance is 2.24e11 USD/year"
    )
    assert elicit.in_words(parameter, Point(3.0), AS_OF) == ["this says exactly 3 USD/year"]
    chains = elicit.belief(PARAMETERS["serial_chains"], {"p10": 1, "p90": 5})
    assert "9 in 10 between 1 and 6" in elicit.in_words(PARAMETERS["serial_chains"], chains.shape, AS_OF)[0]


# Drawings

SHAPES: dict[str, Shape] = {
    "lognormal": Distribution(FAMILIES["lognormal"], (2.3, 1.2)),
    "normal": Distribution(FAMILIES["normal"], (0.2, 0.12)),
    "logitnormal": Distribution(FAMILIES["logitnormal"], (0.0, 1.0)),
    "small share": Distribution(FAMILIES["logitnormal"], (-6.0, 1.2)),
    "uniform": Distribution(FAMILIES["uniform"], (0.0, 3.0)),
    "count": Distribution(FAMILIES["lognormal"], (0.8, 0.6), integer=True),
    "point": Point(3.0),
    "zero": Point(0.0),
    "mixture": Mixture((0.5, 0.5), (Distribution(FAMILIES["lognormal"], (0.0, 0.4)), Point(9.0))),
    "narrow": Distribution(FAMILIES["normal"], (1e6, 1e-3)),
}


@pytest.mark.parametrize("width", [20, 60, 100])
@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize("name", SHAPES)
def test_drawings_fit_their_width_and_their_characters(name, width, ascii_only):
    lines = drawing.drawn(SHAPES[name], width, 4, ascii_only)
    assert len(lines) > 2
    assert all(len(line) <= width for line in lines)
    assert not ascii_only or all(line.replace("−", "-").isascii() for line in lines)
    assert any(line.strip() for line in lines[:-2])


@pytest.mark.parametrize("name", ["lognormal", "normal", "uniform", "mixture"])
def test_columns_hold_the_probability_that_lies_in_them(name):
    shape = SHAPES[name]
    scale = drawing.scale_for([shape], 50)
    mass = drawing.masses(shape, scale)
    assert mass.sum() == pytest.approx(0.99, abs=0.011)
    edges = scale.edges()
    drawn = shape.quantile(np.linspace(-4, 4, 20001))
    weights = np.exp(-0.5 * np.linspace(-4, 4, 20001) ** 2)
    counted, _ = np.histogram(drawn, edges, weights=weights / weights.sum())
    assert counted == pytest.approx(mass, abs=0.002)


def test_the_axis_marks_zero_the_median_and_round_ticks():
    line, labels = drawing.axis(drawing.scale_for([SHAPES["normal"]], 60), SHAPES["normal"])
    assert line.count("▲") == 1
    assert line[labels.index(" 0 ") + 1] == "0"
    assert "0.2" in labels
    scale = drawing.scale_for([SHAPES["lognormal"]], 60)
    assert scale.log
    assert {1, 10, 100} <= {round(t) for t in scale.ticks(8)}
    for tick in scale.ticks(8):
        assert scale.column(tick) is not None
    assert scale.edges()[scale.column(10.0)] <= 10 <= scale.edges()[scale.column(10.0) + 1]


def test_counts_are_bars_that_sum_to_one():
    lines = drawing.counts(SHAPES["count"], 60)
    shares = [float(line.split()[-1].rstrip("%")) for line in lines]
    assert sum(shares) == pytest.approx(100, abs=4)
    assert lines[-1].split()[0].endswith("+")


def test_encodings():
    assert drawing.drawable("utf-8")
    assert not drawing.drawable("ascii")
    assert not drawing.drawable("latin-1")
    assert not drawing.drawable(None)
    assert not drawing.drawable("no-such-encoding")
