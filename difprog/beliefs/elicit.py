"""From what a person can say to a belief, and back in words.

Percentiles, or chips laid on bins (the roulette method: Gore 1987; Morris, Oakley & Crowe 2014),
become the content of a belief as a file has it, so that it is validated in one place. Reads and
prints nothing.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from difprog.base.errors import BadInput, Problem, Problems
from difprog.base.units import UnitError, interval, quantity
from difprog.beliefs.beliefs import Belief
from difprog.beliefs.distributions import Point, Shape
from difprog.beliefs.families import FAMILIES
from difprog.beliefs.forms import PERCENTILE
from difprog.beliefs.parse import parse_belief
from difprog.beliefs.shapes import default_family
from difprog.race.parameters import Parameter

#: Most chips and bins of a roulette; twenty chips are one for each twentieth.
MOST_CHIPS = 1000
MOST_BINS = 40


class Fit(NamedTuple):
    """One family's answer to the percentiles that were stated."""

    family: str
    shape: Shape
    misfit: float


def percentile_key(level: float) -> str:
    """Return how a file spells a level: 0.05 is "p5", 0.125 is "p12_5"."""
    return "p" + f"{100 * level:.6f}".rstrip("0").rstrip(".").replace(".", "_")


def belief(parameter: Parameter, content: Mapping[str, Any], where: str = "") -> Belief:
    """Return the belief that a table means; raises `BadInput` with what is wrong."""
    problems = Problems(where)
    found = parse_belief(parameter, content, parameter.name, "stated", problems)
    problems.check()
    assert found is not None
    return found


def fits(parameter: Parameter, percentiles: Mapping[str, Any], unit: str | None = None) -> list[Fit]:
    """Return every family that has the percentiles, the default one first, then the best fitting.

    Parameters
    ----------
    parameter : Parameter
        What they are about.
    percentiles : mapping of str to number or str
        As in a file: p5 = "6 months".
    unit : str, optional
        Of plain numbers.
    """
    found = []
    percentiles = {k: v for k, v in percentiles.items() if PERCENTILE.fullmatch(k)}
    for family in FAMILIES:
        content = {**percentiles, "distribution": family} | ({"unit": unit} if unit else {})
        try:
            made = belief(parameter, content)
        except BadInput:
            continue
        if made.misfit < 0.5:
            found.append(Fit(family, made.shape, made.misfit))
    values = [quantity(v, unit, parameter.unit) for v in percentiles.values()]
    usual = default_family(parameter.support, values)
    return sorted(found, key=lambda f: (f.family != usual, round(f.misfit, 6)))


def roulette(edges: Sequence[float], chips: Sequence[int]) -> dict[str, float]:
    """Return the percentiles that chips laid on bins say.

    Parameters
    ----------
    edges : sequence of float
        Ends of the bins, ascending; one more than there are bins.
    chips : sequence of int
        Chips on each bin; their shares of all chips are probabilities.

    Raises
    ------
    BadInput
        Where bins and chips do not match or say too little for a distribution.
    """
    problems = Problems("chips")
    if len(edges) != len(chips) + 1:
        bins = max(len(edges) - 1, 0)
        problems.add("", f"{len(edges)} ends make {bins} bins", f"{len(chips)} numbers of chips")
    if len(chips) > MOST_BINS:
        problems.add("", f"are on more than {MOST_BINS} bins", len(chips))
    rising = all(a < b for a, b in itertools.pairwise(edges))
    if not rising or not all(map(math.isfinite, edges)):
        problems.add("bins", "must ascend", " ".join(f"{e:g}" for e in edges))
    if any(c < 0 for c in chips) or not 0 < sum(chips) <= MOST_CHIPS:
        problems.add("", f"must be 1 to {MOST_CHIPS} in all, none negative", " ".join(map(str, chips)))
    problems.check()
    total, so_far = sum(chips), 0
    found: dict[str, float] = {}
    for edge, count in zip(edges[1:], chips, strict=True):
        so_far += count
        if count and 0 < so_far < total:
            found[percentile_key(so_far / total)] = edge
        elif not count and 0 < so_far < total:
            # No chip between two edges: the level is reached somewhere there, so at its middle.
            key = percentile_key(so_far / total)
            found[key] = (found[key] + edge) / 2
    if len(found) < 2:
        problems.add("", "say too little", hint="lay them on three bins or more")
    problems.check()
    return found


def parse_roulette(text: str, parameter: Parameter) -> dict[str, float]:
    """Return the percentiles that "0 to 2: 3, 2 to 5: 8, 5 to 10: 6" says, bins side by side.

    Raises
    ------
    BadInput
        Where the text is not of that form.
    """
    edges: list[float] = []
    chips: list[int] = []
    example = 'write bins and chips as "0 to 2: 3, 2 to 5: 8, 5 to 10: 6"'
    for piece in text.split(","):
        span, _, count = piece.rpartition(":")
        ends = interval(span.strip())
        try:
            assert ends is not None
            low, high = (quantity(end.strip(), None, parameter.unit) for end in ends)
            chips.append(int(count))
        except (AssertionError, UnitError, ValueError):
            raise BadInput(Problem("chips", "", "cannot be read", piece.strip(), example)) from None
        if edges and not math.isclose(edges[-1], low, rel_tol=1e-9, abs_tol=1e-12):
            raise BadInput(Problem("chips", "", "bins must lie side by side", piece.strip(), example))
        edges += [high] if edges else [low, high]
    return roulette(edges, chips)


def year(as_of: date, years: float) -> str:
    """Return the calendar year some years from a date: "2066", or "year 12,000"."""
    start = as_of.year + (as_of.timetuple().tm_yday - 0.5) / 365.25
    when = start + years
    if not math.isfinite(when) or when > 1e6:
        return "the year one million"
    return f"{math.floor(when)}" if when < 10_000 else f"the year {math.floor(when):,}"


def spoken(value: float, parameter: Parameter) -> str:
    """Return a value with its unit, to three significant digits."""
    if value != 0 and (abs(value) >= 1e9 or abs(value) < 1e-3):
        text = f"{value:.3g}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
    else:
        text = f"{float(f'{value:.3g}'):,.10g}"
    unit = "FTE-years" if parameter.unit == "FTE year" else parameter.unit
    return f"{text.replace('-', '−')} {unit}".rstrip()


def in_words(parameter: Parameter, shape: Shape, as_of: date) -> list[str]:
    """Return what a belief says, in sentences: its middle, its tails, its mean.

    Parameters
    ----------
    parameter : Parameter
        What it is about.
    shape : Point, Distribution or Mixture
        The belief.
    as_of : date
        From which years are counted.
    """
    if isinstance(shape, Point):
        return [f"this says exactly {spoken(shape.value, parameter)}"]
    low, middle, high = (shape.percentile(p) for p in (0.05, 0.5, 0.95))
    if parameter.name == "agi_arrival":
        first = f"this says 1 in 20 that AGI comes after {year(as_of, high)}"
        second = f"1 in 20 that it comes before {year(as_of, low)}; the even chance is {year(as_of, middle)}"
    else:
        first = f"this says 1 in 20 above {spoken(high, parameter)}"
        second = f"1 in 20 below {spoken(low, parameter)}; the even chance is {spoken(middle, parameter)}"
    lines = [f"{first}, and {second}"]
    if getattr(shape, "integer", False):
        # The rounding moves mass across a percentile: say what the count can be instead.
        ends = f"{spoken(low, parameter)} and {spoken(high, parameter)}"
        lines = [f"this says 9 in 10 between {ends}; the even chance is {spoken(middle, parameter)}"]
    far = shape.percentile(0.99)
    beyond = f"; 1 in 100 above {spoken(far, parameter)}" if parameter.name != "agi_arrival" else (
        f"; 1 in 100 after {year(as_of, far)}"
    )
    mean = shape.mean
    if math.isfinite(mean):
        under = float(shape.cdf(mean))
        place = f", and {10 * under:.0f} in 10 lie below it" if abs(under - 0.5) > 0.07 else ""
        lines.append(f"its mean is {spoken(mean, parameter)}{place}{beyond}")
    else:
        lines.append(f"its tail is so heavy that it has no mean{beyond}")
    return lines
