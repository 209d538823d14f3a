"""How much of anything is taken: one table, from which every door refuses more and says which limit it is.

A limit is set where the program still ends within minutes and a few gigabytes on a small machine.
Imports nothing heavy.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from difprog.base.errors import BadInput, Problem


class Limit(NamedTuple):
    """The most of something.

    Attributes
    ----------
    what : str
        What is counted, as a message names it.
    most : int
        How many are taken; bytes for a file.
    why : str
        What would come of more.
    """

    what: str
    most: int
    why: str

    def check(self, count: int, file: str, key: str = "") -> None:
        """Refuse more than the limit.

        Raises
        ------
        BadInput
            With the limit and how many there are.
        """
        if count > self.most:
            raise BadInput(Problem(file, key, self.words(), f"{count:,}"))

    def words(self) -> str:
        """Return what a message says of too many."""
        return f"too many {self.what}: at most {self.most:,} are taken"


DRAWS = Limit("draws", 1_000_000, "memory grows with them: score holds 2 GB, rank, explain and report 4 to 5")
SAMPLER_DRAWS = Limit("draws per chain", 100_000, "a fit keeps them all, and its file grows with them")
CHAINS = Limit("chains", 64, "each is a run of the sampler")
EVALUATIONS = Limit(
    "evaluations of a likelihood per step of its sampler", 320,
    "the fits that ship take 18 to 78: with more, one of minutes becomes one of an hour",
)  # fmt: skip
SIMULATIONS = Limit("simulations", 100_000, "each is a fit")
JOBS = Limit("processes", 256, "each holds 0.3 GB")
OPTIONS = Limit("options compared", 40, "the draws of all are held at once")
COMPARED = Limit("draws of what is compared", 12_000_000, "compare holds them all: four gigabytes")
ROWS = Limit("rows", 200_000, "their texts are held in memory")
HELD = Limit("draws of a budget's rows", 60_000_000, "allocate holds them all: six gigabytes")
COLUMNS = Limit("columns", 500, "every cell is read as a belief or carried through")
CELL = Limit("characters in a cell", 20_000, "no belief is longer")
REVIEWERS = Limit("reviews", 50, "each is pooled, and shown by name")
TOML_BYTES = Limit("bytes in a TOML file", 1 << 20, "no belief file or proposal is longer")
TABLE_BYTES = Limit("bytes in a table", 1 << 26, "it is read whole")
TEXT_BYTES = Limit("bytes of JSON in a saved run", 1 << 25, "it is read whole")
DRAWS_BYTES = Limit("bytes of draws in a saved run", 1 << 32, "they are read whole")

#: Seconds after which a file that still gives no end is given up.
READING = 20.0

#: The dates that ``as_of`` may be: years are counted from it, and the evidence is of these decades.
EARLIEST, LATEST = date(2015, 1, 1), date(2100, 12, 31)

#: Every limit, as docs/hardness.md lists them.
TABLE = (
    DRAWS, SAMPLER_DRAWS, CHAINS, EVALUATIONS, SIMULATIONS, JOBS, OPTIONS, COMPARED, ROWS, HELD,
    COLUMNS, CELL, REVIEWERS, TOML_BYTES, TABLE_BYTES, TEXT_BYTES, DRAWS_BYTES,
)  # fmt: skip


def date_problem(value: date) -> str | None:
    """Return what is wrong with a date from which years are counted, None where nothing is."""
    if EARLIEST <= value <= LATEST:
        return None
    return f"must lie between {EARLIEST.isoformat()} and {LATEST.isoformat()}"


def markdown() -> str:
    """Return the table as docs/hardness.md shows it."""
    rows = [f"| {limit.what} | {limit.most:,} | {limit.why} |" for limit in TABLE]
    return "\n".join(["| at most | | because |", "| --- | ---: | --- |", *rows])
