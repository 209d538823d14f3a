"""What is stated about the outcome, and what it did to the beliefs: data, sentences and a drawing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from difprog.beliefs import published
from difprog.forecast.believed import most_moved
from difprog.forecast.forecast import ModelForecast
from difprog.forecast.setup import Setup
from difprog.render.format import significant
from difprog.render.screen import DIM, MARGIN, Column, fitted, indented, section, text

#: Relative entropy in nats → what it is called: up to 0.05 a fair coin would have to be shifted to 66%.
SHIFTS = (
    (0.05, "a small shift"), (0.3, "a clear shift"), (1.0, "a large shift"), (math.inf, "a very large shift"),
)  # fmt: skip

#: Beliefs that are named on the first screen, and cells of a drawing.
NAMED, CELLS = 2, 28


def data(answer: ModelForecast) -> dict[str, Any]:
    """Return what was stated of one model, before and after; empty for nothing."""
    tilt = answer.tilt
    if tilt is None:
        return {}
    rows = zip(tilt.statements, tilt.stated, tilt.before, tilt.before_se, tilt.after, strict=True)
    return {
        "outcomes": [
            {"statement": name, "stated": stated, "before": before, "before_se": error, "after": after}
            for name, stated, before, error, after in rows
        ],
        "relative_entropy": tilt.relative_entropy,
        "effective_draws": tilt.effective_draws,
    }


def moving(answer: ModelForecast) -> dict[str, Any]:
    """Return which beliefs of one model had to move most; empty where nothing was stated."""
    if answer.tilt is None:
        return {}
    found = most_moved(answer.draws, answer.place, answer.tilt)
    return {
        "moved": [
            {
                "belief": m.belief, "distance": m.distance, "distance_se": m.distance_se,
                "before": list(m.before), "after": list(m.after),
            }
            for m in found
        ]
    }  # fmt: skip


def believed(setup: Setup) -> dict[str, float]:
    """Return what is stated about the outcome for every proposal, by layers and over them: name → chance."""
    found = {n: o.chance for stack in setup.stacks.values() for n, o in stack.outcomes.items()}
    return found | {outcome.name: outcome.chance for outcome in setup.believe}


def in_a_line(stated: Mapping[str, float]) -> str:
    """Return what is stated, as one line for a heading; "" for nothing."""
    return "as stated: " + "; ".join(spelled(*each) for each in stated.items()) if stated else ""


def shift(nats: float) -> str:
    """Return a relative entropy in plain words."""
    return next(name for most, name in SHIFTS if nats <= most)


def spelled(statement: str, chance: float) -> str:
    """Return a statement in words: "it goes well with 80%", "AGI by the end of 2035 with 50%"."""
    what = "it goes well" if statement == "p_success" else f"AGI comes by the end of {statement[-4:]}"
    return f"{what} with {_percent(chance)}"


def _percent(chance: float) -> str:
    return f"{100 * chance:.3g}%"


def _range(values: Sequence[float]) -> str:
    low, high = (significant(100 * v, 2) for v in (min(values), max(values)))
    return f"{low}%" if low == high else f"{low} to {high}%"


def sentences(content: Mapping[str, Any]) -> list[str]:
    """Return what was stated, what the models said before, and how far they had to be moved."""
    tilted = [m for m in content["models"] if m.get("outcomes")]
    if not tilted:
        return []
    said = []
    names = dict.fromkeys(o["statement"] for m in tilted for o in m["outcomes"])
    for name in names:
        found = [o for m in tilted for o in m["outcomes"] if o["statement"] == name]
        before = _range([o["before"] for o in found])
        whose = "each model" if len(content["models"]) > 1 else "the model"
        said.append(f"As you state it, {spelled(name, found[0]['stated'])}; before, {whose} said {before}.")
    worst = max(tilted, key=lambda m: float(m["relative_entropy"]))
    nats = float(worst["relative_entropy"])
    under = f" under {worst['model']}" if len(content["models"]) > 1 else ""
    most = " at the most" if len(tilted) > 1 else ""
    first = ", ".join(f"{m['belief']} ({_arrow(m)})" for m in worst["moved"][:NAMED])
    said.append(
        f"To meet that, beliefs are moved no further than needed: {shift(nats)}{most} "
        f"({significant(nats)} nats{under}, {content['draws']:,} draws being worth "
        f"{worst['effective_draws']:,.0f})" + (f", {first} most." if first else ".")
    )
    return said


def _arrow(moved: Mapping[str, Any]) -> str:
    return f"median {significant(moved['before'][1])} → {significant(moved['after'][1])}"


def beside_surveys(content: Mapping[str, Any]) -> list[str]:
    """Return a sentence where nothing is stated and what surveys find lies elsewhere."""
    if any(m.get("outcomes") for m in content["models"]):
        return []
    chances = {
        name: entry["p_success"] for name, entry in published.outcomes().items() if "p_success" in entry
    }
    low, high = min(chances.values()), max(chances.values())
    means = [float(m["p_success_without"]["mean"]) for m in content["models"]]
    if max(means) >= low and min(means) <= high:
        return []
    where = "These models give" if len(means) > 1 else "This model gives"
    return [
        f"{where} alignment a chance of {_range(means)}; surveys put a good outcome at "
        f"{_range([low, high])}. To start from one: --believe espai-2023; from your own: "
        "--believe p_success=60%."
    ]


def moved(content: Mapping[str, Any], screen: Console) -> None:
    """Print, per model, the beliefs that had to move most, each drawn before and after."""
    tilted = [m for m in content["models"] if m.get("moved")]
    if not tilted:
        return
    section(screen, "What had to move", "5% · 50% · 95%, before ─o─ and after ━●━ what you state was met")
    for model in tilted:
        screen.print()
        nats, worth = model["relative_entropy"], model["effective_draws"]
        note = f"  {shift(nats)}: {significant(nats)} nats, {worth:,.0f} effective draws"
        indented(screen, Text.assemble(text(model["model"], "bold"), (note, DIM)))
        names, drawn, ends = [], [], []
        for m in model["moved"]:
            names.append(text(m["belief"]))
            drawn.append("\n".join(drawing(m["before"], m["after"])))
            ends.append("\n".join(" · ".join(map(significant, m[which])) for which in ("before", "after")))
        columns = [Column("belief", names, left=True, wrap=True)]
        if screen.width >= CELLS + 44:
            columns.append(Column("", drawn, left=True))
        columns.append(Column("before, after", ends, left=True))
        indented(screen, fitted(columns, screen.width - MARGIN))


def drawing(before: Sequence[float], after: Sequence[float], cells: int = CELLS) -> tuple[str, str]:
    """Return two lines, one per set of three percentiles, on one scale: by ratio where all is positive."""
    every = (*before, *after)
    ratio = min(every) > 0 and max(every) > 5 * min(every)
    low, high = (math.log(v) if ratio else v for v in (min(every), max(every)))

    def line(values: Sequence[float], stroke: str, dot: str) -> str:
        places = [
            round(((math.log(v) if ratio else v) - low) / ((high - low) or 1.0) * (cells - 1)) for v in values
        ]
        row = [" "] * cells
        row[places[0] : places[2] + 1] = stroke * (places[2] - places[0] + 1)
        row[places[1]] = dot
        return "".join(row)

    return line(before, "─", "o"), line(after, "━", "●")
