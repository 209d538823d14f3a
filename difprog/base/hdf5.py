"""The one door to HDF5 files, which may be anybody's: refused are those that the library never ends with.

HDF5 keeps texts in heaps ("GCOL"), objects one after the other, each with its size. One whose size is 0, or
so large that it wraps around, has the library go round in C for ever, where no signal reaches it. Layout:
HDF5 File Format Specification 3.0, III.E. Reads only.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SIGNATURE, HEAP = b"\x89HDF\r\n\x1a\n", b"GCOL"

#: Where a superblock, by its version, says how wide offsets and lengths are; written here they are 8 bytes.
WIDTHS = {0: 13, 1: 13, 2: 9, 3: 9}

#: Bytes before the first object of a heap, and before each object's content.
HEAD = 16

#: More heaps, or larger ones, than texts of ours need.
MOST, LARGEST = 1000, 1 << 24


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a file to read from it, as h5py does.

    Raises
    ------
    ValueError, OSError
        As `check`; and where the library does not know it.
    """
    check(path)
    import h5py

    with h5py.File(path, "r") as stream:
        yield stream


def check(path: Path) -> None:
    """Refuse a file with a heap in which HDF5 would not come to an end.

    Raises
    ------
    ValueError
        Where it is so, or the file is none that this program writes.
    OSError
        Where it cannot be read.
    """
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        widths = WIDTHS.get(data[8]) if data[:8] == SIGNATURE and len(data) > HEAD else None
        if widths is None or data[widths : widths + 2] != b"\x08\x08":
            raise ValueError("not HDF5 as it is written here")
        at, heaps = data.find(HEAP), 0
        while at >= 0:
            heaps += 1
            if heaps > MOST:
                raise ValueError(f"more than {MOST:,} heaps of texts")
            if data[at + 4 : at + 5] == b"\x01":  # of another version HDF5 reads none
                _check_heap(data, at)
            at = data.find(HEAP, at + 1)


def _check_heap(data: mmap.mmap, start: int) -> None:
    if start + HEAD > len(data):
        return
    (size,) = struct.unpack_from("<Q", data, start + 8)
    end, at = start + size, start + HEAD
    if end > len(data):
        return  # HDF5 does not find all of it, and says so; or these are numbers that look like a heap
    if size > LARGEST:
        raise ValueError("a heap of texts is too large")
    while at + HEAD <= end:
        index, _, length = struct.unpack_from("<HH4xQ", data, at)
        # Object 0 is what is free, with its head; the content of another is filled up to eights.
        step = length if index == 0 else HEAD + -(-length // 8) * 8
        if not 0 < step <= end - at:
            raise ValueError("a heap of texts does not end")
        at += step
