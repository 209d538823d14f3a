"""What conditioning on evidence did, in the terminal: diagnostics, prior beside posterior, sources.

Knows only the plain numbers that a fit leaves in ``Posterior.diagnostics``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from difprog.base.errors import plain
from difprog.forecast.summary import MICRODOOM
from difprog.race.parameters import PARAMETERS
from difprog.render.format import MINUS, significant, with_error
from difprog.render.screen import BAD, DIM, HEAD, section, text

#: Columns of labels and numbers beside a bar.
BESIDE = 42


def listing(found: Sequence[Mapping[str, Any]], screen: Console) -> None:
    """Print the datasets: what each is, how much of it is used, which beliefs it conditions."""
    for place, entry in enumerate(found):
        section(screen, entry["dataset"], entry["title"], first=place == 0)
        used = f"{entry['used']} of {entry['rows']} rows used, from {_count(entry['sources'], 'source')}"
        for words in (f"{entry['file']}: {used}", entry["note"], _STATES[entry["state"]]):
            screen.print(Padding(text(words, DIM), (0, 0, 0, 2)))
        for belief in entry["beliefs"]:
            screen.print(Text(f"  {belief['belief']:<20}{plain(belief['state'])}"))


_STATES = {
    "kept": "a result is kept: used at once",
    "to be fitted": "no result is kept for these priors: fitted when first needed",
    "not used": "conditions nothing: its beliefs are stated outright",
}


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def failures(found: Mapping[str, Mapping[str, Any]], screen: Console) -> None:
    """Print what is past its threshold, before anything else."""
    for name, diagnostics in found.items():
        for words in diagnostics["failures"]:
            screen.print(text(f"DIAGNOSTICS FAILED: {name}: {words}", BAD))


def diagnostics(found: Mapping[str, Mapping[str, Any]], screen: Console) -> None:
    """Print the sampler's diagnostics, one row per dataset."""
    section(screen, "Sampling", "worst over all variables; R-hat ≤ 1.01, ESS ≥ 400, E-BFMI ≥ 0.3")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style=DIM)
    table.add_column("dataset")
    for name in ("R-hat", "ESS bulk", "ESS tail", "diverged", "E-BFMI", "draws", "seconds"):
        table.add_column(name, justify="right")
    for name, d in found.items():
        settings = d["settings"]
        table.add_row(
            name, f"{d['rhat']:.3f}", f"{d['ess_bulk']:,.0f}", f"{d['ess_tail']:,.0f}", str(d["divergences"]),
            f"{d['bfmi']:.2f}", f"{settings['chains']} × {settings['draws']:,}", f"{d['seconds']:.0f}",
        )  # fmt: skip
    screen.print(table)


def beliefs(found: Mapping[str, Mapping[str, Any]], screen: Console) -> None:
    """Print prior and posterior of every belief as bars on an axis of its own."""
    note = "a bar holds 80%, its whiskers 90%, ● the median"
    section(screen, "Prior against posterior", note)
    for d in found.values():
        for name, belief in d["beliefs"].items():
            _belief(name, belief, screen)
        for words, medians in d.get("variants", {}).items():
            each = ", ".join(f"{name} {significant(median)}" for name, median in medians.items())
            screen.print(Padding(text(f"medians, {words}: {each}", DIM), (0, 0, 0, 2)))


def stated(found: Sequence[Mapping[str, Any]], screen: Console) -> None:
    """Print the beliefs that are used as stated: of datasets left out, or stated outright."""
    if not found:
        return
    section(screen, "As stated", "the prior, exactly: median (80%)")
    for entry in found:
        line = Text(f"  {entry['belief']:<20}{_interval(entry['prior']):<26}")
        line.append(plain(entry["layer"]), style=DIM)
        screen.print(line)


def _belief(name: str, belief: Mapping[str, Any], screen: Console) -> None:
    unit = PARAMETERS[name].unit
    width = max(20, min(screen.width, 110) - BESIDE)
    prior, posterior = belief["prior"], belief["posterior"]
    positions = _positions([*prior, *posterior], width)
    head = Text(f"\n{name}", style=HEAD)
    head.append(f", {unit}" if unit else "", style=DIM)
    sensitivity = belief["sensitivity"]
    if sensitivity:
        moved = f"prior {sensitivity['prior']:.2f}, data {sensitivity['data']:.2f}"
        head.append(f"   carried by {sensitivity['carried_by']} ({moved})", style=DIM)
    screen.print(head)
    for label, levels, places in (("prior", prior, positions[:5]), ("posterior", posterior, positions[5:])):
        screen.print(Text(f"  {label:<10}{bar(places, width)}  {_interval(levels)}"))


def _interval(levels: Sequence[float]) -> str:
    _, low, middle, high, _ = levels
    return f"{significant(middle)} ({significant(low)} to {significant(high)})"


def _positions(values: Sequence[float], width: int) -> list[int]:
    """Return the columns of values on a common axis: logarithmic where all are positive and far apart."""
    if min(values) > 0 and max(values) / min(values) > 8:
        values = [math.log(v) for v in values]
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    return [round((v - low) / span * (width - 1)) for v in values]


def bar(places: Sequence[int], width: int) -> str:
    """Return an interval as characters: whiskers to the outer two places, a bar, the median."""
    outer_low, low, middle, high, outer_high = places
    line = [" "] * width
    for at in range(outer_low, outer_high + 1):
        line[at] = "─"
    for at in range(low, high + 1):
        line[at] = "▒"
    line[middle] = "●"
    return "".join(line)


def sources(diagnostics: Mapping[str, Any], screen: Console) -> None:
    """Print each source's timeline beside the pooled one, in calendar years."""
    newest, as_of = math.floor(diagnostics["newest"]), diagnostics["as_of"]
    note = f"restated for AGI, said in {newest:.0f}; stated medians with the year they were said in"
    section(screen, "Timelines by source", note)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style=DIM)
    table.add_column("source", max_width=24)
    for name in ("10%", "50%", "90%"):
        table.add_column(name, justify="right")
    table.add_column("stated medians", overflow="fold")
    pooled = diagnostics["beliefs"]["agi_arrival"]["posterior"]
    table.add_row(
        Text("pooled, as used", style=HEAD), *(_year(as_of + v) for v in pooled[1:4]), Text("", style=DIM)
    )
    for row in diagnostics["sources"]:
        medians = [
            f"{target} {'>' if bound else ''}{math.floor(year)} ({math.floor(date)})"
            for target, date, level, year, bound in row["stated"]
            if level == 0.5
        ]
        table.add_row(
            text(row["source"]), *(_year(row[p]) for p in ("p10", "p50", "p90")), text(", ".join(medians))
        )
    screen.print(table)


def _year(value: float) -> str:
    return str(math.floor(value)) if value < 2100 else f"{10 * round(value / 10):.0f}"


def influence(rows: Sequence[Mapping[str, Any]], project: str | None, screen: Console) -> None:
    """Print how far the pooled timeline, and a project's effect, move without each source."""
    section(screen, "Without each source", "years from as_of; short refits, so the digits are few")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style=DIM)
    table.add_column("left out", max_width=26)
    for name in ("10%", "50%", "90%", "median moves"):
        table.add_column(name, justify="right")
    if project is not None:
        table.add_column("net effect, microdooms", justify="right")
    base = rows[0]
    for row in rows:
        log = math.log(row["p50"] / base["p50"])
        error = 100 * math.hypot(row["p50_error"], base["p50_error"])
        moved = f"{'+' if log >= 0 else MINUS}{abs(100 * math.expm1(log)):.0f}% ± {math.ceil(error)}%"
        cells = [significant(row[p]) for p in ("p10", "p50", "p90")]
        cells.append("" if row is base else moved)
        if project is not None:
            cells.append(with_error(row["net_effect"], row["net_effect_error"], MICRODOOM, sign=True))
        table.add_row(text(row["without"] or "nothing"), *cells)
    screen.print(table)
    if project is not None:
        screen.print(text(f"Net effect of {project}, in the mixture of the models.", DIM))
