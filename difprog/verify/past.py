"""What was known on a day of the past, and what it foretold of what was published after it.

Two tables of the evidence have a past: head counts by year, and medians of published forecasts. A row counts
as known from the day on which it was published (``priors/evidence/published.csv``; where that says nothing
of a row, its own date). The same likelihood that conditions the beliefs is fitted to the rows of before, and
predicts, on the scale of logarithms, every later one. Beside it stand two naive forecasts made of the same
earlier rows:

    last value   the newest figure stays: a random walk without drift for counts, the newest median's
                 calendar year for medians, with the spread that the earlier rows have
    trend        the mean yearly change of the counts goes on; a line through the medians' log years

A fit takes minutes, so what it foretold is kept in the cache, as JSON under a hash of all that it rests on.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from difprog.base import files, locks, plainjson, writing
from difprog.base.errors import BadInput
from difprog.evidence import Case, closure, headcounts, keys, likelihood, tables, timelines
from difprog.evidence.fit import Settings, judge, sample
from difprog.record.predictive import LEVELS, Normal, Predictive, content, from_quantiles, read
from difprog.verify.sbc import stated

Array = npt.NDArray[np.float64]
Chosen = npt.NDArray[np.bool_]
Tick = Callable[[int, int], None]

#: The tables that have a past, and what their rows are called.
DATASETS = {"headcounts": "head counts", "timelines": "published medians"}

#: The series of head counts that goes on from year to year.
SERIES = "people, AI Watch"

#: Earlier figures that a naive forecast needs: a line through two has no error.
FEWEST = 3

#: A kept result larger than this is none of ours.
LARGEST = 1 << 22


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


class Told(NamedTuple):
    """What a table's rows of before a day foretell.

    Attributes
    ----------
    later : tuple of Later
        The rows of after it.
    before : int
        Rows that the likelihood was fitted to.
    draws, divergences : int
        Of the sampler, and how many of them diverged.
    failures : tuple of str
        What is wrong with the sampling.
    """

    later: tuple[Later, ...]
    before: int
    draws: int
    divergences: int
    failures: tuple[str, ...]


# When what was known


def published(name: str) -> Array:
    """Return when each row of a table that is used was published, decimal years in the order of the rows."""
    said = {
        (row["of"], float(row["date"])): tables.decimal_year(date.fromisoformat(row["published"]))
        for row in tables.rows("published") if row["dataset"] == name
    }  # fmt: skip
    of = {"headcounts": "series", "timelines": "source"}[name]
    dates = [(row[of], float(row["date"])) for row in tables.rows(name)]
    return np.asarray([said.get(row, row[1]) for row in dates])


def days(name: str) -> tuple[date, date]:
    """Return the first and the last day at which a table can be cut.

    `FEWEST` figures that naive forecasts are made of lie before it, and one that is forecast does not.
    """
    known = published(name)
    basis, asked = _marked(name)
    first = np.sort(known[basis])[FEWEST - 1]
    return _day(first) + timedelta(days=1), _day(float(known[asked].max()))


def _day(year: float) -> date:
    """Return the last day that begins no later than a decimal year."""
    day = date(int(year), 12, 31)
    while tables.decimal_year(day) > year:
        day -= timedelta(days=1)
    return day


def _marked(name: str) -> tuple[Chosen, Chosen]:
    """Return which rows naive forecasts are made of, and which are forecast once they lie after the cut."""
    if name == "headcounts":
        series = np.asarray(headcounts.read().series) == SERIES
        return series, series
    data = timelines.read()
    targets, middle = np.asarray(data.targets), np.abs(data.z) < 1e-9
    # Naive forecasts know no targets: they rest on those that mean AGI, and the last occupation is left out.
    return middle & np.isin(targets, ("AGI", "TAI")), middle & ~np.isinf(data.widths) & (targets != "FAOL")


# What is kept


def told(name: str, cut: date, settings: Settings, tick: Tick | None = None) -> Told:
    """Return what a table's rows of before a day foretell: the kept result, or a new fit.

    Parameters
    ----------
    name : str
        One of `DATASETS`.
    cut : date
        The day, within `days`.
    settings : Settings
        Of the sampler.
    tick : callable, optional
        Told the progress of a fit.
    """
    path = files.cache_folder() / "backtests" / f"{_key(name, cut, settings)}.json"
    found = _load(path)
    if found is None:
        with locks.locked(path, patience=math.inf):
            found = _load(path)
            if found is None:
                if tick is not None:  # what is compiled first takes a while
                    tick(0, settings.steps)
                found = {"headcounts": _headcounts, "timelines": _timelines}[name](cut, settings, tick)
                writing.write_atomically(path, _written(found))
    return found


def _key(name: str, cut: date, settings: Settings) -> str:
    """Return the hash of what a result rests on: the fit's own, the days of publication, this code."""
    digest = hashlib.blake2b(keys.key(name, stated(name), cut, settings).full.encode(), digest_size=16)
    digest.update(tables.content("published"))
    for path in closure.paths((__name__,)):
        digest.update(closure.code(path))
    return digest.hexdigest()


def _written(found: Told) -> str:
    rows = [
        {**row._asdict(), **{key: content(getattr(row, key)) for key in ("program", "last", "trend")}}
        for row in found.later
    ]
    said = {**found._asdict(), "later": rows}
    return plainjson.dumps({"digest": plainjson.digest(said), **said}, indent=1)


def _load(path: Path) -> Told | None:
    """Return the result that a file holds, None where there is none or it is damaged."""
    try:
        said = json.loads(files.read_bytes(path, LARGEST))
        if said.pop("digest") != plainjson.digest(said):
            return None
        later = tuple(Later(**{**row, **_forecasts(row)}) for row in said.pop("later"))
        return Told(later, **{**said, "failures": tuple(said["failures"])})
    except (BadInput, ValueError, KeyError, TypeError, AttributeError):
        return None


def _forecasts(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: read(row[key]) for key in ("program", "last", "trend")}


# What it foretold


def _posterior(
    name: str, data: Any, day: float, settings: Settings, tick: Tick | None
) -> tuple[dict[str, Array], Mapping[str, Any]]:
    """Return a fit's draws, shape (draws, …), and what its diagnostics are."""
    tree = sample(likelihood(name).build(Case(data, stated(name), day)), settings, tick)
    draws = {key: np.asarray(tree.posterior[key].values, dtype=float) for key in tree.posterior.data_vars}
    return {key: v.reshape(-1, *v.shape[2:]) for key, v in draws.items()}, judge(tree, draws)


def _predictive(values: Array) -> Predictive:
    return from_quantiles(LEVELS, tuple(np.quantile(values, LEVELS).tolist()))


def _told(later: list[Later], before: Chosen, settings: Settings, judged: Mapping[str, Any]) -> Told:
    many = settings.draws * settings.chains
    return Told(tuple(later), int(before.sum()), many, judged["divergences"], tuple(judged["failures"]))


def _headcounts(cut: date, settings: Settings, tick: Tick | None) -> Told:
    """Return the later counts of the series that goes on, forecast from all counts known before a day."""
    data, day = headcounts.read(), tables.decimal_year(cut)
    old = published("headcounts") < day
    series, _ = _marked("headcounts")
    names = np.asarray(data.series)
    past = headcounts.Data(data.logs[old], data.dates[old], tuple(names[old].tolist()), data.known[old])
    draws, judged = _posterior("headcounts", past, day, settings, tick)
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
    return _told(later, old, settings, judged)


def _timelines(cut: date, settings: Settings, tick: Tick | None) -> Told:
    """Return the medians that were published after a day, forecast from all quantiles of before."""
    data, day = timelines.read(), tables.decimal_year(cut)
    past = published("timelines") < day
    basis, asked = _marked("timelines")
    before = _chosen(data, past)
    draws, judged = _posterior("timelines", before, day, settings, tick)
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
    old, new = np.flatnonzero(past & basis), np.flatnonzero(~past & asked)
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
        m = draws["m"][:, before.sources.index(source)] if source in before.sources else stranger
        centre = m + draws["drift"] * (at - before.newest) + offsets.get(data.targets[j], 0.0)
        stretch = 1.0 + 1.0 / len(old) + (at - float(dates[old].mean())) ** 2 / float(np.sum(apart**2))
        later.append(
            Later(
                f"{source}, {data.targets[j]}, {at:.1f}", source, at, float(logs[j]),
                _predictive(centre + draws["misfit"] * rng.standard_normal(count)),
                Normal(math.log(max(stays - at, 0.5)), spread),
                Normal(float(line(at)), rest * math.sqrt(stretch)),
            )
        )  # fmt: skip
    return _told(later, past, settings, judged)


def _chosen(data: timelines.Data, keep: Chosen) -> timelines.Data:
    """Return some of the quantiles, with the sources that they have."""
    names = tuple(dict.fromkeys(data.sources[i] for i in data.source[keep]))
    return timelines.Data(
        data.logs[keep], data.widths[keep], data.z[keep], data.dates[keep],
        np.asarray([names.index(data.sources[i]) for i in data.source[keep]], dtype=np.intp),
        tuple(t for t, k in zip(data.targets, keep, strict=True) if k), names,
    )  # fmt: skip
