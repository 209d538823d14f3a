"""The terminal: one console per stream, plain characters where it has no others, progress.

Everything that reaches a terminal goes through here, so that width, NO_COLOR, pipes and
encodings are respected in one place.
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple, TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from difprog.base.errors import plain

GOOD, BAD, DIM, HEAD = "green", "red", "dim", "bold"

#: Columns that every table can be folded into; a terminal that says it has fewer is not believed.
NARROWEST = 40

_PLAIN = str.maketrans(
    {
        "−": "-", "±": "~", "…": ".", "·": "|", "●": "o", "┃": "|", "│": "|", "─": "-", "╂": "|",
        "┬": "+", "░": ".", "▒": ":", "▓": "*", "█": "#", "→": ">", "≤": "<", "≥": ">", "–": "-",
        "▏": "|", "▕": "|", "×": "x", "∞": "inf", "“": '"', "”": '"', "’": "'", "Δ": "D",
        "‡": "#", "†": "+", "◂": "<", "▸": ">",
    }
)  # fmt: skip


class PlainStream:
    """A text stream that spells in ASCII what its encoding cannot say."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, spelled so that the stream can."""
        encoding = self._stream.encoding or "ascii"
        spelled = text.translate(_PLAIN).encode(encoding, "replace").decode(encoding)
        return self._stream.write(spelled)

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


class _Console(Console):
    """A console that leaves a broken pipe to whoever runs the command."""

    def on_broken_pipe(self) -> None:
        """Raise what rich turns into an exit with status 1."""
        raise BrokenPipeError


def speaks_unicode(stream: TextIO) -> bool:
    """Whether a stream's encoding has the characters that reports are drawn with."""
    try:
        "█●┃−".encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def console(stderr: bool = False, width: int | None = None) -> Console:
    """Return a console on standard output or standard error.

    Parameters
    ----------
    stderr : bool
        Standard error instead of standard output.
    width : int, optional
        Columns, no fewer than `NARROWEST`; the terminal's own by default, 80 where there is none.
    """
    stream = sys.stderr if stderr else sys.stdout
    file = stream if speaks_unicode(stream) else PlainStream(stream)
    made = _Console(file=file, width=width, highlight=False, markup=False, emoji=False)  # type: ignore[arg-type]
    if made.width < NARROWEST:
        made.width = NARROWEST
    return made


def text(words: object, style: str = "", limit: int | None = None) -> Text:
    """Return text from a file as something that a console prints as it is."""
    return Text(plain(words, limit), style=style)


#: How the marks of `difprog.render.words` look.
STYLES = {"": "", "strong": HEAD, "good": f"{HEAD} {GOOD}", "bad": f"{HEAD} {BAD}", "name": HEAD}

#: Columns that text is set in at most: longer lines are hard to read.
WIDEST_TEXT = 100

#: Blank columns before everything but headings.
MARGIN = 2


def sentences(screen: Console, found: Iterable[Sequence[tuple[str, str]]]) -> None:
    """Print sentences of `difprog.render.words`, one after the other, each on a line of its own."""
    for sentence in found:
        line = Text()
        for words, mark in sentence:
            line.append_text(text_of(words, STYLES[mark]))
        indented(screen, line)


def basis_line(screen: Console, sentence: Sequence[tuple[str, str]]) -> None:
    """Print what an answer rests on, dim, with what is marked in it strong."""
    line = Text(style=DIM)
    for words, mark in sentence:
        line.append_text(text_of(words, "not dim bold" if mark else ""))
    screen.print(line)


def trusted(screen: Console, notes: Sequence[str]) -> None:
    """Print what a reader should know before trusting the numbers, where there is something."""
    if notes:
        section(screen, "How far to trust the numbers")
        for note in notes:
            indented(screen, text(note))


def text_of(words: str, style: str = "") -> Text:
    """Return a piece of a sentence, its spaces kept; nothing in it is obeyed by a terminal."""
    safe = plain(words)
    if not safe:
        return Text(" " * bool(words), style=style)
    return Text(f"{' ' * words.startswith(' ')}{safe}{' ' * words.endswith(' ')}", style=style)


def indented(screen: Console, what: Any) -> None:
    """Print something, set in by the margin; text no wider than is easily read."""
    if isinstance(what, (str, Text)):
        line = what if isinstance(what, Text) else Text(what)
        width = min(screen.width, WIDEST_TEXT) - MARGIN
        for part in line.wrap(screen, width, tab_size=4):
            part.rstrip()
            screen.print(Text(" " * MARGIN).append_text(part))
    else:
        screen.print(Padding(what, (0, 0, 0, MARGIN), expand=False))


class Column(NamedTuple):
    """One column of a table.

    Attributes
    ----------
    head : str
        Its head.
    cells : sequence of str or Text
        One per row; of one line or more.
    left : bool
        Whether it is words, set flush left; numbers are flush right.
    drop : int
        0 for a column that always stays; else those with the highest are left out first where
        the screen is narrow.
    wrap : bool
        Whether its words may be wrapped, down to a dozen columns; numbers never are.
    least : int or None
        Columns that its words may be wrapped to before another column is left out for them; by
        default all of them stay on their lines.
    """

    head: str
    cells: Sequence[str | Text]
    left: bool = False
    drop: int = 0
    wrap: bool = False
    least: int | None = None


#: Blank columns between columns, and where there is no room for all of them.
GAP, NARROW_GAP = 2, 1

#: Columns that words are wrapped to at the least.
NARROW_WORDS = 12


def kept(columns: Sequence[Column], width: int, *, heads: bool = True) -> tuple[list[Column], int]:
    """Return the columns for which there is room, and the blanks between them.

    Parameters
    ----------
    columns : sequence of Column
        All of the same number of cells.
    width : int
        What the table may take.
    heads : bool
        Whether the heads are shown.
    """
    shown = list(columns)

    def fits(gap: int) -> bool:
        return sum(_wanted(c, heads) for c in shown) + gap * (len(shown) - 1) <= width

    if fits(GAP):
        return shown, GAP
    while not fits(NARROW_GAP) and any(c.drop for c in shown):
        worst = max(c.drop for c in shown)
        shown = [c for c in shown if c.drop != worst]
    return shown, GAP if fits(GAP) else NARROW_GAP


def fitted(
    columns: Sequence[Column], width: int, *, heads: bool = True, total: int | None = None
) -> Table:
    """Return a table that fits: set closer, with fewer columns, with words wrapped; no number is cut.

    Parameters
    ----------
    columns : sequence of Column
        All of the same number of cells.
    width : int
        What it may take.
    heads : bool
        Whether the heads are shown.
    total : int, optional
        The row that sums up the others.
    """
    shown, gap = kept(columns, width, heads=heads)
    rooms = _rooms(shown, width - gap * (len(shown) - 1), heads)
    table = Table(box=None, padding=(0, gap, 0, 0), show_edge=False, show_header=heads, header_style=DIM,
                  pad_edge=False)  # fmt: skip
    for c, room in zip(shown, rooms, strict=True):
        side: Literal["left", "right"] = "left" if c.left else "right"
        # A cell that no wrapping helps is folded: whatever happens, nothing is cut.
        table.add_column(c.head, justify=side, width=room, overflow="fold", no_wrap=False)
    many = len(shown[0].cells) if shown else 0
    for at in range(many):
        cells = [_broken(c.cells[at], room) for c, room in zip(shown, rooms, strict=True)]
        table.add_row(*cells, style=HEAD if at == total else "")
    return table


def _rooms(columns: Sequence[Column], width: int, heads: bool) -> list[int]:
    """Return how wide each column is: words are wrapped between words, and inside them only if they must.

    The widest column gives way first.
    """
    rooms = [_widest(c, heads) for c in columns]
    words = [max([len(word) for cell in c.cells for word in str(cell).split()] or [1]) for c in columns]
    for floors in ([max(NARROW_WORDS, word) for word in words], [NARROW_WORDS] * len(rooms)):
        while sum(rooms) > width:
            able = [at for at, c in enumerate(columns) if c.wrap and rooms[at] > floors[at]]
            if not able:
                break
            rooms[max(able, key=rooms.__getitem__)] -= 1
    return rooms


def _broken(cell: str | Text, room: int) -> Text:
    """Return a cell whose names that are too long for its column are broken where they are joined."""
    line = cell if isinstance(cell, Text) else Text(cell)
    for found in re.finditer(r"\S+", line.plain):
        if cell_len(found[0]) > room:
            joints = [found.start() + at.end() for at in re.finditer(r"[_./-]", found[0][:room])]
            if joints:
                return Text.assemble(line[: joints[-1]], "\n", _broken(line[joints[-1] :], room))
    return line


def _wanted(column: Column, heads: bool) -> int:
    widest = _widest(column, heads)
    return widest if column.least is None else min(widest, column.least)


def _widest(column: Column, heads: bool) -> int:
    every = (cell if isinstance(cell, Text) else Text(cell) for cell in column.cells)
    lines = [line.cell_len for cell in every for line in cell.split()]
    return max([1, cell_len(column.head) if heads else 0, *lines])


def definitions(screen: Console, terms: Mapping[str, str]) -> None:
    """Print terms with what they mean."""
    columns = [
        Column("", [text(term, HEAD) for term in terms], left=True),
        Column("", [text(meaning) for meaning in terms.values()], left=True, wrap=True),
    ]
    screen.print(fitted(columns, min(screen.width, WIDEST_TEXT), heads=False))


def section(screen: Console, title: str, note: str = "", first: bool = False) -> None:
    """Print the head of a section, after a blank line unless it is the first of all.

    A note that has no room beside it goes below.
    """
    if not first:
        screen.print()
    line = Text.assemble((title, HEAD))
    beside = cell_len(title) + 2 + cell_len(note) <= screen.width
    if note and beside:
        line.append("  " + note, style=DIM)
    screen.print(line)
    if note and not beside:
        indented(screen, Text(note, style=DIM))


@contextmanager
def working(what: str, after: float = 0.7) -> Iterator[None]:
    """Show a spinner on standard error while something takes longer than ``after`` seconds.

    Nothing is shown where standard error is no terminal.
    """
    screen = console(stderr=True)
    if not screen.is_terminal:
        yield
        return
    status = screen.status(text(what))
    timer = threading.Timer(after, status.start)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        status.stop()
