"""The compiled race against an independent evaluation of the model's page, and the laws of its functions.

What holds of whole projects is in test_laws.py.
"""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytensor.tensor as pt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from difprog.beliefs.beliefs import neutral
from difprog.forecast.lowering import Lowered
from difprog.forecast.sampling import draw
from difprog.forecast.variants import Variants
from difprog.models.model import STATED_ONLY, load, vocabulary
from difprog.race import race
from tests import reference, strategies
from tests.helpers import MODELS, effect_names, evaluated, numbers, question

#: What a proposal may state outright. Each set is a graph of its own, so that there are few of them.
STATED: list[tuple[str, ...]] = [
    (),
    ("capability_speedup",),
    ("capability_speedup", "hit_probability"),
    ("serial_speedup",),
    ("serial_speedup", "gated_speedup", "timeline_shortening"),
    ("relevance",),
    ("relevance", "coupling", "parallel_speedup"),
    (*effect_names(), "hit_probability"),
]
#: Worlds that an example evaluates at once.
BATCH = 24

#: Nobody, for as long as it takes.
NOBODY = {"effort": 0.0, "start": 0.0, "duration": 1.0, "cost": 0.0}
Worlds = dict[str, np.ndarray]


def row(table: Worlds, i: int) -> dict[str, float]:
    return {name: float(column[i]) for name, column in table.items()}


# Points


@pytest.mark.parametrize("names", STATED, ids=lambda names: ", ".join(names[:3]) or "all derived")
@settings(max_examples=3, deadline=None)
@given(data=st.data(), facts=strategies.facts(), worlds=strategies.worlds(BATCH))
def test_every_reading_s_points_are_those_of_an_independent_evaluation(
    names: tuple[str, ...], data: st.DataObject, facts: dict[str, Any], worlds: Worlds
) -> None:
    stated = data.draw(strategies.stated(names, BATCH))
    drawn = evaluated(worlds, stated=stated, **facts)
    for (place, model), i in product(enumerate(MODELS), range(BATCH)):
        world, effects = row(worlds, i), load(model).effects
        heard = {n: v for n, v in row(stated, i).items() if n in (*effects, "hit_probability", *STATED_ONLY)}
        want = expected(model, facts | {n: world[n] for n in NOBODY}, world, heard)
        for name in ("without", "hit", "miss", "net_effect"):
            if name == "miss" and want["hit_probability"] == 1:
                continue  # it weighs nothing
            got = float(getattr(drawn, name)[place, i])
            assert math.isclose(got, want[name], rel_tol=1e-9, abs_tol=1e-14), (model, name, got, want[name])
        for name, value in drawn.effects_hit.items():
            wanted = want["effects"]["hit"][name] if name in effects else 0.0
            assert math.isclose(value[place, i], wanted, rel_tol=1e-9, abs_tol=1e-15), (model, name)


def expected(model: str, facts: dict[str, Any], world: dict[str, float], stated: dict[str, float]) -> Any:
    """Return the reference's answer. It hears a stated field_growth where followers are open; the vocabulary
    has it in the base race, so that whoever states it is heard under every reading."""
    if "field_growth" in stated and model not in ("narrow_superhuman", "synthesis"):
        closed = reference.OPENS["synthesis"] - reference.OPENS[model] - {"field_growth"}
        beliefs = {k: v for k, v in stated.items() if k not in reference.NOTHING}
        w = {**reference.seen(model, world), **beliefs}
        found = reference.effects(facts, w, {k: v for k, v in stated.items() if k not in closed})
        p = found["hit_probability"]
        worlds = reference.NOTHING, found["hit"], found["miss"]
        without, hit, miss = (reference.chance(w, effects) for effects in worlds)
        net = p * (hit - without) + (1 - p) * (miss - without)
        return {"without": without, "hit": hit, "miss": miss, "net_effect": net, "effects": found,
                "hit_probability": p}  # fmt: skip
    return reference.net(model, facts, world, stated)


@pytest.mark.parametrize("name", ["sandwiching", "scaling"])
@pytest.mark.parametrize("model", MODELS)
def test_synthesis_with_what_a_model_lacks_at_neutral_is_that_model(
    model: str, name: str
) -> None:
    (everything,) = question(name, "synthesis").views
    smaller = question(name, model)
    reads = smaller.views[0].beliefs
    held = {
        n: neutral(vocabulary()[n]) for n in everything.beliefs
        if n not in reads and vocabulary()[n].neutral is not None
    }  # fmt: skip
    assert set(everything.beliefs) == {*reads, *held}, "every further belief has a neutral value"
    nested = replace(smaller, views=(replace(everything, beliefs={**everything.beliefs, **reads, **held}),))
    one, other = numbers(draw(nested, 3000, 5)), numbers(draw(smaller, 3000, 5))
    for key in other:
        assert np.array_equal(one[key], other[key]), key


@settings(max_examples=3, deadline=None)
@given(strategies.worlds(BATCH))
def test_slopes_are_those_of_finite_differences(worlds: Worlds) -> None:
    # Away from kinks: smooth requirements, and the paradigm inside the race.
    smooth = {name: 0.5 + worlds[name] for name in ("parallel_spread", "serial_spread", "chunk_spread")}
    smooth |= {
        "researchers": 100 + worlds["researchers"], "agi_arrival": 1 + worlds["agi_arrival"],
        **{name: 0.05 + 0.9 * worlds[name] for name in ("labour_quality", "paradigm_fraction")},
    }  # fmt: skip
    drawn = evaluated(worlds | smooth | NOBODY)
    names = effect_names()
    exact, shape = Variants(drawn).slopes(names, {}), drawn.without.shape
    for name in names:
        step = 1e-5 * (1e3 if name == "parallel_speedup" else 1.0)
        up, down = (drawn.race.chance({name: np.full(shape, by)}) for by in (step, -step))
        np.testing.assert_allclose(exact[name], (up - down) / (2 * step), rtol=2e-3, atol=2e-6, err_msg=name)


# Laws


@settings(max_examples=3, deadline=None)
@given(strategies.worlds(BATCH), strategies.effects(), strategies.effects())
def test_what_a_project_does_for_alignment_never_lowers_the_chance(
    worlds: Worlds, first: dict[str, float], second: dict[str, float]
) -> None:
    drawn = evaluated(worlds | NOBODY)
    assert ((drawn.without >= 0) & (drawn.without <= 1)).all()
    for name in set(effect_names()) - {"capability_speedup", "timeline_shortening"}:
        low, high = sorted((first[name], second[name]))
        some, more = (drawn.race.chance({name: np.full(drawn.without.shape, by)}) for by in (low, high))
        assert (more >= some - 1e-14).all(), name


@pytest.mark.parametrize(
    ("name", "most"),
    [("field_ceiling", 1e7), ("grace_period", 20.0), ("default_success", 1.0), ("safety_lead", 1.0)],
)
@settings(max_examples=3, deadline=None)
@given(worlds=strategies.worlds(BATCH), share=st.floats(0, 1))
def test_a_belief_that_never_lowers_the_chance_without_the_project(
    name: str, most: float, worlds: Worlds, share: float
) -> None:
    room = np.maximum(most - np.where(np.isinf(worlds[name]), most, worlds[name]), 0.0)
    low, high = (evaluated({**worlds, **NOBODY, name: worlds[name] + by * room}) for by in (0.0, share))
    assert (high.without >= low.without - 1e-14).all()


@settings(max_examples=3, deadline=None)
@given(
    worlds=strategies.worlds(8),
    certain=st.tuples(*[st.sampled_from([0.0, 1.0])] * 3),
    shift=st.floats(-800, 800),
)
def test_what_is_certain_stays_put_under_any_shift(
    worlds: Worlds, certain: tuple[float, float, float], shift: float
) -> None:
    sure = dict(zip(("safety_lead", "adoption", "breadth"), map(np.asarray, certain), strict=True))
    drawn = evaluated(worlds | NOBODY | sure)
    for by in (shift, -37.0, 37.0):
        names = "lead_effect", "adoption_effect", "breadth_effect"
        shifts = {n: np.full(drawn.without.shape, by) for n in names}
        assert np.array_equal(drawn.race.chance(shifts), drawn.without)


def test_odds_shift_by_the_log_odds() -> None:
    by_hand = [0.0, 1e-9, 0.001, 0.3, 0.999, 1.0], [-900.0, -37.0, -2.5, 0.0, 1e-12, 4.0, 900.0]
    probability, d = np.meshgrid(*by_hand)
    nodes = {"p": pt.dmatrix(), "d": pt.dmatrix()}
    shift = Lowered(nodes, [race.shift_odds(nodes["p"], nodes["d"])], dict.fromkeys(nodes, (False, False)))
    with np.errstate(over="ignore"):
        (got,) = shift({"p": probability, "d": d})
    want = np.vectorize(reference.shifted)(probability, d)
    np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-300)
    assert np.array_equal(got[3], probability[3]), "no shift changes no bit"


@pytest.mark.parametrize(
    ("value", "is_closed"),
    [(0, True), (0.0, True), (-0.0, True), (-1, False), (-1.0, False), (1, False), (np.zeros(2), False)],
)
def test_only_the_number_0_closes_a_mechanism(value: Any, is_closed: bool) -> None:
    assert race.closed(value) is is_closed


def test_the_hit_probability_averages_exactly() -> None:
    drawn = draw(question("scaling"), 500, 3)
    assert drawn.race.branched
    chance = drawn.chance_of_hit
    want = chance * (drawn.hit - drawn.without) + (1 - chance) * (drawn.miss - drawn.without)
    assert np.array_equal(drawn.net_effect, want)


def test_effects_can_be_copied() -> None:
    """Whoever asks for an effect that is not named gets 0; Python's own hooks are no effects."""
    assert copy.deepcopy(race.Effects(parallel_speedup=2.0)).parallel_speedup == 2.0
    assert race.Effects().parallel_speedup == 0.0
