"""The Gaussian copula: what is asked for is what the draws have, or an error names the pair."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from difprog.base.errors import BadInput
from difprog.beliefs.beliefs import Correlation, Layer, Stack
from difprog.beliefs.distributions import Distribution, Mixture, Point, Shape
from difprog.beliefs.families import FAMILIES
from difprog.evidence.posterior import Posterior
from difprog.forecast.copula import mixing
from difprog.forecast.sampling import draw_beliefs
from tests.helpers import INLINE, layer, shapes_question

SHAPES: dict[str, Shape] = {
    "breakthrough": Distribution(FAMILIES["lognormal"], (0.0, 1.5)),
    "relevance": Distribution(FAMILIES["logitnormal"], (0.0, 1.0)),
    "coupling": Distribution(FAMILIES["beta"], (2.0, 5.0), 0.05, 0.9),
    "lead_time": Mixture(
        (0.6, 0.4),
        (Distribution(FAMILIES["lognormal"], (0.0, 0.5)), Distribution(FAMILIES["gamma"], (3.0, 2.0))),
    ),
    "agi_arrival": Distribution(FAMILIES["exponential"], (12.0,)),
    "skill": Distribution(FAMILIES["lognormal"], (0.0, 0.3)),
}
COUNT = 20_000


def question(ranks, posterior=None, shapes=SHAPES):
    return shapes_question(shapes, ranks, posterior)


def spearman_error(rank):
    """Standard error of a Spearman correlation (Bonett & Wright 2000, Psychometrika 65:23)."""
    return math.sqrt((1 + rank**2 / 2) / (COUNT - 3)) * (1 - rank**2)


RANKS = {
    ("breakthrough", "relevance"): 0.4, ("relevance", "coupling"): -0.6, ("breakthrough", "lead_time"): 0.7,
    ("agi_arrival", "skill"): 0.9,
}  # fmt: skip


def test_correlations_of_the_draws_are_those_asked_for():
    drawn = draw_beliefs(question(RANKS), COUNT, 1)
    for (first, second), rank in RANKS.items():
        got = stats.spearmanr(drawn[first], drawn[second]).statistic
        assert abs(got - rank) < 4 * spearman_error(rank), (first, second, got)
    for pair in [("agi_arrival", "breakthrough"), ("coupling", "skill")]:
        assert abs(stats.spearmanr(drawn[pair[0]], drawn[pair[1]]).statistic) < 4 / math.sqrt(COUNT)


def test_correlations_leave_every_belief_s_own_law():
    drawn = draw_beliefs(question(RANKS), COUNT, 2)
    for name, shape in SHAPES.items():
        assert stats.kstest(shape.cdf(drawn[name]), "uniform").pvalue > 1e-4, name


@given(st.floats(-0.97, 0.97))
@settings(max_examples=15, deadline=None)
def test_any_single_rank_is_realised(rank):
    drawn = draw_beliefs(question({("skill", "lead_time"): rank}), COUNT, 3)
    got = stats.spearmanr(drawn["skill"], drawn["lead_time"]).statistic
    assert abs(got - rank) < 4.5 * spearman_error(rank) + 1e-4


def test_uncorrelated_beliefs_keep_their_draws():
    plain = draw_beliefs(question({}), 500, 4)
    tied = draw_beliefs(question({("skill", "relevance"): 0.5}), 500, 4)
    for name in SHAPES.keys() - {"skill", "relevance"}:
        assert np.array_equal(plain[name], tied[name])


def test_a_longer_run_begins_with_the_shorter_one():
    asked = question(RANKS)
    long = draw_beliefs(asked, 1000, 5)
    short = draw_beliefs(asked, 300, 5)
    for name in SHAPES:
        assert long[name][:300] == pytest.approx(short[name], rel=1e-12)


def test_what_cannot_hold_together_names_the_pair():
    ranks = {("skill", "relevance"): 0.9, ("relevance", "coupling"): 0.9, ("skill", "coupling"): -0.9}
    asked = question(ranks)
    (group,) = asked.groups
    with pytest.raises(BadInput, match="cannot hold together") as caught:
        mixing(asked, group)
    assert "my.toml: correlations" in str(caught.value)
    one_culprit = question({("skill", "relevance"): 0.8, ("relevance", "coupling"): 0.8,
                            ("skill", "coupling"): -0.5, ("coupling", "lead_time"): 0.1})  # fmt: skip
    with pytest.raises(BadInput, match=r"correlations (skill|relevance), (coupling|relevance): cannot"):
        mixing(one_culprit, one_culprit.groups[0])


@given(st.lists(st.floats(-0.95, 0.95), min_size=6, max_size=6))
@settings(max_examples=100, deadline=None)
def test_four_beliefs_are_positive_definite_or_refused(ranks):
    names = ["skill", "relevance", "coupling", "lead_time"]
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    asked = question(dict(zip(pairs, ranks, strict=True)))
    matrix = np.eye(4)
    for (a, b), rank in zip(pairs, ranks, strict=True):
        i, j = names.index(a), names.index(b)
        matrix[i, j] = matrix[j, i] = 2 * math.sin(math.pi * rank / 6)
    lowest = np.linalg.eigvalsh(matrix)[0]
    try:
        mixing(asked, asked.groups[0])
    except BadInput:
        assert lowest < 1e-8
    else:
        assert lowest > -1e-12


def test_a_point_cannot_correlate_in_its_own_file_and_from_another_leaves_nothing_to_move() -> None:
    asked = shapes_question({**SHAPES, "skill": Point(1.0)}, {("skill", "relevance"): 0.5})
    with pytest.raises(BadInput, match="skill is a point and cannot correlate"):
        mixing(asked, asked.groups[0])
    tied = Layer(INLINE, {}, (Correlation(("skill", "relevance"), 0.5),))
    assert list(Stack((tied,)).correlations) == [("relevance", "skill")]
    assert Stack((tied, layer({"skill": 1.0}))).correlations == {}
    assert list(Stack((layer({"skill": 1.0}), tied)).correlations) == [("relevance", "skill")]


def _conditioned():
    rng = np.random.default_rng(1)
    both = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], size=4000)
    posterior = Posterior({"agi_arrival": np.exp(both[:, 0]), "skill": np.exp(both[:, 1])})
    ranks = {("agi_arrival", "relevance"): 0.6, ("skill", "coupling"): -0.3}
    return question(ranks, posterior)


def test_conditioned_beliefs_keep_their_draws_and_the_others_follow():
    asked = _conditioned()
    drawn = draw_beliefs(asked, COUNT, 6)
    assert np.isin(drawn["agi_arrival"], asked.views[0].posterior.draws["agi_arrival"]).all()
    # Each kept draw serves five draws: the standard error is that of 4,000 pairs.
    for pair, rank in {("agi_arrival", "relevance"): 0.6, ("skill", "coupling"): -0.3}.items():
        got = stats.spearmanr(drawn[pair[0]], drawn[pair[1]]).statistic
        assert abs(got - rank) < 4 / math.sqrt(4000), (pair, got)


def test_conditioned_draws_do_not_depend_on_how_many_are_drawn():
    asked = _conditioned()
    long, short = draw_beliefs(asked, 1000, 7), draw_beliefs(asked, 200, 7)
    for name in SHAPES:
        assert long[name][:200] == pytest.approx(short[name], rel=1e-12), name


def test_two_conditioned_beliefs_cannot_be_tied_by_hand():
    asked = question(
        {("agi_arrival", "skill"): 0.5}, Posterior({"agi_arrival": np.ones(9), "skill": np.ones(9)})
    )
    with pytest.raises(BadInput, match="both beliefs are conditioned on evidence"):
        mixing(asked, asked.groups[0])


def test_ties_that_the_evidence_leaves_no_room_for_are_refused():
    """Two beliefs that are as one in the posterior; a third is to go with the one and against the other."""
    x, noise = np.random.default_rng(2).standard_normal((2, 500))
    ranks = {("agi_arrival", "relevance"): 0.6, ("skill", "relevance"): -0.6}
    for other in (x, x + 0.1 * noise):  # the same to the last rank, and nearly
        alike = question(ranks, Posterior({"agi_arrival": np.exp(x), "skill": np.exp(other)}))
        with pytest.raises(BadInput, match="cannot hold together with the evidence"):
            mixing(alike, alike.groups[0])
    # Of three kept draws no correlation can be told: the two are taken to have none.
    few = question(ranks, Posterior({"agi_arrival": np.exp(x[:3]), "skill": np.exp(x[:3])}))
    stated = {n: 2 * math.sin(math.pi * r / 6) for (n, _), r in ranks.items()}
    found = mixing(few, few.groups[0])
    assert found.weights[0] == pytest.approx([stated[name] for name in found.given])
