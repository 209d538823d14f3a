"""What is doubtful about beliefs and proposals, and how those that look for it ask for a belief."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from difprog.beliefs.beliefs import Belief

#: From a name to the belief in force.
Lookup = Callable[[str], Belief | None]


class Doubt(NamedTuple):
    """One thing to look at: where, what, and the word by which a note would explain it."""

    key: str
    message: str
    topic: str

    def __str__(self) -> str:
        return f"{self.key}: {self.message}"
