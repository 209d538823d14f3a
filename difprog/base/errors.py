"""The exception classes, and how a problem with a file is worded.

Imports nothing of difprog and reads nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import NamedTuple

#: What other programs, and people, call some keys → what they are called here.
ELSEWHERE = {
    "family": "distribution", "dist": "distribution", "type": "distribution", "median": "p50", "p05": "p5",
    "low": "p5", "lower": "p5", "min": "bounds", "high": "p95", "upper": "p95", "max": "bounds",
    "reference": "source", "citation": "source", "url": "source", "comment": "note", "reason": "note",
    "title": "name", "description": "summary", "method": "approach", "policy": "publication",
    "budget": "cost", "price": "cost", "amount": "cost", "people": "effort", "team": "effort",
    "fte": "effort", "length": "duration", "time": "duration",
}  # fmt: skip

#: Longest piece of a user's text that an error message repeats.
QUOTE_LIMIT = 60


def plain(text: object, limit: int | None = None) -> str:
    """Return text from a file as one line with nothing in it that a terminal obeys.

    Control, format (bidirectional marks among them), surrogate and private-use characters
    become ``?``; white space is folded.

    Parameters
    ----------
    text : object
        Anything; it is converted by ``str``.
    limit : int, optional
        Longest result; a longer text is cut and ends in ``…``.
    """
    try:
        folded = " ".join(str(text).split())
    except ValueError:  # a whole number of more digits than Python spells out
        folded = "a number of thousands of digits"
    safe = "".join("?" if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co"} else c for c in folded)
    return safe if limit is None or len(safe) <= limit else safe[: limit - 1] + "…"


def nearest(word: object, known: Iterable[str]) -> str | None:
    """Return the known name nearest to a misspelt one, in any case, or None where none is near.

    A name that is only begun, or one word of it, counts as near too: "agent" is "agent-foundations".
    """
    names = {name.lower(): name for name in known}
    wanted = str(word)[:80].lower()
    found = get_close_matches(wanted, list(names), n=1, cutoff=0.6)
    if not found and len(wanted) >= 3:
        found = sorted((n for n in names if wanted in re.split(r"[-_. ]", n)), key=len)
        found = found or sorted((n for n in names if n.startswith(wanted)), key=len)
    return names[found[0]] if found else None


class Problem(NamedTuple):
    """One thing that is wrong with an input: where, what, what was got, what to do."""

    file: str
    key: str
    message: str
    got: object = None
    hint: str = ""

    def __str__(self) -> str:
        where = ": ".join(plain(part) for part in (self.file, self.key) if part)
        got = "" if self.got is None else f" (got {plain(self.got, QUOTE_LIMIT)})"
        hint = f"; {plain(self.hint)}" if self.hint else ""
        return f"{where}: {plain(self.message)}{got}{hint}"


class DifprogError(Exception):
    """Base of everything that difprog raises on purpose."""

    exit_status = 1


class BadInput(DifprogError):
    """An input cannot be used; carries every problem that was found.

    Parameters
    ----------
    problems : Problem
        At least one.
    """

    exit_status = 2

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(str(p) for p in problems))
        self.problems = problems


class DiagnosticsFailed(DifprogError):
    """The work is done but a diagnostic is past its threshold."""

    exit_status = 3


class Problems:
    """Collects problems so that all of a file's are reported at once."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[Problem] = []

    def __bool__(self) -> bool:
        return bool(self.found)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self.found)

    def add(self, key: str, message: str, got: object = None, hint: str = "") -> None:
        """Note one more problem at ``key`` of this file; what was got is kept as text."""
        said = None if got is None else plain(got, QUOTE_LIMIT)
        self.found.append(Problem(self.file, key, message, said, hint))

    def unknown(self, key: str, word: str, known: Iterable[str], what: str = "unknown key") -> None:
        """Note a name that is not known, with the nearest that is."""
        names = sorted(known)
        near = ELSEWHERE.get(str(word).lower())
        near = near if near in names else nearest(word, names)
        few = f"one of: {', '.join(names)}" if len(names) <= 12 else ""
        self.add(key, what, word, f'did you mean "{near}"?' if near else few)

    def check(self) -> None:
        """Raise `BadInput` with everything found, if anything was."""
        if self.found:
            raise BadInput(*self.found)
