"""Find, read, write and lock files: shipped ones, the user's own, and those named by path.

The only place that knows where the shipped ``models/`` and ``priors/`` are: beside the package
in a checkout or an editable install, inside it in a wheel. And the one door for reading and for
writing: `read_bytes` takes regular files of a limited size within a limited time, `write_atomically`
writes a whole file or none, and to nothing but a regular file. What a killed write leaves
(``.NAME.….difprog-part``) the next write of that file takes away.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
import shutil
import stat
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from difprog.base import limits
from difprog.base.errors import BadInput, Problem, nearest

#: Largest file of each kind that is read, in bytes.
TOML_LIMIT = limits.TOML_BYTES.most
TABLE_LIMIT = limits.TABLE_BYTES.most

#: How the name of what is not whole yet ends, and of a lock.
PART, LOCK = ".difprog-part", ".difprog-lock"

#: Seconds to wait for another process that changes the same file.
PATIENCE = 10.0

#: Told, in one line, where a file of the working folder hides one of the same name.
notice: ContextVar[Callable[[str], None]] = ContextVar("notice", default=lambda _: None)

_PACKAGE = Path(__file__).resolve().parent.parent
#: A key of fifty parts, a.b.c…: the time that tomllib takes grows with the cube of their number.
_PART = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+"""
_DEEP = re.compile(rf"(?:^|[{{,])[ \t\[]*+(?:{_PART}){{50}}", re.MULTILINE)
#: A number so long that it cannot be said again: Python reads it, and refuses to write it in decimals.
_LONG = re.compile(r"0[xob][0-9A-Fa-f_]{300}")
_BARE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was read: where it is, what to call it, its bytes' SHA-256."""

    path: Path
    label: str
    sha256: str


def shipped(*parts: str) -> Path:
    """Return the path of a shipped folder or file, for example ``shipped("priors", "world.toml")``."""
    inside = _PACKAGE / "_builtin"
    root = inside if inside.is_dir() else _PACKAGE.parent
    return root.joinpath(*parts)


def user_folder() -> Path:
    """Return the user's own folder: ``$DIFPROG_HOME``, else the platform's place for settings."""
    home = os.environ.get("DIFPROG_HOME")
    if home:
        return Path(home)
    import platformdirs

    return Path(platformdirs.user_config_dir("difprog", appauthor=False))


def cache_folder() -> Path:
    """Return the folder for results that can be computed again."""
    home = os.environ.get("DIFPROG_HOME")
    if home:
        return Path(home) / "cache"
    import platformdirs

    return Path(platformdirs.user_cache_dir("difprog", appauthor=False))


def label(path: Path) -> str:
    """Return what a file is called in reports: no report says where on a machine it was made."""
    for part in ("priors", "models"):
        try:
            return Path(part, path.resolve().relative_to(shipped(part).resolve())).as_posix()
        except ValueError:
            continue
    return path.name


def is_path(name: str) -> bool:
    """Whether a name on the command line means a path and not a bare name."""
    return os.sep in name or "/" in name or Path(name).suffix != "" or not _BARE.fullmatch(name)


def find(name: str, kind: str) -> Path:
    """Return the file that a path or a bare name means.

    Parameters
    ----------
    name : str
        A path (it has a separator or a suffix), or a bare name, looked up beside the working
        folder, in the user's own folder, then among the files that ship.
    kind : {"project", "priors", "scenario", "portfolio"}
        What is looked for.

    Raises
    ------
    BadInput
        Where there is none, with the nearest name that there is.
    """
    if is_path(name):
        path = Path(name)
        if not _exists(path):
            raise BadInput(Problem(name, "", "no such file", hint=_suggest(name, kind)))
        return path
    places = (folder / f"{name}{KINDS[kind].suffix}" for folder in search_folders(kind))
    found = [path for path in places if _exists(path)]
    if found:
        # The user's own belief files hide nothing: they lie over those that ship.
        if len(found) > 1 and (kind != "priors" or found[0].parent == Path()):
            notice.get()(_shadowed(name, found[0], found[1], kind))
        return found[0]
    raise BadInput(
        Problem(name, "", f"no {KINDS[kind].noun} of that name", hint=_suggest(name, kind))
    )


def _shadowed(name: str, taken: Path, hidden: Path, kind: str) -> str:
    """Return what is said where two files answer to a bare name."""
    where = "in the working folder" if taken.parent == Path() else "in your own folder"
    other = "the one that ships" if hidden.is_relative_to(shipped()) else f"{hidden}"
    note = ""
    if kind == "priors" and taken.parent == Path():
        note = f"; a forecast does not read it unless told to by --priors {taken}"
    return f'"{name}" is {taken.name} {where}, not {other}{note}'


class Kind(NamedTuple):
    """One kind of file that a bare name can mean."""

    noun: str
    suffix: str
    own: str
    """Its folder in the user's own."""
    shipped: tuple[str, ...]
    """Its folder among the files that ship."""


KINDS = {
    "project": Kind("proposal", ".toml", "projects", ("priors", "projects")),
    "priors": Kind("prior file", ".toml", "priors", ("priors",)),
    "scenario": Kind("scenario", ".toml", "scenarios", ("priors", "scenarios")),
    "portfolio": Kind("portfolio", ".csv", "portfolios", ("priors", "portfolios")),
}


def search_folders(kind: str) -> tuple[Path, ...]:
    """Return the folders in which a bare name is looked up, in order."""
    return Path(), user_folder() / KINDS[kind].own, shipped(*KINDS[kind].shipped)


def available(kind: str) -> dict[str, Path]:
    """Return the bare names that can be found, with the file each means."""
    found: dict[str, Path] = {}
    for folder in search_folders(kind)[1:]:
        if folder.is_dir():
            for path in sorted(folder.glob(f"*{KINDS[kind].suffix}")):
                found.setdefault(path.stem, path)
    return found


def _suggest(name: str, kind: str) -> str:
    names = sorted(available(kind))
    near = nearest(Path(name).stem, names)
    if near:
        return f'did you mean "{near}"?'
    return f"those that ship: {', '.join(names)}" if names else ""


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def read_bytes(path: Path, limit: int, name: str | None = None) -> bytes:
    """Return a file's bytes.

    Raises
    ------
    BadInput
        Where it is missing, a folder, not a regular file, too large, or cannot be read.
    """
    where = name or str(path)
    try:
        data = _read(path, limit, where)
    except FileNotFoundError:
        raise BadInput(Problem(where, "", "no such file")) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "bad path"
        raise BadInput(Problem(where, "", f"cannot be read: {reason.lower()}")) from None
    if len(data) > limit:
        raise BadInput(
            Problem(where, "", f"is too large to be such a file (over {limit:,} bytes)")
        )
    return data


def _read(path: Path, limit: int, where: str) -> bytes:
    """Return up to ``limit`` + 1 bytes of a regular file; waits for nobody, and not for ever."""
    wait = time.monotonic() + limits.READING
    # Without waiting: a FIFO that nobody writes to, a file of the system that gives nothing yet.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        kind = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(kind):
            raise BadInput(Problem(where, "", _NOT_A_FILE.get(stat.S_IFMT(kind), "is not a regular file")))
        pieces, left = [], limit + 1
        while left and (piece := os.read(descriptor, min(left, 1 << 20))):
            pieces.append(piece)
            left -= len(piece)
            if time.monotonic() > wait:
                raise BadInput(
                    Problem(where, "", f"cannot be read: no end of it in {limits.READING:.0f} seconds")
                )
        return b"".join(pieces)
    finally:
        os.close(descriptor)


_NOT_A_FILE = {stat.S_IFDIR: "is a folder, not a file"}


def read_text(path: Path, limit: int = TOML_LIMIT, name: str | None = None) -> tuple[str, Source]:
    """Return a UTF-8 file's text and what identifies it; raises `BadInput` like `read_bytes`."""
    data = read_bytes(path, limit, name)
    where = name or str(path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(
            Problem(where, "", f"is not UTF-8 text (at byte {error.start})", hint="save it as UTF-8")
        ) from None
    return text, Source(path, label(path), hashlib.sha256(data).hexdigest())


def read_toml(path: Path, name: str | None = None) -> tuple[dict[str, Any], Source]:
    """Return a TOML file's content and what identifies it; raises `BadInput`."""
    text, source = read_text(path, TOML_LIMIT, name)
    return parse_toml(text, name or str(path)), source


def parse_toml(text: str, where: str) -> dict[str, Any]:
    """Return the content of TOML text; raises `BadInput`, naming the line."""
    if _DEEP.search(text):
        raise BadInput(Problem(where, "", "is nested too deeply: a key has fifty parts"))
    try:
        content = tomllib.loads(text)
        if _LONG.search(text) and not _sayable(content):
            raise ValueError
        return content
    except tomllib.TOMLDecodeError as error:
        raise BadInput(Problem(where, "", f"is not valid TOML: {error}")) from None
    except (RecursionError, ValueError):
        raise BadInput(Problem(where, "", "is nested too deeply or holds too long a number")) from None


def _sayable(content: Any) -> bool:
    """Whether every whole number of a file is one that a machine's floating numbers reach."""
    if isinstance(content, dict):
        return all(map(_sayable, content.values()))
    if isinstance(content, list):
        return all(map(_sayable, content))
    return not isinstance(content, int) or content.bit_length() <= sys.float_info.max_exp


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
    with named(path):
        place.parent.mkdir(parents=True, exist_ok=True)
        _sweep(place)
        descriptor, temporary = tempfile.mkstemp(PART, _prefix(place), place.parent)
        try:
            _held(descriptor)
            _write(descriptor, content)
            mode = place.stat().st_mode & 0o777 if place.exists() else 0o666 & ~umask()
            Path(temporary).chmod(mode)
            Path(temporary).replace(place)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
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
        stream = Stream(os.open(place, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666))
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
        new, old = (Path(tempfile.mkdtemp(PART, _prefix(place), place.parent)) for _ in range(2))
        held: list[int] = []
        try:
            for part in (new, old):
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
            for part in (new, old):
                shutil.rmtree(part, ignore_errors=True)
            for descriptor in held:
                os.close(descriptor)


class Stream(io.RawIOBase):
    """A file that a library writes to, which never hears that the disk is full.

    HDF5 may take the process with it where writing fails, at once or when it closes. So the first error is
    kept for `check`, and whatever is written after it goes nowhere.

    Parameters
    ----------
    descriptor : int
        An open file, read and written; closed with the stream.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._at = self._end = 0
        self._error: OSError | None = None

    def check(self) -> None:
        """Raise the error that writing met, if it met any."""
        if self._error is not None:
            raise self._error

    def write(self, data: Any) -> int:
        """Write all of it where the stream stands."""
        view = memoryview(data).cast("B")
        size, done = len(view), 0
        try:
            while self._error is None and done < size:
                done += os.pwrite(self._descriptor, view[done:], self._at + done)
        except OSError as error:
            self._error = error
        self._at += size
        self._end = max(self._end, self._at)
        return size

    def readinto(self, buffer: Any) -> int:
        """Read where the stream stands, zeros for what could not be written."""
        view = memoryview(buffer).cast("B")
        size = max(0, min(len(view), self._end - self._at))
        found = os.pread(self._descriptor, size, self._at)
        view[:size] = found + bytes(size - len(found))
        self._at += size
        return size

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Stand elsewhere."""
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._end}[whence]
        return self._at

    def tell(self) -> int:
        """Return where the stream stands."""
        return self._at

    def truncate(self, size: int | None = None) -> int:
        """Cut the file, or lengthen it by zeros."""
        self._end = self._at if size is None else size
        try:
            if self._error is None:
                os.ftruncate(self._descriptor, self._end)
        except OSError as error:
            self._error = error
        return self._end

    def readable(self) -> bool:
        """Whether it can be read."""
        return True

    def writable(self) -> bool:
        """Whether it can be written."""
        return True

    def seekable(self) -> bool:
        """Whether it can stand elsewhere."""
        return True

    def close(self) -> None:
        """Have all of it on the disk, and close the file."""
        if self.closed:
            return
        try:
            if self._error is None:
                os.fsync(self._descriptor)
        except OSError as error:
            self._error = error
        finally:
            os.close(self._descriptor)
            super().close()


def _write(descriptor: int, data: bytes) -> None:
    """Write all of it, and have it on the disk."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
    os.fsync(descriptor)


def append(path: Path, data: bytes, limit: int = TABLE_LIMIT) -> None:
    """Add whole lines to the end of a text file, in one write: nothing that is there is touched.

    Processes that append at once take turns. A kill may leave a part of the last line: the next
    append starts a new line first, so that nothing else is lost.

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
        Where the place is none for a file, another process holds it, or it would be too large to be
        read again.
    OSError
        Where it cannot be written; it names the file, which is as it was.
    """
    place = destination(path)
    with locked(path), named(path):
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
                _write(descriptor, data)
            except OSError:
                # A full disk takes a part: none of it stays.
                os.ftruncate(descriptor, size)
                if not size:
                    place.unlink()
                raise
        finally:
            os.close(descriptor)


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
    with named(path):
        descriptor = _acquired(lock, patience, path)
    try:
        yield
    finally:
        # Unlinked while it is held: who waits for it sees that it is another file now.
        with suppress(OSError):
            if os.fstat(descriptor).st_size == 0:
                lock.unlink()
        os.close(descriptor)
        # A folder that was made for the lock alone goes with it.
        with suppress(OSError):
            for folder in made:
                folder.rmdir()


def _acquired(lock: Path, patience: float, path: Path) -> int:
    """Return the descriptor of a lock that is held and still lies where it is looked for."""
    until = time.monotonic() + patience
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    while True:
        try:
            descriptor = os.open(lock, flags, 0o666)
        except FileNotFoundError:  # no folder yet, or another process has just taken it away
            lock.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(lock, flags, 0o666)
        if _try_lock(descriptor):
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), lock.stat()):
                    return descriptor
        os.close(descriptor)
        if time.monotonic() > until:
            raise BadInput(Problem(str(path), "", "is being changed by another command", hint="try again"))
        time.sleep(0.01)


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
