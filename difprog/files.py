"""Find and read files: shipped ones, the user's own, and those named by path.

The only place that knows where the shipped ``models/`` and ``priors/`` are: beside the package
in a checkout or an editable install, inside it in a wheel.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from difprog.errors import BadInput, Problem, nearest

#: Largest file of each kind that is read, in bytes.
TOML_LIMIT = 1 << 20
TABLE_LIMIT = 1 << 26

_PACKAGE = Path(__file__).resolve().parent
#: A key of fifty parts, a.b.c…: the time that tomllib takes grows with the cube of their number.
_PART = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+"""
_DEEP = re.compile(rf"(?:^|[{{,])[ \t\[]*+(?:{_PART}){{50}}", re.MULTILINE)
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
    kind : {"project", "priors"}
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
    folders = search_folders(kind)
    for folder in folders:
        candidate = folder / f"{name}.toml"
        if _exists(candidate):
            return candidate
    raise BadInput(
        Problem(name, "", f"no {_NOUN[kind]} of that name", hint=_suggest(name, kind))
    )


_NOUN = {"project": "proposal", "priors": "prior file"}


def search_folders(kind: str) -> tuple[Path, ...]:
    """Return the folders in which a bare name is looked up, in order."""
    if kind == "project":
        return Path(), user_folder() / "projects", shipped("priors", "projects")
    return Path(), user_folder() / "priors", shipped("priors")


def available(kind: str) -> dict[str, Path]:
    """Return the bare names that can be found, with the file each means."""
    found: dict[str, Path] = {}
    for folder in search_folders(kind)[1:]:
        if folder.is_dir():
            for path in sorted(folder.glob("*.toml")):
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
        if path.is_dir():
            raise BadInput(Problem(where, "", "is a folder, not a file"))
        if path.exists() and not path.is_file():
            raise BadInput(Problem(where, "", "is not a regular file"))
        with path.open("rb") as stream:
            data = stream.read(limit + 1)
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
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(Problem(where, "", f"is not valid TOML: {error}")) from None
    except (RecursionError, ValueError):
        raise BadInput(Problem(where, "", "is nested too deeply or holds too long a number")) from None


def write_atomically(path: Path, data: str | bytes) -> None:
    """Write a file whole or not at all: a temporary file beside it, flushed, then renamed.

    Parameters
    ----------
    path : Path
        The file; its folder is made where missing. An existing file keeps its permissions.
    data : str or bytes
        The new content; text is written as UTF-8 with its line ends as they are.

    Raises
    ------
    BadInput
        Where the text cannot be written as UTF-8.
    OSError
        Where the file cannot be written.
    """
    try:
        content = data.encode() if isinstance(data, str) else data
    except UnicodeEncodeError:
        raise BadInput(Problem(str(path), "", "would hold text that is not UTF-8")) from None
    try:
        path = path.resolve()
        special = path.exists() and not path.is_file()
    except (OSError, RuntimeError):
        raise BadInput(Problem(str(path), "", "leads round in a circle of links")) from None
    if special:
        raise BadInput(Problem(str(path), "", "is no regular file, and is not replaced by one"))
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


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


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
