"""Variants of effects: what stages share changes no number, and some draws only say where to look."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations

import numpy as np
import pytest

from difprog.forecast import variants as module
from difprog.forecast.sampling import Draws
from difprog.forecast.variants import Variants
from difprog.why import breakeven
from difprog.why.channels import channels_of
from tests.helpers import MODELS, score_all

EVERY = tuple(range(len(MODELS)))


@lru_cache
def drawn(count: int = 500) -> Draws:
    return score_all("rlhf", draws=count).draws


def direct(draws: Draws, effects: list[str], factors: dict[str, float]) -> np.ndarray:
    """Return the net effect from two calls of the race."""
    hit, miss = (
        draws.race.chance({n: branch[n] * factors.get(n, 1.0) for n in effects}) - draws.without
        for branch in (draws.effects_hit, draws.effects_miss)
    )
    return np.asarray(draws.averaged(hit, miss))


@pytest.mark.parametrize("kept", [module.KEPT_BYTES, 0])
def test_variants_are_what_the_race_says_of_each(kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_BYTES", kept)
    monkeypatch.setattr(module, "BLOCK", 700)
    draws = drawn()
    variants, every = Variants(draws), list(draws.effects_hit)
    np.testing.assert_array_equal(variants.net_effect(every, EVERY), draws.net_effect)
    players = channels_of(draws)
    chosen = [[n for p in two for n in players[p]] for two in combinations(players, 2)]
    for effects in (*chosen, *([name] for name in every)):
        expected = direct(draws, effects, {})
        np.testing.assert_allclose(variants.net_effect(effects, EVERY), expected, rtol=0, atol=1e-15)
    for factors in ({"capability_speedup": 3.0, "timeline_shortening": 3.0}, {"parallel_speedup": 0.0}):
        found = variants.net_effect(every, [1, 4], factors)
        np.testing.assert_allclose(found, direct(draws, every, factors)[[1, 4]], rtol=0, atol=1e-15)


def test_each_tenth_draw_is_each_tenth_draw() -> None:
    draws = drawn()
    found = Variants(draws, 10).net_effect(list(draws.effects_hit), EVERY)
    np.testing.assert_array_equal(found, draws.net_effect[:, ::10])


def test_what_is_kept_is_bounded_and_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_BYTES", 200_000)
    variants = Variants(drawn())
    (piece,) = variants.stretches([0])
    for name in drawn().effects_hit:
        piece.net([name])
    assert 0 < variants.kept <= 200_000
    piece.close()
    assert variants.kept == 0


def test_break_even_is_the_root_on_all_draws_however_it_was_found() -> None:
    draws = drawn(20_000)
    looked = breakeven.looked_at(draws)
    assert len(looked) == 2
    for row in EVERY:
        quick = breakeven.break_even(draws, row, looked)
        whole = breakeven.break_even(draws, row, looked[:1])
        for name, close in (("multiplier", 1e-6), ("mcse", 1e-2)):
            for kind in ("capability", "alignment"):
                one, two = (getattr(found, f"{kind}_{name}") for found in (quick, whole))
                assert (one is None) == (two is None), (row, kind)
                assert one is None or one == pytest.approx(two, rel=close), (row, kind, name)


def test_a_root_is_found_on_curves_and_at_jumps() -> None:
    for value, root, close in (
        (lambda x: 2.0 - x**3, 2.0 ** (1 / 3), 1e-8),
        (lambda x: 1.0 if x < 1.2345678901 else -1.0, 1.2345678901, 1e-12),
        (lambda x: 1e-5 * (1.0 - (x / 3.9) ** 40), 3.9, 1e-8),
    ):
        known, flat = [(1.0, value(1.0))], 1e-2 * abs(value(1.0))
        found, _ = breakeven._narrowed(value, {True: 1.0, False: 4.0}, 2.0, 0.0, known, 1e-6, flat)
        assert found == pytest.approx(root, rel=close)
