"""A portfolio's report in markdown, from the JSON of ``difprog rank``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from difprog.render import outcomes, shifted, spending, trust, words
from difprog.render.format import percent, with_error
from difprog.render.gfm import bullets, code, escape, image, table
from difprog.render.ranktable import FIRST, beside, counted
from difprog.render.verdict import WORTH


def portfolio(content: Mapping[str, Any], page: str = "portfolio") -> str:
    """Return the markdown of a ranking, from the JSON of ``difprog rank``.

    ``page`` is the folder of its figures.
    """
    points = spending.of_ranking(content)
    said = ". ".join(spending.alternative_cost(points, content["prob"]))
    projects, count = content["projects"], content["draws"]
    extra = list(dict.fromkeys(column for p in projects for column in p["extra"]))
    worth = [
        (head, own, key, unit)
        for head, (own, key, unit) in zip(("per million USD", "per FTE-year"), WORTH, strict=True)
        if any(p.get(own) for p in projects)
    ]
    heads = ["rank", "project", "mean ± error", f"{content['prob']:.0%} interval", "helps", "harms"]
    heads += ["chance best"] + [head for head, *_ in worth] + [escape(e) for e in extra]
    rows = []
    for p in projects:
        row = [str(p["rank"]), escape(p["name"]), *words.net_cells(p["ensemble"]["net_effect"], count)]
        row.append("" if p.get("p_best") is None else percent(p["p_best"], count))
        row += [_ratio(p.get(own), key) for _, own, key, _ in worth]
        rows.append(row + [escape(p["extra"].get(e, "")) for e in extra])
    disagree = [p for p in projects if p["ensemble"]["sign_disagreement"]]
    names = ", ".join(code(m["model"]) for m in content["models"])
    parts = [
        "# Portfolio",
        f"{counted(len(projects), len(content['errors']))}, {FIRST[content['by']]} first: the mean net "
        "effect on the chance that alignment succeeds before AGI, in microdooms averted, under "
        f"{names}, mixed by credence.",
        " ".join(escape(line) for line in outcomes.sentences(content)),
        f"**On {len(disagree):,} of them the models disagree about the sign.**" if disagree else "",
        image(said, f"{page}/{spending.COST}") if points else "",
        table(heads, rows, [0, *range(2, 7 + len(worth))]),
        " ".join(f"Microdooms averted {head}{beside(unit)}." for head, _, _, unit in worth),
    ]
    if disagree:
        parts += ["## Where the models disagree", bullets(_disagreement(p) for p in disagree)]
    if content["errors"]:
        bad = [f"{_row(e)}: {_problems(e)}" for e in content["errors"]]
        parts += ["## Rows that could not be read", bullets(bad)]
    parts += shifted.blocks(content, shifted.image(content, page))
    parts += [
        "## How it was made",
        f"difprog {code(content['version'])}, seed {content['seed']}, {count:,} draws. "
        f"{escape(trust.dated(content))}",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _row(entry: Mapping[str, Any]) -> str:
    return escape(entry.get("name") or entry.get("where") or entry["row"])


def _problems(entry: Mapping[str, Any]) -> str:
    return "; ".join(escape(p) for p in entry.get("problems", ()))


def _ratio(found: Mapping[str, Any] | None, key: str) -> str:
    if not found or found[key] is None:
        return ""
    return with_error(found[key], found["mcse"] or 0.0, sign=True)


def _disagreement(project: Mapping[str, Any]) -> str:
    said = [
        f"{code(m['model'])} {words.net_cells(m['net_effect'], 0)[0]}" for m in project["models"]
    ]
    return f"{escape(project['name'])}: {', '.join(said)}"
