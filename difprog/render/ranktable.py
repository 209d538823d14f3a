"""Options side by side on a terminal: the table that `rank` and `compare` share.

Takes the projects of the JSON, so that what is printed is what is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from difprog.forecast.summary import MICRODOOM, Summary, sign
from difprog.render.format import interval, microdooms, percent, with_error
from difprog.render.outcomes import in_a_line
from difprog.render.screen import BAD, DIM, GOOD, HEAD, section, text

#: Rows that a terminal shows; CSV and JSON have all.
MOST_ROWS = 50


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


def money(project: Mapping[str, Any]) -> str:
    """Return microdooms per million dollars, cut where the error begins."""
    found = project["value_for_money"]
    if found is None:
        return ""
    return with_error(found["microdooms_per_million_usd"], found["mcse"] or 0.0, sign=True)


def grid(
    screen: Console,
    heads: Sequence[str],
    rows: Sequence[Sequence[str | Text]],
    names: Sequence[int],
    left: Sequence[int] = (),
) -> Table:
    """Return a table in which the columns of names, and no others, give way to a narrow screen.

    Parameters
    ----------
    screen : Console
        Where it will be printed.
    heads : sequence of str
        The columns' heads.
    rows : sequence of sequences of str or Text
        The cells; one line each.
    names : sequence of int
        Columns that are cut, with an ellipsis, to what the others leave.
    left : sequence of int
        Further columns that are set flush left; all others are numbers, set flush right.
    """
    cells = [[cell if isinstance(cell, Text) else Text(cell) for cell in row] for row in rows]
    widths = [
        max([cell_len(head), *(row[at].cell_len for row in cells)]) for at, head in enumerate(heads)
    ]
    # One blank between columns, one kept free at the end.
    room = screen.width - sum(w for at, w in enumerate(widths) if at not in names) - len(heads)
    # Even shares, of which short names leave a part to long ones.
    for place, at in enumerate(sorted(names, key=lambda at: widths[at])):
        widths[at] = min(widths[at], max(8, room // (len(names) - place)))
        room -= widths[at]
    table = Table(box=None, padding=(0, 1, 0, 0), show_edge=False, header_style=DIM)
    for at, head in enumerate(heads):
        side: Literal["left", "right"] = "left" if at in names or at in left else "right"
        table.add_column(head, justify=side, no_wrap=True, overflow="ellipsis", width=widths[at])
    for row in cells:
        table.add_row(*row)
    return table


def table_of(
    screen: Console, projects: Sequence[Mapping[str, Any]], prob: float, count: int, what: str
) -> Table:
    """Return the table of options, in the order given.

    Parameters
    ----------
    screen : Console
        Where it will be printed.
    projects : sequence of dict
        As in the JSON.
    prob : float
        Probability of the intervals.
    count : int
        Number of draws.
    what : str
        What an option is called.
    """
    priced = any(project["value_for_money"] for project in projects)
    heads = ["", what, "mean ± error", f"{prob:.0%} interval", "best"]
    heads += ["per $1M", "models"] if priced else ["models"]
    rows: list[list[str | Text]] = []
    for project in projects:
        net = summary_of(project["ensemble"]["net_effect"])
        rows.append([
            str(project["rank"]),
            text(project["name"], limit=80),
            with_error(net.mean, net.mcse, MICRODOOM, sign=True),
            span(net),
            percent(project["p_best"], count),
            *([money(project)] if priced else []),
            signs(project),
        ])  # fmt: skip
    return grid(screen, heads, rows, names=[1], left=[len(heads) - 1])


def legend(models: Sequence[str], nothing: float, count: int, priced: bool) -> Text:
    """Return what the columns mean."""
    names = ", ".join(models)
    words = (
        "mean ± Monte Carlo error, interval: microdooms averted, models mixed by credence. best: "
        f"the chance that it is the best of all; that nothing is better than doing nothing: "
        f"{percent(nothing, count)}. "
    )
    if priced:
        words += "per $1M: microdooms averted per million dollars ± error. "
    words += f"models: + helps, − harms, · not told from zero, by {names}."
    return Text(words, style=DIM)


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
) -> None:
    """Print a ranking.

    Parameters
    ----------
    start : dict
        What stands before the projects in the JSON.
    projects : sequence of dict
        The first `MOST_ROWS` of them.
    many : int
        How many there are.
    failed : int
        How many rows could not be scored.
    screen : Console
        Where to print.
    """
    models = [model["model"] for model in start["models"]]
    count, nothing = start["draws"], start["nothing"]["p_best"]
    screen.print(Text(f"{counted(many, failed)}, {FIRST[start['by']]} first", style=HEAD))
    screen.print(
        Text(
            f"{len(models)} model{'s' if len(models) > 1 else ''} · {count:,} draws · "
            f"seed {start['seed']} · years from {start['as_of']}",
            style=DIM,
        )
    )
    if start["believe"]:
        screen.print(Text(in_a_line(start["believe"]), style=DIM))
    for line in _headline(projects, start["by"]):
        screen.print(Padding(line, (0, 0, 0, 2), expand=False))
    screen.print()
    screen.print(table_of(screen, projects, start["prob"], count, "proposal"))
    if many > len(projects):
        screen.print(
            Text(f"and {many - len(projects):,} more: --csv FILE or --json has all.", style=DIM)
        )
    screen.print()
    priced = any(project["value_for_money"] for project in projects)
    screen.print(legend(models, nothing, count, priced))
    assumed: dict[str, int] = {}
    for project in projects:
        for fact in project["assumed"]:
            assumed[fact] = assumed.get(fact, 0) + 1
    if assumed:
        section(screen, "Assumed, as the proposals do not say")
        for fact, times in sorted(assumed.items(), key=lambda item: -item[1]):
            screen.print(Padding(text(f"{fact}: {times} of those shown"), (0, 0, 0, 2), expand=False))
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
                     f"{microdooms(2 * error, sign=False)} microdooms.")
            )  # fmt: skip
    return lines
