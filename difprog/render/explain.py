"""The report of ``difprog explain`` on a terminal, from its plain data: conclusions, then bars and prices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from rich.console import Console, Group
from rich.text import Text

from difprog.forecast.summary import MICRODOOM
from difprog.render import outcomes, reasons, shifted, trust, verdict, words
from difprog.render import pilot as learning
from difprog.render.axis import bar, swing
from difprog.render.format import microdooms, supported
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
    trusted,
)
from difprog.render.terminal import old, title, years
from difprog.render.trust import mark

#: Drivers that are shown unless all are asked for.
TOP = 8
NAME_WIDTH = 30

#: Columns of a figure at most.
WIDEST = 150


def explain(
    content: Mapping[str, Any],
    screen: Console,
    everything: bool = False,
    *,
    pilots: Sequence[Mapping[str, Any]] = (),
    today: date | None = None,
) -> None:
    """Print an explanation.

    Parameters
    ----------
    content : mapping
        What `difprog.render.explained.report` returns.
    screen : Console
        Where to print.
    everything : bool
        Whether to list every belief, and under every model on its own too.
    pilots : sequence of mapping
        What `difprog.render.pilot.as_data` returns of each that was asked about.
    today : date, optional
        Where given, years that are counted from long before it get a note.
    """
    title(content, screen)
    old(content, screen, today)
    screen.print()
    sentences(screen, [*(((line, ""),) for line in outcomes.sentences(content)), *conclusion(content)])
    learning.show(pilots, screen)
    _channels(content, screen)
    _per_model(screen, "What would have to be true for it to break even", content, reasons.break_even)
    _per_model(screen, "The trade, at the margin", content, reasons.exchange)
    _ratios(content, screen)
    _arrival(content, screen)
    shifted.show(content, screen)
    if words.leading(content)["drivers"]:
        _drivers(content, screen, everything)
    trusted(screen, trust.heavy_tails(content))


def conclusion(content: Mapping[str, Any]) -> list[words.Sentence]:
    """Return what an explanation comes to: the size, which channel, which belief, which policy."""
    found = [verdict.disagreement(content), verdict.size(content), reasons.main_channel(content)]
    found += reasons.hinge(content)
    named = reasons.named(content)
    if named is None or not reasons.turns_sign(named):
        found.append(reasons.turning(content, 1))
    found.append(words.said(reasons.choice(content)))
    return [sentence for sentence in found if sentence]


def _channels(content: Mapping[str, Any], screen: Console) -> None:
    section(screen, "Through which channel", "microdooms averted; they add up to the net effect")
    indented(screen, Text(f"{reasons.CHANNELS_NOTE}.", style=DIM))
    blocks = [(m["model"], channel_rows(m)) for m in content["models"]]
    if len(blocks) > 1:
        blocks.append((words.MIXTURE, channel_rows(content["ensemble"])))
    values = [value for _, rows in blocks for _, value, _ in rows]
    low, high = min(0.0, *values), max(0.0, *values)
    spelled = [
        [
            f"{microdooms(v, e or 0.0)} ± {supported((e or 0.0) / MICRODOOM, 0.0, digits=1)}"
            for _, v, e in rows
        ]
        for _, rows in blocks
    ]
    room = max(len(cell) for cells in spelled for cell in cells)
    names = max(len(name) + 2 for _, rows in blocks for name, _, _ in rows)
    width = max(8, min(screen.width, WIDEST) - names - room - 2 - MARGIN)
    for (name, rows), cells in zip(blocks, spelled, strict=True):
        lines: list[Text] = [text(name, HEAD)]
        for (what, value, _), cell in zip(rows, cells, strict=True):
            colour = GOOD if value > 0 else BAD if value < 0 else ""
            weight = HEAD if what == "net effect" else ""
            drawn = bar(value, low, high, width).rstrip()
            lines.append(
                Text.assemble(
                    (f"  {what}".ljust(names), weight), (f" {cell.rjust(room)} ", weight), (drawn, colour)
                )
            )
        indented(screen, Group(*lines))
    zero = round(-low * (width - 1) / (high - low)) if high > low else 0
    ends = Text(" " * (names + room + 2))
    ends.append("◂ harms".rjust(zero) if zero >= 8 else " " * zero, BAD)
    if width - zero > 9:
        ends.append("  helps ▸", GOOD)
    indented(screen, Group(ends))


def channel_rows(entry: Mapping[str, Any]) -> list[tuple[str, float, float]]:
    """Return title, value and error of every channel in use, its paths, and the net effect."""
    rows = []
    for name, value in entry["channels"].items():
        if value:
            rows.append((words.channel_title(name), value, entry["channels_mcse"][name]))
        if name == "run_up":
            rows.extend(
                (f"  {words.PATH_TITLES[path]}", part["value"], part["mcse"])
                for path, part in entry.get("paths", {}).items()
            )
    net = entry["net_effect"]
    return [*rows, ("net effect", net["mean"], net["mcse"])]


def _per_model(
    screen: Console, head: str, content: Mapping[str, Any], say: Callable[[Mapping[str, Any]], str]
) -> None:
    """Print a sentence per model; models that say the same share it."""
    section(screen, head)
    said: dict[str, list[str]] = {}
    for entry in content["models"]:
        said.setdefault(say(entry), []).append(entry["model"])
    names = [Text("\n").join(text(name) for name in group) for group in said.values()]
    columns = [Column("", names, left=True), Column("", [text(s) for s in said], left=True, wrap=True)]
    indented(screen, fitted(columns, min(screen.width, 110) - MARGIN, heads=False))


def _ratios(content: Mapping[str, Any], screen: Console) -> None:
    section(screen, "Differential ratios", "years of alignment progress per year of capability progress")
    models = content["models"]
    rows = [reasons.ratios(m) for m in models]
    columns = [
        Column("model", [text(m["model"]) for m in models], left=True, wrap=True),
        *(Column(head, [row[at] for row in rows]) for at, head in enumerate(reasons.RATIO_HEADS)),
    ]
    indented(screen, fitted(columns, screen.width - MARGIN))
    indented(screen, Text(reasons.RATIOS_NOTE, style=DIM))


def _arrival(content: Mapping[str, Any], screen: Console) -> None:
    section(screen, "Years until AGI", "in the worlds where alignment succeeds there is more time")
    models = content["models"]
    columns = [
        Column("model", [text(m["model"]) for m in models], left=True, wrap=True),
        Column("median", [years(m["arrival"]["median"]) for m in models]),
        Column(f"{content['prob']:.0%} of worlds", [
            f"{years(m['arrival']['lower'])} to {years(m['arrival']['upper'])}" for m in models
        ]),
        Column("given success", [
            "never" if m["arrival_given_success"] is None else years(m["arrival_given_success"])
            for m in models
        ]),
    ]  # fmt: skip
    indented(screen, fitted(columns, screen.width - MARGIN))


def _drivers(content: Mapping[str, Any], screen: Console, everything: bool) -> None:
    models = content["models"]
    note = "mean effect at the belief's lowest tenth, L, and highest, H; =: both"
    section(screen, "Which beliefs drive it", note)
    blocks = [(words.MIXTURE if len(models) > 1 else models[0]["model"], words.leading(content)["drivers"])]
    if everything and len(models) > 1:
        blocks += [(m["model"], m["drivers"]) for m in models]
    for name, found in blocks:
        if len(blocks) > 1:
            indented(screen, text(name, HEAD))
        _tornado(content, found if everything else found[:TOP], screen)
    worth = reasons.worth_knowing(blocks[0][1])
    indented(screen, text(f"{worth} {reasons.information(words.leading(content))}"))
    if any(mark(content, d["belief"]) for _, found in blocks for d in found):
        indented(screen, Text(trust.MARK_NOTE, style=DIM))
    indented(screen, Text(reasons.DRIVERS_NOTE, style=DIM))


def _tornado(content: Mapping[str, Any], found: Sequence[Mapping[str, Any]], screen: Console) -> None:
    if not found:
        indented(screen, "No belief varies.")
        return
    ends = [d[key] for d in found for key in ("low", "high")]
    low, high = min(0.0, *ends), max(0.0, *ends)
    names = [text(d["belief"] + mark(content, d["belief"])) for d in found]
    room = max(name.cell_len for name in names) + 1
    worth = [reasons.evppi(d) for d in found]
    worth_room = max(5, *map(len, worth))
    width = min(screen.width, WIDEST) - room - 8 - worth_room - 3 - MARGIN
    if width < 12:  # the bars have no room: their ends in numbers
        columns = [
            Column("belief", names, left=True, wrap=True),
            Column("distance", [reasons.distance(d) for d in found]),
            Column("EVPPI", worth, drop=1),
            Column("lowest", [microdooms(d["low"], d["low_se"] or 0.0) for d in found]),
            Column("highest", [microdooms(d["high"], d["high_se"] or 0.0) for d in found]),
        ]
        indented(screen, fitted(columns, screen.width - MARGIN))
        return
    lines = [Text("belief".ljust(room) + "distance" + "EVPPI".rjust(worth_room + 1), style=DIM)]
    for driver, name, value in zip(found, names, worth, strict=True):
        name.pad_right(room - name.cell_len)
        head = f"{reasons.distance(driver).rjust(8)}{value.rjust(worth_room + 1)}  "
        drawn = swing(driver["low"], driver["high"], low, high, width).rstrip()
        lines.append(Text.assemble(name, head, drawn))
    left, right = (microdooms(end, _error(found, end)) if end else "0" for end in (low, high))
    unit = "microdooms" if width > len(left) + len(right) + 14 else ""
    scale = " " * (room + 11 + worth_room) + left + unit.center(width - len(left) - len(right)) + right
    lines.append(Text(scale, style=DIM))
    indented(screen, Group(*lines))


def _error(found: Sequence[Mapping[str, Any]], end: float) -> float:
    """Return the error of the end of an axis, which is some driver's."""
    return next((d[f"{key}_se"] or 0.0 for d in found for key in ("low", "high") if d[key] == end), 0.0)
