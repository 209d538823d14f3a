"""Everything that a bare name can mean, proposals to published chances, and where each lies."""

from __future__ import annotations

import csv
import itertools
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from difprog.base import files
from difprog.base.errors import DifprogError

#: Most files of the working folder that are looked into.
MOST_FILES = 200

KINDS = {"project": "proposals", "portfolio": "portfolios", "scenario": "scenarios"}
MODELS, CHANCES = "models", "published chances"


@dataclass(frozen=True)
class Listed:
    """One thing that a bare name means.

    Attributes
    ----------
    kind : str
        "proposals", "portfolios", "scenarios", "models" or "published chances".
    name, title : str
        What to type, and what it is, as its file says.
    path : Path
        The file.
    place : {"here", "yours", "ships"}
        In the working folder, the user's own, or among the files that ship.
    hides : Path or None
        A file that ships and that the same name would mean without this one.
    """

    kind: str
    name: str
    title: str
    path: Path
    place: str
    hides: Path | None = None


def catalogue() -> list[Listed]:
    """Return everything that a bare name can mean, in the order in which it is shown."""
    found = [one for kind in KINDS for one in _files(kind)]
    return [*found, *_models(), *_chances()]


def _files(kind: str) -> Iterator[Listed]:
    known: dict[str, list[tuple[str, Path]]] = {}
    places = zip(("here", "yours", "ships"), files.search_folders(kind), strict=True)
    for place, folder in places:
        if not folder.is_dir():
            continue
        paths = sorted(folder.glob(f"*{files.KINDS[kind].suffix}"))[:MOST_FILES]
        for path in paths:
            # The working folder holds files of other kinds too.
            if path.is_file() and (place != "here" or _is(kind, path)):
                known.setdefault(path.stem, []).append((place, path))
    for name in sorted(known):
        (place, path), *below = known[name]
        yield Listed(KINDS[kind], name, _title(kind, path), path, place, below[0][1] if below else None)


def _is(kind: str, path: Path) -> bool:
    if kind == "portfolio":
        return "name" in _columns(path)
    # What Python calls a project is none of ours.
    return kind == "project" and path.name != "pyproject.toml" and "project" in _content(path)


def _content(path: Path) -> dict[str, object]:
    try:
        return files.read_toml(path)[0]
    except DifprogError:
        return {}


def _columns(path: Path) -> list[str]:
    try:
        text, _ = files.read_text(path, files.TABLE_LIMIT)
        return next(csv.reader(text.splitlines()[:1]), [])
    except (DifprogError, csv.Error):
        return []


def _title(kind: str, path: Path) -> str:
    """Return what a file says it is: a proposal's name, a scenario's first sentence, a table's rows."""
    if kind == "portfolio":
        try:
            text, _ = files.read_text(path, files.TABLE_LIMIT)
            rows = sum(1 for _ in csv.reader(text.splitlines())) - 1
        except (DifprogError, csv.Error):
            return "cannot be read"
        return f"{max(rows, 0)} rows"
    if kind == "project":
        table = _content(path).get("project")
        return str(table.get("name", "")) if isinstance(table, dict) else "cannot be read"
    try:
        text, _ = files.read_text(path)
        tomllib.loads(text)
    except (DifprogError, ValueError, RecursionError):
        return "cannot be read"
    return _first_sentence(text)


def _first_sentence(text: str) -> str:
    """Return the first sentence of the comment that a file begins with; "" where there is none."""
    lines = itertools.dropwhile(lambda line: not line.startswith("# "), text.splitlines())
    own = itertools.takewhile(lambda line: line.startswith("# "), lines)
    comment = " ".join(line[2:].strip() for line in own)
    sentence, stop, _ = comment.partition(". ")
    return sentence + stop.strip()


def _models() -> Iterator[Listed]:
    from difprog.models.model import load, shipped_models

    for name, path in shipped_models().items():
        yield Listed(MODELS, name, load(name).title, path, "ships")


def _chances() -> Iterator[Listed]:
    """Yield the published chances of the outcome that ``--believe`` takes by name."""
    from difprog.beliefs import published

    for name, entry in published.outcomes().items():
        said = ", ".join(f"{key} {100 * chance:.3g}%" for key, chance in published.chances(entry).items())
        yield Listed(CHANCES, name, f"{said}: {entry['who']}", published.path("outcomes"), "ships")
