"""Models, priors and credences, read from files: what any number of projects are scored under."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from difprog.base import files
from difprog.base.errors import BadInput, Problem
from difprog.beliefs.beliefs import Stack
from difprog.beliefs.credences import read_credences
from difprog.beliefs.outcomes import Outcome, parse_believe
from difprog.beliefs.project import Project, read_project
from difprog.beliefs.standing import standing_stacks
from difprog.models.model import Model, load, shipped_models, vocabulary_of


def announce(line: str) -> None:
    """Say on standard error what takes a while, so that nobody waits without knowing for what."""
    sys.stderr.write(f"difprog: {line}\n")
    sys.stderr.flush()


@dataclass(frozen=True)
class Setup:
    """Models, priors and credences that any number of projects are scored under.

    Attributes
    ----------
    models : tuple of Model
        In the order of the report.
    stacks : dict of str to Stack
        Per model, the layers below the project's own.
    credences : dict of str to float
        Per model, over all models that have one; they sum to 1.
    use_evidence : bool
        Whether beliefs that say so are conditioned on evidence.
    believe : tuple of Outcome
        What is stated about the outcome, over what the layers and the proposal state.
    say : callable
        Told, in a line, when something starts that takes a while: conditioning for the first time.
    """

    models: tuple[Model, ...]
    stacks: dict[str, Stack]
    credences: dict[str, float]
    use_evidence: bool = True
    believe: tuple[Outcome, ...] = ()
    say: Callable[[str], None] = field(default=announce, compare=False)


def prepare(
    models: Sequence[str] = (),
    priors: Sequence[str] = (),
    use_evidence: bool = True,
    *,
    scenarios: Sequence[str] = (),
    believe: Sequence[str] = (),
) -> Setup:
    """Load models and the belief files that stand under every project.

    Layers stack in the order of `difprog.beliefs.standing`; a proposal's beliefs come last.

    Parameters
    ----------
    models : sequence of str
        Names or paths; all shipped models by default.
    priors, scenarios : sequence of str
        Names or paths of further layers; scenarios lie over priors.
    use_evidence : bool
        Whether beliefs that say so are conditioned on evidence.
    believe : sequence of str
        Statements about the outcome, such as "p_success=80%", or names of published ones.

    Raises
    ------
    BadInput
        With every problem of every file.
    """
    problems: list[Problem] = []
    outcomes: tuple[Outcome, ...] = ()
    try:
        outcomes = parse_believe(believe)
    except BadInput as error:
        problems.extend(error.problems)
    loaded: list[Model] = []
    for name in dict.fromkeys(models or shipped_models()):
        try:
            loaded.append(load(name))
        except BadInput as error:
            problems.extend(error.problems)
    if not models:
        # From the base race to everything at once: by the number of mechanisms opened.
        loaded.sort(key=lambda model: (len(model.opens), model.name))
    names = [m.name for m in loaded]
    problems.extend(
        Problem(twice, "", "two models have this name", hint="rename the file")
        for twice in sorted({n for n in names if names.count(n) > 1})
    )
    stacks: dict[str, Stack] = {}
    try:
        stacks = standing_stacks(loaded, vocabulary_of(loaded), priors=priors, scenarios=scenarios)
    except BadInput as error:
        problems.extend(error.problems)
    credences: dict[str, float] = {}
    if loaded:
        try:
            credences = read_credences(names)
        except BadInput as error:
            problems.extend(error.problems)
    if problems:
        raise BadInput(*dict.fromkeys(problems))
    return Setup(tuple(loaded), stacks, credences, use_evidence, outcomes)


def find_project(name: str, setup: Setup) -> Project:
    """Read the proposal that a path or a bare name means; raises `BadInput`."""
    vocabulary = vocabulary_of(setup.models)
    return read_project(files.find(name, "project"), vocabulary, name if files.is_path(name) else None)
