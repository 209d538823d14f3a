"""Partial results of a long ranking, kept as they come, so that a kill loses a second's work.

One SQLite database in a folder: a row for each row of the portfolio that is done, and who was best of every
draw by then, both of the same transaction. What was not committed is as if it had never been.
Touches its own folder and nothing else; numbers pass through unchanged.
"""

from __future__ import annotations

import errno
import io
import sqlite3
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from difprog.base import files, plainjson
from difprog.base.errors import BadInput, Problem
from difprog.choose.best import Best

#: Seconds between two checkpoints.
EVERY = 1.0

NAME = "rows.sqlite"

SCHEMA = (
    "create table if not exists rows (number integer primary key, sha256 text, effect real, text blob)",
    "create table if not exists best (one integer primary key, state blob, digest text)",
)


class Line(NamedTuple):
    """What a row came to.

    ``text`` is the JSON of the project or, for a row that could not be scored, of its errors;
    ``effect`` its mean net effect, None for an error.
    """

    number: int
    sha256: str
    effect: float | None
    text: str


class Entry(NamedTuple):
    """What a ranking is ordered by."""

    number: int
    effect: float | None


class Journal:
    """The kept results of one ranking.

    Parameters
    ----------
    folder : Path
        Where; made where missing. One process at a time.
    hashes : sequence of str
        The rows' hashes, in order: results of rows that have changed since are not taken up.
    models, count : int
        Shape of what `Best` keeps.
    fresh : bool
        Forget what is there.

    Raises
    ------
    BadInput
        Where another process is at work in the folder.
    OSError
        Where nothing can be written there.
    """

    def __init__(
        self, folder: Path, hashes: Sequence[str], models: int, count: int, fresh: bool = False
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.entries: list[Entry] = []
        self.best = Best(models, count)
        self._digest = ""
        self._saved = 0.0
        try:
            with _told(folder / NAME):
                self._rows = _opened(folder / NAME)
                if fresh or not self._take_up(hashes):
                    self.entries, self.best, self._digest = [], Best(models, count), ""
                    self._rows = _emptied(self._rows, folder / NAME)
        except OSError:
            with suppress(OSError):
                if not (folder / NAME).stat().st_size:
                    _forget(folder / NAME)
                    folder.rmdir()
            raise

    def _take_up(self, hashes: Sequence[str]) -> bool:
        """Read back what was kept; False where it is of no use."""
        try:
            kept = self._rows.execute("select state, digest from best").fetchone()
            if kept is None:
                return False
            with np.load(io.BytesIO(kept[0]), allow_pickle=False) as state:
                best = Best.from_arrays(state["value"], state["holder"], state["nodes"])
            for found in self._rows.execute("select * from rows order by number"):
                line, at = _line(found), len(self.entries)
                if at >= len(hashes) or (line.number, line.sha256) != (at + 1, hashes[at]):
                    return False
                self._note(line)
        except (
            ArithmeticError, EOFError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError,
            sqlite3.Error, zipfile.BadZipFile,
        ):  # fmt: skip
            # Whatever a foreign or damaged file raises: the work is done again.
            return False
        if best.value.shape != self.best.value.shape or self._digest != kept[1]:
            return False
        self.best = best
        return True

    def _note(self, line: Line) -> None:
        """Count a line in; each one's digest covers all before it."""
        self.entries.append(Entry(line.number, line.effect))
        self._digest = plainjson.digest([self._digest, *line])

    def append(self, lines: Sequence[Line], best: Best) -> None:
        """Keep a chunk of results: the lines of the next rows, and who was best of them."""
        with _told(self.folder / NAME):
            self._rows.executemany(
                "insert into rows values (?, ?, ?, ?)",
                [(*line[:3], line.text.encode("utf-8", "surrogatepass")) for line in lines],
            )
        for line in lines:
            self._note(line)
        self.best.merge(best)
        if time.monotonic() - self._saved >= EVERY:
            self.checkpoint()

    def checkpoint(self) -> None:
        """Make everything so far count after a kill."""
        state, arrays = io.BytesIO(), dict[str, Any](self.best.arrays())
        np.savez(state, **arrays)
        with _told(self.folder / NAME):
            self._rows.execute("replace into best values (0, ?, ?)", (state.getvalue(), self._digest))
            self._rows.execute("commit")
            self._rows.execute("begin exclusive")
        self._saved = time.monotonic()

    def read(self, entries: Sequence[Entry]) -> Iterator[Line]:
        """Yield lines in the order asked for, one at a time."""
        with _told(self.folder / NAME):
            for entry in entries:
                found = self._rows.execute("select * from rows where number = ?", (entry.number,))
                yield _line(found.fetchone())

    def close(self, done: bool = False) -> None:
        """Let go of the folder; where all is done and shown, or nothing counts yet, forget what was kept.

        What came after the last checkpoint is taken back: an interrupt may have come between a chunk's lines
        and its best.
        """
        kept = False
        with suppress(sqlite3.Error):  # of a full disk, which has been said
            if self._rows.in_transaction:
                self._rows.execute("rollback")
            kept = self._rows.execute("select 1 from best").fetchone() is not None
        self._rows.close()
        if done or not kept:
            _forget(self.folder / NAME)
            with suppress(OSError):  # another process may have begun the same
                self.folder.rmdir()


def _opened(path: Path) -> sqlite3.Connection:
    """Open a database for this process alone, in a transaction; what is none is replaced by an empty one."""
    rows = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        rows.execute("pragma locking_mode = exclusive")
        rows.execute("pragma journal_mode = truncate")
        rows.execute("begin exclusive")
        for table in SCHEMA:
            rows.execute(table)
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # a damaged name cannot even be told
        rows.close()
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
        if code == sqlite3.SQLITE_BUSY:
            raise BadInput(
                Problem("rank", "", "the same ranking is being made by another process",
                        hint="wait for it, or stop it")
            ) from None  # fmt: skip
        if code not in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR):
            raise
        return _emptied(rows, path)
    except BaseException:
        rows.close()
        raise
    return rows


def _emptied(rows: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    """Take away all that a database holds, be it damaged or foreign."""
    rows.close()
    _forget(path)
    return _opened(path)


def _forget(path: Path) -> None:
    """Take away a database, and what a killed process left beside it."""
    for name in (path.name, f"{path.name}-journal"):
        path.with_name(name).unlink(missing_ok=True)


def _line(found: Sequence[Any]) -> Line:
    number, sha256, effect, text = found
    if not isinstance(text, bytes):
        raise ValueError("a row of a journal has text in bytes")
    return Line(number, sha256, effect, text.decode("utf-8", "surrogatepass"))


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Let an error of the database be one of the system, which says what was not written."""
    try:
        yield
    except sqlite3.Error as error:
        full = error.sqlite_errorcode == sqlite3.SQLITE_FULL
        raise OSError(errno.ENOSPC if full else errno.EIO, f"was not written: {error}", str(path)) from error


def folder_for(key: str) -> Path:
    """Return the folder in which the ranking of that key keeps its partial results."""
    return files.cache_folder() / "rank" / key[:32]


__all__ = ["Entry", "Journal", "Line", "folder_for"]
