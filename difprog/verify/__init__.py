"""Does the program compute what it says? Checks that anybody can run again.

`sbc` calibrates every likelihood by simulation; `closed` compares the race with closed forms and
with another evaluation of the same formulas, a likelihood with its conjugate case, and models
with the models nested in them. `run` does all and returns plain numbers.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from difprog.evidence import DATASETS

#: Simulations per likelihood and the likelihoods simulated: for continuous integration, by
#: default, and for a number to report.
SETTINGS: dict[str, tuple[int, tuple[str, ...]]] = {
    "short": (20, ("headcounts", "coupling")),
    "long": (200, DATASETS),
}

Say = Callable[[str, int, int], None]


def run(
    setting: str, seed: int = 1, simulations: int | None = None, say: Say | None = None
) -> dict[str, Any]:
    """Run every check.

    Parameters
    ----------
    setting : {"short", "long"}
        How many simulations of which likelihoods.
    seed : int
        Of the simulations.
    simulations : int, optional
        In place of the setting's own number.
    say : callable, optional
        Told what is being done, how far, and of how much.

    Returns
    -------
    dict
        ``sbc`` (one entry per likelihood), ``closed`` (one per comparison), ``passed``, ``seconds``.
    """
    from difprog.verify import closed, sbc

    start = time.perf_counter()
    number, names = SETTINGS[setting]
    number = simulations or number
    comparisons = closed.run(seed)
    calibrations = [
        sbc.calibrate(name, number, seed, None if say is None else partial(say, name)) for name in names
    ]
    return {
        "closed": comparisons,
        "sbc": calibrations,
        "passed": all(c["passed"] for c in (*comparisons, *calibrations)),
        "seconds": round(time.perf_counter() - start, 1),
    }
