"""The file that comes of a proposal's answers, and the draft in which they are kept until then."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from difprog.base import locks, writing
from difprog.base.errors import BadInput, Problem
from difprog.library import drafts
from difprog.library.checking import validate
from difprog.library.interview import QUESTIONS
from difprog.library.statements import literal


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
        "#     [beliefs.capability_speedup]",
        '#     p5 = "1 day"',
        '#     p95 = "2 weeks"',
        '#     source = "who says so"',
        "# `difprog priors list` shows the names and what they mean; each can be stated here too.",
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
    writing.destination(path)
    if path.exists():
        hint = f"change it with: difprog priors edit {path}"
        raise BadInput(Problem(str(path), "", "is there already", hint=hint))
    return path


def resume(path: Path) -> dict[str, Any]:
    """Return the answers that were left in a draft, and nothing where there is none."""
    found = drafts.left(path, drafts.ANSWERS)
    try:
        content = tomllib.loads(found[0].decode()) if found is not None else {}
    except ValueError:
        return {}
    table = content.get("answers", {})
    return {q.key: table[q.key] for q in QUESTIONS if isinstance(table, dict) and q.key in table}


def keep(path: Path, answers: Mapping[str, Any]) -> Path | None:
    """Keep the answers so far, one passed over as passed over; return where, None where nothing can be."""
    lines = ["# Answers so far; difprog new takes them up.", "[answers]"]
    lines += [f"{key} = {literal('' if value is None else value)}" for key, value in answers.items()]
    try:
        return drafts.keep(path, drafts.ANSWERS, "\n".join([*lines, ""]), "")
    except OSError:
        return None


def write(path: Path, answers: Mapping[str, Any]) -> None:
    """Write the proposal and drop its draft; raises `BadInput` where it is not sound."""
    given = {key: value for key, value in answers.items() if value not in (None, "")}
    text = text_of(given)
    validate(text, str(path), path)
    with locks.locked(path):
        place(str(path))
        writing.write_atomically(path, text)
    drafts.drop(path)
