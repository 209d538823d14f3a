"""Keep a run and load it again: draws, summary, inputs, and hashes of all that made them.

A run is a folder: ``run.json`` (what made it; the hash of every other file and of itself),
``summary.json`` (the JSON of ``difprog score``), ``draws.nc`` (netCDF 4), ``inputs/`` (the
proposal and the belief files, as they were). It is written beside its place and renamed, so it
is there whole or not at all. Nothing that is loaded is executed or unpickled; a file that is
not as it was written is refused.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any

from difprog.base import files
from difprog.base.errors import BadInput, Problem, Problems, plain
from difprog.beliefs.beliefs import Layer, Stack, parse_layer
from difprog.beliefs.project import parse_project
from difprog.forecast import identity
from difprog.forecast.forecast import (
    MIXED,
    Forecast,
    ModelForecast,
    Setup,
    answer,
    doubts,
    mix,
)
from difprog.forecast.simulate import Question, evaluate
from difprog.models.model import Model, load_file, shipped_models, vocabulary_of
from difprog.runs import drawfile, records

SCHEMA = "difprog.run/1"
MANIFEST, SUMMARY, DRAWS = "run.json", "summary.json", "draws.nc"

#: Most bytes of a manifest or a summary, and of draws, that are read.
TEXT_LIMIT, DRAWS_LIMIT = 1 << 25, 1 << 34

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
    """

    folder: Path
    manifest: Mapping[str, Any]
    summary: Mapping[str, Any]

    @property
    def count(self) -> int:
        """Number of draws."""
        return int(self.manifest["draws"])

    @property
    def models(self) -> dict[str, Mapping[str, Any]]:
        """What the manifest says of every model, by name."""
        return {str(entry["model"]): entry for entry in self.manifest["models"]}

    def values(self, model: str) -> dict[str, Any]:
        """Return the draws of a model's beliefs, shape (draws,); a point is a plain float."""
        return self._read(self.models[model]["values"])

    def outcome(self, model: str) -> dict[str, Any]:
        """Return the draws of ``p_success_without``, ``p_success_with`` and ``net_effect``."""
        return self._read(self.models[model]["outcome"])

    def _read(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Return variables of the draws' file by name; plain numbers stand in the manifest."""
        try:
            return drawfile.read(self.folder / DRAWS, variables, self.count)
        except _DAMAGE as error:
            raise _damaged(self.folder, DRAWS, error) from None


def _damaged(folder: Path, name: str, why: object) -> BadInput:
    return BadInput(
        Problem(str(folder / name), "", f"is damaged: {plain(why, 120)}", hint="save the run again")
    )


def save(forecast: Forecast, summary: Mapping[str, Any], folder: Path) -> None:
    """Keep a forecast in a folder.

    Parameters
    ----------
    forecast : Forecast
        What was found.
    summary : dict
        Its JSON.
    folder : Path
        Made where missing; an earlier run in it is replaced.

    Raises
    ------
    BadInput
        Where the folder holds anything but a run, or an input file has changed since it was read.
    """
    if folder.exists() and not _replaceable(folder):
        raise BadInput(
            Problem(str(folder), "", "exists and is no saved run", hint="name a new folder")
        )
    folder = folder.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name[:40]}."))
    try:
        new.chmod(0o777 & ~files.umask())
        layers = {layer.source.sha256: layer for m in forecast.models for layer in m.layers}
        texts = {sha: _unchanged(layer.source) for sha, layer in layers.items()}
        for sha, text in texts.items():
            files.write_atomically(new / _input(sha), text)
        manifest = _manifest(forecast, drawfile.write(new / DRAWS, forecast))
        files.write_atomically(new / SUMMARY, _text(summary))
        manifest["files"] = {
            path.relative_to(new).as_posix(): {
                "bytes": path.stat().st_size, "sha256": _hash_file(path)
            }
            for path in sorted(new.rglob("*"))
            if path.is_file()
        }  # fmt: skip
        manifest["sha256"] = identity.digest(manifest)
        files.write_atomically(new / MANIFEST, _text(manifest))
        if folder.exists() and files.swap(new, folder):
            shutil.rmtree(new)
        elif folder.exists():
            old = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name[:40]}."))
            folder.replace(old)
            new.replace(folder)
            shutil.rmtree(old)
        else:
            new.replace(folder)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise


def _replaceable(folder: Path) -> bool:
    """Whether a folder is empty, or a run that may be replaced."""
    if not folder.is_dir() or folder.is_symlink():
        return False
    if not any(folder.iterdir()):
        return True
    try:
        return json.loads((folder / MANIFEST).read_bytes())["schema"].startswith("difprog.run/")  # type: ignore[no-any-return]
    except _DAMAGE:
        return False


def _unchanged(source: files.Source) -> bytes:
    """Return an input file's bytes, which must be those that were read."""
    content = files.read_bytes(source.path, files.TABLE_LIMIT)
    if hashlib.sha256(content).hexdigest() != source.sha256:
        raise BadInput(Problem(source.label, "", "has changed while the run was made", hint="run again"))
    return content


def _input(sha256: str) -> str:
    return f"inputs/{sha256[:32]}.toml"


def _text(data: Mapping[str, Any]) -> str:
    return json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _hash_file(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _manifest(forecast: Forecast, variables: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what made a forecast, all but the files' hashes."""
    project, setup = forecast.project, forecast.setup
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
        "project": {
            "name": project.name,
            "label": project.source.label,
            "sha256": project.source.sha256,
            "facts": dict(project.facts),
        },
        "models": [
            {
                "model": each.model.name,
                "credence": each.credence,
                "label": each.model.source.label,
                "sha256": each.model.source.sha256,
                "facts": records.facts(each.question.facts),
                "own": each.question.own,
                "layers": [
                    {"label": layer.source.label, "sha256": layer.source.sha256} for layer in each.layers
                ],
                "beliefs": {n: records.belief(b) for n, b in each.question.beliefs.items()},
                "correlations": [records.correlation(c) for c in each.question.correlations],
                **said,
            }
            for each, said in zip(forecast.models, variables, strict=True)
        ],
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
    if identity.digest(said) != manifest.get("sha256"):
        raise _damaged(folder, MANIFEST, "it does not have the hash that it states")
    try:
        for name, wanted in manifest["files"].items():
            _check(folder, str(name), int(wanted["bytes"]), str(wanted["sha256"]))
        for name in (SUMMARY, DRAWS):
            if name not in manifest["files"]:
                raise ValueError(f"it lists no {name}")
        run = Run(folder, manifest, _json(folder, SUMMARY))
        if not (1 <= run.count <= 10**9 and run.models and math.isfinite(float(manifest["prob"]))):
            raise ValueError("it states no draws or no models")
        for entry in run.models.values():
            records.restored_facts(entry["facts"])
            if set(entry["values"]) != set(entry["beliefs"]):
                raise ValueError("it does not have the draws of the beliefs that it states")
        _check_summary(run)
    except _DAMAGE as error:
        raise _damaged(folder, MANIFEST, error) from None
    return run


def _check_summary(run: Run) -> None:
    """Check that the summary has the numbers of the models that the manifest names."""
    parts = run.summary["models"]
    if sorted(str(part["model"]) for part in parts) != sorted(run.models):
        raise ValueError("its summary is of other models")
    for part in (*parts, run.summary["ensemble"]):
        for name in MIXED:
            if not all(isinstance(part[name][key], (int, float)) for key in NUMBERS):
                raise ValueError(f"its summary has no {name}")


def _json(folder: Path, name: str) -> dict[str, Any]:
    raw = files.read_bytes(folder / name, TEXT_LIMIT)
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
    limit = DRAWS_LIMIT if name == DRAWS else TEXT_LIMIT
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
    for name in run.models:
        if name not in found and name in shipped:
            found[name] = load_file(shipped[name])
        elif name not in found:
            problems.add("models", "is not a shipped model", name, "give its file with --model")
    problems.check()
    return {name: found[name] for name in run.models}


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
    manifest = run.manifest
    vocabulary = vocabulary_of(models.values())
    said = manifest["project"]
    content, source = _saved_toml(run, said)
    problems = Problems(str(run.folder))
    project = parse_project(content, source, problems, vocabulary)
    problems.check()
    assert project is not None
    project = replace(project, facts={str(k): str(v) for k, v in said["facts"].items()})
    answers: list[ModelForecast] = []
    stacks: dict[str, Stack] = {}
    parsed: dict[str, Layer] = {}
    stale = manifest["code"] != identity.code()
    for name, entry in run.models.items():
        model = models[name]
        stale = stale or entry["sha256"] != model.source.sha256
        for layer in entry["layers"][:-1]:
            if layer["sha256"] not in parsed:
                content, where = _saved_toml(run, layer)
                parsed[layer["sha256"]] = parse_layer(content, where, problems, vocabulary)
        problems.check()
        layers = (*(parsed[layer["sha256"]] for layer in entry["layers"][:-1]), project.layer)
        stacks[name] = Stack(layers[:-1])
        question = Question(
            model,
            records.restored_facts(entry["facts"]),
            {n: records.restored_belief(n, b) for n, b in entry["beliefs"].items()},
            tuple(records.restored_correlation(c) for c in entry["correlations"]),
            _posterior(run, entry["posterior"]),
            str(entry["own"]),
        )
        drawn = evaluate(question, run.values(name), run.count, int(manifest["seed"]))
        answers.append(answer(question, layers, float(entry["credence"]), drawn, float(manifest["prob"])))
    credences = {str(name): float(weight) for name, weight in manifest["credences"].items()}
    setup = Setup(tuple(models.values()), stacks, credences, bool(manifest["use_evidence"]))
    warnings = doubts(project, answers)
    if stale:
        warnings.insert(0, "the run was saved by other code; its draws are evaluated by this version's")
    return Forecast(
        project=project,
        setup=setup,
        models=tuple(answers),
        ensemble=mix(answers, run.count, float(manifest["prob"])),
        count=run.count,
        seed=int(manifest["seed"]),
        prob=float(manifest["prob"]),
        warnings=tuple(warnings),
    )


def _saved_toml(run: Run, said: Mapping[str, Any]) -> tuple[dict[str, Any], files.Source]:
    name = _input(str(said["sha256"]))
    if name not in run.manifest["files"]:
        raise ValueError(f"it holds no copy of {said['label']}")
    content, source = files.read_toml(run.folder / name)
    return content, files.Source(source.path, str(said["label"]), str(said["sha256"]))


def _posterior(run: Run, said: Mapping[str, Any] | None) -> Any:
    if said is None:
        return None
    return records.restored_posterior(said, drawfile.read(run.folder / DRAWS, said["arrays"], None))


def as_of(run: Run) -> date:
    """Return the date from which a run counts years."""
    return date.fromisoformat(run.manifest["as_of"])
