"""Beliefs that contradict each other, or the evidence, as warnings with the numbers beside them.

Nothing here is an error: a reader may have reasons, and a note can give them. Reads the shipped
evidence tables, and does without them where there are none.
"""

from __future__ import annotations

import csv
import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import lru_cache

from difprog.base import files
from difprog.beliefs.beliefs import Belief, Layer, Stack
from difprog.beliefs.distributions import Point
from difprog.beliefs.doubts import Doubt, Lookup
from difprog.beliefs.elicit import spoken
from difprog.beliefs.fitting import misfit
from difprog.beliefs.project import DEFAULT_FACTS, QUANTITIES, Project
from difprog.beliefs.proportion import of_facts
from difprog.race.parameters import FACT_OF, PARAMETERS, Parameter

#: A fitted percentile this far from the stated one is worth a word.
MISFIT = 0.15

#: Distance in standard scores between the 5th and the 95th percentile.
_NINETY = 3.2897072539029435


@lru_cache
def evidence(name: str) -> tuple[dict[str, str], ...]:
    """Return the rows of a shipped evidence table that are in use; none where it is missing."""
    path = files.shipped("priors", "evidence", f"{name}.csv")
    if not path.is_file():
        return ()
    with path.open(encoding="utf-8", newline="") as stream:
        rows = [{k: v or "" for k, v in row.items() if k} for row in csv.DictReader(stream)]
    return tuple(row for row in rows if row.get("use", "yes") != "no")


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


@lru_cache
def narrowest(name: str) -> tuple[float, str] | None:
    """Return the narrowest interval that a source states about a belief, and whose it is.

    For positive quantities as a log standard deviation: (ln q₂ − ln q₁)/(z₂ − z₁); for shares as
    the width of the whole interval. None where no source states one.
    """
    from scipy import special

    found: list[tuple[float, str]] = []
    if name == "agi_arrival":
        stated: dict[tuple[str, str], dict[float, float]] = {}
        for row in evidence("timelines"):
            year = _float(row["year"]) + 0.5 * (row["censored"] == "year")
            level, years = _float(row["percentile"]) / 100, year - _float(row["date"])
            if years > 0 and 0 < level < 1 and row["censored"] != "above":
                stated.setdefault((row["forecast"], row.get("as_published", "")), {})[level] = math.log(years)
        for (forecast, _), quantiles in stated.items():
            low, high = min(quantiles), max(quantiles)
            if low < 0.5 < high:
                width = (quantiles[high] - quantiles[low]) / float(special.ndtri(high) - special.ndtri(low))
                found.append((width, forecast))
    table = {"researchers": "headcounts", "parallel_exponent": "parallelisation"}.get(name)
    for row in evidence(table) if table else ():
        low, high = _float(row.get("low", "")), _float(row.get("high", ""))
        if 0 < low < high:
            width = math.log(high / low) / _NINETY if table == "headcounts" else high - low
            found.append((width, row.get("series") or row.get("source", "")))
    return min(found) if found else None


@lru_cache
def lowest_cell() -> tuple[float, str] | None:
    """Return the lowest coupling of a published cell of the grid, and which cell it is.

    The mean over a cell's safety benchmarks of their rank correlation with general capability;
    of cells that correlate at all, since a share cannot lie below a negative one.
    """
    cells: dict[str, list[float]] = {}
    for row in evidence("coupling"):
        value = _float(row.get("chat") or row.get("base", ""))
        if math.isfinite(value):
            cells.setdefault(f"{row['focus']}, {row['approach']}", []).append(value)
    means = [(sum(v) / len(v), cell) for cell, v in cells.items()]
    return min((m for m in means if m[0] > 0), default=None)


def of_belief(key: str, belief: Belief, parameter: Parameter) -> Iterator[Doubt]:
    """Yield what is doubtful about one belief by itself."""
    if not (belief.source or belief.judgement):
        yield Doubt(key, "has no source", "source")
    if belief.by_span:
        values = belief.stated.values()
        yield Doubt(
            key,
            f"spans a factor of {max(values) / min(values):.3g} and names no distribution: "
            "taken as lognormal",
            "distribution",
        )
    if belief.evidence and not (files.shipped("priors", "evidence") / f"{belief.evidence}.csv").is_file():
        yield Doubt(key, f'no evidence is called "{belief.evidence}": it is used as stated', "evidence")
    if belief.misfit > MISFIT:
        worst = max(belief.stated, key=lambda p: misfit(belief.shape, {p: belief.stated[p]}))
        fitted = spoken(belief.shape.percentile(worst), parameter)
        yield Doubt(
            key,
            f"no distribution of its family fits: p{100 * worst:g} is stated as "
            f"{spoken(belief.stated[worst], parameter)} and fitted as {fitted}",
            "fit",
        )
    if isinstance(belief.shape, Point):
        return
    low, high = belief.shape.percentile(0.05), belief.shape.percentile(0.95)
    source = narrowest(belief.name)
    if source is not None and 0 < low < high:
        share = parameter.support.upper == 1
        width = high - low if share else math.log(high / low) / _NINETY
        if width < source[0]:
            theirs = f"{source[0]:.2g} wide" if share else f"a factor of {math.exp(_NINETY * source[0]):.2g}"
            ours = f"{width:.2g} wide" if share else f"a factor of {high / low:.2g}"
            yield Doubt(
                key,
                f"its 90% interval, {spoken(low, parameter)} to {spoken(high, parameter)}, is {ours}: "
                "narrower than that of any source "
                f"({source[1]}: {theirs})",
                "narrow",
            )
    cell = lowest_cell() if belief.name == "coupling" else None
    if cell is not None and high < cell[0]:
        yield Doubt(
            key,
            f"even its p95, {high:.2g}, is below the coupling of every published cell of the grid "
            f"that has one (the lowest is {cell[0]:.2g}, {cell[1]})",
            "cell",
        )


#: Pairs of which the first should not exceed the second: (belief, level, belief, level, words, topic).
_ORDERS = (
    ("chunk_length", 0.5, "serial_requirement", 0.5,
     "a serial requirement ({1}, median) below one chunk of parallel work ({0}, median)", "chunk"),
    ("capability_speedup", 0.5, "lead_time", 0.95,
     "a capability speedup ({0}, median) larger than the lead time (p95 {1}): someone else would have "
     "found it by then", "lead"),
    ("timeline_shortening", 0.5, "capability_speedup", 0.5,
     "a timeline shortening ({0}, median) larger than the capability speedup it comes from ({1})", "shorten"),
    ("researchers", 0.5, "field_ceiling", 0.5,
     "more researchers today ({0}, median) than the field will ever have ({1}, median)", "ceiling"),
    ("gated_chains", 0.5, "serial_chains", 0.5, "more gated chains ({0}, median) than chains ({1})", "gated"),
)  # fmt: skip

#: What should not fall from one value of a fact to the next.
_LADDERS = {
    "leak": ("closed", "restricted", "delayed", "open"),
    "reach": ("closed", "restricted", "delayed", "open"),
    "serial_share": ("engineering", "behaviourist", "cognitivist"),
    "hit_probability": ("niche", "mainstream"),
    "lead_time": ("mainstream", "niche"),
    "breakthrough": ("mainstream", "niche"),
}

#: What a kind of project puts in the place of beliefs that may be stated all the same.
_FIXED = {
    "capabilities": {"relevance": "0", "coupling": "1"},
    "applications": {"relevance": "applications_relevance", "coupling": "applications_coupling"},
    "field-building": {"relevance": "0", "coupling": "0"},
}


def between(
    lookup: Lookup, vocabulary: Mapping[str, Parameter], concerns: Callable[[Belief], bool] = lambda _: True
) -> Iterator[Doubt]:
    """Yield beliefs that contradict each other.

    Parameters
    ----------
    lookup : callable
        From a name to the belief in force, None where there is none.
    vocabulary : mapping of str to Parameter
        The names that beliefs may have.
    concerns : callable
        Whether a belief is of interest; one of a pair has to be.
    """
    for first, level, second, other, words, topic in _ORDERS:
        one, two = lookup(first), lookup(second)
        known = first in vocabulary and second in vocabulary
        if not known or one is None or two is None or not (concerns(one) or concerns(two)):
            continue
        a, b = one.shape.percentile(level), two.shape.percentile(other)
        if a > b:
            said = words.format(spoken(a, vocabulary[first]), spoken(b, vocabulary[second]))
            yield Doubt(f"{first}, {second}", said, topic)


def along_facts(stack: Stack, concerns: Callable[[Belief], bool] = lambda _: True) -> Iterator[Doubt]:
    """Yield beliefs whose medians run against the order of the fact that they depend on."""
    for name, values in _LADDERS.items():
        steps = [(v, stack.lookup(name, {FACT_OF[v]: v})) for v in values]
        for (low, first), (high, second) in itertools.pairwise(steps):
            if first is None or second is None or not (concerns(first) or concerns(second)):
                continue
            a, b = first.shape.percentile(0.5), second.shape.percentile(0.5)
            if a > b * (1 + 1e-9):
                parameter = PARAMETERS[name]
                said = (
                    f"median {spoken(a, parameter)} for {low} work and {spoken(b, parameter)} for {high}: "
                    "the models take it to rise"
                )
                yield Doubt(f"{name}.{low}, {name}.{high}", said, "rise")


def of_arrival(belief: Belief | None, as_of: date) -> Iterator[Doubt]:
    """Yield an arrival of AGI that would already have been seen when the forecasts were made."""
    dates = [d for d in (_float(r.get("date", "")) for r in evidence("timelines")) if math.isfinite(d)]
    if belief is None or not dates:
        return
    start = as_of.year + (as_of.timetuple().tm_yday - 0.5) / 365.25
    when = start + belief.shape.percentile(0.05)
    if when < max(dates):
        yield Doubt(
            "agi_arrival",
            f"1 in 20 that AGI came before {when:.1f}, when the forecasts it can rest on were still being "
            f"made ({max(dates):.1f}): is as_of = {as_of} right",
            "as_of",
        )


def of_layer(layer: Layer, below: Stack, vocabulary: Mapping[str, Parameter] = PARAMETERS) -> list[Doubt]:
    """Return what is doubtful about a belief file that lies over others.

    Parameters
    ----------
    layer : Layer
        The file.
    below : Stack
        What it lies over, without itself.
    vocabulary : mapping of str to Parameter
        The names that beliefs may have.
    """
    stack = Stack((*below.layers, layer))
    own = {id(b) for cases in layer.beliefs.values() for b in cases.values()}

    def concerns(belief: Belief) -> bool:
        return id(belief) in own

    found: list[Doubt] = []
    for name, cases in layer.beliefs.items():
        for case, belief in cases.items():
            found += of_belief(".".join(filter(None, (name, case))), belief, vocabulary[name])
    found += between(lambda name: stack.lookup(name, DEFAULT_FACTS), vocabulary, concerns)
    found += along_facts(stack, concerns)
    arrival = layer.beliefs.get("agi_arrival", {}).get("")
    found += of_arrival(arrival, stack.as_of)
    stands = stack.lookup("agi_arrival", {})
    if layer.as_of is not None and arrival is None and stands is not None and below.as_of != layer.as_of:
        found.append(
            Doubt(
                "as_of",
                f"moves from {below.as_of} to {layer.as_of}, but agi_arrival stays as {stands.layer} "
                "counts it",
                "as_of",
            )
        )
    return found


def of_project(
    project: Project,
    lookup: Lookup,
    vocabulary: Mapping[str, Parameter] = PARAMETERS,
    arrival: float | None = None,
) -> list[Doubt]:
    """Return what is doubtful about a proposal and the beliefs in force for it.

    Parameters
    ----------
    project : Project
        The proposal.
    lookup : callable
        From a name to the belief in force, the proposal's own among them.
    vocabulary : mapping of str to Parameter
        The names that beliefs may have.
    arrival : float, optional
        The even chance of AGI as used, years; that of the belief in force where left out.
    """
    found: list[Doubt] = []
    own = {id(b) for cases in project.layer.beliefs.values() for b in cases.values()}
    for name, cases in project.layer.beliefs.items():
        for case, belief in cases.items():
            key = ".".join(filter(None, (name, case)))
            doubts = of_belief(key, belief, vocabulary[name]) if name in vocabulary else ()
            found += (d for d in doubts if not (d.topic == "source" and name in QUANTITIES))
    found += between(lookup, vocabulary, lambda belief: id(belief) in own)
    found += of_facts(project, lookup, vocabulary, arrival)
    kind = project.facts["kind"]
    for name, value in _FIXED.get(kind, {}).items():
        if name in project.layer.beliefs:
            found.append(
                Doubt(name, f"has no effect: kind = {kind} puts {value} in its place", "kind")
            )
    return found
