"""The race: the chance that alignment succeeds before AGI, given a world and a project's effects.

Nothing else is here: no files, no sampling, no NumPy. Every function takes and returns PyTensor
variables (or plain numbers) that broadcast against each other, and is elementwise. Times are
years from ``as_of``, labour is person-years, growth is per year and continuous; docs/model.md
states the same formulas in prose.

Two kinds of alignment work race AGI. *Parallel* work W is bought with labour and needs a total
of R person-years. *Serial* work is K chains that each take L years whoever works on them;
K_g of them can start only once the paradigm that AGI will be built in has arrived. And no
parallel work is done faster than its longest piece, the chunk c. The requirements are lognormal
about their medians, and that chance is integrated in closed form: what is returned is a
conditional probability, never a 0/1 outcome.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytensor.tensor as pt

#: A PyTensor variable, or a plain number.
Variable = Any

#: exp(600) is about 1e260: labour beyond any requirement, yet sums and differences stay finite.
LARGEST_EXPONENT = 600.0

#: Log-odds past which the odds are more than a machine holds.
LARGEST_LOG_ODDS = 700.0


class Effects:
    """What a project does to the race, by the names of the vocabulary; what is not named is 0.

    Parameters
    ----------
    **values : Variable
        Effect → its value. A model file may name effects of its own.
    """

    def __init__(self, **values: Variable) -> None:
        self._values = {n: v for n, v in values.items() if not closed(v)}

    def __getattr__(self, name: str) -> Variable:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._values.get(name, 0.0)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def but(self, **values: Variable) -> Effects:
        """Return these effects with some of them replaced."""
        return Effects(**{**self._values, **values})


NO_EFFECT = Effects()


class Work(NamedTuple):
    """What is done by the deadline."""

    parallel: Variable
    """W, person-years."""
    serial: Variable
    """s₁, years, of the chains that can start now."""
    gated: Variable
    """s₂, years, of the chains that wait for the paradigm."""
    deadline: Variable
    """D', years from ``as_of``."""


def closed(value: Variable) -> bool:
    """Whether a quantity is the plain number 0: its mechanism is closed and need not be computed."""
    return isinstance(value, (int, float)) and value == 0


def labour(years: Variable, growth: Variable, stop: Variable) -> Variable:
    """Return G(t), the labour done by t years as a multiple of today's per year.

    Parameters
    ----------
    years : Variable
        t ≥ 0.
    growth : Variable
        γ, 1/year, any sign: G(t) = (exp(γt) − 1)/γ, and t at γ = 0.
    stop : Variable
        H, years until the field stops growing: from then on G rises by exp(γH) a year.
    """
    until = pt.minimum(years, stop)
    flat = pt.eq(growth, 0.0)
    risen = pt.expm1(pt.minimum(growth * until, LARGEST_EXPONENT))
    growing = pt.switch(flat, until, risen / pt.switch(flat, 1.0, growth))
    return growing + (1.0 + risen) * (years - until)


def growth_ends(w: Any) -> Variable:
    """Return H, years until the field reaches its ceiling; ∞ where it does not grow."""
    grows = pt.gt(w.researcher_growth, 0.0)
    to_go = pt.log(pt.maximum(w.field_ceiling / w.researchers, 1.0))
    return pt.switch(grows, to_go / pt.switch(grows, w.researcher_growth, 1.0), float("inf"))


def chance_met(done: Variable, median: Variable, spread: Variable) -> Variable:
    """Return F(y; M, σ) = Φ((ln y − ln M)/σ): the chance that what is done meets the requirement.

    Parameters
    ----------
    done : Variable
        y, work done, in the unit of ``median``; nothing done (y ≤ 0) meets nothing but M = 0.
    median : Variable
        M ≥ 0, the median of the lognormal requirement; at 0 there is none.
    spread : Variable
        σ ≥ 0, its log standard deviation; at 0 the chance is the step 1[y ≥ M].
    """
    step, some, needed = pt.le(spread, 0.0), pt.gt(done, 0.0), pt.gt(median, 0.0)
    score = (pt.log(pt.switch(some, done, 1.0)) - pt.log(pt.switch(needed, median, 1.0))) / pt.switch(
        step, 1.0, spread
    )
    smooth = pt.switch(some, 0.5 * pt.erfc(score * -(0.5**0.5)), 0.0)
    return pt.switch(needed, pt.switch(step, pt.ge(done, median) * 1.0, smooth), 1.0)


def all_met(chance: Variable, count: Variable) -> Variable:
    """Return the chance that so many independent chains all end; 1 for none of them."""
    some = pt.gt(count, 0.0)
    # The base is kept from 0 where the exponent is: the slope of 0⁰ is no number.
    return pt.switch(some, pt.switch(some, chance, 1.0) ** count, 1.0)


def shift_odds(probability: Variable, log_odds: Variable) -> Variable:
    """Return logit⁻¹(logit p + d); 0 and 1 stay put under any d, and d = 0 changes no bit of p."""
    if closed(log_odds):
        return probability
    odds = pt.exp(pt.minimum(pt.maximum(log_odds, -LARGEST_LOG_ODDS), LARGEST_LOG_ODDS))
    shifted = probability * odds / ((1.0 - probability) + probability * odds)
    # At d = 0 the slope, p(1 − p), has to be there too: exact derivatives are taken at no effect.
    at_none = probability + probability * (1.0 - probability) * log_odds
    return pt.switch(pt.eq(log_odds, 0.0), at_none, shifted)


def work_done(w: Any, e: Effects) -> Work:
    """Return the work that is done by the deadline, with a project's effects.

    Parameters
    ----------
    w : object
        The world's beliefs as attributes, by the names of the vocabulary.
    e : Effects
        The project's effects.
    """
    growth = w.parallel_exponent * w.researcher_growth
    stop = growth_ends(w)

    def labour_years(years: Variable) -> Variable:
        return labour(years, growth, stop)

    arrival = pt.maximum(w.agi_arrival - e.timeline_shortening, 0.0)
    deadline = arrival + w.grace_period + e.grace_effect
    paradigm = pt.minimum(
        pt.maximum(w.paradigm_fraction * w.agi_arrival - e.capability_speedup, 0.0), arrival
    )
    surge = w.brink_surge**w.parallel_exponent

    before_paradigm = labour_years(paradigm)
    before_arrival = labour_years(arrival)
    known = before_arrival - before_paradigm
    brink = surge * (labour_years(deadline) - before_arrival)
    field = w.labour_quality * w.researchers
    parallel = (
        field * (w.early_relevance * before_paradigm + (1.0 + w.convergence) * (known + brink))
        + e.parallel_speedup
    )
    if not closed(e.knowhow_effect):
        parallel = parallel + field * e.knowhow_effect * labour_years(pt.minimum(arrival, w.knowhow_horizon))
    assistance = w.assistance + e.assistance_effect
    if not closed(assistance):
        run_up = before_arrival - labour_years(pt.maximum(arrival - w.runup_length, 0.0))
        parallel = parallel + field * assistance * run_up
    if not closed(e.field_growth):
        parallel = parallel + w.labour_quality * e.field_growth * deadline
    after = deadline - paradigm
    return Work(
        parallel=parallel,
        serial=w.early_relevance * paradigm + after + e.serial_speedup,
        gated=after + e.gated_speedup,
        deadline=deadline,
    )


def solved(w: Any, e: Effects) -> Variable:
    """Return S⁺: the chance that alignment is solved by the deadline, or by the project itself."""
    done = work_done(w, e)
    late = 0.0 if closed(w.gated_chains) else pt.minimum(w.gated_chains, w.serial_chains)
    needed = w.parallel_requirement
    if not closed(w.requirement_difficulty):
        needed = needed * pt.exp(w.requirement_difficulty * w.difficulty)
    chance = (
        chance_met(done.deadline, w.chunk_length, w.chunk_spread)
        * chance_met(done.parallel, needed, w.parallel_spread)
        * all_met(chance_met(done.serial, w.serial_requirement, w.serial_spread), w.serial_chains - late)
    )
    if not closed(late):
        chance = chance * all_met(chance_met(done.gated, w.serial_requirement, w.serial_spread), late)
    return chance + e.solution_probability * (1.0 - chance)


def success(w: Any, e: Effects) -> Variable:
    """Return p(θ; e), the chance that alignment succeeds before AGI.

    Parameters
    ----------
    w : object
        The world's beliefs as attributes; a mechanism that is off is at its neutral value.
    e : Effects
        The project's effects; `NO_EFFECT` for the world without it.

    Returns
    -------
    Variable
        p = ℓ + (1 − ℓ)·S⁺·A·V, of the shape that the draws broadcast to, within [0, 1].
    """
    lead = shift_odds(w.safety_lead, e.lead_effect)
    adopted = lead + (1.0 - lead) * shift_odds(w.adoption, e.adoption_effect)
    shared = shift_odds(w.breadth, e.breadth_effect)
    return w.default_success + (1.0 - w.default_success) * solved(w, e) * adopted * shared
