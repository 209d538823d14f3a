"""Forecast the differential progress of a research project.

From Python: `score` gives a proposal's forecast, `model` the PyMC model that it is drawn from. Both
take the options of the command line as keywords (`difprog.forecast.request.Request`).
"""

from __future__ import annotations

# No import here, not even of the standard library: this comes before `difprog.base.processes` has taken
# the working folder off the path.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from difprog.forecast.request import Request
    from difprog.render.notebook import Answer

__version__ = "0.1.0"


def score(project: str, **options: Any) -> Answer:
    """Return the forecast of a proposal.

    Parameters
    ----------
    project : str
        A path, or a bare name.
    **options
        Those of `difprog.forecast.request.Request`: draws, seed, models, priors, scenarios,
        use_evidence, and so on; ``believe`` also as a mapping, such as ``{"p_success": 0.8}``.

    Returns
    -------
    difprog.render.notebook.Answer
        ``data`` is its draws as an ArviZ DataTree, ``summary(quantity)`` its numbers, labelled.

    Raises
    ------
    difprog.base.errors.BadInput
        With every problem of every file.
    """
    from difprog.render.notebook import answer

    return answer(_request(options).score(project))


def model(project: str, **options: Any) -> Any:
    """Return the question that a proposal asks as a ``pymc.Model``; parameters and errors as of `score`.

    Returns
    -------
    pymc.Model
        Coords ``reading`` and ``world``; beliefs by name, the effects, ``p_success`` (reading, world)
        and ``net_effect`` (reading) as Deterministics.
    """
    from difprog.forecast.forecast import question_of
    from difprog.forecast.graph import build

    asked = _request(options)
    setup = asked.setup()
    question, _ = question_of(asked.project(project, setup), setup)
    return build(question).model


def _request(options: dict[str, Any]) -> Request:
    """Return the record of options given as keywords: sequences in any form, one name by itself too."""
    from difprog.forecast.request import Request

    believe = options.get("believe", ())
    if hasattr(believe, "items"):
        options = {**options, "believe": [f"{name}={chance!r}" for name, chance in believe.items()]}
    many = ("models", "priors", "scenarios", "believe")
    named = {n: (v,) if isinstance(v, str) else tuple(v) for n, v in options.items() if n in many}
    return Request(**{**options, **named})
