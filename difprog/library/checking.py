"""Whether a file is sound: a belief file, a proposal or a file of credences, by what it holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from difprog.base import files
from difprog.base.errors import BadInput, Problem, Problems, nearest
from difprog.beliefs import coherence
from difprog.beliefs.beliefs import Layer, Stack
from difprog.beliefs.credences import parse_credences
from difprog.beliefs.doubts import Doubt
from difprog.beliefs.parse import parse_layer
from difprog.beliefs.project import Project, parse_project
from difprog.library.shelf import Shelf, is_shipped, kind_of, locate
from difprog.models.model import shipped_models


@dataclass(frozen=True)
class Checked:
    """A sound file of one of the three kinds: what it says, and what is doubtful about it."""

    kind: str
    layer: Layer
    doubts: tuple[Doubt, ...] = ()
    project: Project | None = None
    credences: Mapping[str, float] | None = None


def validate(text: str, where: str, path: Path | None = None, shelf: Shelf | None = None) -> Checked:
    """Return what the text of a file says.

    Parameters
    ----------
    text : str
        TOML.
    where : str
        What to call the file in messages.
    path : Path, optional
        Where it is or would be: decides what it lies over.
    shelf : Shelf, optional
        The standing files and the names that beliefs may have; the shipped ones by default.

    Raises
    ------
    BadInput
        With every problem.
    """
    shelf = shelf or Shelf()
    content = files.parse_toml(text, where)
    source = files.Source(path or Path(where), where, "")
    problems, kind = Problems(where), kind_of(content)
    if kind == "credences":
        weights = parse_credences(content, problems)
        problems.check()
        return Checked(kind, Layer(source, {}), tuple(_misspelt(weights)), credences=weights)
    if kind == "proposal":
        project = parse_project(content, source, problems, shelf.vocabulary)
        problems.check()
        assert project is not None
        stack = Stack((*shelf.beneath(path).layers, project.layer))
        doubts = coherence.of_project(
            project, lambda name: stack.lookup(name, project.facts), shelf.vocabulary
        )
        return Checked(kind, project.layer, tuple(doubts), project)
    layer = parse_layer(content, source, problems, shelf.vocabulary)
    problems.check()
    return Checked(kind, layer, tuple(coherence.of_layer(layer, shelf.beneath(path), shelf.vocabulary)))


def _misspelt(weights: Iterable[str]) -> Iterator[Doubt]:
    """Yield a warning per credence of a name that is nearly that of a model that ships."""
    shipped = shipped_models()
    for name in weights:
        near = nearest(name, shipped)
        if name not in shipped and near:
            what = f'no model that ships is called that; did you mean "{near}"?'
            yield Doubt(f"credences.{name}", what, "name")


def explained(doubt: Doubt, layer: Layer) -> bool:
    """Whether the note of a belief that a warning is about names its topic."""
    for key in doubt.key.split(", "):
        name, _, case = key.partition(".")
        belief = layer.beliefs.get(name, {}).get(case)
        if belief is not None and re.search(rf"\b{doubt.topic}", belief.note, re.IGNORECASE):
            return True
    return False


def check(names: Sequence[str], shelf: Shelf) -> tuple[list[Checked], list[Problem]]:
    """Return what files say, those that are sound, and every problem of the others.

    Without names, the files that stand under the models in view.
    """
    found: list[Checked] = []
    problems: list[Problem] = []
    paths: list[tuple[str, Path]] = []
    for name in names:
        try:
            path = locate(name)
        except BadInput as error:
            problems.extend(error.problems)
        else:
            paths.append((name if files.is_path(name) else f"{name} ({files.label(path)})", path))
    if not names:
        paths = [(files.label(p) if is_shipped(p) else str(p), p) for p in shelf.standing()]
    for where, path in paths:
        try:
            text, _ = files.read_text(path, name=where)
            found.append(validate(text, where, path, shelf))
        except BadInput as error:
            problems.extend(error.problems)
    return found, list(dict.fromkeys(problems))


def check_data(checked: Checked) -> dict[str, Any]:
    """Return what a check found as plain data for JSON."""
    doubts = [
        {"key": d.key, "message": d.message, "explained": explained(d, checked.layer)} for d in checked.doubts
    ]
    return {"file": checked.layer.source.label, "kind": checked.kind, "warnings": doubts}
