"""A proposal by questions: what is asked, what it means, and what an answer may be. Prints nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from difprog.base.errors import BadInput, Problem, Problems
from difprog.base.units import UnitError, interval, quantity
from difprog.beliefs import elicit
from difprog.beliefs.beliefs import Belief
from difprog.beliefs.forms import QUANTITIES
from difprog.race.parameters import CRITERIA, PARAMETERS


@dataclass(frozen=True, slots=True)
class Asked:
    """One question.

    Attributes
    ----------
    key : str
        Of the ``[project]`` table.
    meaning : str
        What it means, in a sentence.
    more : str
        What hangs on it, for those who ask.
    default : str
        Taken where nothing is answered; "" leaves the key out.
    example : str
        One answer.
    choices : dict of str to str
        What may be answered and what it means; None where anything may.
    asked : bool
        Whether it is put without being asked for.
    """

    key: str
    meaning: str
    more: str
    default: str = ""
    example: str = ""
    choices: Mapping[str, str] | None = None
    asked: bool = True

    @property
    def quantity(self) -> bool:
        """Whether the answer is a belief about a quantity."""
        return self.key in QUANTITIES


_AMOUNT = 'One number, or an interval of 90%: "6 to 15" says 1 in 20 below 6 and 1 in 20 above 15.'

QUESTIONS = (
    Asked("name", "what the project is called", "Reports and tables call it this.", "",
          "Sandwiching on medical advice"),
    Asked("summary", "what it does, in a sentence or two", "For readers; no number hangs on it.", "",
          "Help non-experts oversee a model's advice."),
    Asked("kind", "what sort of research it is",
          "Decides how much of its work is worth something to alignment, and how much is capability work "
          "too. Field-building draws people in and does no research of its own.",
          "alignment", "alignment", {
              "alignment": "meant to make AI systems safe", "capabilities": "meant to make them abler",
              "applications": "a narrow use of them", "field-building": "brings people into the field",
          }),
    Asked("focus", "which cases it is about",
          "One axis of the research grid: work on worse cases is taken to be more relevant to alignment, and "
          "less useful to capabilities.", "average", "worst", {
              "average": "the usual case", "pessimistic": "cases harder than usual",
              "worst": "an adversary's best case",
          }),
    Asked("approach", "how it works",
          "The other axis of the grid, and how much of the work is serial: understanding how systems think "
          "cannot be split among many people as well as building can.", "engineering", "cognitivist", {
              "engineering": "makes systems that work", "behaviourist": "looks at what systems do",
              "cognitivist": "looks at how systems think",
          }),
    Asked("novelty", "whether many others work on something like it",
          "Decides how likely it is to speed capabilities up, by how much if so, and how soon someone else "
          "would have found the same.", "mainstream", "niche", {
              "mainstream": "someone else would find the same within months",
              "niche": "few others look there",
          }),
    Asked("publication", "who gets to read the results",
          "What is kept back leaks less to capability research, and helps fewer in alignment research.",
          "open", "delayed", {
              "open": "everyone", "delayed": "everyone, after a year or so", "restricted": "named readers",
              "closed": "nobody outside",
          }),
    Asked("effort", "work on it, in FTE-years: people times years", _AMOUNT, "1 to 5",
          "8 people for 2 years"),
    Asked("start", "when it starts, in years from today", f"{_AMOUNT} Left out, it starts at once.", "",
          "6 months", asked=False),
    Asked("duration", "calendar time from start to end, in years",
          f"{_AMOUNT} Work counts only if it is done before AGI, and serial progress takes time.", "1",
          "18 months"),
    Asked("cost", "what it costs, in USD; matters where demonstrations draw in investment",
          f"{_AMOUNT} It is what the effect per million dollars is counted by.", "", "$2.5M"),
    Asked("group", "projects that exclude each other share a group, such as funding levels of one project",
          "A budget is spent on at most one project of a group.", "", "sandwiching", asked=False),
    Asked("criteria", "which marks of practice on narrowly superhuman models it has, with commas between",
          "One of the models (narrow_superhuman) takes the share that is met for how good practice it is.",
          "", "fine-tunes, humans", {
              "fine-tunes": "fine-tunes an existing large model", "no-scaling": "makes no model larger",
              "humans": "learns from people", "useful": "is useful in earnest",
          }),
)  # fmt: skip


def answer(asked: Asked, text: str) -> Any:
    """Return the value of the key that an answer means, its default where it is empty, None to leave it out.

    Raises
    ------
    BadInput
        Where it is no answer to the question.
    """
    text = text.strip() or asked.default
    problems = Problems(asked.key)
    if asked.key == "criteria":
        found = [word for word in text.replace(",", " ").split() if word not in ("none", "-")]
        for word in found:
            if word not in CRITERIA:
                problems.unknown("", word, CRITERIA, "unknown criterion")
        problems.check()
        return list(dict.fromkeys(found)) or None
    if not text:
        if asked.key == "name":
            what = "is what reports call it, and has no default"
            raise BadInput(Problem("name", "", what, hint='write one, such as "Mine"'))
        return None
    if asked.choices is not None:
        near = [c for c in asked.choices if c.startswith(text.lower())]
        if len(near) != 1:
            problems.unknown("", text, asked.choices, f"unknown {asked.key}")
        problems.check()
        return near[0]
    if asked.quantity:
        content = kept(text, PARAMETERS[asked.key].unit)
        belief(asked, content)
        return content
    return text


def kept(text: str, unit: str) -> float | int | str:
    """Return what a file holds for a quantity: a bare number as one, anything else as it was written."""
    if interval(text) or not all(c in "+-0123456789.,_eE " for c in text):
        return text
    try:
        number = quantity(text, None, unit)
    except UnitError:
        return text
    return int(number) if number.is_integer() and abs(number) < 1e15 else number


def belief(asked: Asked, content: Any) -> Belief:
    """Return the belief that an answer about a quantity states; raises `BadInput`."""
    return elicit.belief(PARAMETERS[asked.key], content)


def defaults() -> dict[str, Any]:
    """Return the answers that are taken where none is given."""
    return {q.key: answer(q, q.default) for q in QUESTIONS if q.default}
