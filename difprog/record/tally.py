"""What the record says: every resolved forecast scored, against naive ones, and summed up with errors.

Two baselines stand beside a chance: even odds, and the record so far (Laplace's rule of succession over
the answers of the same kind that were known when it was made). Two beside a quantity, both from the
forecast's own median: the median alone, and the median within a factor of two either way nine times in
ten, which is what somebody would say who knows the figure and nothing of its spread.

Forecasts about one project, or of one quantity of the world, share their luck: errors are those of means
over such topics (cluster-robust), not over forecasts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from difprog.record.log import KINDS, Entry, Log
from difprog.record.predictive import Lognormal, Point, Predictive, brier, log_score

#: Central intervals whose coverage is counted.
INTERVALS = (0.5, 0.8, 0.9)

#: Ends of the bins in which chances are compared with what came true.
BINS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)

#: Bars of the PIT's histogram.
BARS = 10

#: Standard deviation of the logarithm whose 90% interval is a factor of two either way.
FACTOR_OF_TWO = math.log(2.0) / 1.6448536269514722

#: Horizons in years, from the day a forecast is made to the day it resolves.
HORIZONS = (
    (1.0, "within a year"), (3.0, "1 to 3 years"), (10.0, "3 to 10 years"), (math.inf, "over 10 years"),
)  # fmt: skip

#: The naive forecasts.
EVEN, RECORD = "even odds", "the record so far"
MEDIAN, TWO = "its median alone", "its median within a factor of two"


@dataclass
class Score:
    """One resolved forecast, scored.

    Attributes
    ----------
    entry : Entry
        The forecast.
    outcome : float or bool
        What happened.
    values : dict of str to float or None
        ``log_score``, and ``brier`` of a chance or ``crps``, ``crps_share`` (of the median forecast)
        and ``pit`` of a quantity; None where it is not defined.
    baselines : dict of str to dict
        The same of naive forecasts, by name.
    models : dict of str to float or None
        Every model's own log score.
    """

    entry: Entry
    outcome: float | bool
    values: dict[str, float | None]
    baselines: dict[str, dict[str, float | None]] = field(default_factory=dict)
    models: dict[str, float | None] = field(default_factory=dict)


def scores(log: Log) -> list[Score]:
    """Return all resolved forecasts scored, in the order in which they were made."""
    known = [(e, log.resolutions[e.id]) for e in log.entries.values() if e.id in log.resolutions]
    found = []
    for entry, resolution in sorted(known, key=lambda pair: (pair[0].made, pair[0].id)):
        outcome = resolution.outcome
        if isinstance(outcome, str) or isinstance(outcome, bool) != entry.yes_no:
            continue
        earlier = [
            r.outcome for e, r in known
            if e is not entry and e.kind == entry.kind and isinstance(r.outcome, bool)
            and r.at[:10] < entry.made.isoformat()
        ]  # fmt: skip
        found.append(scored(entry, outcome, earlier))
    return found


def scored(entry: Entry, outcome: float | bool, earlier: Sequence[bool] = ()) -> Score:
    """Return one resolved forecast scored.

    Parameters
    ----------
    entry : Entry
        The forecast.
    outcome : float or bool
        What happened, of the forecast's form.
    earlier : sequence of bool
        The answers of its kind that were known when it was made.
    """
    one = Score(entry, outcome, _values(entry.forecast, outcome))
    if isinstance(entry.forecast, float):
        rule = (sum(earlier) + 1.0) / (len(earlier) + 2.0)
        one.baselines = {EVEN: _values(0.5, outcome), RECORD: _values(rule, outcome)}
    else:
        median = entry.forecast.quantile(0.5)
        one.baselines[MEDIAN] = _values(Point(median), outcome)
        if median > 0:
            one.baselines[TWO] = _values(Lognormal(math.log(median), FACTOR_OF_TWO), outcome)
    one.models = {name: _values(said.forecast, outcome)["log_score"] for name, said in entry.models.items()}
    return one


def mismatched(log: Log) -> list[str]:
    """Return the ids of forecasts whose answer is of the wrong form: a number to a yes-no question."""
    return [
        e.id for e in log.entries.values()
        if not isinstance(o := log.outcome(e), (str, type(None))) and isinstance(o, bool) != e.yes_no
    ]  # fmt: skip


def _values(said: Predictive | float, outcome: float | bool) -> dict[str, float | None]:
    if isinstance(said, float):
        happened = bool(outcome)
        return {"log_score": log_score(said, happened), "brier": brier(said, happened)}
    y, median = float(outcome), said.quantile(0.5)
    crps, pit = said.crps(y), None if isinstance(said, Point) else said.cdf(y)
    share = crps / abs(median) if median else None
    return {"log_score": said.log_density(y), "crps": crps, "crps_share": share, "pit": pit}


def mean(values: Sequence[float], topics: Sequence[str]) -> dict[str, float | None]:
    """Return a mean, and its standard error over topics whose values move together.

    The error is None where there are fewer than two topics, or a value is infinite.
    """
    array = np.asarray(values, dtype=float)
    centre = float(array.mean()) if np.isfinite(array).all() else float(np.sum(array))
    names = sorted(set(topics))
    if len(names) < 2 or not math.isfinite(centre):
        return {"mean": centre, "se": None}
    sums = np.zeros(len(names))
    np.add.at(sums, [names.index(t) for t in topics], array - centre)
    error = math.sqrt(float(np.sum(sums**2)) * len(names) / (len(names) - 1.0)) / len(array)
    return {"mean": centre, "se": error}


def summed_up(found: Sequence[Score]) -> dict[str, Any]:
    """Return what some scores amount to.

    Returns
    -------
    dict
        ``n`` forecasts on ``topics`` topics, and per measure (``brier``, ``log_score`` of chances,
        ``crps_share``, ``log_density`` of quantities) its mean, and ``against``: by how much it is better
        than each baseline's, so that above 0 is good.
    """
    groups = (
        ("brier", "brier", True, -1.0), ("log_score", "log_score", True, 1.0),
        ("crps_share", "crps_share", False, -1.0), ("log_density", "log_score", False, 1.0),
    )  # fmt: skip
    total: dict[str, Any] = {"n": len(found), "topics": len({s.entry.topic for s in found})}
    for name, key, yes_no, sign in groups:
        own = [s for s in found if s.entry.yes_no == yes_no and s.values.get(key) is not None]
        if not own:
            continue
        total[name] = {
            "n": len(own), **mean([_of(s.values[key]) for s in own], [s.entry.topic for s in own]),
            "against": _against(own, key, sign),
        }  # fmt: skip
    return total


def _against(own: Sequence[Score], key: str, sign: float) -> dict[str, dict[str, float | None]]:
    found = {}
    for name in (EVEN, RECORD, MEDIAN, TWO):
        both = [s for s in own if s.baselines.get(name, {}).get(key) is not None]
        if both:
            gains = [sign * (_of(s.values[key]) - _of(s.baselines[name][key])) for s in both]
            found[name] = mean(gains, [s.entry.topic for s in both])
    return found


def _of(value: float | None) -> float:
    assert value is not None
    return value


def grouped(found: Sequence[Score], key: Callable[[Score], str], order: Iterable[str]) -> dict[str, Any]:
    """Return what groups of scores amount to, in an order; groups without any are left out."""
    return {n: summed_up(own) for n in order if (own := [s for s in found if key(s) == n])}


def horizon(one: Score) -> str:
    """Return how far ahead a forecast was made, in words."""
    years = (one.entry.resolves - one.entry.made).days / 365.25
    return next(words for most, words in HORIZONS if years <= most)


def calibration(found: Sequence[Score]) -> list[dict[str, Any]]:
    """Return how often intervals held and chances came true, beside what was said.

    ``se`` is the error that a calibrated forecaster's share would have, were all forecasts independent.
    """
    rows = []
    pits = [p for s in found if (p := s.values.get("pit")) is not None]
    for nominal in INTERVALS if pits else ():
        held = sum(abs(p - 0.5) <= nominal / 2.0 for p in pits)
        rows.append(_share("interval", nominal, held, len(pits)))
    chances = [(s.entry.forecast, bool(s.outcome)) for s in found if isinstance(s.entry.forecast, float)]
    for low, high in pairwise(BINS):
        inside = [(p, o) for p, o in chances if low <= p < high or p == high == 1.0]
        if inside:
            said = sum(p for p, _ in inside) / len(inside)
            rows.append(_share("chance", said, sum(o for _, o in inside), len(inside)))
    return rows


def _share(of: str, nominal: float, count: int, n: int) -> dict[str, Any]:
    error = math.sqrt(nominal * (1.0 - nominal) / n)
    return {"of": of, "nominal": nominal, "observed": count / n, "n": n, "se": error}


def pit(found: Sequence[Score]) -> dict[str, Any]:
    """Return the histogram of where outcomes fell in their forecasts: flat if those are calibrated."""
    values = [p for s in found if (p := s.values.get("pit")) is not None]
    counts = np.histogram(values, bins=BARS, range=(0.0, 1.0))[0]
    return {"n": len(values), "counts": [int(c) for c in counts]}


def credences(found: Sequence[Score]) -> dict[str, Any]:
    """Return what the record says about each model: Bayes' rule from the credences they had last.

    A question that was forecast several times counts once, by the mean of its log scores. A model that was
    not asked counts as the mixture did. Shown, and never applied.

    Returns
    -------
    dict
        ``questions`` on which models differ, and ``models``: name → ``prior``, ``posterior`` and
        ``log_score``, the sum of log scores beyond the mixture's.
    """
    prior = {n: said.credence for s in found for n, said in s.entry.models.items()}
    gains: dict[tuple[Any, ...], list[dict[str, float]]] = {}
    for s in found:
        own, base = s.models, s.values["log_score"]
        if len(own) < 2 or base is None or not math.isfinite(base) or None in own.values():
            continue
        if len(set(own.values())) > 1:
            gains.setdefault(s.entry.asked, []).append({n: _of(own.get(n, base)) - base for n in prior})
    total = {n: math.fsum(math.fsum(g[n] for g in gs) / len(gs) for gs in gains.values()) for n in prior}
    weights = _posterior(prior, total)
    return {
        "questions": len(gains),
        "models": {
            n: {"prior": prior[n], "posterior": weights[n], "log_score": total[n]} for n in sorted(prior)
        },
    }  # fmt: skip


def _posterior(prior: Mapping[str, float], gains: Mapping[str, float]) -> dict[str, float]:
    most = max((gains[n] for n in prior if prior[n] > 0), default=0.0)
    if not math.isfinite(most):
        return dict(prior)
    weights = {n: prior[n] * math.exp(gains[n] - most) if prior[n] > 0 else 0.0 for n in prior}
    total = math.fsum(weights.values())
    return {n: w / total for n, w in weights.items()} if total > 0 else dict(prior)


def record(log: Log) -> dict[str, Any]:
    """Return all that the log says, as plain data: the ``difprog.log/1`` of ``log score --json``."""
    return {"schema": "difprog.log/1", **_state(log), **summary(scores(log))}


def summary(found: Sequence[Score]) -> dict[str, Any]:
    """Return all that some scores say, as plain data."""
    return {
        "resolved": len(found), "forecasts": [_row(s) for s in found],
        "all": summed_up(found),
        "by_kind": grouped(found, lambda s: s.entry.kind, KINDS),
        "by_horizon": grouped(found, horizon, [words for _, words in HORIZONS]),
        "by_model": _by_model(found),
        "calibration": calibration(found), "pit": pit(found), "credences": credences(found),
    }  # fmt: skip


def _state(log: Log) -> dict[str, Any]:
    aside = [r.outcome for i, r in log.resolutions.items() if i in log.entries]
    return {
        "open": len(log.open), "ambiguous": aside.count("ambiguous"), "withdrawn": aside.count("withdrawn"),
        "mismatched": mismatched(log), "damaged": log.damaged,
    }


def _row(s: Score) -> dict[str, Any]:
    e = s.entry
    return {
        "id": e.id, "quantity": e.quantity, "project": e.project, "kind": e.kind, "unit": e.unit,
        "made": e.made.isoformat(), "resolves": e.resolves.isoformat(), "outcome": s.outcome,
        "forecast": e.forecast if isinstance(e.forecast, float) else e.forecast.quantile(0.5),
        **{key: s.values.get(key) for key in ("crps", "log_score", "brier", "pit")},
        "baselines": s.baselines,
    }  # fmt: skip


def _by_model(found: Sequence[Score]) -> dict[str, Any]:
    """Return, per model, by how much its log scores are better than the mixture's."""
    rows: dict[str, tuple[list[float], list[str]]] = {}
    for s in found:
        base = s.values["log_score"]
        for name, own in s.models.items():
            if own is not None and base is not None and math.isfinite(base):
                gains, topics = rows.setdefault(name, ([], []))
                gains.append(own - base)
                topics.append(s.entry.topic)
    return {n: {"n": len(gains), **mean(gains, topics)} for n, (gains, topics) in sorted(rows.items())}
