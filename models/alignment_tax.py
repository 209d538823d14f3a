"""All alignment research is capabilities research, though not the reverse.

A system that does what people want, robustly, is more useful than one that does not: alignment
techniques made models deployable at all. So every alignment project leaks capability; but the
tax can be negative. Aligned systems are adopted because they are useful, and a lab that cares
can take the lead by caring. What is left is the gap between "what I want" and "what we want":
a system can be aligned to those who own it and not to everyone, and work on inclusion moves
that gap alone.
"""

from difprog.race.parameters import REAL, SHARE, SIGNED, effect, project, world

TITLE = "all alignment research is capabilities research"
CITES = "All Alignment Research is Capabilities Research (essay)"
ASSUMES = (
    "Every alignment project is capability work in part; capability work is not alignment work.",
    "A solution has to be adopted by whoever is first, and useful alignment is adopted sooner.",
    "A safety-led builder can be first, and being useful helps it to be.",
    "Aligned to its owners is not aligned to all of us; centralisation stays a limit.",
)
OPENS = {
    "safety_lead": "the builder that is first may or may not be led by safety",
    "adoption": "any other builder may or may not adopt a solution that exists",
    "breadth": "aligned may or may not mean aligned to all of us",
    "adoption_per_fte_year": "alignment work makes models deployable, so it is adopted",
    "lead_per_fte_year": "a lab that cares can take the lead by being useful",
    "breadth_per_fte_year": "including more people widens whom the system serves",
}

PARAMETERS = (
    world(
        "safety_lead", "s", "", SHARE,
        "chance that a safety-led builder is first", CITES, neutral=1,
    ),
    world(
        "adoption", "a", "", SHARE,
        "chance that any other builder adopts a solution that exists", CITES, neutral=1,
    ),
    world(
        "breadth", "v", "", SHARE,
        "chance that aligned means aligned to all of us, given aligned", CITES, neutral=1,
    ),
    project(
        "adoption_per_fte_year", "", "1/(FTE year)", REAL,
        "log-odds of adoption per FTE-year of alignment effort", CITES, neutral=0,
    ),
    project(
        "lead_per_fte_year", "", "1/(FTE year)", REAL,
        "log-odds of a safety-led builder being first, per FTE-year", CITES, neutral=0,
    ),
    project(
        "breadth_per_fte_year", "", "1/(FTE year)", REAL,
        "log-odds of breadth per FTE-year", CITES, neutral=0,
    ),
    effect(
        "adoption_effect", "", "", SIGNED,
        "log-odds added to adoption", "adoption",
    ),
    effect(
        "lead_effect", "", "", SIGNED,
        "log-odds added to the safety lead", "adoption",
    ),
    effect(
        "breadth_effect", "", "", SIGNED,
        "log-odds added to breadth", "adoption",
    ),
)  # fmt: skip
