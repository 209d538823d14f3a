"""Functions that quantiles are made of, on NumPy arrays or on PyTensor variables alike.

Distributions are written once over these: the same lines fit percentiles and draw densities on
arrays, and become nodes of the PyMC model. Which of the two is meant is seen from the arguments;
nothing here imports PyTensor unless it is in use.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from scipy import special


def symbolic(*values: Any) -> bool:
    """Whether any of the values is a PyTensor variable."""
    graph = sys.modules.get("pytensor.graph.basic")
    return graph is not None and any(isinstance(v, graph.Variable) for v in values)


def _either(on_arrays: Any, on_variables: str) -> Any:
    def apply(*values: Any) -> Any:
        if not symbolic(*values):
            return on_arrays(*values)
        import pytensor.tensor as pt

        return getattr(pt, on_variables)(*values)

    apply.__doc__ = f"Return {on_variables}, elementwise."
    return apply


exp = _either(np.exp, "exp")
expm1 = _either(np.expm1, "expm1")
log1p = _either(np.log1p, "log1p")
log = _either(np.log, "log")
sqrt = _either(np.sqrt, "sqrt")
expit = _either(special.expit, "sigmoid")
where = _either(np.where, "switch")
minimum = _either(np.minimum, "minimum")
maximum = _either(np.maximum, "maximum")
betaincinv = _either(special.betaincinv, "betaincinv")
betainc = _either(special.betainc, "betainc")
gammaincinv = _either(special.gammaincinv, "gammaincinv")
gammainc = _either(special.gammainc, "gammainc")
around = _either(np.round, "round")


def ndtr(z: Any) -> Any:
    """Return Φ(z), the standard normal's cdf."""
    if not symbolic(z):
        return special.ndtr(z)
    import pytensor.tensor as pt

    return 0.5 * pt.erfc(z * -(0.5**0.5))


def ndtri(u: Any) -> Any:
    """Return Φ⁻¹(u)."""
    if not symbolic(u):
        return special.ndtri(u)
    import pytensor.tensor as pt

    return -(2.0**0.5) * pt.erfcinv(2.0 * u)


def clip(x: Any, low: Any, high: Any) -> Any:
    """Return x held between two ends."""
    return minimum(maximum(x, low), high)


def take(array: Any, index: Any) -> Any:
    """Return entries of a one-dimensional array."""
    if not symbolic(index):
        return array[index]
    import pytensor.tensor as pt

    return pt.as_tensor_variable(array)[index]


def searchsorted(array: Any, values: Any) -> Any:
    """Return how many entries of a sorted array lie below each value."""
    if not symbolic(values):
        return np.searchsorted(array, values)
    import pytensor.tensor as pt

    return pt.searchsorted(pt.as_tensor_variable(array), values)
