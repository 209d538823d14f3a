"""Sound files of extreme meaning: proposals, belief files, scenarios, tables, a model; most are accepted.

Where `tools.wild` breaks what a file is, this keeps to its rules and goes to the ends of what it may
say: certainties, decades without end, nothing known, effects far beyond the world's. All randomness is
the `random.Random` that is passed in. Touches no files.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from random import Random
from typing import Any

from difprog.models.model import STATED_ONLY, vocabulary
from difprog.race.parameters import CRITERIA, FACTS, Group, Parameter

#: What is nearly certain, and what is.
SHARES = (0.0, 1.0, 1e-300, 1e-17, 1 - 1e-16, 1 - 1e-9, 0.5, 1e-6, 0.999)

#: What lies far out, for beliefs that have no upper end.
FAR = (1e-300, 1e-100, 1e-25, 1e-9, 1e9, 1e25, 1e100, 1e300)

#: By which percentiles a belief is stated, and what a share may be distributed as.
LEVELS = (("p5", "p95"), ("p10", "p90"), ("p5", "p50", "p95"), ("p49", "p51"), ("p1", "p99"))
SHARED = ("beta", "uniform", "logitnormal")

#: Beliefs that a column of a table may be about.
COLUMNS = ("capability_speedup", "parallel_speedup", "skill", "relevance")

#: Chains and other things that are counted.
COUNTS = (0, 1, 2, 5, 40, 1000)

#: A model of one's own, with a mechanism, a belief and an effect that no shipped one has.
MODEL = '''"""Safer systems are pushed further."""

from types import SimpleNamespace

from difprog.race import race
from difprog.race.parameters import {support}, SHARE, effect, world

TITLE = "safer systems are pushed further"
CITES = "a fuzzer"
ASSUMES = ("Part of what is gained is spent.",)
PARAMETERS = (
    world("push", "", "", SHARE, "share of a gain that is spent again", CITES, neutral=0),
    world("strain", "", "years", {support}, "years that the race loses by it", CITES, neutral=0),
)
OPENS = {{"push": "what is gained is partly spent", "strain": "and it strains the race"}}


def success(w, e):
    strained = SimpleNamespace(**{{**vars(w), "grace_period": w.grace_period + w.strain}})
    return (1 - w.push) * race.success(strained, e) + w.push * race.success(w, e)
'''


def names(random: Random, count: int) -> list[str]:
    """Return names of beliefs to state, two of them of what a model derives unless it is stated."""
    known = [p for p in vocabulary().values() if p.group is not Group.FACT]
    derived = [p.name for p in known if p.group is Group.EFFECT or p.name in STATED_ONLY]
    others = [p.name for p in known if p.name not in derived]
    return [*random.sample(derived, 2), *random.sample(others, count - 2)]


def proposal(random: Random, name: str = "", known: Sequence[str] = ()) -> dict[str, Any]:
    """Return a proposal's content, which states beliefs of these names, or of any."""
    project: dict[str, Any] = {"name": name or f"Project {random.randrange(100)}"}
    project["effort"] = _quantity(random, (0, 1e-9, 1e4, 1e9), (0.1, 300))
    project["duration"] = _quantity(random, (1e-9, 40, 1e6), (0.05, 10))
    if random.random() < 0.7:
        project["cost"] = _quantity(random, (0, 1e-300, 1, 1e15), (1e3, 1e9))
    if random.random() < 0.2:
        project["start"] = _quantity(random, (0, 1e-12, 80, 1e6), (0, 20))
    for fact, values in FACTS.items():
        if random.random() < 0.6:
            project[fact] = random.choice(values)
    if random.random() < 0.3:
        project["criteria"] = random.sample(CRITERIA, random.randint(0, len(CRITERIA)))
    if random.random() < 0.15:
        project["group"] = random.choice(("A", "B"))
    found: dict[str, Any] = {"project": project}
    if random.random() < 0.5:
        found["beliefs"] = beliefs(random, random.randint(1, 5), known)
    if random.random() < 0.1:
        found["outcomes"] = outcomes(random)
    if random.random() < 0.15:
        found["correlations"] = correlations(random)
    return found


def layer(random: Random, known: Sequence[str] = ()) -> dict[str, Any]:
    """Return the content of a belief file or a scenario, about beliefs of these names, or of any."""
    found: dict[str, Any] = {}
    if random.random() < 0.15:
        found["as_of"] = random.choice(("2015-01-01", "2026-11-21", "2100-12-31", "2031-02-28"))
    found["beliefs"] = beliefs(random, random.randint(1, 8), known)
    if random.random() < 0.2:
        found["outcomes"] = outcomes(random)
    if random.random() < 0.3:
        found["correlations"] = correlations(random)
    return found


def beliefs(random: Random, count: int, known: Sequence[str] = ()) -> dict[str, Any]:
    """Return so many beliefs: the race's, the grid's and effects stated outright."""
    all_known = [p.name for p in vocabulary().values() if p.group is not Group.FACT]
    chosen = random.sample(list(known) or all_known, count)
    return {name: _per_fact(random, vocabulary()[name]) for name in chosen}


def _per_fact(random: Random, parameter: Parameter) -> Any:
    if random.random() < 0.1:
        values = random.choice(list(FACTS.values()))
        return {value: belief(random, parameter) for value in values}
    return belief(random, parameter)


def belief(random: Random, parameter: Parameter) -> Any:
    """Return one belief that its support allows: a number, a pair of percentiles, a mixture."""
    roll = random.random()
    if roll < 0.3:
        return _value(random, parameter)
    if roll < 0.35 and not parameter.support.integer:
        parts = [_pair(random, parameter) for _ in range(2)]
        return {"distribution": "mixture", "weights": [random.choice(SHARES[:2]), 1], "parts": parts}
    return _pair(random, parameter)


def _value(random: Random, parameter: Parameter) -> float:
    """Return a value within a parameter's support."""
    support = parameter.support
    while True:
        if support.integer:
            value: float = random.choice(COUNTS)
        elif support.upper == 1:
            value = random.choice(SHARES) if random.random() < 0.5 else random.random()
        else:
            value = random.choice(FAR) if random.random() < 0.15 else 10 ** random.uniform(-4, 5)
            value = random.choice((value, value, 0.0)) if 0.0 in support else value
            value = -value if support.lower < 0 and random.random() < 0.4 else value
        if value in support:
            return value


def _pair(random: Random, parameter: Parameter) -> Any:
    """Return a belief by two or three percentiles, near together, far apart or both."""
    support = parameter.support
    levels = random.choice(LEVELS)
    for _ in range(50):
        if support.upper == 1:
            ends = sorted(random.random() if random.random() < 0.8 else random.choice(SHARES) for _ in levels)
        else:
            start = 10 ** random.uniform(-4, 5)
            step = 10 ** random.choice((1e-12, 0.1, 0.5, 1, 1, 2, 4, 25))
            ends = [start * step**n for n in range(len(levels))]
            if support.integer:
                ends = [round(min(end, 1e6)) for end in ends]
            if support.lower < 0 and random.random() < 0.4:
                shift = random.choice((0.5, 1, 2)) * ends[-1]
                ends = [end - shift for end in ends]
        inside = all(end in support and math.isfinite(end) for end in ends)
        if inside and all(a < b for a, b in itertools.pairwise(ends)):
            found: dict[str, Any] = dict(zip(levels, ends, strict=True))
            if random.random() < 0.2 and not support.integer:
                bounded = support.upper == 1
                above = SHARED if bounded else ("lognormal", "loguniform", "gamma")
                found["distribution"] = random.choice(above if ends[0] > 0 else ("normal", "uniform"))
            if random.random() < 0.1 and ends[0] > 0 and support.upper > 1:
                found["bounds"] = [ends[0] / 2, ends[-1] * 2]
            return found
    return _value(random, parameter)


def _quantity(random: Random, far: Sequence[float], usual: tuple[float, float]) -> Any:
    """Return a fact that is a quantity: a number or an interval of numbers."""
    if random.random() < 0.2:
        return random.choice(far)
    low, high = max(usual[0], 1e-3), usual[1]
    ends = sorted(low * (high / low) ** random.random() for _ in range(2))
    if random.random() < 0.5 or ends[0] == ends[1]:
        return ends[0]
    return {"p5": ends[0], "p95": ends[1]}


def outcomes(random: Random) -> dict[str, Any]:
    """Return what is stated of the outcome, from likely to all but excluded."""
    chances = sorted(random.choice((1e-9, 1e-3, 0.05, 0.2, 0.5, 0.8, 0.99, 1 - 1e-9)) for _ in range(2))
    found: dict[str, Any] = {}
    if random.random() < 0.7:
        found["p_success"] = random.choice(chances)
    if random.random() < 0.5 or not found:
        found |= {"agi_by_2030": chances[0], "agi_by_2040": chances[1]}
    return found


def believe(random: Random) -> list[str]:
    """Return the same as options."""
    if random.random() < 0.4:
        return ["--believe", random.choice(("espai-2023", "espai-2023-median", "no-such-survey"))]
    return [word for name, chance in outcomes(random).items() for word in ("--believe", f"{name}={chance!r}")]


def correlations(random: Random) -> list[dict[str, Any]]:
    """Return rank correlations, some near the end, some that cannot hold together."""
    names = random.sample([p.name for p in vocabulary().values() if p.group is not Group.FACT], 3)
    ranks = (0.0, 0.3, -0.3, 0.9, -0.9, 0.999999, -0.999999)
    pairs = ((0, 1), (1, 2), (0, 2))[: random.randint(1, 3)]
    return [{"between": [names[a], names[b]], "rank": random.choice(ranks)} for a, b in pairs]


def reviews(random: Random) -> list[dict[str, Any]]:
    """Return two reviewers' intervals of one effect."""
    effects = ("parallel_speedup", "serial_speedup", "capability_speedup")
    name = random.choice(effects)
    return [
        {"reviewer": f"R{n}", name: _pair(random, vocabulary()[name])} for n in range(random.randint(1, 3))
    ]


def model(random: Random) -> str:
    """Return the text of a model of one's own."""
    return MODEL.format(support=random.choice(("NONNEGATIVE", "POSITIVE")))


def table(random: Random, rows: int, extra: Sequence[str] = ()) -> str:
    """Return a portfolio as CSV, with costs, some groups, and a belief or two."""
    extra = extra or random.sample(COLUMNS, 2)
    lines = [f"name,effort,duration,cost,group,kind,focus,{extra[0]},{extra[1]}"]
    for row in range(rows):
        low, high = sorted(10 ** random.uniform(-2, 3) for _ in range(2))
        cost = random.choice((f"{10 ** random.uniform(3, 8):.0f}", "1e6", "0", "", "1e-300", "1e15"))
        cells = [f"Row {row}", f"{low:.3g} to {high:.3g}", f"{10 ** random.uniform(-1, 1):.3g}", cost]
        cells += [random.choice(("", "", "G")), random.choice((*FACTS["kind"], "")),
                  random.choice((*FACTS["focus"], ""))]  # fmt: skip
        for name in extra:
            value = _value(random, vocabulary()[name])
            wide = f"{abs(value):.3g} to {2 * abs(value) + 1:.3g}"
            cells.append(random.choice(("", "", f"{value:.6g}", wide)))
        lines.append(",".join(cells))
    return "\n".join(lines) + "\n"
