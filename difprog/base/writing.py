"""Write files and folders, each whole or not at all, and nothing but regular ones.

What is written lies beside its place until it is whole, under a name of the program's own
(``.NAME.….difprog-part``); what a killed write leaves of it the next write of the same file takes away.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any

from difprog.base import aside
from difprog.base.errors import BadInput, Problem
from difprog.base.stream import Stream

#: How the name of what is not whole yet ends.
PART = ".difprog-part"


def destination(path: Path, folder: bool = False) -> Path:
    """Return where an output goes, links followed, after checking that it can be one: before any work.

    Parameters
    ----------
    path : Path
        What was asked for. It need not exist, nor the folders that it lies in.
    folder : bool
        Whether it is to be a folder, not a file.

    Raises
    ------
    BadInput
        Where it is a device, a FIFO, a loop of links, a folder in place of a file or the other way
        round, or lies below something that is no folder.
    """
    wanted = "a folder" if folder else "a regular file"
    try:
        place = path.resolve()
        if path.is_symlink() and not path.exists() and place.is_symlink():
            raise OSError(errno.ELOOP, "its links lead in a circle")
        kind = _kind(place)
        if kind is not None and not (stat.S_ISDIR(kind) if folder else stat.S_ISREG(kind)):
            raise BadInput(Problem(str(path), "", f"cannot be written: it is there, and not {wanted}"))
        above = place.parent
        while (kind := _kind(above)) is None and above != above.parent:
            above = above.parent
        if kind is not None and not stat.S_ISDIR(kind):
            raise BadInput(Problem(str(path), "", f"cannot be written: {above.name} is no folder"))
    except (OSError, RuntimeError, ValueError) as error:
        loop = isinstance(error, RuntimeError) or getattr(error, "errno", 0) == errno.ELOOP
        reason = "its links lead in a circle" if loop else getattr(error, "strerror", None) or "bad path"
        raise BadInput(Problem(str(path), "", f"cannot be written: {reason.lower()}")) from None
    return place


def _kind(path: Path) -> int | None:
    """Return the mode of what is at a place, None where nothing is."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None


def write_atomically(path: Path, data: str | bytes) -> None:
    """Write a file whole or not at all: a part beside it, flushed to the disk, then renamed.

    Whatever makes the bytes makes them in memory: no library is let near the disk, so that a full
    one is an error here and nowhere else. (What is too large for that: `Stream`.)

    Parameters
    ----------
    path : Path
        The file; its folder is made where missing. An existing file keeps its permissions.
    data : str or bytes
        The new content; text is written as UTF-8 with its line ends as they are.

    Raises
    ------
    BadInput
        Where the text cannot be written as UTF-8, or the place is none for a file.
    OSError
        Where the file cannot be written; it names the file.
    """
    try:
        content = data.encode() if isinstance(data, str) else data
    except UnicodeEncodeError:
        raise BadInput(Problem(str(path), "", "would hold text that is not UTF-8")) from None
    place = destination(path)
    with named(path), _part(place, content) as part:
        mode = place.stat().st_mode & 0o777 if place.exists() else 0o666 & ~umask()
        part.chmod(mode)
        part.replace(place)


def check_room(path: Path, size: int) -> None:
    """Refuse where so many bytes find no room beside a file that is to be written: before long work.

    Parameters
    ----------
    path : Path
        The file; its folder is made where missing.
    size : int
        Bytes.

    Raises
    ------
    BadInput
        Where the place is none for a file.
    OSError
        Where they find no room, or the folder cannot be written; it names the file.
    """
    place = destination(path)
    with named(path), _part(place, bytes(size)):
        pass


@contextmanager
def _part(place: Path, content: bytes) -> Iterator[Path]:
    """Write bytes to a new file beside a place, flushed to the disk; what is not renamed is taken away."""
    place.parent.mkdir(parents=True, exist_ok=True)
    _sweep(place)
    part = _new(place)
    with aside.put(lambda: part.unlink(missing_ok=True)):
        descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        try:
            _held(descriptor)
            write_all(descriptor, content)
            yield part
        finally:
            os.close(descriptor)


class FolderDraft:
    """A folder that is being written beside its place.

    Attributes
    ----------
    folder : Path
        Where its files lie until it is whole.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, data: bytes) -> None:
        """Write a file of it, named by its relative path, with slashes."""
        with self.stream(name) as stream:
            stream.write(data)

    @contextmanager
    def stream(self, name: str) -> Iterator[Stream]:
        """Write a file of it piece by piece; an error of the system is raised at the end at the latest."""
        place = self.folder.joinpath(*PurePosixPath(name).parts)
        place.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        stream = Stream(os.open(place, flags, 0o666))
        try:
            yield stream
        finally:
            stream.close()
        stream.check()


@contextmanager
def folder_atomically(folder: Path) -> Iterator[FolderDraft]:
    """Write a folder of files whole or not at all; an earlier one is replaced as a whole.

    Parameters
    ----------
    folder : Path
        Where; made with the folders that it lies in. Whether what is there may be replaced is the
        caller's to know.

    Yields
    ------
    FolderDraft
        Takes the files; where the block ends without an error the folder is put in its place.

    Raises
    ------
    BadInput
        Where the place is none for a folder.
    OSError
        Where it cannot be written; it names the folder. Nothing is left behind.
    """
    place = destination(folder, folder=True)
    with named(folder):
        place.parent.mkdir(parents=True, exist_ok=True)
        _sweep(place)
        new, old = parts = _new(place), _new(place)

        def take_away() -> None:
            for part in parts:
                shutil.rmtree(part, ignore_errors=True)

        with aside.put(take_away):
            held: list[int] = []
            try:
                for part in parts:
                    part.mkdir(0o700)
                    with suppress(OSError):
                        held.append(os.open(part, os.O_RDONLY))
                        _held(held[-1])
                yield FolderDraft(new)
                new.chmod(place.stat().st_mode & 0o777 if place.exists() else 0o777 & ~umask())
                if not place.exists():
                    new.replace(place)
                elif not swap(new, place):
                    place.replace(old)
                    new.replace(place)
            finally:
                for descriptor in held:
                    os.close(descriptor)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of it, and have it on the disk."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
    os.fsync(descriptor)


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Let an error of the system say which output it is that was not written."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or "an error of the system"
        raise OSError(error.errno, f"was not written: {reason}", str(path)) from error


def _prefix(place: Path) -> str:
    return f".{place.name[:40]}."


def _new(place: Path) -> Path:
    """Return a name for a part that no one else has."""
    return place.with_name(f"{_prefix(place)}{os.urandom(4).hex()}{PART}")


def _held(descriptor: int) -> None:
    """Mark a part as being written by a process that is alive; where that cannot be, it is not swept."""
    if os.name == "posix":
        import fcntl

        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _sweep(place: Path) -> None:
    """Take away what killed writes of the same file or folder left beside it."""
    if os.name != "posix":
        return
    import fcntl

    # Exactly as it was named here: the name, eight characters, the end.
    parts = re.compile(re.escape(_prefix(place)) + r"[a-z0-9_]{8}" + re.escape(PART))
    for entry in os.scandir(place.parent):
        if not parts.fullmatch(entry.name) or entry.is_symlink():
            continue
        with suppress(OSError):
            descriptor = os.open(entry.path, os.O_RDONLY | os.O_NONBLOCK)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if entry.is_dir():
                    shutil.rmtree(entry.path)
                else:
                    Path(entry.path).unlink()
            finally:
                os.close(descriptor)


def swap(first: Path, second: Path) -> bool:
    """Let two files or folders change places in one step; False where the system has no such step."""
    import ctypes

    exchange = 2  # RENAME_EXCHANGE of Linux, RENAME_SWAP of macOS
    ends = os.fsencode(first), os.fsencode(second)
    system: Any = ctypes.CDLL(None) if os.name == "posix" else None
    if sys.platform == "linux" and hasattr(system, "renameat2"):
        here = -100  # AT_FDCWD: paths are taken from the working folder
        return bool(system.renameat2(here, ends[0], here, ends[1], exchange) == 0)
    if sys.platform == "darwin" and hasattr(system, "renamex_np"):
        return bool(system.renamex_np(*ends, exchange) == 0)
    return False


def umask() -> int:
    """Return the permissions that new files are not given."""
    current = os.umask(0)
    os.umask(current)
    return current
