"""Practise on models that beat us at one thing.

Getting the best out of a model that already exceeds us at a fuzzy task is the long-run problem
in small. Doing it now pays on three paths: know-how and infrastructure, which matter most when
time is short because they would come anyway; a better run-up, with assistants made as helpful
as they can be; and the chance of finding or verifying a long-term solution. What counts is
work that fine-tunes an existing large model, makes no model larger, learns from humans, and is
genuinely useful. Others would do some of it a year or so later; an area is worth most neither
empty nor crowded; and a demonstration may draw money into AI at large.
"""

import math

from difprog.race.parameters import NONNEGATIVE, POSITIVE, SHARE, SIGNED, effect, project, world

TITLE = "practise on models that beat us at one thing"
CITES = "Cotra 2021, The case for aligning narrowly superhuman models"
ASSUMES = (
    "Practice on narrowly superhuman models carries over to the long-run problem.",
    "Know-how would exist anyway some years later; the project only brings it sooner.",
    "Well-aligned assistants add labour in the run-up to AGI.",
    "AI spending is about two orders of magnitude above alignment spending.",
)
OPENS = {
    "runup_length": "path 2: the years before AGI in which assistants help",
    "assistance": "path 2: how much labour they add",
    "assistance_per_fte_year": "path 2: practice makes assistants more helpful",
    "grace_per_fte_year": "path 2: a safer run-up leaves more time after AGI",
    "knowhow_horizon": "path 1: until then the know-how would not exist otherwise",
    "knowhow_per_fte_year": "path 1: tools and tricks speed the whole field",
    "followers_per_fte_year": "path 1: infrastructure and demonstrations draw people in",
    "solution_per_fte_year": "path 3: practice finds or verifies a solution",
    "displacement": "others would do part of it anyway, a year or so later",
    "hype_leverage": "a demonstration draws investment into AI at large",
    "area_researchers": "how many people are in the area",
    "crowding_peak": "the number at which one more is worth most",
}

PARAMETERS = (
    world(
        "runup_length", "w", "years", NONNEGATIVE,
        "years before AGI in which AI assistants help", CITES, neutral=0,
    ),
    world(
        "assistance", "κ", "", NONNEGATIVE,
        "extra labour in the run-up, as a multiple of the field", CITES, neutral=0,
    ),
    world(
        "knowhow_horizon", "h", "years", POSITIVE,
        "years until the project's know-how would exist anyway", CITES, neutral=math.inf,
    ),
    project(
        "displacement", "", "", SHARE,
        "share of the work that others would do anyway", CITES, neutral=0, personal=True,
    ),
    project(
        "hype_leverage", "", "USD/USD", NONNEGATIVE,
        "USD of AI investment that a USD of the project draws in", CITES, neutral=0,
    ),
    project(
        "area_researchers", "n", "FTE", POSITIVE,
        "people in the project's area", CITES, neutral=1, personal=True,
    ),
    project(
        "crowding_peak", "n*", "FTE", POSITIVE,
        "number of people in an area at which one more is worth most", CITES, neutral=1,
    ),
    project(
        "knowhow_per_fte_year", "", "1/(FTE year)", NONNEGATIVE,
        "path 1, know-how: fraction added to the field's labour, per FTE-year", CITES, neutral=0,
    ),
    project(
        "assistance_per_fte_year", "", "1/(FTE year)", NONNEGATIVE,
        "path 2, a better run-up: added assistance multiple per FTE-year", CITES, neutral=0,
    ),
    project(
        "grace_per_fte_year", "", "1/FTE", NONNEGATIVE,
        "path 2, a better run-up: years of grace period added per FTE-year", CITES, neutral=0,
    ),
    project(
        "followers_per_fte_year", "", "1/year", NONNEGATIVE,
        "path 1, infrastructure: FTE drawn into the field per FTE-year", CITES, neutral=0,
    ),
    project(
        "solution_per_fte_year", "", "1/(FTE year)", NONNEGATIVE,
        "path 3, a solution: rate of finding or verifying one, per FTE-year", CITES, neutral=0,
    ),
    effect(
        "knowhow_effect", "k", "", SIGNED,
        "fraction added to the field's labour until the know-how exists anyway", "run_up",
    ),
    effect(
        "assistance_effect", "δκ", "", SIGNED,
        "added to the labour multiple of assistants in the run-up", "run_up",
    ),
    effect(
        "grace_effect", "δB", "years", SIGNED,
        "years added to the grace period", "run_up",
    ),
    effect(
        "solution_probability", "q", "", SHARE,
        "chance that the project itself leads to a solution", "run_up",
    ),
)  # fmt: skip
