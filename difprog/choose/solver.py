"""Mixed-integer programmes, solved by HiGHS through SciPy, without a word on standard output."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from difprog.choose.rows import Array


def solved(
    objective: Array, table: Any, bounds: Array, lower: Array, upper: Array, whole: Array, gap: float
) -> Array | None:
    """Return where an objective is least; None where nothing keeps the bounds.

    Parameters
    ----------
    objective, lower, upper : array, shape (variables,)
        What is least, and the ends of each variable.
    table, bounds : arrays of shapes (lines, variables) and (lines,)
        ``table · x ≤ bounds``.
    whole : array, shape (variables,)
        1 where a variable is a whole number.
    gap : float
        How far, relatively, from the least it may be.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    with silent():
        done = milp(
            objective, integrality=whole, bounds=Bounds(lower, upper),
            constraints=LinearConstraint(table, -np.inf, bounds), options={"mip_rel_gap": gap},
        )  # fmt: skip
    return None if done.x is None else np.asarray(done.x)


@contextmanager
def silent() -> Iterator[None]:
    """Keep off standard output what the solver's own code prints there.

    HiGHS 1.12 (SciPy 1.18) leaves a line of debugging in about one solve of fifty, whatever its
    options; it would spoil ``--json``.
    """
    flush = ctypes.CDLL(None).fflush if os.name == "posix" else None
    sys.stdout.flush()
    try:
        kept = os.dup(1)
    except OSError:  # there is no standard output
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        if flush is not None:
            flush(None)
        os.dup2(kept, 1)
        os.close(nowhere)
        os.close(kept)
