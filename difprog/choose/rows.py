"""What is to be chosen from, and what was chosen. Arrays in, plain numbers out."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Set = tuple[int, ...]
"""The rows of a choice, in order."""


@dataclass(frozen=True)
class Rows:
    """What is to be chosen from.

    Attributes
    ----------
    cost : array, shape (rows,)
        In USD; ≥ 0.
    effects : array, shape (models, rows)
        Each row's mean net effect under each model.
    credences : array, shape (models,)
        They sum to 1.
    groups : tuple, length rows
        Rows with the same group (None is none) exclude each other. Empty: no groups.
    p_negative : array, shape (rows,), optional
        Share of worlds in which the row does net harm.
    """

    cost: Array
    effects: Array
    credences: Array
    groups: tuple[Hashable, ...] = ()
    p_negative: Array | None = None

    def __post_init__(self) -> None:
        models, rows = self.effects.shape
        fits = (
            self.cost.shape == (rows,)
            and self.credences.shape == (models,)
            and len(self.groups) in (0, rows)
            and (self.p_negative is None or self.p_negative.shape == (rows,))
            and np.isfinite(self.effects).all()
            and bool(np.isfinite(self.cost).all() and (self.cost >= 0).all())
            and abs(float(self.credences.sum()) - 1.0) < 1e-9
        )
        if not fits:
            raise ValueError("costs, effects, credences and groups do not fit together")

    @property
    def expected(self) -> Array:
        """Each row's effect averaged by credence, shape (rows,)."""
        return np.asarray(np.sum(self.credences[:, None] * self.effects, axis=0))

    @property
    def exclusive(self) -> list[list[int]]:
        """The rows of every group that has several."""
        members: dict[Hashable, list[int]] = {}
        for row, group in enumerate(self.groups):
            if group is not None:
                members.setdefault(group, []).append(row)
        return [rows for rows in members.values() if len(rows) > 1]

    @property
    def size(self) -> float:
        """The largest effect of a row under a model; 1 where there is none."""
        return float(np.abs(self.effects).max(initial=0.0)) or 1.0

    def known(self, effects: Array) -> Rows:
        """Return the rows as they are where their effects, shape (rows,), are known."""
        return replace(self, effects=effects[None, :], credences=np.ones(1))

    def by_price(self) -> list[int]:
        """Return the rows by expected effect per dollar, best first."""
        price = self.expected / np.maximum(self.cost, 1e-300)
        return [int(row) for row in np.argsort(-price, kind="stable")]


class Choice(NamedTuple):
    """The best set under a rule."""

    rows: Set
    cost: float
    value: float
    """What the rule maximises: the effect expected, or under the worst model, or minus the regret."""
    expected: float
    """Effect by credence."""
    by_model: tuple[float, ...]
    """Effect under each model."""
    short: float = 0.0
    """How much more, in the unit of ``value``, a set might come to for all that is proved."""


def total(values: Array, found: Iterable[int]) -> float:
    """Return the sum of values, shape (rows,), over a set, rounded once."""
    return math.fsum(values[list(found)].tolist())
