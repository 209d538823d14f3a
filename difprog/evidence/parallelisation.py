"""Answers and estimates of how badly research parallelises → two exponents.

A field whose progress grows as its headcount to the power β loses the share 1 − ½^β of its progress
with half of its researchers; a respondent who says that half the researchers over a decade would have
made for the share ``loss`` less progress answers β = ln(1 − loss)/ln(½). The survey asks about AI, so
its answers speak of `capability_exponent` first. `parallel_exponent`, the same number for the labour
of the alignment field, is what research in general, and capability research, let one expect.

Single answers are far apart and some exceed 1; they are Student-t about their survey's own value. A
survey and a published estimate are both *sources*, each about one field (the table's column), and the
world's two exponents are one more source each. Standard normal scores under the stated beliefs have
three parts, in shares ρ that sum to 1,

    score_j = √ρ_all·c + √ρ_field·d_field + √ρ_own·e_j,   exponent_j = quantile of the belief at score_j

So the prior of each exponent is its stated belief whatever the shares are, two hundred answers to one
question count as one source, more sources narrow an exponent only as far as they agree, and the two
exponents are correlated as far as the fields are alike: their posterior is joint.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from difprog.beliefs.distributions import Point, Shape
from difprog.evidence import Case, scores, tables

Array = npt.NDArray[np.float64]

BELIEFS = ("parallel_exponent", "capability_exponent")
STATED = ("consensus", "field")
TITLE = "answers and estimates of how research parallelises"
NOTE = "a survey counts as one source among the published estimates, and is about capability research"
DATED = False

#: The fields that sources are about, and the belief on whose scale each is scored.
FIELDS = ("research", "capability", "alignment")
SCALES = ("parallel_exponent", "capability_exponent", "parallel_exponent")
CAPABILITY, ALIGNMENT = 1, 2

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
    fields: npt.NDArray[np.intp]
    """Index into ``FIELDS``, of each estimate."""
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
        np.asarray(answers), np.asarray(values), np.asarray(errors),
        np.asarray([FIELDS.index(r["field"]) for r in estimates], dtype=np.intp),
        tuple(r["source"] for r in estimates),
    )  # fmt: skip


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
    scored, errors = published_scores(data, shapes)
    with pm.Model() as model:
        shares = pm.Dirichlet("shares", np.full(3, 2.0))
        overall, alike, own = (shares[i] for i in range(3))
        consensus = pm.Normal("consensus")
        field = pm.Normal("field", shape=len(FIELDS))
        middle = pt.sqrt(overall) * consensus + pt.sqrt(alike) * field
        survey = pm.Normal("survey_score", middle[CAPABILITY], pt.sqrt(own))
        spread = pm.HalfNormal("answer_spread", 0.5)
        tails = pm.Gamma("answer_tails", 2.0, 0.1)
        pm.StudentT(
            "answers", nu=tails + 1.0, mu=scores.quantile(shapes["capability_exponent"], survey),
            sigma=spread, observed=pm.Data("answers_data", data.answers),
        )  # fmt: skip
        pm.Normal(
            "published", middle[data.fields], pt.sqrt(own + errors**2),
            observed=pm.Data("published_data", scored),
        )  # fmt: skip
    return model


def published_scores(data: Data, shapes: Mapping[str, Shape]) -> tuple[Array, Array]:
    """Return the scores of the published estimates under the beliefs, and their standard errors."""
    middle, errors = np.zeros(len(data.values)), np.ones(len(data.values))
    for i, (value, error, field) in enumerate(zip(data.values, data.errors, data.fields, strict=True)):
        shape = shapes[SCALES[field]]
        if not isinstance(shape, Point):
            middle[i] = scores.score(shape, value)
            errors[i] = max(middle[i] - scores.score(shape, max(value - error, 1e-3)), 1e-3)
    return middle, errors


def used(
    draws: Mapping[str, Array], case: Case, rng: np.random.Generator
) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return what scoring uses: for every draw one more source about each of the two fields."""
    overall, alike, own = np.moveaxis(np.sqrt(draws["shares"]), -1, 0)
    found = {}
    for belief, at in (("parallel_exponent", ALIGNMENT), ("capability_exponent", CAPABILITY)):
        z = overall * draws["consensus"] + alike * draws["field"][..., at]
        z = z + own * rng.standard_normal(own.shape)
        found[belief] = np.asarray(case.shapes[belief].quantile(z)) + np.zeros(own.shape)
    return found, {}
