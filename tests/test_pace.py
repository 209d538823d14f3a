"""How long still, in words, from the latest pace."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from difprog.base.pace import EVERY, FIRST, Pace, spell


@pytest.mark.parametrize(("per_second", "seconds"), [(2.0, 450.0), (100.0, 9.0), (0.05, 18_000.0)])
def test_at_an_even_pace_it_is_what_is_left(per_second: float, seconds: float) -> None:
    """And says it now and then: first soon, then every half minute."""
    at = 0.0
    pace, of = Pace(lambda: at), 1000
    said = []
    for done in range(50, of + 1, 10):
        at = 1000 + done / per_second
        if words := pace(done, of):
            said.append((at, done, words))
    for (one, *_), (two, *_) in pairwise(said):
        assert two - one >= EVERY
    for _, done, words in said:
        assert words == f"{100 * done / of:.0f}% done, {spell((of - done) / per_second)} left"
    assert bool(said) is (950 / per_second > FIRST)
    assert seconds == pytest.approx((of - 100) / per_second)


def test_a_slow_start_is_forgotten() -> None:
    at = 0.0
    pace = Pace(lambda: at)
    pace(0, 1000)
    at = 100.0
    assert pace(10, 1000) == "1% done, about 2.8 hours left"
    at = 140.0
    assert pace(410, 1000) == "41% done, about 60 seconds left"


def test_the_end_is_not_announced() -> None:
    at = 0.0
    pace = Pace(lambda: at)
    pace(0, 10)
    at = 99.0
    assert pace(10, 10) is None
    assert pace(0, 10) is None


@pytest.mark.parametrize("seconds", [0.1, 40, 89, 91, 600, 5399, 5401, 1e5])
def test_words_are_within_a_tenth(seconds: float) -> None:
    number, unit = re.fullmatch(r"about ([\d.]+) (\w+)", spell(seconds)).groups()
    size = {"seconds": 1, "minutes": 60, "hours": 3600}[unit]
    assert float(number) * size == pytest.approx(max(seconds, 10), rel=0.1, abs=30 if size == 60 else 6)
