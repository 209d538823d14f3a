"""The draws of a saved run as netCDF 4, written and read back. Touches one file; unpickles nothing."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from difprog import records
from difprog.forecast import Forecast

SCHEMA = "difprog.draws/1"


def read(path: Path, variables: Mapping[str, Any], count: int | None) -> dict[str, Any]:
    """Return variables by name; those that are plain numbers stand in ``variables`` themselves.

    Parameters
    ----------
    path : Path
        The file.
    variables : mapping of str to str or float
        Name → where in the file it is.
    count : int or None
        How many draws each has to hold; None for any number.

    Raises
    ------
    ValueError, OSError, KeyError, TypeError
        Where the file is not what `write` writes.
    """
    import h5py

    with h5py.File(path, "r") as stream:
        return {
            str(name): _array(stream, where, count) if isinstance(where, str) else float(where)
            for name, where in variables.items()
        }


def _array(stream: Any, where: str, count: int | None) -> Any:
    """Return one variable, of the shape and type that are due and from this file only."""
    import h5py

    if not isinstance(stream.get(where, getlink=True), h5py.HardLink):
        raise ValueError(f"{where} is not in this file")
    found = stream[where]
    if found.dtype != np.float64 or found.ndim != 1 or found.external or found.is_virtual:
        raise ValueError(f"{where} is not a list of numbers")
    if count is not None and found.shape != (count,):
        raise ValueError(f"{where} holds {found.shape[0]} draws, not {count}")
    values = np.asarray(found[()])
    if np.isnan(values).any():
        raise ValueError(f"{where} holds what is no number")
    return values


def write(path: Path, forecast: Forecast) -> list[dict[str, Any]]:
    """Write all draws as netCDF; return per model what its variables are called.

    Draws that models share are written once.
    """
    import h5netcdf

    places: dict[tuple[str, bytes], str] = {}
    found: list[dict[str, Any]] = []
    # In memory first: where a disk is full the library ends the process, Python says so.
    buffer = io.BytesIO()
    with h5netcdf.File(buffer, "w") as stream:
        stream.attrs["schema"] = SCHEMA
        stream.dimensions = {"draw": forecast.count}

        def kept(group: str, name: str, value: Any, dimension: str = "draw") -> str | float:
            """Write an array, or return a plain number for the manifest."""
            array = np.asarray(value, dtype=np.float64)
            if array.ndim == 0:
                return float(array)
            content = (f"{dimension} {name}", hashlib.sha256(array.tobytes()).digest())
            if content not in places:
                places[content] = f"/{group}/{name}"
                where = stream.groups[group] if group in stream.groups else stream.create_group(group)
                where.create_variable(name, (dimension,), np.float64, data=array)
            return places[content]

        for at, each in enumerate(forecast.models):
            # The group's name is ours: a user's model file may be called anything.
            group = f"model_{at}"
            chances = each.draws.chances
            outcome = {
                "p_success_without": chances.without,
                "p_success_with": chances.with_project,
                "net_effect": chances.net_effect,
            }
            posterior = each.question.posterior
            entry: dict[str, Any] = {
                "values": {name: kept(group, name, value) for name, value in each.draws.values.items()},
                "outcome": {
                    name: kept(group, name, np.broadcast_to(value, forecast.count))
                    for name, value in outcome.items()
                },
                "posterior": None,
            }
            if posterior is not None:
                said, arrays = records.posterior(posterior)
                size = f"kept_{posterior.size}"
                if size not in stream.dimensions:
                    stream.dimensions[size] = posterior.size
                said["arrays"] = {
                    name: kept(group, f"posterior of {name}", array, size) for name, array in arrays.items()
                }
                entry["posterior"] = said
            found.append(entry)
    path.write_bytes(buffer.getbuffer())
    return found
