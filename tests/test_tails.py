"""Pareto k̂: ArviZ's own value without ArviZ, and the index of the distribution where that is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from difprog.forecast.tails import FEWEST, tail_index


def draws(seed: int, index: float, count: int, share: float = 1.0) -> np.ndarray:
    """Return draws of a generalised Pareto distribution, all but a share of them set to zero."""
    stream = np.random.default_rng(seed)
    uniform = stream.random(count)
    values = np.expm1(-index * np.log(uniform)) / index if index else -np.log(uniform)
    return np.where(stream.random(count) < share, values, 0.0)


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**20),
    index=st.sampled_from([-0.4, 0.0, 0.3, 0.5, 0.7, 1.0, 2.0]),
    count=st.sampled_from([25, 60, 225, 226, 2000]),
    share=st.sampled_from([0.1, 0.5, 1.0]),
    scale=st.sampled_from([1e-12, 1.0, 1e6]),
    weighted=st.booleans(),
)
def test_it_is_the_value_of_arviz(
    seed: int, index: float, count: int, share: float, scale: float, weighted: bool
) -> None:
    from arviz_stats.base import array_stats

    values = scale * draws(seed, index, count, share)
    weights = np.random.default_rng(seed + 1).gamma(0.5, size=count)
    weights = weights / weights.sum() if weighted else np.full(count, 1 / count)
    ours = tail_index(values, weights if weighted else None)
    sizes = values * weights * count
    if ours is None and len(np.unique(np.sort(sizes)[-5:])) < 5:
        return
    with np.errstate(all="ignore"):
        theirs = float(np.asarray(array_stats.pareto_khat(sizes[None, :], r_eff=1.0, tail="right")))
    if ours is None:
        assert not np.isfinite(theirs)
    else:
        assert ours == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize("index", [0.0, 0.3, 0.7, 1.0])
def test_it_finds_the_index_of_a_known_distribution(index: float) -> None:
    found = np.mean([tail_index(draws(seed, index, 20_000)) for seed in range(20)])
    assert found == pytest.approx(index, abs=0.05)


@pytest.mark.parametrize(
    "values",
    [3.0, np.zeros(1000), np.ones(1000), np.arange(FEWEST - 1.0), np.append(np.arange(99.0), np.inf),
     np.append(np.zeros(999), 1.0)],
)  # fmt: skip
def test_a_tail_that_is_none_has_no_index(values: object) -> None:
    assert tail_index(values) is None


def test_it_looks_at_sizes_only() -> None:
    values = draws(3, 0.6, 5000)
    assert tail_index(-values) == tail_index(values) == tail_index(values[::-1])
