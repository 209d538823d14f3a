"""The chance that each of many options is best, and that nothing is, in memory that does not grow.

Knows arrays only. Of every draw and every model only the best net effect so far and who has it
are kept: ten thousand projects take no more room than two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

#: The option of doing nothing, whose net effect is 0 in every draw.
NOTHING = -1


class Best:
    """Who is best in every draw of every model.

    Doing nothing is an option too, with an effect of exactly 0, and it wins a draw that no
    option betters. Options that tie above 0 share the draw equally.

    Parameters
    ----------
    models, count : int
        Number of models and of draws.

    Attributes
    ----------
    value : array, shape (models, draws)
        The best net effect so far.
    holder : array of int, shape (models, draws)
        `NOTHING`, or the node that has it.
    nodes : list of (int, int)
        A node is an option, (its number, -1), or a tie, (one node, another node).
    """

    def __init__(self, models: int, count: int) -> None:
        self.value: Array = np.zeros((models, count))
        self.holder: npt.NDArray[np.int64] = np.full((models, count), NOTHING)
        self.nodes: list[tuple[int, int]] = []

    def add(self, number: int, effects: Sequence[Any]) -> None:
        """Let one more option in.

        Parameters
        ----------
        number : int
            Which; non-negative.
        effects : sequence of arrays, each of shape (draws,) or scalar
            Its net effect under every model.
        """
        other = Best(*self.value.shape)
        for row, effect in enumerate(effects):
            other.value[row] = np.maximum(effect, 0.0)
        other.holder[other.value > 0.0] = 0
        other.nodes.append((number, -1))
        self.merge(other)

    def merge(self, other: Best) -> None:
        """Let all options of another in, which saw others on the same draws."""
        offset = len(self.nodes)
        ties = (other.value == self.value) & (other.holder != NOTHING) & (self.holder != NOTHING)
        theirs = np.where(other.holder == NOTHING, NOTHING, other.holder + offset)
        wins = other.value > self.value
        self.nodes.extend(
            (one, -1) if two < 0 else (one + offset, two + offset) for one, two in other.nodes
        )
        if ties.any():
            pairs, place = np.unique(
                np.stack([self.holder[ties], theirs[ties]]), axis=1, return_inverse=True
            )
            first = len(self.nodes)
            self.nodes.extend((int(one), int(two)) for one, two in pairs.T)
            self.holder[ties] = first + place.reshape(-1)
        self.holder[wins] = theirs[wins]
        self.value[wins] = other.value[wins]

    def chances(self, weights: Sequence[Array | None] | None = None) -> dict[int, Array]:
        """Return option → the chance that it is best, per model, shape (models,).

        Options that are never best are left out; `NOTHING` is always there. They sum to 1.

        Parameters
        ----------
        weights : sequence of array, each of shape (draws,), or None, optional
            Each model's weights of its draws, which sum to 1; None where they are equal.
        """
        models, count = self.value.shape
        found: dict[int, Array] = {NOTHING: np.zeros(models)}
        # Counted by who ties, in order: how options were put together leaves no trace in a bit.
        present = np.unique(self.holder)
        members = {int(node): self._members(int(node)) for node in present}
        groups = sorted(set(members.values()))
        rank = {group: at for at, group in enumerate(groups)}
        place = np.array([rank[members[int(node)]] for node in present])
        held = np.empty((models, len(groups)))
        for row, holder in enumerate(self.holder):
            of = place[np.searchsorted(present, holder)]
            weight = None if weights is None else weights[row]
            held[row] = np.bincount(of, weights=weight, minlength=len(groups))
        total = np.array([count if w is None else 1 for w in weights or [None] * models])
        for at, group in enumerate(groups):
            for number in group:
                share = held[:, at] / (total * len(group))
                found[number] = found.get(number, np.zeros(models)) + share
        return found

    def _members(self, node: int) -> tuple[int, ...]:
        """Return the options that a node stands for, each once."""
        if node == NOTHING:
            return (NOTHING,)
        todo: list[int] = [node]
        members: dict[int, bool] = {}
        while todo:
            one, two = self.nodes[todo.pop()]
            if two < 0:
                members[one] = True
            else:
                todo += [two, one]
        return tuple(sorted(members))

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return all that there is as arrays, to be kept."""
        nodes = np.array(self.nodes, dtype=np.int64).reshape(-1, 2)
        return {"value": self.value, "holder": self.holder, "nodes": nodes}

    @classmethod
    def from_arrays(cls, value: Any, holder: Any, nodes: Any) -> Best:
        """Return what `arrays` was taken from.

        Raises
        ------
        ValueError
            Where the arrays do not fit together.
        """
        fits = (
            value.ndim == 2
            and value.dtype == np.float64
            and holder.shape == value.shape
            and holder.dtype == nodes.dtype == np.int64
            and nodes.ndim == 2
            and nodes.shape[1] == 2
            and holder.min() >= NOTHING
            and holder.max() < len(nodes)
            # A node stands for options, or for earlier nodes: nothing can go in circles.
            and all(two < 0 <= one or 0 <= max(one, two) < at for at, (one, two) in enumerate(nodes))
        )
        if not fits:
            raise ValueError("the kept state is not one")
        best = cls(*value.shape)
        best.value, best.holder = value, holder
        best.nodes = [(int(one), int(two)) for one, two in nodes]
        return best
