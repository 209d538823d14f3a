"""Answers and estimates of how badly research parallelises → the exponent λ.

A respondent who says that half the researchers over a decade would have made for the share
``loss`` less progress answers λ = ln(1 − loss)/ln(½). Single answers are far apart and some
exceed 1; they are Student-t about their survey's own value. A survey and a published estimate
are both *sources*, and the world's λ is one more: their standard normal scores under the stated
belief are exchangeable with correlation ρ,

    score_j = √ρ·c + √(1 − ρ)·e_j,   λ_j = quantile of the stated belief at score_j.

So the prior of λ is the stated belief whatever ρ is, two hundred answers to one question count
as one source, and more sources narrow λ only as far as they agree.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from difprog.beliefs.families import Point, Shape
from difprog.evidence import Case, scores, tables

Array = npt.NDArray[np.float64]

BELIEFS = ("parallel_exponent",)
STATED = ("consensus",)
TITLE = "answers and estimates of how research parallelises"
NOTE = "a survey counts as one source among the published estimates"

#: Half of the rounding of estimates published to one decimal is the least that they may err by.
ROUNDING = 0.03


class Data(NamedTuple):
    """The answers of one survey, and one entry per published estimate."""

    answers: Array
    """λ of each answer."""
    values: Array
    """λ of each estimate, within (0, 1)."""
    errors: Array
    """Standard error of each estimate on the λ scale, from its own range where it has one."""
    sources: tuple[str, ...]


def read() -> Data:
    """Return the answers and estimates that are used."""
    rows = tables.rows("parallelisation")
    answers = [
        math.log1p(-float(r["value"]) / 100.0) / math.log(0.5)
        for r in rows
        if r["kind"] == "answers"
        for _ in range(int(r["count"]))
    ]
    estimates = [r for r in rows if r["kind"] == "estimate"]
    values = [float(r["value"]) for r in estimates]
    # A range is read as 90%; 1 is the end of the scale, so only the lower half counts there.
    errors = [
        max(ROUNDING, (v - float(r["low"])) / 1.6448536269514722 if r["low"] else 0.0)
        for v, r in zip(values, estimates, strict=True)
    ]
    return Data(
        np.asarray(answers), np.asarray(values), np.asarray(errors), tuple(r["source"] for r in estimates)
    )


def build(case: Case) -> Any:
    """Return the likelihood over the stated belief, a pymc.Model.

    Parameters
    ----------
    case : Case
        The table and the beliefs as stated.
    """
    import pymc as pm
    import pytensor.tensor as pt

    data, shapes, _ = case
    shape = shapes["parallel_exponent"]
    published, errors = published_scores(data, shape)
    with pm.Model() as model:
        agreement = pm.Beta("agreement", 2.0, 2.0)
        consensus = pm.Normal("consensus")
        survey = pm.Normal("survey_score", pt.sqrt(agreement) * consensus, pt.sqrt(1.0 - agreement))
        spread = pm.HalfNormal("answer_spread", 0.5)
        tails = pm.Gamma("answer_tails", 2.0, 0.1)
        pm.StudentT(
            "answers", nu=tails + 1.0, mu=scores.quantile(shape, survey), sigma=spread,
            observed=pm.Data("answers_data", data.answers),
        )  # fmt: skip
        pm.Normal(
            "published", pt.sqrt(agreement) * consensus, pt.sqrt(1.0 - agreement + errors**2),
            observed=pm.Data("published_data", published),
        )  # fmt: skip
    return model


def published_scores(data: Data, shape: Shape) -> tuple[Array, Array]:
    """Return the scores of the published estimates under a belief, and their standard errors."""
    if isinstance(shape, Point):
        return np.zeros(len(data.values)), np.ones(len(data.values))
    middle = scores.score(shape, data.values)
    below = scores.score(shape, np.maximum(data.values - data.errors, 1e-3))
    return middle, np.maximum(middle - below, 1e-3)


def used(draws: Mapping[str, Array], case: Case, rng: np.random.Generator) -> tuple[
    dict[str, Array], dict[str, Any]
]:
    """Return what scoring uses: λ of one more exchangeable source for every draw."""
    share, consensus = draws["agreement"], draws["consensus"]
    z = np.sqrt(share) * consensus + np.sqrt(1.0 - share) * rng.standard_normal(share.shape)
    return {"parallel_exponent": np.asarray(case.shapes["parallel_exponent"].quantile(z))}, {}
