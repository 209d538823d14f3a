"""Practise on models that beat us at one thing.

Getting the best out of a model that already exceeds us at a fuzzy task is the long-run problem
in small. Doing it now pays on three paths: know-how and infrastructure, which matter most when
time is short because they would come anyway; a better run-up, with assistants made as helpful
as they can be; and the chance of finding or verifying a long-term solution. What counts is
work that fine-tunes an existing large model, makes no model larger, learns from humans, and is
genuinely useful. Others would do some of it a year or so later; an area is worth most neither
empty nor crowded; and a demonstration may draw money into AI at large.
"""

from difprog.race.effects import derive
from difprog.race.race import success

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
    "knowhow_effect": "where a proposal states it outright",
    "assistance_effect": "where a proposal states it outright",
    "grace_effect": "where a proposal states it outright",
    "solution_probability": "where a proposal states it outright",
    "field_growth": "where a proposal states it outright",
}

__all__ = ["ASSUMES", "CITES", "OPENS", "TITLE", "derive", "success"]
