"""Partial results of a long ranking, kept as they come, so that a kill loses a second's work.

Two files in a folder: ``rows.jsonl``, to which one line per row is only ever appended, and
``best.npz``, replaced whole now and then, which says up to where those lines count and who was
best of every draw by then. What lies beyond, a torn last line too, is cut off and done again.
Touches its own folder and nothing else; numbers pass through unchanged.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from difprog.base import files, locks, writing
from difprog.base.errors import BadInput, Problem, plain
from difprog.choose.best import Best

#: Seconds between two checkpoints.
EVERY = 1.0

ROWS, BEST = "rows.jsonl", "best.npz"


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
    """Where a line stands."""

    number: int
    effect: float | None
    offset: int


class Journal:
    """The kept results of one ranking.

    Parameters
    ----------
    folder : Path
        Where; made where missing. One process at a time.
    hashes : sequence of str
        The rows' hashes, in order: lines for rows that have changed since are not taken up.
    models, count : int
        Shape of what `Best` keeps.
    fresh : bool
        Forget what is there.

    Raises
    ------
    BadInput
        Where another process is at work in the folder.
    """

    def __init__(
        self, folder: Path, hashes: Sequence[str], models: int, count: int, fresh: bool = False
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._lock = ExitStack()
        try:
            self._lock.enter_context(locks.locked(folder / ROWS, patience=0))
        except BadInput:
            raise BadInput(
                Problem("rank", "", "the same ranking is being made by another process",
                        hint="wait for it, or stop it")
            ) from None  # fmt: skip
        self.entries: list[Entry] = []
        self.best = Best(models, count)
        self._hash = hashlib.sha256()
        self._length = 0
        self._saved = 0.0
        if fresh or not self._take_up(hashes, (models, count)):
            self.entries, self.best = [], Best(models, count)
            self._hash, self._length = hashlib.sha256(), 0
        self._stream = (folder / ROWS).open("ab" if self._length else "wb")
        self._stream.truncate(self._length)

    def _take_up(self, hashes: Sequence[str], shape: tuple[int, int]) -> bool:
        """Read back what was kept; False where it is of no use."""
        try:
            with (self.folder / BEST).open("rb") as file, np.load(file, allow_pickle=False) as kept:
                length, wanted = int(kept["length"]), str(kept["sha256"])
                best = Best.from_arrays(kept["value"], kept["holder"], kept["nodes"])
            if best.value.shape != shape:
                return False
            with (self.folder / ROWS).open("rb") as stream:
                while self._length < length:
                    raw = stream.readline()
                    if not raw.endswith(b"\n"):
                        return False
                    line = _parse(raw)
                    at = len(self.entries)
                    if at >= len(hashes) or (line.number, line.sha256) != (at + 1, hashes[at]):
                        return False
                    self.entries.append(Entry(line.number, line.effect, self._length))
                    self._hash.update(raw)
                    self._length += len(raw)
        except (
            ArithmeticError, EOFError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError,
            zipfile.BadZipFile,
        ):  # fmt: skip
            # Whatever a half-written or foreign file raises: the work is done again.
            return False
        self.best = best
        return self._length == length and self._hash.hexdigest() == wanted

    def append(self, lines: Sequence[Line], best: Best) -> None:
        """Keep a chunk of results: the lines of the next rows, and who was best of them."""
        for line in lines:
            raw = json.dumps(line, ensure_ascii=True).encode() + b"\n"
            with writing.named(self.folder / ROWS):
                self._stream.write(raw)
            self.entries.append(Entry(line.number, line.effect, self._length))
            self._hash.update(raw)
            self._length += len(raw)
        self.best.merge(best)
        if time.monotonic() - self._saved >= EVERY:
            self.checkpoint()

    def checkpoint(self) -> None:
        """Make everything so far count after a kill."""
        with writing.named(self.folder / ROWS):
            self._stream.flush()
            os.fsync(self._stream.fileno())
        buffer = io.BytesIO()
        kept: dict[str, Any] = {
            "length": np.int64(self._length),
            "sha256": np.array(self._hash.hexdigest()),
            **self.best.arrays(),
        }
        np.savez(buffer, **kept)
        writing.write_atomically(self.folder / BEST, buffer.getvalue())
        self._saved = time.monotonic()

    def read(self, entries: Sequence[Entry]) -> Iterator[Line]:
        """Yield lines in the order asked for, one at a time."""
        with writing.named(self.folder / ROWS):
            self._stream.flush()
        with (self.folder / ROWS).open("rb") as stream:
            for entry in entries:
                stream.seek(entry.offset)
                yield _parse(stream.readline())

    def close(self, done: bool = False) -> None:
        """Let go of the folder; where all is done and shown, or nothing counts yet, forget what was kept.

        Writes nothing that counts: an interrupt may have come between a chunk's lines and its best.
        """
        with suppress(OSError):  # of a full disk, which has been said
            self._stream.close()
        forget = done or not (self.folder / BEST).exists()
        if forget:
            for name in (BEST, ROWS):
                (self.folder / name).unlink(missing_ok=True)
        self._lock.close()
        if forget:
            with suppress(OSError):  # another process may have begun the same
                self.folder.rmdir()


def _parse(raw: bytes) -> Line:
    number, sha256, effect, text = json.loads(raw)
    if not isinstance(number, int) or not isinstance(sha256, str) or not isinstance(text, str):
        raise ValueError(f"not a line of a journal: {plain(raw, 40)}")
    return Line(number, sha256, None if effect is None else float(effect), text)


def folder_for(key: str) -> Path:
    """Return the folder in which the ranking of that key keeps its partial results."""
    return files.cache_folder() / "rank" / key[:32]


__all__ = ["Entry", "Journal", "Line", "folder_for"]
