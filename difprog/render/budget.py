"""The memo on a budget in markdown, from the JSON of ``difprog allocate``: the decision first.

What to fund, why, what would change it, then the tables in which every number stands with its error. The
sentences are those of the screen (`difprog.render.funding`); text from files goes through
`difprog.render.gfm` only.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from difprog.base import writing
from difprog.choose.rules import RULES
from difprog.forecast.summary import MICRODOOM
from difprog.render import figures, funding, outcomes, shifted, spending, trust, words
from difprog.render.allocate import MOST_BELOW
from difprog.render.format import interval, microdooms, money, percent, significant, with_error
from difprog.render.gfm import bullets, code, escape, fence, image, table
from difprog.render.gfm import name as gfm_name

Content = Mapping[str, Any]

#: What the page is called.
NAME = "budget"


def memo(content: Content, command: str = "", page: str = NAME) -> str:
    """Return the memo.

    Parameters
    ----------
    content : mapping
        What `difprog.render.allocation.as_data` returns.
    command : str
        What makes it again.
    page : str
        The folder of its figures.
    """
    drawn = {spending.COST: spending.alternative_cost(spending.of_decision(content), content["prob"])}
    if len(content["frontier"]) > 1:
        drawn[spending.FRONTIER] = spending.alternative_frontier(content)
    figures = {name: image(". ".join(said), f"{page}/{name}") for name, said in drawn.items()}
    sections = [
        _decision(content),
        _why(content, figures[spending.COST]),
        _change(content, figures.get(spending.FRONTIER, "")),
        _reviews(content),
        _rows(content),
        shifted.blocks(content, shifted.image(content, page)),
        _unread(content),
        _again(content, command),
    ]
    return "\n\n".join(part for section in sections for part in section if part) + "\n"


def _decision(content: Content) -> list[str]:
    first, *rest = funding.verdict(content)
    funded = [
        f"**{escape(row['name'])}**, {escape(money(row['cost']))}: {funding.effect(row)}"
        for row in content["chosen"][:MOST_BELOW]
    ]
    if len(content["chosen"]) > len(funded):
        funded.append(f"and {len(content['chosen']) - len(funded)} more, in the table below")
    basis = " · ".join(escape(line) for line in funding.basis(content))
    return [
        f"# What to fund with {escape(money(content['budget']))}",
        " ".join(escape(line) for line in outcomes.sentences(content)),
        f"**{escape(first)}**",
        bullets(funded),
        " ".join(escape(line) for line in rest),
        basis,
    ]


def _why(content: Content, figure: str) -> list[str]:
    """Return why: what carries the set's effect, under every model, and on which beliefs it hangs."""
    if not content["chosen"]:
        return [figure]
    whole = sum(row["net_effect"]["mean"] for row in content["chosen"])
    lines = []
    if whole > 0:
        top = max(content["chosen"], key=lambda row: float(row["net_effect"]["mean"]))
        lines.append(
            f"{escape(top['name'])} brings {percent(top['net_effect']['mean'] / whole)} of the effect for "
            f"{percent(top['cost'] / content['cost'])} of the money."
        )
    turns = content["hangs_on"][:3]
    said = [
        f"on {gfm_name(turn['belief'])} ({microdooms(turn['low'], turn['low_se'])} in its lowest tenth, "
        f"{microdooms(turn['high'], turn['high_se'])} in its highest)"
        for turn in turns
    ]
    if said:
        lines.append(f"The set's effect hangs {words.listed(said)}.")
    rows = [
        [
            code(span["model"]), f"{span['credence']:.0%}",
            significant(span["effect"] / MICRODOOM, sign=True),
            f"{span['kept']} of {len(content['chosen'])}", f"{span['low']:.0%} to {span['high']:.0%}",
        ]
        for span in content["credences"]
    ]  # fmt: skip
    heads = ["model", "credence", "the set's effect", "it would keep", "the set stays at credences"]
    return ["## Why", bullets(lines), figure, table(heads, rows, [1, 2, 3]) if len(rows) > 1 else ""]


def _change(content: Content, figure: str) -> list[str]:
    lines = [*funding.against(content), *funding.knowing(content)]
    lines += [funding.near(row, content) for row in content["left_out"] if "needed" in row]
    return ["## What would change it", bullets(escape(line) for line in lines), figure]


def _reviews(content: Content) -> list[str]:
    if not content["reviews"]:
        return []
    rows = [
        [
            how, funding.REVIEW_WORDS[how], str(found["chosen"]),
            f"{found['kept']} of {len(content['chosen'])}", ", ".join(map(str, found["rows"])),
        ]
        for how, found in content["reviews"].items()
    ]  # fmt: skip
    each = [
        [str(row["row"]), escape(row["name"]), escape(who), significant(mean / MICRODOOM, sign=True)]
        for row in (*content["chosen"], *content["left_out"])
        for who, mean in row.get("reviews", {}).items()
    ]
    return [
        "## What reviewers would fund",
        table(["rule", "a reviewed row is", "funds", "of what is funded here", "rows"], rows, [2, 3]),
        "On each reviewer's word alone, in microdooms averted:",
        table(["row", "project", "reviewer", "mean"], each, [0, 3]),
    ]


def _rows(content: Content) -> list[str]:
    note = "Best per dollar first; effects in microdooms averted, with the Monte Carlo error."
    parts = ["## Every row", note]
    models = len(content["credences"])
    heads = [
        "row", "project", "cost", "mean ± error", f"{content['prob']:.0%} of worlds", "per million USD",
        "models", "rules",
    ]  # fmt: skip
    for title, rows in (("Funded", content["chosen"]), ("Below the line", content["left_out"])):
        if rows:
            cells = [_cells(row, models) for row in rows]
            parts += [f"### {title}", table(heads, cells, [0, *range(2, 8)])]
    return parts


def _cells(row: Mapping[str, Any], models: int) -> list[str]:
    net = row["net_effect"]
    return [
        str(row["row"]), escape(row["name"]), escape(money(row["cost"])),
        with_error(net["mean"], net["mcse"], MICRODOOM, sign=True),
        interval(net["lower"], net["upper"], MICRODOOM, sign=True), funding.per_million(row),
        f"{len(row['models_in'])} of {models}", f"{len(row['rules_in'])} of {len(RULES)}",
    ]  # fmt: skip


def _unread(content: Content) -> list[str]:
    if not content["unread"]:
        return []
    bad = [f"row {row['row']}: {'; '.join(escape(p) for p in row['problems'])}" for row in content["unread"]]
    return ["## Left out, as they cannot be read or state no cost", bullets(bad)]


def _again(content: Content, command: str) -> list[str]:
    models = ", ".join(code(span["model"]) for span in content["credences"])
    proved = ", as far as is proved," if content.get("short") else ""
    return [
        "## How it was made",
        f"difprog {code(content['version'])}, seed {content['seed']}, {content['draws']:,} draws, "
        f"under {models}. {escape(trust.dated(content))} The set is{proved} the best of the means "
        "by an exact programme, in which effects add up; what it comes to together is the race run once with "
        "all of it.",
        fence([command], "sh") if command else "",
    ]


def write(content: Content, folder: Path, command: str = "", html: bool = False) -> list[Path]:
    """Write the memo below a folder: markdown with figures beside it, or one HTML file.

    Returns
    -------
    list of Path
        What was written, the page first.
    """
    from difprog.render.report import stem

    drawn = spending.decision(content) | figures.moved(content)
    if html:
        from difprog.render import html as pages
        from difprog.runs import carried

        text = memo(content, f"{command} --html" if command else "")
        title = text.partition("\n")[0].removeprefix("# ")
        page = pages.document(title, text, drawn, f"{pages.DECISION}{carried.dumps(content)}</script>")
        path = folder / f"{stem(NAME, page, folder, '.html')}.html"
        writing.write_atomically(path, page)
        return [path]
    name = stem(NAME, memo(content), folder)
    return place(folder, name, memo(content, command, name), drawn)


def place(folder: Path, name: str, page: str, drawn: Mapping[str, bytes]) -> list[Path]:
    """Write a page of markdown and its figures in a folder of the same name; return the paths."""
    found: dict[str, str | bytes] = {f"{name}.md": page}
    found |= {f"{name}/{file}": data for file, data in drawn.items()}
    for file, data in found.items():
        writing.write_atomically(folder / file, data)
    return [folder / file for file in found]


__all__ = ["memo", "place", "write"]
