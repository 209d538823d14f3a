"""What a file in ``models/`` has to define, and how it is found and loaded.

A model is one Python file. There is no registry: the shipped models are the files of the
shipped folder, and a user's own is run only when named by path. It defines

``TITLE``       what it reads into the race, in a few words
``CITES``       the essay or paper whose argument it is
``ASSUMES``     what has to be believed for it, one sentence each

and may define

``PARAMETERS``  beliefs and effects of its own, made by the constructors of
                `difprog.race.parameters`: the mechanisms that it opens
``OPENS``       parameter → why it is opened: its own, or another model's; ``"*"`` opens all of the
                shared race
``PRIORS``      names of models whose belief files lie under its own
``derive``      ``derive(facts, w)``: facts and beliefs → effects, in PyTensor, in place of
                `difprog.race.effects.derive`
``success``     ``success(w, e)``: beliefs and effects → the chance of success, in PyTensor, in
                place of `difprog.race.race.success`

Imports no PyTensor: loading a model runs its file and builds no graph.
"""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from difprog.base import files
from difprog.base.errors import BadInput, Problem, Problems, nearest, plain
from difprog.race.parameters import PARAMETERS, Group, Parameter

#: Opens every mechanism of the shared race: of every shipped model but those with maths of their own.
EVERYTHING = "*"

#: Parameters that hold for a model only where a file states them; they are derived otherwise.
STATED_ONLY = ("relevance", "coupling")


@dataclass(frozen=True)
class Model:
    """A reading of the race.

    Attributes
    ----------
    name : str
        The file's name without its suffix.
    title, argument, cites : str
        In a few words; the file's docstring; whose argument it is.
    assumes : tuple of str
        What has to be believed for it.
    opens : dict of str to str
        Mechanism, by the name of its parameter → why, beyond the base race.
    source : Source
        The file.
    own : dict of str to Parameter
        Parameters that the file itself defines.
    priors : tuple of str
        Names of the belief files that lie between world.toml and the model's own.
    derive, success : callable or None
        The file's own maths; None where it is the shipped one.
    """

    name: str
    title: str
    argument: str
    cites: str
    assumes: tuple[str, ...]
    opens: Mapping[str, str]
    source: files.Source
    own: Mapping[str, Parameter] = field(default_factory=dict)
    priors: tuple[str, ...] = ()
    derive: Callable[..., Any] | None = None
    success: Callable[..., Any] | None = None

    @property
    def vocabulary(self) -> dict[str, Parameter]:
        """Every parameter that belief files may state when this model is in use."""
        return vocabulary_of([self])

    @property
    def reads(self) -> tuple[str, ...]:
        """Names of the parameters that the model reads; all others stay at neutral."""
        return tuple(name for name, p in self.vocabulary.items() if p.base or name in self.opens)

    @property
    def effects(self) -> tuple[str, ...]:
        """Names of the effects that a project can have in this model."""
        return tuple(n for n in self.reads if self.vocabulary[n].group is Group.EFFECT)


def vocabulary_of(models: Iterable[Model] = ()) -> dict[str, Parameter]:
    """Return every parameter that belief files may state when these models are in use.

    Those of the base race come first, then what the shipped models open, then the models' own.
    """
    found = dict(vocabulary())
    for model in models:
        found.update(model.own)
    return found


@lru_cache
def vocabulary() -> dict[str, Parameter]:
    """Return every parameter of the base race and of the shipped models."""
    found = dict(PARAMETERS)
    for path in shipped_models().values():
        found.update(_definitions(path, str(path))[1])
    return found


@lru_cache
def _shared() -> tuple[str, ...]:
    """Return the mechanisms of the race that all models share: a model's own maths has its own."""
    apart = {
        name
        for path in shipped_models().values()
        for module, own, _ in [_definitions(path, str(path))]
        if hasattr(module, "derive") or hasattr(module, "success")
        for name in own
    }
    return tuple(name for name, p in vocabulary().items() if not p.base and name not in apart)


@lru_cache
def shipped_models() -> dict[str, Path]:
    """Return the shipped models by name, found by looking."""
    folder = files.shipped("models")
    return {p.stem: p for p in sorted(folder.glob("*.py")) if not p.stem.startswith("_")}


def load(name: str) -> Model:
    """Load a shipped model by its name, or any file by its path.

    Raises
    ------
    BadInput
        Where there is none, or the file is not a model.
    """
    if files.is_path(name):
        return load_file(Path(name), name)
    known = shipped_models()
    if name not in known:
        near = nearest(name.lower(), known)
        hint = f'did you mean "{near}"?' if near else f"models: {', '.join(known)}"
        raise BadInput(Problem(name, "", "no model of that name", hint=hint))
    return _load_shipped(name)


@lru_cache
def _load_shipped(name: str) -> Model:
    return load_file(shipped_models()[name])


def load_file(path: Path, where: str | None = None) -> Model:
    """Load a model from its file, which is run.

    Raises
    ------
    BadInput
        Where the file cannot be read or run, or lacks what a model defines; with its line.
    """
    where = where or str(path)
    module, own, source = _definitions(path, where)
    problems = Problems(where)
    for key, kind in {"TITLE": str, "CITES": str, "ASSUMES": tuple}.items():
        if not hasattr(module, key):
            problems.add(key, "is not defined", hint="a model file defines TITLE, CITES and ASSUMES")
        elif not isinstance(getattr(module, key), kind):
            problems.add(key, f"must be a {kind.__name__}", type(getattr(module, key)).__name__)
    for key in ("derive", "success"):
        if not callable(getattr(module, key, print)):
            problems.add(key, "must be a function", type(getattr(module, key)).__name__)
    opens = getattr(module, "OPENS", {})
    if not isinstance(opens, dict):
        problems.add("OPENS", "must be a dict of parameter to reason", type(opens).__name__)
        opens = {}
    shipped = path.parent == files.shipped("models")
    known = {**(PARAMETERS if shipped else vocabulary()), **own}
    for name in own:
        if name in PARAMETERS or (not shipped and name in vocabulary()):
            problems.add("PARAMETERS", "defines a name that the vocabulary has", name)
    for name in opens:
        if name != EVERYTHING and name not in known and not (shipped and name in vocabulary()):
            problems.unknown("OPENS", str(name), known, "unknown parameter")
    problems.check()
    if EVERYTHING in opens:
        opens = {n: opens.get(n, opens[EVERYTHING]) for n in _shared()}
    return Model(
        name=path.stem,
        title=module.TITLE,
        argument=(module.__doc__ or "").strip(),
        cites=module.CITES,
        assumes=tuple(map(str, module.ASSUMES)),
        opens={**opens, **{n: opens.get(n, p.meaning) for n, p in own.items()}},
        source=source,
        own=own,
        priors=tuple(map(str, getattr(module, "PRIORS", ()))),
        derive=getattr(module, "derive", None),
        success=getattr(module, "success", None),
    )


def _definitions(path: Path, where: str) -> tuple[ModuleType, dict[str, Parameter], files.Source]:
    """Run a model file; return it, the parameters that it defines, and where it was read."""
    text, source = files.read_text(path, name=where)
    module = _run(path, text, where)
    entries = getattr(module, "PARAMETERS", ())
    problems = Problems(where)
    own: dict[str, Parameter] = {}
    for entry in entries if isinstance(entries, (tuple, list)) else (entries,):
        if not isinstance(entry, Parameter):
            problems.add("PARAMETERS", "must hold what world(), project() or effect() return",
                         type(entry).__name__)
        elif entry.name in own:
            problems.add("PARAMETERS", "defines a name for the second time", entry.name)
        elif entry.neutral is None:
            problems.add(f"PARAMETERS.{entry.name}", "needs a neutral value",
                         hint="the value that switches its mechanism off")
        else:
            own[entry.name] = replace(entry, base=False)
    problems.check()
    return module, own, source


@lru_cache(maxsize=32)
def _run(path: Path, text: str, where: str) -> ModuleType:
    """Run a model's text, once while a process lives: what is compiled of its maths is found again."""
    name = f"difprog_model_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise BadInput(Problem(where, "", "is not a Python file", hint="name it *.py"))
    try:
        code = compile(text, str(path), "exec", dont_inherit=True)
    except SyntaxError as error:
        raise BadInput(Problem(where, f"line {error.lineno}", f"is not Python: {error.msg}")) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise BadInput(Problem(where, "", f"is not Python: {error}")) from None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        exec(code, module.__dict__)  # noqa: S102 - the user named this file to be run
    except Exception as error:
        raise failure(error, path, where, "cannot be run") from error
    finally:
        sys.modules.pop(name, None)
    return module


def failure(error: BaseException, path: Path, where: str, what: str) -> BadInput:
    """Return what a model file did wrong as bad input, with the line of the file that did it."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    key = f"line {lines[-1]}" if lines else ""
    return BadInput(Problem(where, key, f"{what}: {type(error).__name__}: {plain(error, 200)}"))
