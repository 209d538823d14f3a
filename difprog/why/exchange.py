"""What capability speedup costs in alignment work: exact derivatives, and ratios beside them.

On the draws of a forecast, which are not drawn again. Loads pytensor when needed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from difprog.forecast.simulate import Draws
from difprog.race.arrays import pytensor_namespace
from difprog.race.race import NO_EFFECT
from difprog.why.channels import estimate, mean, net_effect

Array = npt.NDArray[np.float64]

MONTHS = 12.0


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


def exchange(draws: Draws) -> Exchange:
    """Return what one month of capability speedup costs, at no effect, in alignment work.

    Ratios of the expected exact derivatives of p: −E[∂p/∂x]/E[∂p/∂a_P] and −E[∂p/∂x]/E[∂p/∂a_S],
    where x moves AGI by (1 − ω)x. Positive is a cost, negative a gain.
    """
    slope = slopes(draws)
    world = draws.question.model.world(draws.values)
    cost = -slope["capability_speedup"]
    of_parallel, of_serial = slope["parallel_speedup"], slope["serial_speedup"]
    field = np.asarray(world.labour_quality * world.researchers, dtype=float)
    parallel = quotient(draws, cost / MONTHS, of_parallel)
    serial = quotient(draws, cost, of_serial)
    years = quotient(draws, cost, field * of_parallel)
    return Exchange(
        parallel[0], serial[0], years[0], parallel[1], serial[1], years[1]
    )  # fmt: skip


def quotient(draws: Draws, above: Any, below: Any) -> tuple[float | None, float | None]:
    """Return the ratio of two means and its Monte Carlo error; None where it is not finite."""
    divisor = mean(below)
    if divisor == 0.0:
        return None, None
    value = mean(above) / divisor
    if not math.isfinite(value):
        return None, None
    # Linearised: the error of a ratio of means is that of the mean residual over the divisor.
    return value, estimate(draws, np.asarray(above) - value * np.asarray(below)).mcse / abs(divisor)


def slopes(draws: Draws) -> dict[str, Array]:
    """Return ∂p/∂x, ∂p/∂a_P and ∂p/∂a_S at no effect, by name of the effect, shape (draws,).

    Exact, from the graph of the model's own ``success``; a step in p (σ = 0, or the shortest
    chunk) has slope 0 on both sides. A draw whose graph has no finite slope (0 to the power 0)
    gets a central difference, as do all draws of a user's model that makes no graph.
    """
    model, shape = draws.question.model, (draws.count,)
    world = {
        name: np.broadcast_to(np.asarray(value, dtype=float), shape)
        for name, value in sorted(vars(model.world(draws.values)).items())
    }
    at = {name: np.zeros(shape) for name in EXCHANGED}
    # At u = 0 the paradigm is here already and cannot come sooner: the slope from above counts.
    at["capability_speedup"] = np.where(world["paradigm_fraction"] == 0.0, 1e-9, 0.0)
    try:
        function = _gradient(model.success, tuple(world))
    except Exception:  # whatever a user's code raises on symbols: it runs on arrays
        return {name: difference(draws, name) for name in EXCHANGED}
    with np.errstate(all="ignore"):
        found = function(*world.values(), *at.values())
    result = {}
    for name, slope in zip(at, found, strict=True):
        bad = ~np.isfinite(slope)
        result[name] = np.where(bad, difference(draws, name), slope) if bad.any() else slope
    return result


EXCHANGED = ("capability_speedup", "parallel_speedup", "serial_speedup")


@lru_cache(maxsize=64)
def _gradient(success: Callable[..., Any], names: tuple[str, ...]) -> Any:
    """Compile the slopes of a model's ``success``; models that share it share the result."""
    import pytensor
    import pytensor.tensor as pt
    from pytensor.compile.mode import Mode

    world = {name: pt.dvector(name) for name in names}
    effects = {name: pt.dvector(f"effect {name}") for name in EXCHANGED}
    x = effects["capability_speedup"]
    shifted = NO_EFFECT._replace(**effects, timeline_shortening=(1.0 - world["overhang"]) * x)
    p = success(SimpleNamespace(**world), shifted, pytensor_namespace())
    slopes = pytensor.grad(
        pt.sum(p), list(effects.values()), disconnected_inputs="ignore", return_disconnected="zero"
    )
    return pytensor.function(
        [*world.values(), *effects.values()], slopes,
        mode=Mode(linker="py", optimizer=None), on_unused_input="ignore",
    )  # fmt: skip


def difference(draws: Draws, effect: str, step: float = 1e-5) -> Array:
    """Return the slope of p in one effect at no effect by a central difference, shape (draws,)."""
    world = draws.question.model.world(draws.values)

    def moved(by: float) -> Any:
        change = {effect: by}
        if effect == "capability_speedup":
            change["timeline_shortening"] = (1.0 - world.overhang) * by
        e = NO_EFFECT._replace(**change)
        return net_effect(draws, e, e, world)

    return np.broadcast_to((moved(step) - moved(-step)) / (2.0 * step), (draws.count,))


def ratios(draws: Draws, rates: Exchange) -> Ratios:
    """Return years of alignment progress per year of capability progress, of both kinds.

    A ratio is one of means, E[a_P/(φN₀)]/E[x] and E[a_S]/E[x], with the hit probability averaged
    in; None where the project has no capability effect. Beside each stands the ratio at which
    alignment work of that kind alone makes up for the capability speedup, at the margin.
    """
    world = draws.question.model.world(draws.values)
    outcome = draws.chances.outcome
    x, sure = outcome.capability_speedup, outcome.if_hit
    field = world.labour_quality * world.researchers
    parallel = quotient(draws, sure.parallel_speedup / field, x)
    serial = quotient(draws, sure.serial_speedup, x)
    return Ratios(
        parallel=parallel[0],
        parallel_break_even=rates.parallel_years_per_year,
        serial=serial[0],
        serial_break_even=rates.serial_months_per_month,
        parallel_mcse=parallel[1],
        serial_mcse=serial[1],
    )
