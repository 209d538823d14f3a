"""What lies beside a user's file while that is changed: taken away again, whatever ends the program.

A signal raises its error between any two steps of Python: also after something was made and before a ``try``
watches over it, or as a ``finally`` begins. What is put aside is therefore noted before it is made, and what
is still noted when the program ends is taken away then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_noted: list[Callable[[], None]] = []


@contextmanager
def put(take_away: Callable[[], None]) -> Iterator[None]:
    """Watch over what is made in the block; ``take_away`` takes away what of it is there, if anything."""
    _noted.append(take_away)
    try:
        yield
    finally:
        take_away()
        _noted.remove(take_away)


def clear() -> None:
    """Take away what signals left; the last thing that a program does."""
    while _noted:
        with suppress(OSError):
            _noted.pop()()
