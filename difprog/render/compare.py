"""A comparison as plain data and on a terminal."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

import numpy as np
from rich.console import Console
from rich.text import Text

from difprog.base.errors import plain
from difprog.choose.best import NOTHING
from difprog.choose.compare import Comparison, Pair
from difprog.choose.portfolio import Row
from difprog.forecast.summary import MICRODOOM, sign
from difprog.render import data, outcomes, shifted
from difprog.render.format import microdooms, percent, with_error
from difprog.render.rank import entry, head
from difprog.render.ranktable import columns_of, span, table
from difprog.render.screen import BAD, DIM, GOOD, HEAD, MARGIN, Column, fitted, indented, kept, section, text
from difprog.render.terminal import old
from difprog.render.verdict import basis

COMPARE_SCHEMA = "difprog.compare/1"

#: Pairs that the terminal shows; all are in the JSON.
MOST_PAIRS = 15


def as_data(found: Comparison) -> dict[str, Any]:
    """Return a comparison as the JSON of ``difprog compare``."""
    first = found.options[0].forecast
    names = [answer.model.name for answer in first.models]
    projects = []
    for place, option in enumerate(found.options):
        row = Row(place + 1, option.name, option.forecast.project.source)
        project = entry(row, option.forecast)
        each = found.p_best.get(place, np.zeros(len(names)))
        for model, chance in zip(project["models"], each, strict=True):
            model["p_best"] = float(chance)
        start = {"row": project.pop("row"), "name": option.name, "rank": place + 1}
        projects.append({**start, "p_best": found.chance(place), **(project | {"name": option.name})})
    pairs = [
        {
            "first": found.options[pair.first].name,
            "second": found.options[pair.second].name,
            "ensemble": data.summary(pair.ensemble),
            "models": [
                {"model": name, "net_effect_difference": data.summary(summary)}
                for name, summary in zip(names, pair.models, strict=True)
            ],
            "dominance": asdict(pair.dominance),
        }
        for pair in found.pairs
    ]
    each = found.p_best.get(NOTHING, np.zeros(len(names)))
    return {
        **head(COMPARE_SCHEMA, first.setup, first.count, first.seed, first.prob, first.draws),
        "nothing": {
            "p_best": found.nothing,
            "models": {name: float(p) for name, p in zip(names, each, strict=True)},
        },
        "projects": projects,
        "pairs": pairs,
    }


def terminal(found: Comparison, screen: Console, today: date | None = None) -> None:
    """Print a comparison; where the day is given, years counted from long before it get a note."""
    shown = as_data(found)
    models = [model["model"] for model in shown["models"]]
    count = shown["draws"]
    projects = shown["projects"]
    screen.print(Text(f"{len(projects)} options on the same worlds, best first", style=HEAD))
    screen.print(Text(basis(shown), style=DIM))
    old(shown, screen, today)
    screen.print()
    for line in (*outcomes.sentences(shown), *headline(found)):
        indented(screen, line)
    screen.print()
    table(screen, columns_of(projects, shown["prob"], count, "option"), models, found.nothing, count)
    if len(models) > 1:
        _by_model(projects, models, screen)
    if found.pairs:
        _pairs(found, shown["prob"], count, screen)
    shifted.show(shown, screen)


def headline(found: Comparison) -> list[Text]:
    """Return which option to take, how sure that is, and where the models part."""
    lines = []
    first = found.options[0]
    net = first.forecast.ensemble["net_effect"]
    count = first.forecast.count
    name = plain(first.name, 60)
    if sign(net) <= 0:
        lines.append(Text("No option is better on average than doing nothing, as far as the draws tell."))
    else:
        lines.append(
            Text.assemble(
                "Highest on average: ", (name, HEAD),
                f", {microdooms(net.mean, net.mcse)} microdooms averted. It is the best option in "
                f"{percent(found.chance(0), count)} of the worlds drawn; in "
                f"{percent(found.nothing, count)} nothing is better than doing nothing.",
            )
        )  # fmt: skip
    tops: dict[str, list[str]] = {}
    for at, answer in enumerate(first.forecast.models):
        means = [option.forecast.models[at].net.mean for option in found.options]
        top = "doing nothing" if max(means) <= 0 else found.options[means.index(max(means))].name
        tops.setdefault(top, []).append(answer.model.name)
    if len(tops) > 1:
        parts = "; ".join(f"{plain(top, 40)} by {', '.join(by)}" for top, by in tops.items())
        lines.append(Text.assemble(("The models differ on which is best: ", HEAD), parts + "."))
    close = [p for p in found.pairs if p.first == 0 and abs(p.ensemble.mean) <= 2 * p.ensemble.mcse]
    if close and any(pair.ensemble.mcse > 0 for pair in close):
        names = ", ".join(plain(found.options[pair.second].name, 40) for pair in close)
        lines.append(Text(f"The draws do not tell it from: {names}."))
    return lines


def _by_model(projects: list[dict[str, Any]], models: list[str], screen: Console) -> None:
    section(screen, "By model", "mean, in microdooms averted; * the best of its model")
    if len(projects) <= max(2, (screen.width - 20) // 15):
        # Few options: models down, options across, as model names are the longer ones.
        columns = [Column("model", [text(model) for model in models], left=True)]
        for project in projects:
            means = [_mean(projects, project, at) for at in range(len(models))]
            columns.append(Column(text(project["name"], limit=60).plain, means, wrap=True))
    else:
        names = [text(project["name"], limit=60) for project in projects]
        columns = [Column("option", names, left=True, wrap=True)]
        for at, model in enumerate(models):
            means = [_mean(projects, project, at) for project in projects]
            columns.append(Column(model.replace("_", " "), means, wrap=True))
    indented(screen, fitted(columns, screen.width - MARGIN))


def _mean(projects: list[dict[str, Any]], project: dict[str, Any], at: int) -> Text:
    net = project["models"][at]["net_effect"]
    top = max(p["models"][at]["net_effect"]["mean"] for p in projects)
    best = net["mean"] == top and top > 0
    colour = GOOD if net["mean"] > 2 * net["mcse"] else BAD if net["mean"] < -2 * net["mcse"] else ""
    return Text(microdooms(net["mean"], net["mcse"]) + ("*" if best else " "), style=colour)


def _pairs(found: Comparison, prob: float, count: int, screen: Console) -> None:
    section(screen, "Pair by pair", "first minus second, in the same world; microdooms")
    pairs = found.pairs[:MOST_PAIRS]
    nets = [pair.ensemble for pair in pairs]
    columns = [
        Column("first", [text(found.options[p.first].name, limit=60) for p in pairs], left=True, wrap=True),
        Column("second", [text(found.options[p.second].name, limit=60) for p in pairs], left=True, wrap=True),
        Column("mean ± error", [with_error(n.mean, n.mcse, MICRODOOM, sign=True) for n in nets]),
        Column(f"{prob:.0%} interval", [span(n) for n in nets], drop=1),
        Column("better", [percent(n.p_positive, count) for n in nets]),
        Column("worse", [percent(n.p_negative, count) for n in nets]),
        Column("dominates", [dominance(pair) for pair in pairs], left=True, drop=2),
    ]
    indented(screen, fitted(columns, screen.width - MARGIN))
    if len(found.pairs) > MOST_PAIRS:
        screen.print(Text(f"  and {len(found.pairs) - MOST_PAIRS} more pairs in --json.", style=DIM))
    if columns[-1] in kept(columns, screen.width - MARGIN)[0]:
        screen.print()
        screen.print(
            Text(
                "dominates: draws, in every draw of every model; chances, no lower a chance of any "
                "effect or more (first order); means, a higher mean in every model.",
                style=DIM,
            )
        )


def dominance(pair: Pair) -> str:
    """Return in which senses the first dominates, strongest first."""
    found = pair.dominance
    if found.every_draw:
        return "draws"
    senses = (("chances", found.first_order), ("means", found.every_model))
    return ", ".join(word for word, holds in senses if holds) or "no"
