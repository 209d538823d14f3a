"""The list of what a bare name can mean, in the terminal and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from difprog.base import files
from difprog.library.catalogue import Listed
from difprog.render import screen

#: What is done with a kind of thing.
_USES = {
    "proposals": "difprog score NAME",
    "portfolios": "difprog rank NAME",
    "scenarios": "--scenario NAME",
    "models": "--model NAME",
    "published chances": "--believe NAME",
}

#: The place of what comes with the program.
SHIPS = "ships"

#: Columns of the list at most, and those that a title has at the least.
WIDEST, LEAST_TITLE = 120, 24


def data(found: Sequence[Listed]) -> dict[str, Any]:
    """Return the list as plain data for JSON."""
    rows = [
        {
            "kind": one.kind, "name": one.name, "title": one.title, "path": str(one.path), "place": one.place,
            "hides": None if one.hides is None else str(one.hides),
        }
        for one in found
    ]  # fmt: skip
    return {"schema": "difprog.list/1", "found": rows}


def listing(found: Sequence[Listed], out: Console) -> None:
    """Print the list, a table per kind; what lies elsewhere than among the files that ship says where."""
    for place, (kind, use) in enumerate(_USES.items()):
        own = [one for one in found if one.kind == kind]
        screen.section(out, kind, use if own else "none", first=place == 0)
        columns = [
            screen.Column("", [screen.text(one.name) for one in own], left=True, wrap=True),
            screen.Column("", [_title(one) for one in own], left=True, wrap=True, least=LEAST_TITLE),
        ]
        if any(one.place != SHIPS for one in own):
            columns.append(screen.Column("", [_where(one) for one in own], left=True, wrap=True))
        if own:
            screen.indented(out, screen.fitted(columns, min(out.width, WIDEST) - screen.MARGIN, heads=False))


def _title(one: Listed) -> Text:
    """Return what a thing is, and which file that ships its name hides."""
    title = screen.text(one.title)
    if one.hides is not None:
        title.append(f" (hides {files.label(one.hides)})", style=screen.DIM)
    return title


def _where(one: Listed) -> Text:
    where = SHIPS if one.place == SHIPS else f"{one.place}: {one.path.name}"
    return screen.text(where, screen.DIM)
