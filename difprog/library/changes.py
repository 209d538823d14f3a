"""Change belief files: set one belief, copy a layer.

A file that ships is never changed: what is meant for it goes into the user's own layer over it.
Writes through `difprog.library.edit` and `difprog.base.files` only.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from difprog import __version__
from difprog.base import files
from difprog.base.errors import BadInput, Problem, Problems
from difprog.base.units import interval
from difprog.beliefs.beliefs import BELIEF_KEYS, PERCENTILE, Belief
from difprog.beliefs.coherence import Doubt
from difprog.library import edit, layers
from difprog.library.layers import Checked, kind_of
from difprog.race.parameters import FACT_OF, Group

SCHEMA_LINE = "#:schema"


@dataclass(frozen=True)
class Target:
    """The file that a change goes to, and the shipped one that it lies over, if any."""

    path: Path
    over: Path | None = None
    kind: str = "beliefs"


@dataclass(frozen=True)
class Change:
    """What setting one belief did."""

    path: Path
    created: bool
    over: Path | None
    kind: str
    name: str
    before: Belief | None
    after: Belief | None
    remarks: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = field(default=())


def target(name: str) -> Target:
    """Return where a change to what a path or a bare name means is written.

    Raises
    ------
    BadInput
        Where there is no such file.
    """
    path = layers.locate(name)
    content, _ = files.read_toml(path, name)
    kind = kind_of(content)
    installed = files.shipped("priors").parent.name == "_builtin"
    if layers.is_shipped(path) and (installed or not files.is_path(name)):
        folder = files.user_folder() / ("projects" if kind == "proposal" else "priors")
        return Target(folder / path.name, path, kind)
    return Target(path, None, kind)


def parse_keys(words: Iterable[str]) -> dict[str, Any]:
    """Return the keys of a belief from "p10=2", "unit=months", or an interval or number by itself.

    Raises
    ------
    BadInput
        With every word that is none of these.
    """
    problems = Problems("set")
    found: dict[str, Any] = {}
    for word in words:
        key, equals, text = word.partition("=")
        key = key.strip()
        ends = interval(word) if not equals else None
        if ends:
            found |= {"p5": _value(ends[0]), "p95": _value(ends[1])}
        elif not equals and re.match(r"[-+.]?[0-9]", word):
            found["value"] = _value(word)
        elif not equals:
            hint = 'such as p10=2, or an interval, "2 to 45 years"'
            problems.add(word, "is not of the form KEY=VALUE", hint=hint)
        elif key not in BELIEF_KEYS and not PERCENTILE.fullmatch(key):
            problems.unknown(key, key, (*BELIEF_KEYS, "p5", "p10", "p50", "p90", "p95"))
        elif key in ("source", "note", "unit", "evidence", "distribution"):
            found[key] = text.strip()
        else:
            found[key] = _value(f"[{text}]" if key in ("bounds", "weights") and "[" not in text else text)
            found[key] = "" if not text.strip() else found[key]
    problems.check()
    return found


def _value(text: str) -> Any:
    """Return a number or a list as TOML reads it, anything else as text."""
    text = text.strip()
    try:
        value = tomllib.loads(f"x = {text}")["x"]
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, (int, float, list, str)) and not isinstance(value, bool) else text


def way(name: str, kind: str) -> tuple[str, ...]:
    """Return where in a file of some kind a belief stands; raises `BadInput` where it cannot."""
    if kind == "credences":
        return "credences", name
    parameter, case = layers.split_name(name)
    if layers.vocabulary()[parameter].group is Group.FACT:
        if kind != "proposal":
            raise BadInput(Problem(name, "", "is a fact of a proposal, not a belief"))
        return "project", parameter
    return tuple(filter(None, ("beliefs", parameter, case)))


def set_belief(name: str, belief: str, stated: Mapping[str, Any]) -> Change:
    """Change one belief of a file, and nothing else of it.

    Parameters
    ----------
    name : str
        A path or a bare name; a bare name that means a shipped file changes the user's layer.
    belief : str
        "agi_arrival", "leak.open"; in a proposal also "effort".
    stated : mapping
        Its keys, as `parse_keys` returns them.

    Raises
    ------
    BadInput
        Where the result is not sound: the file is then left as it was.
    """
    if not stated:
        raise BadInput(Problem(belief, "", "nothing to set", hint="such as p10=2 p90=40"))
    goal = target(name)
    path = way(belief, goal.kind)
    where = str(goal.path)
    created = not goal.path.exists()
    remarks: list[str] = []

    def change(text: str) -> str:
        content = tomllib.loads(text)
        own = _raw(content, path)
        old = own if own is not None else _beneath(goal.path, path)
        new, said = edit.revise(old or {}, stated)
        if own is None and any(edit.shapes(k) for k in stated) and "note" not in stated:
            new.pop("note", None)
        if goal.kind != "beliefs":
            said = [s for s in said if s != "it has no source"]
        remarks[:] = said
        return edit.put(text, path, new)

    def validate(text: str) -> None:
        layers.validate(text, where, goal.path)

    before = _belief(goal.path if not created else goal.over, path)
    if before is None and own_layer(goal.path):
        fact = {FACT_OF[path[2]]: path[2]} if len(path) > 2 else {}
        before = layers.beneath(goal.path).lookup(path[1], fact)
    _, after = edit.rewrite(goal.path, change, validate, create=lambda: begin(goal))
    checked = layers.validate(after, where, goal.path)
    about = ".".join(path[1:])
    doubts = [d for d in checked.doubts if about in d.key.split(", ") and d.topic != "source"]
    now = _stated(checked, path)
    return Change(
        goal.path, created, goal.over, goal.kind, about, before, now, tuple(remarks), tuple(doubts)
    )


def own_layer(path: Path) -> bool:
    """Whether a file is one of the user's standing layers."""
    return path.resolve().is_relative_to((files.user_folder() / "priors").resolve())


def _raw(content: Any, path: Sequence[str]) -> dict[str, Any] | None:
    """Return a belief's table as written, in its long form; None where it is not stated."""
    for key in path:
        if not isinstance(content, Mapping) or key not in content:
            return None
        content = content[key]
    return edit.read(content) or None


def _beneath(path: Path, where: Sequence[str]) -> dict[str, Any] | None:
    """Return the belief as the nearest layer below a file states it."""
    if where[0] != "beliefs":
        return None
    for layer in reversed(layers.beneath(path).layers):
        content, _ = files.read_toml(layer.source.path)
        for known in (where, where[:2]):
            found = _raw(content, known)
            if found is not None:
                return found
    return None


def _belief(path: Path | None, where: Sequence[str]) -> Belief | None:
    if path is None:
        return None
    text, _ = files.read_text(path)
    try:
        return _stated(layers.validate(text, str(path), path), where)
    except BadInput:
        return None


def _stated(checked: Checked, where: Sequence[str]) -> Belief | None:
    if where[0] == "credences":
        return None
    name, case = where[1], where[2] if len(where) > 2 else ""
    cases = checked.layer.beliefs.get(name, {})
    return cases.get(case)


def begin(goal: Target) -> str:
    """Return the text that a new file of the user's starts from.

    A layer over a shipped belief file starts empty and says what it lies over; proposals and
    credences do not layer, so theirs is a copy.
    """
    assert goal.over is not None
    if goal.kind != "beliefs":
        return copied(goal.over)
    name = files.label(goal.over)
    return (
        f"# Your own beliefs over {name}, as it ships with difprog {__version__}.\n"
        "# Only what stands here is replaced; everything else stays as it ships.\n"
    )


def copied(path: Path) -> str:
    """Return a file's text with a head that states what it was copied from."""
    text, source = files.read_text(path)
    lines = text.splitlines(keepends=True)
    if lines and lines[0].startswith(SCHEMA_LINE):
        del lines[0]
    head = f"# Copied from {source.label} (difprog {__version__}, sha256 {source.sha256}).\n"
    return head + "".join(lines)


def copy(name: str, output: Path | None = None) -> Path:
    """Copy a file to where it can be edited, and return where that is.

    Parameters
    ----------
    name : str
        A path or a bare name.
    output : Path, optional
        A file or a folder; the user's own folder by default, for a proposal the working folder.

    Raises
    ------
    BadInput
        Where the copy would replace a file.
    """
    path = layers.locate(name)
    content, _ = files.read_toml(path, name)
    if output is None:
        proposal = kind_of(content) == "proposal"
        output = Path(path.name) if proposal else layers.user_file(path.stem)
    elif output.is_dir():
        output = output / path.name
    with files.locked(output):
        if output.exists():
            hint = "name another with -o, or change it with difprog priors edit"
            raise BadInput(Problem(str(output), "", "is there already", hint=hint))
        text = copied(path)
        layers.validate(text, str(output), output)
        files.write_atomically(output, text)
    return output
