"""How far to trust the numbers, in sentences: heavy tails, sampling error, old dates, judgements."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from difprog.forecast.summary import Summary
from difprog.forecast.tails import KHAT_LIMIT
from difprog.render.format import significant
from difprog.render.words import MIXTURE, listed, net_of, summary

#: Days after which the date that years are counted from is worth a note.
STALE = 90

_UP_TO_DATE = "difprog evidence fit brings the evidence up to date once a belief file sets as_of"


def judgements(content: Mapping[str, Any]) -> tuple[int, int]:
    """Return how many of the beliefs are somebody's judgement, and how many beliefs there are."""
    rows = content["provenance"]
    return sum(bool(row["judgement"]) for row in rows), len(rows)


def mark(content: Mapping[str, Any], name: str) -> str:
    """Return the mark of a belief that is a judgement and conditioned on nothing; "" where no data say so."""
    rows = (row for row in content.get("provenance", ()) if row["name"] == name)
    return "‡" if any(row["judgement"] and not row["conditioned_on"] for row in rows) else ""


def notes(content: Mapping[str, Any], today: date | None = None, brief: bool = True) -> list[str]:
    """Return what a reader should know before trusting the numbers, the most important first.

    Parameters
    ----------
    content : mapping
        The data.
    today : date, optional
        Where given, beliefs that count years from long before it get a note. Pages have `dated`
        instead: the same inputs give the same bytes on any day.
    brief : bool
        Whether long lists are counted in place of named.
    """
    found = [*heavy_tails(content), *monte_carlo(content)]
    found += stale(content, today)
    for warning in content["warnings"]:
        start, colon, names = str(warning).partition("no source is given for: ")
        if brief and colon and not start and names.count(",") > 1:
            warning = f"no source is given for {names.count(',') + 1} beliefs"
        found.append(f"Note: {warning}.")
    return found


def stale(content: Mapping[str, Any], today: date | None) -> list[str]:
    """Return a note where years are counted from long before today; none where no day is given."""
    if today is None or (days := (today - date.fromisoformat(content["as_of"])).days) <= STALE:
        return []
    return [f"Years are counted from {content['as_of']}, {days} days ago; {_UP_TO_DATE}."]


def dated(content: Mapping[str, Any]) -> str:
    """Return from when on a page is old, which is the same on every day."""
    start = date.fromisoformat(content["as_of"])
    until = start + timedelta(days=min(STALE, (date.max - start).days))
    return f"Years are counted from {start}; after {until} {_UP_TO_DATE}."


def heavy_tails(content: Mapping[str, Any]) -> list[str]:
    """Return which means are carried by so few draws that their errors mislead."""
    entries = [*((str(m["model"]), m) for m in content["models"]), (MIXTURE, content["ensemble"])]
    heavy = []
    for name, entry in entries:
        khat = entry["net_effect"].get("khat", entry.get("diagnostics", {}).get("khat"))
        if khat is not None and khat > KHAT_LIMIT:
            heavy.append(f"{name} {khat:.2f}")
    if not heavy:
        return []
    return [
        "A few draws carry the mean, so that its error is too small: Pareto k-hat above "
        f"{KHAT_LIMIT} ({listed(heavy)}). Go by the median and the shares of worlds."
    ]


def monte_carlo(content: Mapping[str, Any]) -> list[str]:
    """Return how large the error of the mean is beside it, and where it is largest."""
    net, models = net_of(content), content["models"]
    if not net.mcse:
        return []
    line = f"Sampling error (Monte Carlo): {_part(net)} of the mean"
    nets = {str(m["model"]): summary(m["net_effect"]) for m in models}
    worst = max(nets, key=lambda name: nets[name].mcse / (abs(nets[name].mean) or math.inf))
    if len(models) > 1 and nets[worst].mean:
        line += f"; up to {_part(nets[worst])} ({worst})"
    return [line + "."]


def _part(net: Summary) -> str:
    share = net.mcse / abs(net.mean) if net.mean else math.inf
    return f"{significant(100 * share, 2)}%" if share < 1 else "more than all"
