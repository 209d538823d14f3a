"""Beliefs conditioned on evidence: one file per likelihood, each a row of one table.

| dataset | beliefs | likelihood |
|---|---|---|
| `timelines` | when AGI arrives | published quantiles, sources exchangeable |
| `headcounts` | researchers, and their growth | log-linear in the year |
| `parallelisation` | the stepping-on-toes exponent | answers and estimates, sources exchangeable |
| `coupling` | coupling by cell of the grid | Fisher z of benchmark correlations, a free slope |
| `reviews` | a project's effects | reviewers' intervals, biased and overconfident |

The datasets touch different beliefs, so that their joint posterior is the product of four and
each is fitted, kept and left out on its own. `tables` reads the data, `scores` turns a stated
belief into a prior, `fit` samples and judges, `store` keeps. Importing this package loads
neither pymc nor arviz: those are imported where a likelihood is built.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import ModuleType
from typing import Any, NamedTuple

from difprog.beliefs.families import Shape

#: The likelihoods of world beliefs, by the name that a belief's ``evidence`` key has.
DATASETS = ("timelines", "headcounts", "parallelisation", "coupling")


class Case(NamedTuple):
    """What a likelihood is built from."""

    data: Any
    """The table, of the likelihood's own type."""
    shapes: Mapping[str, Shape]
    """Its beliefs as stated, the prior."""
    as_of: float
    """The date from which years are counted, decimal year."""


def likelihood(name: str) -> ModuleType:
    """Return the module of a dataset's likelihood.

    It defines ``BELIEFS``, ``TITLE``, ``NOTE``, ``read() -> data``, ``build(case) ->
    pymc.Model`` and ``STATED``, the variables that carry the stated beliefs. Where scoring uses
    something else than the variables named like the beliefs, it defines ``used(draws, case, rng)
    -> (draws, predictive)``, and ``CENTRE``, the variable that a predictive is centred on.
    Observed variable ``x`` has its data in the container ``x_data``.
    """
    return importlib.import_module(f"difprog.evidence.{name}")


def read(name: str) -> Any:
    """Return a dataset's table, of its likelihood's own type.

    Raises
    ------
    BadInput
        Where the table is not what the likelihood reads.
    """
    from difprog.base.errors import BadInput, Problem

    try:
        return likelihood(name).read()
    except (KeyError, ValueError, TypeError, ZeroDivisionError) as error:
        what = f"is not the table that {name} is read from: {type(error).__name__}: {error}"
        raise BadInput(Problem(f"priors/evidence/{name}.csv", "", what)) from error
