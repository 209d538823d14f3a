"""Sentences in which some words are marked, what things are called, and numbers with their errors.

A sentence is plain text of which some words are strong, good, bad, or a name; what a mark looks
like is the caller's: the terminal, markdown and HTML say the same. The sentences themselves are in
`difprog.render.verdict`, `difprog.render.reasons` and `difprog.render.trust`, made of the plain data
of `difprog.render.content` and `difprog.render.explained`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from difprog.forecast.summary import MICRODOOM, Summary
from difprog.render.format import MINUS, interval, microdooms, percent, significant, supported, with_error

#: Words and how they are marked: "", STRONG, GOOD, BAD or NAME (an identifier).
Span = tuple[str, str]
Sentence = tuple[Span, ...]
STRONG, GOOD, BAD, NAME = "strong", "good", "bad", "name"

#: What the channels and, inside the last, the paths are called.
CHANNEL_TITLES = {
    "parallel": "parallel work",
    "serial": "serial progress",
    "capability": "capability speedup",
    "adoption": "adoption, lead, breadth",
    "run_up": "know-how and run-up",
}
PATH_TITLES = {
    "know_how": "path 1: know-how, followers",
    "run_up": "path 2: a better run-up",
    "solution": "path 3: a solution",
}
MIXTURE = "all, by credence"
WHICH_MODEL = "which model is right"
MICRODOOMS_NOTE = "in microdooms averted: millionths of the chance of success"

#: Unit of what is bought → what it is called.
UNITS = {"million_usd": "million dollars", "fte_year": "person-year"}

#: A model's sign → what it says, and the colour that goes with it.
VERDICTS = {1: ("helps", GOOD), -1: ("harms", BAD), 0: ("makes no difference that shows", "")}


def plain(sentence: Sentence) -> str:
    """Return a sentence without its marks."""
    return "".join(words for words, _ in sentence)


def said(*parts: str | Span) -> Sentence:
    """Return a sentence from words and marked words."""
    return tuple(part if isinstance(part, tuple) else (part, "") for part in parts if part)


def listed(names: Sequence[str], most: int = 6) -> str:
    """Return "a, b and c"; "a, b and 7 more" where there are many."""
    shown = list(names) if len(names) <= most else [*names[: most - 1], f"{len(names) - most + 1} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def summary(values: Mapping[str, Any]) -> Summary:
    """Return a SUMMARY object of the interface as a `Summary`."""
    return Summary(**{name: float(values.get(name) or 0.0) for name in Summary.__dataclass_fields__})


def net_of(content: Mapping[str, Any]) -> Summary:
    """Return the mixture's net effect."""
    return summary(content["ensemble"]["net_effect"])


def leading(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the mixture's part of the data, or the only model's."""
    found: Mapping[str, Any] = content["ensemble"] if len(content["models"]) > 1 else content["models"][0]
    return found


def sign_of(mean: float, error: float) -> int:
    """Return the sign of a mean that two standard errors tell from zero, else 0."""
    return 0 if abs(mean) <= 2 * error else 1 if mean > 0 else -1


def channel_title(name: str) -> str:
    """Return what a channel is called; one that a user's model defines has its own name."""
    return CHANNEL_TITLES.get(name, name.replace("_", " "))


def meaning(content: Mapping[str, Any], name: str) -> str:
    """Return what a belief is about, in brackets; "" where no file states it."""
    found = next((row["meaning"] for row in content["provenance"] if row["name"] == name), "")
    return f"({found})" if found else ""


def amount(value: float, error: float | None, digits: int = 2) -> str:
    """Return a positive amount cut where its error begins; "about" where the error is near its size."""
    error = error or 0.0
    if error >= abs(value) / 2:
        return f"about {significant(value, 1)}"
    return supported(value, error, digits=digits)


def net_cells(net: Mapping[str, Any], count: int) -> list[str]:
    """Return mean ± error and interval in microdooms, and the chances of help and of harm."""
    return [
        with_error(net["mean"], net["mcse"], MICRODOOM, sign=True),
        interval(net["lower"], net["upper"], MICRODOOM, sign=True),
        percent(net["p_positive"], count),
        percent(net["p_negative"], count),
    ]


#: Microdooms below which a median is only said to be less.
LEAST_MEDIAN = 1e-3


def median(net: Mapping[str, Any]) -> str:
    """Return a median in microdooms, as finely as its error supports; two digits where none is known."""
    value, error = net["median"], net.get("median_se")
    if 0 < abs(value) < LEAST_MEDIAN * MICRODOOM:
        return f"<+{LEAST_MEDIAN}" if value > 0 else f">{MINUS}{LEAST_MEDIAN}"
    if error is None:
        return significant(value / MICRODOOM, 2, sign=True) if value else "0"
    return microdooms(value, error)
