"""A forecast as all that its screens and reports show of it: plain data, and nothing else.

The JSON of ``difprog score`` and, beside it, what a reader wants and a program does not: titles,
where every belief came from, yardsticks, the shape of the answer. Terminal, markdown and HTML are
made of this alone, so that all of them say the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from difprog.base import files
from difprog.beliefs import published
from difprog.beliefs.beliefs import Belief, Layer
from difprog.forecast.believed import adoptable
from difprog.forecast.forecast import Forecast, ModelForecast
from difprog.forecast.setup import Setup
from difprog.render import data

#: Levels at which the distribution of the net effect is kept.
LEVELS = tuple(float(x) for x in np.round((np.arange(400) + 0.5) / 400, 5))

#: Where a layer comes from.
SHIPPED, SCENARIO, YOURS, PROPOSAL = "ships", "scenario", "yours", "proposal"


def content(forecast: Forecast) -> dict[str, Any]:
    """Return all that is shown of a forecast."""
    project = forecast.project
    found = data.score(forecast)
    found["project"].update(
        handle=handle(forecast),
        summary=project.summary,
        facts=dict(project.facts),
        criteria=sorted(project.criteria),
        assumed=list(project.assumed),
    )
    for entry, answer, weight in zip(found["models"], forecast.models, forecast.weights, strict=True):
        entry.update(
            weight=weight,
            title=answer.model.title,
            cites=answer.model.cites,
            opens=list(answer.model.opens),
            code={"path": answer.model.source.label, "sha256": answer.model.source.sha256},
            quantiles=[float(q) for q in answer.weighing.quantiles(answer.drawn("net_effect"), LEVELS)],
        )
    rows = provenance(forecast)
    layers = {layer.source.label: kind(layer) for answer in forecast.models for layer in answer.layers[:-1]}
    found.update(
        provenance=rows,
        own=sorted({row["name"] for row in rows if row["kind"] == YOURS}),
        scenarios=[scenario(label) for label, what in layers.items() if what == SCENARIO],
        by_themselves=by_themselves(forecast),
        value_for_money=data.value_for_money(forecast),
        value_of_time=data.value_of_time(forecast),
        yardsticks=[dict(entry) for entry in yardsticks()],
        adoptable=adoptable(forecast.draws),
    )
    return found


def handle(forecast: Forecast) -> str:
    """Return what a command calls the proposal, with no place on a machine in it."""
    label = PurePosixPath(forecast.project.source.label)
    return label.stem if label.parent.as_posix() == "priors/projects" else label.name


def kind(layer: Layer) -> str:
    """Return whether a layer ships, is a scenario, or is the user's own."""
    label = _file(layer.source.label)
    if "scenarios" in PurePosixPath(label).parts or "scenarios" in layer.source.path.parts[-2:-1]:
        return SCENARIO
    return SHIPPED if _ships(label, layer.source.sha256) else YOURS


def by_themselves(forecast: Forecast) -> list[str]:
    """Return the user's own files that no command has to name: each lies over its shipped namesake."""
    over = (
        layer.source.label
        for answer in forecast.models
        for below, layer in pairwise(answer.layers[:-1])
        if below.source.label == f"priors/{layer.source.label}"
    )
    return list(dict.fromkeys(over))


def standing(setup: Setup) -> dict[str, Any]:
    """Return whose beliefs stand under every proposal of a portfolio, and how many are judgements.

    Returns
    -------
    dict
        ``own``: names that one's own files state; ``scenarios``; ``stated``: whether the outcome is;
        ``judged`` of ``beliefs``: one whose wording depends on a fact is a judgement where any wording is;
        ``judgements``: their names.
    """
    found: dict[tuple[str, str], bool] = {}
    own: set[str] = set()
    layers: dict[str, str] = {}
    for model in setup.models:
        stack = setup.stacks[model.name]
        layers |= {layer.source.label: kind(layer) for layer in stack.layers}
        for name in model.reads:
            top = next((layer for layer in reversed(stack.layers) if layer.beliefs.get(name)), None)
            if top is None:
                continue
            found[name, top.source.label] = any(one.judgement for one in top.beliefs[name].values())
            if layers[top.source.label] == YOURS:
                own.add(name)
    return {
        "own": sorted(own),
        "scenarios": [scenario(label) for label, what in layers.items() if what == SCENARIO],
        "stated": bool(setup.believe) or any(stack.outcomes for stack in setup.stacks.values()),
        "judged": sum(found.values()),
        "beliefs": len(found),
        "judgements": sorted({name for (name, _), judged in found.items() if judged}),
    }


def scenario(label: str) -> str:
    """Return a scenario's name."""
    return PurePosixPath(_file(label)).stem


def _file(label: str) -> str:
    """Return the file in a label, which may be "name (file)"."""
    return label.rpartition(" (")[2].removesuffix(")") if label.endswith(")") else label


def _ships(label: str, sha256: str) -> bool:
    """Whether the file that ships under this label is this one."""
    path = files.shipped(*PurePosixPath(label).parts)
    if not label.startswith("priors/") or not path.is_file():
        return False
    return _hash(str(path)) == sha256


@lru_cache(maxsize=256)
def _hash(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def provenance(forecast: Forecast) -> list[dict[str, Any]]:
    """Return every belief that any model reads and a file states, each wording once.

    Each with what is stated (``prior``) and what is used, at 5%, 50% and 95%.
    """
    kinds = {layer.source.label: kind(layer) for answer in forecast.models for layer in answer.layers[:-1]}
    kinds[forecast.project.source.label] = PROPOSAL
    rows: dict[tuple[str, ...], dict[str, Any]] = {}
    for answer in forecast.models:
        for name, belief in answer.beliefs.items():
            if belief.layer == "neutral":
                continue
            dataset = data.conditioned_on(answer, belief)
            key = (name, belief.layer, belief.source, belief.note, repr(belief.shape), dataset or "")
            if key not in rows:
                rows[key] = _row(answer, belief, dataset, kinds.get(belief.layer, PROPOSAL))
            rows[key]["models"].append(answer.model.name)
    order = list(dict.fromkeys(name for answer in forecast.models for name in answer.model.vocabulary))
    return sorted(rows.values(), key=lambda row: order.index(row["name"]))


def _row(answer: ModelForecast, belief: Belief, dataset: str | None, where: str) -> dict[str, Any]:
    parameter = answer.model.vocabulary[belief.name]
    return {
        "name": belief.name,
        "unit": parameter.unit,
        "meaning": parameter.meaning,
        "layer": belief.layer,
        "kind": where,
        "judgement": belief.judgement,
        "source": belief.source,
        "note": belief.note,
        "prior": [data.number(v) for v in data.stated(belief)],
        "used": [data.number(v) for v in data.percentiles(answer, belief)],
        "conditioned_on": dataset,
        "models": [],
    }


def yardsticks() -> tuple[Mapping[str, Any], ...]:
    """Return the published magnitudes to lay beside a project's own."""
    return tuple({"name": name, **entry} for name, entry in published.yardsticks().items())
