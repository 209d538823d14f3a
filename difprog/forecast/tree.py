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
        The group ``constant_data`` has ``credence``, of dim (reading,). Where something is stated
        about the outcome, the group ``sample_stats`` has ``weight`` of dims (chain, draw, reading),
        which sums to 1 over draws: what every draw counts for. ArviZ's summaries do not ask for it.
    """
    import xarray as xr

    made = {
        group: xr.Dataset(
            {name: (dims, array, about) for name, dims, array, about in variables},
            coords=coordinates(draws, group),
            attrs=attributes(draws, prob=prob, as_of=as_of) if group == "posterior" else {},
        )
        for group, variables in groups(draws, credences)
    }
    return xr.DataTree.from_dict(made)


#: A variable's name, dims, array and attributes.
Named = tuple[str, tuple[str, ...], Array, dict[str, str]]


def groups(draws: Draws, credences: Sequence[float]) -> Iterator[tuple[str, Iterator[Named]]]:
    """Yield groups by name, each with its variables one at a time: whoever writes them need not hold all."""
    yield "posterior", _posterior(draws)
    yield "constant_data", iter([("credence", ("reading",), np.asarray(credences, dtype=float), {})])
    if draws.tilts:
        each = [draws.ways[place].each for place in range(len(draws.without))]
        meaning = "what the draw counts for, given what is stated about the outcome"
        yield "sample_stats", iter(
            [("weight", ("chain", "draw", "reading"), np.stack(each, axis=-1)[None], {"long_name": meaning})]
        )


def _posterior(draws: Draws) -> Iterator[Named]:
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
    worlds = {"world": list(WORLDS)} if group == "posterior" else {}
    return {"chain": [0], "draw": np.arange(draws.count), "reading": readings, **worlds}


def attributes(draws: Draws, *, prob: float, as_of: date) -> dict[str, Any]:
    """Return what the group ``posterior`` says of all its draws."""
    return {"seed": draws.seed, "prob": prob, "as_of": as_of.isoformat(), "sampler": "PyMC, forward"}
