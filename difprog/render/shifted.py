"""What had to move so that what is stated about the outcome holds: on the terminal, in markdown, as a figure.

Made of the plain data of `difprog.render.outcomes`: a list of models, each with what was stated of it
and the beliefs that had to move most.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from difprog.render import gfm
from difprog.render.format import significant, supported
from difprog.render.gfm import code, table
from difprog.render.outcomes import shift
from difprog.render.screen import DIM, GAP, MARGIN, Column, fitted, indented, section, text
from difprog.render.trust import mark

Content = Mapping[str, Any]

#: Beliefs that are shown, and cells of a drawing.
NAMED, CELLS = 5, 28

#: Cells below which nothing is drawn.
FEWEST = 8

#: File of the figure.
FIGURE = "moved.svg"

_TITLE = "What had to move"
_ONE_LINE = "5%, 50%, 95%: ─o─ before, ━●━ after, over it"
_NO_LINE = "5%, 50%, 95%: before → after"


def most(models: Sequence[Content]) -> list[dict[str, Any]]:
    """Return the beliefs that had to move most, each under the model where it moved furthest."""
    every = [{**m, "model": model["model"]} for model in models for m in model.get("moved", ())]
    every.sort(key=lambda m: -float(m["distance"]))
    first: dict[str, dict[str, Any]] = {}
    for m in every:
        first.setdefault(m["belief"], m)
    return list(first.values())[:NAMED]


def show(content: Content, screen: Console) -> None:
    """Print the beliefs that had to move most under any model, one a line; nothing for nothing stated."""
    models = content.get("models", ())
    rows = most(models)
    if not rows:
        return
    several = len(models) > 1
    names, before = [text(marked(content, m)) for m in rows], [ends(m["before"]) for m in rows]
    after = [f"→ {ends(m['after'])}" for m in rows]
    room = screen.width - MARGIN - sum(max(map(len, column)) + GAP for column in (names, before, after))
    if room < -GAP:  # the last column has no gap after it; a mark is worth no number on two lines
        names = [text(m["belief"]) for m in rows]
    cells = min(CELLS, room)
    drawn = cells >= FEWEST
    section(
        screen, _TITLE,
        (_ONE_LINE if drawn else _NO_LINE) + ("; under the model where it moved furthest" if several else "")
        + ("; ‡ a judgement" if any("‡" in name.plain for name in names) else ""),
    )  # fmt: skip
    columns = [Column("", names, left=True)]
    if drawn:
        lines = [overlaid(m["before"], m["after"], cells) for m in rows]
        columns.append(Column("", lines, left=True))
    columns += [Column("", before), Column("", after, left=True)]
    if several:
        columns.append(Column("", [text(m["model"], DIM) for m in rows], left=True, drop=1))
    indented(screen, fitted(columns, screen.width - MARGIN, heads=False))


def every(content: Content, screen: Console) -> None:
    """Print, per model, the beliefs that had to move most, each drawn before and after."""
    tilted = [m for m in content["models"] if m.get("moved")]
    if not tilted:
        return
    section(screen, _TITLE, "5% · 50% · 95%, before ─o─ and after ━●━ what you state was met")
    for model in tilted:
        screen.print()
        nats, worth = model["relative_entropy"], model["effective_draws"]
        note = f"  {shift(nats)}: {significant(nats)} nats, {worth:,.0f} effective draws"
        indented(screen, Text.assemble(text(model["model"], "bold"), (note, DIM)))
        names, drawn, numbers = [], [], []
        for m in model["moved"]:
            names.append(text(marked(content, m)))
            drawn.append("\n".join(drawing(m["before"], m["after"])))
            numbers.append("\n".join(ends(m[which]) for which in ("before", "after")))
        columns = [Column("belief", names, left=True, wrap=True)]
        if screen.width >= CELLS + 44:
            columns.append(Column("", drawn, left=True))
        columns.append(Column("before, after", numbers, left=True))
        indented(screen, fitted(columns, screen.width - MARGIN))


def marked(content: Content, moved: Content) -> str:
    """Return a belief that moved by its name, a judgement marked."""
    return str(moved["belief"]) + mark(content, str(moved["belief"]))


def ends(values: Sequence[float]) -> str:
    """Return three percentiles, spelled."""
    return " · ".join(map(significant, values))


def places(before: Sequence[float], after: Sequence[float]) -> tuple[list[float], list[float]]:
    """Return where percentiles lie on one scale from 0 to 1: by ratio where all is positive and far apart."""
    both = (*before, *after)
    ratio = min(both) > 0 and max(both) > 5 * min(both)
    low, high = (math.log(v) if ratio else v for v in (min(both), max(both)))

    def at(value: float) -> float:
        return ((math.log(value) if ratio else value) - low) / ((high - low) or 1.0)

    return [at(v) for v in before], [at(v) for v in after]


def drawing(before: Sequence[float], after: Sequence[float], cells: int = CELLS) -> tuple[str, str]:
    """Return two lines, one per set of three percentiles, on one scale."""
    one, two = places(before, after)
    blank = " " * cells
    return _line(blank, one, "─", "o"), _line(blank, two, "━", "●")


def overlaid(before: Sequence[float], after: Sequence[float], cells: int = CELLS) -> str:
    """Return both sets of percentiles on one line, what is after over what was before."""
    one, two = places(before, after)
    line = _line(_line(" " * cells, one, "─", "o"), two, "━", "●")
    old, new = round(one[1] * (cells - 1)), round(two[1] * (cells - 1))
    return line if old == new else f"{line[:old]}o{line[old + 1 :]}"


def _line(row: str, values: Sequence[float], stroke: str, dot: str) -> str:
    """Return a line with an interval and its middle drawn over it."""
    at = [round(v * (len(row) - 1)) for v in values]
    cells = list(row)
    cells[at[0] : at[2] + 1] = stroke * (at[2] - at[0] + 1)
    cells[at[1]] = dot
    return "".join(cells)


# ── In markdown ──


def blocks(content: Content, figure: str) -> list[str]:
    """Return what is stated, what it took, and what had to move, as blocks of markdown; empty for nothing.

    Parameters
    ----------
    content : mapping
        With "models", as `difprog.render.outcomes` says of them.
    figure : str
        The figure, as markdown.
    """
    tilted = [m for m in content.get("models", ()) if m.get("outcomes")]
    if not tilted:
        return []
    met = [
        [
            code(m["model"]), code(o["statement"]), f"{100 * o['stated']:.3g}%",
            f"{supported(100 * o['before'], 100 * o['before_se'])}%",
            f"{shift(m['relative_entropy'])}, {significant(m['relative_entropy'])} nats",
            f"{m['effective_draws']:,.0f}",
        ]
        for m in tilted for o in m["outcomes"]
    ]  # fmt: skip
    moved = [
        [
            code(m["model"]), code(b["belief"]) + mark(content, b["belief"]),
            ends(b["before"]), ends(b["after"]),
            supported(b["distance"], b["distance_se"], digits=2),
        ]
        for m in tilted for b in m["moved"]
    ]  # fmt: skip
    return [
        "## The outcome as stated",
        "Draws are weighed so that they meet what is stated and otherwise change least (relative entropy).",
        table(["model", "statement", "stated", "before", "what it took", "effective draws"], met, (2, 3, 5)),
        figure,
        "The beliefs that had to move most: 5%, 50% and 95% before and after, and how far (from 0 to 1).",
        table(["model", "belief", "before", "after", "distance"], moved, (2, 3, 4)),
    ]


# ── As a figure ──


def draw(figure: Any, content: Content) -> None:
    """Draw the beliefs that had to move most, each on a scale of its own, before above after."""
    rows = most(content["models"])
    figure.set_size_inches(7.0, 0.55 + 0.36 * len(rows))
    axes = figure.subplots()
    for row, m in enumerate(rows):
        looks = (
            (-row + 0.14, {"color": "#9a9a9a", "linewidth": 1.6}, {"markerfacecolor": "white"}),
            (-row - 0.14, {"color": "black", "linewidth": 2.4}, {"markerfacecolor": "black"}),
        )
        for (low, middle, high), (y, line, dot) in zip(places(m["before"], m["after"]), looks, strict=True):
            axes.plot([low, high], [y, y], solid_capstyle="butt", zorder=2, **line)
            axes.plot(
                middle, y, marker="o", markersize=5, markeredgecolor="black", linestyle="", zorder=3, **dot
            )
        axes.text(1.03, -row + 0.14, ends(m["before"]), va="center", fontsize=7.5, color="#555555")
        axes.text(1.03, -row - 0.14, ends(m["after"]), va="center", fontsize=7.5)
    axes.set_yticks([-row for row in range(len(rows))], [m["belief"] for m in rows])
    axes.tick_params(left=False)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.set_xlim(-0.02, 1.38)
    axes.set_ylim(-len(rows) + 0.5, 0.5)
    axes.set_title("What had to move: 5%, 50%, 95% before (above, hollow) and after (below)", loc="left")


def image(content: Content, page: str) -> str:
    """Return the figure, which lies in a folder named as the page, as markdown; "" for nothing stated."""
    if not most(content.get("models", ())):
        return ""
    return gfm.image(". ".join(alternative(content)), f"{page}/{FIGURE}")


def alternative(content: Content) -> tuple[str, str]:
    """Return title and description of the figure."""
    said = [
        f"{m['belief']} under {m['model']}: {ends(m['before'])} before, {ends(m['after'])} after"
        for m in most(content["models"])
    ]
    return "Beliefs that had to move most, at 5%, 50% and 95%", ". ".join(said) + "."


__all__ = ["FIGURE", "alternative", "blocks", "draw", "every", "image", "most", "show"]
