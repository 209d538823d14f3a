"""The report of ``difprog explain`` on a terminal: signed bars, prices in words, a tornado."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from difprog.forecast.summary import MICRODOOM
from difprog.render import explained, words
from difprog.render.format import microdooms, supported
from difprog.render.screen import BAD, DIM, GOOD, HEAD, section, text
from difprog.render.terminal import MARGIN, headline
from difprog.why.explain import Explanation

#: Drivers that are shown unless all are asked for.
TOP = 8
NAME_WIDTH = 30
WIDEST = 120


def explain(found: Explanation, screen: Console, everything: bool = False) -> None:
    """Print an explanation.

    Parameters
    ----------
    found : Explanation
        What `difprog.why.explain.explain` returned.
    screen : Console
        Where to print.
    everything : bool
        Whether to list every belief, and under every model on its own too.
    """
    content = explained.explain(found)
    forecast = found.forecast
    screen.print(text(forecast.project.name, HEAD))
    screen.print()
    for line in headline(forecast):
        _print(screen, line)
    _print(screen, Text(words.choice(content["ensemble"]["options"], forecast.project.facts["publication"])))
    _channels(content, screen)
    _per_model(
        screen, "What would have to be true for it to break even", content, words.break_even
    )
    _per_model(screen, "The trade, at the margin", content, words.exchange)
    _ratios(content, screen)
    _arrival(content, screen)
    if found.drivers is not None:
        _drivers(content, screen, everything)


def _print(screen: Console, what: Any) -> None:
    screen.print(Padding(what, (0, 0, 0, MARGIN), expand=False))


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style=DIM)
    for index, title in enumerate(columns):
        table.add_column(title, justify="right" if index else "left", no_wrap=True)
    return table


def bar(value: float, low: float, high: float, width: int) -> str:
    """Return a bar from the zero mark to a value, on an axis from ``low`` ≤ 0 to ``high`` ≥ 0.

    A value that is not 0 always shows, be it as a sliver.
    """
    line = [" "] * width
    scale = (width - 1) / (high - low) if high > low else 0.0
    zero = round(-low * scale)
    cells = round(abs(value) * scale)
    if value > 0:
        cells = min(cells, width - 1 - zero)
        line[zero + 1 : zero + 1 + cells] = "█" * cells
        if not cells and zero + 1 < width:
            line[zero + 1] = "▏"
    elif value < 0:
        cells = min(cells, zero)
        line[zero - cells : zero] = "█" * cells
        if not cells and zero:
            line[zero - 1] = "▕"
    line[zero] = "┃"
    return "".join(line)


def _channels(content: Mapping[str, Any], screen: Console) -> None:
    section(
        screen, "Through which channel", "microdooms averted; they add up to the net effect",
    )  # fmt: skip
    blocks = [(m["model"], _channel_rows(m)) for m in content["models"]]
    if len(blocks) > 1:
        blocks.append((words.MIXTURE, _channel_rows(content["ensemble"])))
    values = [value for _, rows in blocks for _, value, _ in rows]
    low, high = min(0.0, *values), max(0.0, *values)
    width = max(10, min(screen.width, WIDEST) - NAME_WIDTH - 18 - 2 * MARGIN)
    for name, rows in blocks:
        lines: list[Text] = [text(name, HEAD)]
        for title, value, error in rows:
            colour = GOOD if value > 0 else BAD if value < 0 else ""
            said = f"{microdooms(value, error)} ± {supported(error / MICRODOOM, 0.0, digits=1)}"
            net = title == "net effect"
            lines.append(
                Text.assemble(
                    (f"  {title}".ljust(NAME_WIDTH + 2), HEAD if net else ""),
                    (said.rjust(15) + " ", HEAD if net else ""),
                    (bar(value, low, high, width).rstrip(), colour),
                )
            )
        _print(screen, Group(*lines))
    room = " " * (NAME_WIDTH + 18)
    zero = round(-low * (width - 1) / (high - low)) if high > low else 0
    ends = Text(room)
    if zero >= 8:
        ends.append("◂ harms".rjust(zero), BAD)
    else:
        ends.append(" " * zero)
    if width - zero > 9:
        ends.append(" ", "").append(" helps ▸", GOOD)
    _print(screen, ends)


def _channel_rows(entry: Mapping[str, Any]) -> list[tuple[str, float, float]]:
    """Return title, value and error of every channel in use, its paths, and the net effect."""
    rows = []
    for name, value in entry["channels"].items():
        if value:
            rows.append((words.CHANNEL_TITLES[name], value, entry["channels_mcse"][name]))
        if name == "run_up":
            rows.extend(
                (f"  {words.PATH_TITLES[path]}", part["value"], part["mcse"])
                for path, part in entry.get("paths", {}).items()
            )
    net = entry["net_effect"]
    return [*rows, ("net effect", net["mean"], net["mcse"])]


def _per_model(screen: Console, title: str, content: Mapping[str, Any], say: Any) -> None:
    """Print a sentence per model; models that say the same share it."""
    section(screen, title)
    said: dict[str, list[str]] = {}
    for entry in content["models"]:
        said.setdefault(say(entry), []).append(entry["model"])
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(max_width=84)
    for sentence, names in said.items():
        table.add_row(Text("\n").join(text(name) for name in names), sentence)
    _print(screen, table)


def _ratios(content: Mapping[str, Any], screen: Console) -> None:
    section(
        screen, "Differential ratios",
        "years of alignment progress per year of capability progress",
    )  # fmt: skip
    table = _table("model", "parallel", "breaks even at", "serial", "breaks even at")
    for entry in content["models"]:
        found, rates = entry["ratios"], entry["exchange"]
        table.add_row(
            text(entry["model"]),
            words.ratio(found["parallel"], found["parallel_mcse"]),
            words.needed(found["parallel_break_even"], rates["years_mcse"]),
            words.ratio(found["serial"], found["serial_mcse"]),
            words.needed(found["serial_break_even"], rates["serial_mcse"]),
        )
    _print(screen, table)
    _print(screen, Text(words.RATIOS_NOTE, style=DIM))


def _arrival(content: Mapping[str, Any], screen: Console) -> None:
    section(screen, "Years until AGI", "in the worlds where alignment succeeds there is more time")
    table = _table("model", "mean", "given success")
    for entry in content["models"]:
        arrival, given = entry["arrival"], entry["arrival_given_success"]
        error = arrival["mcse"]
        table.add_row(
            text(entry["model"]),
            supported(arrival["mean"], error),
            "never" if given is None else supported(given, error),
        )
    _print(screen, table)


def _drivers(content: Mapping[str, Any], screen: Console, everything: bool) -> None:
    models = content["models"]
    note = "net effect at its lowest tenth, L, and highest, H"
    section(screen, "Which beliefs drive it", note)
    if len(models) > 1:
        blocks = [(words.MIXTURE, content["ensemble"]["drivers"])]
        blocks += [(m["model"], m["drivers"]) for m in models] if everything else []
    else:
        blocks = [(models[0]["model"], models[0]["drivers"])]
    for name, found in blocks:
        if len(blocks) > 1:
            _print(screen, text(name, HEAD))
        _tornado(found if everything else found[:TOP], screen)
    _print(screen, Text(words.explained_together(blocks[0][1])))
    _print(screen, Text(words.worth_knowing(blocks[0][1])))
    _print(screen, Text(words.DRIVERS_NOTE, style=DIM))


def _tornado(found: Sequence[Mapping[str, Any]], screen: Console) -> None:
    if not found:
        _print(screen, Text("No belief varies."))
        return
    ends = [d[key] for d in found for key in ("low", "high")]
    low, high = min(0.0, *ends), max(0.0, *ends)
    width = max(10, min(screen.width, WIDEST) - NAME_WIDTH - 16 - 2 * MARGIN)
    lines = [Text("belief".ljust(NAME_WIDTH) + "share".rjust(6) + "EVPPI".rjust(8), style=DIM)]
    for driver in found:
        head = f"{words.share(driver).rjust(6)}{words.evppi(driver).rjust(8)}  "
        name = text(driver["belief"], limit=NAME_WIDTH - 1)
        name.pad_right(NAME_WIDTH - len(name.plain))
        line = swing(driver["low"], driver["high"], low, high, width).rstrip()
        lines.append(Text.assemble(name, head, line))
    left, right = (microdooms(end) if end else "0" for end in (low, high))
    scale = " " * (NAME_WIDTH + 16) + left + right.rjust(width - len(left))
    lines.append(Text(scale, style=DIM))
    _print(screen, Group(*lines))


def swing(at_low: float, at_high: float, low: float, high: float, width: int) -> str:
    """Return a line from L to H, past the zero mark, on an axis from ``low`` to ``high``."""
    scale = (width - 1) / (high - low) if high > low and math.isfinite(high - low) else 0.0
    line = [" "] * width
    zero, left, right = (round((v - low) * scale) for v in (0.0, at_low, at_high))
    for column in range(min(left, right), max(left, right) + 1):
        line[column] = "─"
    line[zero] = "┃"
    line[left] = "L"
    line[right] = "H" if right != left else "="
    return "".join(line)
