"""Belief files, read and validated: all problems of a file are reported at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from difprog.base import files
from difprog.base.errors import Problems
from difprog.base.units import UnitError, quantity
from difprog.beliefs.beliefs import Belief, Correlation, Layer
from difprog.beliefs.forms import BELIEF_KEYS, CorrelationForm, LayerForm, read
from difprog.beliefs.outcomes import parse_outcomes
from difprog.beliefs.shapes import by_span, parse_shape, read_form
from difprog.race.parameters import FACT_OF, PARAMETERS, Group, Parameter

#: Names that beliefs had in earlier versions → what to state instead.
GONE = {
    "advance": "serial_researchers and serial_exponent: how many move the chains, and what more add",
}


def read_layer(
    path: Path, vocabulary: Mapping[str, Parameter] = PARAMETERS, name: str | None = None
) -> Layer:
    """Read and validate a belief file.

    Parameters
    ----------
    path : Path
        A TOML file with ``[beliefs]``, and optionally ``[[correlations]]``, ``[outcomes]`` and ``as_of``.
    vocabulary : mapping of str to Parameter
        The names that beliefs may have.
    name : str, optional
        What to call the file in error messages; its path by default.

    Raises
    ------
    BadInput
        With every problem of the file.
    """
    text, source = files.read_text(path, name=name)
    return _layer_of(text, source, name or str(path), tuple(vocabulary.values()))


@lru_cache(maxsize=64)
def _layer_of(text: str, source: files.Source, where: str, vocabulary: tuple[Parameter, ...]) -> Layer:
    """Return what a text says: what is read once is not fitted again while a process lives."""
    problems = Problems(where)
    content = files.parse_toml(text, where)
    layer = parse_layer(content, source, problems, {parameter.name: parameter for parameter in vocabulary})
    problems.check()
    return layer


def parse_layer(
    content: Mapping[str, Any],
    source: files.Source,
    problems: Problems,
    vocabulary: Mapping[str, Parameter] = PARAMETERS,
) -> Layer:
    """Validate the content of a belief file, adding what is wrong to ``problems``."""
    form = read(LayerForm, content, "", problems)
    if form is None:
        return Layer(source, {})
    return Layer(
        source=source,
        beliefs=parse_beliefs(form.beliefs, source.label, problems, vocabulary),
        correlations=parse_correlations(form.correlations, source.label, problems, vocabulary),
        # Read once more where another key was wrong: the form is then as the file has it.
        as_of=LayerForm.model_validate({"as_of": form.as_of}).as_of if form.as_of is not None else None,
        outcomes=parse_outcomes(form.outcomes, source.label, problems),
    )


def parse_beliefs(
    table: Mapping[str, Any],
    label: str,
    problems: Problems,
    vocabulary: Mapping[str, Parameter] = PARAMETERS,
) -> dict[str, dict[str, Belief]]:
    """Validate a ``[beliefs]`` table: name → value of a fact ("" for all) → belief."""
    beliefs: dict[str, dict[str, Belief]] = {}
    for name, content in table.items():
        key = f"beliefs.{name}"
        parameter = vocabulary.get(name)
        if parameter is None and name in GONE:
            problems.add(key, "is no longer a belief", hint=f"state {GONE[name]}")
        elif parameter is None and name.partition(".")[0] in vocabulary and name.partition(".")[2] in FACT_OF:
            problems.add(key, "unknown belief", name, hint=f"write [beliefs.{name}], without quotes")
        elif parameter is None:
            problems.unknown(key, name, vocabulary, "unknown belief")
        elif parameter.group is Group.FACT:
            problems.add(key, "is a fact of a proposal, not a belief", hint="state it in [project]")
        else:
            beliefs[name] = _per_fact(parameter, content, key, label, problems)
    return beliefs


def _per_fact(
    parameter: Parameter, content: object, key: str, label: str, problems: Problems
) -> dict[str, Belief]:
    """Split a belief into what it says for all projects and per value of a fact."""
    if not isinstance(content, Mapping):
        belief = parse_belief(parameter, content, key, label, problems)
        return {} if belief is None else {"": belief}
    nested = {k: v for k, v in content.items() if isinstance(v, Mapping) or k in FACT_OF}
    found: dict[str, Belief] = {}
    facts = {FACT_OF[value] for value in nested if value in FACT_OF}
    if len(facts) > 1:
        problems.add(key, f"depends on more than one fact: {', '.join(sorted(facts))}")
    for value, inner in nested.items():
        if value not in FACT_OF:
            problems.unknown(f"{key}.{value}", value, (*BELIEF_KEYS, *FACT_OF))
            continue
        belief = parse_belief(parameter, inner, f"{key}.{value}", label, problems)
        if belief is not None:
            found[value] = belief
    plain = {k: v for k, v in content.items() if k not in nested}
    if plain or not nested:
        belief = parse_belief(parameter, plain, key, label, problems)
        if belief is not None:
            found[""] = belief
    return found


def parse_belief(
    parameter: Parameter, content: object, key: str, label: str, problems: Problems
) -> Belief | None:
    """Validate one belief; returns None after adding what is wrong to ``problems``.

    Parameters
    ----------
    parameter : Parameter
        What it is about: gives the unit and the support.
    content : object
        A table, a number (a point), or a text ("2 to 45 years", "18 months").
    key : str
        Where in the file it stands.
    label : str
        Label of the file.
    problems : Problems
        Collects what is wrong.
    """
    before = len(problems.found)
    form = read_form(content, key, problems)
    shape, stated = (None, {}) if form is None else parse_shape(parameter, form, key, problems)
    if not isinstance(content, Mapping):  # it was written as one value: no file has a key below it
        own = problems.found[before:]
        problems.found[before:] = [one._replace(key=one.key.removesuffix(".value")) for one in own]
    if len(problems.found) > before or shape is None or form is None:
        return None
    return Belief(
        parameter.name, shape, stated, source=form.source, note=form.note, evidence=form.evidence,
        layer=label, judgement=form.judgement,
        by_span=form.distribution is None and by_span(parameter.support, stated.values()),
    )  # fmt: skip


def parse_correlations(
    content: Sequence[object],
    label: str,
    problems: Problems,
    vocabulary: Mapping[str, Parameter] = PARAMETERS,
) -> tuple[Correlation, ...]:
    """Validate ``[[correlations]]``: two different beliefs and a rank strictly within ±1."""
    found: list[Correlation] = []
    for index, entry in enumerate(content):
        key = f"correlations[{index}]"
        before = len(problems.found)
        form = read(CorrelationForm, entry, key, problems)
        if form is None:
            continue
        pair = form.between
        if pair is not None and pair[0] == pair[1]:
            problems.add(f"{key}.between", "must be two different beliefs", " and ".join(pair))
        for name in dict.fromkeys(pair or ()):
            if name in GONE:
                problems.add(f"{key}.between", "is no longer a belief", name, f"state {GONE[name]}")
            elif name not in vocabulary:
                problems.unknown(f"{key}.between", name, vocabulary, "unknown belief")
        rank = _rank(form.rank, f"{key}.rank", problems)
        if len(problems.found) == before:
            found.append(Correlation((pair[0], pair[1]), rank, label))
    return tuple(found)


def _rank(value: object, key: str, problems: Problems) -> float:
    if value is None:  # said before
        return 0.0
    try:
        rank = quantity(value, None, "")
    except UnitError as error:
        problems.add(key, str(error), value, error.hint)
        return 0.0
    if not -1 < rank < 1:
        problems.add(key, "must be strictly between -1 and 1", value)
    return rank
