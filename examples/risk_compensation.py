"""Safer systems are pushed further.

Who has brakes drives faster. Where alignment work makes a system safer, its builders spend part of
the safety on going on sooner: each year of progress that a project adds to alignment brings AGI
nearer by a part of a year. Parallel work counts by how long the field as it is would take for it.
"""

from typing import Any

from difprog.race.parameters import SHARE, SIGNED, effect, world

TITLE = "safer systems are pushed further"
CITES = "Peltzman 1975, The Effects of Automobile Safety Regulation, on drivers; carried over to AI here"
ASSUMES = (
    "Builders notice when alignment gets further, and go on sooner because of it.",
    "What they spend is a share of the progress, the same for every project.",
)
PARAMETERS = (
    world(
        "compensation", "ψ", "", SHARE,
        "years by which AGI comes sooner per year of progress added to alignment", CITES, neutral=0,
    ),
    effect(
        "pushed_further", "Δ_ψ", "years", SIGNED,
        "how much sooner AGI arrives because systems are safer", "compensation",
    ),
)  # fmt: skip
OPENS = {
    "compensation": "part of the safety that is gained is spent on going on sooner",
    "pushed_further": "what that comes to",
}


# The race is imported where it is used, so that listing models does not load PyTensor.
def derive(facts: Any, w: Any) -> Any:
    """Return the shipped effects, and how much further systems are pushed because of them."""
    from difprog.race import effects

    found = effects.derive(facts, w)
    done = found.if_hit  # alignment work is the same with a breakthrough in capabilities and without
    years = done.parallel_speedup / (w.labour_quality * w.researchers) + done.serial_speedup
    return found.but(pushed_further=w.compensation * years)


def success(w: Any, e: Any) -> Any:
    """Return the chance of the shipped race, which starts that much nearer to AGI."""
    from difprog.race import race

    return race.success(w, e.but(timeline_shortening=e.timeline_shortening + e.pushed_further))
