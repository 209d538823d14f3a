"""All alignment research is capabilities research, though not the reverse.

A system that does what people want, robustly, is more useful than one that does not: alignment
techniques made models deployable at all. So every alignment project leaks capability; but the
tax can be negative. Aligned systems are adopted because they are useful, and a lab that cares
can take the lead by caring. What is left is the gap between "what I want" and "what we want":
a system can be aligned to those who own it and not to everyone, and work on inclusion moves
that gap alone.
"""

from difprog.race.effects import derive
from difprog.race.race import success

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
    "adoption_effect": "where a proposal states it outright",
    "lead_effect": "where a proposal states it outright",
    "breadth_effect": "where a proposal states it outright",
}

__all__ = ["ASSUMES", "CITES", "OPENS", "TITLE", "derive", "success"]
