"""Find and read files: shipped ones, the user's own, and those named by path.

The only place that knows where the shipped ``models/`` and ``priors/`` are: beside the package
in a checkout or an editable install, inside it in a wheel. And the one door for reading: `read_bytes`
takes regular files of a limited size within a limited time. What writes is `difprog.base.writing`.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import sys
import time
import tomllib
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from difprog.base import limits
from difprog.base.errors import BadInput, Problem, nearest

#: Largest file of each kind that is read, in bytes.
TOML_LIMIT = limits.TOML_BYTES.most
TABLE_LIMIT = limits.TABLE_BYTES.most

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
        A path (it has a separator or a suffix), or a bare name, looked up in the working
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
            notice.get()(shadowed(name, found[0], found[1], kind))
        return found[0]
    raise BadInput(
        Problem(name, "", f"no {KINDS[kind].noun} of that name", hint=_suggest(name, kind))
    )


def shadowed(name: str, taken: Path, hidden: Path, kind: str) -> str:
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
        hint = 'text stands in quotes: duration = "18 months"' if "value" in str(error) else ""
        raise BadInput(Problem(where, "", f"is not valid TOML: {error}", hint=hint)) from None
    except (RecursionError, ValueError):
        raise BadInput(Problem(where, "", "is nested too deeply or holds too long a number")) from None


def _sayable(content: Any) -> bool:
    """Whether every whole number of a file is one that a machine's floating numbers reach."""
    if isinstance(content, dict):
        return all(map(_sayable, content.values()))
    if isinstance(content, list):
        return all(map(_sayable, content))
    return not isinstance(content, int) or content.bit_length() <= sys.float_info.max_exp
