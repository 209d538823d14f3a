"""How long still, in words, for work whose steps are counted. Imports nothing heavy."""

from __future__ import annotations

import time
from collections.abc import Callable

#: Seconds until the first words, and between later ones.
FIRST, EVERY = 5.0, 30.0


class Pace:
    """Tells now and then how far work is, and from its latest pace how long it still takes.

    Parameters
    ----------
    clock : callable, optional
        Seconds since whenever.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._mark: tuple[float, int] | None = None
        self._wait = FIRST

    def __call__(self, done: int, of: int) -> str | None:
        """Return words where it is time for some, else None.

        Parameters
        ----------
        done, of : int
            Steps done, and all that there are. What comes before the first call is counted in no pace.
        """
        now = self._clock()
        if self._mark is None:
            self._mark = now, done
        then, before = self._mark
        if now - then < self._wait or not before < done < of:
            return None
        self._mark, self._wait = (now, done), EVERY
        left = (of - done) * (now - then) / (done - before)
        return f"{100 * done / of:.0f}% done, {spell(left)} left"


def spell(seconds: float) -> str:
    """Return a stretch of time in round words."""
    if seconds < 90:
        return f"about {max(round(seconds / 10), 1) * 10} seconds"
    if seconds < 5400:
        return f"about {seconds / 60:.0f} minutes"
    return f"about {seconds / 3600:.1f} hours"
