"""Figures of a portfolio: effect against cost, and what more or less money buys.

From the JSON of ``difprog rank`` and ``difprog allocate``, in the style of `difprog.render.figures`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from difprog.forecast.summary import MICRODOOM, sign
from difprog.render import labels, words
from difprog.render.data import MILLION
from difprog.render.figures import HARM, HELP, NEUTRAL, WIDTH, knee, svg
from difprog.render.format import microdooms, money, significant

#: Points drawn at most, those with an interval, and those named in the text alternative.
MOST, WITH_INTERVAL, NAMED = 300, 60, 10

#: Sizes of points, of those not funded, and of labels, in points on paper.
DOT, SMALL, LABEL = 5.5, 3.5, 6.5

COST, FRONTIER = "cost.svg", "frontier.svg"


class Point(NamedTuple):
    """One proposal of the figure."""

    label: str
    """What stands beside it: its row or its rank."""
    name: str
    cost: float
    """In USD, above 0."""
    net: Mapping[str, Any]
    """SUMMARY of its net effect."""
    signs: tuple[int, ...]
    """Each model's."""
    funded: bool | None = None
    """None where nothing was decided."""


def of_ranking(content: Mapping[str, Any]) -> list[Point]:
    """Return the points of a ranking's proposals that state a cost."""
    return [
        Point(
            str(p["rank"]), p["name"], p["value_for_money"]["mean_cost_usd"], p["ensemble"]["net_effect"],
            tuple(sign(words.summary(m["net_effect"])) for m in p["models"]),
        )
        for p in content["projects"]
        if p.get("value_for_money")
    ]  # fmt: skip


def of_decision(content: Mapping[str, Any]) -> list[Point]:
    """Return the points of what is funded, and of what is left out."""
    return [
        Point(str(r["row"]), r["name"], r["cost"], r["net_effect"], tuple(r["signs"]), funded)
        for rows, funded in ((content["chosen"], True), (content["left_out"], False))
        for r in rows
    ]


def ranking(content: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the figures of a ranking: file name → SVG; none where no proposal states a cost."""
    points = of_ranking(content)
    return {COST: drawn(points, content["prob"])} if points else {}


def decision(content: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the figures of a decision on a budget: file name → SVG."""
    found = {COST: drawn(of_decision(content), content["prob"], content["bar"])}
    if len(content["frontier"]) > 1:
        found[FRONTIER] = svg(_frontier, content, alternative_frontier(content))
    return found


def drawn(points: Sequence[Point], prob: float, bar: float = 0.0) -> bytes:
    """Return the figure of effect against cost as SVG.

    Parameters
    ----------
    points : sequence of Point
        The best come first; the first `MOST` are drawn.
    prob : float
        Of the intervals.
    bar : float
        Price at the margin in microdooms per million dollars; 0 for none.
    """
    content = {"points": points[:MOST], "prob": prob, "bar": bar}
    return svg(_cost, content, alternative_cost(points, prob))


def kind(point: Point) -> str:
    """Return what the models say of a proposal: helps, harms, "apart" where they differ, or unclear."""
    found = set(point.signs)
    if {1, -1} <= found:
        return "apart"
    return "helps" if 1 in found else "harms" if -1 in found else "unclear"


#: How points look, by what the models say: shape and fill too, for who sees no colours.
_MARKS: dict[str, dict[str, Any]] = {
    "helps": {"marker": "o", "markerfacecolor": HELP, "markeredgecolor": HELP},
    "harms": {"marker": "o", "markerfacecolor": "white", "markeredgecolor": HARM},
    "apart": {"marker": "D", "markerfacecolor": "white", "markeredgecolor": "black"},
    "unclear": {"marker": "x", "markerfacecolor": NEUTRAL, "markeredgecolor": NEUTRAL},
}
_SAID = {
    "helps": "● no model says that it harms", "harms": "○ no model says that it helps",
    "apart": "◇ the models disagree", "unclear": "× no model can tell",
}  # fmt: skip


def _cost(figure: Any, content: Mapping[str, Any]) -> None:
    """Draw effect against cost, both by size: logarithmic, and around no effect linear."""
    points: Sequence[Point] = content["points"]
    figure.set_size_inches(WIDTH, 4.4)
    axes = figure.subplots()
    spans = len(points) <= WITH_INTERVAL
    reach = ("lower", "mean", "upper") if spans else ("mean",)
    ends = [point.net[key] / MICRODOOM for point in points for key in reach]
    threshold = knee(np.array([point.net["mean"] / MICRODOOM for point in points]))

    def stretch(x: Any) -> Any:
        return np.sign(x) * np.log1p(np.abs(x) / threshold)

    for point in points:
        low, mean, high = (stretch(point.net[key] / MICRODOOM) for key in ("lower", "mean", "upper"))
        if spans:
            axes.plot([point.cost] * 2, [low, high], color="#9a9a9a", linewidth=1.0, zorder=2)
        strong = point.funded is not False
        axes.plot(
            point.cost, mean, markersize=DOT if strong else SMALL, linestyle="", zorder=4 if strong else 3,
            markeredgewidth=1.0, **_MARKS[kind(point)],
        )  # fmt: skip
    costs = [point.cost for point in points]
    left, right = min(costs) / 1.5, max(costs) * 1.5
    bottom, top = min(0.0, *ends), max(0.0, *ends)
    if content["bar"] > 0:
        x = np.geomspace(left, right, 60)
        y = content["bar"] * x / MILLION
        axes.plot(x, stretch(y), color="black", linewidth=1.0, linestyle=(0, (4, 2)), zorder=1)
    axes.set_xscale("log")
    axes.set_xlim(left, right)
    axes.set_ylim(stretch(bottom) - 0.3, stretch(top) + 0.3)
    axes.axhline(0, color="black", linewidth=0.9, zorder=1)
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.tick_params(length=3)
    axes.minorticks_off()
    amounts = _amounts(left, right)
    axes.set_xticks(amounts, [money(amount) for amount in amounts])
    heights = _heights(bottom, top, threshold)
    axes.set_yticks([float(stretch(y)) for y in heights], [significant(y, 1, sign=True) for y in heights])
    axes.set_xlabel("cost")
    axes.set_ylabel("net effect, microdooms averted")
    found = [kind(point) for point in points]
    said = ", ".join(text for name, text in _SAID.items() if name in found)
    notes = [f"{said}."]
    if spans:
        notes.append(f"Lines: {content['prob']:.0%} of worlds.")
    if any(point.funded is False for point in points):
        notes.append("Small: not funded.")
    if content["bar"] > 0:
        notes.append("Dashed: the bar at the margin.")
    half = 2 if len(notes) > 2 else 1
    lines = [" ".join(part) for part in (notes[:half], notes[half:]) if part]
    figure.suptitle("\n".join(lines), x=0.01, ha="left", fontsize=8.5)
    if spans:
        _labelled(figure, axes, points, stretch)


def _labelled(figure: Any, axes: Any, points: Sequence[Point], stretch: Callable[[Any], Any]) -> None:
    """Put every point's label beside it, where it lies over nothing else; those funded come first."""
    from matplotlib.patheffects import withStroke

    figure.draw_without_rendering()  # the axes have their place only then
    scale = 72.0 / figure.dpi
    order = sorted(range(len(points)), key=lambda at: points[at].funded is False)
    marks = []
    for at in order:
        point = points[at]
        heights = [float(stretch(point.net[key] / MICRODOOM)) for key in ("lower", "mean", "upper")]
        (_, low), (x, y), (_, high) = axes.transData.transform([(point.cost, y) for y in heights]) * scale
        radius = DOT / 2 if point.funded is not False else SMALL / 2
        marks.append(labels.Mark(x, y, radius + 0.7, low, high, point.label))
    edge = axes.bbox
    box = tuple(float(v) * scale for v in (edge.x0, edge.y0, edge.x1, edge.y1))
    found = labels.placed(marks, LABEL, box)
    # A label may lie over the line of the bar: it stays legible in a rim of white.
    halo = [withStroke(linewidth=2.0, foreground="white")]
    for at, place in zip(order, found, strict=True):
        if place is None:
            continue
        point = points[at]
        axes.annotate(
            point.label, (point.cost, stretch(point.net["mean"] / MICRODOOM)), xytext=(place.x, place.y),
            textcoords="offset points", fontsize=LABEL, ha="center", va="center_baseline",
            color="black" if point.funded is not False else NEUTRAL, path_effects=halo,
            arrowprops={"arrowstyle": "-", "linewidth": 0.4, "color": "#9a9a9a", "shrinkA": 0, "shrinkB": 2}
            if place.far else None,
        ).set_in_layout(False)  # fmt: skip


def _amounts(left: float, right: float) -> list[float]:
    """Return amounts of dollars for an axis: powers of ten, and their triples where they are few."""
    powers = range(math.floor(math.log10(left)), math.ceil(math.log10(right)) + 1)
    few = len(powers) <= 4
    every = [step * 10.0**power for power in powers for step in ((1, 3) if few else (1,))]
    return [amount for amount in every if left <= amount <= right]


def _heights(bottom: float, top: float, threshold: float) -> list[float]:
    """Return effects for an axis: zero, and powers of ten on either side."""
    highest = math.floor(math.log10(max(-bottom, top, threshold)))
    powers = [10.0**power for power in range(round(math.log10(threshold)), highest + 1)]
    return [y for y in sorted([*(-p for p in powers), 0.0, *powers]) if bottom <= y <= top]


def alternative_cost(points: Sequence[Point], prob: float) -> tuple[str, str]:
    """Return title and description of effect against cost."""
    said = [
        f"{point.label} {point.name}: {money(point.cost)}, "
        f"{microdooms(point.net['mean'], point.net['mcse'] or 0.0)}"
        for point in points[:NAMED]
    ]
    rest = f". And {len(points) - NAMED} more" if len(points) > NAMED else ""
    title = f"Net effect in microdooms averted against cost, with {prob:.0%} intervals"
    return title, ". ".join(said) + rest + "."


def _frontier(figure: Any, content: Mapping[str, Any]) -> None:
    """Draw the effect of the best set at each budget, one's own marked."""
    steps = content["frontier"]
    figure.set_size_inches(WIDTH, 2.9)
    axes = figure.subplots()
    x = [0.0, *(step["budget"] / MILLION for step in steps)]
    y = [0.0, *(step["effect"] / MICRODOOM for step in steps)]
    axes.plot(x, y, color=HELP, linewidth=1.2, marker="o", markersize=3.0)
    own = next((step for step in steps if step["budget"] == content["budget"]), None)
    if own is not None:
        place = own["budget"] / MILLION, own["effect"] / MICRODOOM
        axes.plot(*place, marker="D", color="black", markersize=6, linestyle="", zorder=4)
        axes.annotate(
            f"{money(own['budget'])}: {own['chosen']} funded", place, xytext=(7, -11),
            textcoords="offset points", fontsize=8.5,
        )  # fmt: skip
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.tick_params(length=3)
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("budget, million USD")
    axes.set_ylabel("microdooms averted")
    axes.set_title("The best set at each budget: the sum of its parts (diamond: yours)", loc="left")


def alternative_frontier(content: Mapping[str, Any]) -> tuple[str, str]:
    """Return title and description of the frontier."""
    steps = content["frontier"]
    picked = [steps[at] for at in sorted({0, len(steps) // 4, len(steps) // 2, len(steps) - 1})]
    said = [
        f"{money(step['budget'])} buys {significant(step['effect'] / MICRODOOM)}, {step['chosen']} funded"
        for step in picked
    ]
    return "What more or less money buys, in microdooms averted", ". ".join(said) + "."
