"""A forecast as plain data: what ``--json`` prints and a saved run keeps.

Numbers are in full precision; no NaN or infinity ever gets out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from difprog import __version__
from difprog.base import plainjson
from difprog.beliefs.beliefs import Layer
from difprog.forecast.forecast import Forecast, ModelForecast
from difprog.forecast.summary import Quantiles, Summary

SCORE_SCHEMA = "difprog.score/1"


def dumps(data: Mapping[str, Any]) -> str:
    """Return JSON text: sorted by insertion, two-space indent, no NaN."""
    return plainjson.dumps(data, indent=2)


def number(value: float | None) -> float | None:
    """Return a number that JSON has, or None."""
    return None if value is None or not math.isfinite(value) else float(value)


def summary(values: Summary) -> dict[str, float | None]:
    """Return the SUMMARY object of the interface."""
    return {name: number(value) for name, value in asdict(values).items()}


def arrival(found: Quantiles) -> dict[str, float | None]:
    """Return when AGI arrives: no mean, as its distribution has none."""
    return {name: number(value) for name, value in found._asdict().items()}


def layers(used: tuple[Layer, ...]) -> list[dict[str, str]]:
    """Return the belief files a forecast rests on, lowest first."""
    return [{"path": layer.source.label, "sha256": layer.source.sha256} for layer in used]


def model(answer: ModelForecast) -> dict[str, Any]:
    """Return one model's part of the score."""
    return {
        "model": answer.model.name,
        "credence": answer.credence,
        "priors": layers(answer.layers),
        **{name: summary(values) for name, values in answer.summaries.items()},
        "arrival": arrival(answer.arrival),
        "arrival_given_success": number(
            None if answer.arrival_given_success is None else answer.arrival_given_success.median
        ),
        "diagnostics": _diagnostics(answer) if answer.view.posterior is not None else {},
    }


def _diagnostics(answer: ModelForecast) -> dict[str, Any]:
    posterior = answer.view.posterior
    assert posterior is not None
    return {
        "evidence": posterior.key,
        "kept_draws": posterior.size,
        "conditioned": {
            name: posterior.datasets.get(name, "")
            for name in answer.beliefs
            if answer.view.conditioned(name)
        },
        **{k: v for k, v in posterior.diagnostics.items() if isinstance(v, (int, float, str))},
    }


def score(forecast: Forecast) -> dict[str, Any]:
    """Return a forecast as the JSON of ``difprog score``."""
    source = forecast.project.source
    return {
        "schema": SCORE_SCHEMA,
        "version": __version__,
        "as_of": forecast.as_of.isoformat(),
        "draws": forecast.count,
        "seed": forecast.seed,
        "prob": forecast.prob,
        "project": {"name": forecast.project.name, "path": source.label, "sha256": source.sha256},
        "models": [model(answer) for answer in forecast.models],
        "ensemble": {
            **{name: summary(values) for name, values in forecast.ensemble.items()},
            "sign_disagreement": forecast.sign_disagreement,
        },
        "warnings": list(forecast.warnings),
    }
