"""Keep posteriors: one file each (`difprog.evidence.netcdf`), named by its key (`difprog.evidence.keys`).

A file is written whole or not at all, and is used only if its key is that of what is asked for. A
shipped result (``priors/evidence/<dataset>.nc``) is used whatever the versions are, if all else is
the same.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path

from difprog.base import files, locks, processes, writing
from difprog.base.errors import BadInput, DiagnosticsFailed, Problem
from difprog.base.pace import Pace
from difprog.beliefs.distributions import Point, Shape
from difprog.evidence import likelihood, netcdf, scores, tables
from difprog.evidence.checked import read
from difprog.evidence.fit import Settings, Tick, fit
from difprog.evidence.keys import Key, hashed, key
from difprog.evidence.posterior import Posterior

#: Years between the newest row of a dataset and ``as_of`` beyond which it says nothing of that day, and the
#: sampler would be lost.
FARTHEST = 30.0

#: Standard deviations of a stated belief from which on what the evidence says is no part of it.
CONFLICT = 4.0

#: Years within which two dates are one for what the evidence says.
SAME_TIME = 1.0

#: Bytes that a fit writes at most: what is compiled for it, and its result.
ROOM = 1 << 24


def check_date(name: str, as_of: date) -> None:
    """Refuse a date that is too far from a dataset's.

    Raises
    ------
    BadInput
        Where the likelihood is dated and its newest row is more than `FARTHEST` years away.
    """
    if not likelihood(name).DATED:
        return
    newest = max(float(row["date"]) for row in tables.rows(name))
    if abs(tables.decimal_year(as_of) - newest) > FARTHEST:
        why = f"is more than {FARTHEST:.0f} years from the newest evidence about {name}, of {newest:.0f}"
        hint = "correct the date, or use --no-evidence"
        raise BadInput(Problem("", "as_of", why, as_of.isoformat(), hint))


def conflict(name: str, shapes: Mapping[str, Shape], as_of: date) -> str | None:
    """Return in words where a stated belief leaves next to no room for what the evidence says, else None.

    What the evidence says is read off the shipped result, whose priors are wide: nothing is sampled.
    """
    found = netcdf.load(shipped(name))
    if found is None:
        return None
    then = found.diagnostics.get("as_of")
    if then is not None and abs(tables.decimal_year(as_of) - then) > SAME_TIME:
        return None
    for belief, compared in found.diagnostics["beliefs"].items():
        shape, (low, *_, high) = shapes[belief], compared["posterior"]
        if isinstance(shape, Point):
            continue
        ends = [float(scores.score(shape, value)) for value in (low, high)]
        apart = min(map(abs, ends))
        if ends[0] * ends[1] > 0 and apart >= CONFLICT:
            stated = " to ".join(f"{float(shape.percentile(p)):.3g}" for p in (0.05, 0.95))
            more = "at least " if apart >= scores.FARTHEST else ""
            return (
                f"{belief} is stated as {stated}, and the evidence says {low:.3g} to {high:.3g}, {more}"
                f"{apart:.0f} standard deviations away: what comes of both is neither"
            )
    return None


def folder() -> Path:
    """Return the folder of kept results."""
    return files.cache_folder() / "posteriors"


def shipped(name: str) -> Path:
    """Return the path of a dataset's shipped result."""
    return files.shipped("priors", "evidence", f"{name}.nc")


def find(name: str, wanted: Key) -> Posterior | None:
    """Return the kept result for a key: the user's own, else the shipped one, else None."""
    own = netcdf.load(folder() / f"{wanted.full}.nc")
    if own is not None and own.key == wanted.full:
        return own
    found = netcdf.load(shipped(name))
    if found is not None and found.diagnostics.get("content_key") == wanted.content:
        return found
    return None


def fitted(
    name: str,
    shapes: Mapping[str, Shape],
    as_of: date,
    *,
    settings: Settings | None = None,
    say: Callable[[str], None] = lambda _: None,
    tick: Tick | None = None,
    again: bool = False,
) -> Posterior:
    """Return the posterior of one dataset's beliefs: the kept one, or a new fit.

    A new fit is kept unless its diagnostics name failures; processes that want the same one take
    turns, and all but the first find it.

    Parameters
    ----------
    name : str
        The dataset.
    shapes : mapping of str to Shape
        Its beliefs as stated.
    as_of : date
        The date from which years are counted.
    settings : Settings, optional
        Draws, chains and seed.
    say : callable
        Told, in one line, when fitting starts.
    tick : callable, optional
        Told the progress.
    again : bool
        Whether to fit even where a result is kept.

    Raises
    ------
    BadInput
        Where ``as_of`` is too far from the dataset's own dates.
    DiagnosticsFailed
        Where the sampler cannot start, or crawls.
    OSError
        Where a new fit could not be kept: before it is made, if that is known.
    """
    check_date(name, as_of)
    settings = settings or Settings()
    wanted = key(name, shapes, as_of, settings)
    found = None if again else find(name, wanted)
    if found is not None:
        return found
    path = folder() / f"{wanted.full}.nc"
    with locks.locked(path, patience=math.inf):
        found = None if again else find(name, wanted)
        if found is not None:
            return found
        writing.check_room(path, ROOM)
        processes.import_settled(*processes.SAMPLERS)
        say(f"conditioning on {name} ({likelihood(name).TITLE}); takes minutes, then kept")
        doubt = conflict(name, shapes, as_of)
        if doubt is not None:
            say(f'{doubt}; state it wider, or leave out its line "evidence" to have it used as stated')
        year = tables.decimal_year(as_of)
        try:
            made = fit(name, shapes, year, settings=settings, tick=tick, data=read(name))
        except DiagnosticsFailed as error:
            raise _failed(name, f"failed ({error})", doubt) from error
        fresh = label(made, wanted)
        if not fresh.diagnostics["failures"]:
            netcdf.write(path, fresh)
    return fresh


def condition(
    name: str, shapes: Mapping[str, Shape], as_of: date, say: Callable[[str], None] = lambda _: None
) -> Posterior:
    """Return the posterior of one dataset's beliefs, kept or fitted now; see `fitted`.

    Raises
    ------
    DiagnosticsFailed
        Where the sampling is not to be trusted: nothing is kept, an earlier result stays.
    """
    pace = Pace()

    def tick(done: int, of: int) -> None:
        words = pace(done, of)
        if words is not None:
            say(f"{name}: {words}")

    found = fitted(name, shapes, as_of, say=say, tick=tick)
    if found.diagnostics["failures"]:
        why = "; ".join(found.diagnostics["failures"])
        raise _failed(name, f"cannot be trusted ({why})", conflict(name, shapes, as_of))
    return found


def _failed(name: str, how: str, doubt: str | None) -> DiagnosticsFailed:
    """Return the error of a fit that is of no use: what is stated against the evidence, and what to do."""
    also = "" if doubt is None else f"{doubt}. "
    return DiagnosticsFailed(
        f"conditioning on {name} {how}. {also}Use --no-evidence, or state its beliefs without "
        f'evidence = "{name}"'
    )


def label(posterior: Posterior, wanted: Key) -> Posterior:
    """Return a posterior under its key, its notes in the order in which they are kept."""
    notes = {**posterior.diagnostics, "content_key": wanted.content}
    diagnostics = json.loads(json.dumps(notes, sort_keys=True))
    return Posterior(posterior.draws, posterior.predictive, posterior.datasets, diagnostics, wanted.full)


class _Same:
    """Tells posteriors apart by identity, so that what is combined from them can be looked up."""

    def __init__(self, posterior: Posterior) -> None:
        self.posterior = posterior

    def __hash__(self) -> int:
        return id(self.posterior)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.posterior is self.posterior


def combine(parts: Sequence[Posterior]) -> Posterior | None:
    """Return several datasets' posteriors as one: they are independent, so draws pair by index.

    The same parts give the same object, so that what is computed from it can be shared.
    """
    return _combine(tuple(_Same(p) for p in parts)) if parts else None


@lru_cache(maxsize=16)
def _combine(same: tuple[_Same, ...]) -> Posterior:
    parts = [s.posterior for s in same]
    size = min(p.size for p in parts)
    return Posterior(
        draws={n: v[:size] for p in parts for n, v in p.draws.items()},
        predictive={
            n: v._replace(location=v.location[:size], scale=v.scale[:size])
            for p in parts
            for n, v in p.predictive.items()
        },
        datasets={n: d for p in parts for n, d in p.datasets.items()},
        diagnostics={p.diagnostics["dataset"]: p.diagnostics for p in parts},
        key=hashed([p.key.encode() for p in parts]),
    )
