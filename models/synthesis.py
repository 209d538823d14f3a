"""All of it: every mechanism of every other model, open at once.

The essays are not alternatives in logic. Serial time can be scarce while part of it waits for
a paradigm; practice can pay while it leaks; and whoever builds AGI first has to adopt what is
found. This model holds all mechanisms together. With one of them at its neutral value it is
the model without it, exactly, so that it can be asked which of them makes the difference.
"""

TITLE = "all of it"
CITES = "the five essays together"
ASSUMES = (
    "Every mechanism of the other models is at work at once.",
    "The beliefs about one mechanism do not depend on the others being open.",
    "It is no independent vote: what a mechanism does in the model that is about it, it does here too.",
)
OPENS = {"*": "open in at least one reading"}
PRIORS = ("overhang", "alignment_tax", "narrow_superhuman", "research_grid")
