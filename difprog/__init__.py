"""Forecast the differential progress of a research project.

From Python: `score` gives a proposal's forecast, `model` the PyMC model that it is drawn from. Both
take the options of the command line as keywords (`difprog.forecast.request.Options`).
"""

from __future__ import annotations

# No import here, not even of the standard library: this comes before `difprog.base.processes` has taken
# the working folder off the path.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Unpack

    from difprog.forecast.request import Options, Request
    from difprog.render.notebook import Answer

__version__ = "0.1.0"
__all__ = ["__version__", "model", "score"]


def score(project: str, **options: Unpack[Options]) -> Answer:
    """Return the forecast of a proposal.

    Parameters
    ----------
    project : str
        A path, or a bare name.
    **options
        Those of the command line, as `difprog.forecast.request.Options` lists them.

    Returns
    -------
    difprog.render.notebook.Answer
        Its draws as an ArviZ DataTree, its numbers, and in a notebook its first screen.

    Raises
    ------
    difprog.base.errors.BadInput
        With every problem of every file.
    """
    from difprog.render.notebook import answer

    return answer(_request(options).score(project))


def model(project: str, **options: Unpack[Options]) -> Any:
    """Return the question that a proposal asks as a PyMC model.

    Parameters
    ----------
    project : str
        A path, or a bare name.
    **options
        As of `score`. How many draws, from which seed, and the intervals are not the model's.

    Returns
    -------
    pymc.Model
        Coords ``reading`` and ``world``; beliefs by name, the effects, ``p_success`` (reading, world)
        and ``net_effect`` (reading) as Deterministics.

    Raises
    ------
    difprog.base.errors.BadInput
        With every problem of every file.
    """
    from difprog.forecast.conditioning import question_of
    from difprog.forecast.graph import build

    asked = _request(options)
    setup = asked.setup()
    question, _ = question_of(asked.project(project, setup), setup)
    return build(question).model


def _request(options: Options) -> Request:
    """Return options that are given as keywords as the record of them."""
    from difprog.forecast.request import request_of

    return request_of(options)
