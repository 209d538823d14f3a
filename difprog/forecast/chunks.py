"""Forecasts from more draws than are held at once: chunk by chunk, on all cores.

The only other way through than `difprog.forecast.forecast.score`; same questions, same draws.
"""

from __future__ import annotations

import math
import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

import numpy as np

from difprog.beliefs.project import Project
from difprog.forecast import forecast
from difprog.forecast.forecast import (
    DEFAULT_DRAWS,
    DEFAULT_PROB,
    DEFAULT_SEED,
    MIXED,
    QUANTITIES,
    Forecast,
    ModelForecast,
    Setup,
    doubts,
    quantities,
    questions,
)
from difprog.forecast.memory import Memory
from difprog.forecast.simulate import BLOCK, Draws, draw
from difprog.forecast.streaming import SIGMAS, Collector, MissedBracketError

#: Draws that are held at once, per core.
CHUNK = BLOCK


@np.errstate(all="ignore")  # what is not finite is refused
def score(
    project: Project,
    setup: Setup,
    count: int = DEFAULT_DRAWS,
    seed: int = DEFAULT_SEED,
    prob: float = DEFAULT_PROB,
    sigmas: float = SIGMAS,
) -> Forecast:
    """Score a project like `difprog.forecast.forecast.score`, keeping the draws of one chunk at most.

    Parameters
    ----------
    project, setup, count, seed, prob
        As there. Up to `CHUNK` draws, the same call; beyond, the same numbers up to the
        rounding of sums, and the forecast's ``draws`` are those of the first chunk.
    sigmas : float
        Width of the quantiles' brackets, see `difprog.forecast.streaming`.

    Raises
    ------
    BadInput
        With every problem.
    """
    if count <= CHUNK:
        return forecast.score(project, setup, count, seed, prob)
    asked = questions(project, setup)
    found = [question for question, _ in asked]
    credences = [setup.credences[q.model.name] for q in found]
    weights = credences if math.fsum(credences) > 0 else [1.0] * len(found)
    clusters = [q.clusters for q in found]
    fewest = min((c for c in clusters if c is not None), default=None)
    own = [
        {name: Collector([1.0], prob, c, sigmas) for name in QUANTITIES} for c in clusters
    ]
    mixed = {name: Collector(weights, prob, fewest, sigmas) for name in MIXED}
    success, arrival = np.zeros(len(found)), np.zeros(len(found))
    first: list[Draws] = []

    def draw_chunk(start: int) -> list[Draws]:
        memory = Memory()
        size = min(CHUNK, count - start)
        return [draw(question, size, seed, start, memory) for question in found]

    # Array work leaves the interpreter's lock alone; chunks are taken in in their order, so that
    # the result does not depend on the number of threads.
    workers = min(4, os.cpu_count() or 1)
    with ThreadPoolExecutor(workers) as pool:
        pending: deque[Future[list[Draws]]] = deque()
        starts = iter(range(0, count, CHUNK))
        for start in islice(starts, workers + 1):
            pending.append(pool.submit(draw_chunk, start))
        while pending:
            drawn = pending.popleft().result()
            for start in islice(starts, 1):
                pending.append(pool.submit(draw_chunk, start))
            first = first or drawn
            size = drawn[0].count
            chunk = [quantities(d) for d in drawn]
            for collectors, values in zip(own, chunk, strict=True):
                for name, collector in collectors.items():
                    collector.add([values[name]], size)
            for name, collector in mixed.items():
                collector.add([values[name] for values in chunk], size)
            for k, d in enumerate(drawn):
                p = np.broadcast_to(d.chances.without, (size,))
                success[k] += p.sum()
                arrival[k] += float(np.sum(p * d.values["agi_arrival"]))
    try:
        summaries = [{name: c.summary() for name, c in each.items()} for each in own]
        ensemble = {name: c.summary() for name, c in mixed.items()}
    except MissedBracketError:
        return score(project, setup, count, seed, prob, 4 * sigmas)
    answers = tuple(
        ModelForecast(
            question, layers, credence, drawn, found_, float(a / s) if s > 0 else None
        )
        for (question, layers), credence, drawn, found_, a, s in zip(
            asked, credences, first, summaries, arrival, success, strict=True
        )
    )
    return Forecast(
        project, setup, answers, ensemble, count, seed, prob, tuple(doubts(project, answers))
    )
