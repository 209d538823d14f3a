"""A portfolio scored row by row, on the same worlds, by one process or many.

The work of a chunk of rows is a plain function of plain data (`score_rows`), so that processes
and clusters do the same work as one process does, to the bit: chunks have a fixed size and are
put together in order, whoever did them. What rows share is computed once per process
(`difprog.memory`); of the joint distribution only who is best of every draw is kept
(`difprog.best`): time per row and memory do not grow with the number of rows.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from difprog import identity
from difprog.best import NOTHING, Best
from difprog.errors import BadInput, DifprogError, Problem
from difprog.forecast import Forecast, Setup, prepare, questions, score
from difprog.journal import Journal, Line, folder_for
from difprog.memory import Memory
from difprog.parameters import PARAMETERS, Parameter
from difprog.portfolio import Portfolio, Row

DEFAULT_DRAWS = 4_000

#: Rows that are scored as one piece of work.
CHUNK = 25

#: Pieces of work that wait or run, per process.
AHEAD = 3

#: What becomes of a row's forecast: plain data, which is all that is kept of it. A function of
#: a module, so that other processes find it.
Show = Callable[[Row, Forecast], dict[str, Any]]

#: Hands rows to whoever does the work; returns something with ``result()``, their chunk.
Submit = Callable[[Sequence[Row]], Any]


@dataclass(frozen=True)
class Spec:
    """Under what rows are scored, in plain words that any process can act on.

    Attributes
    ----------
    models, priors : tuple of str
        As on the command line.
    use_evidence : bool
        Whether beliefs are conditioned on evidence.
    count, seed : int
        Draws and seed.
    prob : float
        Probability of the intervals.
    publication : str or None
        A publication policy in place of the rows' own.
    """

    models: tuple[str, ...] = ()
    priors: tuple[str, ...] = ()
    use_evidence: bool = True
    count: int = DEFAULT_DRAWS
    seed: int = 1
    prob: float = 0.9
    publication: str | None = None

    def setup(self) -> Setup:
        """Return the models and layers that are meant; raises `BadInput`."""
        return prepare(self.models, self.priors, self.use_evidence)

    def key(self, setup: Setup) -> str:
        """Return the hash of all that decides the numbers of a row, but for the row."""
        return identity.digest(
            [identity.setup(setup), self.count, self.seed, self.prob, self.publication, CHUNK]
        )


@dataclass(frozen=True)
class Chunk:
    """What a chunk of rows came to: a line per row, and who was best of every draw."""

    lines: list[Line]
    best: Best


#: Scores rows, in whatever process.
Work = Callable[[Sequence[Row]], Chunk]


def vocabulary(setup: Setup) -> dict[str, Parameter]:
    """Return the beliefs that rows may state."""
    known = dict(PARAMETERS)
    for model in setup.models:
        known.update(model.own)
    return known


def condition(portfolio: Portfolio, setup: Setup) -> None:
    """Have evidence conditioned, where it is not kept, before many processes would each want it.

    The first row that can be read asks for it: world beliefs are the same for all but the rows
    that state their own.
    """
    known = vocabulary(setup)
    for row in portfolio.rows:
        with suppress(BadInput):
            questions(row.loaded().project(known), setup)
            return


@lru_cache(maxsize=2)
def _workshop(spec: Spec, key: str) -> tuple[Setup, Memory]:
    """Return this process's setup for a spec, and what its rows share.

    Raises
    ------
    DifprogError
        Where this process would not compute what the one that asks would.
    """
    setup = spec.setup()
    if spec.key(setup) != key:
        raise DifprogError(
            "a worker has other code, models or priors than this process: give it the same ones"
        )
    return setup, Memory()


def score_rows(spec: Spec, key: str, show: Show, rows: Sequence[Row]) -> Chunk:
    """Score a chunk of rows.

    Parameters
    ----------
    spec : Spec
        Under what.
    key : str
        ``spec.key`` as the process that asks found it.
    show : callable
        What is kept of a row's forecast.
    rows : sequence of Row
        Loaded rows.
    """
    setup, memory = _workshop(spec, key)
    known = vocabulary(setup)
    lines: list[Line] = []
    best = Best(len(setup.models), spec.count)
    for row in rows:
        try:
            project = row.project(known)
            if spec.publication is not None:
                project = project.published(spec.publication)
            found = score(project, setup, spec.count, spec.seed, spec.prob, memory=memory)
        except BadInput as error:
            said = {"row": row.number, "name": row.name, "problems": [str(p) for p in error.problems]}
            lines.append(Line(row.number, row.sha256, None, _dumps(said)))
            continue
        best.add(row.number, [answer.draws.chances.net_effect for answer in found.models])
        effect = found.ensemble["net_effect"].mean
        lines.append(Line(row.number, row.sha256, effect, _dumps(show(row, found))))
    return Chunk(lines, best)


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


class Ranking:
    """A portfolio's results, read back from its journal in order of rank.

    Attributes
    ----------
    order : list of Entry
        Rows that were scored, best first: by the ensemble's mean net effect, then by row.
    failed : list of Entry
        Rows that could not be.
    p_best : dict of int to array
        Row (or `NOTHING`) → chance that it is best, per model, shape (models,).
    """

    def __init__(self, spec: Spec, setup: Setup, journal: Journal) -> None:
        self.spec, self.setup, self.journal = spec, setup, journal
        scored = [e for e in journal.entries if e.effect is not None]
        self.order = sorted(scored, key=lambda e: (-(e.effect or 0.0), e.number))
        self.failed = [e for e in journal.entries if e.effect is None]
        self.p_best = journal.best.chances()
        weights = np.array([setup.credences[m.name] for m in setup.models])
        self.weights = weights / weights.sum()

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
    spec: Spec,
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
    spec : Spec
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
    setup = spec.setup()
    key = spec.key(setup)
    hashes = [row.sha256 for row in portfolio.rows]
    place = identity.digest([key, [str(path.resolve()) for path in portfolio.paths]])
    shape = len(setup.models), spec.count
    spare = ""
    try:
        journal = Journal(folder_for(place), hashes, *shape, fresh)
    except OSError:
        # The user's folder cannot be written: a ranking that cannot be taken up is still one.
        spare = tempfile.mkdtemp(prefix="difprog-")
        journal = Journal(Path(spare), hashes, *shape)
    done = False
    try:
        if progress is not None:
            progress(len(journal.entries), len(hashes))
        left = portfolio.rows[len(journal.entries) :]
        pieces = [left[at : at + CHUNK] for at in range(0, len(left), CHUNK)]
        work = partial(score_rows, spec, key, show)
        with _workers(work, jobs, dask) as (submit, room):
            for chunk in _in_order(pieces, submit, room):
                journal.append(chunk.lines, chunk.best)
                if progress is not None:
                    progress(len(journal.entries), len(hashes))
        journal.checkpoint()
        yield Ranking(spec, setup, journal)
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


@contextmanager
def _workers(work: Work, jobs: int, dask: str | None) -> Iterator[tuple[Submit, int]]:
    """Open what does the work, and say how many pieces of it may be under way."""
    if dask is not None:
        from difprog.cluster import cluster

        with cluster(dask, work, AHEAD) as found:
            yield found
    elif jobs <= 1:
        yield (lambda rows: _Done(work(rows))), 1
    else:
        from concurrent.futures import ProcessPoolExecutor
        from concurrent.futures.process import BrokenProcessPool
        from multiprocessing import get_context

        _leave_working_folder_out()
        pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_end_with_parent)
        try:
            yield (lambda rows: pool.submit(work, rows)), AHEAD * jobs
        except BrokenProcessPool:
            raise DifprogError(
                "a worker process died (out of memory?): run the same command again to go on from there"
            ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _leave_working_folder_out() -> None:
    """Make sure that no process started from here finds modules in the working folder.

    Python puts that folder first on the path of a new interpreter: a file of a folder that
    somebody else filled would be run in place of a module of the library.
    """
    os.environ["PYTHONSAFEPATH"] = "1"
    here = Path.cwd()
    if Path(__file__).resolve().parent.parent == here.resolve():
        return  # the package itself is installed from here
    sys.path[:] = [entry for entry in sys.path if entry and Path(entry).absolute() != here]


def _end_with_parent() -> None:
    """End this worker when the process that started it ends, however that comes about."""
    from multiprocessing import parent_process
    from multiprocessing.connection import wait

    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


class _Done:
    """A result that is there already."""

    def __init__(self, value: Chunk) -> None:
        self._value = value

    def result(self) -> Chunk:
        return self._value


def nothing_scored(ranking: Ranking) -> BadInput:
    """Return the error that says that every row is bad."""
    problems = []
    for found in ranking.errors():
        for line in found["problems"]:
            where, _, what = line.partition(": ")
            problems.append(Problem(where, "", what))
    return BadInput(*problems)
