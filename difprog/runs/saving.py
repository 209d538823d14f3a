"""Keep a forecast as a saved run: draws, summary, inputs, and hashes of all that made them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from difprog.base import files, plainjson, writing
from difprog.base.errors import BadInput, Problem
from difprog.base.limits import DRAWS_BYTES
from difprog.evidence.posterior import Posterior
from difprog.forecast import identity
from difprog.forecast.forecast import Forecast
from difprog.runs import netcdf, runs


def save(
    forecast: Forecast,
    summary: Mapping[str, Any],
    folder: Path,
    beside: Mapping[str, Any] | None = None,
) -> None:
    """Keep a forecast in a folder.

    Parameters
    ----------
    forecast : Forecast
        What was found.
    summary : dict
        Its JSON.
    folder : Path
        Made where missing; an earlier run in it is replaced.
    beside : dict, optional
        What a report is to show of other scenarios, as `difprog.render.scenarios.kept` returns it.

    Raises
    ------
    BadInput
        Where the folder holds anything but a run, an input file has changed since it was read, or
        there are more draws than are read again.
    OSError
        Where it cannot be written; nothing is left behind.
    """
    place = writing.destination(folder, folder=True)
    if place.exists() and not _replaceable(place):
        raise BadInput(
            Problem(str(folder), "", "exists and is no saved run", hint="name a new folder")
        )
    layers = {layer.source.sha256: layer for m in forecast.models for layer in m.layers}
    contents = {runs.input_name(sha): unchanged(layer.source) for sha, layer in layers.items()}
    posteriors = posteriors_of(forecast)
    contents[runs.SUMMARY] = _text(summary)
    if beside is not None:
        contents[runs.BESIDE] = _text(beside)
    said = {name: _said(len(data), hashlib.sha256(data).hexdigest()) for name, data in contents.items()}
    manifest = manifest_of(forecast, posteriors)
    with writing.folder_atomically(folder) as draft:
        with draft.stream(runs.DRAWS) as stream:
            netcdf.write(stream, forecast, posteriors)
        drawn = draft.folder / runs.DRAWS
        size = drawn.stat().st_size
        DRAWS_BYTES.check(size, str(folder))
        said[runs.DRAWS] = _said(size, runs.hash_file(drawn))
        manifest["files"] = dict(sorted(said.items()))
        manifest["sha256"] = plainjson.digest(manifest)
        for name, data in {**contents, runs.MANIFEST: _text(manifest)}.items():
            draft.write(name, data)


def _said(size: int, sha256: str) -> dict[str, Any]:
    """Return what a manifest says of a file."""
    return {"bytes": size, "sha256": sha256}


def _replaceable(folder: Path) -> bool:
    """Whether a folder is empty, or a run that may be replaced."""
    if not any(folder.iterdir()):
        return True
    try:
        return str(runs.content_of(folder, runs.MANIFEST)["schema"]).startswith("difprog.run/")
    except (BadInput, KeyError):
        return False


def unchanged(source: files.Source) -> bytes:
    """Return an input file's bytes, which must be those that were read."""
    content = files.read_bytes(source.path, files.TABLE_LIMIT)
    if hashlib.sha256(content).hexdigest() != source.sha256:
        raise BadInput(Problem(source.label, "", "has changed while the run was made", hint="run again"))
    return content


def _text(data: Mapping[str, Any]) -> bytes:
    return (json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def posteriors_of(forecast: Forecast) -> list[Posterior]:
    """Return the posteriors that draws came from, each once."""
    found: list[Posterior] = []
    for view in forecast.draws.question.views:
        if view.posterior is not None and not any(view.posterior is other for other in found):
            found.append(view.posterior)
    return found


def manifest_of(forecast: Forecast, posteriors: Sequence[Posterior]) -> dict[str, Any]:
    """Return what made a forecast, all but the files' hashes."""
    project, setup = forecast.project, forecast.setup
    places = {id(posterior): place for place, posterior in enumerate(posteriors)}
    return {
        "schema": runs.SCHEMA,
        "versions": identity.versions(),
        "code": identity.code(),
        "as_of": forecast.as_of.isoformat(),
        "draws": forecast.count,
        "seed": forecast.seed,
        "prob": forecast.prob,
        "use_evidence": setup.use_evidence,
        "credences": setup.credences,
        "believe": {stated.name: stated.chance for stated in setup.believe},
        "project": {
            "name": project.name,
            "label": project.source.label,
            "sha256": project.source.sha256,
            "facts": dict(project.facts),
        },
        "readings": [
            {
                "model": each.model.name,
                "label": each.model.source.label,
                "sha256": each.model.source.sha256,
                "layers": [
                    {"label": layer.source.label, "sha256": layer.source.sha256}
                    for layer in setup.stacks[each.model.name].layers
                ],
                "evidence": None if each.view.posterior is None else places[id(each.view.posterior)],
            }
            for each in forecast.models
        ],
        "evidence": [netcdf.about(posterior) for posterior in posteriors],
    }  # fmt: skip
