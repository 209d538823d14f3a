"""What `difprog verify` found, in the terminal. Knows only plain numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from difprog.render.format import significant
from difprog.render.screen import BAD, DIM, GOOD, HEAD, section, text
from difprog.verify.sbc import LEVEL, ecdf

#: Rows of a drawn band on either side of zero, and its columns.
HEIGHT, WIDTH = 3, 60


def verify(found: Mapping[str, Any], screen: Console) -> None:
    """Print every check, failures first."""
    bad = [c["check"] for c in found["closed"] if not c["passed"]]
    bad += [f"calibration of {c['likelihood']}" for c in found["sbc"] if not c["passed"]]
    for name in bad:
        screen.print(text(f"FAILED: {name}", BAD))
    _closed(found["closed"], screen)
    for entry in found["sbc"]:
        _calibration(entry, screen)
    screen.print()
    passed = f"All checks passed in {found['seconds']:.0f} s." if not bad else f"{len(bad)} checks failed."
    screen.print(text(passed, BAD if bad else GOOD))


def _closed(found: Sequence[Mapping[str, Any]], screen: Console) -> None:
    section(screen, "Closed forms, quadrature, nesting", "error, and what is allowed")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for _ in range(3):
        table.add_column(overflow="fold")
    for c in found:
        verdict = Text("ok", style=GOOD) if c["passed"] else Text("FAILED", style=BAD)
        table.add_row(verdict, text(c["check"]), f"{_size(c['error'])} of {_size(c['allowed'])}")
    screen.print(table)


def _size(value: float) -> str:
    """Return an error in two digits: "3.3e−16", "0.0077"; what is exact is 0."""
    return significant(value, 2) if value else "0"


def _calibration(entry: Mapping[str, Any], screen: Console) -> None:
    many = entry["simulations"]
    section(
        screen, f"Calibration of {entry['likelihood']}",
        f"{many} simulations, {entry['diverged']:.0%} with divergences; {len(entry['quantities'])} numbers",
    )  # fmt: skip
    for name, q in sorted(entry["quantities"].items(), key=lambda item: item[1]["p"]):
        line = Text(f"  {name:<26} p = {_p(q['p'])}   mean rank {q['mean_rank']:.2f}")
        line.stylize(DIM, len(f"  {name:<26}"))
        screen.print(line)
    worst = min(entry["quantities"], key=lambda n: entry["quantities"][n]["p"])
    verdict = "uniform" if entry["passed"] else "NOT uniform"
    count = len(entry["quantities"])
    screen.print(Text(f"  {verdict}: least p × {count} = {_p(entry['least'])}, must be above {LEVEL}"))
    screen.print(Text(f"  {worst}: ranks' distribution minus uniform, in the 95% band", style=HEAD))
    ranks = np.asarray(entry["quantities"][worst]["ranks"])
    for row in band(ranks, entry["draws"], entry["band"]):
        screen.print(Text(f"  {row}"))


def _p(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def band(ranks: Any, draws: int, limit: float) -> list[str]:
    """Return rows that draw the empirical distribution of ranks minus the diagonal, in its band.

    The dotted rows are the ends of the band that holds the whole curve; the curve is ``●``.
    """
    curve = ecdf(ranks, draws) - np.arange(1, draws + 1) / (draws + 1)
    columns = curve[np.linspace(0, draws - 1, WIDTH).astype(int)]
    reach = max(limit, float(np.abs(curve).max())) * 1.01
    place = np.round(columns / reach * HEIGHT).astype(int)
    edge = round(limit / reach * HEIGHT)
    rows = []
    for level in range(HEIGHT, -HEIGHT - 1, -1):
        fill = "·" if abs(level) == edge else "─" if level == 0 else " "
        line = "".join("●" if p == level else fill for p in place)
        label = f"{level / HEIGHT * reach:+.2f}".replace("-", "−")
        rows.append(f"{label}  {line}")
    return rows
