"""Keep a run and load it again: draws, summary, inputs, and hashes of all that made them.

A run is a folder: ``run.json`` (what made it; the hash of every other file and of itself),
``summary.json`` (the JSON of ``difprog score``), ``draws.nc`` (the forecast's DataTree, which
``arviz.from_netcdf`` opens), ``inputs/`` (the proposal and the belief files, as they were), and
``scenarios.json`` (what a report shows of other scenarios) where it was kept. It is written beside its
place and renamed, so it is there whole or not at all.

A forecast is restored by reading the kept inputs again, with the draws in place of new ones. So
nothing is sampled, and nothing that is loaded is executed or unpickled; a file that is not as it
was written is refused.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from difprog.base import files, plainjson
from difprog.base.errors import BadInput, Problem, Problems, plain
from difprog.base.limits import DRAWS_BYTES, TEXT_BYTES
from difprog.beliefs.beliefs import Layer, Stack
from difprog.beliefs.outcomes import parse_outcomes
from difprog.beliefs.parse import parse_layer
from difprog.beliefs.project import Project, parse_project
from difprog.evidence.posterior import Posterior
from difprog.forecast import identity
from difprog.forecast.believed import believed
from difprog.forecast.forecast import MIXED, Forecast, Setup, question_of, summed_up
from difprog.forecast.graph import effect_names
from difprog.forecast.question import WORLDS, Question, View
from difprog.forecast.sampling import evaluate
from difprog.models.model import Model, load_file, shipped_models, vocabulary_of
from difprog.race.parameters import FACTS
from difprog.runs import netcdf

Array = npt.NDArray[np.float64]

SCHEMA = "difprog.run/2"
MANIFEST, SUMMARY, DRAWS, BESIDE = "run.json", "summary.json", "draws.nc", "scenarios.json"

#: What a summary has of every quantity, in numbers that are finite.
NUMBERS = ("mean", "sd", "median", "lower", "upper", "p_positive", "p_negative")

#: What a corrupt or hostile manifest makes the code below raise.
_DAMAGE = (
    ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, OSError, RuntimeError,
    TypeError, ValueError,
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """A saved run, checked against its hashes.

    Attributes
    ----------
    folder : Path
        Where it is.
    manifest : dict
        What made it.
    summary : dict
        The JSON of ``difprog score``.
    beside : dict or None
        What a report shows of other scenarios, where it was kept.
    """

    folder: Path
    manifest: Mapping[str, Any]
    summary: Mapping[str, Any]
    beside: Mapping[str, Any] | None = None

    @property
    def count(self) -> int:
        """Number of draws."""
        return int(self.manifest["draws"])

    @property
    def readings(self) -> dict[str, Mapping[str, Any]]:
        """What the manifest says of every reading, by the model's name."""
        return {str(entry["model"]): entry for entry in self.manifest["readings"]}

    def outcome(self) -> dict[str, Array]:
        """Return the draws of `MIXED`, each of shape (reading, draw), as they were saved."""
        found = self.draws(("p_success", "net_effect", "chance_of_hit"))
        return by_quantity(found["p_success"], found["chance_of_hit"], found["net_effect"])

    def draws(self, names: Sequence[str]) -> dict[str, Array]:
        """Return variables of the group ``posterior``, dims (world, reading, draw) or the latter ones.

        Raises
        ------
        BadInput
            Where the file is damaged.
        """
        shape = 1, self.count, len(self.readings), len(WORLDS)
        try:
            labels = netcdf.readings(self.folder / DRAWS, len(self.readings))
            if labels != list(self.readings):
                raise ValueError("its readings are not those of the run")
            return netcdf.read(self.folder / DRAWS, "posterior", names, shape[:2], shape[:3], shape)
        except _DAMAGE as error:
            raise _damaged(self.folder, DRAWS, error) from None


def by_quantity(success: Array | Sequence[Array], chance: Array, net: Array) -> dict[str, Array]:
    """Return draws of `MIXED`, from those of the three worlds, of the hit's chance and of the net effect."""
    without, hit, miss = success
    return dict(zip(MIXED, (without, chance * hit + (1.0 - chance) * miss, net), strict=True))


def _damaged(folder: Path, name: str, why: object) -> BadInput:
    return BadInput(
        Problem(str(folder / name), "", f"is damaged: {plain(why, 120)}", hint="save the run again")
    )


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
    place = files.destination(folder, folder=True)
    if place.exists() and not _replaceable(place):
        raise BadInput(
            Problem(str(folder), "", "exists and is no saved run", hint="name a new folder")
        )
    layers = {layer.source.sha256: layer for m in forecast.models for layer in m.layers}
    contents = {_input(sha): _unchanged(layer.source) for sha, layer in layers.items()}
    posteriors = _posteriors(forecast)
    contents[SUMMARY] = _text(summary)
    if beside is not None:
        contents[BESIDE] = _text(beside)
    said = {name: _said(len(data), hashlib.sha256(data).hexdigest()) for name, data in contents.items()}
    manifest = _manifest(forecast, posteriors)
    with files.folder_atomically(folder) as draft:
        with draft.stream(DRAWS) as stream:
            netcdf.write(stream, forecast, posteriors)
        drawn = draft.folder / DRAWS
        size = drawn.stat().st_size
        DRAWS_BYTES.check(size, str(folder))
        said[DRAWS] = _said(size, _hash_file(drawn))
        manifest["files"] = dict(sorted(said.items()))
        manifest["sha256"] = plainjson.digest(manifest)
        for name, data in {**contents, MANIFEST: _text(manifest)}.items():
            draft.write(name, data)


def _said(size: int, sha256: str) -> dict[str, Any]:
    """Return what a manifest says of a file."""
    return {"bytes": size, "sha256": sha256}


def _replaceable(folder: Path) -> bool:
    """Whether a folder is empty, or a run that may be replaced."""
    if not any(folder.iterdir()):
        return True
    try:
        return str(_json(folder, MANIFEST)["schema"]).startswith("difprog.run/")
    except (BadInput, KeyError):
        return False


def _unchanged(source: files.Source) -> bytes:
    """Return an input file's bytes, which must be those that were read."""
    content = files.read_bytes(source.path, files.TABLE_LIMIT)
    if hashlib.sha256(content).hexdigest() != source.sha256:
        raise BadInput(Problem(source.label, "", "has changed while the run was made", hint="run again"))
    return content


def _input(sha256: str) -> str:
    return f"inputs/{sha256[:32]}.toml"


def _text(data: Mapping[str, Any]) -> bytes:
    return (json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _hash_file(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _posteriors(forecast: Forecast) -> list[Posterior]:
    """Return the posteriors that draws came from, each once."""
    found: list[Posterior] = []
    for view in forecast.draws.question.views:
        if view.posterior is not None and not any(view.posterior is other for other in found):
            found.append(view.posterior)
    return found


def _manifest(forecast: Forecast, posteriors: Sequence[Posterior]) -> dict[str, Any]:
    """Return what made a forecast, all but the files' hashes."""
    project, setup = forecast.project, forecast.setup
    places = {id(posterior): place for place, posterior in enumerate(posteriors)}
    return {
        "schema": SCHEMA,
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


def load(folder: Path) -> Run:
    """Return a saved run after checking that every byte of it is as it was written.

    Raises
    ------
    BadInput
        Where there is no run, it is of another schema, or a file is missing, longer or changed.
    """
    if not folder.is_dir():
        raise BadInput(Problem(str(folder), "", "no such folder", hint="difprog score PROJECT --save DIR"))
    if not (folder / MANIFEST).is_file():
        raise BadInput(Problem(str(folder), "", f"is no saved run: it holds no {MANIFEST}"))
    manifest = _json(folder, MANIFEST)
    schema = manifest.get("schema")
    if schema != SCHEMA:
        raise BadInput(
            Problem(str(folder / MANIFEST), "schema", "is not one that this version reads", schema,
                    f"it reads {SCHEMA}")
        )  # fmt: skip
    said = {key: value for key, value in manifest.items() if key != "sha256"}
    if plainjson.digest(said) != manifest.get("sha256"):
        raise _damaged(folder, MANIFEST, "it does not have the hash that it states")
    try:
        for name, wanted in manifest["files"].items():
            _check(folder, str(name), int(wanted["bytes"]), str(wanted["sha256"]))
        for name in (SUMMARY, DRAWS):
            if name not in manifest["files"]:
                raise ValueError(f"it lists no {name}")
        beside = _json(folder, BESIDE) if BESIDE in manifest["files"] else None
        run = Run(folder, manifest, _json(folder, SUMMARY), beside)
        if not (1 <= run.count <= 10**9 and run.readings and math.isfinite(float(manifest["prob"]))):
            raise ValueError("it states no draws or no models")
        facts = manifest["project"]["facts"]
        if set(facts) != set(FACTS) or not all(facts[name] in values for name, values in FACTS.items()):
            raise ValueError("it does not state the facts of the project")
        _check_summary(run)
        check_beside(beside)
    except _DAMAGE as error:
        raise _damaged(folder, MANIFEST, error) from None
    return run


def _check_summary(run: Run) -> None:
    """Check that the summary has the numbers of the models that the manifest names."""
    parts = run.summary["models"]
    if sorted(str(part["model"]) for part in parts) != sorted(run.readings):
        raise ValueError("its summary is of other models")
    for part in (*parts, run.summary["ensemble"]):
        for name in MIXED:
            if not all(isinstance(part[name][key], (int, float)) for key in NUMBERS):
                raise ValueError(f"its summary has no {name}")


def check_beside(found: Mapping[str, Any] | None) -> None:
    """Raise what damage raises where this is not what a report shows of other scenarios."""
    if found is None:
        return
    if not (isinstance(found["draws"], int) and found["scenarios"] and isinstance(found["scenarios"], list)):
        raise ValueError("what it keeps of other scenarios is none")
    for entry in found["scenarios"]:
        net = entry["net_effect"]
        numbers = [net[key] for key in (*NUMBERS, "mcse")]
        if not (isinstance(entry["scenario"], str) and entry["sign"] in (-1, 0, 1)):
            raise ValueError("what it keeps of a scenario has no name or sign")
        if not all(isinstance(n, (int, float)) and math.isfinite(n) for n in numbers):
            raise ValueError("what it keeps of a scenario has no effect")


def _json(folder: Path, name: str) -> dict[str, Any]:
    raw = files.read_bytes(folder / name, TEXT_BYTES.most)
    try:
        data = json.loads(raw, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise _damaged(folder, name, error) from None
    if not isinstance(data, dict):
        raise _damaged(folder, name, "it is no JSON object")
    return data


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


def _check(folder: Path, name: str, size: int, sha256: str) -> None:
    """Check one file of a run: inside the folder, of the size and content that the manifest says."""
    parts = PurePosixPath(name).parts
    if not parts or not all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", part) for part in parts):
        raise BadInput(Problem(str(folder / MANIFEST), "files", "names a file outside the run", name))
    path = folder.joinpath(*parts)
    limit = (DRAWS_BYTES if name == DRAWS else TEXT_BYTES).most
    if path.is_symlink() or not path.is_file():
        raise BadInput(Problem(str(path), "", "is missing", hint="save the run again"))
    if size > limit or path.stat().st_size != size or _hash_file(path) != sha256:
        raise _damaged(folder, name, "it does not have the size and hash that the run states")


def models_of(run: Run, given: Mapping[str, Model] | None = None) -> dict[str, Model]:
    """Return the models of a run as they are now: those given, else the shipped ones of their names.

    Raises
    ------
    BadInput
        Where one is not shipped and not given.
    """
    shipped = shipped_models()
    found: dict[str, Model] = dict(given or {})
    problems = Problems(str(run.folder))
    for name in run.readings:
        if name not in found and name in shipped:
            found[name] = load_file(shipped[name])
        elif name not in found:
            problems.add("models", "is not a shipped model", name, "give its file with --model")
    problems.check()
    return {name: found[name] for name in run.readings}


def forecast(run: Run, models: Mapping[str, Model] | None = None) -> Forecast:
    """Return the forecast that was saved, from its draws: nothing is sampled.

    Both worlds are evaluated again on the saved draws, by the code as it is now; where that is
    not the code that saved them, a warning says so.

    Raises
    ------
    BadInput
        Where the run is damaged or one of its models is not at hand.
    """
    loaded = models_of(run, models)
    try:
        return _restored(run, loaded)
    except BadInput:
        raise
    except _DAMAGE as error:
        raise _damaged(run.folder, MANIFEST, error) from None


def _restored(run: Run, models: Mapping[str, Model]) -> Forecast:
    project, setup = _inputs(run, models)
    path, kept = run.folder / DRAWS, run.manifest["evidence"]
    posteriors = [netcdf.posterior(path, place, said) for place, said in enumerate(kept)]

    def conditioned(view: View) -> View:
        place = run.readings[view.model.name]["evidence"]
        return _with_evidence(view, project, None if place is None else posteriors[place])

    question, layers = question_of(project, setup, conditioned=conditioned)
    drawn = evaluate(question, _values(run, question), run.count, int(run.manifest["seed"]))
    drawn = believed(drawn, layers, setup.believe)
    found = summed_up(project, setup, drawn, layers, float(run.manifest["prob"]))
    stale = run.manifest["code"] != identity.code() or any(
        entry["sha256"] != models[name].source.sha256 for name, entry in run.readings.items()
    )
    if not stale:
        return found
    said = "the run was saved by other code; its draws are evaluated by this version's"
    return replace(found, warnings=(said, *found.warnings))


def _inputs(run: Run, models: Mapping[str, Model]) -> tuple[Project, Setup]:
    """Return the project and the setup that the kept inputs say."""
    manifest, vocabulary = run.manifest, vocabulary_of(models.values())
    problems = Problems(str(run.folder))
    said = manifest["project"]
    project = parse_project(*_kept(run, said), problems, vocabulary)
    parsed: dict[str, Layer] = {}
    for entry in run.readings.values():
        for layer in entry["layers"]:
            if layer["sha256"] not in parsed:
                parsed[layer["sha256"]] = parse_layer(*_kept(run, layer), problems, vocabulary)
    problems.check()
    assert project is not None
    stacks = {
        name: Stack(tuple(parsed[layer["sha256"]] for layer in entry["layers"]))
        for name, entry in run.readings.items()
    }
    credences = {str(name): float(weight) for name, weight in manifest["credences"].items()}
    if not all(math.isfinite(credences[name]) and credences[name] >= 0 for name in run.readings):
        raise ValueError("it does not state the credences of its models")
    stated = parse_outcomes(manifest.get("believe", {}), "--believe", problems, "believe")
    problems.check()
    setup = Setup(tuple(models.values()), stacks, credences, bool(manifest["use_evidence"]), stated)
    return replace(project, facts={str(k): str(v) for k, v in said["facts"].items()}), setup


def _with_evidence(view: View, project: Project, posterior: Posterior | None) -> View:
    """Return a view with the evidence that it had, and reviews in place of what would be derived."""
    beliefs = dict(view.beliefs)
    if project.reviews:
        from difprog.evidence import reviews

        beliefs.update(reviews.beliefs(project, reviews.pools(project, view.model)))
    return replace(view, beliefs=beliefs, posterior=posterior)


def _values(run: Run, question: Question) -> dict[str, Any]:
    """Return the saved draws of a question's beliefs, as `difprog.forecast.sampling.draw_beliefs`."""
    effects = effect_names(question)
    labels = {name: f"{name}_stated" if name in effects else name for name in question.names}
    found = run.draws(list(labels.values()))
    values: dict[str, Any] = {}
    for name, label in labels.items():
        array = found[label]
        if array.ndim != (2 if question.varies(name) else 1):
            raise ValueError(f"{label} is not of the readings that its inputs speak of")
        values[name] = array
        if not question.varies(name) and question.distinct(name)[0].point is not None:
            if np.ptp(array) > 0:
                raise ValueError(f"{label} varies, and its inputs say that it does not")
            values[name] = float(array[0])
    return values


def _kept(run: Run, said: Mapping[str, Any]) -> tuple[dict[str, Any], files.Source]:
    """Return the content of a kept input, and what it was called."""
    name = _input(str(said["sha256"]))
    if name not in run.manifest["files"]:
        raise ValueError(f"it holds no copy of {said['label']}")
    content, source = files.read_toml(run.folder / name)
    return content, files.Source(source.path, str(said["label"]), str(said["sha256"]))
