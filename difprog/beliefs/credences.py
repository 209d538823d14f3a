"""How much each model counts: a file of credences, read and completed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from difprog.base import files
from difprog.base.errors import Problems
from difprog.beliefs.forms import CredencesForm, read
from difprog.beliefs.shapes import weight


def parse_credences(content: Mapping[str, Any], problems: Problems) -> dict[str, float]:
    """Return a weight per model from the content of a credences file; adds what is wrong."""
    form = read(CredencesForm, content, "", problems, missing="must be a table of weights per model")
    table = (form.credences if form is not None else None) or {}
    return {name: weight(value, f"credences.{name}", problems) for name, value in table.items()}


def read_credences(names: Sequence[str]) -> dict[str, float]:
    """Return the credence of each model, by the user's credences.toml, else the shipped one.

    A model that has none there counts as much as the average one.

    Parameters
    ----------
    names : sequence of str
        The models asked for.

    Returns
    -------
    dict of str to float
        Over all models that have one; they sum to 1.

    Raises
    ------
    BadInput
        Where the file is wrong, or gives every model asked for 0.
    """
    path = files.user_folder() / "priors" / "credences.toml"
    if not path.is_file():
        path = files.shipped("priors", "credences.toml")
    content, _ = files.read_toml(path)
    problems = Problems(str(path))
    weights = parse_credences(content, problems)
    problems.check()
    average = math.fsum(weights.values()) / len(weights) if weights else 1.0
    for name in names:
        weights.setdefault(name, average)
    total = math.fsum(weights.values())
    if names and (not total > 0 or not any(weights[name] > 0 for name in names)):
        problems.add("credences", "are all 0 for the models asked for", hint="give one a weight")
        problems.check()
    return {name: value / total for name, value in weights.items()}
