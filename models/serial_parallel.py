"""Serial time is the scarce thing.

Some alignment work parallelises: more people finish it sooner. Some does not: a concept has to
ripen, be taught, and be replaced, in chains of years that no number of researchers shortens.
If the chains are what is missing when AGI arrives, then work that buys labour with time is a
bad trade, however much labour it buys, and a surge of researchers at the brink comes too late:
it brings researcher-years, not years.

This is the base race. All other models open mechanisms on top of it.
"""

TITLE = "serial time is the scarce thing"
CITES = "Soares 2022, A note about differential technological development"
ASSUMES = (
    "Alignment needs both parallel person-years and several serial chains, each of them.",
    "The chains run from today until AGI and the grace period after it, whoever works on them.",
    "More researchers step on each other's toes: labour counts to a power below one.",
    "A capability breakthrough moves AGI itself closer; nothing pays it back later.",
)
OPENS: dict[str, str] = {}
