"""The report of ``difprog score`` on a terminal, from its plain data: the answer on the first screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console, Group
from rich.text import Text

from difprog.base.errors import plain
from difprog.beliefs.beliefs import Belief
from difprog.beliefs.distributions import Point
from difprog.forecast.summary import MICRODOOM, sign
from difprog.race.parameters import PARAMETERS
from difprog.race.parameters import Group as ParameterGroup
from difprog.render import outcomes, shifted, trust, verdict, words
from difprog.render.axis import Axis, common_axis, dots, rule, strip
from difprog.render.format import microdooms, probability, significant, supported
from difprog.render.screen import (
    BAD,
    DIM,
    GOOD,
    HEAD,
    MARGIN,
    Column,
    fitted,
    indented,
    section,
    sentences,
    text,
)

Array = npt.NDArray[np.float64]

#: What stands in place of a source that is not given.
NO_SOURCE = "no source is given"

#: Values that a figure is drawn from.
DRAWN = 4000

#: Rows of dots on the first screen, and with all of the report.
DOT_ROWS, MORE_DOT_ROWS = 4, 10

#: Lines of notes on the first screen, and columns of a figure at most.
NOTE_LINES, WIDEST = 4, 150

#: Ticks beyond which an axis shows how it is stretched: zero and one power of ten on either side.
FEW_TICKS = 3

#: Columns below which the speedups stand one below the other.
NARROWEST_SPEEDUPS = 80

#: Columns from which the strips of the models stand in their table.
ROOM_FOR_STRIPS = 112


def score(
    content: Mapping[str, Any],
    screen: Console,
    *,
    full: bool = False,
    beliefs: bool = False,
    today: date | None = None,
    options: str = "",
) -> None:
    """Print the report of one forecast.

    Parameters
    ----------
    content : mapping
        What `difprog.render.content.content` returns.
    screen : Console
        Where to print.
    full : bool
        Whether to print all there is, in place of the first screen.
    beliefs : bool
        Whether to print where every belief came from, in place of the answer.
    today : date, optional
        The day it is, for the note on beliefs that count years from long ago.
    options : str
        What the command was given beside the proposal, for the commands that show more.
    """
    title(content, screen, summary=full)
    if beliefs and not full:
        provenance(content, screen)
        return
    screen.print()
    stated, surveys = outcomes.sentences(content), outcomes.beside_surveys(content)
    plainly = [((line, ""),) for line in (*stated, *surveys)]
    sentences(screen, [*plainly[: len(stated)], *verdict.verdict(content), *plainly[len(stated) :]])
    _net_effects(content, screen)
    _distribution(content, screen, full)
    if full:
        _success(content, screen)
        _project_effects(content, screen)
        shifted.every(content, screen)
    else:
        shifted.show(content, screen)
    _notes(content, screen, full, today)
    if full:
        provenance(content, screen)
    else:
        _next(content, screen, options)


def title(content: Mapping[str, Any], screen: Console, summary: bool = False) -> None:
    """Print what is scored, what it is, whose beliefs are in use, under what it was drawn."""
    project = content["project"]
    screen.print(text(project["name"], HEAD))
    screen.print(text(" · ".join(project["facts"].values()), DIM))
    line = Text(style=DIM)
    for piece, mark in verdict.in_use(content):
        line.append(piece, style="not dim bold" if mark else "")
    screen.print(line)
    screen.print(text(verdict.basis(content), DIM))
    if summary and project["summary"]:
        screen.print()
        indented(screen, text(project["summary"]))


def _net_effects(content: Mapping[str, Any], screen: Console) -> None:
    section(screen, "Net effect", words.MICRODOOMS_NOTE)
    models = content["models"]
    entries = [(str(m["model"]), f"{m['weight']:.0%}", m["net_effect"]) for m in models]
    if len(entries) > 1:
        entries.append((words.MIXTURE, "", content["ensemble"]["net_effect"]))
    cells = [words.net_cells(net, content["draws"]) for _, _, net in entries]
    colours = [words.VERDICTS[sign(words.summary(net))][1] for _, _, net in entries]
    means = [Text(c[0], style=colour) for c, colour in zip(cells, colours, strict=True)]
    columns = [
        Column("model", [text(name) for name, _, _ in entries], left=True, wrap=True),
        Column("credence", [share for _, share, _ in entries], drop=2),
        Column("mean ± error", means),
        Column("median", [words.median(net) for _, _, net in entries], drop=3),
        Column(f"{content['prob']:.0%} of worlds", [c[1] for c in cells], drop=1),
        Column("helps", [c[2] for c in cells]),
        Column("harms", [c[3] for c in cells]),
    ]
    if screen.width >= ROOM_FOR_STRIPS and (samples := _samples(content)):
        axis = common_axis(samples, min(screen.width - 90, 100))
        strips = [Text(strip(_even(s), axis)) for s in samples]
        if len(entries) > 1:
            strips.append(Text(strip(_mixture(samples, content), axis)))
        # The strips' axis is one more row, of which the other columns have nothing.
        columns = [column._replace(cells=[*column.cells, ""]) for column in columns]
        strips.append(Text(axis.labels(), style=DIM))
        columns.append(Column("◂ harms, helps ▸; fuller: more worlds", strips, left=True))
    indented(screen, fitted(columns, screen.width - MARGIN, total=len(models) if len(entries) > 1 else None))


def _samples(content: Mapping[str, Any]) -> list[Array]:
    """Return every model's net effect at even levels, in microdooms; none where nothing varies."""
    found = [np.asarray(m["quantiles"], dtype=float) / MICRODOOM for m in content["models"]]
    return [] if all((s == found[0][0]).all() for s in found) else found


def _mixture(samples: Sequence[Array], content: Mapping[str, Any]) -> Array:
    """Return a sample of the mixture: of each model's, as many as its weight."""
    parts = [
        _even(s, many)
        for s, m in zip(samples, content["models"], strict=True)
        if (many := round(DRAWN * m["weight"])) > 0
    ]
    return np.concatenate(parts)


def _even(sample: Array, many: int = DRAWN) -> Array:
    """Return a sample of another size, at even levels of the same distribution."""
    return np.quantile(sample, (np.arange(many) + 0.5) / many)


def _distribution(content: Mapping[str, Any], screen: Console, full: bool) -> None:
    """Print the quantile dot plot of the mixture; in the full report, a density strip per model above it."""
    samples = _samples(content)
    if not samples:
        return
    names = [str(m["model"]) for m in content["models"]]
    left = min(max(map(len, names)), 24) + 2 if full else 2
    axis = common_axis(samples, max(20, min(screen.width, WIDEST) - left - 2 * MARGIN))
    mixed = _mixture(samples, content)
    pile = dots(mixed, axis, most=MORE_DOT_ROWS if full else DOT_ROWS)
    cut = any(any(c.isdigit() for c in row) for row in pile)
    note = "50 dots, each 1 world in 50" + ("; a number: dots in its column" if cut else "")
    if full:
        note = f"strips, fuller: more worlds; then {note}"
    section(screen, "Where the worlds lie", note)
    lines = []
    if full:
        lines += [_beside(name, strip(_even(s), axis), left) for name, s in zip(names, samples, strict=True)]
    lines += [_beside("", row, left) for row in pile]
    lines += [_beside("", rule(axis), left), _beside("", axis.labels(), left, DIM), _ends(axis, left)]
    indented(screen, Group(*lines))


def _ends(axis: Axis, left: int) -> Text:
    """Return the line that says what the axis is."""
    stretched = len(axis.ticks()) > FEW_TICKS
    harm, unit, help_ = "◂ harms", f"microdooms averted{', by powers of ten' if stretched else ''}", "helps ▸"
    if axis.zero is not None and axis.zero < len(harm):
        harm = ""
    room = axis.width - len(harm) - len(help_) - len(unit)
    line = Text(" " * left)
    line.append(harm, BAD).append(" " * max(room // 2, 1))
    line.append(unit, DIM).append(" " * max(room - room // 2, 1)).append(help_, GOOD)
    return line


def _beside(name: str, drawn: str, left: int, style: str = "") -> Text:
    return Text.assemble((name[: left - 2].ljust(left), style), (drawn, style))


def _success(content: Mapping[str, Any], screen: Console) -> None:
    section(screen, "Chance that alignment succeeds before AGI", "and when AGI arrives, median")
    models = content["models"]
    nets = [m["net_effect"] for m in models]
    given = [m["arrival_given_success"] for m in models]
    columns = [
        Column("model", [text(m["model"]) for m in models], left=True, wrap=True),
        Column("without", [probability(words.summary(m["p_success_without"])) for m in models]),
        Column("with", [probability(words.summary(m["p_success_with"])) for m in models], drop=2),
        Column("microdooms", [microdooms(net["mean"], net["mcse"] or 0.0) for net in nets]),
        Column("AGI in", [years(m["arrival"]["median"]) for m in models], drop=1),
        Column("if it succeeds", ["never" if g is None else years(g) for g in given], drop=1),
    ]
    indented(screen, fitted(columns, screen.width - MARGIN))


def years(value: float, error: float = 0.0, digits: int = 2) -> str:
    """Return a time in the unit that people would say it in."""
    size = abs(value)
    for unit, length in (("y", 1.0), ("d", 1 / 365.25), ("h", 1 / 8766), ("min", 1 / 525960)):
        if size >= length:
            return f"{supported(value / length, error / length, digits=digits)} {unit}"
    return "0" if value == 0 else f"{supported(value * 525960 * 60, error * 525960 * 60, digits=digits)} s"


def _project_effects(content: Mapping[str, Any], screen: Console) -> None:
    prob = content["prob"]
    section(
        screen, "Speedups that the project brings",
        f"mean, and {prob:.0%} interval; p-y: quality-adjusted person-years; y, d, h, min, s: of time",
    )  # fmt: skip
    models = content["models"]
    # Side by side where there is room; else a model takes two lines.
    between = "   " if screen.width >= ROOM_FOR_STRIPS + 40 else "\n"
    columns = [Column("model", [text(m["model"]) for m in models], left=True, wrap=True)]
    for head, name in (
        ("parallel", "parallel_speedup"), ("serial", "serial_speedup"),
        ("capability", "capability_speedup"), ("AGI sooner", "timeline_shortening"),
    ):  # fmt: skip
        cells = []
        for m in models:
            values = m[name]
            if name == "parallel_speedup":
                mean = f"{supported(values['mean'], values['mcse'] or 0.0, digits=2)} p-y"
                ends = [significant(values[end]) for end in ("lower", "upper")]
            else:
                mean = years(values["mean"], values["mcse"] or 0.0)
                ends = [years(values[end]) for end in ("lower", "upper")]
            cells.append(mean if values["lower"] == values["upper"] else f"{mean}{between}{' – '.join(ends)}")
        columns.append(Column(head, cells))
    if screen.width < NARROWEST_SPEEDUPS:
        _down(columns, screen)
    else:
        indented(screen, fitted(columns, screen.width - MARGIN))


def _down(columns: Sequence[Column], screen: Console) -> None:
    """Print a table whose rows have no room, each row as a block of lines."""
    for at, name in enumerate(columns[0].cells):
        indented(screen, name if isinstance(name, Text) else Text(name))
        for column in columns[1:]:
            indented(screen, f"  {column.head:<12}{str(column.cells[at]).replace(chr(10), ', ')}")


def old(content: Mapping[str, Any], screen: Console, today: date | None) -> None:
    """Print a note where years are counted from long before today; nothing where no day is given."""
    for line in trust.stale(content, today):
        screen.print(text(line))


def _notes(content: Mapping[str, Any], screen: Console, full: bool, today: date | None) -> None:
    found = trust.notes(content, today, brief=not full)
    if not found:
        return
    section(screen, "How far to trust the numbers")
    used, width = 0, min(screen.width, 100) - MARGIN
    for place, note in enumerate(found):
        lines = len(text(note).wrap(screen, width))
        if not full and used + lines > NOTE_LINES and place:
            rest = len(found) - place
            indented(screen, Text(f"and {rest} more note{'s' if rest > 1 else ''}: --full", style=DIM))
            return
        indented(screen, text(note))
        used += lines


def _next(content: Mapping[str, Any], screen: Console, options: str) -> None:
    steps = verdict.next_steps(content, options)
    screen.print()
    # The notes in a column, where there is one.
    width = max(len(plain(command)) for command, _ in steps)
    for command, what in steps:
        line = text(command)
        if width + 2 + max(len(note) for _, note in steps) <= screen.width:
            line.append(" " * (width - line.cell_len + 2) + what, style=DIM)
        screen.print(line)


def spell_belief(belief: Belief) -> str:
    """Return a belief as "5% to 95%" values, or as its point."""
    if isinstance(belief.shape, Point):
        return f"{significant(belief.shape.value, 3)}"
    low, high = belief.shape.percentile(0.05), belief.shape.percentile(0.95)
    return f"{significant(low)} to {significant(high)}"


# ── Where every belief came from ──


def provenance(content: Mapping[str, Any], screen: Console) -> None:
    """Print where every belief came from, file by file, with marks, what is stated and what is used."""
    rows = content["provenance"]
    judged, every = trust.judgements(content)
    section(screen, "Where every belief came from", "5% · 50% · 95%, as stated and as used")
    legend = [f"‡ somebody's judgement, not a measurement ({judged} of {every})"]
    if any(row["conditioned_on"] for row in rows):
        legend.append("† conditioned on evidence")
    if any(row["kind"] == "yours" for row in rows):
        legend.append("* your own")
    indented(screen, Text(" · ".join(legend), style=DIM))
    several = len(content["models"]) > 1
    for file in dict.fromkeys(row["layer"] for row in rows):
        own = [row for row in rows if row["layer"] == file]
        screen.print()
        indented(screen, text(file, HEAD))
        names = [text(f"{row['name']}{marks(row)}") for row in own]
        after = [percentiles(row["used"]) if row["conditioned_on"] else "" for row in own]
        columns = [Column("belief", names, left=True, wrap=True)]
        if screen.width >= ROOM_FOR_STRIPS:
            columns.append(Column("stated", [percentiles(row["prior"]) for row in own], left=True))
            if any(after):
                columns.append(Column("used", after, left=True))
            columns.append(Column("unit", [text(row["unit"]) for row in own], left=True))
        else:
            both = [
                "\n".join(filter(None, [percentiles(row["prior"]), then and f"→ {then}", row["unit"]]))
                for row, then in zip(own, after, strict=True)
            ]  # fmt: skip
            columns.append(Column("stated → used", both, left=True))
        sources = []
        for row in own:
            said = text(row["source"] or unsourced(row["name"]), DIM)
            if several and len(row["models"]) < len(content["models"]) and len(row["models"]) == 1:
                said.append(f" ({row['models'][0]})", style=DIM)
            sources.append(said)
        columns.append(Column("source", sources, left=True, wrap=True))
        indented(screen, fitted(columns, screen.width - MARGIN))


def marks(row: Mapping[str, Any]) -> str:
    """Return a belief's marks: ‡ a judgement, † conditioned on evidence, * one's own."""
    found = ("‡", row["judgement"]), ("†", row["conditioned_on"]), (" *", row["kind"] == "yours")
    return "".join(mark for mark, holds in found if holds)


def percentiles(values: Sequence[float | None]) -> str:
    """Return three percentiles as "2.0 · 10 · 60", or the one value of a point."""
    said = ["?" if v is None else significant(v) for v in values]
    return said[0] if len(set(said)) == 1 else " · ".join(said)


def unsourced(name: str) -> str:
    """Return what stands where a file names no source: a fact's is the proposal itself."""
    parameter = PARAMETERS.get(name)
    fact = parameter is not None and parameter.group is ParameterGroup.FACT
    return "the proposal" if fact else NO_SOURCE


__all__ = ["provenance", "score", "spell_belief", "title", "years"]
