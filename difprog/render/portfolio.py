"""A portfolio's report in markdown, from the JSON of ``difprog rank``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from difprog.render import outcomes, shifted, spending, trust, verdict, words
from difprog.render.format import percent
from difprog.render.gfm import bullets, code, escape, fence, image, table
from difprog.render.memo import marked
from difprog.render.ranktable import FIRST, beside, counted, ratio
from difprog.render.verdict import WORTH


def portfolio(content: Mapping[str, Any], page: str = "portfolio", command: str = "") -> str:
    """Return the markdown of a ranking.

    Parameters
    ----------
    content : mapping
        The JSON of ``difprog rank``, and ``standing`` from `difprog.render.content`.
    page : str
        The folder of its figures.
    command : str
        What makes it again.
    """
    points = spending.of_ranking(content)
    said = ". ".join(spending.alternative_cost(points, content["prob"]))
    projects, count = content["projects"], content["draws"]
    extra = list(dict.fromkeys(column for p in projects for column in p["extra"]))
    worth = [
        (head, own, key, unit)
        for head, (own, key, unit) in zip(("per \\$1M", "per person-year"), WORTH, strict=True)
        if any(p.get(own) for p in projects)
    ]
    heads = ["rank", "project", "mean ± error", f"{content['prob']:.0%} interval", "helps", "harms"]
    heads += ["chance best"] + [head for head, *_ in worth] + [escape(e) for e in extra]
    rows = []
    for p in projects:
        row = [str(p["rank"]), escape(p["name"]), *words.net_cells(p["ensemble"]["net_effect"], count)]
        row.append("" if p.get("p_best") is None else percent(p["p_best"], count))
        row += [ratio(p, own, key) for _, own, key, _ in worth]
        rows.append(row + [escape(p["extra"].get(e, "")) for e in extra])
    disagree = [p for p in projects if p["ensemble"]["sign_disagreement"]]
    names = ", ".join(code(m["model"]) for m in content["models"])
    parts = [
        "# Portfolio",
        f"{counted(len(projects), len(content['errors']))}, {FIRST[content['by']]} first: the mean net "
        "effect on the chance that alignment succeeds before AGI, in microdooms averted, under "
        f"{names}, mixed by credence.",
        f"{marked(verdict.in_use_by_all(content['standing']))} · {escape(verdict.basis(content))}",
        " ".join(escape(line) for line in outcomes.sentences(content)),
        f"**On {len(disagree):,} of them the models disagree about the sign.**" if disagree else "",
        image(said, f"{page}/{spending.COST}") if points else "",
        table(heads, rows, [0, *range(2, 7 + len(worth))]),
        _legend(content),
        " ".join(f"Microdooms averted {head}{beside(unit)}." for head, _, _, unit in worth),
    ]
    if disagree:
        parts += ["## Where the models disagree", bullets(_disagreement(p) for p in disagree)]
    if content["errors"]:
        bad = [f"{_row(e)}: {_problems(e)}" for e in content["errors"]]
        parts += ["## Rows that could not be read", bullets(bad)]
    parts += shifted.blocks(content, shifted.image(content, page))
    heavy = [escape(note) for note in trust.heavy_rows(projects)]
    if heavy:
        parts += ["## How far to trust it", bullets(heavy)]
    parts += [
        "## How it was made",
        f"difprog {code(content['version'])}, seed {content['seed']}, {count:,} draws. "
        f"{escape(trust.dated(content))}",
        fence([command], "sh") if command else "",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _legend(content: Mapping[str, Any]) -> str:
    """Return what the columns mean."""
    nothing = percent(content["nothing"]["p_best"], content["draws"])
    return (
        "Mean ± Monte Carlo error; interval: of the worlds; helps, harms: shares of the worlds; chance best: "
        f"that it is the best of all, which doing nothing is in {nothing}."
    )


def _row(entry: Mapping[str, Any]) -> str:
    return escape(entry.get("name") or entry.get("where") or entry["row"])


def _problems(entry: Mapping[str, Any]) -> str:
    return "; ".join(escape(p) for p in entry.get("problems", ()))


def _disagreement(project: Mapping[str, Any]) -> str:
    said = [
        f"{code(m['model'])} {words.net_cells(m['net_effect'], 0)[0]}" for m in project["models"]
    ]
    return f"{escape(project['name'])}: {', '.join(said)}"
