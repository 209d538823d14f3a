"""A proposal by questions: what is asked, what an answer may be, and the file that comes of it.

Answers are kept in a draft, in the program's own folder, after each question, so that one can leave and come
back. Prints nothing.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from difprog import drafts, edit, elicit, files, layers
from difprog.beliefs import Belief
from difprog.effects import CRITERIA
from difprog.errors import BadInput, Problem, Problems
from difprog.parameters import PARAMETERS
from difprog.statements import literal
from difprog.units import interval


@dataclass(frozen=True, slots=True)
class Asked:
    """One question.

    Attributes
    ----------
    key : str
        Of the ``[project]`` table.
    meaning : str
        What it means, in a sentence.
    default : str
        Taken where nothing is answered; "" leaves the key out.
    example : str
        One answer.
    choices : dict of str to str
        What may be answered and what it means; empty where anything may.
    """

    key: str
    meaning: str
    default: str = ""
    example: str = ""
    choices: Mapping[str, str] | None = None

    @property
    def quantity(self) -> bool:
        """Whether the answer is a belief about a quantity."""
        return self.key in PARAMETERS


QUESTIONS = (
    Asked("name", "what the project is called", "", "Sandwiching on medical advice"),
    Asked("summary", "what it does, in a sentence or two", "", "Help non-experts oversee a model's advice."),
    Asked("kind", "what sort of research it is", "alignment", "alignment", {
        "alignment": "meant to make AI systems safe", "capabilities": "meant to make them abler",
        "applications": "a narrow use of them",
    }),
    Asked("focus", "which cases it is about", "average", "worst", {
        "average": "the usual case", "pessimistic": "cases harder than usual",
        "worst": "an adversary's best case",
    }),
    Asked("approach", "how it works", "engineering", "cognitivist", {
        "engineering": "makes systems that work", "behaviourist": "looks at what systems do",
        "cognitivist": "looks at how systems think",
    }),
    Asked("novelty", "whether many others work on something like it", "mainstream", "niche", {
        "mainstream": "someone else would find the same within months", "niche": "few others look there",
    }),
    Asked("publication", "who gets to read the results", "open", "delayed", {
        "open": "everyone", "delayed": "everyone, after a year or so", "restricted": "named readers",
        "closed": "nobody outside",
    }),
    Asked("effort", "work on it, in FTE-years: people times years", "1 to 5", "6 to 15"),
    Asked("duration", "calendar time from start to end, in years", "1", "18 months"),
    Asked("cost", "what it costs, in USD; matters where demonstrations draw in investment", "", "2,500,000"),
    Asked("criteria", "which marks of practice on narrowly superhuman models it has, with commas between",
          "", "fine-tunes, humans", {
              "fine-tunes": "fine-tunes an existing large model", "no-scaling": "makes no model larger",
              "humans": "learns from people", "useful": "is useful in earnest",
          }),
)  # fmt: skip


def answer(asked: Asked, text: str) -> Any:
    """Return the value of the key that an answer means, None to leave it out.

    Raises
    ------
    BadInput
        Where it is no answer to the question.
    """
    text = text.strip()
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
            raise BadInput(Problem("name", "", "must be a text"))
        return None
    if asked.choices is not None:
        near = [c for c in asked.choices if c.startswith(text.lower())]
        if len(near) != 1:
            problems.unknown("", text, asked.choices, f"unknown {asked.key}")
        problems.check()
        return near[0]
    if asked.quantity:
        content = quantity(text)
        belief(asked, content)
        return content
    return text


def quantity(text: str) -> Any:
    """Return what a file holds for "6 to 15", "18 months" or "2.5"."""
    ends = interval(text)
    if ends:
        return {"p5": _plain(ends[0]), "p95": _plain(ends[1])}
    return _plain(text)


def _plain(text: str) -> float | int | str:
    try:
        number = float(text.replace(",", "").replace("_", "")) if not text[-1:].isalpha() else None
    except ValueError:
        number = None
    if number is None or ("," in text and not _grouped(text)):
        return text
    return int(number) if number.is_integer() and abs(number) < 1e15 else number


def _grouped(text: str) -> bool:
    head, *groups = text.partition(".")[0].split(",")
    return len(head.lstrip("+-")) <= 3 and all(len(g) == 3 for g in groups)


def belief(asked: Asked, content: Any) -> Belief:
    """Return the belief that an answer about a quantity states; raises `BadInput`."""
    return elicit.belief(PARAMETERS[asked.key], content)


def defaults() -> dict[str, Any]:
    """Return the answers that are taken where none is given."""
    return {q.key: answer(q, q.default) for q in QUESTIONS if q.default}


def text_of(answers: Mapping[str, Any]) -> str:
    """Return the proposal as a file, with a word on what each key means."""
    lines = ["# A proposal for difprog. What it leaves out is taken from the belief files.", "", "[project]"]
    for asked in QUESTIONS:
        if answers.get(asked.key) is None:
            continue
        values = f": {', '.join(asked.choices)}" if asked.choices else ""
        if asked.key not in ("name", "summary"):
            lines.append(f"# {asked.meaning}{values}")
        lines.append(f"{asked.key} = {literal(answers[asked.key])}")
    lines += [
        "",
        "# Beliefs of your own stand here, such as",
        "#     [beliefs.coupling]",
        "#     p5 = 0.02",
        "#     p95 = 0.2",
        '#     source = "who says so"',
        "# `difprog priors list` shows every name.",
        "",
    ]
    return "\n".join(lines)


def place(name: str) -> Path:
    """Return the file that a new proposal is written to.

    Raises
    ------
    BadInput
        Where there is something already.
    """
    path = Path(name)
    if path.name in ("", ".."):
        raise BadInput(Problem(name or "FILE", "", "is no name of a file", hint="such as my-project.toml"))
    if path.suffix != ".toml":
        path = path.with_name(f"{path.name}.toml")
    if path.exists():
        hint = f"change it with: difprog priors edit {path}"
        raise BadInput(Problem(str(path), "", "is there already", hint=hint))
    return path


def draft_of(path: Path) -> Path:
    """Return where the answers so far are kept."""
    return drafts.place(path, "new")


def resume(path: Path) -> dict[str, Any]:
    """Return the answers that were left in a draft, and nothing where there is none."""
    draft = draft_of(path)
    if not draft.exists():
        return {}
    try:
        content = tomllib.loads(edit.text_of(draft)[0])
    except BadInput:
        return {}
    table = content.get("answers", {})
    return {q.key: table[q.key] for q in QUESTIONS if isinstance(table, dict) and q.key in table}


def keep(path: Path, answers: Mapping[str, Any]) -> None:
    """Keep the answers so far; a question passed over is kept as passed over."""
    lines = ["# Answers so far; difprog new takes them up.", "[answers]"]
    lines += [f"{key} = {literal('' if value is None else value)}" for key, value in answers.items()]
    files.write_atomically(draft_of(path), "\n".join([*lines, ""]))


def write(path: Path, answers: Mapping[str, Any]) -> None:
    """Write the proposal and drop its draft; raises `BadInput` where it is not sound."""
    given = {key: value for key, value in answers.items() if value not in (None, "")}
    text = text_of(given)
    layers.validate(text, str(path), path)
    with edit.locked(path):
        place(str(path))
        files.write_atomically(path, text)
    draft_of(path).unlink(missing_ok=True)
