"""What the five essays claim, each as something that the program says or does not say.

Every claim is measured on the shipped models, priors and proposals, once at the sourced priors and, where
its numbers rest on priors, once with its essay's own (`priors/scenarios/`). Nothing here sets a prior: a
claim that does not hold is in `WHY_NOT`, with what carries it. `python -m tests.claims` prints
docs/claims.md. No evidence is used: the claims are about the essays' numbers, not about the datasets.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from difprog.beliefs.project import Project
from difprog.forecast import forecast
from difprog.forecast.forecast import ModelForecast
from difprog.forecast.sampling import evaluate
from difprog.forecast.setup import Setup, prepare
from difprog.forecast.variants import Variants
from difprog.render.format import significant, with_error
from difprog.why import channels, exchange
from tests.helpers import layer, names, project, proposal

Array = npt.NDArray[np.float64]

MICRO = 1e-6
#: Standard errors by which a sign must be resolved, and draws of a score.
ERRORS, DRAWS = 3.0, 6_000

FOCUS = ("average", "pessimistic", "worst")
APPROACH = ("engineering", "behaviourist", "cognitivist")
GRID = (
    ("scaling", "rlhf", "adversarial-robustness"),
    ("optimization-science", "scalable-oversight", "ai-control"),
    ("concept-interpretability", "mechanistic-interpretability", "agent-foundations"),
)
PATHS = channels.PATHS


class Finding(NamedTuple):
    """What the program says about a claim."""

    holds: bool
    says: str


@dataclass(frozen=True)
class Under:
    """The shipped priors, with a scenario laid over them or none."""

    scenario: str = ""

    def score(
        self,
        asked: str | Project,
        model: str,
        beliefs: Mapping[str, Any] | None = None,
        draws: int = DRAWS,
    ) -> ModelForecast:
        """Score a proposal under one model, with beliefs laid over all."""
        if isinstance(asked, str) and not beliefs:
            return _scored(asked, model, self.scenario, draws)
        base = _setup(model, self.scenario)
        if beliefs:
            extra = layer(beliefs)
            stacks = {n: _with(stack, extra) for n, stack in base.stacks.items()}
            base = Setup(base.models, stacks, base.credences, False)
        made = project(asked) if isinstance(asked, str) else asked
        return forecast.score(made, base, draws, 1).models[0]

    def p(self, model: str, beliefs: Mapping[str, Any], draws: int = DRAWS) -> float:
        """Return the chance of success without any project."""
        return float(self.score("rlhf", model, beliefs, draws).summaries["p_success_without"].mean)


def _with(stack: Any, extra: Any) -> Any:
    return type(stack)((*stack.layers, extra))


@cache
def _setup(model: str, scenario: str) -> Setup:
    return prepare((model,), use_evidence=False, scenarios=(scenario,) if scenario else ())


@cache
def _scored(asked: str, model: str, scenario: str, draws: int) -> ModelForecast:
    return forecast.score(project(asked), _setup(model, scenario), draws, 1).models[0]


def net(answer: ModelForecast) -> Array:
    """Return the draws of the net effect."""
    found: Array = answer.draws.net_effect[answer.place]
    return found


def only(answer: ModelForecast, effects: Sequence[str]) -> Array:
    """Return the draws of the net effect with some of the project's effects, the others off."""
    return np.asarray(Variants(answer.draws).net_effect(effects, [answer.place])[0])


def without(answer: ModelForecast, *effects: str) -> Array:
    """Return the draws of the net effect with some effects off."""
    return only(answer, [n for n in answer.draws.effects_hit if n not in effects])


def chance(answer: ModelForecast, **effects: Any) -> Array:
    """Return p_success with effects that are given and no others."""
    shape = answer.draws.without.shape
    given = {n: np.broadcast_to(np.asarray(v, dtype=float), shape) for n, v in effects.items()}
    return np.asarray(answer.draws.race.chance(given)[answer.place])


def error(values: Array) -> float:
    return float(values.std(ddof=1) / math.sqrt(len(values)))


def positive(values: Array) -> bool:
    """Whether a mean lies above 0 by more than its error explains."""
    return bool(values.mean() > ERRORS * error(values))


def micro(values: Array) -> str:
    """Return a mean with its Monte Carlo standard error, in microdooms."""
    return with_error(float(values.mean()), error(values), MICRO, sign=True)


def falls(values: Sequence[float]) -> bool:
    return all(a > b for a, b in pairwise(values))


def listed(values: Sequence[float], digits: int = 3) -> str:
    return ", ".join(significant(v, digits) for v in values)


# ── serial-and-parallel ──


def s1(u: Under) -> Finding:
    def p(beliefs: Mapping[str, Any], which: str = "p_success_with") -> float:
        return float(u.score(project("toy", beliefs), "serial_parallel", draws=10).summaries[which].mean)

    found = [
        p({}, "p_success_without"), p({}), p({"parallel_speedup": 900}), p({"capability_speedup": 1}),
    ]  # fmt: skip
    staffed = []
    for people, share, years in ((180, 1, 5), (1800, 0.05, 10)):
        crew = {
            "researchers": people, "labour_quality": share, "agi_arrival": years, "serial_chains": 0,
            "capability_speedup": 0,
        }  # fmt: skip
        enough, more = (
            p({**crew, "parallel_requirement": need}, "p_success_without") for need in (900, 900.001)
        )
        staffed.append((enough, more) == (1.0, 0.0))
    says = (
        f"p {found[0]:g} without it, {found[1]:g} two years sooner, {found[2]:g} with all 900 person-years "
        f"done too, {found[3]:g} one year sooner; both staffings give 900: {'yes' if all(staffed) else 'no'}"
    )
    return Finding(found == [1.0, 0.0, 0.0, 1.0] and all(staffed), says)


def s2(u: Under) -> Finding:
    answer = u.score("rlhf", "serial_parallel")
    field_years = answer.value("labour_quality") * answer.value("researchers")
    x = 0.01
    trade = chance(answer, parallel_speedup=2 * x * field_years, capability_speedup=x, timeline_shortening=x)
    change = trade - answer.draws.without[0]
    rates = exchange.exchange(answer.draws, 0, exchange.slopes(answer.draws))
    even, wide = rates.parallel_years_per_year, rates.years_mcse
    serial, narrow = rates.serial_months_per_month, rates.serial_mcse
    assert even is not None
    assert wide is not None
    assert serial is not None
    assert narrow is not None
    says = (
        f"two years of parallel for one of capability: {micro(change / (365.25 * x))} microdooms a day of "
        f"it; break-even at {with_error(even, wide)} parallel years, or {with_error(serial, narrow)} "
        "serial ones"
    )
    return Finding(positive(-change) and even - ERRORS * wide > 4, says)


def s3(u: Under) -> Finding:
    serial = net(u.score(project("rlhf", approach="cognitivist", focus="worst"), "serial_parallel"))
    same = net(u.score("rlhf", "serial_parallel"))
    says = f"{micro(serial)} microdooms, where the same effort as it stands has {micro(same)}"
    return Finding(positive(serial), says)


def s4(u: Under) -> Finding:
    shares = [
        float(u.score(project("rlhf", approach=a), "serial_parallel").value("serial_share").mean())
        for a in APPROACH
    ]
    return Finding(falls(shares[::-1]), f"`serial_share` {listed(shares, 2)} along `approach`")


def s5(u: Under) -> Finding:
    hits, sizes, costs = [], [], []
    for novelty in ("niche", "mainstream"):
        answer = u.score(project("rlhf", novelty=novelty), "serial_parallel", draws=40_000)
        hits.append(float(answer.draws.chance_of_hit.mean()))
        sizes.append(float(answer.draws.effects_hit["capability_speedup"].mean()))
        costs.append(without(answer, "capability_speedup", "timeline_shortening") - net(answer))
    says = (
        f"niche: a chance of {significant(hits[0])} of {significant(365.25 * sizes[0])} days, at a cost of "
        f"{micro(costs[0])} microdooms; mainstream: {significant(hits[1])} of "
        f"{significant(365.25 * sizes[1])} days, {micro(costs[1])}"
    )
    return Finding(hits[0] < hits[1] and sizes[0] > sizes[1] and all(map(positive, costs)), says)


def s6(u: Under) -> Finding:
    answer = u.score("rlhf", "serial_parallel")
    given = answer.arrival_given_success
    assert given is not None
    (all_, e), (good, f) = ((q.values[0], q.errors[0]) for q in (answer.arrival, given))
    says = f"median {with_error(all_, e)} years, given success {with_error(good, f)}"
    return Finding(good - all_ > ERRORS * math.hypot(e, f), says)


def s7(u: Under) -> Finding:
    answer = u.score("rlhf", "serial_parallel")
    values = answer.draws.values
    surge = {**values, "brink_surge": 100.0 * np.asarray(values["brink_surge"])}
    hundred = evaluate(answer.draws.question, surge, answer.draws.count, 1).without[0]
    years = answer.value("agi_arrival") + answer.value("grace_period")
    spread = np.asarray(answer.value("serial_spread"))
    done = special.ndtr(np.log(years / answer.value("serial_requirement")) / spread)
    lacking = done ** answer.value("serial_chains") < 0.01
    before = answer.draws.without[0]
    lift = hundred - before
    says = (
        f"in the {significant(100 * lacking.mean())}% of worlds whose chains have less than one chance in a "
        f"hundred, p goes from {significant(before[lacking].mean())} to "
        f"{significant(hundred[lacking].mean())} with a hundred times the surge, in all others "
        f"from {significant(before[~lacking].mean())} to "
        f"{significant(hundred[~lacking].mean())}"
    )
    return Finding(lift[lacking].max() <= 0.01 and lift.min() >= 0, says)


def s8(u: Under) -> Finding:
    found = {}
    for name in ("agent-foundations", "rlhf"):
        closed, opened = (
            u.score(project(name, publication=policy), "serial_parallel") for policy in ("closed", "open")
        )
        harm = ("capability_speedup", "timeline_shortening")
        saved, lost = only(closed, harm) - only(opened, harm), without(opened, *harm) - without(closed, *harm)
        found[name] = net(closed) - net(opened), saved, lost
    apart, saved, lost = found["agent-foundations"]
    says = (
        f"agent foundations: closed is better by {micro(apart)} microdooms, saves {micro(saved)} of harm and "
        f"loses {micro(lost)} of good; RLHF, which is mainstream: better by {micro(found['rlhf'][0])}"
    )
    return Finding(positive(apart), says)


# ── capabilities-work-buys-time ──


def k1(u: Under) -> Finding:
    here, there = (net(u.score("capability-work-now", m)) for m in ("overhang", "serial_parallel"))
    says = f"{micro(here)} microdooms here, {micro(there)} in `serial_parallel`"
    return Finding(positive(here) and positive(-there), says)


def k2(u: Under) -> Finding:
    p = [u.p("overhang", {"paradigm_fraction": share}) for share in (0.1, 0.4, 0.7, 0.95)]
    return Finding(falls(p), f"p {listed(p)} with the paradigm at 0.1, 0.4, 0.7, 0.95 of the way")


def k3(u: Under) -> Finding:
    p = [u.p("overhang", {"early_relevance": e}) for e in (1.0, 0.5, 0.1, 0.0)]
    early = {"agi_arrival": 20, "paradigm_fraction": 0.9}
    added = [
        u.score("rlhf", "overhang", {**early, "early_relevance": e}).summaries["parallel_speedup"].mean
        for e in (0.25, 1.0)
    ]
    share = added[0] / added[1]
    says = (
        f"p {listed(p)} at an early worth of 1, 0.5, 0.1, 0; a project done before the paradigm adds "
        f"{significant(share)} of its labour at 0.25"
    )
    return Finding(falls(p) and math.isclose(share, 0.25, rel_tol=1e-9), says)


def k4(u: Under) -> Finding:
    answer = u.score("capability-work-now", "overhang", {"overhang": 1.0, "paradigm_fraction": 0.5})
    x, moved = (float(answer.summaries[n].mean) for n in ("capability_speedup", "timeline_shortening"))
    quarter = u.score("capability-work-now", "overhang", {"overhang": 0.25})
    part = quarter.summaries["timeline_shortening"].mean / quarter.summaries["capability_speedup"].mean
    says = (
        f"at ω = 1 AGI comes {moved:g} years sooner and the era is {significant(365.25 * x)} days longer: "
        f"{micro(net(answer))} microdooms; at ω = 0.25 AGI comes sooner by {significant(part)} of x"
    )
    return Finding(
        moved == 0.0 and x > 0 and positive(net(answer)) and math.isclose(part, 0.75, rel_tol=1e-9), says
    )


def k5(u: Under) -> Finding:
    p = [u.p("overhang", {"convergence": m}) for m in (0, 1, 10)]
    return Finding(falls(p[::-1]), f"p {listed(p)} at a convergence of 0, 1, 10")


def k6(u: Under) -> Finding:
    p = [u.p("overhang", {"gated_chains": k, "serial_chains": 3}) for k in (0, 1, 3)]
    return Finding(falls(p), f"p {listed(p)} with 0, 1, 3 of 3 chains gated")


# ── all-alignment-is-capabilities ──

PROJECTS = [n for n in names([]) if n != "toy"]
ALIGNMENT = [n for n in PROJECTS if project(n).facts["kind"] == "alignment"]
CAPABILITIES = [n for n in PROJECTS if project(n).facts["kind"] == "capabilities"]


def n1(u: Under) -> Finding:
    few = 2000
    least = {
        n: float(u.score(n, "alignment_tax", draws=few).draws.effects_hit["capability_speedup"].min())
        for n in ALIGNMENT
    }
    gained = [
        u.score(n, "alignment_tax", draws=few).summaries[effect].mean
        for n in CAPABILITIES
        for effect in ("parallel_speedup", "serial_speedup")
    ]
    leaks = sum(v > 0 for v in least.values())
    says = (
        f"{leaks} of {len(least)} alignment proposals speed capabilities up in every world; "
        f"{len(CAPABILITIES)} capabilities proposals add {max(map(abs, gained)):g} to alignment"
    )
    return Finding(leaks == len(least) and not any(gained), says)


def n2(u: Under) -> Finding:
    answer = u.score("rlhf", "alignment_tax")
    shares = channels.channel_draws(answer.draws)[0]
    adopted, leaked = np.asarray(shares["adoption"]), np.asarray(shares["capability"])
    both = adopted + leaked
    says = f"adoption {micro(adopted)}, capability {micro(leaked)}, together {micro(both)} microdooms"
    return Finding(positive(adopted) and positive(-leaked), says)


def n3(u: Under) -> Finding:
    answer = u.score("rlhf", "alignment_tax")
    gain = net(answer) - without(answer, "lead_effect")
    return Finding(positive(gain), f"the lead's part of RLHF's effect: {micro(gain)} microdooms")


def n4(u: Under) -> Finding:
    answer = u.score("inclusion", "alignment_tax")
    rest = without(answer, "breadth_effect")
    harm = ("capability_speedup", "timeline_shortening", "breadth_effect")
    others = [n for n, v in answer.draws.effects_hit.items() if v.any() and n not in harm]
    says = f"{micro(net(answer))} microdooms; without its breadth {micro(rest)}, and no other good effect"
    return Finding(positive(net(answer)) and not positive(rest) and not others, says)


def n5(u: Under) -> Finding:
    answer = u.score(project("rlhf", {"breadth_effect": 0}), "alignment_tax")
    luck, breadth = answer.value("default_success"), answer.value("breadth")
    room = luck + (1 - luck) * breadth - np.maximum(answer.draws.without[0], answer.draws.with_project[0])
    says = f"p stays below ℓ + (1 − ℓ)·v in every world; on average by {significant(room.mean())}"
    return Finding(bool((room >= -1e-12).all()), says)


# ── narrowly-superhuman ──


def c1(u: Under) -> Finding:
    answer = u.score("sandwiching", "narrow_superhuman")
    alone = {path: only(answer, effects) for path, effects in PATHS.items()}
    lost = [net(answer) - without(answer, *effects) for effects in PATHS.values()]
    says = "alone: " + ", ".join(f"{path.replace('_', '-')} {micro(v)}" for path, v in alone.items())
    return Finding(all(map(positive, (*alone.values(), *lost))), f"{says} microdooms")


def _share(answer: ModelForecast, path: Sequence[str], where: Any = slice(None)) -> tuple[float, float]:
    """Return a path's share of what the three are worth in some worlds, and its standard error."""
    each = {name: only(answer, effects)[where] for name, effects in PATHS.items()}
    total, part = sum(each.values()), only(answer, path)[where]
    assert isinstance(total, np.ndarray)
    share = float(part.mean() / total.mean())
    return share, error(part - share * total) / float(total.mean())


def c2(u: Under) -> Finding:
    share, wide = _share(u.score("sandwiching", "narrow_superhuman"), PATHS["solution"])
    says = (
        f"{with_error(share, wide)} of the value; the rate behind it was elicited from this very statement, "
        "so this checks consistency and no more"
    )
    return Finding(share - wide >= 1 / 3 and share + wide <= 3 / 4, says)


def c3(u: Under) -> Finding:
    # A dollar speeds alignment by 1/alignment_spend, AI by elasticity·leverage/ai_spend.
    ai, alignment, cost = 2e11, 2e9, 1e6
    stated = {
        "ai_spend": ai, "alignment_spend": alignment, "elasticity": 1, "hype_leverage": ai / alignment,
        "coupling": 0, "hit_probability": 0, "agi_arrival": 20,
    }  # fmt: skip
    even = u.score(proposal(stated, cost=cost), "narrow_superhuman", draws=10)
    equal = even.summaries["capability_speedup"].mean / (cost / alignment)
    shipped = u.score("sandwiching", "narrow_superhuman")
    ratio = float(np.median(shipped.value("ai_spend") / shipped.value("alignment_spend")))
    beyond = float(np.mean(shipped.value("hype_leverage") > ratio))
    says = (
        f"at a leverage of the ratio of the fields both speed up alike (ratio {significant(equal, 4)}); "
        f"today it is {significant(ratio)}, which a project's leverage exceeds in "
        f"{significant(100 * beyond)}% of worlds"
    )
    return Finding(math.isclose(equal, 1.0, rel_tol=1e-9) and 100 <= ratio <= 10_000 and beyond < 0.01, says)


def c4(u: Under) -> Finding:
    every = project("sandwiching").criteria
    fits = [
        u.score(project("sandwiching", criteria=met), "narrow_superhuman", draws=10).draws.question.fit
        for met in (every, every - {"humans"}, every - {"no-scaling"})
    ]
    larger = u.score(project("sandwiching", criteria=every - {"no-scaling"}), "narrow_superhuman", draws=100)
    left = max(float(np.abs(larger.draws.effects_hit[n]).max()) for path in PATHS.values() for n in path)
    says = (
        f"`fit` {listed(fits, 2)} with all four, without learning from humans, with a model made larger; "
        f"the paths of the last are worth {left:g}"
    )
    return Finding(fits == [1.0, 0.75, 0.0] and left == 0.0, says)


def c5(u: Under) -> Finding:
    gone = u.score("sandwiching", "narrow_superhuman", {"displacement": 1.0}, 100)
    left = max(abs(gone.summaries[n].mean) for n in ("parallel_speedup", "serial_speedup"))
    answer = u.score("sandwiching", "narrow_superhuman")
    lead = float(np.median(answer.value("knowhow_horizon")))
    share = float(np.median(answer.value("displacement")))
    says = (
        f"fully displaced work speeds alignment up by {left:g}; the lead is {significant(lead)} years, and "
        f"others would do {significant(100 * share)}% (medians)"
    )
    return Finding(left == 0.0 and 0.5 <= lead <= 2, says)


def _thirds(u: Under, path: Sequence[str]) -> tuple[bool, str]:
    answer = u.score("sandwiching", "narrow_superhuman", draws=40_000)
    arrival = answer.value("agi_arrival")
    low, high = np.quantile(arrival, [1 / 3, 2 / 3])
    (short, e), (long, f) = (_share(answer, path, where) for where in (arrival < low, arrival > high))
    says = f"{with_error(short, e)} of the value in the shortest third of T, "
    says += f"{with_error(long, f)} in the longest"
    return short - long > ERRORS * math.hypot(e, f), says


def c6(u: Under) -> Finding:
    return Finding(*_thirds(u, PATHS["know_how"]))


def c6b(u: Under) -> Finding:
    return Finding(*_thirds(u, ("knowhow_effect",)))


def c7(u: Under) -> Finding:
    people = (10, 50, 100, 200, 1000)
    worth = [
        net(u.score("sandwiching", "narrow_superhuman", {"area_researchers": n, "crowding_peak": 100}))
        for n in people
    ]
    # Paired: the same worlds in all five.
    steps = [b - a for a, b in pairwise(worth)]
    says = ", ".join(f"{micro(v)} with {n}" for n, v in zip(people, worth, strict=True))
    peaked = all(map(positive, (*steps[:2], *(-s for s in steps[2:]))))
    return Finding(peaked, f"{says} people, the peak at 100 (microdooms)")


def c8(u: Under) -> Finding:
    effect = net(u.score("sandwiching", "narrow_superhuman"))
    met = len(project("sandwiching").criteria)
    return Finding(met == 4 and positive(effect), f"{micro(effect)} microdooms; meets {met} of 4 criteria")


# ── what-is-alignment-research ──


def _ratio(u: Under, asked: str | Project) -> float:
    """Return years of alignment progress, of both kinds, per year of capability progress."""
    answer = u.score(asked, "research_grid")
    draws = answer.draws
    rates = exchange.exchange(draws, 0, exchange.slopes(draws))
    found = exchange.ratios(draws, 0, rates)
    return (found.parallel or 0.0) + (found.serial or 0.0)


def g1(u: Under) -> Finding:
    along = {
        axis: [_ratio(u, project("scalable-oversight", None, **{axis: v})) for v in values]
        for axis, values in (("focus", FOCUS), ("approach", APPROACH))
    }
    nine = {name: _ratio(u, name) for row in GRID for name in row}
    lowest, highest = min(nine, key=nine.__getitem__), max(nine, key=nine.__getitem__)
    says = (
        f"{listed(along['focus'], 2)} along `focus`, {listed(along['approach'], 2)} along `approach`; of the "
        f"nine, {lowest} lowest at {significant(nine[lowest])}, {highest} highest at "
        f"{significant(nine[highest])}"
    )
    rises = all(falls(v[::-1]) for v in along.values())
    return Finding(rises and (lowest, highest) == ("scaling", "agent-foundations"), says)


def g2(u: Under) -> Finding:
    applied, aligned, capable = (
        u.score(n, "research_grid") for n in ("applications", "rlhf", "capability-work-now")
    )

    def per_year(answer: ModelForecast, effect: str) -> float:
        return float(answer.summaries[effect].mean / np.mean(answer.value("effort")))

    shares = [
        per_year(applied, "parallel_speedup") / per_year(aligned, "parallel_speedup"),
        per_year(applied, "serial_speedup") / per_year(aligned, "serial_speedup"),
        per_year(applied, "capability_speedup") / per_year(capable, "capability_speedup"),
    ]
    says = (
        f"per FTE-year it adds {significant(100 * shares[0])}% and {significant(100 * shares[1])}% of RLHF's "
        f"parallel and serial progress, {significant(100 * shares[2])}% of capability research's"
    )
    return Finding(max(shares) < 0.05, says)


def _trait(answer: ModelForecast, name: str, focus: int, approach: int) -> Array:
    """Return draws of ln relevance or logit coupling in a cell of the grid."""
    sign = 1.0 if name == "relevance" else -1.0
    found = answer.value(f"{name}_intercept") + answer.value(f"{name}_residual")
    found = found + sign * (
        focus * answer.value(f"{name}_focus") + approach * answer.value(f"{name}_approach")
    )
    if name == "relevance":
        found = found - answer.value("relevance_difficulty") * answer.value("difficulty")
    return np.asarray(found)


def g3(u: Under) -> Finding:
    answer = u.score("scalable-oversight", "research_grid")
    overlaps, shares = [], []
    for name in ("relevance", "coupling"):
        ends = {
            (f, a): np.quantile(_trait(answer, name, f, a), [0.05, 0.95])
            for f in (-1, 0, 1)
            for a in (-1, 0, 1)
        }
        for (f, a), (low, high) in ends.items():
            for other in ((f + 1, a), (f, a + 1)):
                if other in ends:
                    overlaps.append(max(low, ends[other][0]) < min(high, ends[other][1]))
        step = max(float(np.median(answer.value(f"{name}_{axis}"))) for axis in ("focus", "approach"))
        wide = np.subtract(*np.quantile(answer.value(f"{name}_residual"), [0.95, 0.05]))
        shares.append(float(wide) / step)
    says = (
        f"{sum(overlaps)} of {len(overlaps)} pairs of neighbouring cells overlap; one project's 90% range is "
        f"{significant(shares[0])} steps of relevance and {significant(shares[1])} of coupling"
    )
    return Finding(all(overlaps) and min(shares) > 2, says)


def g4(u: Under) -> Finding:
    shares = []
    for difficulty in (-1.5, 0, 1.5):
        bad = [
            np.mean(net(u.score(n, "research_grid", {"difficulty": difficulty}, 2000)) <= 1e-9)
            for n in ALIGNMENT
        ]
        shares.append(float(np.mean(bad)))
    says = f"{listed(shares, 2)} of the alignment proposals' worlds at a difficulty of −1.5, 0, 1.5"
    return Finding(falls(shares[::-1]), says)


def g5(u: Under) -> Finding:
    right = sum(
        (project(name).facts["focus"], project(name).facts["approach"]) == (FOCUS[c], APPROACH[r])
        for r, row in enumerate(GRID)
        for c, name in enumerate(row)
    )
    return Finding(right == 9, f"{right} of 9 shipped where the essay puts them")


# ── the table ──


@dataclass(frozen=True)
class Claim:
    """A row: a claim, the model whose claim it is, and how it is measured."""

    number: str
    words: str
    measure: Callable[[Under], Finding]
    priors: bool = True
    """Whether it rests on priors, and is measured with the essay's own too."""


@dataclass(frozen=True)
class Essay:
    """An essay's claims."""

    title: str
    model: str
    scenario: str
    claims: tuple[Claim, ...]


ESSAYS = (
    Essay(
        "A note about differential technological development (Soares 2022)", "serial_parallel", "soares", (
            Claim("S1", "toy: two years shorter is a death sentence, even with all 900 person-years done", s1,
                  False),
            Claim("S2", "two units of parallel alignment for one of capability is a bad trade", s2),
            Claim("S3", "serial, conceptual work may be positive even with some capability risk", s3),
            Claim("S4", "work near behaviour is parallel, work that needs concepts is serial", s4),
            Claim("S5", "weird work: a low chance of a large shortening; both kinds have a cost", s5),
            Claim("S6", "conditional on success there is more time", s6),
            Claim("S7", "the brink gives researcher-years, not years", s7),
            Claim("S8", "not publishing matters: closed beats open for the same niche project",
                  s8),
        ),
    ),
    Essay(
        "The case that capability work now buys time (Sotala 2022)", "overhang", "sotala", (
            Claim("K1", "capability work now can be good", k1),
            Claim("K2", "a late, compressed era is worse than an early, long one", k2),
            Claim("K3", "strategy and theory before we know what AGI looks like is mostly wasted", k3),
            Claim("K4", "holding back now means a spurt later", k4),
            Claim("K5", "capability researchers come to care about deception for their own reasons", k5),
            Claim("K6", "some of alignment must wait for a capability", k6),
        ),
    ),
    Essay(
        "All Alignment Research is Capabilities Research (essay)", "alignment_tax", "all-capabilities", (
            Claim("N1", "all alignment research is capabilities research, not the reverse", n1),
            Claim("N2", "the tax can be negative: RLHF made models deployable", n2),
            Claim("N3", "a lab that cares can take the lead by being useful", n3),
            Claim("N4", "what I want against what we want: inclusion works through breadth alone", n4),
            Claim("N5", "centralisation stays a limit", n5),
        ),
    ),
    Essay(
        "The case for aligning narrowly superhuman models (Cotra 2021)", "narrow_superhuman", "cotra", (
            Claim("C1", "three paths: know-how, a better run-up, a long-term solution", c1),
            Claim("C2", "the third path is about a third to three quarters of the value", c2),
            Claim("C3", "a dollar would have to draw in about 100 to matter as much to AI", c3),
            Claim("C4", "what counts: fine-tunes a large model, no scaling, humans, useful", c4, False),
            Claim("C5", "others would do much of it a year or so later", c5),
            Claim("C6", "know-how and infrastructure matter most in short timelines", c6),
            Claim("C6b", "know-how itself matters most in short timelines", c6b),
            Claim("C7", "the value of marginal work rises, then falls, with crowdedness", c7),
            Claim("C8", "sandwiching: less capable people matched to experts' judgement", c8),
        ),
    ),
    Essay(
        "What is alignment research? (Ngo 2024)", "research_grid", "ngo", (
            Claim("G1", "the ratio of alignment to capability speedup rises along both axes", g1),
            Claim("G2", "most machine-learning research is applications research: neither", g2),
            Claim("G3", "it is hard to classify one piece of work by its impact", g3),
            Claim("G4", "the harder alignment is, the more existing research is useless or harmful", g4),
            Claim("G5", "the nine examples", g5, False),
        ),
    ),
)  # fmt: skip

#: Claims that do not hold, by number and scenario ("" at the sourced priors): what carries it.
_REACH = (
    "what is not published is not built on either: closed, a judgement has `reach` at 5% to 50%, which "
    "costs more good than the smaller `leak` saves harm"
)
_PEOPLE = (
    "the people whom the project draws into the field count with this path, pay longest where there is "
    "most time, and outweigh the know-how"
)
_ALIKE = (
    "alike in both, to within the errors: know-how is worth most at middling T, and in short ones, where p "
    "is lowest, a solution takes most of the value"
)
WHY_NOT: dict[tuple[str, str], str] = {
    ("S8", ""): _REACH,
    ("S8", "soares"): _REACH,
    ("C6", ""): _PEOPLE,
    ("C6", "cotra"): _PEOPLE,
    ("C6b", ""): _ALIKE,
    ("C6b", "cotra"): _ALIKE,
}


def cases() -> list[tuple[str, str]]:
    """Return every claim with every priors that it is measured at: number, scenario."""
    return [
        (claim.number, scenario)
        for essay in ESSAYS
        for claim in essay.claims
        for scenario in ("", essay.scenario)[: 1 + claim.priors]
    ]


@cache
def finding(number: str, scenario: str) -> Finding:
    """Return what the program says about a claim."""
    [claim] = [c for essay in ESSAYS for c in essay.claims if c.number == number]
    return claim.measure(Under(scenario))


INTRODUCTION = """\
# What the essays claim, and what the program says

Every row is measured by `tests/claims.py` on the shipped models, priors and proposals, without
evidence, and tested by `tests/test_claims.py`: first at the sourced priors, then, where the answer
rests on priors, with the essay's own numbers (`--scenario`). No prior was set for a row to hold. An
answer with a sign holds if it is resolved by three Monte Carlo standard errors, which follow a "±".
Effects are in microdooms averted. This page is printed by `python -m tests.claims`."""


def page() -> str:
    """Return docs/claims.md."""
    parts = [INTRODUCTION]
    for essay in ESSAYS:
        parts.append(f"## {essay.title}\n\nUnder `{essay.model}`.")
        rows = ["| # | claim | priors | what the program says | holds |", "|---|---|---|---|---|"]
        for claim in essay.claims:
            for scenario in ("", essay.scenario)[: 1 + claim.priors]:
                found = finding(claim.number, scenario)
                verdict = "yes" if found.holds else f"**no**: {WHY_NOT.get((claim.number, scenario), '?')}"
                head = (claim.number, claim.words) if not scenario else ("", "")
                priors = f"`{scenario}`" if scenario else "sourced"
                rows.append(f"| {head[0]} | {head[1]} | {priors} | {found.says} | {verdict} |")
        parts.append("\n".join(rows))
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
