"""The list of what a bare name can mean, in the terminal and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
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
}


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
    """Print the list, a table per kind."""
    width = max((len(one.name) for one in found), default=0)
    for kind, use in _USES.items():
        own = [one for one in found if one.kind == kind]
        screen.section(out, kind, use if own else "none")
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True, min_width=min(width, out.width // 2))
        table.add_column(overflow="fold", ratio=1)
        table.add_column(no_wrap=True)
        for one in own:
            where = "ships" if one.place == "ships" else f"{one.place}: {one.path.name}"
            title = screen.text(one.title)
            if one.hides is not None:
                title.append(f" (hides {files.label(one.hides)})", style=screen.DIM)
            table.add_row(screen.text(one.name), title, Text(where, style=screen.DIM))
        out.print(table)
