"""The belief files at hand: which file a name means, what it lies over, which beliefs are in force.

A `Shelf` is opened with the models in view, since a model file defines beliefs of its own. Finds and
reads files through `difprog.base.files`; writes none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from difprog.base import files
from difprog.base.errors import BadInput, Problem, Problems, nearest
from difprog.beliefs.beliefs import Belief, Layer, Stack
from difprog.beliefs.parse import GONE, parse_layer
from difprog.beliefs.project import parse_project
from difprog.beliefs.standing import Reader, files_named, standing_files, user_file
from difprog.models.model import Model, load, shipped_models, vocabulary_of
from difprog.race.parameters import FACT_OF, Parameter

WORLD = "world"

#: Kinds of files that the commands on beliefs take, in the order in which a bare name is looked up.
_KINDS = ("priors", "scenario", "project")


def kind_of(content: Mapping[str, Any]) -> str:
    """Return "proposal", "credences" or "beliefs" by what a file holds."""
    if "project" in content:
        return "proposal"
    return "credences" if "credences" in content else "beliefs"


def is_shipped(path: Path) -> bool:
    """Whether a file is one of those that ship."""
    return path.resolve().is_relative_to(files.shipped("priors").resolve())


def is_yours(path: Path) -> bool:
    """Whether a file is one of the user's standing layers."""
    return path.resolve().is_relative_to((files.user_folder() / "priors").resolve())


def locate(name: str) -> Path:
    """Return the file that a path or a bare name means: a belief file, a scenario or a proposal.

    Raises
    ------
    BadInput
        Where there is none.
    """
    if not files.is_path(name):
        for kind in _KINDS:
            with suppress(BadInput):
                path = files.find(name, kind)
                _tell_what_is_hidden(name, path)
                return path
        known = [n for kind in _KINDS for n in files.available(kind)]
        near = nearest(name, known)
        hint = f'did you mean "{near}"?' if near else "difprog list shows what there is"
        raise BadInput(Problem(name, "", "no belief file, scenario or proposal of that name", hint=hint))
    return files.find(name, "priors")


def _tell_what_is_hidden(name: str, taken: Path) -> None:
    """Say where a file of the working folder hides one of that name of any kind, not only of its own."""
    if taken.parent != Path():
        return
    for kind in _KINDS:
        for folder in files.search_folders(kind)[1:]:
            hidden = folder / f"{name}{files.KINDS[kind].suffix}"
            if hidden.is_file():
                files.notice.get()(files.shadowed(name, taken, hidden, kind))
                return


def is_file(name: str) -> bool:
    """Whether a name means a file and not, misspelt, a belief."""
    try:
        locate(name)
    except BadInput:
        return files.is_path(name)
    return True


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

    @property
    def yours(self) -> bool:
        """Whether it comes from a file of the user's own."""
        return not is_shipped(self.layer.source.path)


class Shelf:
    """The belief files that stand under some models, and the names that beliefs may have there.

    Parameters
    ----------
    models : sequence of str
        Names or paths; all shipped models by default.

    Raises
    ------
    BadInput
        With every problem of the model files.
    """

    def __init__(self, models: Sequence[str] = ()) -> None:
        self.chosen = bool(models)
        self.models: tuple[Model, ...] = tuple(load(name) for name in models or shipped_models())
        self.vocabulary: Mapping[str, Parameter] = vocabulary_of(self.models)
        self._reader = Reader(self.vocabulary)

    @cached_property
    def order(self) -> dict[str, int]:
        """Where in the vocabulary a name stands."""
        return {name: index for index, name in enumerate(self.vocabulary)}

    def read(self, path: Path) -> Layer:
        """Return a file's layer; raises `BadInput` with every problem."""
        found = self._reader.layer(path)
        if found is None:
            self._reader.check()
        assert found is not None
        return found

    def model(self, name: str) -> Model | None:
        """Return the model of that name, if it is in view."""
        return next((model for model in self.models if model.name == name), None)

    def stack(self, model: Model | None = None) -> Stack:
        """Return the layers under every project, those of a model among them."""
        found = self._reader.stack(model)
        self._reader.check()
        return found

    def layers(self, name: str | None = None) -> list[Layer]:
        """Return the layers that a name shows.

        Parameters
        ----------
        name : str, optional
            A path: that file. "world": the world's, shipped and the user's. A model's name: all that
            stands under that model. None: all that stands under the models in view.
        """
        if name is None and self.chosen:
            under = [layer for model in self.models for layer in self.stack(model).layers]
            return list({layer.source.path: layer for layer in under}.values())
        if name is None:
            return [self.read(path) for path in files_named(WORLD, *(m.name for m in self.models))]
        model = None if files.is_path(name) else self.model(name)
        if not files.is_path(name) and (name == WORLD or model is not None):
            beside = Path(f"{name}.toml")
            own = []
            if beside.is_file() and not is_shipped(beside):
                own = [self.read(locate(name))]  # and say so: a forecast does not read it
            return [*self.stack(model).layers, *own]
        content, source = files.read_toml(locate(name), name)
        problems, kind = Problems(name), kind_of(content)
        if kind == "credences":
            hint = "open it with: difprog priors edit"
            raise BadInput(Problem(name, "", "holds credences, not beliefs", hint=hint))
        if kind == "beliefs":
            layer = parse_layer(content, source, problems, self.vocabulary)
            problems.check()
            return [layer]
        project = parse_project(content, source, problems, self.vocabulary)
        problems.check()
        assert project is not None
        return [project.layer]

    def entries(self, name: str | None = None) -> list[Entry]:
        """Return the beliefs in force in the layers that a name shows; under a model, those it reads."""
        found = self.in_force(self.layers(name))
        model = self.model(name) if name is not None and not files.is_path(name) else None
        if model is None and self.chosen and len(self.models) == 1 and name is None:
            model = self.models[0]
        return [e for e in found if model is None or e.parameter.name in model.reads]

    def in_force(self, layers: Iterable[Layer]) -> list[Entry]:
        """Return the beliefs in force in a stack of layers, a later layer's in place of an earlier's."""
        found: dict[tuple[str, str], Entry] = {}
        for layer in layers:
            for name, cases in layer.beliefs.items():
                if "" in cases:
                    for key in [k for k in found if k[0] == name]:
                        del found[key]
                for case, belief in cases.items():
                    found[name, case] = Entry(self.vocabulary[name], case, belief, layer)
        return sorted(found.values(), key=lambda e: self.order[e.parameter.name])

    def split(self, text: str) -> tuple[str, str]:
        """Split "leak.open" into a parameter and a value of a fact; raises `BadInput` where unknown."""
        name, _, case = text.partition(".")
        problems = Problems(text)
        if name in GONE and name not in self.vocabulary:
            problems.add("", "is no longer a belief", hint=f"state {GONE[name]}")
        elif name not in self.vocabulary:
            problems.unknown("", name, self.vocabulary, "unknown belief")
        if case and case not in FACT_OF:
            problems.unknown(name, case, FACT_OF, "unknown value of a fact")
        problems.check()
        return name, case

    def pick(self, name: str | None, belief: str) -> list[Entry]:
        """Return the entries that "agi_arrival", "leak" or "leak.open" means in a file or in all.

        Raises
        ------
        BadInput
            Where no layer of it states the belief.
        """
        wanted, case = self.split(belief)
        stated = [e for e in self.in_force(self.layers(name)) if e.parameter.name == wanted]
        found = [e for e in stated if not case or e.case in (case, "")]
        if not found:
            where = name or "the standing files"
            hint = "difprog priors list shows what is"
            raise BadInput(Problem(where, belief, "is not stated here", hint=hint))
        return found

    def beneath(self, path: Path | None) -> Stack:
        """Return the standing layers that a file lies over, those below it."""
        model = self.model(path.stem) if path is not None else None
        here = path.resolve() if path is not None else None
        layers: list[Layer] = []
        for candidate in standing_files(model):
            if candidate.resolve() == here:
                break  # not read: it may be the very file that is being mended
            layers.append(self.read(candidate))
        return Stack(tuple(layers))

    def standing(self) -> list[Path]:
        """Return every file that stands under a project of some model in view, and the credences."""
        under = [path for model in self.models for path in standing_files(model)]
        return [*dict.fromkeys(under), *files_named("credences")]


__all__ = ["WORLD", "Entry", "Shelf", "is_file", "is_shipped", "is_yours", "label", "locate", "user_file"]
