"""What a user states about the outcome: ``p_success = 0.8``, ``agi_by_2035 = 0.5``.

Only read here; what is stated is met by weighting draws, in `difprog.forecast.believed`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from difprog.base.errors import Problems
from difprog.base.units import UnitError, quantity
from difprog.beliefs import published

_YEAR = re.compile(r"agi_by_([0-9]{4})", re.ASCII)


@dataclass(frozen=True)
class Outcome:
    """A chance that the weighted draws are to have.

    Attributes
    ----------
    name : str
        "p_success", or "agi_by_2035".
    chance : float
        Strictly between 0 and 1.
    layer : str
        Label of the file, or of the option, that states it.
    """

    name: str
    chance: float
    layer: str = ""

    @property
    def year(self) -> int | None:
        """The year by whose end AGI is there; None for ``p_success``."""
        match = _YEAR.fullmatch(self.name)
        return int(match[1]) if match else None


def parse_outcomes(
    table: Mapping[str, object], label: str, problems: Problems, key: str = "outcomes"
) -> tuple[Outcome, ...]:
    """Validate an ``[outcomes]`` table, adding what is wrong to ``problems``."""
    found: list[Outcome] = []
    for name, value in table.items():
        where = ".".join(filter(None, (key, name)))
        if name != "p_success" and not _YEAR.fullmatch(name):
            problems.unknown(where, name, ("p_success", "agi_by_2035"), "unknown outcome")
            continue
        try:
            chance = quantity(value, None, "")
        except UnitError as error:
            problems.add(where, str(error), value, error.hint)
            continue
        if not 0 < chance < 1:
            hint = "no weighting of draws makes anything certain"
            if 1 < chance < 100:
                hint = f'write "{chance:g}%"'
            problems.add(where, "must be strictly between 0 and 1", value, hint)
            continue
        found.append(Outcome(name, chance, label))
    years = sorted((o for o in found if o.year is not None), key=lambda o: o.name)
    for early, late in itertools.pairwise(years):
        if early.chance > late.chance:
            where = ".".join(filter(None, (key, late.name)))
            got = f"{late.chance:g} and {early.chance:g}"
            problems.add(where, f"must not be below {early.name}, which it includes", got)
    return tuple(found)


def parse_believe(words: Iterable[str]) -> tuple[Outcome, ...]:
    """Return what options state: ``p_success=80%``, or a published chance by name.

    Raises
    ------
    BadInput
        With everything that is wrong.
    """
    problems = Problems("--believe")
    table: dict[str, object] = {}
    for word in words:
        name, equals, value = (part.strip() for part in word.partition("="))
        if equals:
            said: dict[str, object] = {name: value}
        elif (entry := published.outcomes().get(name.lower())) is not None:
            said = dict(published.chances(entry))
        else:
            what = 'is neither NAME=CHANCE, such as "p_success=80%", nor a published chance, as espai-2023 is'
            problems.unknown(word, word, tuple(published.outcomes()), what)
            continue
        for key, chance in said.items():
            if key in table:
                problems.add(key, "is stated for the second time", chance)
            table[key] = chance
    found = parse_outcomes(table, "--believe", problems, "")
    problems.check()
    return found
