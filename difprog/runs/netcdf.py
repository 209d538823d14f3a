"""The draws of a saved run: a forecast's DataTree as netCDF 4, and what of such a file is believed.

What is written is what ArviZ reads: ``arviz.from_netcdf(path)``. Beside the forecast's own groups
it has one, ``evidence/0`` and so on, for each posterior that draws came from.

Numbers are stored as they are, not compressed: they shrink by no more than a third, and a file
whose arrays lie in it in full cannot grow when it is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from difprog.base import hdf5
from difprog.base.stream import Stream
from difprog.evidence.posterior import Posterior, Predictive
from difprog.forecast import tree
from difprog.forecast.forecast import Forecast

Array = npt.NDArray[np.float64]


def write(stream: Stream, forecast: Forecast, posteriors: Sequence[Posterior]) -> None:
    """Write a forecast's draws as a netCDF file, one variable after the other: no more than one is copied.

    Parameters
    ----------
    stream : Stream
        Where to.
    forecast : Forecast
        Its groups are those of ``forecast.data``.
    posteriors : sequence of Posterior
        Those that draws came from.

    Raises
    ------
    OSError
        Where the disk is full.
    """
    import h5netcdf

    draws = forecast.draws
    with h5netcdf.File(stream, "w") as file:
        about = tree.attributes(draws, prob=forecast.prob, as_of=forecast.as_of)
        for name, variables in tree.groups(draws, forecast.weights):
            group = _group(file, name, tree.coordinates(draws, name), about if name == "posterior" else {})
            for own, dims, array, told in variables:
                _put(group, own, dims, array, told)
                stream.check()
        for place, posterior in enumerate(posteriors):
            kept = _group(file, f"evidence/{place}", {"kept": np.arange(posterior.size)}, {})
            arrays: dict[str, Any] = dict(posterior.draws)
            for name, predictive in posterior.predictive.items():
                arrays[f"{name}_location"], arrays[f"{name}_scale"] = predictive.location, predictive.scale
            for name, array in arrays.items():
                _put(kept, name, ("kept",), np.asarray(array, dtype=float), {})
                stream.check()


def _group(file: Any, name: str, labels: Mapping[str, Any], about: Mapping[str, Any]) -> Any:
    """Make a group with its dims, their labels and what it says of itself."""
    group = file.create_group(name)
    for dim, values in labels.items():
        group.dimensions[dim] = len(values)
    for dim, values in labels.items():
        _put(group, dim, (dim,), np.asarray(values, dtype=object if isinstance(values[0], str) else int), {})
    group.attrs.update(about)
    return group


def _put(group: Any, name: str, dims: tuple[str, ...], array: Any, about: Mapping[str, str]) -> None:
    """Write one variable, its numbers as they are."""
    import h5py

    text = array.dtype == object
    variable = group.create_variable(name, dims, h5py.string_dtype() if text else array.dtype)
    variable[...] = array
    variable.attrs.update(about)


def about(posterior: Posterior) -> dict[str, Any]:
    """Return all of a posterior that is no array, as plain data."""
    return {
        "key": posterior.key,
        "size": posterior.size,
        "datasets": dict(posterior.datasets),
        "shifts": {name: predictive.shift for name, predictive in posterior.predictive.items()},
        "diagnostics": dict(posterior.diagnostics),
    }


def posterior(path: Path, place: int, said: Mapping[str, Any]) -> Posterior:
    """Return a kept posterior from its arrays and what `about` said of it.

    Raises
    ------
    ValueError, OSError, KeyError, TypeError
        As `read`.
    """
    shifts = {str(name): float(shift) for name, shift in said["shifts"].items()}
    datasets = {str(name): str(dataset) for name, dataset in said["datasets"].items()}
    parts = [f"{name}_{part}" for name in shifts for part in ("location", "scale")]
    drawn = [name for name in datasets if name not in shifts]
    arrays = read(path, f"evidence/{place}", [*drawn, *parts], (int(said["size"]),))
    return Posterior(
        draws={name: arrays[name] for name in drawn},
        predictive={
            name: Predictive(arrays[f"{name}_location"], arrays[f"{name}_scale"], shift)
            for name, shift in shifts.items()
        },
        datasets=datasets,
        diagnostics=dict(said["diagnostics"]),
        key=str(said["key"]),
    )


def read(path: Path, group: str, names: Iterable[str], *shapes: tuple[int, ...]) -> dict[str, Array]:
    """Return some arrays of a file, which may be anybody's.

    Parameters
    ----------
    path : Path
        The file.
    group : str
        Where in it they are.
    names : iterable of str
        Their names.
    *shapes : tuple of int
        What shapes an array may have there, each of another number of axes; the first axis of one
        that has several is ``chain``.

    Returns
    -------
    dict of str to array
        Axes in the opposite order of the file's and without ``chain``, so that draws come last.

    Raises
    ------
    ValueError, OSError, KeyError, TypeError
        Where the file is not what `write` makes: it points out of itself, or an array would be
        larger in memory than it is in the file.
    """
    import h5py

    left = path.stat().st_size
    due = {len(shape): shape for shape in shapes}
    found = {}
    with hdf5.opened(path) as stream:
        for name in names:
            entry = _inside(stream, group, name)
            if entry.dtype != np.float64:
                raise ValueError(f"{name} is not a list of numbers")
            if entry.shape != due.get(entry.ndim):
                raise ValueError(f"{name} is not of the shape that is due")
            layout = entry.id.get_create_plist()
            if entry.external or entry.is_virtual or layout.get_layout() != h5py.h5d.CONTIGUOUS:
                raise ValueError(f"{name} is not stored as it is")
            left -= entry.nbytes
            if entry.id.get_storage_size() != entry.nbytes or left < 0:
                raise ValueError(f"{name} is larger than its file")
            values = np.asarray(entry[()])
            if np.isnan(values).any():
                raise ValueError(f"{name} holds what is no number")
            found[name] = np.ascontiguousarray((values if values.ndim == 1 else values[0]).T)
    return found


def readings(path: Path, count: int) -> list[str]:
    """Return what the axis ``reading`` of a file's draws is labelled with.

    Raises
    ------
    ValueError, OSError, KeyError, TypeError
        As `read`; where there are not ``count`` labels.
    """
    import h5py

    with hdf5.opened(path) as stream:
        entry = _inside(stream, "posterior", "reading")
        if entry.shape != (count,) or h5py.check_string_dtype(entry.dtype) is None:
            raise ValueError("its readings are not those of the run")
        return [str(label) for label in entry.asstr()[()]]


def _inside(stream: Any, group: str, name: str) -> Any:
    """Return an array of an open file; nothing that the file only points to."""
    import h5py

    entry: Any = stream
    for part in (*group.split("/"), name):
        if not isinstance(entry.get(part, getlink=True), h5py.HardLink):
            raise ValueError(f"{group}/{name} is not in this file")
        entry = entry[part]
    if not isinstance(entry, h5py.Dataset):
        raise ValueError(f"{group}/{name} is not in this file")
    return entry
