"""Options side by side on a terminal: the table that `rank` and `compare` share.

Takes the projects of the JSON, so that what is printed is what is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from rich.console import Console
from rich.text import Text

from difprog.forecast.summary import MICRODOOM, Summary, sign
from difprog.render import outcomes, shifted, trust
from difprog.render.content import yardsticks
from difprog.render.format import interval, percent, significant, with_error
from difprog.render.screen import (
    BAD,
    DIM,
    GOOD,
    HEAD,
    Column,
    basis_line,
    fitted,
    indented,
    kept,
    section,
    text,
    trusted,
)
from difprog.render.terminal import old
from difprog.render.verdict import WORTH, basis, in_use_by_all, published_in

#: Rows that a terminal shows; CSV and JSON have all.
MOST_ROWS = 50

#: Columns that a name has before other columns are left out for it.
NAME = 24

#: Heads of columns that are explained below the table.
MEAN, INTERVAL, BEST, MONEY, TIME, MODELS = (
    "mean ± error", "interval", "best", "per $1M", "per person-year", "models",
)  # fmt: skip

#: What comes first, by what a ranking is ordered by.
FIRST = {"effect": "best", "per-dollar": "most per dollar", "best": "likeliest to be the best"}


def summary_of(found: Mapping[str, Any]) -> Summary:
    """Return a SUMMARY object of the JSON as a summary."""
    return Summary(**{name: found[name] for name in Summary.__dataclass_fields__})


def span(net: Summary) -> str:
    """Return an effect's interval in microdooms; an end that is nothing beside the other is 0."""
    least = 1e-3 * max(abs(net.lower), abs(net.upper))
    low, high = (end if abs(end) >= least else 0.0 for end in (net.lower, net.upper))
    return interval(low, high, MICRODOOM, sign=True)


def signs(project: Mapping[str, Any]) -> Text:
    """Return a mark per model: + helps, − harms, · not told from zero."""
    line = Text()
    for model in project["models"]:
        mark = sign(summary_of(model["net_effect"]))
        line.append({1: "+", -1: "−", 0: "·"}[mark], style={1: GOOD, -1: BAD, 0: DIM}[mark])
    return line


def ratio(project: Mapping[str, Any], own: str, key: str) -> str:
    """Return a project's effect per unit of cost or work, cut where the error begins; ""."""
    found = project.get(own)
    if not found or found[key] is None:
        return ""
    return with_error(found[key], found["mcse"] or 0.0, sign=True)


def beside(unit: str) -> str:
    """Return the published magnitudes in a unit, to stand after what a column means."""
    ranges = published_in(yardsticks(), unit)
    return f"; published {', '.join(ranges)}" if ranges else ""


def columns_of(
    projects: Sequence[Mapping[str, Any]], prob: float, count: int, what: str, by: str = "effect"
) -> list[Column]:
    """Return the columns of a table of options, in the order given.

    Parameters
    ----------
    projects : sequence of dict
        As in the JSON.
    prob : float
        Probability of the intervals.
    count : int
        Number of draws.
    what : str
        What an option is called.
    by : str
        What they are ordered by, one of `FIRST`: that column always stays.
    """
    nets = [summary_of(project["ensemble"]["net_effect"]) for project in projects]
    names = [text(project["name"], limit=80) for project in projects]
    found = [
        Column("", [str(project["rank"]) for project in projects]),
        Column(what, names, left=True, wrap=True, least=NAME),
        Column(MEAN, [with_error(net.mean, net.mcse, MICRODOOM, sign=True) for net in nets]),
        Column(f"{prob:.0%} {INTERVAL}", [span(net) for net in nets], drop=3),
        Column(BEST, [percent(project["p_best"], count) for project in projects], drop=2 * (by != "best")),
    ]
    for head, (own, key, _), drop in zip((MONEY, TIME), WORTH, (1 * (by != "per-dollar"), 4), strict=True):
        if any(project.get(own) for project in projects):
            found.append(Column(head, [ratio(project, own, key) for project in projects], drop=drop))
    return [*found, Column(MODELS, [signs(project) for project in projects], left=True)]


def table(
    screen: Console, columns: Sequence[Column], models: Sequence[str], nothing: float, count: int
) -> None:
    """Print a table of options, and below it what the columns that had room mean.

    Parameters
    ----------
    screen : Console
        Where to print.
    columns : sequence of Column
        What `columns_of` returns.
    models : sequence of str
        The models' names, in the order of their signs.
    nothing : float
        The chance that doing nothing is best.
    count : int
        Number of draws.
    """
    screen.print(fitted(columns, screen.width))
    screen.print()
    shown = [column.head for column in kept(columns, screen.width)[0]]
    said = ["mean ± Monte Carlo error, in microdooms averted, models mixed by credence."]
    if any(INTERVAL in head for head in shown):
        said.append("interval: of the worlds.")
    if BEST in shown:
        said.append(
            f"best: the chance that it is the best of all; doing nothing is in {percent(nothing, count)}."
        )
    if MONEY in shown:
        said.append(f"per $1M: microdooms averted per million dollars{beside('million_usd')}.")
    if TIME in shown:
        said.append(f"per person-year: per year of one person's work{beside('fte_year')}.")
    said.append(f"models: + helps, − harms, · not told from zero, by {', '.join(models)}.")
    if len(shown) < len(columns):
        said.append("A wider screen shows more columns.")
    screen.print(Text(" ".join(said), style=DIM))


def counted(many: int, failed: int) -> str:
    """Return how many rows were ranked, and of how many where some were left out."""
    if failed:
        return f"{many:,} of {many + failed:,} rows"
    return f"{many:,} proposal{'s' if many != 1 else ''}"


def rank(
    start: Mapping[str, Any],
    projects: Sequence[Mapping[str, Any]],
    many: int,
    failed: int,
    screen: Console,
    *,
    today: date | None = None,
) -> None:
    """Print a ranking.

    Parameters
    ----------
    start : dict
        What stands before the projects in the JSON, and ``standing`` from `difprog.render.content`.
    projects : sequence of dict
        The first `MOST_ROWS` of them.
    many : int
        How many there are.
    failed : int
        How many rows could not be scored.
    screen : Console
        Where to print.
    today : date, optional
        Where given, years that are counted from long before it get a note.
    """
    models = [model["model"] for model in start["models"]]
    count, nothing = start["draws"], start["nothing"]["p_best"]
    screen.print(Text(f"{counted(many, failed)}, {FIRST[start['by']]} first", style=HEAD))
    basis_line(screen, in_use_by_all(start["standing"]))
    screen.print(Text(basis(start), style=DIM))
    old(start, screen, today)
    said = [*map(Text, outcomes.sentences(start)), *_headline(projects, start["by"])]
    if said:
        screen.print()
    for line in said:
        indented(screen, line)
    screen.print()
    table(screen, columns_of(projects, start["prob"], count, "proposal", start["by"]), models, nothing, count)
    if many > len(projects):
        screen.print(
            Text(f"and {many - len(projects):,} more: --csv FILE or --json has all.", style=DIM)
        )
    shifted.show(start, screen)
    trusted(screen, trust.heavy_rows(projects))
    assumed: dict[str, int] = {}
    for project in projects:
        for fact in project["assumed"]:
            assumed[fact] = assumed.get(fact, 0) + 1
    if assumed:
        section(screen, "Assumed, as the proposals do not say")
        for fact, times in sorted(assumed.items(), key=lambda item: -item[1]):
            indented(screen, text(f"{fact}: {times} of those shown"))
    if failed:
        rows = "1 row" if failed == 1 else f"{failed:,} rows"
        screen.print(Text(f"{rows} could not be read: see the messages.", style=BAD))


def _headline(projects: Sequence[Mapping[str, Any]], by: str) -> list[Text]:
    """Say first where the models disagree on the sign, then whether the first place is settled."""
    lines = []
    torn = [p for p in projects if p["ensemble"]["sign_disagreement"]]
    if torn:
        many = len(torn)
        words = f"{many} of them" if many > 1 else "one of them"
        lines.append(Text.assemble(
            ("The models disagree about the sign ", HEAD), f"of {words}."
        ))  # fmt: skip
    if len(projects) > 1 and by == "effect":
        one, two = (summary_of(p["ensemble"]["net_effect"]) for p in projects[:2])
        gap, error = one.mean - two.mean, (one.mcse**2 + two.mcse**2) ** 0.5
        if gap <= 2 * error:
            lines.append(
                Text("More draws could still swap the first two: their means are within "
                     f"{significant(2 * error / MICRODOOM)} microdooms.")
            )  # fmt: skip
    return lines
