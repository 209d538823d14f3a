"""A project under a setup: its beliefs resolved, conditioned on evidence and reviews, and asked about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt

from difprog.base.errors import BadInput, Problem
from difprog.beliefs.beliefs import Correlation, Layer, Stack
from difprog.beliefs.distributions import Point
from difprog.beliefs.project import Project
from difprog.forecast.copula import mixing
from difprog.forecast.kept import Kept
from difprog.forecast.question import Question, View
from difprog.forecast.setup import Setup

Array = npt.NDArray[np.float64]


def question_of(
    project: Project,
    setup: Setup,
    kept: Kept | None = None,
    conditioned: Callable[[View], View] | None = None,
) -> tuple[Question, tuple[tuple[Layer, ...], ...]]:
    """Return the question that a project is under a setup's readings, and each reading's layers.

    Parameters
    ----------
    project : Project
        The proposal.
    setup : Setup
        Models and layers.
    kept : Kept, optional
        Keeps what several projects share; changes no number.
    conditioned : callable, optional
        Puts evidence in a view's beliefs, where it is at hand; `condition` by default.

    Raises
    ------
    BadInput
        Where a belief is missing or correlations cannot hold, for all readings at once.
    """
    views: list[View] = []
    layers: list[tuple[Layer, ...]] = []
    certain: list[bool] = []
    problems: list[Problem] = []
    correlations: dict[tuple[str, str], Correlation] = {}
    for model in setup.models:
        stack = Stack((*setup.stacks[model.name].layers, project.layer))
        sure = project.certain(stack.layers)
        names = [n for n in model.reads if not (sure and n == "hit_probability")]
        beliefs, missing = stack.resolve(names, project.facts, model.vocabulary)
        problems.extend(
            p._replace(file=project.source.label, hint=f"{model.name} reads it; {p.hint}") for p in missing
        )
        if missing:
            continue
        try:
            view = View(model, beliefs)
            views.append(condition(view, project, setup, kept) if conditioned is None else conditioned(view))
        except BadInput as error:
            problems.extend(error.problems)
        correlations.update(stack.correlations)
        layers.append(stack.layers)
        certain.append(sure)
    if problems:
        raise BadInput(*dict.fromkeys(problems))
    question = Question(
        tuple(views), project.facts, project.criteria, tuple(certain), tuple(correlations.values()),
        own=project.name.strip(),
    )  # fmt: skip
    for group in question.groups:
        mixing(question, group)
    return question, tuple(layers)


def condition(
    view: View, project: Project, setup: Setup, kept: Kept | None = None
) -> View:
    """Return a view with its beliefs conditioned on evidence and on the reviews.

    A belief that names a dataset is that dataset's prior and is replaced by its posterior, the
    kept one where there is one (see `difprog.evidence.store`). The proposal's reviews are pooled
    and replace what would be derived, whether or not datasets are used.

    Raises
    ------
    BadInput
        Where a belief names a dataset that does not condition it.
    DiagnosticsFailed
        Where a fit was needed and cannot be trusted.
    """
    tagged = {n: b for n, b in view.beliefs.items() if b.evidence and b.evidence != "reviews"}
    if not project.reviews and not (tagged and setup.use_evidence):
        return view
    from difprog.evidence import DATASETS, likelihood, reviews, store

    beliefs = dict(view.beliefs)
    parts = []
    if setup.use_evidence:
        problems = [
            Problem(b.layer, f"beliefs.{n}.evidence", "is no dataset that conditions it", b.evidence)
            for n, b in tagged.items()
            if b.evidence not in DATASETS or n not in likelihood(b.evidence).BELIEFS
        ]
        if problems:
            raise BadInput(*problems)
        stack = Stack((*setup.stacks[view.model.name].layers, project.layer))
        for dataset in DATASETS:
            names = likelihood(dataset).BELIEFS
            # A point is certain: no data can move it.
            moved = [b for b in tagged.values() if b.evidence == dataset and not isinstance(b.shape, Point)]
            if moved and all(n in beliefs for n in names):
                shapes = {n: beliefs[n].shape for n in names}
                find = partial(store.condition, dataset, shapes, stack.as_of, say=setup.say)
                key = ("posterior", dataset, tuple(shapes.items()), stack.as_of)
                parts.append(find() if kept is None else kept.get(key, find))
    if project.reviews:
        pools = reviews.pools(project, view.model)
        parts.extend(reviews.posterior(project, name, pool) for name, pool in pools.items())
        beliefs.update(reviews.beliefs(project, pools))
    join = partial(store.combine, parts)
    joint = join() if kept is None else kept.get(("joint", *((p.key or id(p)) for p in parts)), join)
    return replace(view, beliefs=beliefs, posterior=joint)
