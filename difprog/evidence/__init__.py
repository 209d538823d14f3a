"""Beliefs conditioned on evidence: one file per likelihood, each a row of one table.

| dataset | beliefs | likelihood |
|---|---|---|
| `timelines` | when AGI arrives | published quantiles, sources exchangeable, censored |
| `headcounts` | researchers, and their growth | log-linear in the year |
| `parallelisation` | how progress grows with headcount | answers and estimates, sources exchangeable |
| `coupling` | coupling by cell of the grid | Fisher z of benchmark correlations, a free slope |

A project's own effects are pooled from its reviewers' intervals by a rule, not fitted: `reviews`.

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
