"""From the facts of a project to its effects on the race.

Like `difprog.race.race`, every function takes PyTensor variables or plain numbers as attributes
of ``w`` and is elementwise; nothing here reads a file or samples.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytensor.tensor as pt

from difprog.race.race import Effects, Variable, closed


class Facts(NamedTuple):
    """The facts of a project that are no quantities, as numbers; scalars or scalar variables."""

    capabilities: Variable
    """1 for capabilities research, else 0."""
    applications: Variable
    """1 for applications research, else 0."""
    field_building: Variable
    """1 for field-building, else 0."""
    focus: Variable
    """−1, 0 or 1: average, pessimistic, worst."""
    approach: Variable
    """−1, 0 or 1: engineering, behaviourist, cognitivist."""
    fit: Variable
    """Share of the four criteria that are met; 0 where a model is made larger."""
    certain: Variable
    """1 where the capability effect happens for sure: stated outright without a hit probability."""


class Outcome(NamedTuple):
    """A project's effects in its two branches, and the chance of the first."""

    if_hit: Effects
    if_miss: Effects
    hit_probability: Variable

    def but(self, **effects: Variable) -> Outcome:
        """Return the outcome with some effects replaced in both branches."""
        return self._replace(if_hit=self.if_hit.but(**effects), if_miss=self.if_miss.but(**effects))


def relevance(facts: Facts, w: Any) -> Variable:
    """Return the worth of the project's hour as a multiple of the field's average alignment hour.

    On the grid: ln relevance = α_r + β_f z_f + β_a z_a − ρ·difficulty + u. Capability work and
    field-building have none.
    """
    own = w.relevance if hasattr(w, "relevance") else None
    grid = pt.exp(
        w.relevance_intercept
        + w.relevance_focus * facts.focus
        + w.relevance_approach * facts.approach
        - w.relevance_difficulty * w.difficulty
        + w.relevance_residual
    )
    found = pt.switch(pt.gt(facts.applications, 0.0), w.applications_relevance, _or_stated(grid, own))
    return pt.switch(pt.gt(facts.capabilities + facts.field_building, 0.0), 0.0, found)


def coupling(facts: Facts, w: Any) -> Variable:
    """Return the share of the project's work that is capability work too, in [0, 1].

    On the grid: logit coupling = α_c − γ_f z_f − γ_a z_a + v. It is 1 for capability work and
    0 for field-building.
    """
    own = w.coupling if hasattr(w, "coupling") else None
    grid = pt.sigmoid(
        w.coupling_intercept
        - w.coupling_focus * facts.focus
        - w.coupling_approach * facts.approach
        + w.coupling_residual
    )
    found = pt.switch(pt.gt(facts.applications, 0.0), w.applications_coupling, _or_stated(grid, own))
    found = pt.switch(pt.gt(facts.capabilities, 0.0), 1.0, found)
    return pt.switch(pt.gt(facts.field_building, 0.0), 0.0, found)


def _or_stated(derived: Variable, stated: tuple[Variable, Variable] | None) -> Variable:
    """Return what is stated where it is: ``stated`` is a value, and whether a reading states it."""
    return derived if stated is None else pt.switch(stated[1], stated[0], derived)


def crowdedness(w: Any) -> Variable:
    """Return (n/n*)·exp(1 − n/n*): 1 at the peak n = n*, less with fewer or more people."""
    ratio = w.area_researchers / w.crowding_peak
    return ratio * pt.exp(1.0 - ratio)


def added(share: Variable, years: Variable, exponent: Variable) -> Variable:
    """Return d·((1 + r/d)^β − 1): years of progress that labour adds to a field.

    Parameters
    ----------
    share : Variable
        r ≥ 0, FTE-years per head of the field.
    years : Variable
        d > 0, years over which they are spread.
    exponent : Variable
        β, the power of its headcount as which the field's progress grows.
    """
    return years * pt.expm1(exponent * pt.log1p(share / years))


def derive(facts: Facts, w: Any) -> Outcome:
    """Return a project's effects, with its capability breakthrough and without.

    Parameters
    ----------
    facts : Facts
        The project's facts.
    w : object
        Every belief in use as attributes, ``effort`` (FTE-years), ``start`` and ``duration``
        (years) and ``cost`` (USD) among them.
    """

    def share_done(at: Variable) -> Variable:
        return pt.minimum(pt.maximum((at - w.start) / w.duration, 0.0), 1.0)

    finished = share_done(w.agi_arrival)
    early = pt.minimum(share_done(w.paradigm_fraction * w.agi_arrival), finished)
    informed = finished - early
    worth = w.early_relevance * early + informed

    tied = coupling(facts, w)
    counterfactual = 1.0 - w.displacement
    crowd = crowdedness(w)
    hands = w.effort * relevance(facts, w) * w.skill * counterfactual
    serial = added(hands * w.serial_share / w.serial_researchers, w.duration, w.serial_exponent)

    def at_rate(amount: Variable, rate: Variable) -> Variable:
        return 0.0 if closed(rate) else amount * rate

    path = finished * facts.fit * crowd * w.effort * w.skill * counterfactual
    shared_path = w.reach * path
    recruits = finished * w.effort * w.skill * counterfactual * w.recruits_per_fte_year
    followers = at_rate(shared_path, w.followers_per_fte_year)
    always = Effects(
        parallel_speedup=worth * w.reach * hands * (1.0 - w.serial_share) * w.labour_quality * crowd,
        serial_speedup=worth * w.reach * serial,
        gated_speedup=informed * w.reach * serial,
        adoption_effect=at_rate(finished * w.reach * hands * tied, w.adoption_per_fte_year),
        lead_effect=at_rate(finished * hands, w.lead_per_fte_year),
        breadth_effect=at_rate(finished * w.reach * hands, w.breadth_per_fte_year),
        knowhow_effect=at_rate(shared_path, w.knowhow_per_fte_year),
        assistance_effect=at_rate(shared_path, w.assistance_per_fte_year),
        grace_effect=at_rate(shared_path, w.grace_per_fte_year),
        solution_probability=0.0 if closed(w.solution_per_fte_year)
        else -pt.expm1(-path * w.solution_per_fte_year),
        field_growth=pt.switch(pt.gt(facts.field_building, 0.0), recruits, followers),
    )  # fmt: skip

    found_sooner = added(
        tied * w.effort * w.breakthrough / w.capability_researchers, w.duration, w.capability_exponent
    )
    breakthrough = finished * w.leak * pt.minimum(found_sooner, w.lead_time)
    hype = 0.0
    if not closed(w.hype_leverage):
        hype = finished * w.elasticity * w.hype_leverage * w.cost / w.ai_spend
    return Outcome(
        if_hit=_pulled_forward(always, breakthrough + hype, w),
        if_miss=_pulled_forward(always, hype, w),
        # Where it is certain in every reading, none of them reads how likely it is.
        hit_probability=pt.switch(pt.gt(facts.certain, 0.0), 1.0, getattr(w, "hit_probability", 1.0)),
    )


def _pulled_forward(effects: Effects, years: Variable, w: Any) -> Effects:
    """Return effects with a capability speedup and the timeline shortening that follows from it."""
    return effects.but(capability_speedup=years, timeline_shortening=(1.0 - w.overhang) * years)


def stated_outright(outcome: Outcome, stated: dict[str, tuple[Variable, Variable]], w: Any) -> Outcome:
    """Return an outcome in which effects that a file states replace what was derived, whole.

    Parameters
    ----------
    outcome : Outcome
        As derived.
    stated : dict
        Effect → its value, and whether it is stated (a variable that broadcasts over readings).
    w : object
        The beliefs.
    """
    if not stated:
        return outcome
    stated = dict(stated)
    if "serial_speedup" in stated and "gated_speedup" not in stated:
        stated["gated_speedup"] = stated["serial_speedup"]
    elif "serial_speedup" in stated:
        value, holds = stated["gated_speedup"]
        serial, serial_holds = stated["serial_speedup"]
        stated["gated_speedup"] = pt.switch(holds, value, serial), pt.or_(holds, serial_holds)
    hit, miss = outcome.if_hit, outcome.if_miss
    if "capability_speedup" in stated:
        years, holds = stated.pop("capability_speedup")
        hit = _pulled_forward(hit, pt.switch(holds, years, hit.capability_speedup), w)
        miss = _pulled_forward(miss, pt.switch(holds, 0.0, miss.capability_speedup), w)
    for name, (value, holds) in stated.items():
        hit = hit.but(**{name: pt.switch(holds, value, getattr(hit, name))})
        miss = miss.but(**{name: pt.switch(holds, value, getattr(miss, name))})
    return outcome._replace(if_hit=hit, if_miss=miss)
