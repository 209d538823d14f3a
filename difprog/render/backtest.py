"""Backtests on a terminal and in the docs: ``python -m difprog.render.backtest`` writes the latter again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from difprog.base import files
from difprog.render.format import significant, with_error
from difprog.render.record import figure
from difprog.render.screen import MARGIN, Column, fitted, indented, section, text
from difprog.verify.past import DATASETS

#: The page that shows the table, between two marks, and the figure beside it.
PAGE, FIGURE = Path("docs", "record.md"), Path("docs", "record.svg")
BEGIN, END = "<!-- backtest -->", "<!-- end -->"

HEADS = (
    "cut at", "forecasts of", "90% held", "CRPS", "last value", "trend",
    "gain on last", "gain on trend", "divergences",
)  # fmt: skip


def cells(found: Mapping[str, Any]) -> list[list[str]]:
    """Return the rows of the table: one per dataset and cut."""
    rows = []
    for one in found["backtests"]:
        table = one["forecasts"]
        many = "" if one["topics"] == 1 else f" by {one['topics']} sources"
        rows.append([
            one["cut"], f"{one['after']} {DATASETS[one['dataset']]}{many}",
            f"{round(table['program']['covered'] * one['after'])} of {one['after']}",
            *(significant(table[key]["crps"], 2) for key in ("program", "last", "trend")),
            *(gain(table[key]["log_gain"]) for key in ("last", "trend")),
            f"{one['divergences']:,} of {one['draws']:,}" if one["divergences"] else "none",
        ])  # fmt: skip
    return rows


def gain(one: Mapping[str, Any]) -> str:
    """Return by how much log scores are better, with the error where there is one."""
    if one["se"] is None:
        return significant(one["mean"], 2, True)
    return with_error(one["mean"], one["se"], sign=True)


def terminal(found: Mapping[str, Any], screen: Console) -> None:
    """Print the backtests, and the check on simulated resolutions."""
    for one in found["backtests"]:
        for why in one["failures"]:
            screen.print(text(f"{one['dataset']} before {one['cut']}: {why}", "red"))
    section(screen, "Evidence cut at a past day", "CRPS of logarithms; gains in log score, above 0 is good")
    rows = cells(found)
    drops = {2: 1, 3: 1, 4: 3, 5: 3, 8: 2}  # divergences are said above too
    columns = [
        Column(head, [Text(row[k].replace(" by ", "\nby ")) for row in rows], left=k < 2, wrap=k == 1,
               drop=drops.get(k, 0))
        for k, head in enumerate(HEADS)
    ]
    indented(screen, fitted(columns, screen.width - MARGIN))
    for one in found["left_out"]:
        what = f"{DATASETS[one['dataset']]} before {one['cut']} are left out: {one['why']}"
        indented(screen, f"{what}; they can be cut from {one['first']} to {one['last']}")
    simulated = found["simulated"]
    if simulated is None:
        return
    section(screen, "Its own predictive", f"{simulated['n']:,} simulated resolutions")
    for row in simulated["calibration"]:
        what = "intervals" if row["of"] == "interval" else "chances"
        said = f"{what:<9} {row['nominal']:>4.0%} {row['observed']:>6.1%} ± {row['se']:.1%} n={row['n']}"
        indented(screen, Text(said))


def markdown(found: Mapping[str, Any]) -> str:
    """Return the table as the docs show it."""
    lines = [f"| {' | '.join(HEADS)} |", f"|---|---|{'---:|' * (len(HEADS) - 2)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in cells(found))])


def placed(page: str, table: str) -> str:
    """Return a page with the table between its marks."""
    found = re.compile(f"{BEGIN}.*?{END}", re.DOTALL)
    return found.sub(lambda _: f"{BEGIN}\n{table}\n{END}", page)


def drawn() -> bytes:
    """Return the figure of the simulated resolutions as SVG."""
    from difprog.record import tally
    from difprog.verify import backtest

    return figure(tally.summary(backtest.simulated()))


if __name__ == "__main__":
    from difprog.verify import backtest

    files.write_atomically(PAGE, placed(PAGE.read_text(encoding="utf-8"), markdown(backtest.run())))
    files.write_atomically(FIGURE, drawn())
