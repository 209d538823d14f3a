"""Summaries from chunks equal summaries of everything at once."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from difprog.forecast import chunks, forecast
from difprog.forecast.streaming import Collector, MissedBracketError
from difprog.forecast.summary import summarise, summarise_mixture
from tests.helpers import project, setup


def fill(collector: Collector, table: np.ndarray, size: int) -> None:
    for start in range(0, table.shape[1], size):
        part = table[:, start : start + size]
        collector.add(list(part), part.shape[1])


def agree(first: object, second: object) -> None:
    np.testing.assert_allclose(astuple(first), astuple(second), rtol=1e-10, atol=1e-14)  # type: ignore[call-overload]


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6), prob=st.sampled_from([0.5, 0.9, 0.99]),
    zeros=st.sampled_from([0.0, 0.05, 0.6]), clusters=st.sampled_from([None, 97, 5000]),
)  # fmt: skip
def test_one_column(seed: int, prob: float, zeros: float, clusters: int | None) -> None:
    rng = np.random.default_rng(seed)
    values = rng.standard_t(2, 3000)
    values[rng.random(3000) < zeros] = 0.0
    collector = Collector([1.0], prob, clusters)
    fill(collector, values[None, :], 500)
    agree(collector.summary(), summarise(values, 3000, prob, clusters))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), prob=st.sampled_from([0.5, 0.9]))
def test_mixtures_with_points_among_them(seed: int, prob: float) -> None:
    rng = np.random.default_rng(seed)
    table = np.stack([rng.normal(0, 1, 4000), rng.normal(3, 2, 4000), np.full(4000, 0.25)])
    weights = rng.random(3) + 0.1
    collector = Collector(weights.tolist(), prob, None)
    fill(collector, table, 1000)
    agree(collector.summary(), summarise_mixture(list(table), weights.tolist(), 4000, prob))


def test_a_constant_is_summarised_exactly() -> None:
    collector = Collector([1.0], 0.9, None)
    for _ in range(3):
        collector.add([0.1], 7)
    assert astuple(collector.summary()) == (0.1, 0.0, 0.0, 0.1, 0.1, 0.1, 1.0, 0.0)


def test_a_bracket_that_misses_is_noticed() -> None:
    collector = Collector([1.0], 0.9, None, sigmas=0.0)
    rng = np.random.default_rng(1)
    collector.add([rng.normal(size=200)], 200)
    collector.add([rng.normal(5, 1, size=5000)], 5000)
    with pytest.raises(MissedBracketError):
        collector.summary()


def test_a_forecast_in_chunks_is_the_forecast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK", 3000)
    asked = project("rlhf")
    whole = forecast.score(asked, setup(), 10_000)
    for sigmas in (7.0, 0.0):  # with no width at all every bracket misses, and it draws again
        parts = chunks.score(asked, setup(), 10_000, sigmas=sigmas or 1e-3)
        for first, second in zip(whole.models, parts.models, strict=True):
            for name, summary in first.summaries.items():
                agree(summary, second.summaries[name])
            assert first.arrival_given_success == pytest.approx(second.arrival_given_success)
        for name, summary in whole.ensemble.items():
            agree(summary, parts.ensemble[name])
        assert parts.models[0].draws.count == 3000
