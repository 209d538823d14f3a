"""Benchmark correlations → how coupling to capabilities falls over the research grid.

A safety benchmark on which models do the better the more capable they are is a sign that the
work behind it is capability work too. For benchmark k in a cell (f, a) of the grid,

    Fisher z_k ~ N( a₀ + b·(α_c − γ_f·f − γ_a·a),  se_k² + σ² )

with a free intercept and a free slope b ≥ 0, since a correlation across models is a proxy for
spillover and no measurement of it: the level of coupling stays as stated, and what moves is how
it falls over the grid. Base and chat models share benchmarks and ancestry; a benchmark counts
once, by the mean of its z over the two, with the standard error of one.

How far coupling falls with focus hangs on how negative correlations are read. Taken as they are,
a benchmark on which more capable models do *worse* (most of the worst case are of what a model
could do, and a model that can do it scores low) is work that is coupled less than work that does
not correlate at all. Whoever thinks that no correlation is already no coupling reads them as 0.
`VARIANTS` are fitted beside the data, and their medians shown with the result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from difprog.evidence import Case, scores, tables
from difprog.race.grid import APPROACH_SCORE, FOCUS_SCORE

Array = npt.NDArray[np.float64]

BELIEFS = ("coupling_intercept", "coupling_focus", "coupling_approach")
STATED = tuple(f"{name}_score" for name in BELIEFS)
TITLE = "rank correlations of safety benchmarks with general capability"
NOTE = (
    "a proxy across models for spillover; no benchmark looks at cognition; how far coupling falls with "
    "focus rests on negative correlations"
)
DATED = False

#: Variance of Fisher's z of a Spearman correlation is 1.06/(n − 3): Fieller, Hartley & Pearson
#: 1957, Biometrika 44:470.
SPEARMAN = 1.06


class Data(NamedTuple):
    """One entry per benchmark."""

    z: Array
    errors: Array
    focus: Array
    approach: Array
    names: tuple[str, ...]

    def where(self, keep: npt.NDArray[np.bool_]) -> Data:
        """Return some of the benchmarks."""
        names = tuple(name for name, kept in zip(self.names, keep, strict=True) if kept)
        return Data(self.z[keep], self.errors[keep], self.focus[keep], self.approach[keep], names)


#: Benchmarks of what a model could do to harm: a low score is the safe one, so that more capable models
#: score lower whatever the work behind the benchmark did.
HAZARDS = ("WMDP", "CybersecEval", "HarmBench")

#: Other readings of the same table.
VARIANTS: Mapping[str, Callable[[Data], Data]] = {
    "negative correlations read as none": lambda data: data._replace(z=np.maximum(data.z, 0.0)),
    "without " + ", ".join(HAZARDS): lambda data: data.where(
        np.asarray([not name.startswith(HAZARDS) for name in data.names], dtype=np.bool_)
    ),
}


def read() -> Data:
    """Return the benchmarks with their cells."""
    rows = tables.rows("coupling")
    z, errors = [], []
    for row in rows:
        kinds = [kind for kind in ("base", "chat") if row[kind]]
        z.append(float(np.mean([np.arctanh(float(row[kind])) for kind in kinds])))
        models = min(int(row[f"{kind}_models"]) for kind in kinds)
        errors.append((SPEARMAN / (models - 3)) ** 0.5)
    return Data(
        np.asarray(z),
        np.asarray(errors),
        np.asarray([FOCUS_SCORE[row["focus"]] for row in rows]),
        np.asarray([APPROACH_SCORE[row["approach"]] for row in rows]),
        tuple(row["benchmark"] for row in rows),
    )


def build(case: Case) -> Any:
    """Return the likelihood over the stated beliefs, a pymc.Model.

    Parameters
    ----------
    case : Case
        The table and the beliefs as stated.
    """
    import pymc as pm
    import pytensor.tensor as pt

    data, shapes, _ = case
    with pm.Model() as model:
        intercept, focus, approach = (scores.prior(name, shapes[name]) for name in BELIEFS)
        slope = pm.HalfNormal("slope", 0.5)
        spread = pm.HalfNormal("benchmark_spread", 0.7)
        # What the data pin is the level in the middle cell, a₀ + b·α_c with a₀ ~ N(0, 1).
        level = pm.Normal("level", slope * intercept, 1.0)
        fall = focus * data.focus + approach * data.approach
        pm.Normal(
            "z", level - slope * fall, pt.sqrt(data.errors**2 + spread**2),
            observed=pm.Data("z_data", data.z),
        )  # fmt: skip
    return model
