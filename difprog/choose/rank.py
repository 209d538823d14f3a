"""A portfolio scored row by row, on the same worlds, by one process or many.

The work of a chunk of rows is a plain function of plain data (`score_rows`), so that processes
and clusters do the same work as one process does, to the bit: chunks have a fixed size and are
put together in order, whoever did them. What rows share is computed once per process
(`difprog.forecast.sampling.Kept`); of the joint distribution only who is best of every draw is kept
(`difprog.choose.best`): time per row and memory do not grow with the number of rows.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from difprog.base import plainjson
from difprog.base.errors import BadInput, DifprogError, Problem
from difprog.choose import workers
from difprog.choose.best import NOTHING, Best
from difprog.choose.cluster import Submit
from difprog.choose.journal import Journal, Line, folder_for
from difprog.choose.portfolio import Portfolio, Row
from difprog.forecast import identity
from difprog.forecast.forecast import Forecast, Setup, question_of
from difprog.forecast.request import Request
from difprog.forecast.sampling import Kept
from difprog.models.model import vocabulary_of
from difprog.race.parameters import Group

DEFAULT_DRAWS = 4_000

#: What a portfolio can be ordered by: the mean net effect, that per dollar, the chance to be best.
ORDERS = ("effect", "per-dollar", "best")

#: Rows that are scored as one piece of work.
CHUNK = 25

#: What becomes of a row's forecast: plain data, which is all that is kept of it. A function of
#: a module, so that other processes find it.
Show = Callable[[Row, Forecast], dict[str, Any]]


def key_of(request: Request, setup: Setup) -> str:
    """Return the hash of all that decides the numbers of a row, but for the row."""
    return plainjson.digest(
        [identity.setup(setup), request.draws, request.seed, request.prob, request.publication, CHUNK]
    )


@dataclass(frozen=True)
class Chunk:
    """What a chunk of rows came to: a line per row, and who was best of every draw."""

    lines: list[Line]
    best: Best


def condition(portfolio: Portfolio, setup: Setup) -> None:
    """Have evidence conditioned, where it is not kept, before many processes would each want it.

    The first row that can be read asks for it: world beliefs are the same for all but the rows
    that state their own.
    """
    known = vocabulary_of(setup.models)
    for row in portfolio.rows:
        with suppress(BadInput):
            question_of(row.loaded().project(known), setup)
            return


@lru_cache(maxsize=2)
def _workshop(request: Request, key: str) -> tuple[Setup, Kept]:
    """Return this process's setup for a request, and what its rows share.

    Raises
    ------
    DifprogError
        Where this process would not compute what the one that asks would.
    """
    setup = request.setup()
    if key_of(request, setup) != key:
        raise DifprogError(
            "a worker has other code, models or priors than this process: give it the same ones"
        )
    return setup, Kept()


def score_rows(request: Request, key: str, show: Show, rows: Sequence[Row]) -> Chunk:
    """Score a chunk of rows.

    Parameters
    ----------
    request : Request
        Under what.
    key : str
        `key_of` as the process that asks found it.
    show : callable
        What is kept of a row's forecast.
    rows : sequence of Row
        Loaded rows.
    """
    setup, kept = _workshop(request, key)
    known = vocabulary_of(setup.models)
    lines: list[Line] = []
    best = Best(len(setup.models), request.draws)
    for row in rows:
        try:
            project = request.supposed(row.project(known))
            found = request.forecast(project, setup, kept)
            _check_weighed_alike(row, found)
        except BadInput as error:
            said = {"row": row.number, "name": row.name, "problems": [str(p) for p in error.problems]}
            lines.append(Line(row.number, row.sha256, None, _dumps(said)))
            continue
        best.add(row.number, list(found.draws.net_effect))
        effect = found.ensemble["net_effect"].mean
        lines.append(Line(row.number, row.sha256, effect, _dumps(show(row, found))))
    return Chunk(lines, best)


def _check_weighed_alike(row: Row, found: Forecast) -> None:
    """Refuse a row whose worlds count differently from other rows', under what is stated of the outcome."""
    if not found.draws.tilts:
        return
    known = found.draws.question.vocabulary
    own = [n for n in found.project.layer.beliefs if n in known and known[n].group is Group.WORLD]
    own += [outcome.name for outcome in found.project.layer.outcomes]
    if own:
        raise BadInput(
            Problem(row.where, ", ".join(own), "is stated for this row alone: its worlds count differently",
                    hint="score it by itself, or state it for all: --priors FILE, --believe")
        )  # fmt: skip


def _weights(portfolio: Portfolio, request: Request, setup: Setup) -> list[Any] | None:
    """Return how the draws of every model count for all rows; None where all count alike."""
    if not setup.believe and not any(stack.outcomes for stack in setup.stacks.values()):
        return None
    known = vocabulary_of(setup.models)
    for row in portfolio.rows:
        with suppress(BadInput):
            found = request.forecast(request.supposed(row.loaded().project(known)), setup)
            _check_weighed_alike(row, found)
            return [answer.weighing.weights for answer in found.models]
    return None


def _dumps(value: Any) -> str:
    return plainjson.dumps(value)


class Ranking:
    """A portfolio's results, read back from its journal in order of rank.

    Attributes
    ----------
    order : list of Entry
        Rows that were scored, best first by what was asked for, then by row; `by` arranges them.
    failed : list of Entry
        Rows that could not be.
    p_best : dict of int to array
        Row (or `NOTHING`) → chance that it is best, per model, shape (models,).
    """

    def __init__(
        self, request: Request, setup: Setup, journal: Journal, ways: list[Any] | None = None
    ) -> None:
        self.request, self.setup, self.journal = request, setup, journal
        scored = [e for e in journal.entries if e.effect is not None]
        self.order = sorted(scored, key=lambda e: (-(e.effect or 0.0), e.number))
        self.ordered_by = "effect"
        self.failed = [e for e in journal.entries if e.effect is None]
        self.p_best = journal.best.chances(ways)
        weights = np.array([setup.credences[m.name] for m in setup.models])
        self.weights = weights / weights.sum()

    def by(self, order: str) -> None:
        """Arrange the rows by one of `ORDERS`; those without a cost come last where it is per dollar.

        Ties go to the higher mean net effect, then to the earlier row.
        """
        worth: dict[int, float] = {}
        self.ordered_by = order
        if order == "per-dollar":
            for line in self.journal.read(self.order):
                money = json.loads(line.text)["value_for_money"]
                if money is not None and money["microdooms_per_million_usd"] is not None:
                    worth[line.number] = money["microdooms_per_million_usd"]
        elif order == "best":
            worth = {e.number: self.chance(e.number)["p_best"] for e in self.order}
        self.order.sort(key=lambda e: (-worth.get(e.number, -np.inf), -(e.effect or 0.0), e.number))

    def chance(self, number: int) -> dict[str, Any]:
        """Return the chance that a row (or `NOTHING`) is best: of the mixture, and per model."""
        each = self.p_best.get(number, np.zeros(len(self.weights)))
        return {
            "p_best": float(self.weights @ each),
            "models": {m.name: float(p) for m, p in zip(self.setup.models, each, strict=True)},
        }

    def projects(self, most: int | None = None) -> Iterator[dict[str, Any]]:
        """Yield the scored rows' JSON, best first, one at a time."""
        for rank, line in enumerate(self.journal.read(self.order[:most]), 1):
            found = json.loads(line.text)
            chance = self.chance(line.number)
            for each in found["models"]:
                each["p_best"] = chance["models"][each["model"]]
            head = {"row": found.pop("row"), "name": found.pop("name"), "rank": rank}
            yield {**head, "p_best": chance["p_best"], **found}

    def errors(self) -> Iterator[dict[str, Any]]:
        """Yield what was wrong with the rows that could not be scored."""
        for line in self.journal.read(self.failed):
            yield json.loads(line.text)

    def nothing(self) -> dict[str, Any]:
        """Return the chance that no row does better than nothing."""
        return self.chance(NOTHING)


@contextmanager
def ranked(
    portfolio: Portfolio,
    request: Request,
    show: Show,
    jobs: int = 1,
    dask: str | None = None,
    fresh: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Ranking]:
    """Score a portfolio, or the part of it that an interrupted run has not; then show it.

    Parameters
    ----------
    portfolio : Portfolio
        The rows.
    request : Request
        Under what.
    show : callable
        What is kept of a row's forecast.
    jobs : int
        Processes.
    dask : str, optional
        Address of a Dask scheduler that does the work instead.
    fresh : bool
        Forget what an interrupted run left.
    progress : callable, optional
        Told how many of how many rows are done, first of all how many are taken up.

    Raises
    ------
    BadInput
        Where models, priors or the cluster's address are wrong.
    """
    setup = request.setup()
    key = key_of(request, setup)
    hashes = [row.sha256 for row in portfolio.rows]
    place = plainjson.digest([key, [str(path.resolve()) for path in portfolio.paths]])
    shape = len(setup.models), request.draws
    spare = ""
    try:
        journal = Journal(folder_for(place), hashes, *shape, fresh)
    except OSError:
        # The user's folder cannot be written: a ranking that cannot be taken up is still one.
        spare = tempfile.mkdtemp(prefix="difprog-")
        try:
            journal = Journal(Path(spare), hashes, *shape)
        except OSError:
            shutil.rmtree(spare, ignore_errors=True)
            raise
    done = False
    try:
        if progress is not None:
            progress(len(journal.entries), len(hashes))
        left = portfolio.rows[len(journal.entries) :]
        pieces = [left[at : at + CHUNK] for at in range(0, len(left), CHUNK)]
        work = partial(score_rows, request, key, show)
        with workers.opened(work, jobs, dask) as (submit, room):
            for chunk in _in_order(pieces, submit, room):
                journal.append(chunk.lines, chunk.best)
                if progress is not None:
                    progress(len(journal.entries), len(hashes))
        journal.checkpoint()
        yield Ranking(request, setup, journal, _weights(portfolio, request, setup))
        done = True
    finally:
        journal.close(done)
        if spare:
            shutil.rmtree(spare, ignore_errors=True)


def _in_order(pieces: Sequence[Sequence[Row]], submit: Submit, room: int) -> Iterator[Chunk]:
    """Yield the chunks' results in the rows' order, with no more than ``room`` of them under way."""
    waiting: deque[Any] = deque()
    for piece in pieces:
        waiting.append(submit([row.loaded() for row in piece]))
        if len(waiting) >= room:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def nothing_scored(ranking: Ranking) -> BadInput:
    """Return the error that says that every row is bad."""
    problems = []
    for found in ranking.errors():
        for line in found["problems"]:
            where, _, what = line.partition(": ")
            problems.append(Problem(where, "", what))
    return BadInput(*problems)
