"""The data of a shipped table, or word that it is damaged. Reads files, nothing else."""

from __future__ import annotations

import csv
import warnings
from typing import Any

import numpy as np

from difprog.base.errors import BadInput, Problem
from difprog.evidence import likelihood


def read(name: str) -> Any:
    """Return the data of a dataset, of its likelihood's own type.

    Raises
    ------
    BadInput
        Where the table cannot be read, is empty, or holds what is no number.
    """
    try:
        with warnings.catch_warnings(), np.errstate(all="raise"):
            warnings.simplefilter("error", RuntimeWarning)
            data = likelihood(name).read()
        arrays = [part for part in data if isinstance(part, np.ndarray)]
        if not arrays or not all(part.size and not np.isnan(part).any() for part in arrays):
            raise ValueError(f"{name} holds what is no number")
    except (ArithmeticError, AttributeError, LookupError, RuntimeWarning, TypeError, ValueError, csv.Error):
        hint = "install difprog again"
        raise BadInput(Problem(f"priors/evidence/{name}.csv", "", "is damaged", hint=hint)) from None
    return data
