"""The draws of a saved run: a forecast's DataTree as netCDF 4, and what of such a file is believed.

What is written is what ArviZ reads: ``arviz.from_netcdf(path)``. Beside the forecast's own groups
it has one, ``evidence/0`` and so on, for each posterior that draws came from.

Numbers are stored as they are, not compressed: they shrink by no more than a third, and a file
whose arrays lie in it in full cannot grow when it is read.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from difprog.evidence.posterior import Posterior, Predictive
from difprog.forecast.forecast import Forecast

Array = npt.NDArray[np.float64]

#: Groups inside groups, and arrays, beyond which a file is no run's.
DEEPEST, MOST_ARRAYS = 3, 10_000
#: Names along an axis, and texts in one attribute, beyond which a file is no run's.
MOST_NAMES, MOST_TEXTS = 1000, 8


def content(forecast: Forecast, posteriors: Sequence[Posterior]) -> bytes:
    """Return the bytes of a netCDF file of a forecast's draws.

    Parameters
    ----------
    forecast : Forecast
        Its ``data`` are kept whole.
    posteriors : sequence of Posterior
        Those that draws came from.
    """
    import xarray as xr

    groups: dict[str, Any] = dict(forecast.data.to_dict())
    for place, posterior in enumerate(posteriors):
        arrays: dict[str, Any] = dict(posterior.draws)
        for name, predictive in posterior.predictive.items():
            arrays[f"{name}_location"], arrays[f"{name}_scale"] = predictive.location, predictive.scale
        groups[f"evidence/{place}"] = xr.Dataset(
            {name: ("kept", np.asarray(array, dtype=float)) for name, array in arrays.items()},
            coords={"kept": np.arange(posterior.size)},
        )
    # To memory first: where HDF5 itself meets a full disk, it may take the process with it.
    return bytes(xr.DataTree.from_dict(groups).to_netcdf(engine="h5netcdf"))


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
    arrays = read(path, f"evidence/{place}", [*drawn, *parts], {"kept": int(said["size"])})
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


def read(path: Path, group: str, names: Iterable[str], sizes: Mapping[str, int]) -> dict[str, Array]:
    """Return some arrays of a file, which may be anybody's.

    Parameters
    ----------
    path : Path
        The file.
    group : str
        Where in it they are.
    names : iterable of str
        Their names.
    sizes : dict of str to int
        How long each dimension has to be.

    Returns
    -------
    dict of str to array
        Dimensions in the opposite order of the file's, so that draws come last; ``chain``, of
        which there is one, is left out.

    Raises
    ------
    ValueError, OSError, KeyError, TypeError
        Where the file is not what `content` makes.
    """
    import xarray as xr

    check(path)
    found = {}
    with contextlib.closing(xr.open_datatree(path, engine="h5netcdf", decode_cf=False)) as tree:
        dataset = tree[group]
        for name in names:
            variable = dataset[name].variable
            if variable.dtype != np.float64 or any(sizes.get(d) != n for d, n in variable.sizes.items()):
                raise ValueError(f"{name} is not of the shape that is due")
            # Once more by hand: a dimension may stand twice in a forged file.
            if variable.shape != tuple(sizes[str(d)] for d in variable.dims) or "chain" in variable.dims[1:]:
                raise ValueError(f"{name} is not of the shape that is due")
            values = np.asarray(variable.values)
            values = values[0] if "chain" in variable.dims else values
            if np.isnan(values).any():
                raise ValueError(f"{name} holds what is no number")
            found[name] = np.ascontiguousarray(values.T)
    return found


def check(path: Path) -> None:
    """Refuse a file that points out of itself, or that would be larger in memory than it is.

    Raises
    ------
    ValueError, OSError
        Where it is so, or no HDF5 file at all.
    """
    import h5py

    left = path.stat().st_size
    seen = 0
    with h5py.File(path, "r") as stream:
        groups = [(stream, 0)]
        while groups:
            group, depth = groups.pop()
            left -= _notes(group)
            for name in group:
                seen += 1
                if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                    raise ValueError(f"{name} is not in this file")
                if seen > MOST_ARRAYS or depth >= DEEPEST:
                    raise ValueError("it holds more than a run does")
                entry = group[name]
                if isinstance(entry, h5py.Group):
                    groups.append((entry, depth + 1))
                    continue
                left -= _stored(name, entry) + _notes(entry)
                if left < 0:
                    raise ValueError(f"{name} is larger than its file")


def _stored(name: str, entry: Any) -> int:
    """Return how many bytes of its file a variable takes; refuse one that is not stored in full."""
    import h5py

    if not isinstance(entry, h5py.Dataset):
        raise ValueError(f"{name} is no array")
    text = h5py.check_string_dtype(entry.dtype) is not None
    if entry.external or entry.is_virtual or not (text or entry.dtype.kind in "if"):
        raise ValueError(f"{name} is not a list of numbers or names")
    if entry.chunks is not None or entry.id.get_create_plist().get_nfilters():
        raise ValueError(f"{name} is compressed")
    stored = int(entry.id.get_storage_size())
    if not text:
        if stored != entry.nbytes:
            raise ValueError(f"{name} is not in the file in full")
        return stored
    if entry.ndim != 1 or entry.size > MOST_NAMES:
        raise ValueError(f"{name} is too long a list of names")
    # Many names may be one and the same text in the file.
    return sum(len(entry[place]) for place in range(entry.size))


def _notes(entry: Any) -> int:
    """Return how many bytes the attributes that are not of fixed size take in memory."""
    total = 0
    for name in entry.attrs:
        note = entry.attrs.get_id(name)
        if note.dtype.kind == "O":
            if int(np.prod(note.shape, dtype=float)) > MOST_TEXTS:
                raise ValueError(f"{name} is too long a note")
            found = entry.attrs[name]
            total += sum(len(part) for part in ([found] if isinstance(found, (str, bytes)) else found))
    return total
