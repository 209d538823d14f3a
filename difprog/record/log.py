"""The log: one line of JSON per event, only ever added to. Reads and appends; knows no scores.

An event is a forecast, what it rests on, or how it turned out. Keys are sorted, and a line's id is the
hash of all else in it: so lines of two people can be merged in any order (git: ``merge=union``), the same
line twice counts once, and one that was changed afterwards is seen to have been. Keys that this version
does not know are passed by; a line that cannot be read is named by its number and loses only itself.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from difprog.base import files, locks
from difprog.base.errors import BadInput, Problem, plain
from difprog.base.plainjson import digest
from difprog.record.predictive import Predictive, read

#: What lines of this version call their form. A later version may add keys, and keeps the meaning of these.
SCHEMA = "difprog.log-line/1"

#: Hexadecimal digits of an id: two lines of a million share one with a chance of 1 in 500.
ID = 12

#: How a forecast can end other than by an answer.
ASIDE = ("ambiguous", "withdrawn")

#: What forecasts are about, in the order of the report.
KINDS = {
    "project": "what the project takes", "effect": "what reviewers say of its effects",
    "world": "the world", "own": "questions of your own",
}  # fmt: skip


class Said(NamedTuple):
    """What one model said: its credence then, and its forecast."""

    credence: float
    forecast: Predictive | float


@dataclass(frozen=True)
class Entry:
    """A forecast that time will resolve.

    Attributes
    ----------
    id, quantity, question, kind, unit : str
        The line's; a name such as "duration"; in words; a key of `KINDS`; "" for a plain number.
    project : str
        The proposal that it is about; "" for the world.
    made, resolves : date
        The days on which it was made, and by which it resolves.
    forecast : Predictive or float
        A distribution, or the chance of yes.
    models : dict of str to Said
        What every model said.
    """

    id: str
    quantity: str
    question: str
    kind: str
    unit: str
    project: str
    made: date
    resolves: date
    forecast: Predictive | float
    models: Mapping[str, Said]

    @property
    def yes_no(self) -> bool:
        """Whether the answer is yes or no."""
        return isinstance(self.forecast, float)

    @property
    def asked(self) -> tuple[str, str, int]:
        """What tells questions apart: forecasts of one resolve nearly alike, whenever they were made."""
        return self.project, self.quantity, self.resolves.year

    @property
    def topic(self) -> str:
        """Whose luck it shares: the project's, or that of one quantity of the world."""
        return self.project or self.quantity.rstrip("0123456789")


@dataclass(frozen=True)
class Resolution:
    """How a forecast turned out.

    Attributes
    ----------
    of : str
        Id of the forecast.
    at : str
        When it was written, UTC, as ISO 8601: the latest counts.
    outcome : float, bool or str
        The quantity in the forecast's unit; yes or no; one of `ASIDE`.
    source : str
        Who says so.
    """

    id: str
    of: str
    at: str
    outcome: float | bool | str
    source: str


@dataclass
class Log:
    """What a log holds.

    Attributes
    ----------
    entries : dict of str to Entry
        By id, in the order of the file.
    resolutions : dict of str to Resolution
        By the forecast's id, the latest of each.
    ids : set of str
        Those of all lines.
    damaged : list of str
        What is wrong with lines that were passed by.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    resolutions: dict[str, Resolution] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)
    damaged: list[str] = field(default_factory=list)

    def outcome(self, entry: Entry) -> float | bool | str | None:
        """Return how a forecast turned out, None while it is open."""
        found = self.resolutions.get(entry.id)
        return None if found is None else found.outcome

    @property
    def open(self) -> list[Entry]:
        """The forecasts that nothing is known of yet, due first."""
        found = [e for e in self.entries.values() if e.id not in self.resolutions]
        return sorted(found, key=lambda e: (e.resolves, e.made, e.project, e.quantity, e.id))

    def meant(self, start: str) -> Entry:
        """Return the forecast whose id starts so; raises `BadInput` where it is none or several."""
        found = [e for e in self.entries.values() if e.id.startswith(start.lower())] if start else []
        if len(found) == 1:
            return found[0]
        what = "no forecast has this id" if not found else f"{len(found)} forecasts have ids that start so"
        raise BadInput(Problem("ID", "", what, start, "difprog log list --all shows them"))


def place() -> Path:
    """Return where the user's log lies."""
    return files.user_folder() / "log.jsonl"


def line(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event with its form and its id."""
    content = {"schema": SCHEMA, **event}
    return {**content, "id": digest(content)[:ID]}


def add(path: Path, lines: Iterable[Mapping[str, Any]]) -> list[str]:
    """Append lines that a log does not hold yet; return their ids. Processes that add at once take turns.

    Raises
    ------
    BadInput
        Where the log cannot be one, or is full, or another process holds it.
    """
    with locks.locked(path):
        known = load(path).ids if path.exists() else set()
        new = {str(one["id"]): one for one in lines if one["id"] not in known}
        if new:
            texts = [json.dumps(o, sort_keys=True, ensure_ascii=False, allow_nan=False) for o in new.values()]
            locks.append(path, "".join(f"{text}\n" for text in texts).encode())
        return list(new)


def load(path: Path) -> Log:
    """Return what a log holds; an empty one where there is no file yet.

    Raises
    ------
    BadInput
        Where it is no regular file, or too large.
    """
    return parse(files.read_bytes(path, files.TABLE_LIMIT)) if path.exists() else Log()


def parse(data: bytes) -> Log:
    """Return what the bytes of a log hold."""
    found = Log()
    for number, raw in enumerate(data.split(b"\n"), 1):
        if not raw.strip():
            continue
        try:
            take(found, _event(raw))
        except ValueError as error:
            found.damaged.append(f"line {number} is passed by: it {plain(error, 200)}")
    return found


def _event(raw: bytes) -> dict[str, Any]:
    try:
        content = json.loads(raw.decode())
    except (ValueError, RecursionError):
        raise ValueError("is no whole line of JSON") from None
    if not isinstance(content, dict):
        raise ValueError("is no event")
    try:
        own = digest({key: value for key, value in content.items() if key != "id"})
    except (ValueError, RecursionError):
        raise ValueError("holds what is no number") from None
    if content.get("id") != own[:ID]:
        raise ValueError("is not as it was written: its id belongs to something else")
    return content


def take(log: Log, event: Mapping[str, Any]) -> None:
    """Add an event to what a log holds; raises ValueError where it says what cannot be."""
    kind = event.get("event")
    if kind == "forecast":
        entry = _entry(event)
        log.entries.setdefault(entry.id, entry)
    elif kind == "resolution":
        made = _resolution(event)
        before = log.resolutions.get(made.of)
        if before is None or (made.at, made.id) >= (before.at, before.id):
            log.resolutions[made.of] = made
    elif kind != "basis":
        raise ValueError(f"is an event that this version does not know: {kind}")
    log.ids.add(event["id"])


def _entry(event: Mapping[str, Any]) -> Entry:
    forecast = read(event.get("forecast"))
    models: dict[str, Said] = {}
    said = event.get("models", {})
    if not isinstance(said, Mapping):
        raise ValueError("has no models where they should be")
    for name, own in said.items():
        credence = own.get("credence") if isinstance(own, Mapping) else None
        if not isinstance(credence, (int, float)) or not 0 <= credence <= 1:
            raise ValueError(f"has no credence of {name}")
        alone = read(own["forecast"]) if "forecast" in own else forecast
        if isinstance(alone, float) != isinstance(forecast, float):
            raise ValueError(f"has a forecast of {name} of another form")
        models[name] = Said(float(credence), alone)
    kind = _text(event, "kind")
    return Entry(
        _text(event, "id"), _text(event, "quantity"), _text(event, "question"),
        kind if kind in KINDS else "own", _text(event, "unit", ""), _text(event, "project", ""),
        _day(event, "made"), _day(event, "resolves"), forecast, models,
    )  # fmt: skip


def _resolution(event: Mapping[str, Any]) -> Resolution:
    outcome = event.get("outcome")
    if not isinstance(outcome, (bool, float, int)) and outcome not in ASIDE:
        raise ValueError("has no outcome")
    if not isinstance(outcome, (bool, str)):
        outcome = float(outcome)
        if not math.isfinite(outcome):
            raise ValueError("has an outcome that is no number")
    at = _text(event, "at")
    datetime.fromisoformat(at)
    return Resolution(_text(event, "id"), _text(event, "of"), at, outcome, _text(event, "source", ""))


def _text(event: Mapping[str, Any], key: str, otherwise: str | None = None) -> str:
    found = event.get(key, otherwise)
    if not isinstance(found, str):
        raise ValueError(f"has no {key}")
    return found


def _day(event: Mapping[str, Any], key: str) -> date:
    try:
        return date.fromisoformat(_text(event, key))
    except ValueError:
        raise ValueError(f"has no day where it says {key}") from None


def resolution(entry: Entry, outcome: float | bool | str, source: str, at: datetime) -> dict[str, Any]:
    """Return the line that resolves a forecast."""
    stamp = at.isoformat(timespec="microseconds")
    return line({
        "event": "resolution", "of": entry.id, "at": stamp, "outcome": outcome, "source": plain(source),
    })  # fmt: skip


def answer(entry: Entry, text: str, today: date) -> float | bool | str:
    """Return what a user says a forecast came to: "yes", "18 months", "ambiguous".

    Raises
    ------
    BadInput
        Where it is no answer to this question, or none that can be known on this day.
    """
    from difprog.base.units import UnitError, quantity

    word = text.strip().lower()
    if word in ASIDE:
        return word
    if entry.yes_no:
        if word in ("yes", "true", "1", "no", "false", "0"):
            said = word in ("yes", "true", "1")
            if not said and today < entry.resolves and entry.quantity.startswith("agi_by_"):
                why = f"cannot be known before {entry.resolves}: only yes can come sooner"
                raise BadInput(Problem("VALUE", entry.quantity, why, text, "or ambiguous, or withdrawn"))
            return said
        raise BadInput(Problem("VALUE", "", "must be yes or no, ambiguous or withdrawn", text))
    try:
        return quantity(text, None, entry.unit)
    except UnitError as error:
        hint = error.hint or f"in {entry.unit or 'plain numbers'}; or ambiguous, or withdrawn"
        raise BadInput(Problem("VALUE", entry.quantity, str(error), text, hint)) from None
