"""Which belief file a name means, what it lies over, and whether a text of its kind is sound.

Finds and reads files through `difprog.base.files`; writes none. A proposal and a file of credences
are understood too, so that every command on files takes any of the three.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from difprog.base import files
from difprog.base.errors import BadInput, Problem, Problems
from difprog.beliefs import coherence
from difprog.beliefs.beliefs import (
    Belief,
    Layer,
    Stack,
    parse_layer,
    read_layer,
)
from difprog.beliefs.coherence import Doubt
from difprog.beliefs.project import Project, parse_project
from difprog.forecast.forecast import parse_credences
from difprog.models.model import load, shipped_models
from difprog.race.parameters import FACT_OF, PARAMETERS, Parameter


@lru_cache
def vocabulary() -> dict[str, Parameter]:
    """Return every parameter, those that shipped models define among them."""
    found = dict(PARAMETERS)
    for name in shipped_models():
        found.update(load(name).own)
    return found


def user_file(name: str) -> Path:
    """Return where the user's own layer of that name is or would be."""
    return files.user_folder() / "priors" / f"{name}.toml"


def is_shipped(path: Path) -> bool:
    """Whether a file is one of those that ship."""
    return path.resolve().is_relative_to(files.shipped("priors").resolve())


def locate(name: str) -> Path:
    """Return the file that a path or a bare name means: a belief file, else a proposal.

    Raises
    ------
    BadInput
        Where there is neither.
    """
    try:
        return files.find(name, "priors")
    except BadInput as error:
        if files.is_path(name):
            raise
        try:
            return files.find(name, "project")
        except BadInput:
            raise error from None


@dataclass(frozen=True)
class Checked:
    """A sound file of one of the three kinds: what it says, and what is doubtful about it."""

    kind: str
    layer: Layer
    doubts: tuple[Doubt, ...] = ()
    project: Project | None = None
    credences: Mapping[str, float] | None = None


def kind_of(content: Mapping[str, Any]) -> str:
    """Return "proposal", "credences" or "beliefs" by what a file holds."""
    if "project" in content:
        return "proposal"
    return "credences" if "credences" in content else "beliefs"


def validate(text: str, where: str, path: Path | None = None) -> Checked:
    """Return what the text of a file says.

    Parameters
    ----------
    text : str
        TOML.
    where : str
        What to call the file in messages.
    path : Path, optional
        Where it is or would be: decides what it lies over.

    Raises
    ------
    BadInput
        With every problem.
    """
    content = files.parse_toml(text, where)
    source = files.Source(path or Path(where), where, "")
    problems, kind = Problems(where), kind_of(content)
    if kind == "credences":
        weights = parse_credences(content, problems)
        problems.check()
        return Checked(kind, Layer(source, {}), credences=weights)
    if kind == "proposal":
        project = parse_project(content, source, problems, vocabulary())
        problems.check()
        assert project is not None
        stack = Stack((*beneath(path).layers, project.layer))
        doubts = coherence.of_project(project, lambda name: stack.lookup(name, project.facts))
        return Checked(kind, project.layer, tuple(doubts), project)
    layer = parse_layer(content, source, problems, vocabulary())
    problems.check()
    return Checked(kind, layer, tuple(coherence.of_layer(layer, beneath(path), vocabulary())))


def explained(doubt: Doubt, layer: Layer) -> bool:
    """Whether the note of a belief that a warning is about names its topic."""
    for key in doubt.key.split(", "):
        name, _, case = key.partition(".")
        belief = layer.beliefs.get(name, {}).get(case)
        if belief is not None and re.search(rf"\b{doubt.topic}", belief.note, re.IGNORECASE):
            return True
    return False


def beneath(path: Path | None) -> Stack:
    """Return the standing layers that a file lies over, those below it."""
    layers: list[Layer] = []
    stem = path.stem if path is not None else ""
    here = path.resolve() if path is not None else None
    for candidate in standing_files("world", *([stem] if stem in shipped_models() else [])):
        if candidate.resolve() == here:
            break  # not read: it may be the very file that is being mended
        layers.append(_read(candidate))
    return Stack(tuple(layers))


def standing(*names: str) -> list[Layer]:
    """Return the layers of that name which stand under every project: shipped, then the user's."""
    return [_read(path) for path in standing_files(*names)]


def standing_files(*names: str) -> list[Path]:
    """Return the files of `standing` that there are."""
    both = [path for n in names for path in (files.shipped("priors", f"{n}.toml"), user_file(n))]
    return [path for path in both if path.is_file()]


def _read(path: Path) -> Layer:
    return read_layer(path, vocabulary())


def label(layer: Layer) -> str:
    """Return what to call a layer in a table: the user's own are told from those that ship."""
    path = layer.source.path
    if is_shipped(path):
        return files.label(path)
    try:
        return f"yours: {path.resolve().relative_to(files.user_folder().resolve()).as_posix()}"
    except ValueError:
        return path.name


@dataclass(frozen=True)
class Entry:
    """One belief of one layer."""

    parameter: Parameter
    case: str
    belief: Belief
    layer: Layer

    @property
    def name(self) -> str:
        """The name, with the value of a fact that it holds for."""
        return ".".join(filter(None, (self.parameter.name, self.case)))


def entries(layers: Iterable[Layer]) -> list[Entry]:
    """Return the beliefs in force in a stack of layers, a later layer's in place of an earlier's."""
    found: dict[tuple[str, str], Entry] = {}
    for layer in layers:
        for name, cases in layer.beliefs.items():
            if "" in cases:
                for key in [k for k in found if k[0] == name]:
                    del found[key]
            for case, belief in cases.items():
                found[name, case] = Entry(vocabulary()[name], case, belief, layer)
    order = list(vocabulary())
    return sorted(found.values(), key=lambda e: order.index(e.parameter.name))


def layers_of(name: str | None) -> list[Layer]:
    """Return the layers that a name shows: one file by path, a standing name's, or all that stand."""
    if name is None:
        return standing("world", *shipped_models())
    if not files.is_path(name) and (name == "world" or name in shipped_models()):
        beside = Path(f"{name}.toml")
        own = [_read(beside)] if beside.is_file() and not is_shipped(beside) else []
        return [*standing(name), *own]
    path = locate(name)
    text, source = files.read_text(path, name=name)
    found = validate(text, name, path)
    if found.kind == "credences":
        hint = "open it with: difprog priors edit"
        raise BadInput(Problem(name, "", "holds credences, not beliefs", hint=hint))
    return [Layer(source, found.layer.beliefs, found.layer.correlations, found.layer.as_of)]


def split_name(text: str) -> tuple[str, str]:
    """Split "leak.open" into a parameter and a value of a fact; raises `BadInput` where unknown."""
    name, _, case = text.partition(".")
    problems = Problems(text)
    if name not in vocabulary():
        problems.unknown("", name, vocabulary(), "unknown belief")
    if case and case not in FACT_OF:
        problems.unknown(name, case, FACT_OF, "unknown value of a fact")
    problems.check()
    return name, case


def pick(name: str | None, belief: str) -> list[Entry]:
    """Return the entries that "agi_arrival", "leak" or "leak.open" means in a file or in all.

    Raises
    ------
    BadInput
        Where no layer of it states the belief.
    """
    wanted, case = split_name(belief)
    stated = [e for e in entries(layers_of(name)) if e.parameter.name == wanted]
    found = [e for e in stated if not case or e.case in (case, "")]
    if not found:
        where = name or "the shipped files"
        raise BadInput(Problem(where, belief, "is not stated here", hint="difprog priors list shows what is"))
    return found


def is_belief_file(name: str) -> bool:
    """Whether a name means a file and not, misspelt, a belief."""
    try:
        locate(name)
    except BadInput:
        return files.is_path(name)
    return True


def check(names: Iterable[str]) -> tuple[list[Checked], list[Problem]]:
    """Return what files say, those that are sound, and every problem of the others."""
    found: list[Checked] = []
    problems: list[Problem] = []
    paths: list[tuple[str, Path]] = []
    for name in names:
        try:
            paths.append((name, locate(name)))
        except BadInput as error:
            problems.extend(error.problems)
    if not names:
        standing_now = standing_files("world", *shipped_models(), "credences")
        paths = [(files.label(p) if is_shipped(p) else str(p), p) for p in standing_now]
    for name, path in paths:
        where = name if files.is_path(name) else f"{name} ({files.label(path)})"
        try:
            text, _ = files.read_text(path, name=where)
            checked = validate(text, where, path)
            found.append(checked)
        except BadInput as error:
            problems.extend(error.problems)
    return found, problems


def check_data(checked: Checked) -> dict[str, Any]:
    """Return what a check found as plain data for JSON."""
    doubts = [
        {"key": d.key, "message": d.message, "explained": explained(d, checked.layer)} for d in checked.doubts
    ]
    return {"file": checked.layer.source.label, "kind": checked.kind, "warnings": doubts}


Pairs = list[tuple[Entry | None, Entry | None]]


def differences(first: str, second: str | None) -> tuple[Pairs, tuple[str, str]]:
    """Return the beliefs in which two files differ, or one from what ships; and the two names.

    Against what ships only what the first states is compared.
    """
    if second is None:
        path = user_file(first) if not files.is_path(first) and user_file(first).is_file() else locate(first)
        if is_shipped(path):
            hint = f"make one with: difprog priors set {first} …"
            raise BadInput(Problem(first, "", "you have no layer of your own over it", hint=hint))
        one = entries(layers_of(str(path)))
        shipped = [Path(p) for p in standing_files("world", *shipped_models()) if is_shipped(p)]
        two = entries([_read(p) for p in shipped])
        two = [e for e in two if any(e.parameter.name == o.parameter.name for o in one)]
        names = (files.label(path), "as it ships")
    else:
        one, two = (entries(layers_of(n)) for n in (first, second))
        names = (first, second)
    left, right = ({(e.parameter.name, e.case): e for e in side} for side in (one, two))
    pairs: Pairs = []
    for key in dict.fromkeys([*left, *right]):
        a, b = left.get(key), right.get(key)
        if second is None and a is None:
            continue
        if a is None or b is None or a.belief.shape != b.belief.shape or a.belief.source != b.belief.source:
            pairs.append((a, b))
    return pairs, names
