"""Draws as an ArviZ DataTree, and back: labelled dims, netCDF on disk. Imports xarray when used."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np

from difprog.forecast.question import WORLDS
from difprog.forecast.sampling import Draws


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

    question, count = draws.question, draws.count
    variables: dict[str, Any] = {}
    for name, value in draws.values.items():
        stated = name in draws.effects_hit
        array = np.asarray(value, dtype=float)
        label = f"{name}_stated" if stated else name
        if array.ndim == 2:
            variables[label] = ("chain", "draw", "reading"), array.T[None]
        else:
            variables[label] = ("chain", "draw"), np.broadcast_to(array, (count,))[None]
        if label in variables:
            entry = question.vocabulary[name]
            variables[label] += ({"units": entry.unit, "long_name": entry.meaning},)
    for name in draws.effects_hit:
        entry = question.vocabulary[name]
        about = {"units": entry.unit, "long_name": entry.meaning}
        variables[name] = ("chain", "draw", "reading"), draws.effect(name).T[None], about
    worlds = np.stack([draws.without, draws.hit, draws.miss], axis=-1).transpose(1, 0, 2)
    variables["chance_of_hit"] = ("chain", "draw", "reading"), draws.chance_of_hit.T[None]
    variables["p_success"] = ("chain", "draw", "reading", "world"), worlds[None]
    variables["net_effect"] = ("chain", "draw", "reading"), draws.net_effect.T[None]
    posterior = xr.Dataset(
        variables,
        coords={
            "chain": [0],
            "draw": np.arange(count),
            "reading": list(question.readings),
            "world": list(WORLDS),
        },
        attrs={"seed": draws.seed, "prob": prob, "as_of": as_of.isoformat(), "sampler": "PyMC, forward"},
    )
    constant = xr.Dataset(
        {"credence": ("reading", np.asarray(credences, dtype=float))},
        coords={"reading": list(question.readings)},
    )
    return xr.DataTree.from_dict({"posterior": posterior, "constant_data": constant})
