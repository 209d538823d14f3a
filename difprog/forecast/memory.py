"""What many projects share is computed once: draws of world beliefs, the world without a project.

A `Memory` only ever saves time. Whatever it returns is what its maker would have returned, to
the bit, so that a project scored in a portfolio of thousands has the numbers it has on its own.
Touches no files; knows nothing of beliefs or models.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

#: Bytes of arrays that are kept before the least recently used are dropped.
LIMIT = 1 << 26

#: Different worlds without a project that are kept per model.
WORLDS = 4


class Memory:
    """Values by key, the least recently used dropped beyond a number of bytes.

    Parameters
    ----------
    limit : int
        Bytes of arrays; what a key or a plain number takes is not counted.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self.used = 0
        self._entries: OrderedDict[Hashable, tuple[Any, tuple[Any, ...], int]] = OrderedDict()
        self._worlds: dict[Hashable, list[tuple[dict[str, Any], Any]]] = {}

    def get(self, key: Hashable, make: Callable[[], Any], *held: object) -> Any:
        """Return the value of a key, made where it is not at hand.

        Parameters
        ----------
        key : hashable
            What the value depends on.
        make : callable
            Makes it; must depend on nothing but ``key`` and ``held``.
        *held : object
            Further things it depends on, told apart by identity (arrays, posteriors); they are
            kept alive with the value, so that no identity is used twice.
        """
        full = (key, tuple(_identity(thing) for thing in held))
        found = self._entries.get(full)
        if found is not None:
            self._entries.move_to_end(full)
            return found[0]
        value = make()
        size = _bytes(value)
        self._entries[full] = value, held, size
        self.used += size
        while self.used > self.limit and len(self._entries) > 1:
            _, (_, _, dropped) = self._entries.popitem(last=False)
            self.used -= dropped
        return value

    def world(self, key: Hashable, function: Callable[[Any], Any], w: SimpleNamespace) -> Any:
        """Return function(w), computed anew only where an attribute that it reads has changed.

        Which attributes those are is watched while the function runs. As it is deterministic,
        two namespaces that agree on all that one run read would be read alike by another.
        """
        worlds = self._worlds.setdefault(key, [])
        for read, value in worlds:
            if all(_same(getattr(w, name, _ABSENT), was) for name, was in read.items()):
                return value
        watched = _Watched(**vars(w))
        value = function(watched)
        read = object.__getattribute__(watched, "__dict__").pop(_NOTES)
        worlds.append((read, value))
        del worlds[:-WORLDS]
        return value


_ABSENT = object()
_NOTES = " read"


class _Watched(SimpleNamespace):
    """A namespace that notes which attributes are read; a look at all of them notes them all."""

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        object.__getattribute__(self, "__dict__")[_NOTES] = {}

    def __getattribute__(self, name: str) -> Any:
        values = object.__getattribute__(self, "__dict__")
        notes: dict[str, Any] = values[_NOTES]
        if name == "__dict__":
            notes.update((k, v) for k, v in values.items() if k != _NOTES)
            return {k: v for k, v in values.items() if k != _NOTES}
        if not name.startswith("__"):
            notes[name] = values.get(name, _ABSENT)
        return object.__getattribute__(self, name)


def _identity(thing: object) -> Hashable:
    """Return what tells a thing apart: a plain number by its value, all else by identity."""
    return thing if isinstance(thing, (bool, int, float, str)) else ("id", id(thing))


def _same(one: object, other: object) -> bool:
    return one is other or (isinstance(one, float) and isinstance(other, float) and one == other)


def _bytes(value: Any) -> int:
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, Mapping):
        return sum(_bytes(part) for part in value.values())
    return 0
