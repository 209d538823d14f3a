"""An explanation as plain data: what ``explain --json`` prints and what a written report is made of.

A report is rendered from this data alone, so that one that was kept needs no sampling.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from difprog.forecast.summary import MICRODOOM
from difprog.render import data
from difprog.render.content import content
from difprog.why.channels import Estimate
from difprog.why.drivers import Driver
from difprog.why.explain import Explanation, ModelExplanation

EXPLAIN_SCHEMA = "difprog.explain/1"
REPORT_SCHEMA = "difprog.report/1"

#: What is said of every driver beside its name.
FIELDS = ("distance", "distance_se", "low", "low_se", "high", "high_se", "evppi", "evppi_se")


def explain(found: Explanation) -> dict[str, Any]:
    """Return an explanation as the JSON of ``difprog explain``.

    ``evppi``, ``evpi`` and their standard errors are in microdooms; everything else is in plain
    probabilities and in the parameters' own units.
    """
    said = data.score(found.forecast)
    said["schema"] = EXPLAIN_SCHEMA
    for entry, model in zip(said["models"], found.models, strict=True):
        entry.update(_model(model), **_information(model, found.known))
    said["ensemble"].update(
        channels={name: data.number(e.value) for name, e in found.channels.items()},
        channels_mcse={name: data.number(e.mcse) for name, e in found.channels.items()},
        options=_options(found.options),
        drivers=_drivers(found.drivers),
        **_information(found, found.known),
    )
    return said


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


def _information(found: Explanation | ModelExplanation, known: tuple[str, ...]) -> dict[str, Any]:
    """Return what knowing everything, or the named beliefs together, is worth, in microdooms."""
    said: dict[str, Any] = {"evpi": found.evpi.value / MICRODOOM, "evpi_se": found.evpi.se / MICRODOOM}
    if found.together is not None:
        gain, error = (data.number(value / MICRODOOM) for value in found.together)
        said["together"] = {"beliefs": list(known), "evppi": gain, "evppi_se": error}
    return said


def _plain(values: Mapping[str, float | None]) -> dict[str, float | int | None]:
    return {k: v if isinstance(v, int) else data.number(v) for k, v in values.items()}


def _options(options: Mapping[str, Estimate]) -> dict[str, Any]:
    return {name: {"mean": data.number(e.value), "mcse": data.number(e.mcse)} for name, e in options.items()}


def _drivers(found: tuple[Driver, ...] | None) -> list[dict[str, Any]]:
    entries = []
    for driver in found or ():
        entry: dict[str, Any] = {"belief": driver.belief}
        entry.update(_plain({name: getattr(driver, name) for name in FIELDS}))
        for key in ("evppi", "evppi_se"):
            entry[key] = None if entry[key] is None else entry[key] / MICRODOOM
        entries.append(entry)
    return entries


def report(found: Explanation, command: str = "") -> dict[str, Any]:
    """Return all that a written report, and the screen of ``difprog explain``, shows.

    Parameters
    ----------
    found : Explanation
        What was found.
    command : str
        The command that does it again.
    """
    base, explanation = content(found.forecast), explain(found)
    models = [{**m, **e} for m, e in zip(base["models"], explanation["models"], strict=True)]
    ensemble = {**base["ensemble"], **explanation["ensemble"]}
    return {**base, "schema": REPORT_SCHEMA, "command": command, "models": models, "ensemble": ensemble}
