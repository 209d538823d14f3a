"""Would it have been right? Forecasts from what was known on a day of the past, scored by what came after it.

`past` makes them, and the naive ones that they stand beside. What this is not: the priors are today's, and so
is AI Watch's count of earlier years. A row stands for what was known at its date only if nobody has revised
it since.

And `simulated`: forecasts resolved by draws of the program's own predictive, which it must be right about.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from difprog.base.errors import BadInput, Problem
from difprog.evidence.fit import Settings
from difprog.forecast.request import Request
from difprog.record import ask, log
from difprog.record.predictive import Predictive
from difprog.record.tally import Score, calibration, mean, pit, scored
from difprog.verify import past

Array = npt.NDArray[np.float64]

#: Days at which the evidence is cut where none is named.
CUTS = (
    ("headcounts", date(2020, 1, 1)), ("headcounts", date(2023, 1, 1)),
    ("timelines", date(2023, 1, 1)), ("timelines", date(2025, 1, 1)),
)  # fmt: skip

#: Fewer draws than a posterior that is kept has: quantiles of what comes next need no more.
SETTINGS = Settings(draws=3000, tune=1500, thin=1)

Say = Callable[[str, int, int], None]


def run(
    say: Say | None = None, settings: Settings = SETTINGS, seed: int = 1, as_of: Iterable[date] = ()
) -> dict[str, Any]:
    """Return every backtest, and the simulated check, as plain data.

    Parameters
    ----------
    say : callable, optional
        Told what is being done, how far, and of how much.
    settings : Settings
        Of the sampler.
    seed : int
        Of all of it.
    as_of : iterable of date
        Days at which to cut every table that can be, in place of `CUTS`; the simulated check, which
        hangs on no day, is left out then.

    Returns
    -------
    dict
        ``backtests`` (see `backtest`), ``left_out`` (tables that cannot be cut at a day, with the days
        at which they can) and ``simulated`` (None where days are named).

    Raises
    ------
    BadInput
        Where no table can be cut at a day.
    """
    named = sorted(set(as_of))
    cuts, left_out = chosen(named) if named else (CUTS, [])
    found = []
    for name, cut in cuts:
        tick = None if say is None else partial(say, f"{name} before {cut}")
        found.append(backtest(name, cut, replace(settings, seed=seed), tick))
    simulation = None if named else simulated(seed=seed)
    return {
        "schema": "difprog.backtest/1", "backtests": found, "left_out": left_out,
        "simulated": simulation and {
            "n": len(simulation), "calibration": calibration(simulation), "pit": pit(simulation),
        },
    }  # fmt: skip


def chosen(named: Sequence[date]) -> tuple[list[tuple[str, date]], list[dict[str, str]]]:
    """Return which tables are cut at days that somebody names, and which cannot be.

    Raises
    ------
    BadInput
        With every day at which none can be, and the days at which they can.
    """
    spans = {name: past.days(name) for name in past.DATASETS}
    cuts, left_out, problems = [], [], []
    for cut in named:
        can = [name for name, (first, last) in spans.items() if first <= cut <= last]
        cuts += [(name, cut) for name in can]
        left_out += [
            {"dataset": name, "cut": cut.isoformat(), "first": first.isoformat(), "last": last.isoformat(),
             "why": "too little came before" if cut < first else "nothing came after"}
            for name, (first, last) in spans.items() if name not in can
        ]  # fmt: skip
        if not can:
            early = cut < min(first for first, _ in spans.values())
            why = "too little lies before it" if early else "nothing came after it"
            ranges = (f"{past.DATASETS[name]} from {a} to {b}" for name, (a, b) in spans.items())
            hint = f"can be cut: {', '.join(ranges)}"
            problems.append(Problem("", "--as-of", why, cut.isoformat(), hint))
    if problems:
        raise BadInput(*problems)
    return cuts, left_out


def backtest(
    name: str, cut: date, settings: Settings = SETTINGS, tick: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """Return how well a dataset's rows of before a day foretell those after it.

    Returns
    -------
    dict
        ``dataset``, ``cut``, ``before`` and ``after`` (rows), ``draws`` and ``divergences`` of the
        sampler and its ``failures``, ``rows``, and ``forecasts``: per forecaster its mean ``crps``,
        ``log_score``, ``covered`` (share of 90% intervals that held), and by how much the program's are
        better, with errors over topics.
    """
    told = past.told(name, cut, settings, tick)
    later = told.later
    topics = [row.topic for row in later]
    own = {k: _scores(later, k) for k in ("program", "last", "trend")}
    table: dict[str, dict[str, Any]] = {}
    for key, (crps, logs, inside) in own.items():
        means = (float(part.mean()) for part in (crps, logs, inside))
        table[key] = dict(zip(("crps", "log_score", "covered"), means, strict=True))
        if key != "program":
            table[key]["crps_gain"] = mean((crps - own["program"][0]).tolist(), topics)
            table[key]["log_gain"] = mean((own["program"][1] - logs).tolist(), topics)
    return {
        "dataset": name, "cut": cut.isoformat(), "before": told.before, "after": len(later),
        "topics": len(set(topics)), "draws": told.draws, "divergences": told.divergences,
        "failures": list(told.failures), "forecasts": table,
        "rows": [
            {"what": r.what, "date": r.date, "log": r.log, "median": r.program.quantile(0.5),
             "pit": r.program.cdf(r.log)}
            for r in later
        ],
    }  # fmt: skip


def _scores(later: Sequence[past.Later], key: str) -> tuple[Array, Array, Array]:
    forecasts: list[Predictive] = [getattr(row, key) for row in later]
    pairs = list(zip(forecasts, (row.log for row in later), strict=True))
    crps = np.asarray([f.crps(y) for f, y in pairs])
    logs = np.asarray([-math.inf if (s := f.log_density(y)) is None else s for f, y in pairs])
    return crps, logs, np.asarray([abs(f.cdf(y) - 0.5) <= 0.45 for f, y in pairs], dtype=float)


def simulated(
    project: str = "rlhf", count: int = 2000, seed: int = 1, request: Request | None = None
) -> list[Score]:
    """Return forecasts of a proposal, resolved by draws that the same beliefs give from another seed.

    Resolution k answers question k, in turn, with draw k of a model chosen by credence: resolutions are
    independent of each other and of the forecasts.

    Parameters
    ----------
    project : str
        The proposal.
    count, seed : int
        How many resolutions; of the draws that resolve, which are not those that forecast.
    request : Request, optional
        Under what it is forecast; without evidence by default, so that no fit is needed.
    """
    request = request or Request(use_evidence=False)
    today = date(2026, 11, 21)
    forecast = request.score(project)
    truth = replace(request, draws=count, seed=request.seed + seed).score(project)
    asked = ask.asked_of(truth, today)
    read = log.Log()
    for kept in ask.lines(forecast, today):
        log.take(read, kept)
    entries = {e.quantity: e for e in read.entries.values()}
    rng = np.random.default_rng(seed)
    readings = rng.choice(len(truth.models), size=count, p=truth.weights)
    luck = rng.random(count)
    found = []
    for k in range(count):
        one = asked[k % len(asked)]
        if one.quantity not in entries:
            continue
        column: Array = np.asarray(one.columns[int(readings[k])], dtype=float)
        value = float(column[k]) if column.ndim else float(column)
        outcome: float | bool = bool(luck[k] < value) if one.yes_no else value
        found.append(scored(entries[one.quantity], outcome))
    return found


