"""Forecasts as a table, one a row, in the form that spreadsheets and forecasting sites read: out and in.

A chance has a ``probability``; a quantity has percentiles, ``p5`` and so on, as many as anybody states.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from difprog.base import files
from difprog.base.errors import BadInput, Problems
from difprog.base.units import UnitError, quantity
from difprog.beliefs.forms import PERCENTILE
from difprog.record.log import KINDS, Entry, Log, answer, line, resolution
from difprog.record.predictive import Point, content, from_quantiles, level_of, percentile, read

#: Percentiles that are written.
LEVELS = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)

COLUMNS = (
    "id", "project", "quantity", "question", "kind", "unit", "made", "resolves", "probability",
    *map(percentile, LEVELS), "outcome", "source",
)  # fmt: skip


def written(log: Log) -> str:
    """Return all forecasts as CSV, due first."""
    stream = io.StringIO()
    table = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    table.writeheader()
    for entry in sorted(log.entries.values(), key=lambda e: (e.resolves, e.id)):
        table.writerow(_row(log, entry))
    return stream.getvalue()


def _row(log: Log, entry: Entry) -> dict[str, Any]:
    said, outcome = entry.forecast, log.outcome(entry)
    if isinstance(said, float):
        numbers: dict[str, Any] = {"probability": said}
    else:
        numbers = {percentile(p): f"{said.quantile(p):.6g}" for p in LEVELS}
    words = {True: "yes", False: "no"}.get(outcome) if isinstance(outcome, bool) else outcome
    return {
        "id": entry.id, "project": entry.project, "quantity": entry.quantity, "question": entry.question,
        "kind": entry.kind, "unit": entry.unit, "made": entry.made.isoformat(),
        "resolves": entry.resolves.isoformat(), **numbers, "outcome": "" if words is None else words,
        "source": log.resolutions[entry.id].source if outcome is not None else "",
    }  # fmt: skip


def taken(path: Path, known: Log, now: datetime | None = None) -> list[dict[str, Any]]:
    """Return the lines that a table adds to a log: forecasts, and answers where it has them.

    Rows whose id the log has are passed by.

    Raises
    ------
    BadInput
        With everything that is wrong with the table; no line is taken then.
    """
    text, _ = files.read_text(path, files.TABLE_LIMIT)
    problems = Problems(str(path))
    now = now or datetime.now(UTC)
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        problems.add("", f"is not CSV: {error}")
        rows = []
    found: list[dict[str, Any]] = []
    for number, row in enumerate(rows, 1):
        cells = {str(k).strip(): v.strip() for k, v in row.items() if k is not None and isinstance(v, str)}
        if cells.get("id") not in known.entries:
            found += _lines(f"row {number}", cells, problems, now)
    if not rows and not problems:
        problems.add("", "has no rows", hint=f"columns such as {', '.join(COLUMNS[1:9])}")
    problems.check()
    return found


def _lines(
    where: str, cells: Mapping[str, str], problems: Problems, now: datetime
) -> Iterable[dict[str, Any]]:
    days: dict[str, date] = {}
    for key, otherwise in (("made", now.date().isoformat()), ("resolves", "")):
        try:
            days[key] = date.fromisoformat(cells.get(key) or otherwise)
        except ValueError:
            problems.add(f"{where}: {key}", "is no day", cells.get(key), "such as 2027-06-30")
    name = cells.get("quantity") or cells.get("question")
    if not name:
        problems.add(f"{where}: question", "is missing")
    said = _said(where, cells, problems)
    if len(days) < 2 or not name or said is None:
        return []
    kind = cells.get("kind", "")
    event = {
        "event": "forecast", "quantity": cells.get("quantity") or name,
        "question": cells.get("question") or name, "kind": kind if kind in KINDS else "own",
        "made": days["made"].isoformat(), "resolves": days["resolves"].isoformat(), "forecast": said,
    }  # fmt: skip
    event |= {key: cells[key] for key in ("unit", "project") if cells.get(key)}
    own = line(event)
    if not cells.get("outcome"):
        return [own]
    entry = Entry(
        own["id"], name, name, kind, cells.get("unit", ""), cells.get("project", ""),
        days["made"], days["resolves"], read(said), {},
    )  # fmt: skip
    try:
        outcome = answer(entry, cells["outcome"], now.date())
    except BadInput as error:
        problems.add(f"{where}: outcome", error.problems[0].message, cells["outcome"])
        return []
    return [own, resolution(entry, outcome, cells.get("source", ""), now)]


def _said(where: str, cells: Mapping[str, str], problems: Problems) -> dict[str, object] | None:
    """Return the forecast of a row, as a line of the log has it; None where there is none."""
    numbers: dict[str, float] = {}
    for key, cell in cells.items():
        if cell and (key == "probability" or PERCENTILE.fullmatch(key)):
            unit = "" if key == "probability" else cells.get("unit", "")
            try:
                numbers[key] = quantity(cell, None, unit)
            except UnitError as error:
                problems.add(f"{where}: {key}", str(error), cell, error.hint)
                return None
    try:
        if "probability" in numbers:
            return content(read({"chance": numbers["probability"]}))
        pairs = sorted((level, v) for n, v in numbers.items() if (level := level_of(n)) is not None)
        if len(pairs) == 1:
            return Point(pairs[0][1]).content()
        return from_quantiles(tuple(p for p, _ in pairs), tuple(v for _, v in pairs)).content()
    except ValueError as error:
        problems.add(where, str(error), hint="a probability, or percentiles such as p5, p50 and p95")
        return None
