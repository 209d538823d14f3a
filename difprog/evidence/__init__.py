"""Beliefs conditioned on evidence: a dataset is a table and the module of its name here, found by looking.

Nothing names them all, and no likelihood imports another, so that a further dataset leaves the kept
posteriors of the others as they are. They touch different beliefs: their joint posterior is the product
of theirs, and each is fitted, kept and left out on its own. A project's own effects are pooled from its
reviewers' intervals by a rule, not fitted: `reviews`.

`tables` reads the data, `scores` turns a stated belief into a prior, `fit` samples and judges, `store`
keeps. Importing this package loads no library: those are imported where a likelihood is built.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from difprog.base import files

if TYPE_CHECKING:  # the names of the datasets are wanted by a help text, which waits for no library
    from difprog.beliefs.distributions import Shape

#: The likelihoods of world beliefs, by the name that a belief's ``evidence`` key has: the modules of this
#: package that have a table of their name, found by looking.
DATASETS = tuple(
    path.stem
    for path in sorted(Path(__file__).parent.glob("*.py"))
    if files.shipped("priors", "evidence", f"{path.stem}.csv").is_file()
)


class Case(NamedTuple):
    """What a likelihood is built from."""

    data: Any
    """The table, of the likelihood's own type."""
    shapes: Mapping[str, Shape]
    """Its beliefs as stated, the prior."""
    as_of: float
    """The date from which years are counted, decimal year; NaN for a likelihood that is not `DATED`."""


def likelihood(name: str) -> ModuleType:
    """Return the module of a dataset's likelihood.

    It defines ``BELIEFS``, ``TITLE``, ``NOTE``, ``DATED`` (whether it rests on the date from which years
    are counted), ``read() -> data``, ``build(case) -> pymc.Model`` and ``STATED``, the variables that
    carry the stated beliefs. Where scoring uses something else than the variables named like the
    beliefs, it defines ``used(draws, case, rng) -> (draws, predictive)``, and ``CENTRE``, the variable
    that a predictive is centred on.
    Observed variable ``x`` has its data in the container ``x_data``. ``VARIANTS`` are other readings
    of the data, in words → a function of the data.
    """
    return importlib.import_module(f"difprog.evidence.{name}")
