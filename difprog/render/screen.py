"""The terminal: one console per stream, plain characters where it has no others, progress.

Everything that reaches a terminal goes through here, so that width, NO_COLOR, pipes and
encodings are respected in one place.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.text import Text

from difprog.base.errors import plain

GOOD, BAD, DIM, HEAD = "green", "red", "dim", "bold"

#: Columns that every table can be folded into; a terminal that says it has fewer is not believed.
NARROWEST = 40

_PLAIN = str.maketrans(
    {
        "−": "-", "±": "~", "…": ".", "·": "|", "●": "o", "┃": "|", "│": "|", "─": "-", "╂": "|",
        "┬": "+", "░": ".", "▒": ":", "▓": "*", "█": "#", "→": ">", "≤": "<", "≥": ">", "–": "-",
        "▏": "|", "▕": "|", "×": "x", "∞": "inf", "“": '"', "”": '"', "’": "'", "Δ": "D", "◂": "<", "▸": ">",
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


def section(screen: Console, title: str, note: str = "") -> None:
    """Print the head of a section."""
    screen.print()
    line = Text(title, style=HEAD)
    if note:
        line.append("  " + note, style=DIM)
    screen.print(line)


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
