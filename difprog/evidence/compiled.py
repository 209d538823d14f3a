"""A likelihood compiled once and sampled many times, as its data containers change.

PyMC's own NUTS, without the compilation that `pymc.sample` makes every time: simulation-based
calibration and leaving sources out need hundreds of fits of one graph. Imports pymc in functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from difprog.evidence.fit import quiet

Array = npt.NDArray[np.float64]


class Compiled:
    """A model's NUTS step and the function from its unconstrained point to its variables.

    Parameters
    ----------
    model : pymc.Model
        Its observed data in containers.
    target_accept : float
        Of the step size's adaptation.
    """

    def __init__(self, model: Any, target_accept: float = 0.9) -> None:
        import pymc as pm

        self.model = model
        with quiet():
            self.step = pm.NUTS(model=model, target_accept=target_accept, rng=np.random.default_rng(0))
            self.start = model.initial_point()
            outputs = model.unobserved_value_vars
            self.names = [v.name for v in outputs]
            self._values = model.compile_fn(
                outputs, inputs=model.value_vars, on_unused_input="ignore", point_fn=True
            )
            self._point = _unconstrained(model)

    def run(
        self, draws: int, tune: int, thin: int, seed: int, start: Mapping[str, Array] | None = None
    ) -> tuple[dict[str, Array], int]:
        """Return one chain and its number of divergences.

        Parameters
        ----------
        draws, tune, thin : int
            Draws to return, steps of adaptation to throw away before, and steps per draw.
        seed : int
            Of this chain; chains of one seed and one data set are the same.
        start : mapping of str to array, optional
            Values of all free variables to start from; near the prior's middle by default.

        Returns
        -------
        dict of str to array
            Every variable, constrained, shape (draws, …).
        int
            Divergences after adaptation.
        """
        self.step.reset_tuning()
        self.step.tune = True
        rng = np.random.default_rng(seed)
        self.step.setup_chain(rng, tune=tune, draws=draws * thin)
        jitter = np.random.default_rng([seed, 1])
        point = {k: np.asarray(v) + jitter.uniform(-0.5, 0.5, np.shape(v)) for k, v in self.start.items()}
        if start is not None:
            point = self._point(start)
        kept: list[list[Any]] = []
        divergences = 0
        with quiet():
            for i in range(tune + draws * thin):
                if i == tune:
                    self.step.stop_tuning()
                point, stats = self.step.step(point)
                if i >= tune:
                    divergences += bool(stats[0]["diverging"])
                    if (i - tune) % thin == thin - 1:
                        kept.append(self._values(point))
        columns = zip(*kept, strict=True)
        return {n: np.asarray(c) for n, c in zip(self.names, columns, strict=True)}, divergences

    def observe(self, **data: Array) -> None:
        """Set data containers."""
        with self.model:
            for name, values in data.items():
                self.model.set_data(name, values)


def _unconstrained(model: Any) -> Callable[[Mapping[str, Array]], dict[str, Array]]:
    """Return the function from values of the free variables to the sampler's point."""
    import pytensor

    inputs, outputs = [], []
    for variable in model.free_RVs:
        value = variable.type()
        transform = model.rvs_to_transforms[variable]
        inputs.append(value)
        outputs.append(value if transform is None else transform.forward(value, *variable.owner.inputs))
    function = pytensor.function(inputs, outputs, on_unused_input="ignore")
    free = [v.name for v in model.free_RVs]
    names = [model.rvs_to_values[v].name for v in model.free_RVs]

    def point(values: Mapping[str, Array]) -> dict[str, Array]:
        return dict(zip(names, function(*(np.asarray(values[n], dtype=float) for n in free)), strict=True))

    return point
