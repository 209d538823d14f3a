"""A saved run made a forecast again: its inputs are read anew, with the kept draws in place of new ones.

So nothing is sampled, and nothing that is loaded is executed or unpickled.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from difprog.base import files
from difprog.base.errors import BadInput, Problems
from difprog.beliefs.beliefs import Layer, Stack
from difprog.beliefs.outcomes import parse_outcomes
from difprog.beliefs.parse import parse_layer
from difprog.beliefs.project import Project, parse_project
from difprog.evidence.posterior import Posterior
from difprog.forecast import identity
from difprog.forecast.believed import believed
from difprog.forecast.conditioning import question_of
from difprog.forecast.forecast import Forecast, summed_up
from difprog.forecast.graph import effect_names
from difprog.forecast.question import Question, View
from difprog.forecast.sampling import evaluate
from difprog.forecast.setup import Setup
from difprog.models.model import Model, load_file, shipped_models, vocabulary_of
from difprog.runs import netcdf, runs


def models_of(run: runs.Run, given: Mapping[str, Model] | None = None) -> dict[str, Model]:
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


def forecast(run: runs.Run, models: Mapping[str, Model] | None = None) -> Forecast:
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
    except runs.DAMAGE as error:
        raise runs.damaged(run.folder, runs.MANIFEST, error) from None


def _restored(run: runs.Run, models: Mapping[str, Model]) -> Forecast:
    project, setup = inputs(run, models)
    path, kept = run.folder / runs.DRAWS, run.manifest["evidence"]
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


def inputs(run: runs.Run, models: Mapping[str, Model]) -> tuple[Project, Setup]:
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


def _values(run: runs.Run, question: Question) -> dict[str, Any]:
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


def _kept(run: runs.Run, said: Mapping[str, Any]) -> tuple[dict[str, Any], files.Source]:
    """Return the content of a kept input, and what it was called."""
    name = runs.input_name(str(said["sha256"]))
    if name not in run.manifest["files"]:
        raise ValueError(f"it holds no copy of {said['label']}")
    content, source = files.read_toml(run.folder / name)
    return content, files.Source(source.path, str(said["label"]), str(said["sha256"]))
