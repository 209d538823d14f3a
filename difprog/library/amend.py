"""Set one belief of a file, or take it out; copy a file.

A file that ships is never changed: what is meant for it goes into the user's own layer over it.
Writes through `difprog.library.edit` and `difprog.base.files` only.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from difprog import __version__
from difprog.base import files, locks, writing
from difprog.base.errors import BadInput, Problem, Problems
from difprog.base.spelling import in_digits
from difprog.base.units import interval
from difprog.beliefs.beliefs import Belief
from difprog.beliefs.doubts import Doubt
from difprog.beliefs.forms import BELIEF_KEYS, PERCENTILE
from difprog.beliefs.standing import user_file
from difprog.library import edit
from difprog.library.checking import Checked, validate
from difprog.library.shelf import Shelf, is_shipped, is_yours, kind_of, locate
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
    """What setting one belief, or taking it out, did; ``after`` is what then holds."""

    path: Path
    created: bool
    over: Path | None
    kind: str
    name: str
    before: Belief | None
    after: Belief | None
    remarks: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = field(default=())
    taken_out: bool = False


def target(name: str) -> Target:
    """Return where a change to what a path or a bare name means is written.

    Raises
    ------
    BadInput
        Where there is no such file.
    """
    path = locate(name)
    content, _ = files.read_toml(path, name)
    kind = kind_of(content)
    installed = files.shipped("priors").parent.name == "_builtin"
    if is_shipped(path) and (installed or not files.is_path(name)):
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
        elif not equals and re.match(r"[-+.$]*[0-9]|(?:an?|half)\b", in_digits(word), re.IGNORECASE):
            found["value"] = _value(word)
        elif not equals:
            hint = 'such as p10=2, or an interval, "2 to 45 years"'
            problems.add(word, "is not of the form KEY=VALUE", hint=hint)
        elif key not in BELIEF_KEYS and not PERCENTILE.fullmatch(key):
            problems.unknown(key, key, (*BELIEF_KEYS, "p5", "p10", "p50", "p90", "p95"))
        elif key in ("source", "note", "unit", "evidence", "distribution"):
            found[key] = text.strip()
        elif key == "judgement":
            said = text.strip().lower()
            if said not in ("true", "false", "yes", "no", ""):
                problems.add(key, "must be true or false", text)
            found[key] = "" if said in ("", "no", "false") else True
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


def way(name: str, kind: str, shelf: Shelf) -> tuple[str, ...]:
    """Return where in a file of some kind a belief stands; raises `BadInput` where it cannot."""
    if kind == "credences":
        return "credences", name
    parameter, case = shelf.split(name)
    if shelf.vocabulary[parameter].group is Group.FACT:
        if kind != "proposal":
            raise BadInput(Problem(name, "", "is a fact of a proposal, not a belief"))
        return "project", parameter
    return tuple(filter(None, ("beliefs", parameter, case)))


def set_belief(name: str, belief: str, stated: Mapping[str, Any], shelf: Shelf | None = None) -> Change:
    """Change one belief of a file, and nothing else of it.

    Parameters
    ----------
    name : str
        A path or a bare name; a bare name that means a shipped file changes the user's layer.
    belief : str
        "agi_arrival", "leak.open"; in a proposal also "effort".
    stated : mapping
        Its keys, as `parse_keys` returns them.
    shelf : Shelf, optional
        The models in view, which decide on the names that beliefs may have.

    Raises
    ------
    BadInput
        Where the result is not sound: the file is then left as it was.
    """
    shelf = shelf or Shelf()
    if not stated:
        raise BadInput(Problem(belief, "", "nothing to set", hint="such as p10=2 p90=40"))
    goal = target(name)
    path = way(belief, goal.kind, shelf)
    where = str(goal.path)
    created = not goal.path.exists()
    remarks: list[str] = []

    def change(text: str) -> str:
        content = tomllib.loads(text)
        own = _raw(content, path)
        old = own if own is not None else _beneath(goal.path, path, shelf)
        new, said = edit.revise(old or {}, stated)
        if own is None and any(edit.shapes(k) for k in stated) and "note" not in stated:
            new.pop("note", None)
        if goal.kind != "beliefs":
            said = [s for s in said if s != edit.UNSOURCED]
        remarks[:] = said
        return edit.put(text, path, new)

    before = _belief(goal.path if not created else goal.over, path, shelf)
    if before is None and is_yours(goal.path):
        before = _under(goal.path, path, shelf)
    with _named(where):
        _, after = edit.rewrite(
            goal.path, change, lambda text: _check(text, goal, shelf), create=lambda: begin(goal)
        )
    checked = validate(after, where, goal.path, shelf)
    about = ".".join(path[1:])
    doubts = [d for d in checked.doubts if about in d.key.split(", ") and d.topic != "source"]
    now = _stated(checked, path)
    return Change(
        goal.path, created, goal.over, goal.kind, about, before, now, tuple(remarks), tuple(doubts)
    )


def unset_belief(name: str, belief: str, shelf: Shelf | None = None) -> Change:
    """Take one belief out of a file of the user's own, so that what lies below it holds again.

    Raises
    ------
    BadInput
        Where the file does not state it, or would not be sound without it.
    """
    shelf = shelf or Shelf()
    path = locate(name)
    if is_shipped(path):
        own = user_file(path.stem)
        hint = f"your own beliefs over it would stand in {own}"
        raise BadInput(Problem(name, belief, "you have set nothing over what ships", hint=hint))
    content, _ = files.read_toml(path, name)
    goal = Target(path, None, kind_of(content))
    where = way(belief, goal.kind, shelf)
    before = _belief(path, where, shelf)
    with _named(str(path)):
        edit.rewrite(
            path, lambda text: edit.take_out(text, where), lambda text: _check(text, goal, shelf)
        )
    below = _under(path, where, shelf) if goal.kind == "beliefs" else None
    return Change(path, False, None, goal.kind, ".".join(where[1:]), before, below, taken_out=True)


def set_outcomes(name: str, chances: Mapping[str, float], shelf: Shelf | None = None) -> Path:
    """State chances of the outcome in a belief file: those named change, others stay; return the file.

    Raises
    ------
    BadInput
        Where the file would not be valid; nothing is written then.
    """
    shelf = shelf or Shelf()
    goal = target(name)

    def change(text: str) -> str:
        now = dict(tomllib.loads(text).get("outcomes", {}))
        return edit.put(text, ("outcomes",), now | dict(chances))

    with _named(str(goal.path)):
        edit.rewrite(goal.path, change, lambda text: _check(text, goal, shelf), create=lambda: begin(goal))
    return goal.path


@contextmanager
def _named(where: str) -> Iterator[None]:
    """Say which file a problem is about, where what found it only saw its text."""
    try:
        yield
    except BadInput as error:
        raise BadInput(*(p if p.file else p._replace(file=where) for p in error.problems)) from None


def _check(text: str, goal: Target, shelf: Shelf) -> None:
    validate(text, str(goal.path), goal.path, shelf)


def _under(path: Path, where: Sequence[str], shelf: Shelf) -> Belief | None:
    """Return the belief that the layers below a file state."""
    fact = {FACT_OF[where[2]]: where[2]} if len(where) > 2 else {}
    return shelf.beneath(path).lookup(where[1], fact)


def _raw(content: Any, path: Sequence[str]) -> dict[str, Any] | None:
    """Return a belief's table as written, in its long form; None where it is not stated."""
    for key in path:
        if not isinstance(content, Mapping) or key not in content:
            return None
        content = content[key]
    return edit.read(content) or None


def _beneath(path: Path, where: Sequence[str], shelf: Shelf) -> dict[str, Any] | None:
    """Return the belief as the nearest layer below a file states it."""
    if where[0] != "beliefs":
        return None
    for layer in reversed(shelf.beneath(path).layers):
        content, _ = files.read_toml(layer.source.path)
        for known in (where, where[:2]):
            found = _raw(content, known)
            if found is not None:
                return found
    return None


def _belief(path: Path | None, where: Sequence[str], shelf: Shelf) -> Belief | None:
    if path is None:
        return None
    text, _ = files.read_text(path)
    try:
        return _stated(validate(text, str(path), path, shelf), where)
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


def copy(name: str, output: Path | None = None, shelf: Shelf | None = None) -> Path:
    """Copy a file to where it can be edited, and return where that is.

    Parameters
    ----------
    name : str
        A path or a bare name.
    output : Path, optional
        A file or a folder; the user's own folder by default, for a proposal the working folder.
    shelf : Shelf, optional
        The models in view, which decide on the names that beliefs may have.

    Raises
    ------
    BadInput
        Where the copy would replace a file.
    """
    path = locate(name)
    content, _ = files.read_toml(path, name)
    if output is None:
        proposal = kind_of(content) == "proposal"
        output = Path(path.name) if proposal else user_file(path.stem)
    elif output.is_dir():
        output = output / path.name
    with locks.locked(output):
        if output.exists():
            hint = "name another with -o, or change it with difprog priors edit"
            raise BadInput(Problem(str(output), "", "is there already", hint=hint))
        text = copied(path)
        validate(text, str(output), output, shelf)
        writing.write_atomically(output, text)
    return output
