"""What a file in ``models/`` has to define, and how it is found and loaded.

A model is one Python file. There is no registry: the shipped models are the files of the
shipped folder, and a user's own is run only when named by path. It defines

``TITLE``     what it reads into the race, in a few words
``CITES``     the essay or paper whose argument it is
``ASSUMES``   what has to be believed for it, one sentence each
``OPENS``     parameter → why: the mechanisms it opens beyond the base race
``derive``    facts and beliefs → effects (usually `difprog.race.effects.derive`)
``success``   beliefs and effects → the chance of success (usually `difprog.race.race.success`)

and may define ``PARAMETERS``, a tuple of `difprog.race.parameters.Parameter` of its own, and
``PRIORS``, the names of models whose belief files lie under its own.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

from difprog.base import files
from difprog.base.errors import BadInput, Problem, Problems, nearest
from difprog.forecast.memory import Memory
from difprog.race.arrays import Namespace
from difprog.race.effects import Facts, Outcome
from difprog.race.parameters import PARAMETERS, Parameter
from difprog.race.race import NO_EFFECT, Effects


class Chances(NamedTuple):
    """The paired worlds, each of shape (draws,) or scalar."""

    without: Any
    """p(θ; no effect)."""
    if_hit: Any
    """p(θ; e) with the capability breakthrough."""
    if_miss: Any
    """p(θ; e) without it."""
    outcome: Outcome

    @property
    def net_effect(self) -> Any:
        """p(θ; e) − p(θ; no effect), the hit probability averaged in exactly."""
        hit = self.outcome.hit_probability
        return hit * (self.if_hit - self.without) + (1.0 - hit) * (self.if_miss - self.without)

    @property
    def with_project(self) -> Any:
        """p(θ; e), the hit probability averaged in exactly."""
        hit = self.outcome.hit_probability
        return hit * self.if_hit + (1.0 - hit) * self.if_miss


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
        Parameter → why, beyond the base race.
    derive, success : callable
        See the module's docstring.
    source : Source
        The file.
    own : dict of str to Parameter
        Parameters that the file itself defines.
    priors : tuple of str
        Names of the belief files that lie between world.toml and the model's own.
    """

    name: str
    title: str
    argument: str
    cites: str
    assumes: tuple[str, ...]
    opens: Mapping[str, str]
    derive: Callable[[Facts, Any, Namespace], Outcome]
    success: Callable[[Any, Effects, Namespace], Any]
    source: files.Source
    own: Mapping[str, Parameter] = field(default_factory=dict)
    priors: tuple[str, ...] = ()

    @property
    def vocabulary(self) -> dict[str, Parameter]:
        """Every parameter that belief files may state when this model is in use."""
        return vocabulary_of([self])

    @property
    def reads(self) -> tuple[str, ...]:
        """Names of the parameters that the model reads; all others stay at neutral."""
        return tuple(
            name
            for name, p in self.vocabulary.items()
            if p.base or name in self.opens or name in self.own
        )

    def chances(
        self,
        facts: Facts,
        values: Mapping[str, Any],
        xp: Namespace,
        memory: Memory | None = None,
    ) -> Chances:
        """Return the paired worlds for draws of the beliefs that the model reads.

        Parameters
        ----------
        facts : Facts
            The project's facts.
        values : mapping of str to array
            Draws by name; what is absent and has a neutral value is held there.
        xp : Namespace
            The array functions that fit the draws.
        memory : Memory, optional
            Keeps the world without a project, which many projects share; changes no number.
        """
        w = self.world(values)
        outcome = self.derive(facts, w, xp)

        def without(world: Any) -> Any:
            return self.success(world, NO_EFFECT, xp)

        return Chances(
            without=without(w) if memory is None else memory.world(self.name, without, w),
            if_hit=self.success(w, outcome.if_hit, xp),
            if_miss=self.success(w, outcome.if_miss, xp),
            outcome=outcome,
        )

    def world(self, values: Mapping[str, Any]) -> SimpleNamespace:
        """Return draws as attributes, mechanisms that the model does not open at neutral."""
        held = {
            name: p.neutral
            for name, p in self.vocabulary.items()
            if p.neutral is not None and name not in _STATED_ONLY
        }
        read = set(self.reads)
        return SimpleNamespace(**{**held, **{k: v for k, v in values.items() if k in read}})


def vocabulary_of(models: Iterable[Model]) -> dict[str, Parameter]:
    """Return every parameter that belief files may state when these models are in use."""
    found = dict(PARAMETERS)
    for model in models:
        found.update(model.own)
    return found


#: Parameters that exist for a model only where a file states them.
_STATED_ONLY = frozenset(
    {*Effects._fields, "relevance", "coupling"}
)


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
        near = nearest(name, known)
        hint = f'did you mean "{near}"?' if near else f"models: {', '.join(known)}"
        raise BadInput(Problem(name, "", "no model of that name", hint=hint))
    return load_file(known[name])


def load_file(path: Path, where: str | None = None) -> Model:
    """Load a model from its file, which is run.

    Raises
    ------
    BadInput
        Where the file cannot be read or run, or lacks what a model defines.
    """
    where = where or str(path)
    problems = Problems(where)
    text, source = files.read_text(path, name=where)
    module = _run(path, text, where)
    for key, kind in _DEFINITIONS.items():
        if not hasattr(module, key):
            problems.add(key, "is not defined", hint=f"a model file defines {', '.join(_DEFINITIONS)}")
        elif not (callable(getattr(module, key)) if kind is None else isinstance(getattr(module, key), kind)):
            problems.add(key, "is of the wrong type", type(getattr(module, key)).__name__)
    problems.check()
    own = {p.name: p for p in getattr(module, "PARAMETERS", ()) if isinstance(p, Parameter)}
    for name in own:
        if name in PARAMETERS:
            problems.add("PARAMETERS", "defines a name that the vocabulary has", name)
    for name in module.OPENS:
        if name not in PARAMETERS and name not in own:
            problems.unknown("OPENS", str(name), {**PARAMETERS, **own}, "unknown parameter")
    problems.check()
    return Model(
        name=path.stem,
        title=module.TITLE,
        argument=(module.__doc__ or "").strip(),
        cites=module.CITES,
        assumes=tuple(module.ASSUMES),
        opens=dict(module.OPENS),
        derive=module.derive,
        success=module.success,
        source=source,
        own=own,
        priors=tuple(map(str, getattr(module, "PRIORS", ()))),
    )


_DEFINITIONS: dict[str, Any] = {
    "TITLE": str,
    "CITES": str,
    "ASSUMES": tuple,
    "OPENS": dict,
    "derive": None,
    "success": None,
}


def _run(path: Path, text: str, where: str) -> ModuleType:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise BadInput(Problem(where, "", f"is not Python: {error}")) from None
    name = f"difprog_model_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise BadInput(Problem(where, "", "is not a Python file", hint="name it *.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise BadInput(
            Problem(where, "", f"cannot be run: {type(error).__name__}: {error}")
        ) from error
    finally:
        sys.modules.pop(name, None)
    return module
