"""Which belief files stand under a model, in which order: the one place that says so.

From the lowest: world.toml as it ships, the user's own; for each model whose beliefs the model builds on,
and then for itself, the shipped file and the user's own; the file beside a model file of the user's. Over
them come the files asked for (``--priors``), the scenarios (``--scenario``), and last the proposal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from difprog.base import files
from difprog.base.errors import BadInput, Problem
from difprog.beliefs.beliefs import Layer, Stack
from difprog.beliefs.parse import read_layer
from difprog.race.parameters import PARAMETERS, Parameter


class Reading(Protocol):
    """What of a model decides on the files under it."""

    @property
    def name(self) -> str:
        """The file's name without its suffix."""

    @property
    def priors(self) -> tuple[str, ...]:
        """The models whose belief files lie under its own."""

    @property
    def source(self) -> files.Source:
        """The model's file."""


def user_file(name: str) -> Path:
    """Return where the user's own layer of that name is or would be."""
    return files.user_folder() / "priors" / f"{name}.toml"


def files_named(*names: str) -> list[Path]:
    """Return the files of these names that there are: shipped, then the user's own, name by name."""
    both = [path for n in names for path in (files.shipped("priors", f"{n}.toml"), user_file(n))]
    return [path for path in both if path.is_file()]


def standing_files(model: Reading | None = None) -> list[Path]:
    """Return the files under every project: those of the world, and of a model where one is named."""
    if model is None:
        return files_named("world")
    found = files_named("world", *model.priors, model.name)
    beside = model.source.path.with_suffix(".toml")
    return [*found, beside] if beside.is_file() and beside not in found else found


def files_over(priors: Sequence[str] = (), scenarios: Sequence[str] = ()) -> list[tuple[Path, str]]:
    """Return the files asked for over the standing ones, each with what to call it in messages.

    Raises
    ------
    BadInput
        With every name that means no file.
    """
    found: list[tuple[Path, str]] = []
    problems: list[Problem] = []
    for kind, names in (("priors", priors), ("scenario", scenarios)):
        for name in names:
            try:
                path = files.find(name, kind)
            except BadInput as error:
                problems.extend(error.problems)
            else:
                found.append((path, name if files.is_path(name) else f"{name} ({files.label(path)})"))
    if problems:
        raise BadInput(*problems)
    return found


class Reader:
    """Reads belief files, each once, and collects every problem of all of them.

    Parameters
    ----------
    vocabulary : mapping of str to Parameter
        The names that beliefs may have.
    """

    def __init__(self, vocabulary: Mapping[str, Parameter] = PARAMETERS) -> None:
        self.vocabulary = vocabulary
        self.problems: list[Problem] = []
        self._read: dict[Path, Layer | None] = {}

    def layer(self, path: Path, name: str | None = None) -> Layer | None:
        """Return a file's layer, or None after noting what is wrong with it."""
        if path not in self._read:
            try:
                self._read[path] = read_layer(path, self.vocabulary, name)
            except BadInput as error:
                self._read[path] = None
                self.problems += [p for p in error.problems if p not in self.problems]
        return self._read[path]

    def stack(
        self, model: Reading | None = None, priors: Sequence[str] = (), scenarios: Sequence[str] = ()
    ) -> Stack:
        """Return the layers under a project, lowest first, without those that could not be read."""
        named: list[tuple[Path, str | None]] = [(path, None) for path in standing_files(model)]
        try:
            named += files_over(priors, scenarios)
        except BadInput as error:
            self.problems += [p for p in error.problems if p not in self.problems]
        layers = (self.layer(path, name) for path, name in named)
        return Stack(tuple(layer for layer in layers if layer is not None))

    def check(self) -> None:
        """Raise `BadInput` with everything found, if anything was."""
        if self.problems:
            raise BadInput(*self.problems)


def standing_stacks(
    models: Iterable[Reading],
    vocabulary: Mapping[str, Parameter] = PARAMETERS,
    *,
    priors: Sequence[str] = (),
    scenarios: Sequence[str] = (),
) -> dict[str, Stack]:
    """Return the layers under a project, per model; raises `BadInput` with every problem of every file."""
    reader = Reader(vocabulary)
    found = {model.name: reader.stack(model, priors, scenarios) for model in models}
    reader.check()
    return found
