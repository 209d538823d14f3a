"""What several questions share, kept for the next one in memory that does not grow; changes no number."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

#: Bytes of world beliefs' draws that are kept for the next project.
KEPT_BYTES = 1 << 27


class Kept:
    """Arrays by key, the least recently used dropped beyond a number of bytes. Only saves time."""

    def __init__(self, limit: int = KEPT_BYTES) -> None:
        self.limit, self.used = limit, 0
        self._entries: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return the value of a key, made where it is not at hand."""
        if key in self._entries:
            self._entries.move_to_end(key)
            return self._entries[key][0]
        value = make()
        size = getattr(value, "nbytes", 0)
        self._entries[key] = value, size
        self.used += size
        while self.used > self.limit and len(self._entries) > 1:
            self.used -= self._entries.popitem(last=False)[1][1]
        return value

    def made_of(self, what: Hashable, arrays: Sequence[Array], make: Callable[[], Any]) -> Any:
        """Return what is made of arrays, made anew where they are other arrays than before.

        Arrays that were drawn once are kept by whoever asks, so that their places in memory tell
        them apart; small ones, and single numbers made wide, are told apart by what they hold.
        """
        key = what, *map(_mark, arrays)
        return self.get(key, lambda: _Held(make(), list(arrays))).value


def _mark(array: Array) -> Hashable:
    """Return what tells an array that is held from others."""
    if not any(array.strides):
        return array.shape, float(array.flat[0]) if array.size else None
    if array.size <= 64:
        return array.shape, array.tobytes()
    return array.shape, array.strides, array.__array_interface__["data"][0]


class _Held:
    """A value, and the arrays that it was made of: while they are held, no other has their place."""

    def __init__(self, value: Any, made_of: list[Array]) -> None:
        self.value, self.made_of = value, made_of
        own = sum(a.nbytes for a in made_of if any(a.strides))
        self.nbytes = getattr(value, "nbytes", 0) + own
