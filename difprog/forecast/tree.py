"""Draws as an ArviZ DataTree, and back: labelled dims, netCDF on disk. Imports xarray when used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from difprog.forecast.question import WORLDS
from difprog.forecast.sampling import Draws

Array = npt.NDArray[np.float64]


def tree(draws: Draws, *, prob: float, as_of: date, credences: Sequence[float]) -> Any:
    """Return draws in ArviZ's layout: a group ``posterior`` of dims chain, draw, reading, world.

    Parameters
    ----------
    draws : Draws
        What was drawn.
    prob : float
        Probability of the printed intervals, kept as an attribute.
    as_of : date
        The date from which years are counted.
    credences : sequence of float
        The readings' weights in the mixture, which sum to 1.

    Returns
    -------
    xarray.DataTree
        Beliefs by name, of dims (chain, draw), or with ``reading`` where readings differ; an effect
        that a file states outright is ``<effect>_stated``; the effects, with the hit probability
        averaged in, and ``net_effect`` of dims (chain, draw, reading); ``p_success`` with ``world``.
        The group ``constant_data`` has ``credence``, of dim (reading,).
    """
    import xarray as xr

    groups = {
        group: xr.Dataset(
            {name: (dims, array, about) for name, dims, array, about in variables},
            coords=coordinates(draws, group),
            attrs=attributes(draws, prob=prob, as_of=as_of) if group == "posterior" else {},
        )
        for group, variables in (
            ("posterior", variables(draws)),
            ("constant_data", [("credence", ("reading",), np.asarray(credences, dtype=float), {})]),
        )
    }
    return xr.DataTree.from_dict(groups)


def variables(draws: Draws) -> Iterator[tuple[str, tuple[str, ...], Array, dict[str, str]]]:
    """Yield the group ``posterior`` one variable at a time: name, dims, array, attributes.

    So that whoever writes them need not hold them all.
    """
    question, count = draws.question, draws.count

    def about(name: str) -> dict[str, str]:
        return {"units": question.vocabulary[name].unit, "long_name": question.vocabulary[name].meaning}

    for name, value in draws.values.items():
        label = f"{name}_stated" if name in draws.effects_hit else name
        array = np.asarray(value, dtype=float)
        if array.ndim == 2:
            yield label, ("chain", "draw", "reading"), array.T[None], about(name)
        else:
            yield label, ("chain", "draw"), np.broadcast_to(array, (count,))[None], about(name)
    for name in draws.effects_hit:
        yield name, ("chain", "draw", "reading"), draws.effect(name).T[None], about(name)
    yield "chance_of_hit", ("chain", "draw", "reading"), draws.chance_of_hit.T[None], {}
    worlds = np.stack([draws.without.T, draws.hit.T, draws.miss.T], axis=-1)
    yield "p_success", ("chain", "draw", "reading", "world"), worlds[None], {}
    yield "net_effect", ("chain", "draw", "reading"), draws.net_effect.T[None], {}


def coordinates(draws: Draws, group: str) -> dict[str, Any]:
    """Return the labels of a group's dims."""
    readings = list(draws.question.readings)
    if group == "constant_data":
        return {"reading": readings}
    return {"chain": [0], "draw": np.arange(draws.count), "reading": readings, "world": list(WORLDS)}


def attributes(draws: Draws, *, prob: float, as_of: date) -> dict[str, Any]:
    """Return what the group ``posterior`` says of all its draws."""
    return {"seed": draws.seed, "prob": prob, "as_of": as_of.isoformat(), "sampler": "PyMC, forward"}
