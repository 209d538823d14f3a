"""A posterior as a file: netCDF 4, which is read back only if its digest holds.

Nothing is unpickled. Reading imports h5py, and neither pymc nor arviz.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from difprog.base import hdf5, writing
from difprog.evidence.keys import hashed
from difprog.evidence.posterior import Posterior, Predictive

#: A kept result larger than this is none of ours.
LARGEST = 1 << 24


def write(path: Path, posterior: Posterior) -> None:
    """Write a posterior as netCDF 4 that ArviZ opens too: group ``posterior``, (chain, draw)."""
    import h5netcdf

    arrays = _arrays(posterior)
    notes = json.dumps(
        {
            "key": posterior.key,
            "datasets": dict(posterior.datasets),
            "shifts": {name: p.shift for name, p in posterior.predictive.items()},
            "diagnostics": dict(posterior.diagnostics),
        },
        sort_keys=True,
    ).encode()
    chains = posterior.diagnostics.get("settings", {}).get("chains", 1)
    buffer = io.BytesIO()
    with h5netcdf.File(buffer, "w") as stream:
        stream.attrs["digest"] = _digest(arrays, notes)
        stream.dimensions = {"byte": len(notes)}
        stream.create_variable("notes", ("byte",), np.uint8, data=np.frombuffer(notes, np.uint8))
        group = stream.create_group("posterior")
        group.dimensions = {"chain": chains, "draw": posterior.size // chains}
        for name, values in arrays.items():
            group.create_variable(
                name, ("chain", "draw"), np.float32, data=values.reshape(chains, -1),
                compression="gzip", shuffle=True,
            )  # fmt: skip
    writing.write_atomically(path, buffer.getvalue())


def load(path: Path) -> Posterior | None:
    """Return the posterior that a file holds, or None where there is none or it is damaged."""
    try:
        stat = path.stat()
        if not path.is_file() or stat.st_size > LARGEST:
            return None
        return _load(path, stat.st_mtime_ns, stat.st_size)
    except OSError:
        return None


@lru_cache(maxsize=16)
def _load(path: Path, _modified: int, _size: int) -> Posterior | None:
    try:
        with hdf5.opened(path) as stream:
            notes = np.asarray(stream["notes"], dtype=np.uint8).tobytes()
            digest = stream.attrs["digest"]
            group = stream["posterior"]
            arrays = {
                name: np.asarray(group[name], dtype=np.float32).reshape(-1)
                for name in group
                if group[name].ndim == 2
            }
        if digest != _digest(arrays, notes):
            return None
        return _restore(arrays, json.loads(notes))
    except (OSError, KeyError, ValueError, TypeError, AttributeError, RuntimeError):
        # Whatever is wrong with a kept file, the answer is the same: fit again.
        return None


def _arrays(posterior: Posterior) -> dict[str, Any]:
    arrays = {name: values.astype(np.float32) for name, values in posterior.draws.items()}
    for name, p in posterior.predictive.items():
        arrays[f"{name}_location"] = p.location.astype(np.float32)
        arrays[f"{name}_scale"] = p.scale.astype(np.float32)
    return arrays


def _digest(arrays: Mapping[str, Any], notes: bytes) -> str:
    parts = [notes]
    for name in sorted(arrays):
        parts += [name.encode(), np.ascontiguousarray(arrays[name]).tobytes()]
    return hashed(parts)


def _restore(arrays: Mapping[str, Any], notes: Mapping[str, Any]) -> Posterior:
    shifts = notes["shifts"]
    predictive = {
        name: Predictive(
            arrays[f"{name}_location"].astype(float), arrays[f"{name}_scale"].astype(float), float(shift)
        )
        for name, shift in shifts.items()
    }
    return Posterior(
        draws={name: arrays[name].astype(float) for name in notes["datasets"] if name not in shifts},
        predictive=predictive,
        datasets=notes["datasets"],
        diagnostics=notes["diagnostics"],
        key=notes["key"],
    )
