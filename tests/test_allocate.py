"""Allocation against brute force, closed forms and simulated truths."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from difprog.choose import rules
from difprog.choose.averages import harmed, means
from difprog.choose.credences import credence_spans
from difprog.choose.disappointment import disappointment
from difprog.choose.frontier import budgets_for, frontier
from difprog.choose.information import FEW, _best, information, information_of
from difprog.choose.margin import bar, needed
from difprog.choose.pilot import sample_information
from difprog.choose.programme import TIE, Limits, _worth, best, linear, relaxed
from difprog.choose.rows import Rows
from difprog.choose.rules import EXACT, GAP, RULES, by_reviews, choose, goal_of, support
from difprog.choose.solver import solved


def instance(seed: int, most: int = 16) -> tuple[Rows, float, float | None]:
    """Return random rows, a budget and perhaps a cap, in dollars and probabilities as they come."""
    rng = np.random.default_rng(seed)
    count, models = int(rng.integers(1, most + 1)), int(rng.integers(1, 7))
    cost = np.round(rng.lognormal(13, 1, count), -3)
    if seed % 5 == 0:
        cost[rng.random(count) < 0.2] = 0.0
    base = rng.normal(5e-6, 2e-5, count) * np.where(rng.random(count) < 0.1, 20, 1)
    effects = base + rng.normal(0, 2e-5, (models, count))
    if seed % 4 == 0:  # ties
        effects = np.round(effects, 5)
    groups = tuple(None if g < 0 else f"g{g}" for g in rng.integers(-4, 4, count)) if seed % 2 else ()
    credences = rng.dirichlet(np.ones(models))
    rows = Rows(cost, effects, credences / credences.sum(), groups, rng.random(count) * 0.6)
    return rows, float(np.round(cost.sum() * rng.uniform(0, 1.1), -3)), 0.3 if seed % 3 == 0 else None


def brute(rows: Rows, budget: float, max_harm: float | None) -> dict[str, tuple[float, float, float]]:
    """Return the best value under each rule by trying every set, and of those that tie what decides.

    That is the largest expectation, and the least cost of the sets that have it.
    """
    count = len(rows.cost)
    sets = ((np.arange(2**count)[:, None] >> np.arange(count)) & 1).astype(float)
    good = sets @ rows.cost <= budget * (1 + 1e-12)
    for members in rows.exclusive:
        good &= sets[:, members].sum(axis=1) <= 1
    if max_harm is not None:
        assert rows.p_negative is not None
        good &= sets @ (rows.cost * (rows.p_negative - max_harm)) <= 1e-12 * rows.cost.max()
        bad = (rows.cost == 0) & (rows.p_negative > max_harm)
        good &= sets[:, bad].sum(axis=1) == 0
    each, cost = sets[good] @ rows.effects.T, sets[good] @ rows.cost
    expected = each @ rows.credences
    values = {
        "expected": expected,
        "worst": each.min(axis=1),
        "regret": -(each.max(axis=0) - each).max(axis=1),
    }
    found = {}
    for rule, value in values.items():
        tied = value >= value.max() - 1e-16
        most = expected[tied].max()
        found[rule] = float(value.max()), float(most), float(cost[tied & (expected >= most - 1e-16)].min())
    return found


# Sixty seeds hold every kind: rows for nothing, ties, a cap, groups, and any of them together.
@pytest.mark.parametrize(
    "part", [*range(6), *(pytest.param(part, marks=pytest.mark.slow) for part in range(6, 20))]
)
def test_the_optimum_is_that_of_brute_force(part: int) -> None:
    for seed in range(part * 10, part * 10 + 10):
        rows, budget, max_harm = instance(seed)
        want = brute(rows, budget, max_harm)
        for rule in RULES:
            found = choose(rows, budget, rule, max_harm)
            value, expected, cost = want[rule]
            assert found.value == pytest.approx(value, abs=1e-12), (seed, rule)
            assert found.short == 0.0, "proved"
            assert found.expected >= expected - 2 * TIE * rows.size
            assert found.cost <= cost
            assert found.cost == pytest.approx(rows.cost[list(found.rows)].sum())
            assert found.cost <= budget * (1 + 1e-12)
            assert found.by_model == pytest.approx(rows.effects[:, list(found.rows)].sum(axis=1))
            chosen = [rows.groups[r] for r in found.rows] if rows.groups else []
            named = [g for g in chosen if g is not None]
            assert len(named) == len(set(named))


def simple(effects: list[float], cost: list[float], **more: object) -> Rows:
    table = np.array(effects, dtype=float)
    table = table[None, :] if table.ndim == 1 else table
    credences = np.full(len(table), 1 / len(table))
    return Rows(np.array(cost, dtype=float), table, credences, **more)


@pytest.mark.parametrize("rule", RULES)
def test_budgets_below_the_cheapest_and_above_all(rule: str) -> None:
    rows = simple([3e-6, -1e-6, 2e-6], [2e6, 1e6, 3e6])
    for budget in (0.0, 9e5):
        none = choose(rows, budget, rule)
        assert none.rows == ()
        assert none.value == 0.0
        assert bar(rows, budget, rule) == 0.0
    for budget in (5e6, 1e12):
        assert choose(rows, budget, rule).rows == (0, 2)
    assert bar(rows, 1e12, rule) == 0.0


def test_a_dollar_over_the_budget_is_over_it() -> None:
    rows = simple([2e-6, 2e-6, 1e-6], [5_000_000, 5_000_001, 4_000_000])
    assert choose(rows, 10_000_000).rows == (0, 2)
    assert choose(rows, 10_000_001).rows == (0, 1)


@pytest.mark.parametrize("exact", [rules.EXACT, 2])
def test_ties_go_to_the_larger_expectation_then_the_cheaper(
    exact: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of up to so many rows, and of just so many."""
    monkeypatch.setattr(rules, "EXACT", exact)
    assert choose(simple([1e-6, 1e-6], [2e6, 1e6]), 2e6).rows == (1,)
    # Doing nothing guards against the worst as well as row 1 does; row 1 expects more.
    rows = simple([[-1e-6, 0.0], [5e-6, 2e-6]], [1e6, 1e6])
    assert choose(rows, 1e6, "worst").rows == (1,)
    # What costs and does nothing is left out.
    assert choose(simple([1e-6, 0.0], [1e6, 1e6]), 5e6).rows == (0,)


def test_of_sets_that_tie_in_regret_and_expectation_the_cheaper_is_chosen() -> None:
    # The best are worth 3 and 2. Rows 1 and 3 fall short of one of them by 3, and of the other by nothing;
    # both expect 1. Row 0 expects a half, and nothing at all expects 0.
    rows = simple([[2.0, 0.0, -1.0, 3.0], [-1.0, 2.0, -2.0, -1.0]], [4, 4, 4, 3])
    assert choose(rows, 5, "regret").rows == (3,)


def test_the_solver_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    for seed in range(15):
        rng = np.random.default_rng(seed)
        effects = rng.normal(5e-6, 2e-5, (3, 40))
        choose(Rows(np.round(rng.lognormal(13, 1, 40), -3), effects, np.full(3, 1 / 3)), 4e6)
    assert capfd.readouterr() == ("", "")


def many(seed: int, most: int = 300) -> tuple[Rows, float, float | None]:
    """Return more rows than are searched in full, in groups and under a cap as it comes."""
    rng = np.random.default_rng(seed)
    count, models = int(rng.integers(EXACT + 1, most)), int(rng.integers(1, 4))
    effects = rng.lognormal(-12, 1, count) + rng.normal(0, 2e-6, (models, count))
    groups = tuple(f"g{g}" for g in rng.integers(0, count // 2, count)) if seed % 2 else ()
    cost = np.round(rng.lognormal(13, 1, count), -3)
    rows = Rows(cost, effects, np.full(models, 1 / models), groups, rng.random(count) * 0.6)
    return rows, float(np.round(cost.sum() / 3)), 0.25 if seed % 3 == 0 else None


@pytest.mark.parametrize("most", [200, pytest.param(300, marks=pytest.mark.slow)])
@pytest.mark.parametrize("seed", [pytest.param(0, marks=pytest.mark.slow), *range(1, 6)])  # the first is slow
def test_settling_rows_by_their_price_loses_nothing(seed: int, most: int) -> None:
    """Of hundreds of rows too: the set is that of the programme with all of them in it."""
    rows, budget, max_harm = many(seed, most)
    limits = Limits(rows, budget, max_harm)
    for rule in RULES:
        goal = goal_of(limits, rule)
        found = choose(rows, budget, rule, max_harm)
        # The programme itself, as the solver has it: the least line is one variable more.
        scale = 1e3 / np.abs(rows.effects).max()
        lines = np.column_stack([-goal.lines * scale, np.ones(len(goal.tops))])
        wide = np.column_stack([limits.table.toarray(), np.zeros(len(limits.bounds))])
        usable = np.append(limits.usable.astype(float), np.inf)
        x = solved(
            np.append(np.zeros(len(rows.cost)), -1.0), np.vstack([wide, lines]),
            np.append(limits.bounds, -goal.tops * scale), np.append(np.zeros(len(rows.cost)), -np.inf),
            usable,
            np.append(np.ones(len(rows.cost)), 0.0), 1e-7,
        ).x  # fmt: skip
        assert x is not None
        best = goal.worth(tuple(int(row) for row in np.flatnonzero(x[:-1] > 0.5)))
        assert found.short == 0.0, "proved"
        assert found.value >= best - 1e-7 * max(abs(best), float(goal.tops.max())), rule
        assert limits.allow(found.rows)
        rough = choose(rows, budget, rule, max_harm, rough=True)
        assert found.value >= rough.value >= found.value - GAP * max(abs(best), float(goal.tops.max()))


@pytest.mark.parametrize("seed", [1, 2])
def test_what_the_search_starts_from_is_allowed_and_near_the_best(seed: int) -> None:
    rows, budget, _ = many(seed)
    limits, goal = Limits(rows, budget), linear(rows.expected)
    prices = relaxed(limits, goal)
    assert prices is not None
    worth, most = _worth(limits, goal, (), prices)
    start = limits.filled(goal, prices, worth)
    assert limits.allow(start)
    # The budget leaves one row in part, and that may split a group in two.
    assert most - 2 * rows.expected.max() <= goal.worth(start) <= most + 1e-15


def test_what_is_not_proved_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that ends early says by how much a set could be better, and that is no less than one is."""
    rows, budget, max_harm = many(1)
    full = choose(rows, budget, "worst", max_harm)
    monkeypatch.setattr(rules, "NODES", 0)
    cut = choose(rows, budget, "worst", max_harm)
    assert full.short == 0.0
    assert cut.value <= full.value + 1e-15
    assert full.value <= cut.value + cut.short + 1e-8 * rows.size


def test_of_many_rows_none_does_better_than_rows_in_part() -> None:
    rng = np.random.default_rng(1)
    rows = Rows(np.round(rng.lognormal(13, 1, 300), -3), rng.normal(5e-6, 2e-5, (2, 300)), np.full(2, 0.5))
    found = choose(rows, 3e7)
    order = np.argsort(-rows.expected / rows.cost)
    order = order[rows.expected[order] > 0]
    spent = np.cumsum(rows.cost[order])
    whole = spent <= 3e7
    # No set does better than funding in part the row that the budget runs out on.
    left = 3e7 - spent[whole][-1]
    top = rows.expected[order][whole].sum() + left * (rows.expected / rows.cost)[order][~whole][0]
    assert found.value <= top + 1e-15
    assert found.value >= top - rows.expected.max()
    assert bar(rows, 3e7) == pytest.approx((rows.expected / rows.cost)[order][~whole][0])


def test_rules_part_where_models_do() -> None:
    rows = simple([[9.0, 3.0, 4.0], [-2.0, 3.0, 1.9]], [1, 1, 1])
    assert [choose(rows, 1, rule).rows for rule in RULES] == [(0,), (1,), (0,)]
    models, rules = support(rows, 1)
    assert [models[m].rows for m in (0, 1)] == [(0,), (1,)]
    assert {rule: found.rows for rule, found in rules.items()} == {
        "expected": (0,), "worst": (1,), "regret": (0,),
    }  # fmt: skip
    with pytest.raises(ValueError, match="no rule"):
        choose(rows, 1, "hope")


def test_a_cap_holds_dollar_by_dollar() -> None:
    rows = simple([5.0, 1.0], [1.0, 3.0], p_negative=np.array([0.4, 0.0]))
    assert choose(rows, 4, max_harm=0.05).rows == (1,)
    assert choose(rows, 4, max_harm=0.1).rows == (0, 1)  # (0.4 · 1 + 0 · 3)/4
    with pytest.raises(ValueError, match="cap"):
        choose(simple([1.0], [1.0]), 1, max_harm=0.1)
    draws = np.array([[[1.0, -2.0], [1.0, 1.0]]])
    assert harmed(draws, np.ones(1), (0, 1)) == 0.5


def test_what_a_row_would_need_that_breaks_the_cap_on_its_own() -> None:
    rows = simple([5.0, 1.0], [2.0, 3.0], p_negative=np.array([0.4, 0.0]))
    said = needed(rows, 4, 0, max_harm=0.1)
    # Alone it is above the cap, beside the other the budget is short: at a cost of 1 both fit.
    assert said.effect == np.inf
    assert said.cost == pytest.approx(1.0, rel=1e-5)
    assert needed(rows, 2.5, 0, max_harm=0.1).cost is None


def test_the_bar_is_the_row_that_the_budget_runs_out_on() -> None:
    rows = simple([6e-6, 4e-6, 2e-6], [1e6, 1e6, 1e6])
    assert bar(rows, 1.5e6) == pytest.approx(4e-12)  # 4 microdooms per million
    assert bar(rows, 2.5e6) == pytest.approx(2e-12)
    assert bar(rows, 1.5e6, "worst") == pytest.approx(4e-12)
    assert bar(rows, 1.5e6, "regret") == pytest.approx(4e-12)


def test_the_frontier_never_falls_and_is_exact() -> None:
    rows, _, _ = instance(7)
    rows = replace(rows, p_negative=None)
    budgets = budgets_for(rows)
    steps = frontier(rows, budgets)
    assert budgets == sorted(budgets)
    values = [s.value for s in steps]
    assert values == sorted(values)
    for step in steps:
        assert step.value == pytest.approx(brute(rows, step.budget, None)["expected"][0], abs=1e-12)


@pytest.mark.parametrize("rule", ["expected", "worst"])
@pytest.mark.parametrize("seed", range(1, 16, 2))
def test_what_a_row_would_need_is_what_it_needs(seed: int, rule: str) -> None:
    rows, budget, _ = instance(seed, 10)
    rows = replace(rows, p_negative=None)
    best = choose(rows, budget, rule)
    size = np.abs(rows.effects).max()
    for row in set(range(len(rows.cost))) - set(best.rows):
        said = needed(rows, budget, row, rule)
        if np.isfinite(said.effect):
            for shift, inside in ((1e-4 * size, True), (-1e-4 * size, False)):
                gap = said.effect - rows.expected[row] + shift
                if gap <= 0:
                    continue
                effects = rows.effects.copy()
                effects[:, row] += gap
                assert (row in choose(replace(rows, effects=effects), budget, rule).rows) == inside
        else:
            assert rows.cost[row] > budget
        cost = rows.cost.copy()
        if said.cost is None:
            cost[row] = 0.0
            assert row not in choose(replace(rows, cost=cost), budget, rule).rows
        elif 10 < said.cost < rows.cost[row]:
            cost[row] = said.cost * (1 + 1e-5) + 2
            assert row not in choose(replace(rows, cost=cost), budget, rule).rows
            cost[row] = said.cost * (1 - 1e-5) - 2
            value = choose(replace(rows, cost=cost), budget, rule).value
            assert value >= best.value - 1e-12


@pytest.mark.parametrize("seed", range(12))
def test_credences_over_which_the_choice_stays(seed: int) -> None:
    rows, budget, max_harm = instance(seed, 10)
    chosen = choose(rows, budget, max_harm=max_harm)
    for span in credence_spans(rows, budget, max_harm):
        assert span.low <= span.credence + 1e-9
        assert span.high >= span.credence - 1e-9
        if len(rows.credences) == 1:
            continue
        for at in np.linspace(0, 1, 6):
            rest = np.delete(rows.credences, span.model)
            moved = np.insert((1 - at) * rest / rest.sum(), span.model, at)
            other = choose(replace(rows, credences=moved), budget, max_harm=max_harm)
            own = float(moved @ np.array(chosen.by_model))
            same = own >= other.value - 1e-9 * np.abs(rows.effects).max()
            if not min(abs(at - span.low), abs(at - span.high)) < 1e-6:
                assert same == (span.low < at < span.high)


def test_what_reviewers_would_fund() -> None:
    rows = simple([2.0, 3.0, 1.0], [1, 1, 1])
    reviews = {0: [4.0, -5.0], 1: [2.0, 3.0, 4.0], 2: []}
    assert by_reviews(rows, reviews, "consensus", 2).rows == (1, 2)
    assert by_reviews(rows, reviews, "champion", 2).rows == (0, 1)
    pooled = by_reviews(rows, reviews, "pool", 3)
    assert (pooled.rows, pooled.value) == ((1, 2), 4.0)
    with pytest.raises(ValueError, match="put together"):
        by_reviews(rows, reviews, "vote", 1)


@pytest.mark.parametrize("times", [60, pytest.param(200, marks=pytest.mark.slow)])
def test_disappointment_is_honest_on_simulated_truths(times: int) -> None:
    """Many rows that hardly differ, few draws: the choice flatters itself, and says by how much."""
    covered, flattery, told = [], [], []
    for seed in range(times):
        rng = np.random.default_rng(seed)
        truth = rng.normal(0, 0.2, 20)
        draws = truth[None, :, None] + rng.standard_normal((1, 20, 40)) * 3
        rows = Rows(np.ones(20), means(draws), np.ones(1))
        best = choose(rows, 5)
        found = disappointment(rows, draws, 5)
        true = truth[list(best.rows)].sum()
        covered.append(abs(found.honest - true) <= 2 * found.honest_se)
        flattery.append(best.expected - true)
        told.append(found.difference)
    # Two standard errors hold 191 of 200; so few as are refused are seen once in a thousand such tests.
    assert np.sum(covered) >= stats.binom.ppf(0.001, times, 2 * stats.norm.cdf(2) - 1)
    apart = np.subtract(told, flattery)
    assert abs(apart.mean()) < 3 * apart.std(ddof=1) / times**0.5
    assert np.mean(flattery) > 1


def test_perfect_information_about_a_choice_of_one_is_the_closed_form() -> None:
    """One row or the other, both normal: E[max(0, X, Y)] by draws, and knowing the model."""
    rng = np.random.default_rng(3)
    draws = rng.standard_normal((1, 1, 2000))
    rows = Rows(np.ones(1), means(draws), np.ones(1))
    whole, which = information(Limits(rows, 1), choose(rows, 1).rows, draws, worlds=400)
    assert whole.value == pytest.approx(stats.norm.pdf(0), abs=4 * whole.se)
    assert which.value == 0.0
    two = Rows(np.ones(2), np.array([[2.0, 0.0], [0.0, 1.0]]), np.array([0.5, 0.5]))
    flat = np.repeat(two.effects[:, :, None], 3, axis=2)
    whole, which = information(Limits(two, 1), choose(two, 1).rows, flat)
    assert which.value == whole.value == 0.5  # knowing that model 2 is right moves it to row 1


def test_of_a_few_rows_the_best_set_found_by_trying_all_is_the_programmes() -> None:
    """Information asks for the best set some hundred times: of a few rows it has all of them at hand."""
    for seed in range(24):
        rows, budget, max_harm = instance(seed, most=FEW)
        limits = Limits(rows, budget, max_harm)
        for effects in (rows.expected, *rows.effects[:2]):
            found, solved_for = _best(limits, effects), best(limits, linear(effects))
            assert limits.allow(found)
            worth = [effects[list(each)].sum() for each in (found, solved_for)]
            assert worth[0] == pytest.approx(worth[1], rel=1e-6, abs=1e-12), seed


def test_information_on_one_belief_about_a_choice() -> None:
    rng = np.random.default_rng(4)
    theta, other, noise = rng.standard_normal((3, 8000))
    draws = np.stack([theta + noise, -theta + noise])[None]
    rows = Rows(np.ones(2), means(draws), np.ones(1))
    limits, blind = Limits(rows, 1), choose(rows, 1).rows
    found = information_of(limits, blind, draws, theta)
    # E|E[θ | tenth]|, a little less than E|θ|.
    assert found.value == pytest.approx(2 * stats.norm.pdf(0), rel=0.05)
    assert information_of(limits, blind, draws, other).value < 0.1


def test_a_pilot_is_worth_what_the_closed_form_says() -> None:
    """Normal belief and normal data: the mean learnt is N(m, s⁴/(s² + σ²))."""
    scores = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        mean, spread, noise = 0.3, 1.0, rng.uniform(0.2, 2.0)
        belief = mean + spread * rng.standard_normal(20_000)
        found = sample_information(belief, noise, [belief + rng.standard_normal(20_000)], 0.05, seed)
        learnt = spread**2 / np.hypot(spread, noise)
        z = mean / learnt
        truth = mean * stats.norm.cdf(z) + learnt * stats.norm.pdf(z) - mean
        scores.append((found.value - truth) / found.se)
        assert found.value < found.perfect + 4 * found.se
        assert found.pays in ((True, None) if truth > 0.05 else (False, None))
    assert np.abs(scores).max() < 4
    assert abs(np.mean(scores)) < 0.6
    assert 0.6 < np.std(scores) < 1.4


def test_what_does_not_fit_together_is_refused() -> None:
    with pytest.raises(ValueError, match="fit together"):
        Rows(np.array([-1.0]), np.ones((1, 1)), np.ones(1))
    with pytest.raises(ValueError, match="fit together"):
        Rows(np.ones(2), np.ones((1, 2)), np.ones(1), ("a",))


def test_weights_weigh() -> None:
    draws = np.array([[[1.0, 3.0]], [[1.0, 3.0]]])
    assert means(draws, [np.array([0.25, 0.75]), None]).tolist() == [[2.5], [2.0]]


@pytest.mark.parametrize("rule", ["expected", "worst", "regret"])
def test_costs_far_apart_that_the_solver_gives_up_on_have_a_best_set_all_the_same(rule):
    costs = [1e6, 1e6, 1e6, 6595082.0, 8361.0, 1e15, 1e15, 1e6]
    effects = [8.708045738e-07, 2.097155013e-05, 4.869850226e-08, 8.086784959e-05,
               1.267465241e-03, 6.393925798e-02, 1.376941396e-03, -3.386718709e-05]  # fmt: skip
    groups = (None, None, None, None, None, "G", None, "G")
    rows = Rows(np.array(costs), np.array([effects]), np.ones(1), groups)
    assert choose(rows, 1_000_000_009_603_443.0, rule).rows == (0, 1, 2, 3, 4, 5)
