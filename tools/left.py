"""What lies in a folder, and what of it only a working program may leave there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

#: What names of parts and locks end in.
LEFT = (".lock", ".difprog-part", ".difprog-lock")


def hidden(folder: Path) -> list[str]:
    """Return what is left that only a working program may leave: parts, locks, other hidden things."""
    return sorted(
        name for name in _below_here(folder)
        if (last := name.rpartition("/")[2]).startswith(".") or last.endswith(LEFT)
    )  # fmt: skip


def _below_here(folder: Path) -> Iterator[str]:
    """Yield the names of all files and folders below one."""
    for place, folders, names in os.walk(folder):
        start = place[len(str(folder)) + 1 :].replace(os.sep, "/")
        yield from (f"{start}/{name}" if start else name for name in (*folders, *names))


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder by name, without those that are left over by design."""
    found = {}
    for name in sorted(_below_here(folder)):
        parts = name.split("/")
        apart = "locks" in parts or name.endswith(".lock") or any(part.startswith(".") for part in parts)
        if not apart and (folder / name).is_file():
            found[name] = (folder / name).read_bytes()
    return found
