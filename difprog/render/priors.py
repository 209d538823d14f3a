"""Belief files in the terminal: tables, pages and comparisons. Knows layers and drawings only."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from difprog.base import files
from difprog.base.errors import plain
from difprog.beliefs import elicit
from difprog.beliefs.beliefs import Belief
from difprog.beliefs.distributions import Distribution, Mixture, Point, Shape
from difprog.beliefs.doubts import Doubt
from difprog.library.amend import Change
from difprog.library.reference import number
from difprog.library.shelf import Entry, Shelf, label
from difprog.race.parameters import Parameter
from difprog.render import beliefs as drawing
from difprog.render import screen
from difprog.render.format import significant

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
INDENT = "  "

#: Columns that a meaning has before other columns are left out for it.
LEAST_MEANING = 36


#: Percentiles that scoring uses in place of a prior, by the belief's name; see `difprog.library.used`.
Used = Mapping[str, Mapping[float, float]]


def data(entry: Entry, used: Used | None = None) -> dict[str, Any]:
    """Return one belief as plain data for JSON, in full precision; what is not finite is null."""
    shape, after = entry.belief.shape, (used or {}).get(entry.name)
    return {
        "name": entry.parameter.name, "case": entry.case or None, "unit": entry.parameter.unit,
        "meaning": entry.parameter.meaning, "support": str(entry.parameter.support),
        "layer": label(entry.layer), "family": family(shape),
        "stated": {elicit.percentile_key(p): v for p, v in sorted(entry.belief.stated.items())},
        "percentiles": {elicit.percentile_key(p): finite(shape.percentile(p)) for p in LEVELS},
        "mean": finite(shape.mean), "misfit": finite(entry.belief.misfit),
        "judgement": entry.belief.judgement, "source": entry.belief.source, "note": entry.belief.note,
        "evidence": entry.belief.evidence or None,
        "used": None if after is None else {elicit.percentile_key(p): v for p, v in after.items()},
    }  # fmt: skip


def finite(value: float) -> float | None:
    """Return a number that JSON can hold, None for one that it cannot."""
    return value if math.isfinite(value) else None


def family(shape: Shape) -> str:
    """Return the name of a belief's kind."""
    if isinstance(shape, Point):
        return "point"
    return "mixture" if isinstance(shape, Mixture) else shape.family.name


def ascii_only() -> bool:
    """Whether standard output cannot show block characters."""
    return not drawing.drawable(sys.stdout.encoding)


def ninety(shape: Shape) -> str:
    """Return a belief's 90% interval and median, or its value."""
    if isinstance(shape, Point):
        return number(shape.value)
    return f"{number(shape.percentile(0.05))} – {number(shape.percentile(0.95))}"


def mark(belief: Belief) -> str:
    """Return the marks of a belief: † conditioned on evidence, ‡ a judgement."""
    evidence, judgement = ("(e)", "(j)") if ascii_only() else ("†", "‡")
    return evidence * bool(belief.evidence) + judgement * belief.judgement


def legend(entries: Iterable[Entry]) -> str:
    """Return what the marks in a listing of beliefs mean, those that occur."""
    evidence, judgement = ("(e)", "(j)") if ascii_only() else ("†", "‡")
    found = list(entries)
    said = {
        f"{evidence} a prior, conditioned on evidence": any(e.belief.evidence for e in found),
        f"{judgement} somebody's judgement, not a measurement": any(e.belief.judgement for e in found),
        "* from a file of your own": any(e.yours for e in found),
    }
    return "\n".join(line for line, holds in said.items() if holds)


def listing(entries: Sequence[Entry], out: Console, used: Used | None = None) -> None:
    """Print the beliefs in force as a table: name and marks, interval, what it means; wide, where from."""
    rows: list[tuple[Text, ...]] = []
    several = len({_file(entry) for entry in entries}) > 1
    for before, entry in zip([None, *entries], entries, strict=False):
        if before is None or before.parameter.group != entry.parameter.group or _file(before) != _file(entry):
            empty = (Text(),) * 3
            title = Text(entry.parameter.group.value, style=screen.DIM)
            rows += [
                (Text(), Text(), *empty),
                (title, screen.text(_file(entry) if several else "", screen.DIM), *empty),
            ]
        shape = entry.belief.shape
        again = before is not None and before.parameter is entry.parameter
        rows.append((
            screen.text(f"{entry.name}{mark(entry.belief)}{' *' if entry.yours else ''}"),
            Text(_interval(entry, (used or {}).get(entry.name))),
            Text("" if isinstance(shape, Point) else number(_median(shape))),
            screen.text("" if again else entry.parameter.meaning),
            screen.text(label(entry.layer)),
        ))  # fmt: skip
    names, intervals, middles, meanings, places = zip(*rows, strict=True) if rows else ((),) * 5
    columns = [
        screen.Column("belief", names, left=True, wrap=True),
        screen.Column("90% interval", intervals, left=True),
        screen.Column("median", middles, left=True, drop=1),
        screen.Column("what it is", meanings, left=True, wrap=True, least=LEAST_MEANING),
        screen.Column("from", places, left=True, drop=1),
    ]
    out.print(screen.fitted(columns, out.width))
    if said := legend(entries):
        out.print(Text(f"\n{said}", style=screen.DIM))


def _file(entry: Entry) -> str:
    """Return the name of the file that a belief stands in: one's own is called as what it lies over."""
    return entry.layer.source.path.stem


def _median(shape: Shape) -> float:
    """Return a belief's median; that of a symmetric one comes out as 0 but for rounding."""
    low, middle, high = (shape.percentile(p) for p in (0.05, 0.5, 0.95))
    return 0.0 if abs(middle) < 1e-9 * (high - low) else middle


def _interval(entry: Entry, used: Mapping[float, float] | None) -> str:
    unit = f" {entry.parameter.unit}" if entry.parameter.unit else ""
    stated = f"{ninety(entry.belief.shape)}{unit}"
    if used is None:
        return stated
    return f"{stated}\nused: {significant(used[0.05])} – {significant(used[0.95])}"


def page(entry: Entry, as_of: date, out: Console, used: Used | None = None, height: int = 5) -> None:
    """Print all there is to know about one belief."""
    after = (used or {}).get(entry.name)
    parameter, belief = entry.parameter, entry.belief
    head = Text(entry.name, style=screen.HEAD)
    head.append(f"  {parameter.meaning}", style="")
    out.print(head)
    facts = [parameter.unit, str(parameter.support), family(belief.shape), label(entry.layer)]
    facts += ["a judgement"] if belief.judgement else []
    out.print(screen.text(" · ".join(filter(None, facts))), style=screen.DIM)
    out.print()
    draw(belief.shape, parameter, out, height)
    out.print()
    if not isinstance(belief.shape, Point):
        out.print(percentiles([("", belief.shape)], belief.stated))
    words(parameter, belief, as_of, out)
    if belief.evidence:
        out.print()
        said = f"This is a prior: scoring conditions it on the evidence ({belief.evidence})"
        if after is None:
            out.print(screen.text(f"{said}. No fit of it is kept yet."))
        else:
            out.print(screen.text(f"{said}, and then uses:"))
            out.print(_row_of(after))
    out.print()
    texts = Table.grid(padding=(0, 2, 0, 0))
    for name, value in (("source", belief.source or "none"), ("note", belief.note)):
        if value:
            texts.add_row(Text(name, style=screen.DIM), screen.text(value))
    out.print(texts)


def _row_of(values: Mapping[float, float]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style=screen.DIM)
    for level in values:
        table.add_column(elicit.percentile_key(level).replace("_", "."), justify="right", no_wrap=True)
    table.add_row(*map(significant, values.values()))
    return table


def draw(shape: Shape, parameter: Parameter, out: Console, height: int = 5) -> None:
    """Print a belief's density with its unit under the axis."""
    width = min(out.width - 2 * len(INDENT), 100)
    for line in drawing.drawn(shape, width, height, ascii_only()):
        out.print(Text(INDENT + line), no_wrap=True, overflow="crop")
    if parameter.unit and not getattr(shape, "integer", False):
        out.print(Text(f"{INDENT}{parameter.unit}", style=screen.DIM))


def percentiles(
    shapes: Sequence[tuple[str, Shape]], stated: Mapping[float, float] | None = None, used: Used | None = None
) -> Table:
    """Return a table of percentiles, a row per belief, and what was stated beside what was fitted.

    Below a prior stands what scoring uses in its place, where ``used`` has it by the row's name.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style=screen.DIM)
    levels = sorted({*LEVELS, *(stated or {})}) if stated and len(stated) > 2 else list(LEVELS)
    levels = [p for p in levels if p in (stated or {}) or p in LEVELS][:9]
    named = any(name for name, _ in shapes)
    if named or (stated and len(stated) > 2):
        table.add_column("")
    for level in levels:
        table.add_column(elicit.percentile_key(level).replace("_", "."), justify="right", no_wrap=True)
    for name, shape in shapes:
        cells = [number(shape.percentile(p)) for p in levels]
        first = [Text(name or "fitted")] if named or (stated and len(stated) > 2) else []
        table.add_row(*first, *cells)
        if after := (used or {}).get(name):
            lead = [Text("  used", style=screen.DIM)] * len(first)
            table.add_row(*lead, *(significant(after[p]) for p in levels))
    if stated and len(stated) > 2 and not named:
        table.add_row("stated", *[number(stated[p]) if p in stated else "" for p in levels])
    return table


def words(parameter: Parameter, belief: Belief, as_of: date, out: Console) -> None:
    """Print what a belief says in sentences, and how well it fits what was stated."""
    for line in elicit.in_words(parameter, belief.shape, as_of):
        out.print(screen.text(f"{line[0].upper()}{line[1:]}."))
    if len(belief.stated) > 2 and isinstance(belief.shape, Distribution):
        worst = f"{belief.misfit:.0%}" if belief.misfit >= 0.005 else "under 1%"
        kind = family(belief.shape)
        out.print(screen.text(f"The {kind} misses what was stated by {worst} at the most."))


def plots(entries: Sequence[Entry], out: Console, height: int) -> None:
    """Print one belief large, or several of one unit on one axis."""
    if len(entries) == 1:
        out.print(Text(entries[0].name, style=screen.HEAD))
        draw(entries[0].belief.shape, entries[0].parameter, out, height)
        return
    named = [(e.name, e.belief.shape) for e in entries]
    width = min(out.width - 2 * len(INDENT), 100)
    for line in drawing.together(named, width, max(height // 3, 2), ascii_only()):
        out.print(Text(INDENT + line), no_wrap=True, overflow="crop")
    if entries[0].parameter.unit:
        out.print(Text(f"{INDENT}{entries[0].parameter.unit}", style=screen.DIM))


def comparison(
    pairs: Sequence[tuple[Entry | None, Entry | None]], names: tuple[str, str], out: Console,
    use: Callable[[Belief], Mapping[float, float] | None] = lambda _: None,
) -> None:  # fmt: skip
    """Print what differs between two layers: quantiles, and both densities on one axis.

    ``use`` says what scoring uses in place of a belief that is conditioned on evidence.
    """
    names = plain(names[0], 24), plain(names[1], 24)
    if not pairs:
        out.print(screen.text(f"{names[0]} and {names[1]} state the same."))
    for one, two in pairs:
        entry = one or two
        assert entry is not None
        out.print()
        out.print(Text(entry.name, style=screen.HEAD), Text(entry.parameter.unit, style=screen.DIM))
        both = [(n, e.belief.shape) for n, e in zip(names, (one, two), strict=True) if e is not None]
        for name, e in zip(names, (one, two), strict=True):
            if e is None:
                remark("not stated", name, out)
        found = zip(names, (one, two), strict=True)
        used = {n: values for n, e in found if e is not None and (values := use(e.belief))}
        out.print(percentiles(both, used=used))
        _conditioned(used, out)
        if len(both) == 2 and not all(isinstance(s, Point) for _, s in both):
            width = min(out.width - 2 * len(INDENT), 100)
            for line in drawing.together(both, width, 3, ascii_only()):
                out.print(Text(INDENT + line), no_wrap=True, overflow="crop")
        if one and two and one.belief.source != two.belief.source:
            for name, e in ((names[0], one), (names[1], two)):
                remark(f"{name}:", e.belief.source or "no source", out)


def doubts(found: Iterable[tuple[Doubt, bool]], out: Console) -> None:
    """Print warnings; those that a note explains say so."""
    for doubt, explained in found:
        tail = " (explained in its note)" if explained else ""
        remark("warning", f"{doubt}{tail}", out)


def remark(lead: str, said: str, out: Console) -> None:
    """Print a line that hangs under its first word."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_row(Text(f"{INDENT}{lead}", style=screen.DIM), screen.text(said))
    out.print(grid)


def _conditioned(used: Used, out: Console) -> None:
    if used:
        out.print(Text("used: after conditioning on the evidence, as in every score", style=screen.DIM))


def changed(
    change: Change, parameter: Parameter, out: Console,
    use: Callable[[Belief], Mapping[float, float] | None] = lambda _: None,
) -> None:  # fmt: skip
    """Print a belief before and after it was set or taken out, and what scoring uses in place of a prior."""
    both = (("before", change.before), ("now", change.after))
    rows = [(name, b.shape) for name, b in both if b is not None]
    out.print()
    out.print(Text(change.name, style=screen.HEAD), Text(parameter.unit, style=screen.DIM))
    if not all(isinstance(s, Point) for _, s in rows):
        used = {name: values for name, b in both if b is not None and (values := use(b))}
        out.print(percentiles(rows, used=used))
        _conditioned(used, out)
        width = min(out.width - 2 * len(INDENT), 100)
        for line in drawing.together(rows, width, 3, ascii_only()):
            out.print(Text(INDENT + line), no_wrap=True, overflow="crop")
    if change.after is not None:
        words(parameter, change.after, standing_date(), out)
    out.print()


def standing_date() -> date:
    """Return the date from which the standing layers count years."""
    return Shelf().stack().as_of


def change_data(change: Change) -> dict[str, Any]:
    """Return what setting a belief did as plain data for JSON."""
    both = {
        name: None if b is None else {elicit.percentile_key(p): finite(b.shape.percentile(p)) for p in LEVELS}
        for name, b in (("before", change.before), ("after", change.after))
    }
    return {
        "schema": "difprog.belief-set/1", "path": str(change.path), "created": change.created,
        "belief": change.name, **both, "remarks": list(change.remarks),
        "warnings": [str(d) for d in change.doubts],
    }  # fmt: skip


def where(change: Change) -> str:
    """Return the sentence that says which file was changed."""
    if change.taken_out:
        return f"Taken out of {change.path}"
    if change.over is None:
        return f"{'Made' if change.created else 'Changed'} {change.path}"
    verb, shipped = "Made" if change.created else "Changed", files.label(change.over)
    if change.kind == "beliefs":
        return f"{verb} {change.path}, your layer over {shipped} as it ships"
    return f"{verb} {change.path}, your copy of {shipped}"
