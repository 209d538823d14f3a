"""We must first see what AGI is.

Much alignment work waits for the paradigm that AGI will be built in: before it we do not know
which of our assumptions hold. Capability work now brings the paradigm forward, while hardware
and neuroscience would otherwise pile up into an overhang and a sudden spurt. What is pulled
forward today is partly paid back later, so the era in which alignment can be practised grows
longer than the date comes nearer. And once the paradigm is here, capability researchers too
run into deception and care about it for reasons of their own.
"""

from difprog.race.parameters import COUNT, FRACTION, NONNEGATIVE, SHARE, world

TITLE = "we must first see what AGI is"
CITES = "Sotala 2022, the case that capability work now buys time"
ASSUMES = (
    "AGI will be built in a paradigm that arrives part of the way from now.",
    "Alignment work done before the paradigm is worth only a fraction.",
    "An acceleration today is paid back, in part, by slower progress later.",
    "So capability work lengthens the time after the paradigm, by construction.",
    "Some chains of alignment work cannot start before the paradigm is there.",
)
OPENS = {
    "overhang": "what is pulled forward now is missing from the spurt later: Δ = (1 − ω)·x",
    "paradigm_fraction": "the paradigm arrives at u·T; a late, compressed era is worse",
    "early_relevance": "strategy and theory before the paradigm are mostly wasted",
    "gated_chains": "some of alignment waits for a capability, such as a theory of mind",
    "convergence": "with the paradigm here, capability researchers work on deception too",
}

PARAMETERS = (
    world(
        "overhang", "ω", "", SHARE,
        "share of an acceleration that later progress pays back", CITES, neutral=0,
    ),
    world(
        "paradigm_fraction", "u", "", FRACTION,
        "the paradigm AGI will be built in arrives at u·T", CITES, neutral=0,
    ),
    world(
        "early_relevance", "ε", "", SHARE,
        "worth of alignment work done before that paradigm", CITES, neutral=1,
    ),
    world(
        "gated_chains", "K_g", "", COUNT,
        "serial chains that can start only with the paradigm (never more than there are)", CITES, neutral=0,
    ),
    world(
        "convergence", "m", "", NONNEGATIVE,
        "extra alignment labour once the paradigm is here, as a multiple of the field", CITES, neutral=0,
    ),
)  # fmt: skip
