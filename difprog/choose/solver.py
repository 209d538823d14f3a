"""Mixed-integer programmes, solved by HiGHS through SciPy, without a word on standard output."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from difprog.choose.rows import Array


class Solution(NamedTuple):
    """What the solver found."""

    x: Array | None
    """Where the objective is least; None where it found nothing that keeps the bounds."""
    bound: float
    """What the objective is nowhere less than: infinite where nothing keeps the bounds."""


def solved(
    objective: Array, table: Any, bounds: Array, lower: Array, upper: Array, whole: Array, gap: float,
    nodes: int | None = None,
) -> Solution:  # fmt: skip
    """Return where an objective is least.

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
    nodes : int, optional
        Nodes of the search after which it ends, whatever is proved by then. Not seconds: the same
        programme has the same answer on every machine.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    with silent():
        done = milp(
            objective, integrality=whole, bounds=Bounds(lower, upper),
            constraints=LinearConstraint(table, -np.inf, bounds),
            options={"mip_rel_gap": gap} | ({} if nodes is None else {"node_limit": nodes}),
        )  # fmt: skip
    stopped = done.status == 1
    none = np.inf if done.status == 2 else -np.inf  # where it gave up, nothing is proved
    bound = done.mip_dual_bound if done.x is not None or stopped else none
    x = None if done.x is None else np.asarray(done.x)
    return Solution(x, -np.inf if bound is None else float(bound))


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
