"""From the facts of a project to its effects on the race.

Like `difprog.race.race`, every function takes draws (NumPy or PyTensor) as attributes of ``w`` and a
namespace ``xp``; nothing here reads a file or samples. An effect that the user states outright
(an attribute of ``w`` named as the effect) replaces what is derived here, whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from difprog.race.arrays import Namespace
from difprog.race.race import Effects, closed

#: Position of a project on the two axes of the research grid.
FOCUS_SCORE = {"average": -1.0, "pessimistic": 0.0, "worst": 1.0}
APPROACH_SCORE = {"engineering": -1.0, "behaviourist": 0.0, "cognitivist": 1.0}

#: What makes a project practice on a narrowly superhuman model.
CRITERIA = ("fine-tunes", "no-scaling", "humans", "useful")


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of a project that are not quantities.

    ``certain`` says that the capability effect happens for sure (it was stated outright, without
    a hit probability beside it).
    """

    kind: str = "alignment"
    focus: str = "average"
    approach: str = "engineering"
    novelty: str = "mainstream"
    publication: str = "open"
    criteria: frozenset[str] = field(default_factory=frozenset)
    certain: bool = False

    @property
    def fit(self) -> float:
        """Share of the four criteria that are met; 0 where a model is made larger."""
        return len(self.criteria) / len(CRITERIA) if "no-scaling" in self.criteria else 0.0


class Outcome(NamedTuple):
    """A project's effects in its two branches, and the chance of the first."""

    if_hit: Effects
    if_miss: Effects
    hit_probability: Any

    @property
    def capability_speedup(self) -> Any:
        """Years of capability progress pulled forward, the hit probability averaged in."""
        return self._average(self.if_hit.capability_speedup, self.if_miss.capability_speedup)

    @property
    def timeline_shortening(self) -> Any:
        """Years by which AGI arrives sooner, the hit probability averaged in."""
        return self._average(self.if_hit.timeline_shortening, self.if_miss.timeline_shortening)

    def _average(self, hit: Any, miss: Any) -> Any:
        return self.hit_probability * hit + (1.0 - self.hit_probability) * miss


def relevance(facts: Facts, w: Any, xp: Namespace) -> Any:
    """Return the worth of the project's hour against the field's average alignment hour, in [0, 1].

    On the grid: logit relevance = α_r + β_f z_f + β_a z_a − ρ·difficulty + u.
    """
    if facts.kind == "capabilities":
        return 0.0
    if facts.kind == "applications":
        return w.applications_relevance
    if hasattr(w, "relevance"):
        return w.relevance
    return xp.expit(
        w.relevance_intercept
        + w.relevance_focus * FOCUS_SCORE[facts.focus]
        + w.relevance_approach * APPROACH_SCORE[facts.approach]
        - w.relevance_difficulty * w.difficulty
        + w.relevance_residual
    )


def coupling(facts: Facts, w: Any, xp: Namespace) -> Any:
    """Return the share of the project's work that is capability work too, in [0, 1].

    On the grid: logit coupling = α_c − γ_f z_f − γ_a z_a + v.
    """
    if facts.kind == "capabilities":
        return 1.0
    if facts.kind == "applications":
        return w.applications_coupling
    if hasattr(w, "coupling"):
        return w.coupling
    return xp.expit(
        w.coupling_intercept
        - w.coupling_focus * FOCUS_SCORE[facts.focus]
        - w.coupling_approach * APPROACH_SCORE[facts.approach]
        + w.coupling_residual
    )


def crowdedness(w: Any, xp: Namespace) -> Any:
    """Return (n/n*)·exp(1 − n/n*): 1 at the peak n = n*, less with fewer or more people."""
    ratio = w.area_researchers / w.crowding_peak
    return ratio * xp.exp(1.0 - ratio)


def capability_speedups(facts: Facts, w: Any, xp: Namespace) -> tuple[Any, Any]:
    """Return (breakthrough, hype): years pulled forward if the project hits, and in any case."""
    found_sooner = (
        coupling(facts, w, xp) * w.effort * w.breakthrough / w.capability_researchers
    )
    breakthrough = w.leak * xp.minimum(found_sooner, w.lead_time)
    hype = 0.0
    if not closed(w.hype_leverage):
        hype = w.elasticity * w.hype_leverage * w.cost / w.ai_spend
    return breakthrough, hype


def derive(facts: Facts, w: Any, xp: Namespace) -> Outcome:
    """Return a project's effects, with its capability breakthrough and without.

    Parameters
    ----------
    facts : Facts
        The project's facts.
    w : object
        Draws of every belief in use as attributes, ``effort`` (FTE-years), ``duration`` (years)
        and ``cost`` (USD) among them.
    xp : Namespace
        The array functions.
    """

    def stated(name: str, derived: Any) -> Any:
        return getattr(w, name, derived)

    def at_rate(amount: Any, rate: Any) -> Any:
        return 0.0 if closed(rate) else amount * rate

    worth = relevance(facts, w, xp)
    counterfactual = 1.0 - w.displacement
    crowd = crowdedness(w, xp)
    labour = w.effort * (1.0 - w.serial_share) * worth * w.labour_quality * w.skill
    progress = w.duration * w.serial_share * worth * w.advance
    breakthrough, hype = capability_speedups(facts, w, xp)

    path = facts.fit * crowd * w.effort * counterfactual
    odds = w.effort * worth * counterfactual
    always = Effects(
        parallel_speedup=stated("parallel_speedup", labour * counterfactual * crowd),
        serial_speedup=stated("serial_speedup", progress * counterfactual),
        adoption_effect=stated("adoption_effect", at_rate(odds, w.adoption_per_fte_year)),
        lead_effect=stated("lead_effect", at_rate(odds, w.lead_per_fte_year)),
        breadth_effect=stated("breadth_effect", at_rate(odds, w.breadth_per_fte_year)),
        knowhow_effect=stated("knowhow_effect", at_rate(path, w.knowhow_per_fte_year)),
        assistance_effect=stated("assistance_effect", at_rate(path, w.assistance_per_fte_year)),
        grace_effect=stated("grace_effect", at_rate(path, w.grace_per_fte_year)),
        solution_probability=stated(
            "solution_probability", -xp.expm1(-at_rate(path, w.solution_per_fte_year))
        ),
        field_growth=stated("field_growth", at_rate(path, w.followers_per_fte_year)),
    )

    def pulled_forward(years: Any) -> Effects:
        return always._replace(
            capability_speedup=years,
            timeline_shortening=stated("timeline_shortening", (1.0 - w.overhang) * years),
        )

    outright = hasattr(w, "capability_speedup")
    return Outcome(
        if_hit=pulled_forward(w.capability_speedup if outright else breakthrough + hype),
        if_miss=pulled_forward(0.0 if outright else hype),
        hit_probability=1.0 if facts.certain else w.hit_probability,
    )
