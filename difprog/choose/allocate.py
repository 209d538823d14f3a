"""Which rows to fund within a budget, what would change that, and what knowing more is worth.

A choice is a set of rows whose cost is within the budget, at most one of each group. It is found
by mixed-integer programming (HiGHS, Huangfu & Hall 2018, Parallelizing the dual revised simplex
method, Math Prog Comp 10:119, through `scipy.optimize.milp`) with no gap allowed, and what rounding
inside the solver let through is checked against the numbers themselves and excluded. (Beyond
`EXACT` rows a gap far below any Monte Carlo error is.)

Effects of a set are taken as the sum of its rows' here; what they come to together is for who runs
the race to say. Arrays in, plain numbers out: knows nothing of files, models or PyMC.

Rules
-----
- ``expected``: the largest effect averaged over models by credence.
- ``worst``: the largest effect under the model under which it is least (maximin).
- ``regret``: the smallest regret: how far, under the model where it is farthest, the effect falls
  short of what is best under that model (Savage 1951, The theory of statistical decision, J Am
  Stat Assoc 46:55).

Of sets that tie under a rule the one with the largest expectation is chosen, and of those the
cheapest.
"""

from __future__ import annotations

import ctypes
import math
import os
import sys
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from difprog.forecast.summary import clustered_error, dot, mixture_shares
from difprog.why.information import Gain, partial_information

Array = npt.NDArray[np.float64]
Set = tuple[int, ...]
"""The rows of a choice, in order."""

RULES = ("expected", "worst", "regret")


class Impossible(ValueError):
    """No set with the row that is to be in keeps the limits."""


#: Objectives are handed to the solver with the largest effect at this size: its tolerances are
#: absolute, 1e-6.
SCALE = 1e3

#: Up to so many rows a choice is the best to the last digit, and ties are broken; of more rows the
#: set found is within `GAP` of the best, relatively: far less than the error of any effect.
EXACT, GAP = 60, 1e-5

#: The gap, where there are more rows, of the many programmes that only say what knowing is worth: what
#: they miss of it is less than a thousandth of the set's effect.
LOOSE = 1e-3

#: How finely the cost is found at which a row would be in, relatively; of more rows than `EXACT`, roughly.
FINE, ROUGH = 1e-6, 1e-3

#: What ties: relative to the largest effect.
TIE = 1e-9


@dataclass(frozen=True)
class Rows:
    """What is to be chosen from.

    Attributes
    ----------
    cost : array, shape (rows,)
        In USD; ≥ 0.
    effects : array, shape (models, rows)
        Each row's mean net effect under each model.
    credences : array, shape (models,)
        They sum to 1.
    groups : tuple, length rows
        Rows with the same group (None is none) exclude each other. Empty: no groups.
    p_negative : array, shape (rows,), optional
        Share of worlds in which the row does net harm.
    """

    cost: Array
    effects: Array
    credences: Array
    groups: tuple[Hashable, ...] = ()
    p_negative: Array | None = None

    def __post_init__(self) -> None:
        models, rows = self.effects.shape
        fits = (
            self.cost.shape == (rows,)
            and self.credences.shape == (models,)
            and len(self.groups) in (0, rows)
            and (self.p_negative is None or self.p_negative.shape == (rows,))
            and np.isfinite(self.effects).all()
            and bool(np.isfinite(self.cost).all() and (self.cost >= 0).all())
            and abs(float(self.credences.sum()) - 1.0) < 1e-9
        )
        if not fits:
            raise ValueError("costs, effects, credences and groups do not fit together")

    @property
    def expected(self) -> Array:
        """Each row's effect averaged by credence, shape (rows,)."""
        return np.asarray(np.sum(self.credences[:, None] * self.effects, axis=0))

    @property
    def exclusive(self) -> list[list[int]]:
        """The rows of every group that has several."""
        members: dict[Hashable, list[int]] = {}
        for row, group in enumerate(self.groups):
            if group is not None:
                members.setdefault(group, []).append(row)
        return [rows for rows in members.values() if len(rows) > 1]


class Choice(NamedTuple):
    """The best set under a rule."""

    rows: Set
    cost: float
    value: float
    """What the rule maximises: the effect expected, or under the worst model, or minus the regret."""
    expected: float
    """Effect by credence."""
    by_model: tuple[float, ...]
    """Effect under each model."""


class Step(NamedTuple):
    """One point of the frontier."""

    budget: float
    value: float
    expected: float
    rows: Set


class Needed(NamedTuple):
    """What a row that is left out would have to be, all else as it is, to be chosen."""

    row: int
    cost: float | None
    """The largest cost at which it is; None where no cost does it."""
    effect: float
    """The smallest effect by credence at which it is, the same amount added under every model;
    infinite where it costs more than the budget."""


class Span(NamedTuple):
    """Credences of one model, the others' in proportion, over which the choice is the best."""

    model: int
    low: float
    credence: float
    high: float


class Disappointment(NamedTuple):
    """What a choice looks like to the draws that made it, and to others."""

    estimated: float
    """Effect by credence of the set that all draws choose, on those same draws."""
    honest: float
    """Of the sets that one half of the draws chooses, on the other half."""
    honest_se: float
    """At most this: that of one half, however much the two have in common."""
    difference: float
    """Estimated less honest: how far the choice flatters itself."""


class Pilot(NamedTuple):
    """Whether to learn first."""

    value: float
    """Expected value of sample information, in the unit of the net benefits; ≥ 0."""
    se: float
    price: float
    """What the pilot costs, in the same unit."""
    perfect: float
    """The most that any pilot on this belief can be worth: its EVPPI."""

    @property
    def pays(self) -> bool | None:
        """Whether the pilot is worth its price; None where draws cannot tell, by two errors."""
        gap = self.value - self.price
        return None if abs(gap) <= 2 * self.se else gap > 0


# The choice


def choose(rows: Rows, budget: float, rule: str = "expected", max_harm: float | None = None) -> Choice:
    """Return the best set within a budget.

    Parameters
    ----------
    rows : Rows
        What there is.
    budget : float
        In USD.
    rule : str
        One of `RULES`.
    max_harm : float, optional
        Cap on harm: Σ cost·p_negative ≤ max_harm·Σ cost over the set. Of a dollar of what is
        spent and a world, both taken at random, the chance that the dollar's row does net harm in
        that world. (The share of worlds in which the set as a whole does harm is not linear, and
        is for the caller to show beside it: `harmed`.) A row that costs nothing is held to the cap
        on its own.

    Raises
    ------
    ValueError
        Where the rule is none, or a cap is asked for and ``rows.p_negative`` is not there.
    """
    return _Programme(rows, budget, max_harm).best(rule)


class _Programme:
    """A choice as a mixed-integer programme."""

    def __init__(
        self, rows: Rows, budget: float, max_harm: float | None = None,
        forced: int | None = None, barred: int | None = None, *, gap: float = GAP,
    ) -> None:  # fmt: skip
        self.gap = gap
        if max_harm is not None and rows.p_negative is None:
            raise ValueError("a cap on harm needs each row's share of worlds harmed")
        self.rows, self.budget, self.forced = rows, float(budget), forced
        self.max_harm = max_harm
        self.count = rows.cost.size
        self.usable = rows.cost <= budget
        if max_harm is not None and rows.p_negative is not None:
            self.usable &= (rows.cost > 0) | (rows.p_negative <= max_harm)
        if barred is not None:
            self.usable[barred] = False
        self.size = float(np.abs(rows.effects).max(initial=0.0)) or 1.0
        self.lines: list[tuple[Array, float]] = []  # coefficients · x ≤ bound
        #: Cost in units of the budget, or of the dearest row where all fit.
        unit = max(min(self.budget, float(rows.cost.sum())), float(rows.cost.max(initial=0.0)), 1e-300)
        self.lines.append((rows.cost / unit, self.budget / unit))
        for members in rows.exclusive:
            line = np.zeros(self.count)
            line[members] = 1.0
            self.lines.append((line, 1.0))
        if max_harm is not None and rows.p_negative is not None:
            self.lines.append((rows.cost / unit * (rows.p_negative - max_harm), 0.0))

    @property
    def possible(self) -> bool:
        """Whether the row that is forced in can be."""
        return self.forced is None or bool(self.usable[self.forced])

    def solve(self, rule: str) -> tuple[Set, float, Array | None]:
        """Return a best set, what the rule makes of it, and what is best under each model (for regret)."""
        rows, tops = self.rows, None
        if rule == "expected":
            found = self._solve(rows.expected)
            return found, self._sum(rows.expected, found), tops
        if rule == "worst":
            found = self._guarded(np.zeros(len(rows.effects)))
            return found, float(self._by_model(found).min()), tops
        if rule == "regret":
            tops = np.array([self._sum(row, self._solve(row)) for row in rows.effects])
            found = self._guarded(tops)
            return found, -float((tops - self._by_model(found)).max()), tops
        raise ValueError(f"no rule is called {rule}")

    def best(self, rule: str) -> Choice:
        """Return the best set under a rule, ties broken."""
        rows = self.rows
        found, value, tops = self.solve(rule)
        if self.count <= EXACT:
            if rule != "expected":
                found = self._tied(rows.expected, found, rule, value, tops)
            found = self._cheapest(found, rule, value, tops)
        by_model = self._by_model(found)
        cost, expected = self._sum(rows.cost, found), self._sum(rows.expected, found)
        return Choice(found, cost, value, expected, tuple(by_model.tolist()))

    def _sum(self, values: Array, found: Set) -> float:
        return math.fsum(values[list(found)].tolist())

    def _by_model(self, found: Set) -> Array:
        return np.array([self._sum(row, found) for row in self.rows.effects])

    def _guarded(self, tops: Array) -> Set:
        """Return the set for which the least of effect − tops over models is largest."""
        return self._solve(None, [(row, top) for row, top in zip(self.rows.effects, tops, strict=True)])

    def _floors(self, rule: str, value: float, tops: Array | None) -> list[tuple[Array, float]]:
        """Return what keeps a rule's value where it is: effects · x ≥ floor."""
        slack = TIE * self.size
        if rule == "expected":
            return [(self.rows.expected, value - slack)]
        base = np.zeros(len(self.rows.effects)) if tops is None else tops
        return [(row, value + top - slack) for row, top in zip(self.rows.effects, base, strict=True)]

    def _tied(self, values: Array, found: Set, rule: str, value: float, tops: Array | None) -> Set:
        """Return the set with the largest sum of values of those that tie with one found."""
        floors = self._floors(rule, value, tops)
        other = self._solve(values, floors=floors)
        better = self._sum(values, other) > self._sum(values, found)
        return other if better and self._meets(other, floors) else found

    def _cheapest(self, found: Set, rule: str, value: float, tops: Array | None) -> Set:
        expected = self.rows.expected
        floors = self._floors(rule, value, tops)
        if rule != "expected":
            floors.append((expected, self._sum(expected, found) - TIE * self.size))
        # Rows that neither cost nor do anything are left out too.
        cost = self.rows.cost / max(float(self.rows.cost.max(initial=0.0)), 1e-300) * self.size
        other = self._solve(-cost, floors=floors)
        cheaper = self._sum(cost, other) < self._sum(cost, found)
        return other if cheaper and self._meets(other, floors) else found

    def _meets(self, found: Set, floors: Sequence[tuple[Array, float]]) -> bool:
        return all(self._sum(row, found) >= floor for row, floor in floors)

    def _allowed(self, found: Set) -> bool:
        """Whether a set keeps every limit, by the numbers themselves."""
        rows = self.rows
        within = self._sum(rows.cost, found) <= self.budget * (1 + 1e-12)
        if self.max_harm is not None and rows.p_negative is not None:
            harm = rows.cost * (rows.p_negative - self.max_harm)
            within &= self._sum(harm, found) <= 1e-12 * float(rows.cost.max(initial=1.0))
        return within

    def _solve(
        self, values: Array | None, guards: Sequence[tuple[Array, float]] = (),
        floors: Sequence[tuple[Array, float]] = (),
    ) -> Set:  # fmt: skip
        """Return the set with the largest sum of values, or least of (effects · x − top) over guards."""
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import csr_array

        if not self.possible:
            raise Impossible("the row that is to be in does not fit the budget")
        extra = 1 if guards else 0
        unit = SCALE / self.size
        objective = np.zeros(self.count + extra)
        if guards:
            objective[-1] = -1.0
        elif values is not None:
            objective[: self.count] = -values * unit
        table = [np.append(line, np.zeros(extra)) for line, _ in self.lines]
        bounds = [bound for _, bound in self.lines]
        for row, top in guards:
            table.append(np.append(-row * unit, 1.0))
            bounds.append(-top * unit)
        for row, floor in floors:
            table.append(np.append(-row * unit, np.zeros(extra)))
            bounds.append(-floor * unit)
        lower = np.append(np.zeros(self.count), np.full(extra, -np.inf))
        upper = np.append(self.usable.astype(float), np.full(extra, np.inf))
        if self.forced is not None:
            lower[self.forced] = 1.0
        whole = np.append(np.ones(self.count), np.zeros(extra))
        while True:
            with _silent():
                done = milp(
                    objective, integrality=whole, bounds=Bounds(lower, upper),
                    constraints=LinearConstraint(csr_array(np.stack(table)), -np.inf, np.array(bounds)),
                    options={"mip_rel_gap": 0.0 if self.count <= EXACT else self.gap},
                )  # fmt: skip
            if done.x is None:
                if floors:  # the solver's rounding, where nothing but the set known meets the floors
                    return ()
                raise Impossible("no set is within the limits")
            chosen = done.x[: self.count] > 0.5
            found = tuple(int(i) for i in np.flatnonzero(chosen))
            if self._allowed(found):
                return found
            # Over the budget by less than the solver can see: this very set is out.
            table.append(np.append(np.where(chosen, 1.0, -1.0), np.zeros(extra)))
            bounds.append(float(chosen.sum()) - 1.0)


@contextmanager
def _silent() -> Iterator[None]:
    """Keep off standard output what the solver's own code prints there.

    HiGHS 1.12 (SciPy 1.18) leaves a line of debugging in about one solve of fifty, whatever its
    options; it would spoil ``--json``.
    """
    flush = ctypes.CDLL(None).fflush if os.name == "posix" else None
    sys.stdout.flush()
    try:
        kept = os.dup(1)
    except OSError:  # there is no standard output
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        if flush is not None:
            flush(None)
        os.dup2(kept, 1)
        os.close(nowhere)
        os.close(kept)


# What would change it


def frontier(
    rows: Rows, budgets: Sequence[float], rule: str = "expected", max_harm: float | None = None
) -> list[Step]:
    """Return the best set at each of some budgets; each point is exact.

    Parameters
    ----------
    rows, rule, max_harm
        As in `choose`.
    budgets : sequence of float
        In USD; see `budgets_for`.
    """
    found = []
    for budget in budgets:
        best = choose(rows, budget, rule, max_harm)
        found.append(Step(float(budget), best.value, best.expected, best.rows))
    return found


def budgets_for(rows: Rows, most: int = 25) -> list[float]:
    """Return budgets worth a point: what the best rows per dollar cost one after the other."""
    expected = rows.expected
    wanted = [r for r in range(len(rows.cost)) if expected[r] > 0 and rows.cost[r] > 0]
    wanted.sort(key=lambda r: (-expected[r] / rows.cost[r], r))
    sums = np.cumsum([rows.cost[r] for r in wanted])
    if len(sums) > most:
        sums = sums[np.unique(np.linspace(0, len(sums) - 1, most).astype(int))]
    return [float(each) for each in sums]


def bar(rows: Rows, budget: float, rule: str = "expected", max_harm: float | None = None) -> float:
    """Return the price at the margin: effect per dollar of the last dollar, the bar for the next row.

    The dual value of the budget in the programme in which rows may be funded in part; without
    groups and caps, what the row that the budget runs out on does per dollar. 0 where money is left.

    Parameters
    ----------
    rows, budget, rule, max_harm
        As in `choose`.
    """
    from scipy.optimize import linprog

    programme = _Programme(rows, budget, max_harm)
    unit = SCALE / programme.size
    table = [line for line, _ in programme.lines]
    bounds = [bound for _, bound in programme.lines]
    if budget <= 0:
        return 0.0
    scale = programme.lines[0][1] / budget  # the line's units per dollar
    objective = -rows.expected * unit
    variables: list[tuple[float | None, float | None]] = [(0.0, float(u)) for u in programme.usable]
    if rule != "expected":
        tops = np.zeros(len(rows.effects))
        if rule == "regret":
            tops = np.array([programme._sum(row, programme._solve(row)) for row in rows.effects])
        table = [np.append(line, 0.0) for line in table]
        for row, top in zip(rows.effects, tops, strict=True):
            table.append(np.append(-row * unit, 1.0))
            bounds.append(-float(top) * unit)
        objective = np.append(np.zeros(programme.count), -1.0)
        variables.append((None, None))
    done = linprog(objective, A_ub=np.stack(table), b_ub=bounds, bounds=variables, method="highs")
    return max(-float(done.ineqlin.marginals[0]), 0.0) * scale / unit


def needed(
    rows: Rows, budget: float, row: int, rule: str = "expected", max_harm: float | None = None
) -> Needed:
    """Return what a row that is left out would have to cost, or to show, to be chosen.

    Parameters
    ----------
    rows, budget, rule, max_harm
        As in `choose`; ``rule`` is ``expected`` or ``worst``.
    row : int
        Which.
    """
    if rule not in ("expected", "worst"):
        raise ValueError("what a row needs is told under the rules expected and worst only")
    out = _Programme(rows, budget, max_harm, barred=row).solve(rule)[1]

    def with_it(cost: float) -> float:
        """Return what is best with the row in, at another cost of it."""
        other = replace(rows, cost=np.where(np.arange(len(rows.cost)) == row, cost, rows.cost))
        try:
            return _Programme(other, budget, max_harm, forced=row).solve(rule)[1]
        except Impossible:  # beyond the budget, or the limit of harm
            return -math.inf

    slack = TIE * (float(np.abs(rows.effects).max(initial=0.0)) or 1.0)
    own = float(rows.expected[row])
    at_cost = with_it(min(float(rows.cost[row]), budget))
    # Added under every model, an amount adds itself to every set that the row is in.
    effect = own + max(out - at_cost, 0.0) if rows.cost[row] <= budget else math.inf
    low, high = 0.0, min(float(rows.cost[row]), budget)
    if with_it(low) < out - slack:
        return Needed(row, None, effect)
    if at_cost >= out - slack:
        return Needed(row, high, effect)
    fine = FINE if len(rows.cost) <= EXACT else ROUGH
    while high - low > fine * max(high, 1.0):
        middle = (low + high) / 2
        low, high = (middle, high) if with_it(middle) >= out - slack else (low, middle)
    return Needed(row, low, effect)


def support(
    rows: Rows, budget: float, max_harm: float | None = None
) -> tuple[dict[int, Choice], dict[str, Choice]]:
    """Return the choice under each model alone, by its place, and under each rule.

    Parameters
    ----------
    rows, budget, max_harm
        As in `choose`.
    """
    models = {}
    for model in range(len(rows.effects)):
        alone = replace(rows, effects=rows.effects[[model]], credences=np.ones(1))
        models[model] = choose(alone, budget, "expected", max_harm)
    return models, {rule: choose(rows, budget, rule, max_harm) for rule in RULES}


def credence_spans(rows: Rows, budget: float, max_harm: float | None = None) -> list[Span]:
    """Return per model the credences in it over which the set expected to be best stays so.

    The others' credences keep their proportions. The best value is the largest of straight lines
    in the credence, one per set, so the set's own line is on top over one interval: from a better
    set at the far end, to where the two cross, until nothing is better there.

    Parameters
    ----------
    rows, budget, max_harm
        As in `choose`.
    """
    chosen = choose(rows, budget, "expected", max_harm).rows
    slack = TIE * (float(np.abs(rows.effects).max(initial=0.0)) or 1.0)
    spans = []
    for model, credence in enumerate(rows.credences.tolist()):
        rest = np.delete(rows.credences, model)
        if len(rest) == 0:
            spans.append(Span(model, 1.0, 1.0, 1.0))
            continue
        weights = rest / rest.sum() if rest.sum() > 0 else np.full(len(rest), 1 / len(rest))
        lines = np.stack([weights @ np.delete(rows.effects, model, axis=0), rows.effects[model]])
        ends = []
        for far in (0.0, 1.0):
            at = far
            while True:
                now = replace(rows, effects=lines, credences=np.array([1 - at, at]))
                other = _Programme(now, budget, max_harm).solve("expected")[0]
                gap = [math.fsum(line[list(other)]) - math.fsum(line[list(chosen)]) for line in lines]
                if (1 - at) * gap[0] + at * gap[1] <= slack or gap[0] == gap[1]:
                    break
                cross = gap[0] / (gap[0] - gap[1])
                nearer = min(max(cross, min(far, credence)), max(far, credence))
                if nearer == at:
                    break
                at = nearer
            ends.append(at)
        spans.append(Span(model, ends[0], credence, ends[1]))
    return spans


#: How reviewers' judgements are put together: as the one who thinks least of a row says, as the
#: one who is keenest says, or their mean.
REVIEWS: dict[str, Callable[[Sequence[float]], float]] = {
    "consensus": min, "champion": max, "pool": lambda said: math.fsum(said) / len(said),
}  # fmt: skip


def by_reviews(
    rows: Rows,
    reviews: Mapping[int, Sequence[float]],
    how: str,
    budget: float,
    max_harm: float | None = None,
) -> Choice:
    """Return what reviewers would fund, under a rule for putting their judgements together.

    Parameters
    ----------
    rows, budget, max_harm
        As in `choose`. Rows that nobody reviewed keep their effects.
    reviews : mapping of int to sequence of float
        Row → its mean net effect according to each of its reviewers.
    how : str
        One of `REVIEWS`.
    """
    if how not in REVIEWS:
        raise ValueError(f"reviews are not put together by {how}")
    effects = rows.expected.copy()
    for row, said in reviews.items():
        if said:
            effects[row] = REVIEWS[how](said)
    told = replace(rows, effects=effects[None, :], credences=np.ones(1))
    return choose(told, budget, max_harm=max_harm)


# On draws


def means(draws: Array, weights: Sequence[Array | None] | None = None) -> Array:
    """Return mean effects, shape (models, rows), of draws of shape (models, rows, draws).

    Parameters
    ----------
    draws : array
        Net effects on the same worlds.
    weights : sequence of array or None, optional
        Each model's weights of its draws, which sum to 1.
    """
    if weights is None:
        return np.asarray(draws.mean(axis=2))
    return np.stack([
        table.mean(axis=1) if weight is None else np.einsum("rd,d->r", table, weight)
        for table, weight in zip(draws, weights, strict=True)
    ])  # fmt: skip


def mixed(
    draws: Array, credences: Array, weights: Sequence[Array | None] | None = None
) -> tuple[Array, Array | None]:
    """Return models mixed by credence: net effects, shape (rows, draws), and how each draw counts.

    A draw counts for as much as all models give it, and is worth the models' values, each by its
    share of that: so means given a belief are those of the mixture too. The weights are None where
    all draws count alike.

    Parameters
    ----------
    draws : array, shape (models, rows, draws)
    credences : array, shape (models,)
    weights : sequence of array or None, optional
        As in `means`.
    """
    if weights is None or all(each is None for each in weights):
        return np.asarray(np.einsum("m,mrd->rd", credences, draws)), None
    each = [_flat(draws.shape[2]) if own is None else own for own in weights]
    share, total = mixture_shares(each, credences)
    return np.asarray(np.einsum("md,mrd->rd", share, draws)), total


def _flat(count: int) -> Array:
    return np.full(count, 1.0 / count)


def harmed(
    draws: Array, credences: Array, chosen: Set, weights: Sequence[Array | None] | None = None
) -> float:
    """Return the share of worlds in which the rows chosen, summed, do net harm.

    ``draws`` has shape (models, rows, draws); ``weights`` is as in `means`.
    """
    total = draws[:, list(chosen), :].sum(axis=1)
    own = weights or [None] * len(total)
    shares = [
        dot(_flat(len(row)) if weight is None else weight, row < 0)
        for row, weight in zip(total, own, strict=True)
    ]
    return dot(credences, shares)


def disappointment(
    rows: Rows, draws: Array, budget: float, *, clusters: int | None = None, max_harm: float | None = None
) -> Disappointment:
    """Return how far a choice looks better on the draws that made it than on others.

    Each half of the draws judges the set that the other half chooses. This is the disappointment
    that too few draws cause; where beliefs are right, more draws take it to 0 (Smith & Winkler
    2006, The optimizer's curse, Manag Sci 52:311).

    Parameters
    ----------
    rows, budget, max_harm
        As in `choose`, by expectation; ``rows.effects`` is not used.
    draws : array, shape (models, rows, draws)
        Net effects on the same worlds; of weighted draws, draws whose plain means are theirs.
    clusters : int, optional
        As in `difprog.forecast.summary.clustered_error`.
    """
    count = draws.shape[2]
    half = _member(count, clusters) % 2 == 0
    told = np.empty(count)
    for inside in (half, ~half):
        best = choose(replace(rows, effects=means(draws[:, :, ~inside])), budget, max_harm=max_harm)
        told[inside] = rows.credences @ draws[:, list(best.rows), :][:, :, inside].sum(axis=1)
    honest = float(told.mean())
    estimated = choose(replace(rows, effects=means(draws)), budget, max_harm=max_harm).expected
    # The two halves' choices are not independent: their mean varies at most as much as one of them.
    error = math.sqrt(2.0) * clustered_error(told, clusters)
    return Disappointment(estimated, honest, error, estimated - honest)


def _member(count: int, clusters: int | None) -> npt.NDArray[np.intp]:
    """Return what each draw must not be parted from: its posterior draw, or itself."""
    at = np.arange(count)
    return at if clusters is None or clusters >= count else at % clusters


def information(
    rows: Rows, draws: Array, budget: float, *, worlds: int = 60, max_harm: float | None = None,
    weights: Sequence[Array | None] | None = None,
) -> tuple[Gain, Gain]:  # fmt: skip
    """Return what it is worth to know everything before choosing, and to know which model is right.

    Parameters
    ----------
    rows, budget, max_harm
        As in `choose`, by expectation.
    draws : array, shape (models, rows, draws)
        Net effects on the same worlds.
    worlds : int
        Draws whose best set is found, each by a programme: shared out among the models by credence, and
        within a model evenly spaced by weight.
    weights : sequence of array or None, optional
        As in `means`.

    Returns
    -------
    tuple of Gain
        EVPI, with the error of its ``worlds`` draws; and the value of knowing the model, which has
        no error beyond that of the means.
    """
    chosen = list(choose(rows, budget, max_harm=max_harm).rows)
    count = draws.shape[2]
    own = weights or [None] * len(rows.credences)
    value = variance = models = 0.0
    for model, credence in enumerate(rows.credences.tolist()):
        if credence == 0:
            continue
        many = min(max(round(worlds * credence), 4), count)
        weight = own[model]
        below = np.cumsum(_flat(count) if weight is None else weight)
        at = np.minimum(np.searchsorted(below, (np.arange(many) + 0.5) / many), count - 1)
        gains = np.array(
            [_regret(rows, draws[model, :, world], chosen, budget, max_harm) for world in at]
        )
        value += credence * float(gains.mean())
        variance += (credence * clustered_error(gains, None)) ** 2
        models += credence * _regret(rows, rows.effects[model], chosen, budget, max_harm)
    return Gain(value, math.sqrt(variance)), Gain(models, 0.0)


def _regret(rows: Rows, effects: Array, chosen: list[int], budget: float, max_harm: float | None) -> float:
    """Return how much better than a set the best set is where effects are known."""
    known = replace(rows, effects=effects[None, :], credences=np.ones(1))
    best = _Programme(known, budget, max_harm, gap=LOOSE).solve("expected")[1]
    return max(best - math.fsum(effects[chosen].tolist()), 0.0)


def information_of(
    rows: Rows, draws: Array, belief: Array, budget: float, *, clusters: int | None = None,
    parts: int = 10, folds: int = 5, max_harm: float | None = None,
    weights: Sequence[Array | None] | None = None,
) -> Gain:  # fmt: skip
    """Return what it is worth to know which tenth one belief is in before choosing.

    In each part the set is chosen by the other folds' means and judged on the fold's own draws:
    at most the truth in expectation, and about 0 where the belief changes nothing.

    Parameters
    ----------
    rows, budget, clusters, max_harm
        As in `disappointment`.
    draws : array, shape (models, rows, draws)
        Net effects on the same worlds.
    belief : array, shape (draws,)
        Its draws.
    parts, folds : int
        Parts of the belief, of equal weight, that are told apart; parts of the draws.
    weights : sequence of array or None, optional
        As in `means`.
    """
    count = draws.shape[2]
    nets, total = mixed(draws, rows.credences, weights)
    counts = _flat(count) if total is None else total
    order = np.argsort(belief, kind="stable")
    middle = np.cumsum(counts[order]) - counts[order] / 2
    place = np.empty(count, dtype=int)
    place[order] = np.minimum((middle * parts).astype(int), parts - 1)
    fold = _member(count, clusters) % folds
    blind = list(choose(rows, budget, max_harm=max_harm).rows)
    gain = -nets[blind].sum(axis=0)
    one = np.ones(1)
    for part in range(parts):
        for held in range(folds):
            inside = (place == part) & (fold == held)
            others = (place == part) & (fold != held)
            size = float(counts[others].sum())
            if not inside.any() or size == 0:
                gain[inside] = 0.0
                continue
            effects = np.einsum("rd,d->r", nets[:, others], counts[others]) / size
            told = replace(rows, effects=effects[None, :], credences=one)
            best = list(_Programme(told, budget, max_harm, gap=LOOSE).solve("expected")[0])
            gain[inside] += nets[np.ix_(best, np.flatnonzero(inside))].sum(axis=0)
    return Gain(max(dot(counts, gain), 0.0), clustered_error(gain, clusters, weights=total))


def pilot(
    belief: Array, precision: float, options: Sequence[Any], price: float, seed: int, *,
    clusters: int | None = None, weights: Array | None = None, moments: Array | None = None,
) -> Pilot:  # fmt: skip
    """Return what a pilot that measures one belief is worth, against what it costs.

    The pilot's result is simulated on every draw, the belief plus a normal error, and net benefits
    are regressed on it (Strong, Oakley, Brennan & Breeze 2015, Estimating the expected value of
    sample information using the probabilistic sensitivity analysis sample, Med Decis Making 35:570).

    Parameters
    ----------
    belief : array, shape (draws,)
        What it measures, on the scale on which its error is normal.
    precision : float
        Standard deviation of that error, > 0; of n observations of spread s it is s/√n.
    options : sequence of arrays, each of shape (draws,) or scalar
        Net benefits beside doing nothing.
    price : float
        What it costs, in the unit of the net benefits: money times the `bar`.
    seed : int
        Of the simulated errors.
    clusters, weights, moments
        As in `difprog.forecast.summary.clustered_error`.
    """
    error = np.random.default_rng([seed, 0x9107]).standard_normal(len(belief))
    result, perfect = (
        partial_information({"belief": known}, options, clusters, weights=weights, moments=moments)
        for known in (belief + precision * error, belief)
    )
    return Pilot(result.value, result.se, float(price), perfect.value)
