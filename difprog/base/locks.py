"""Files that several processes change: they take turns, by a lock that lies beside the file."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from difprog.base import aside, limits
from difprog.base.errors import BadInput, Problem
from difprog.base.writing import destination, named, write_all

#: How the name of a lock ends.
LOCK = ".difprog-lock"

#: How it is opened: no link is followed, no FIFO waited for.
FLAGS = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)

#: Seconds to wait for another process that changes the same file.
PATIENCE = 10.0


def append(path: Path, data: bytes, limit: int = limits.TABLE_BYTES.most) -> None:
    """Add whole lines to the end of a text file that is `locked`, in one write: what is there is not touched.

    A kill may leave a part of the last line: the next append starts a new line first, so that nothing
    else is lost.

    Parameters
    ----------
    path : Path
        The file; it and its folder are made where missing.
    data : bytes
        Lines, each with its end.
    limit : int
        The most bytes that the file may come to.

    Raises
    ------
    BadInput
        Where the place is none for a file, or it would be too large to be read again.
    OSError
        Where it cannot be written; it names the file, which is as it was.
    """
    place = destination(path)
    with named(path):
        place.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
        descriptor = os.open(place, flags, 0o666)
        try:
            size = os.fstat(descriptor).st_size
            if size + len(data) >= limit:
                raise BadInput(Problem(str(path), "", f"is full: at most {limit:,} bytes are read again"))
            if size:
                os.lseek(descriptor, -1, os.SEEK_END)
                data = data if os.read(descriptor, 1) == b"\n" else b"\n" + data
            try:
                write_all(descriptor, data)
            except OSError:
                # A full disk takes a part: none of it stays.
                os.ftruncate(descriptor, size)
                if not size:
                    place.unlink()
                raise
        finally:
            os.close(descriptor)


@contextmanager
def locked(path: Path, patience: float = PATIENCE) -> Iterator[None]:
    """Hold the lock on a file, so that two changes of it do not interleave, whoever makes them.

    The lock lies beside the file (``.NAME.difprog-lock``) and is gone when nobody holds it. A killed
    process holds none: the system lets go of it.

    Raises
    ------
    BadInput
        Where another holds it for longer than ``patience`` seconds, or the place is none for a file.
    OSError
        Where the folder cannot be written: neither can the file.
    """
    place = destination(path)
    lock = place.with_name(f".{place.name[:200]}{LOCK}")
    made = [folder for folder in place.parents if not folder.exists()]
    opened: list[int] = []

    def take_away() -> None:
        with suppress(OSError):
            _let_go(lock, opened)
        # A folder that was made for the lock alone goes with it.
        with suppress(OSError):
            for folder in made:
                folder.rmdir()

    with aside.put(take_away):
        with named(path):
            _acquire(lock, patience, path, opened)
        yield


def _acquire(lock: Path, patience: float, path: Path, opened: list[int]) -> None:
    """Hold a lock that lies where it is looked for; its descriptor is in ``opened`` before it is held."""
    until = time.monotonic() + patience
    while True:
        try:
            opened.append(os.open(lock, FLAGS | os.O_CREAT, 0o666))
        except FileNotFoundError:  # no folder yet, or another process has just taken it away
            lock.parent.mkdir(parents=True, exist_ok=True)
            opened.append(os.open(lock, FLAGS | os.O_CREAT, 0o666))
        if _is_held(lock, opened[-1]):
            return
        os.close(opened.pop())
        if time.monotonic() > until:
            raise BadInput(Problem(str(path), "", "is being changed by another command", hint="try again"))
        time.sleep(0.01)


def _let_go(lock: Path, opened: list[int]) -> None:
    """Take a lock away where it is ours, or nobody's: one that was made a moment before a signal."""
    descriptor = opened[-1] if opened else os.open(lock, FLAGS)
    try:
        # Unlinked while it is held: who waits for it sees that it is another file now.
        if _is_held(lock, descriptor) and os.fstat(descriptor).st_size == 0:
            lock.unlink()
    finally:
        os.close(descriptor)
        opened.clear()


def _is_held(lock: Path, descriptor: int) -> bool:
    """Return whether a lock could be held, or was already, and still lies where it is looked for."""
    with suppress(FileNotFoundError):
        return _try_lock(descriptor) and os.path.samestat(os.fstat(descriptor), lock.stat())
    return False


def _try_lock(descriptor: int) -> bool:
    try:
        if os.name == "posix":
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK):
            return False
        raise
    return True
