"""The difference of two saved runs, as plain data and on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from difprog import __version__
from difprog.base.errors import plain
from difprog.forecast.summary import MICRODOOM
from difprog.render import data
from difprog.render.format import microdooms, supported, with_error
from difprog.render.screen import DIM, HEAD, MARGIN, Column, fitted, indented, section, text
from difprog.runs.attribution import Attribution, Change, Moved
from difprog.runs.runs import Run

DIFF_SCHEMA = "difprog.diff/1"


def as_data(found: Attribution) -> dict[str, Any]:
    """Return the JSON of ``difprog diff``."""

    def moved(parts: Mapping[str, Moved]) -> dict[str, Any]:
        return {name: asdict(part) for name, part in parts.items()}

    def change(part: Change) -> dict[str, Any]:
        return {
            "kind": part.kind,
            "what": part.what,
            "was": part.was,
            "now": part.now,
            "ensemble": moved(part.ensemble),
            "models": [{"model": name, **moved(each)} for name, each in part.models.items()],
        }

    return {
        "schema": DIFF_SCHEMA,
        "version": __version__,
        "runs": [_run(found.first), _run(found.second)],
        "paired": found.paired,
        "total": change(found.total),
        "changes": [change(part) for part in found.changes],
        "files": [{"file": name, "how": how} for name, how in found.files],
        "versions": {name: list(pair) for name, pair in found.versions.items()},
    }


def _run(run: Run) -> dict[str, Any]:
    return {
        "project": run.manifest["project"]["name"],
        "sha256": run.manifest["sha256"],
        "draws": run.count,
        "seed": run.manifest["seed"],
        "ensemble": dict(run.summary["ensemble"]),
        "models": [
            {"model": m["model"], "net_effect": m["net_effect"], "p_success_with": m["p_success_with"]}
            for m in run.summary["models"]
        ],
    }


def terminal(found: Attribution, screen: Console) -> None:
    """Print what moved, and what moved it."""
    old, new = (run.summary["ensemble"] for run in (found.first, found.second))
    names = [plain(run.manifest["project"]["name"], 60) for run in (found.first, found.second)]
    screen.print(Text(names[0] if names[0] == names[1] else " → ".join(names), style=HEAD))
    screen.print()
    total = found.total.ensemble["net_effect"]
    screen.print(
        Padding(
            Text.assemble(
                "The net effect went from ",
                (_micro(old["net_effect"]), HEAD), " to ", (_micro(new["net_effect"]), HEAD),
                " microdooms averted", _by(total, found),
            ),
            (0, 0, 0, 2), expand=False,
        )
    )  # fmt: skip
    _by_model(found, screen)
    if found.paired:
        _changes(found, screen)
    else:
        screen.print()
        screen.print(
            Text(
                "The runs have different seeds, so that no change can be told from the luck of the "
                "draws: score again with one --seed to see what moved it."
            )
        )
    if found.files or found.versions:
        section(screen, "Inputs that differ")
        for name, how in found.files:
            screen.print(Padding(text(f"{name}: {how}"), (0, 0, 0, 2), expand=False))
        for name, (was, now) in found.versions.items():
            screen.print(Padding(text(f"{name}: {was} → {now}"), (0, 0, 0, 2), expand=False))


def _by(total: Moved, found: Attribution) -> str:
    if total.mean == 0 and total.mcse == 0:
        return ": exactly the same." if not found.changes or _still(found) else "."
    error = f" ± {supported(total.mcse / MICRODOOM, total.mcse / MICRODOOM)}" if total.mcse else ""
    return f": {microdooms(total.mean, total.mcse)}{error}."


def _still(found: Attribution) -> bool:
    return all(part.mean == 0 for each in found.total.models.values() for part in each.values())


def _micro(summary: Mapping[str, float]) -> str:
    return microdooms(summary["mean"], summary["mcse"])


def _by_model(found: Attribution, screen: Console) -> None:
    section(screen, "What moved", "effect in microdooms averted; chance of success in percentage points")
    rows = []
    sides = [{m["model"]: m for m in run.summary["models"]} for run in (found.first, found.second)]
    entries = [(name, sides[0][name], sides[1][name], each) for name, each in found.total.models.items()]
    both = [run.summary["ensemble"] for run in (found.first, found.second)]
    entries.append(("all, by credence", both[0], both[1], found.total.ensemble))
    for name, old, new, each in entries:
        net, chance = each["net_effect"], each["p_success_with"]
        rows.append([
            name, _micro(old["net_effect"]), _micro(new["net_effect"]),
            _change(net, MICRODOOM), _change(chance, 0.01),
        ])  # fmt: skip
    heads = ["model", "first", "second", "change ± error", "success, points"]
    _table(heads, rows, screen)
    gone = [m for m in sides[0] if m not in found.total.models]
    come = [m for m in sides[1] if m not in found.total.models]
    for words, names in (("only in the first run", gone), ("only in the second", come)):
        if names:
            screen.print(text(f"  {words}: {', '.join(names)}", DIM))


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], screen: Console) -> None:
    """Print a table of a name, set flush left and wrapped if need be, and numbers."""
    names, *numbers = zip(*rows, strict=True)
    columns = [Column(heads[0], [text(name) for name in names], left=True, wrap=True)]
    columns += [Column(head, cells) for head, cells in zip(heads[1:], numbers, strict=True)]
    indented(screen, fitted(columns, screen.width - MARGIN))


def _change(part: Moved, unit: float) -> str:
    if part.mean == 0 and part.mcse == 0:
        return "0"
    return with_error(part.mean, part.mcse, unit, sign=True)


def _changes(found: Attribution, screen: Console) -> None:
    if not any(part.kind != "interaction" for part in found.changes):
        screen.print()
        screen.print(Text("No belief, fact, evidence or code that decides the answer differs."))
        return
    section(screen, "What moved it", "each change alone, on the same draws; largest first")
    rows = []
    for part in found.changes:
        what = f"{part.kind} {part.what}" if part.kind in ("belief", "fact", "evidence") else part.what
        if part.kind == "credences":
            what = "credences"
        rows.append([
            what, _change(part.ensemble["net_effect"], MICRODOOM),
            _change(part.ensemble["p_success_without"], 0.01),
        ])  # fmt: skip
    heads = ["change", "net effect", "success without, points"]
    _table(heads, rows, screen)
    words = [part for part in found.changes if part.was or part.now]
    if words:
        section(screen, "From what to what")
        for part in words:
            line = text(f"{part.what}: {part.was or 'nothing'} → {part.now or 'nothing'}")
            screen.print(Padding(line, (0, 0, 0, 2), expand=False))


def dumps(found: Attribution) -> str:
    """Return the JSON text."""
    return data.dumps(as_data(found))
