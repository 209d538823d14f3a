"""A forecast as all that its screens and reports show of it: plain data, and nothing else.

The JSON of ``difprog score`` and, beside it, what a reader wants and a program does not: titles,
where every belief came from, yardsticks, the shape of the answer. Terminal, markdown and HTML are
made of this alone, so that all of them say the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from difprog.base import files
from difprog.beliefs import published
from difprog.beliefs.beliefs import Belief, Layer
from difprog.forecast.believed import adoptable
from difprog.forecast.forecast import Forecast, ModelForecast
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
