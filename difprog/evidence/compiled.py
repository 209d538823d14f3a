"""A likelihood whose NUTS step is compiled once and used for many data sets.

`pymc.sample` compiles the step anew every time it is called; given a step it only compiles how to
read a point, 0.2 seconds. Calibration and leaving sources out need hundreds of fits of one graph.
With a seed the draws are the same, whatever the step was used for before. Imports pymc in functions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from difprog.base import processes
from difprog.evidence.fit import quiet

Array = npt.NDArray[np.float64]


class Compiled:
    """A model with its NUTS step.

    Parameters
    ----------
    model : pymc.Model
        Its observed data in containers.
    target_accept : float
        Of the step size's adaptation.
    """

    def __init__(self, model: Any, target_accept: float = 0.9) -> None:
        processes.import_settled(*processes.SAMPLERS)
        import pymc as pm

        self.model = model
        with quiet():
            self.step = pm.NUTS(model=model, target_accept=target_accept, rng=np.random.default_rng(0))

    def run(
        self, *, draws: int, tune: int, thin: int, seed: int, start: Mapping[str, Array] | None = None
    ) -> tuple[dict[str, Array], int]:
        """Return one chain and its number of divergences.

        Parameters
        ----------
        draws, tune, thin : int
            Draws to return, steps of adaptation to throw away before, and steps per draw.
        seed : int
            Of this chain; chains of one seed and one data set are the same.
        start : mapping of str to array, optional
            Values of all free variables to start from; the prior's middle by default.

        Returns
        -------
        dict of str to array
            Every variable, constrained, shape (draws, …).
        int
            Divergences after adaptation.
        """
        import pymc as pm

        initial = None if start is None else {v.name: start[v.name] for v in self.model.free_RVs}
        with quiet():
            tree = pm.sample(
                draws * thin, tune=tune, chains=1, cores=1, model=self.model, step=self.step,
                initvals=initial, random_seed=seed, progressbar=False, compute_convergence_checks=False,
            )  # fmt: skip
        last = slice(thin - 1, None, thin)
        every = tree.posterior.data_vars.items()
        found = {str(k): np.asarray(v.values[0][last], dtype=float) for k, v in every}
        return found, int(np.asarray(tree.sample_stats["diverging"]).sum())

    def observe(self, **data: Array) -> None:
        """Set data containers."""
        with self.model:
            for name, values in data.items():
                self.model.set_data(name, values)
