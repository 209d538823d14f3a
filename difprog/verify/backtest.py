"""Would it have been right? Evidence cut at a past day, and forecasts of what was published after it.

Two datasets have a past: head counts by year, and medians of published forecasts. For each cut the same
likelihood that conditions the beliefs is fitted to the rows of before, and predicts, on the scale of
logarithms, every later row. Beside it stand two naive forecasts made of the same earlier rows:

    last value   the newest figure stays: a random walk without drift for counts, the newest median's
                 calendar year for medians, with the spread that the earlier rows have
    trend        the mean yearly change of the counts goes on; a line through the medians' log years

What this is not: the priors are today's, and so is AI Watch's count of earlier years. A row stands for what
was known at its date only if nobody has revised it since.

And `simulated`: forecasts resolved by draws of the program's own predictive, which it must be right about.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from difprog.evidence import Case, headcounts, likelihood, tables, timelines
from difprog.evidence.fit import Settings, judge, sample
from difprog.forecast.request import Request
from difprog.record import ask, log
from difprog.record.predictive import LEVELS, Normal, Predictive, from_quantiles
from difprog.record.tally import Score, calibration, mean, pit, scored
from difprog.verify.sbc import stated

Array = npt.NDArray[np.float64]

#: Days at which the evidence is cut.
CUTS = {
    "headcounts": (date(2020, 1, 1), date(2023, 1, 1)),
    "timelines": (date(2023, 1, 1), date(2025, 1, 1)),
}

#: The series of head counts that goes on from year to year.
SERIES = "people, AI Watch"

#: Fewer draws than a posterior that is kept has: quantiles of what comes next need no more.
SETTINGS = Settings(draws=3000, tune=1500, thin=1)

Say = Callable[[str, int, int], None]


class Later(NamedTuple):
    """A row of after the cut.

    Attributes
    ----------
    what, topic : str
        What it is; whose luck it shares.
    date : float
        Decimal year.
    log : float
        What is forecast, on the scale of logarithms.
    program, last, trend : Predictive
        Forecasts of that.
    """

    what: str
    topic: str
    date: float
    log: float
    program: Predictive
    last: Predictive
    trend: Predictive


def run(say: Say | None = None, settings: Settings = SETTINGS, seed: int = 1) -> dict[str, Any]:
    """Return every backtest, and the simulated check, as plain data."""
    found = []
    for name, cuts in CUTS.items():
        for cut in cuts:
            tick = None if say is None else _told(say, f"{name} before {cut.year}")
            found.append(backtest(name, cut, settings, tick))
    simulation = simulated(seed=seed)
    return {
        "schema": "difprog.backtest/1", "backtests": found,
        "simulated": {"n": len(simulation), "calibration": calibration(simulation), "pit": pit(simulation)},
    }  # fmt: skip


def _told(say: Say, what: str) -> Callable[[int, int], None]:
    return lambda done, of: say(what, done, of)


def backtest(
    name: str, cut: date, settings: Settings = SETTINGS, tick: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """Return how well a dataset's rows of before a day foretell those after it.

    Returns
    -------
    dict
        ``dataset``, ``cut``, ``before`` and ``after`` (rows), ``failures`` of the sampler, ``rows``, and
        ``forecasts``: per forecaster its mean ``crps``, ``log_score``, ``covered`` (share of 90%
        intervals that held), and by how much the program's are better, with errors over topics.
    """
    day = tables.decimal_year(cut)
    maker = {"headcounts": _headcounts, "timelines": _timelines}[name]
    later, before, failures = maker(day, settings, tick)
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
        "dataset": name, "cut": cut.isoformat(), "before": before, "after": len(later),
        "topics": len(set(topics)), "failures": failures, "forecasts": table,
        "rows": [
            {"what": r.what, "date": r.date, "log": r.log, "median": r.program.quantile(0.5),
             "pit": r.program.cdf(r.log)}
            for r in later
        ],
    }  # fmt: skip


def _scores(later: Sequence[Later], key: str) -> tuple[Array, Array, Array]:
    forecasts: list[Predictive] = [getattr(row, key) for row in later]
    pairs = list(zip(forecasts, (row.log for row in later), strict=True))
    crps = np.asarray([f.crps(y) for f, y in pairs])
    logs = np.asarray([-math.inf if (s := f.log_density(y)) is None else s for f, y in pairs])
    return crps, logs, np.asarray([abs(f.cdf(y) - 0.5) <= 0.45 for f, y in pairs], dtype=float)


def _posterior(
    name: str, data: Any, day: float, settings: Settings, tick: Callable[[int, int], None] | None
) -> tuple[dict[str, Array], list[str]]:
    """Return a fit's draws, shape (draws, …), and what is wrong with the sampling."""
    module = likelihood(name)
    tree = sample(module.build(Case(data, stated(name), day)), settings, tick)
    draws = {key: np.asarray(tree.posterior[key].values, dtype=float) for key in tree.posterior.data_vars}
    failures = judge(tree, draws)["failures"]
    return {key: v.reshape(-1, *v.shape[2:]) for key, v in draws.items()}, failures


def _predictive(values: Array) -> Predictive:
    return from_quantiles(LEVELS, tuple(np.quantile(values, LEVELS).tolist()))


Found = tuple[list[Later], int, list[str]]


def _headcounts(day: float, settings: Settings, tick: Callable[[int, int], None] | None) -> Found:
    """Return the later counts of the series that goes on, forecast from all counts before a day."""
    data = headcounts.read()
    old = data.dates < day
    names = np.asarray(data.series)
    past = headcounts.Data(data.logs[old], data.dates[old], tuple(names[old].tolist()), data.known[old])
    draws, failures = _posterior("headcounts", past, day, settings, tick)
    series = names == SERIES
    known, new = np.flatnonzero(old & series), np.flatnonzero(~old & series)
    others = sorted({s for s in past.series if s not in headcounts.REFERENCE})
    level = np.log(draws["researchers"]) + draws["offset"][:, others.index(SERIES)]

    def centre(dates: Array) -> Array:
        return np.asarray(level[:, None] + draws["researcher_growth"][:, None] * (dates - day))

    then, when, counts = data.dates[known], data.dates[new], data.logs[known]
    rng = np.random.default_rng(settings.seed)
    simulated = np.empty((len(level), len(new)))
    residual = counts - centre(then)
    for i, (noise, memory) in enumerate(zip(draws["noise"], draws["memory"], strict=True)):
        # Errors of neighbouring years go together: what the last counts were off by fades away.
        among = noise**2 * np.exp(-np.abs(then[:, None] - then) / memory) + 1e-8 * np.eye(len(then))
        across = noise**2 * np.exp(-np.abs(when[:, None] - then) / memory)
        gain = np.linalg.solve(among, across.T).T
        left = np.sqrt(np.maximum(noise**2 + 1e-8 - np.sum(gain * across, axis=1), 0.0))
        simulated[i] = centre(when)[i] + gain @ residual[i] + left * rng.standard_normal(len(new))
    steps, ahead = np.diff(counts) / np.diff(then), when - then[-1]
    drift, spread = float(steps.mean()), float(steps.std(ddof=1))
    flat = math.sqrt(float(np.mean(steps**2)))
    later = [
        Later(
            f"people at core organisations, {int(when[j])}", SERIES, float(when[j]), float(data.logs[new][j]),
            _predictive(simulated[:, j]),
            Normal(float(counts[-1]), flat * math.sqrt(h)),
            Normal(float(counts[-1]) + drift * h, spread * math.sqrt(h + h * h / len(steps))),
        )
        for j, h in enumerate(map(float, ahead))
    ]  # fmt: skip
    return later, int(old.sum()), failures


def _timelines(day: float, settings: Settings, tick: Callable[[int, int], None] | None) -> Found:
    """Return the medians that were published after a day, forecast from all quantiles of before."""
    data = timelines.read()
    past, middle = data.dates < day, np.abs(data.z) < 1e-9
    cut = _chosen(data, past)
    draws, failures = _posterior("timelines", cut, day, settings, tick)
    rng = np.random.default_rng(settings.seed)
    count = len(draws["middle"])
    stranger = draws["middle"] + draws["between"] * rng.standard_normal(count)
    offsets = {}
    for target, (sign, scale) in timelines.OFFSETS.items():
        if (name := f"offset_{target}") in draws:
            offsets[target] = (sign or 1) * draws[name]
        else:  # nobody has spoken of it yet
            z = rng.standard_normal(count)
            offsets[target] = scale * (z if sign == 0 else sign * np.abs(z))
    targets = np.asarray(data.targets)
    # Naive forecasts know no targets: they rest on those that mean AGI, and the last occupation is left out.
    old = np.flatnonzero(past & middle & np.isin(targets, ("AGI", "TAI")))
    new = np.flatnonzero(~past & middle & ~np.isinf(data.widths) & (targets != "FAOL"))
    # A whole year is read at its middle, here and in the naive forecasts.
    years = np.exp(data.logs) + np.where(np.isinf(data.widths), 0.0, data.widths / 2.0)
    logs, dates = np.log(years), data.dates
    newest = old[dates[old] == dates[old].max()]
    stays = float(np.median(years[newest] + dates[newest]))
    spread = float(logs[old].std(ddof=1))
    line = np.polynomial.Polynomial.fit(dates[old], logs[old], 1).convert()
    rest = math.sqrt(float(np.sum((logs[old] - line(dates[old])) ** 2)) / (len(old) - 2))
    apart = dates[old] - dates[old].mean()
    later = []
    for j in new:
        source, at = data.sources[data.source[j]], float(dates[j])
        m = draws["m"][:, cut.sources.index(source)] if source in cut.sources else stranger
        centre = m + draws["drift"] * (at - cut.newest) + offsets.get(data.targets[j], 0.0)
        stretch = 1.0 + 1.0 / len(old) + (at - float(dates[old].mean())) ** 2 / float(np.sum(apart**2))
        later.append(
            Later(
                f"{source}, {data.targets[j]}, {at:.1f}", source, at, float(logs[j]),
                _predictive(centre + draws["misfit"] * rng.standard_normal(count)),
                Normal(math.log(max(stays - at, 0.5)), spread),
                Normal(float(line(at)), rest * math.sqrt(stretch)),
            )
        )  # fmt: skip
    return later, int(past.sum()), failures


def _chosen(data: timelines.Data, keep: npt.NDArray[np.bool_]) -> timelines.Data:
    """Return some of the quantiles, with the sources that they have."""
    names = tuple(dict.fromkeys(data.sources[i] for i in data.source[keep]))
    return timelines.Data(
        data.logs[keep], data.widths[keep], data.z[keep], data.dates[keep],
        np.asarray([names.index(data.sources[i]) for i in data.source[keep]], dtype=np.intp),
        tuple(t for t, k in zip(data.targets, keep, strict=True) if k), names,
    )  # fmt: skip


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
    from dataclasses import replace

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


