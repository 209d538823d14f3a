"""A ranking as plain data: JSON and CSV. The terminal's table is `difprog.render.ranktable`."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Iterator
from typing import Any

from difprog import __version__
from difprog.choose.portfolio import Row
from difprog.choose.rank import Ranking
from difprog.forecast.forecast import Forecast
from difprog.forecast.sampling import Draws
from difprog.forecast.setup import Setup
from difprog.render import data, outcomes

RANK_SCHEMA = "difprog.rank/1"


def entry(row: Row, found: Forecast) -> dict[str, Any]:
    """Return a row's part of the JSON, all but what depends on other rows."""
    scored = data.answers(found)
    return {
        "row": row.number,
        "name": found.project.name,
        "facts": dict(found.project.facts),
        "ensemble": scored["ensemble"],
        "models": [{k: v for k, v in each.items() if k != "priors"} for each in scored["models"]],
        "value_for_money": data.value_for_money(found),
        "value_of_time": data.value_of_time(found),
        "assumed": list(found.project.assumed),
        "extra": dict(row.extra),
    }


def head(
    schema: str, setup: Setup, count: int, seed: int, prob: float, worlds: Draws | None = None
) -> dict[str, Any]:
    """Return what stands before the projects: under what they were scored.

    ``worlds`` are draws of any of them: where an outcome is stated, each model says what that took.
    """
    as_of = setup.stacks[setup.models[0].name].as_of
    stated = {entry["model"]: entry for entry in outcomes.of_the_world(worlds)}
    return {
        "schema": schema,
        "version": __version__,
        "as_of": as_of.isoformat(),
        "draws": count,
        "seed": seed,
        "prob": prob,
        "believe": outcomes.believed(setup),
        "models": [
            {
                "model": model.name,
                "credence": setup.credences[model.name],
                "priors": data.layers(setup.stacks[model.name].layers),
                **stated.get(model.name, {}),
            }
            for model in setup.models
        ],
    }


def start(ranking: Ranking) -> dict[str, Any]:
    """Return the JSON of ``difprog rank`` but for its projects and errors."""
    request = ranking.request
    found = head(RANK_SCHEMA, ranking.setup, request.draws, request.seed, request.prob, ranking.worlds)
    return {**found, "by": ranking.ordered_by, "nothing": ranking.nothing()}


def as_json(ranking: Ranking) -> Iterator[str]:
    """Yield the pieces of the JSON text, a project at a time: the whole never is in memory."""
    yield data.dumps(start(ranking)).removesuffix("\n}")
    yield from _array("projects", ranking.projects())
    yield from _array("errors", ranking.errors())
    yield "\n}"


def _array(name: str, items: Iterator[dict[str, Any]]) -> Iterator[str]:
    yield f",\n  {json.dumps(name)}: ["
    comma = ""
    for item in items:
        yield comma + "\n    " + data.dumps(item).replace("\n", "\n    ")
        comma = ","
    yield "\n  ]" if comma else "]"


def as_csv(ranking: Ranking, extra: tuple[str, ...]) -> str:
    """Return the ranking as a CSV table, best first.

    Numbers are in full precision and in the units of the JSON. A text that a spreadsheet would
    take for a formula gets an apostrophe before it.

    Parameters
    ----------
    ranking : Ranking
        What was found.
    extra : tuple of str
        The free columns, in the order of the input.
    """
    names = [model.name for model in ranking.setup.models]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    summary = ("mean", "mcse", "median", "lower", "upper", "p_positive", "p_negative")
    writer.writerow(
        [
            "rank", "row", "name",
            *(f"net_effect_{part}" for part in summary),
            "p_best", "sign_disagreement", "microdooms_per_million_usd", "microdooms_per_fte_year",
            *(f"net_effect_mean_{name}" for name in names),
            *(f"net_effect_mcse_{name}" for name in names),
            *(_cell(column) for column in extra),
        ]
    )  # fmt: skip
    for project in ranking.projects():
        net = project["ensemble"]["net_effect"]
        money, time = project["value_for_money"] or {}, project.get("value_of_time") or {}
        writer.writerow(
            [
                project["rank"], project["row"], _cell(project["name"]),
                *(net[part] for part in summary),
                project["p_best"], str(project["ensemble"]["sign_disagreement"]).lower(),
                money.get("microdooms_per_million_usd"), time.get("microdooms_per_fte_year"),
                *(each["net_effect"]["mean"] for each in project["models"]),
                *(each["net_effect"]["mcse"] for each in project["models"]),
                *(_cell(project["extra"].get(column, "")) for column in extra),
            ]
        )  # fmt: skip
    return out.getvalue()


#: What begins a formula; "" is an empty cell.
_FORMULA = frozenset("=+-@|%\N{MINUS SIGN}")


def _cell(text: str) -> str:
    """Return a text that no spreadsheet runs (OWASP, CSV injection); numbers stay numbers."""
    # Spreadsheets pass over white space and take full-width signs for the plain ones.
    if unicodedata.normalize("NFKC", text.lstrip("\ufeff\u200b")).lstrip()[:1] not in _FORMULA and (
        not text.startswith(("\t", "\r", "\n"))
    ):
        return text
    try:
        float(text)
    except ValueError:
        return "'" + text
    return text
