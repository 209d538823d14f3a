"""The vocabulary: every belief's name, unit, support, neutral value, meaning and origin.

This is the one list. Belief files, the JSON Schema, the generated reference page, the models
and the reports all read it; nothing is named a second time. Imports nothing of difprog.
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

    ``neutral`` is the value that switches a mechanism off (None where there is none). ``base``
    parameters are read by every model; the others only by models that open them and are held
    at their neutral value elsewhere.
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


SOARES = "Soares 2022, A note about differential technological development"
SOTALA = "Sotala 2022, the case for capability work now"
COTRA = "Cotra 2021, The case for aligning narrowly superhuman models"
INTERNET = "All Alignment Research is Capabilities Research (essay)"
NGO = "Ngo 2024, What is alignment research?"
STEPPING = "Jones 1995, stepping on toes: labour counts to the power λ"

_W, _P, _G, _E, _F = Group.WORLD, Group.PROJECT, Group.GRID, Group.EFFECT, Group.FACT

_ENTRIES = (
    # the race
    Parameter("agi_arrival", "T", "years", POSITIVE, _W, "years from as_of until AGI", SOARES),
    Parameter(
        "grace_period", "B", "years", NONNEGATIVE, _W,
        "years after AGI in which alignment work still counts", SOARES, 0,
    ),
    Parameter("researchers", "N₀", "FTE", POSITIVE, _W, "alignment researchers today", SOARES),
    Parameter(
        "researcher_growth", "g", "1/year", REAL, _W,
        "continuous growth rate of the number of alignment researchers", SOARES, 0,
    ),
    Parameter(
        "labour_quality", "φ", "", POSITIVE_SHARE, _W,
        "share of the field's labour that counts: done right, on the right problem", SOARES, 1,
    ),
    Parameter(
        "parallel_exponent", "λ", "", POSITIVE_SHARE, _W,
        "stepping on toes: growth and surge of labour count as λ·g and b^λ", STEPPING, 1,
    ),
    Parameter(
        "parallel_requirement", "R", "person-years", POSITIVE, _W,
        "parallel person-years still needed to solve alignment, median", SOARES,
    ),
    Parameter(
        "parallel_spread", "σ_R", "", NONNEGATIVE, _W,
        "log standard deviation of the parallel requirement", SOARES, 0,
    ),
    Parameter(
        "chunk_length", "c", "years", NONNEGATIVE, _W,
        "years that a piece of parallel work takes at the least", SOARES, 0,
    ),
    Parameter(
        "serial_requirement", "L", "years", POSITIVE, _W,
        "years still needed per serial chain, median", SOARES,
    ),
    Parameter(
        "serial_spread", "σ_L", "", NONNEGATIVE, _W,
        "log standard deviation of the serial requirement, each chain on its own", SOARES, 0,
    ),
    Parameter(
        "serial_chains", "K", "", COUNT, _W, "number of serial chains that must all end", SOARES
    ),
    Parameter(
        "brink_surge", "b", "", NONNEGATIVE, _W,
        "multiple of the field's labour during the grace period", SOARES, 1,
    ),
    Parameter(
        "default_success", "ℓ", "", SHARE, _W,
        "chance that all goes well though alignment is not solved", SOARES, 0,
    ),
    Parameter(
        "overhang", "ω", "", SHARE, _W,
        "share of an acceleration that later progress pays back", SOTALA, 0, base=False,
    ),
    Parameter(
        "paradigm_fraction", "u", "", FRACTION, _W,
        "the paradigm AGI will be built in arrives at u·T", SOTALA, 0, base=False,
    ),
    Parameter(
        "early_relevance", "ε", "", SHARE, _W,
        "worth of alignment work done before that paradigm", SOTALA, 1, base=False,
    ),
    Parameter(
        "gated_chains", "K_g", "", COUNT, _W,
        "serial chains that can start only with the paradigm (never more than there are)",
        SOTALA, 0, base=False,
    ),
    Parameter(
        "convergence", "m", "", NONNEGATIVE, _W,
        "extra alignment labour once the paradigm is here, as a multiple of the field",
        SOTALA, 0, base=False,
    ),
    Parameter(
        "runup_length", "w", "years", NONNEGATIVE, _W,
        "years before AGI in which AI assistants help", COTRA, 0, base=False,
    ),
    Parameter(
        "assistance", "κ", "", NONNEGATIVE, _W,
        "extra labour in the run-up, as a multiple of the field", COTRA, 0, base=False,
    ),
    Parameter(
        "safety_lead", "s", "", SHARE, _W,
        "chance that a safety-led builder is first", INTERNET, 1, base=False,
    ),
    Parameter(
        "adoption", "a", "", SHARE, _W,
        "chance that any other builder adopts a solution that exists", INTERNET, 1, base=False,
    ),
    Parameter(
        "breadth", "v", "", SHARE, _W,
        "chance that aligned means aligned to all of us, given aligned", INTERNET, 1, base=False,
    ),
    Parameter(
        "knowhow_horizon", "h", "years", POSITIVE, _W,
        "years until the project's know-how would exist anyway", COTRA, math.inf, base=False,
    ),
    Parameter(
        "difficulty", "d", "", REAL, _W,
        "how hard alignment is, in standard deviations from the median view", NGO, 0, base=False,
    ),
    Parameter(
        "requirement_difficulty", "τ", "", REAL, _W,
        "log of the factor on the parallel requirement per unit of difficulty", NGO, 0, base=False,
    ),
    # from facts to effects
    Parameter(
        "serial_share", "", "", SHARE, _P,
        "share of the work that is serial; rises from engineering to cognitivist work", SOARES,
    ),
    Parameter(
        "skill", "", "", POSITIVE, _P, "productivity against the field's average", SOARES, 1
    ),
    Parameter(
        "displacement", "", "", SHARE, _P,
        "share of the work that others would do anyway", COTRA, 0, base=False,
    ),
    Parameter(
        "advance", "", "", SHARE, _P,
        "share of its calendar time by which the project moves the critical chains", SOARES,
    ),
    Parameter(
        "breakthrough", "", "", POSITIVE, _P,
        "multiple of a typical capability researcher's output, given a hit; heavier-tailed for "
        "niche work", SOARES,
    ),
    Parameter(
        "hit_probability", "", "", SHARE, _P,
        "chance that the capability effect happens; low for niche work", SOARES,
    ),
    Parameter(
        "lead_time", "", "years", POSITIVE, _P,
        "years until someone else finds the same; short for mainstream work", SOARES,
    ),
    Parameter(
        "leak", "", "", SHARE, _P,
        "share of a capability result that reaches the field, by publication policy", SOARES,
    ),
    Parameter(
        "capability_researchers", "", "FTE", POSITIVE, _P,
        "effective researchers at the frontier, who make one year of progress a year", SOARES,
    ),
    Parameter(
        "capability_exponent", "", "", SHARE, _P,
        "how capability progress grows with the number of its researchers", SOARES,
    ),
    Parameter(
        "elasticity", "", "", NONNEGATIVE, _P,
        "proportional capability progress per proportional rise of AI investment", COTRA,
    ),
    Parameter(
        "hype_leverage", "", "USD/USD", NONNEGATIVE, _P,
        "USD of AI investment that a USD of the project draws in", COTRA, 0, base=False,
    ),
    Parameter("ai_spend", "", "USD/year", POSITIVE, _P, "investment in AI", COTRA),
    Parameter(
        "alignment_spend", "", "USD/year", POSITIVE, _P, "spending on alignment research", COTRA
    ),
    Parameter(
        "applications_relevance", "", "", SHARE, _P,
        "relevance of applications research, in place of the grid's", NGO,
    ),
    Parameter(
        "applications_coupling", "", "", SHARE, _P,
        "coupling of applications research, in place of the grid's", NGO,
    ),
    Parameter(
        "area_researchers", "n", "FTE", POSITIVE, _P, "people in the project's area", COTRA, 1,
        base=False,
    ),
    Parameter(
        "crowding_peak", "n*", "FTE", POSITIVE, _P,
        "number of people in an area at which one more is worth most", COTRA, 1, base=False,
    ),
    Parameter(
        "adoption_per_fte_year", "", "1/(FTE year)", REAL, _P,
        "log-odds of adoption per FTE-year of alignment effort", INTERNET, 0, base=False,
    ),
    Parameter(
        "lead_per_fte_year", "", "1/(FTE year)", REAL, _P,
        "log-odds of a safety-led builder being first, per FTE-year", INTERNET, 0, base=False,
    ),
    Parameter(
        "breadth_per_fte_year", "", "1/(FTE year)", REAL, _P,
        "log-odds of breadth per FTE-year", INTERNET, 0, base=False,
    ),
    Parameter(
        "knowhow_per_fte_year", "", "1/(FTE year)", NONNEGATIVE, _P,
        "path 1, know-how: fraction added to the field's labour, per FTE-year", COTRA, 0,
        base=False,
    ),
    Parameter(
        "assistance_per_fte_year", "", "1/(FTE year)", NONNEGATIVE, _P,
        "path 2, a better run-up: added assistance multiple per FTE-year", COTRA, 0, base=False,
    ),
    Parameter(
        "grace_per_fte_year", "", "1/FTE", NONNEGATIVE, _P,
        "path 2, a better run-up: years of grace period added per FTE-year", COTRA, 0, base=False,
    ),
    Parameter(
        "followers_per_fte_year", "", "1/year", NONNEGATIVE, _P,
        "path 1, infrastructure: FTE drawn into the field per FTE-year", COTRA, 0, base=False,
    ),
    Parameter(
        "solution_per_fte_year", "", "1/(FTE year)", NONNEGATIVE, _P,
        "path 3, a solution: rate of finding or verifying one, per FTE-year", COTRA, 0, base=False,
    ),
    # the grid
    Parameter(
        "relevance", "", "", SHARE, _G,
        "worth of the project's hour against the field's average; the grid's unless stated", NGO,
    ),
    Parameter(
        "coupling", "", "", SHARE, _G,
        "share of the work that is capability work too; the grid's unless stated", NGO,
    ),
    Parameter(
        "relevance_intercept", "α_r", "", REAL, _G,
        "logit of the relevance of pessimistic, behaviourist work", NGO,
    ),
    Parameter(
        "relevance_focus", "β_f", "", REAL, _G, "logit of relevance per step of focus", NGO
    ),
    Parameter(
        "relevance_approach", "β_a", "", REAL, _G, "logit of relevance per step of approach", NGO
    ),
    Parameter(
        "relevance_difficulty", "ρ", "", REAL, _G,
        "logit of relevance lost per unit of difficulty", NGO, 0, base=False,
    ),
    Parameter(
        "relevance_residual", "u", "", REAL, _G,
        "a single project's deviation from its cell, logit of relevance", NGO, 0,
    ),
    Parameter(
        "coupling_intercept", "α_c", "", REAL, _G,
        "logit of the coupling of pessimistic, behaviourist work", NGO,
    ),
    Parameter(
        "coupling_focus", "γ_f", "", REAL, _G, "logit of coupling lost per step of focus", NGO
    ),
    Parameter(
        "coupling_approach", "γ_a", "", REAL, _G,
        "logit of coupling lost per step of approach", NGO,
    ),
    Parameter(
        "coupling_residual", "v", "", REAL, _G,
        "a single project's deviation from its cell, logit of coupling", NGO, 0,
    ),
    # facts that are quantities
    Parameter("effort", "", "FTE year", NONNEGATIVE, _F, "work on the project", "the proposal"),
    Parameter(
        "duration", "", "years", NONNEGATIVE, _F, "calendar time of the project", "the proposal"
    ),
    Parameter("cost", "", "USD", NONNEGATIVE, _F, "cost of the project", "the proposal"),
    # effects, where a file states one outright
    Parameter(
        "parallel_speedup", "a_P", "person-years", SIGNED, _E,
        "alignment speedup: quality-adjusted parallel labour the project adds", "derived", 0,
    ),
    Parameter(
        "serial_speedup", "a_S", "years", SIGNED, _E,
        "alignment speedup: progress the project adds to every serial chain", "derived", 0,
    ),
    Parameter(
        "capability_speedup", "x", "years", SIGNED, _E,
        "years of capability progress pulled forward", "derived", 0,
    ),
    Parameter(
        "timeline_shortening", "Δ", "years", SIGNED, _E,
        "how much sooner AGI arrives: (1 − overhang)·x", "derived", 0,
    ),
    Parameter(
        "adoption_effect", "", "", SIGNED, _E, "log-odds added to adoption", "derived", 0,
        base=False,
    ),
    Parameter(
        "lead_effect", "", "", SIGNED, _E, "log-odds added to the safety lead", "derived", 0,
        base=False,
    ),
    Parameter(
        "breadth_effect", "", "", SIGNED, _E, "log-odds added to breadth", "derived", 0,
        base=False,
    ),
    Parameter(
        "knowhow_effect", "k", "", SIGNED, _E,
        "fraction added to the field's labour until the know-how exists anyway", "derived", 0,
        base=False,
    ),
    Parameter(
        "assistance_effect", "δκ", "", SIGNED, _E,
        "added to the labour multiple of assistants in the run-up", "derived", 0, base=False,
    ),
    Parameter(
        "grace_effect", "δB", "years", SIGNED, _E, "years added to the grace period", "derived",
        0, base=False,
    ),
    Parameter(
        "solution_probability", "q", "", SHARE, _E,
        "chance that the project itself leads to a solution", "derived", 0, base=False,
    ),
    Parameter(
        "field_growth", "f", "FTE", SIGNED, _E, "FTE that the project draws into the field",
        "derived", 0, base=False,
    ),
)

PARAMETERS: dict[str, Parameter] = {entry.name: entry for entry in _ENTRIES}

#: The facts of a project that select among beliefs, and their values; all values differ.
FACTS: dict[str, tuple[str, ...]] = {
    "kind": ("alignment", "capabilities", "applications"),
    "focus": ("average", "pessimistic", "worst"),
    "approach": ("engineering", "behaviourist", "cognitivist"),
    "novelty": ("mainstream", "niche"),
    "publication": ("open", "delayed", "restricted", "closed"),
}

#: Beliefs "from facts to effects" and "the grid" that are about one piece of work, not about the
#: field it is done in: two projects do not share their luck in them.
_ONE_PROJECT = frozenset(
    (
        "serial_share", "skill", "displacement", "advance", "breakthrough", "hit_probability",
        "lead_time", "area_researchers", "applications_relevance", "applications_coupling",
        "relevance", "coupling", "relevance_residual", "coupling_residual",
    )
)  # fmt: skip

#: Which fact a value belongs to.
FACT_OF: dict[str, str] = {value: fact for fact, values in FACTS.items() for value in values}


def personal(parameter: Parameter) -> bool:
    """Whether a belief is about one project, so that two projects' draws of it are independent."""
    return parameter.group in (Group.FACT, Group.EFFECT) or parameter.name in _ONE_PROJECT


def in_group(group: Group) -> tuple[Parameter, ...]:
    """Return the parameters of one group, in the order of the list."""
    return tuple(p for p in PARAMETERS.values() if p.group is group)
