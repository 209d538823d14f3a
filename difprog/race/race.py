"""The race: the chance that alignment succeeds before AGI, given a world and a project's effects.

Nothing else is here: no files, no sampling. Every function takes draws (NumPy arrays that
broadcast against each other, usually of shape (draws,), or PyTensor variables) and the
namespace ``xp`` of `difprog.race.arrays` that fits them. Times are years from ``as_of``, labour is
person-years, growth is per year and continuous; README.md states the same formulas in prose.

Two kinds of alignment work race AGI. *Parallel* work W is bought with labour and needs a total
of R person-years. *Serial* work is K chains that each take L years whoever works on them;
K_g of them can start only once the paradigm that AGI will be built in has arrived. The
requirements are lognormal about their medians, and that chance is integrated in closed form:
what is returned is a conditional probability, never a 0/1 outcome.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from difprog.race.arrays import Namespace

#: exp(600) is about 1e260: labour beyond any requirement, yet sums and differences stay finite.
LARGEST_EXPONENT = 600.0


class Effects(NamedTuple):
    """What a project does to the race, each of shape (draws,) or scalar; 0 is no effect."""

    parallel_speedup: Any = 0.0
    """a_P, person-years of quality-adjusted parallel alignment labour added."""
    serial_speedup: Any = 0.0
    """a_S, years of progress added to every serial chain."""
    capability_speedup: Any = 0.0
    """x, years of capability progress pulled forward."""
    timeline_shortening: Any = 0.0
    """Δ, years by which AGI arrives sooner."""
    adoption_effect: Any = 0.0
    """Log-odds added to the chance that another builder adopts a solution."""
    lead_effect: Any = 0.0
    """Log-odds added to the chance that a safety-led builder is first."""
    breadth_effect: Any = 0.0
    """Log-odds added to the chance that aligned means aligned to all of us."""
    knowhow_effect: Any = 0.0
    """k, fraction added to the field's labour until the know-how would exist anyway."""
    assistance_effect: Any = 0.0
    """δκ, added to the labour multiple of AI assistants in the run-up."""
    grace_effect: Any = 0.0
    """δB, years added to the grace period."""
    solution_probability: Any = 0.0
    """q, chance that the project itself leads to a solution where none would be had."""
    field_growth: Any = 0.0
    """f, FTE that the project draws into the field for good."""


NO_EFFECT = Effects()


def closed(value: Any) -> bool:
    """Whether a quantity is the plain number 0: its mechanism is closed and need not be computed."""
    return isinstance(value, (int, float)) and value == 0


def growth_integral(years: Any, rate: Any, xp: Namespace) -> Any:
    """Return G(t) = (exp(γt) − 1)/γ, the integral of exp(γs) over 0 ≤ s ≤ t; t at γ = 0.

    Parameters
    ----------
    years : array
        t, years.
    rate : array
        γ, 1/year; any sign.
    xp : Namespace
        The array functions.

    Returns
    -------
    array
        Years' worth of today's labour. Exponents beyond `LARGEST_EXPONENT` are held there.
    """
    flat = (abs(rate) <= 0) * 1.0
    return xp.where(
        flat > 0, years, xp.expm1(xp.minimum(rate * years, LARGEST_EXPONENT)) / (rate + flat)
    )


def chance_met(done: Any, median: Any, spread: Any, xp: Namespace) -> Any:
    """Return F(y; M, σ) = Φ((ln y − ln M)/σ): the chance that what is done meets the requirement.

    Parameters
    ----------
    done : array
        y, work done, in the unit of ``median``; nothing done (y ≤ 0) meets nothing.
    median : array
        M > 0, the median of the lognormal requirement.
    spread : array
        σ ≥ 0, its log standard deviation; at 0 the chance is the step 1[y ≥ M].
    xp : Namespace
        The array functions.
    """
    step = (spread <= 0) * 1.0
    some = (done > 0) * 1.0
    score = (xp.log(done * some + (1.0 - some)) - xp.log(median)) / (spread + step)
    return xp.where(step > 0, (done >= median) * 1.0, some * xp.ndtr(score))


def shift_odds(probability: Any, log_odds: Any, xp: Namespace) -> Any:
    """Return logit⁻¹(logit p + d), with 0 and 1 staying put and d = 0 changing no bit of p."""
    log_odds = xp.minimum(log_odds, 700.0)  # beyond, the odds are past what a machine holds
    odds = xp.exp(log_odds)
    return probability * odds / (1.0 + probability * xp.expm1(log_odds))


def work_done(w: Any, e: Effects, xp: Namespace) -> tuple[Any, Any, Any, Any]:
    """Return (W, s₁, s₂, D'): parallel person-years, serial years, gated serial years, deadline.

    Parameters
    ----------
    w : object
        The world's beliefs as attributes, named as in `difprog.race.parameters`.
    e : Effects
        The project's effects.
    xp : Namespace
        The array functions.
    """

    def labour_years(years: Any) -> Any:
        return growth_integral(years, w.parallel_exponent * w.researcher_growth, xp)

    arrival = xp.maximum(w.agi_arrival - e.timeline_shortening, 0.0)
    deadline = arrival + w.grace_period + e.grace_effect
    paradigm = xp.minimum(
        xp.maximum(w.paradigm_fraction * w.agi_arrival - e.capability_speedup, 0.0), arrival
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
        parallel = parallel + field * e.knowhow_effect * labour_years(xp.minimum(arrival, w.knowhow_horizon))
    assistance = w.assistance + e.assistance_effect
    if not closed(assistance):
        run_up = before_arrival - labour_years(xp.maximum(arrival - w.runup_length, 0.0))
        parallel = parallel + field * assistance * run_up
    if not closed(e.field_growth):
        parallel = parallel + w.labour_quality * e.field_growth * deadline
    gated = deadline - paradigm + e.serial_speedup
    serial = w.early_relevance * paradigm + gated
    return parallel, serial, gated, deadline


def solved(w: Any, e: Effects, xp: Namespace) -> Any:
    """Return S⁺: the chance that alignment is solved by the deadline, or by the project itself."""
    parallel, serial, gated, deadline = work_done(w, e, xp)
    late = 0.0 if closed(w.gated_chains) else xp.minimum(w.gated_chains, w.serial_chains)
    needed = w.parallel_requirement * xp.exp(w.requirement_difficulty * w.difficulty)
    chance = (
        (deadline >= w.chunk_length)
        * chance_met(parallel, needed, w.parallel_spread, xp)
        * chance_met(serial, w.serial_requirement, w.serial_spread, xp) ** (w.serial_chains - late)
    )
    if not closed(late):
        chance = chance * chance_met(gated, w.serial_requirement, w.serial_spread, xp) ** late
    if closed(e.solution_probability):
        return chance
    return chance + e.solution_probability * (1.0 - chance)


def success(w: Any, e: Effects, xp: Namespace) -> Any:
    """Return p(θ; e), the chance that alignment succeeds before AGI.

    Parameters
    ----------
    w : object
        The world's beliefs as attributes; a mechanism that is off is at its neutral value.
    e : Effects
        The project's effects; `NO_EFFECT` for the world without it.
    xp : Namespace
        The array functions.

    Returns
    -------
    array
        p = ℓ + (1 − ℓ)·S⁺·A·V, of the shape that the draws broadcast to, within [0, 1].
    """
    lead = shift_odds(w.safety_lead, e.lead_effect, xp)
    adopted = lead + (1.0 - lead) * shift_odds(w.adoption, e.adoption_effect, xp)
    shared = shift_odds(w.breadth, e.breadth_effect, xp)
    return w.default_success + (1.0 - w.default_success) * solved(w, e, xp) * adopted * shared
