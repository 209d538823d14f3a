"""An explanation as plain data: what ``explain --json`` prints and what a written report is made of.

A report is rendered from this data alone, so that one that was kept needs no sampling.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from difprog.beliefs.beliefs import Belief
from difprog.beliefs.families import Point
from difprog.forecast.forecast import ModelForecast
from difprog.forecast.summary import MICRODOOM
from difprog.render import data
from difprog.why.channels import Estimate
from difprog.why.explain import Explanation, ModelExplanation
from difprog.why.sensitivity import Driver

EXPLAIN_SCHEMA = "difprog.explain/1"
REPORT_SCHEMA = "difprog.report/1"

#: Levels at which a report keeps the distribution of the net effect.
LEVELS = tuple(float(x) for x in np.round((np.arange(200) + 0.5) / 200, 4))


def explain(found: Explanation) -> dict[str, Any]:
    """Return an explanation as the JSON of ``difprog explain``.

    ``evppi`` and its standard error are in microdooms; everything else is in plain
    probabilities and in the parameters' own units.
    """
    content = data.score(found.forecast)
    content["schema"] = EXPLAIN_SCHEMA
    for entry, model in zip(content["models"], found.models, strict=True):
        entry.update(_model(model))
    content["ensemble"].update(
        channels={name: data.number(e.value) for name, e in found.channels.items()},
        channels_mcse={name: data.number(e.mcse) for name, e in found.channels.items()},
        options=_options(found.options),
        drivers=_drivers(found.drivers),
    )
    return content


def _model(found: ModelExplanation) -> dict[str, Any]:
    return {
        "channels": {name: data.number(e.value) for name, e in found.channels.items()},
        "channels_mcse": {name: data.number(e.mcse) for name, e in found.channels.items()},
        "paths": {name: _plain(path._asdict()) for name, path in found.paths.items()},
        "break_even": _plain(found.break_even._asdict()),
        "exchange": _plain(found.exchange._asdict()),
        "ratios": _plain(found.ratios._asdict()),
        "options": _options(found.options),
        "drivers": _drivers(found.drivers),
    }


def _plain(values: Mapping[str, float | None]) -> dict[str, float | int | None]:
    return {k: v if isinstance(v, int) else data.number(v) for k, v in values.items()}


def _options(options: Mapping[str, Estimate]) -> dict[str, Any]:
    return {name: {"mean": data.number(e.value), "mcse": data.number(e.mcse)} for name, e in options.items()}


def _drivers(found: tuple[Driver, ...] | None) -> list[dict[str, Any]]:
    entries = []
    for driver in found or ():
        entry: dict[str, Any] = {"belief": driver.belief}
        entry.update(_plain({k: v for k, v in driver._asdict().items() if k != "belief"}))
        for key in ("evppi", "evppi_se"):
            entry[key] = None if entry[key] is None else entry[key] / MICRODOOM
        entries.append(entry)
    return entries


def report(found: Explanation, command: str) -> dict[str, Any]:
    """Return all that a written report shows.

    Parameters
    ----------
    found : Explanation
        What was found.
    command : str
        The command that does it again.
    """
    forecast = found.forecast
    project = forecast.project
    content = explain(found)
    content["schema"] = REPORT_SCHEMA
    content["command"] = command
    content["project"].update(
        summary=project.summary,
        facts=dict(project.facts),
        criteria=sorted(project.criteria),
        assumed=list(project.assumed),
    )
    for entry, answer, weight in zip(content["models"], forecast.models, forecast.weights, strict=True):
        entry.update(
            weight=weight,
            title=answer.model.title,
            cites=answer.model.cites,
            code={"path": answer.model.source.label, "sha256": answer.model.source.sha256},
            beliefs=_beliefs(answer),
            quantiles=_quantiles(answer),
        )
    return content


def _quantiles(answer: ModelForecast) -> list[float]:
    """Return the net effect at `LEVELS`."""
    values = answer.drawn("net_effect")
    return [float(q) for q in np.quantile(values, LEVELS)]


def _beliefs(answer: ModelForecast) -> list[dict[str, Any]]:
    """Return every belief that the model reads and a file states, with where it comes from."""
    found = []
    for name, belief in answer.beliefs.items():
        if belief.layer == "neutral":
            continue
        conditioned = answer.view.conditioned(name)
        low, middle, high = _percentiles(answer, name, belief, conditioned)
        found.append(
            {
                "name": name,
                "unit": answer.model.vocabulary[name].unit,
                "meaning": answer.model.vocabulary[name].meaning,
                "p5": data.number(low),
                "p50": data.number(middle),
                "p95": data.number(high),
                "conditioned": belief.evidence if conditioned else "",
                "source": belief.source,
                "note": belief.note,
                "file": belief.layer,
            }
        )
    return found


def _percentiles(
    answer: ModelForecast, name: str, belief: Belief, conditioned: bool
) -> tuple[float, float, float]:
    if conditioned:
        low, middle, high = np.quantile(answer.value(name), [0.05, 0.5, 0.95])
        return float(low), float(middle), float(high)
    if isinstance(belief.shape, Point):
        return belief.shape.value, belief.shape.value, belief.shape.value
    low, middle, high = (belief.shape.percentile(level) for level in (0.05, 0.5, 0.95))
    return low, middle, high
