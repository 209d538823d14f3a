"""The terms of art, each in a sentence or two: ``difprog explain TERM`` and ``difprog glossary``.

Plain data and a look-up; imports nothing heavy, as help pages list the terms.
"""

from __future__ import annotations

import re

from difprog.base.errors import nearest

#: Term → what it means.
TERMS = {
    "as_of": "The date from which years are counted, so that an arrival of AGI in 10 years is a date.",
    "agi arrival": "Years from as_of until artificial general intelligence, were this project not done. The "
    "project's capability speedup brings it forward.",
    "alignment success": "That the alignment work which is needed is done before AGI arrives. The "
    "models differ "
    "in what work that is and what it waits for.",
    "base race": "What all models share: alignment work, in series and in parallel, races the arrival "
    "of AGI.",
    "belief": "What somebody thinks about one quantity, as percentiles (5% to 95%) with a source. difprog "
    "priors list shows them all, priors set changes one.",
    "break-even": "The factor on the project's capability speedup, or on its alignment speedup, at which it "
    "would neither help nor harm on average.",
    "brier": "Brier score of a chance: its squared distance from what happened (1 or 0). Less is better; "
    "saying 50% always gets 0.25.",
    "calibration": "Whether what is said to be 80% sure comes true four times in five.",
    "capability speedup": "By how many years of capability progress the project moves the field ahead.",
    "channel": "A way in which a project acts: parallel work, serial progress, capability speedup, adoption, "
    "know-how. The channels' Shapley values add up to the net effect.",
    "conditioned": "A belief is conditioned on evidence where a prior and data give the posterior that "
    "is used. "
    "--no-evidence uses the prior as it is stated.",
    "credence": "How much weight a model gets in the mixture, as a probability. priors/credences.toml states "
    "them; by default they are equal.",
    "crps": "Continuous ranked probability score of a distribution: how far it lies from what happened, in "
    "the quantity's own unit; of a single number it is the absolute error. Less is better.",
    "differential progress": "Progress in alignment relative to progress in capabilities: does a "
    "project speed "
    "up what makes AGI safe more than what brings it?",
    "distance": "How far learning one belief moves the distribution of the net effect: the mean "
    "Kolmogorov–Smirnov distance over the belief's tenths, from 0 (not at all) to 1.",
    "driver": "A belief that the answer depends on: the net effect is different where the belief is in its "
    "lowest tenth and where it is in its highest.",
    "evppi": "Expected value of perfect partial information: how many microdooms one would gain on "
    "average by "
    "learning one belief before choosing between doing nothing and the publication policies.",
    "evpi": "Expected value of perfect information: the same for learning everything at once. No question is "
    "worth more than that.",
    "exchange rate": "How much alignment work a month of capability speedup cancels, at the margin.",
    "fte-year": "A year of one person's full-time work; person-year here.",
    "harms": "The share of worlds drawn in which the project lowers the chance of success.",
    "helps": "The share of worlds drawn in which the project raises the chance of success.",
    "hit probability": "The chance that the project makes the breakthrough it aims at; averaged in exactly.",
    "interval": "90% interval: a twentieth of the worlds lie below it and a twentieth above (--prob "
    "changes it).",
    "judgement": "A belief that is somebody's opinion and no measurement; marked ‡ wherever it is listed.",
    "layer": "A belief file. Later ones replace whole beliefs of earlier ones: what ships, your own, "
    "--priors, "
    "--scenario, the proposal.",
    "log score": "The natural logarithm (in nats) of the chance, or the density, that was given to what "
    "happened. More is better; saying 50% of a yes or no gets −0.69.",
    "mean": "The average of the net effect over all worlds: what counts if chances are to be added up. A few "
    "worlds can carry it; the median says what is typical.",
    "microdoom": "A millionth of the chance that alignment fails. +12 microdooms averted: the chance of "
    "success "
    "rises by 0.000012.",
    "mixture": "The models' answers put together, each with its credence as weight.",
    "model": "One reading of how the race between alignment and AGI goes, with the argument for it. difprog "
    "models list names them.",
    "monte carlo error": "How far the printed mean may be off because only so many worlds were drawn. Four "
    "times the --draws halve it.",
    "net effect": "The chance of success with the project less the chance without it, in the same world.",
    "parallel speedup": "Alignment work that can be done side by side, in quality-adjusted person-years "
    "(p-y).",
    "pareto k-hat": "How heavy the tail of the draws is. Above 0.7 a few draws carry the mean, and its "
    "printed "
    "error is too small.",
    "pit": "Probability integral transform: the share of a forecast's distribution that lies below what "
    "happened. Over many forecasts every value is as frequent as any other, if they are calibrated.",
    "posterior": "A belief after conditioning on evidence.",
    "prior": "A belief before conditioning on evidence.",
    "publication policy": "open, delayed, restricted or closed: how much of a capability effect leaks "
    "out, and "
    "how much of the alignment work reaches others.",
    "run-up": "The time just before AGI, when work on models nearly as able is possible.",
    "scenario": "A named set of beliefs to lay over the others, such as short or soares: --scenario NAME.",
    "serial speedup": "Alignment progress that can only be made one step after the other, in calendar time.",
    "shapley": "A fair split of a total among contributors: each one's share is what it adds, averaged over "
    "every order in which they could come.",
    "sign": "Whether a mean is above or below zero by more than two Monte Carlo errors.",
    "world": "One joint draw of all beliefs. Every model and every project is run on the same worlds.",
    "yardstick": "A published figure to lay beside a project's own, such as microdooms per million dollars.",
}

#: Other spellings → term.
ALSO = {
    "microdooms": "microdoom", "k-hat": "pareto k-hat", "khat": "pareto k-hat", "shapley value": "shapley",
    "shapley values": "shapley", "p-y": "parallel speedup", "person-year": "fte-year", "fte": "fte-year",
    "mcse": "monte carlo error", "success": "alignment success", "agi": "agi arrival",
    "agi_arrival": "agi arrival", "policy": "publication policy", "breakeven": "break-even",
    "brier score": "brier", "nat": "log score", "nats": "log score", "calibrated": "calibration",
}  # fmt: skip


def lookup(word: str) -> tuple[str, str] | None:
    """Return a term and what it means, in any case, singular or plural, with "_" or "-" for blanks."""
    wanted = re.sub(r"[\s_]+", " ", word.strip().lower())
    for form in (wanted, wanted.replace("-", " "), wanted.replace(" ", "-"), wanted.removesuffix("s")):
        name = ALSO.get(form, form)
        if name in TERMS:
            return name, TERMS[name]
    return None


def near(word: str) -> str | None:
    """Return the term nearest to a misspelt one."""
    return nearest(word, [*TERMS, *ALSO])
