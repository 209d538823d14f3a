"""What to fund on the terminal, the decision first; the memo is `difprog.render.budget`."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from rich.console import Console
from rich.text import Text

from difprog.choose.rules import RULES
from difprog.forecast.summary import MICRODOOM
from difprog.render import outcomes, shifted
from difprog.render.format import microdooms, money, significant
from difprog.render.funding import (
    against,
    basis,
    by_regret,
    effect,
    knowing,
    needs,
    per_million,
    verdict,
)  # fmt: skip
from difprog.render.screen import (
    DIM,
    HEAD,
    MARGIN,
    Column,
    basis_line,
    fitted,
    indented,
    section,
    sentences,
    text,
    trusted,
)
from difprog.render.terminal import old
from difprog.render.trust import carried_by_few
from difprog.render.verdict import in_use_by_all

#: Rows of a table on the screen: of those funded, and of those below the line.
MOST_ROWS, MOST_BELOW = 30, 10

#: Columns of the frontier's bars, and how many of them.
BAR, STEPS = 40, 12

#: Columns that all of a table but the names takes, and what it would need takes beside that; names are set in
#: what is left, wrapped.
NUMBERS, NEEDS, LEAST_NAME, WIDEST_NAME = 46, 12, 20, 60


def show(content: Mapping[str, Any], screen: Console, today: date | None = None) -> None:
    """Print a decision: what to fund, the line, what would change it.

    Parameters
    ----------
    content : mapping
        What `difprog.render.allocation.as_data` and ``rests_on`` return, together.
    screen : Console
        Where to print.
    today : date, optional
        Where given, years that are counted from long before it get a note.
    """
    screen.print(text(f"What to fund with {money(content['budget'])}", HEAD))
    rule, drawn = basis(content)
    screen.print(text(rule, DIM))
    basis_line(screen, in_use_by_all(content["standing"]))
    screen.print(text(drawn, DIM))
    old(content, screen, today)
    screen.print()
    sentences(screen, [((line, ""),) for line in (*outcomes.sentences(content), *verdict(content))])
    _table(content, content["chosen"], "Fund", MOST_ROWS, screen)
    _table(content, content["left_out"], "Below the line", MOST_BELOW, screen)
    _frontier(content, screen)
    _robust(content, screen)
    shifted.show(content, screen)
    trusted(screen, carried_by_few(content["heavy"]))


def _table(
    content: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], title: str, most: int, screen: Console
) -> None:
    if not rows:
        return
    told = any("needed" in row for row in rows[:most])
    note = "best per dollar first; effects in microdooms averted"
    section(screen, title, f"{note}; what is needed, by expectation" if told and by_regret(content) else note)
    shown = rows[:most]
    models, rules = len(content["credences"]), len(RULES)
    room = screen.width - MARGIN - NUMBERS - (NEEDS if told else 0)
    room = min(max(room, LEAST_NAME), WIDEST_NAME)
    columns = [
        Column("row", [str(row["row"]) for row in shown], drop=4),
        Column("name", [_wrapped(row["name"], room) for row in shown], left=True, wrap=True),
        Column("cost", [money(row["cost"]) for row in shown]),
        Column("effect", [effect(row) for row in shown]),
        Column("per $1M", [per_million(row) for row in shown]),
    ]
    if told:
        wants = [needs(row) for row in shown]
        columns.append(Column("in at a cost", [cost for cost, _ in wants], drop=1))
        columns.append(Column("or effect", [gain for _, gain in wants], drop=2))
    columns += [
        Column("models", [f"{len(row['models_in'])} of {models}" for row in shown], drop=3),
        Column("rules", [f"{len(row['rules_in'])} of {rules}" for row in shown], drop=4),
    ]
    indented(screen, fitted(columns, screen.width - MARGIN))
    if len(rows) > len(shown):
        indented(screen, Text(f"and {len(rows) - len(shown)} more: --json", style=DIM))


def _wrapped(name: object, width: int) -> Text:
    """Return a name in lines of at most some columns."""
    return Text("\n").join(Text(line) for line in textwrap.wrap(text(name, limit=80).plain, width) or [""])


def _frontier(content: Mapping[str, Any], screen: Console) -> None:
    steps = content["frontier"]
    if len(steps) < 2:
        return
    section(screen, "What more or less money buys", "the best set at each budget: the sum of its parts")
    top = max(step["effect"] for step in steps) or 1.0
    both = content["together"]
    share = abs(both["mcse"] / both["mean"]) if both and both["mean"] else 0.0
    shown = steps_shown(steps, content["budget"])
    width = max(10, min(BAR, screen.width - 40))
    bars = ["█" * max(round(width * step["effect"] / top), 0) for step in shown]
    marks = ["◂ yours" if step["budget"] == content["budget"] else "" for step in shown]
    columns = [
        Column("budget", [money(step["budget"]) for step in shown]),
        Column("rows", [str(step["chosen"]) for step in shown]),
        Column("effect", [_bought(step["effect"], share) for step in shown]),
        Column("", [f"{bar} {mark}".rstrip() for bar, mark in zip(bars, marks, strict=True)], left=True),
    ]
    indented(screen, fitted(columns, screen.width - MARGIN))


def _bought(effect: float, share: float) -> str:
    """Return what a budget buys, its error the same ``share`` of it as that of what is funded."""
    return microdooms(effect, share * effect) if share else significant(effect / MICRODOOM, sign=True)


def steps_shown(steps: Sequence[Mapping[str, Any]], budget: float) -> list[Mapping[str, Any]]:
    """Return at most `STEPS` points of the frontier, the ends and one's own budget among them."""
    last = min(len(steps), STEPS - 1) - 1
    places = {round(at * (len(steps) - 1) / max(last, 1)) for at in range(last + 1)}
    own = {at for at, step in enumerate(steps) if step["budget"] == budget}
    return [steps[at] for at in sorted(places | own)]


def _robust(content: Mapping[str, Any], screen: Console) -> None:
    section(screen, "What would change it")
    spans = content["credences"]
    if len(spans) > 1 and content["chosen"]:
        note = "The set stays the best while the credence in a model is from … to …"
        indented(screen, Text(note, style=DIM))
        columns = [
            Column("model", [text(span["model"]) for span in spans], left=True),
            Column("now", [f"{span['credence']:.0%}" for span in spans]),
            Column("from", [f"{span['low']:.0%}" for span in spans]),
            Column("to", [f"{span['high']:.0%}" for span in spans]),
            Column("the set's effect", [significant(s["effect"] / MICRODOOM, sign=True) for s in spans]),
            Column("it would keep", [f"{s['kept']} of {len(content['chosen'])}" for s in spans], drop=1),
        ]
        indented(screen, fitted(columns, screen.width - MARGIN))
    sentences(screen, [((line, ""),) for line in [*against(content), *knowing(content)]])
    if content["unread"]:
        section(screen, "Left out, as they cannot be read or state no cost")
        for row in content["unread"]:
            indented(screen, text(f"row {row['row']}: {row['problems'][0]}"))
