"""The handful of array functions that the race needs, for NumPy and for PyTensor.

The race and the effects are written once, over a namespace ``xp``. Scoring evaluates them on
NumPy arrays of draws; PyMC models, exact derivatives and the cross-checks evaluate the same
lines on PyTensor variables. Imports scipy or pytensor only when a namespace is asked for.
"""

from __future__ import annotations

from functools import lru_cache
from types import SimpleNamespace
from typing import Any, Protocol


class Namespace(Protocol):
    """What the race may call. Every function is elementwise and broadcasts."""

    exp: Any
    expm1: Any
    log: Any
    where: Any
    minimum: Any
    maximum: Any
    ndtr: Any
    expit: Any


@lru_cache
def numpy_namespace() -> Namespace:
    """Return the functions on NumPy arrays."""
    import numpy as np
    from scipy.special import expit, ndtr

    return SimpleNamespace(
        exp=np.exp,
        expm1=np.expm1,
        log=np.log,
        where=np.where,
        minimum=np.minimum,
        maximum=np.maximum,
        ndtr=ndtr,
        expit=expit,
    )


@lru_cache
def pytensor_namespace() -> Namespace:
    """Return the functions on PyTensor variables."""
    import pytensor.tensor as pt

    return SimpleNamespace(
        exp=pt.exp,
        expm1=pt.expm1,
        log=pt.log,
        where=pt.switch,
        minimum=pt.minimum,
        maximum=pt.maximum,
        ndtr=lambda x: 0.5 * pt.erfc(-x / 2.0**0.5),
        expit=pt.sigmoid,
    )
