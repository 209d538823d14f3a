"""What capability speedup costs in alignment work: exact derivatives, and ratios beside them.

On the draws of a forecast, which are not drawn again; the slopes are those of the compiled graph.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from difprog.forecast.sampling import Draws
from difprog.forecast.variants import Variants
from difprog.why.channels import estimate

Array = npt.NDArray[np.float64]

MONTHS = 12.0

#: Effects by which p is differentiated.
EXCHANGED = (
    "capability_speedup", "timeline_shortening", "parallel_speedup", "serial_speedup", "gated_speedup",
)  # fmt: skip


class Exchange(NamedTuple):
    """What capability speedup costs at no effect, from exact derivatives; None at a zero divisor."""

    parallel_person_years_per_month: float | None
    serial_months_per_month: float | None
    parallel_years_per_year: float | None
    """Years of the whole field's parallel progress per year of capability progress."""
    parallel_mcse: float | None = None
    serial_mcse: float | None = None
    years_mcse: float | None = None
    """Monte Carlo standard errors of the three."""


class Ratios(NamedTuple):
    """Differential ratios, each beside the one at which work of that kind alone breaks even."""

    parallel: float | None
    parallel_break_even: float | None
    serial: float | None
    serial_break_even: float | None
    parallel_mcse: float | None = None
    serial_mcse: float | None = None


class Slopes(NamedTuple):
    """Slopes of p at no effect, each of shape (reading, draw)."""

    capability: Array
    """∂p/∂x, AGI moving by (1 − ω)·x."""
    parallel: Array
    """∂p/∂a_P."""
    serial: Array
    """∂p/∂a_S + ∂p/∂a_G: progress of all chains."""


def slopes(draws: Draws, variants: Variants | None = None) -> Slopes:
    """Return the exact slopes of p at no effect, from the graph's own derivatives.

    A step in p (no spread in a requirement) has slope 0 on both sides. A draw whose graph has no
    finite slope gets a central difference.

    Parameters
    ----------
    draws : Draws
        The worlds.
    variants : Variants, optional
        Of these draws, where they are at hand.
    """
    shape = draws.without.shape
    u = _broad(draws, "paradigm_fraction", 0.0)
    # At u = 0 the paradigm is here already and cannot come sooner: the slope from above counts.
    at = {"capability_speedup": np.where(u == 0.0, 1e-9, 0.0)}
    found = (variants or Variants(draws)).slopes(EXCHANGED, at)
    pace = 1.0 - _broad(draws, "overhang", 0.0)
    parts = {
        "capability": (found["capability_speedup"] + pace * found["timeline_shortening"], (
            ("capability_speedup", 1.0), ("timeline_shortening", pace))),
        "parallel": (found["parallel_speedup"], (("parallel_speedup", 1.0),)),
        "serial": (found["serial_speedup"] + found["gated_speedup"], (
            ("serial_speedup", 1.0), ("gated_speedup", 1.0))),
    }  # fmt: skip
    result = {}
    for name, (slope, direction) in parts.items():
        bad = ~np.isfinite(slope)
        result[name] = np.where(bad, _difference(draws, direction, shape), slope) if bad.any() else slope
    return Slopes(**result)


def _broad(draws: Draws, name: str, neutral: float) -> Array:
    """Return a belief's draws for every reading, neutral where it is not read, (reading, draw)."""
    rows = [
        draws.value(name, row) if name in view.beliefs else neutral
        for row, view in enumerate(draws.question.views)
    ]
    return np.stack([np.broadcast_to(np.asarray(row, dtype=float), (draws.count,)) for row in rows])


def _difference(draws: Draws, direction: Any, shape: tuple[int, ...], step: float = 1e-5) -> Array:
    """Return the slope of p at no effect along a direction by a central difference."""
    ends = [
        draws.race.chance({n: np.broadcast_to(by * np.asarray(d, dtype=float), shape) for n, d in direction})
        for by in (step, -step)
    ]
    return (ends[0] - ends[1]) / (2.0 * step)


def exchange(draws: Draws, row: int, slope: Slopes) -> Exchange:
    """Return what one month of capability speedup costs, at no effect, in alignment work.

    Ratios of the expected exact derivatives of p: −E[∂p/∂x]/E[∂p/∂a_P] and −E[∂p/∂x]/E[∂p/∂a_S],
    where x moves AGI by (1 − ω)x and a_S every chain. Positive is a cost, negative a gain.
    """
    cost = -slope.capability[row]
    parallel = quotient(draws, row, cost / MONTHS, slope.parallel[row])
    serial = quotient(draws, row, cost, slope.serial[row])
    years = quotient(draws, row, cost, _field(draws, row) * slope.parallel[row])
    return Exchange(parallel[0], serial[0], years[0], parallel[1], serial[1], years[1])


def _field(draws: Draws, row: int) -> Any:
    """Return φN₀, the field's labour that counts, person-years a year."""
    return draws.value("labour_quality", row) * draws.value("researchers", row)


def quotient(draws: Draws, row: int, above: Any, below: Any) -> tuple[float | None, float | None]:
    """Return the ratio of two means and its Monte Carlo error; None where it is not finite."""
    mean = draws.ways[row].mean
    divisor = mean(below)
    if divisor == 0.0:
        return None, None
    value = mean(above) / divisor
    if not math.isfinite(value):
        return None, None
    # Linearised: the error of a ratio of means is that of the mean residual over the divisor.
    residual = np.asarray(above) - value * np.asarray(below)
    return value, estimate(draws, row, residual).mcse / abs(divisor)


def ratios(draws: Draws, row: int, rates: Exchange) -> Ratios:
    """Return years of alignment progress per year of capability progress, of both kinds.

    A ratio is one of means, E[a_P/(φN₀)]/E[x] and E[a_S]/E[x], with the hit probability averaged
    in; None where the project has no capability effect. Beside each stands the ratio at which
    alignment work of that kind alone makes up for the capability speedup, at the margin.
    """
    x = draws.effect("capability_speedup")[row]
    with np.errstate(divide="ignore", invalid="ignore"):  # a field of next to nobody has no ratio
        years = draws.effect("parallel_speedup")[row] / _field(draws, row)
    parallel = quotient(draws, row, years, x)
    serial = quotient(draws, row, draws.effect("serial_speedup")[row], x)
    return Ratios(
        parallel=parallel[0],
        parallel_break_even=rates.parallel_years_per_year,
        serial=serial[0],
        serial_break_even=rates.serial_months_per_month,
        parallel_mcse=parallel[1],
        serial_mcse=serial[1],
    )
