"""The vocabulary of the base race: every belief's name, unit, support, neutral value and meaning.

What a mechanism beyond the base race is called stands in the model file that opens it, made with
the same constructors (`world`, `project`, `effect`); `difprog.models.loader.vocabulary` has all of
them together. Nothing is named a second time. Imports nothing of difprog.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum


class Group(StrEnum):
    """Where a parameter belongs in the flow from facts to the chance of success."""

    FACT = "facts of a project"
    PROJECT = "from facts to effects"
    GRID = "the research grid"
    EFFECT = "effects of a project"
    WORLD = "the race"


@dataclass(frozen=True, slots=True)
class Support:
    """The values that a parameter can take.

    ``family`` is the distribution meant where a belief names none; ``signed`` parameters take
    a lognormal where all percentiles are positive, else a normal.
    """

    lower: float
    upper: float
    family: str
    open_lower: bool = False
    open_upper: bool = False
    integer: bool = False
    signed: bool = False

    def __contains__(self, value: float) -> bool:
        low = value > self.lower if self.open_lower else value >= self.lower
        high = value < self.upper if self.open_upper else value <= self.upper
        return low and high and (not self.integer or float(value).is_integer())

    def __str__(self) -> str:
        if self.lower == -math.inf:
            return "any number"
        if self.upper == math.inf:
            text = f"> {self.lower:g}" if self.open_lower else f"≥ {self.lower:g}"
        else:
            left, right = "(" if self.open_lower else "[", ")" if self.open_upper else "]"
            text = f"{left}{self.lower:g}, {self.upper:g}{right}"
        return f"integer {text}" if self.integer else text


POSITIVE = Support(0, math.inf, "lognormal", open_lower=True)
NONNEGATIVE = Support(0, math.inf, "lognormal")
COUNT = Support(0, math.inf, "lognormal", integer=True)
REAL = Support(-math.inf, math.inf, "normal")
SIGNED = Support(-math.inf, math.inf, "lognormal", signed=True)
SHARE = Support(0, 1, "logitnormal")
POSITIVE_SHARE = Support(0, 1, "logitnormal", open_lower=True)
FRACTION = Support(0, 1, "logitnormal", open_upper=True)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One entry of the vocabulary.

    Attributes
    ----------
    name, symbol, unit : str
        As in belief files and JSON; as in the formulas; as `difprog.base.units` reads it.
    support : Support
        The values it can take.
    group : Group
        Where it belongs.
    meaning, source : str
        In words, and whose argument it comes from.
    neutral : float or None
        The value that switches its mechanism off; None where there is none.
    base : bool
        Whether every model reads it. The others are read by models that open them and are held
        at their neutral value elsewhere.
    personal : bool
        Whether it is about one piece of work, so that two projects do not share their luck in it.
    channel : str
        Of an effect: the channel through which it acts.
    """

    name: str
    symbol: str
    unit: str
    support: Support
    group: Group
    meaning: str
    source: str
    neutral: float | None = None
    base: bool = True
    personal: bool = False
    channel: str = ""


def world(
    name: str, symbol: str, unit: str, support: Support, meaning: str, source: str,
    *, neutral: float | None = None,
) -> Parameter:  # fmt: skip
    """Return a belief about the race."""
    return Parameter(name, symbol, unit, support, Group.WORLD, meaning, source, neutral)


def project(
    name: str, symbol: str, unit: str, support: Support, meaning: str, source: str,
    *, neutral: float | None = None, personal: bool = False, grid: bool = False,
) -> Parameter:  # fmt: skip
    """Return a belief that turns facts of a project into its effects."""
    group = Group.GRID if grid else Group.PROJECT
    return Parameter(name, symbol, unit, support, group, meaning, source, neutral, personal=personal)


def effect(
    name: str, symbol: str, unit: str, support: Support, meaning: str, channel: str, source: str = "derived"
) -> Parameter:
    """Return an effect of a project: derived, unless a file states it outright; 0 is no effect."""
    return Parameter(
        name, symbol, unit, support, Group.EFFECT, meaning, source, 0.0, personal=True,
        channel=channel or name,
    )  # fmt: skip


def _fact(name: str, unit: str, support: Support, meaning: str) -> Parameter:
    return Parameter(name, "", unit, support, Group.FACT, meaning, "the proposal", personal=True)


SOARES = "Soares 2022, A note about differential technological development"
SOTALA = "Sotala 2022, the case for capability work now"
COTRA = "Cotra 2021, The case for aligning narrowly superhuman models"
INTERNET = "All Alignment Research is Capabilities Research (essay)"
NGO = "Ngo 2024, What is alignment research?"
STEPPING = "Jones 1995, stepping on toes: labour counts to a power below one"

_ENTRIES = (
    # the race
    world("agi_arrival", "T", "years", POSITIVE, "years from as_of until AGI", SOARES),
    world(
        "grace_period", "B", "years", NONNEGATIVE,
        "years after AGI in which alignment work still counts", SOARES, neutral=0,
    ),
    world("researchers", "N₀", "FTE", POSITIVE, "alignment researchers today", SOARES),
    world(
        "researcher_growth", "g", "1/year", REAL,
        "continuous growth rate of the number of alignment researchers", SOARES, neutral=0,
    ),
    world(
        "field_ceiling", "N_max", "FTE", POSITIVE, "number of alignment researchers at which the field "
        "stops growing", SOARES, neutral=math.inf,
    ),
    world(
        "labour_quality", "φ", "", POSITIVE_SHARE,
        "share of the field's labour that counts: done right, on the right problem", SOARES, neutral=1,
    ),
    world(
        "parallel_exponent", "λ", "", POSITIVE_SHARE,
        "stepping on toes: growth and surge of labour count as λ·g and b^λ", STEPPING, neutral=1,
    ),
    world(
        "parallel_requirement", "R", "person-years", POSITIVE,
        "parallel person-years still needed to solve alignment, median", SOARES,
    ),
    world(
        "parallel_spread", "σ_R", "", NONNEGATIVE,
        "log standard deviation of the parallel requirement", SOARES, neutral=0,
    ),
    world(
        "chunk_length", "c", "years", NONNEGATIVE,
        "years that the longest piece of parallel work takes, median", SOARES, neutral=0,
    ),
    world(
        "chunk_spread", "σ_c", "", NONNEGATIVE, "log standard deviation of that length", SOARES, neutral=0,
    ),
    world(
        "serial_requirement", "L", "years", POSITIVE,
        "years still needed per serial chain, median", SOARES,
    ),
    world(
        "serial_spread", "σ_L", "", NONNEGATIVE,
        "log standard deviation of the serial requirement, each chain on its own", SOARES, neutral=0,
    ),
    world(
        "serial_chains", "K", "", COUNT, "number of serial chains that must all end", SOARES,
    ),
    world(
        "brink_surge", "b", "", NONNEGATIVE,
        "multiple of the field's labour during the grace period", SOARES, neutral=1,
    ),
    world(
        "default_success", "ℓ", "", SHARE,
        "chance that all goes well though alignment is not solved", SOARES, neutral=0,
    ),
    # from facts to effects
    project(
        "serial_share", "", "", SHARE,
        "share of the work that is serial; rises from engineering to cognitivist work", SOARES,
        personal=True,
    ),
    project("skill", "", "", POSITIVE, "productivity against the field's average", SOARES, neutral=1,
            personal=True),
    project(
        "serial_researchers", "", "FTE", POSITIVE,
        "people whose work moves the serial chains today, who make one year of serial progress a year",
        SOARES,
    ),
    project(
        "serial_exponent", "", "", SHARE,
        "how serial progress grows with their number; near 0 where nobody can hurry it", SOARES,
    ),
    project(
        "reach", "", "", SHARE,
        "share of the benefit that others can build on, by publication policy", SOARES, neutral=1,
    ),
    project(
        "breakthrough", "", "", POSITIVE,
        "multiple of a typical capability researcher's output, given a hit; heavier-tailed for niche work",
        SOARES, personal=True,
    ),
    project(
        "hit_probability", "", "", SHARE,
        "chance that the capability effect happens; low for niche work", SOARES, personal=True,
    ),
    project(
        "lead_time", "", "years", POSITIVE,
        "years until someone else finds the same; short for mainstream work", SOARES, personal=True,
    ),
    project(
        "leak", "", "", SHARE,
        "share of a capability result that reaches the field, by publication policy", SOARES,
    ),
    project(
        "capability_researchers", "", "FTE", POSITIVE,
        "effective researchers at the frontier, who make one year of progress a year", SOARES,
    ),
    project(
        "capability_exponent", "", "", POSITIVE_SHARE,
        "how capability progress grows with their number", STEPPING, neutral=1,
    ),
    project(
        "elasticity", "", "", NONNEGATIVE,
        "proportional capability progress per proportional rise of AI investment", COTRA,
    ),
    project("ai_spend", "", "USD/year", POSITIVE, "investment in AI", COTRA),
    project("alignment_spend", "", "USD/year", POSITIVE, "spending on alignment research", COTRA),
    project(
        "recruits_per_fte_year", "", "1/year", NONNEGATIVE,
        "people drawn into the field per FTE-year of field-building", COTRA, neutral=0,
    ),
    project(
        "applications_relevance", "", "", POSITIVE,
        "relevance of applications research, in place of the grid's", NGO, personal=True,
    ),
    project(
        "applications_coupling", "", "", SHARE,
        "coupling of applications research, in place of the grid's", NGO, personal=True,
    ),
    # the grid
    project(
        "relevance", "", "", POSITIVE,
        "worth of the project's hour as a multiple of the field's average; the grid's unless stated", NGO,
        grid=True, personal=True,
    ),
    project(
        "coupling", "", "", SHARE,
        "share of the work that is capability work too; the grid's unless stated", NGO,
        grid=True, personal=True,
    ),
    project(
        "relevance_intercept", "α_r", "", REAL,
        "log relevance of pessimistic, behaviourist work", NGO, grid=True,
    ),
    project("relevance_focus", "β_f", "", REAL, "log relevance per step of focus", NGO, grid=True),
    project("relevance_approach", "β_a", "", REAL, "log relevance per step of approach", NGO, grid=True),
    project(
        "relevance_residual", "u", "", REAL,
        "a single project's deviation from its cell, log relevance", NGO, neutral=0, grid=True,
        personal=True,
    ),
    project(
        "coupling_intercept", "α_c", "", REAL,
        "logit of the coupling of pessimistic, behaviourist work", NGO, grid=True,
    ),
    project("coupling_focus", "γ_f", "", REAL, "logit of coupling lost per step of focus", NGO, grid=True),
    project(
        "coupling_approach", "γ_a", "", REAL,
        "logit of coupling lost per step of approach", NGO, grid=True,
    ),
    project(
        "coupling_residual", "v", "", REAL,
        "a single project's deviation from its cell, logit of coupling", NGO, neutral=0, grid=True,
        personal=True,
    ),
    # facts that are quantities
    _fact("effort", "FTE year", NONNEGATIVE, "work on the project"),
    _fact("start", "years", NONNEGATIVE, "years from as_of until it starts"),
    _fact("duration", "years", POSITIVE, "calendar time of the project"),
    _fact("cost", "USD", NONNEGATIVE, "cost of the project"),
    # effects, where a file states one outright
    effect(
        "parallel_speedup", "a_P", "person-years", SIGNED,
        "alignment speedup: quality-adjusted parallel labour the project adds", "parallel",
    ),
    effect(
        "serial_speedup", "a_S", "years", SIGNED,
        "alignment speedup: progress the project adds to every serial chain that can start now", "serial",
    ),
    effect(
        "gated_speedup", "a_G", "years", SIGNED,
        "the same for chains gated by the paradigm; a stated serial_speedup holds for them too where this "
        "is not stated", "serial",
    ),
    effect(
        "capability_speedup", "x", "years", SIGNED, "years of capability progress pulled forward",
        "capability",
    ),
    effect(
        "timeline_shortening", "Δ", "years", SIGNED, "how much sooner AGI arrives: (1 − overhang)·x",
        "capability",
    ),
    effect(
        "field_growth", "f", "FTE", SIGNED, "people that the project draws into the field for good",
        "run_up",
    ),
)  # fmt: skip

PARAMETERS: dict[str, Parameter] = {entry.name: entry for entry in _ENTRIES}

#: The facts of a project that select among beliefs, and their values; all values differ.
FACTS: dict[str, tuple[str, ...]] = {
    "kind": ("alignment", "capabilities", "applications", "field-building"),
    "focus": ("average", "pessimistic", "worst"),
    "approach": ("engineering", "behaviourist", "cognitivist"),
    "novelty": ("mainstream", "niche"),
    "publication": ("open", "delayed", "restricted", "closed"),
}

#: Which fact a value belongs to.
FACT_OF: dict[str, str] = {value: fact for fact, values in FACTS.items() for value in values}

#: What makes a project practice on a narrowly superhuman model.
CRITERIA = ("fine-tunes", "no-scaling", "humans", "useful")


def in_group(group: Group) -> tuple[Parameter, ...]:
    """Return the base race's parameters of one group, in the order of the list."""
    return tuple(p for p in PARAMETERS.values() if p.group is group)
