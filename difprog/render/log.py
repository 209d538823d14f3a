"""The log's forecasts on a terminal, and as plain data: what was kept, what is due, how it turned out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from rich.console import Console
from rich.text import Text

from difprog.base.errors import plain
from difprog.record.log import Entry, Log
from difprog.render.format import money, significant
from difprog.render.screen import BAD, DIM, HEAD, MARGIN, Column, fitted, indented, section, text
from difprog.render.terminal import years

#: Characters of an id that are shown: enough to tell a thousand apart.
SHORT = 8

#: Levels between which a forecast is shown.
ENDS = (0.05, 0.5, 0.95)


def rows(log: Log, every: bool, today: date) -> list[dict[str, Any]]:
    """Return the open forecasts, due first; then, if asked for, those that are resolved."""
    entries = log.open
    if every:
        answered = (e for e in log.entries.values() if e.id in log.resolutions)
        entries += sorted(answered, key=lambda e: e.resolves)
    return [_row(log, e, today) for e in entries]


def _row(log: Log, entry: Entry, today: date) -> dict[str, Any]:
    said, found = entry.forecast, log.resolutions.get(entry.id)
    numbers = (
        {"chance": said} if isinstance(said, float)
        else dict(zip(("p5", "p50", "p95"), map(said.quantile, ENDS), strict=True))
    )  # fmt: skip
    return {
        "id": entry.id, "quantity": entry.quantity, "question": entry.question, "kind": entry.kind,
        "project": entry.project, "unit": entry.unit, "made": entry.made.isoformat(),
        "resolves": entry.resolves.isoformat(), "due": found is None and entry.resolves <= today, **numbers,
        "outcome": None if found is None else found.outcome, "source": "" if found is None else found.source,
    }  # fmt: skip


def said(row: Mapping[str, Any]) -> str:
    """Return a forecast in a few characters: "40%", "1.2 (0.3 to 5)"."""
    if "chance" in row:
        return f"{significant(100 * row['chance'], 2)}%"
    low, middle, high = (number(row[key], row) for key in ("p5", "p50", "p95"))
    return f"{middle} ({low} to {high})" if low != high else middle


def number(value: float, row: Mapping[str, Any]) -> str:
    """Return a quantity as people say it, to two digits: "3.5 min", "$20M"; a calendar year whole."""
    if row["quantity"] == "published_median":
        return f"{value:.0f}"
    unit = row.get("unit")
    if unit in ("USD", "USD/year") and value >= 1:
        return money(float(f"{value:.2g}"))
    return years(value) if unit == "years" and value >= 0 else significant(value, 2)


def turned_out(outcome: float | bool | str | None, row: Mapping[str, Any]) -> str:
    """Return an answer in words."""
    if outcome is None:
        return ""
    if isinstance(outcome, str):
        return outcome
    return ("yes" if outcome else "no") if isinstance(outcome, bool) else number(outcome, row)


def listing(found: Sequence[Mapping[str, Any]], damaged: Sequence[str], screen: Console) -> None:
    """Print forecasts, one a row; what is due is marked."""
    broken(damaged, screen)
    if not found:
        screen.print(text("No forecast is open. difprog log add PROJECT keeps one."))
        return
    about = dict.fromkeys(row["project"] for row in found)
    rows: list[Mapping[str, Any] | str] = []
    for project in about:
        rows += [project or "The world"] * (len(about) > 1 or project != "")
        rows += [row for row in found if row["project"] == project]

    def cells(of: Callable[[Mapping[str, Any]], str]) -> list[Text]:
        return [text("" if isinstance(row, str) else of(row)) for row in rows]

    columns = [
        Column("id", cells(lambda row: row["id"][:SHORT]), left=True),
        Column("resolves by", [
            Text() if isinstance(row, str) else Text(row["resolves"], style=BAD if row["due"] else "")
            for row in rows
        ], left=True),
        Column("question", [
            text(row, HEAD) if isinstance(row, str) else text(_question(row)) for row in rows
        ], left=True, wrap=True),
        Column("forecast", cells(said), left=True, wrap=True),
        Column("made", cells(lambda row: row["made"]), left=True, drop=3),
    ]  # fmt: skip
    if any(row["outcome"] is not None for row in found):
        columns.append(Column("answer", cells(lambda row: turned_out(row["outcome"], row)), left=True))
    screen.print(fitted(columns, screen.width))
    screen.print()
    due = sum(row["due"] for row in found)
    if due:
        screen.print(text(f'{due} due: difprog log resolve ID VALUE --source "…"', HEAD))
    ends = f"{ENDS[-1] - ENDS[0]:.0%}"
    indented(screen, Text(f"Forecast: the chance of yes, or the median and the {ends} interval.", style=DIM))


def _question(row: Mapping[str, Any]) -> str:
    asked = str(row["question"])
    # Whoever answers has to know in what: never left out for want of room.
    unit = str(row["unit"]).replace("FTE year", "FTE-years")
    return f"{asked} ({unit})" if unit and unit not in asked.split() else asked


def added(log: Log, new: Sequence[str], asked: int, screen: Console) -> None:
    """Print the forecasts that were kept just now."""
    entries = [log.entries[i] for i in new if i in log.entries]
    note = "" if len(entries) == asked else "the others were there"
    section(screen, f"{len(entries)} forecast{'s' * (len(entries) != 1)} kept", note)
    if entries:
        rows = [_row(log, e, e.made) for e in sorted(entries, key=lambda e: (e.resolves, e.id))]
        listing([{**row, "project": ""} for row in rows], (), screen)


def resolved(entry: Entry, outcome: float | bool | str, screen: Console) -> None:
    """Print how a forecast turned out."""
    row = {"quantity": entry.quantity, "unit": entry.unit}
    bare = isinstance(outcome, float) and number(outcome, row) == significant(outcome, 2)
    unit = f" {entry.unit}" if entry.unit and bare else ""
    screen.print(text(f"{entry.id[:SHORT]} {entry.question}: {turned_out(outcome, row)}{unit}"))


def broken(damaged: Sequence[str], screen: Console) -> None:
    """Print what is wrong with lines that were passed by."""
    for words in damaged:
        screen.print(text(plain(words), BAD))
    if damaged:
        indented(screen, Text("Every other line counts as it is.", style=DIM))
        screen.print(" " * MARGIN)
