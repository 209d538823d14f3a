"""Classify research by worst-case focus and by cognition, not by claimed impact.

It is hard to say of one piece of work whether it helps alignment or capabilities. Two traits
say more: whether it aims at the worst case rather than the average, and whether it studies
cognition rather than behaviour or engineering. Relevance rises along both axes and coupling to
capabilities falls, but the spread of single projects within a cell dominates. Above all, the
answer hangs on how hard alignment is: the harder, the less existing work is relevant while it
leaks as much as before, so that more of it is useless or does harm.
"""

from difprog.race.parameters import REAL, project, world

TITLE = "classify by focus and approach, and mind how hard it is"
CITES = "Ngo 2024, What is alignment research?"
ASSUMES = (
    "Worst-case focus and a cognitivist approach mark alignment research; scaling is the other end.",
    "A single project deviates from its cell by more than neighbouring cells differ.",
    "The harder alignment is, the less existing work is worth, and the more work is needed.",
    "Most machine-learning research is applications research: neither of the two.",
)
OPENS = {
    "difficulty": "how hard alignment is decides which research helps",
    "relevance_difficulty": "the harder, the less relevant existing research is",
    "requirement_difficulty": "the harder, the more parallel work is needed",
}

PARAMETERS = (
    world(
        "difficulty", "d", "", REAL,
        "how hard alignment is, in standard deviations from the median view", CITES, neutral=0,
    ),
    world(
        "requirement_difficulty", "τ", "", REAL,
        "log of the factor on the parallel requirement per unit of difficulty", CITES, neutral=0,
    ),
    project(
        "relevance_difficulty", "ρ", "", REAL,
        "log relevance lost per unit of difficulty", CITES, neutral=0, grid=True,
    ),
)  # fmt: skip
