"""JSON Schemas of belief files, proposals and credences, from the forms that the loader checks against.

They ship beside the files they describe, so that an editor completes and checks as one types. Draft 7,
since that is what editors' TOML plugins read. A schema refuses nothing that the loader takes; what hangs
on several values at once, on units or on a fit is left to the loader.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from difprog.beliefs.forms import (
    OUTCOME_PATTERN,
    PERCENTILE_PATTERN,
    QUANTITY_SCHEMA,
    BeliefForm,
    CorrelationForm,
    CredencesForm,
    Form,
    LayerForm,
    ProjectForm,
    ProposalForm,
    ReviewForm,
    Schema,
)
from difprog.race.parameters import FACT_OF, Group, Parameter, Support

Vocabulary = Mapping[str, Parameter]


def _form(form: type[Form]) -> Schema:
    """Return a form's schema as pydantic writes it, without titles, defaults and nulls."""
    written = form.model_json_schema(ref_template="#/definitions/{model}")
    written.pop("description", None)
    found = _plain(written)
    assert isinstance(found, dict)
    return found


def _plain(node: Any, names: bool = False) -> Any:
    """Drop what says nothing to an editor; ``names`` says that the keys are names and not keywords."""
    if isinstance(node, list):
        return [_plain(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    kept = {
        key: _plain(value, names=key == "properties" and not names)
        for key, value in node.items()
        if names or key not in ("title", "default")
    }
    if names or "anyOf" not in kept:
        return kept
    forms = [inner for inner in kept.pop("anyOf") if inner != {"type": "null"}]
    return {**kept, **forms[0]} if len(forms) == 1 else {**kept, "anyOf": forms}


def _limits(support: Support) -> Schema:
    """Return what a support says of plain numbers, alone or in a belief's table.

    A table may have a unit, which keeps a number's sign and nothing else.
    """
    lower: Schema = {}
    upper: Schema = {}
    if support.lower > -math.inf:
        lower = {"exclusiveMinimum" if support.open_lower else "minimum": support.lower}
    if support.upper < math.inf:
        upper = {"exclusiveMaximum" if support.open_upper else "maximum": support.upper}
    whole: Schema = {"multipleOf": 1} if support.integer else {}

    def table(limit: Schema, value: Schema) -> Schema:
        of_all: Schema = {"properties": {"value": {**limit, **value}, "bounds": {"items": limit}}}
        return of_all | {"patternProperties": {PERCENTILE_PATTERN: limit}}

    found: Schema = {**lower, **upper, **whole}
    if lower:
        found |= table(lower, {})
    if upper or whole:
        found |= {"if": {"required": ["unit"]}, "else": table(upper, whole)}
    return found


def _named(parameters: Iterable[Parameter], form: str) -> Schema:
    found: Schema = {}
    for parameter in parameters:
        unit = f" Unit: {parameter.unit}." if parameter.unit else ""
        words = f"{parameter.meaning}.{unit} Support: {parameter.support}."
        forms: list[Schema] = [{"$ref": f"#/definitions/{form}"}]
        limits = _limits(parameter.support)
        found[parameter.name] = {"description": words, "allOf": [*forms, *([limits] if limits else [])]}
    return found


def _definitions() -> Schema:
    part = _form(BeliefForm)
    quantity = part.pop("additionalProperties")
    part |= {"patternProperties": {PERCENTILE_PATTERN: quantity}, "additionalProperties": False}
    alone = {key: schema for key, schema in part["properties"].items() if key not in ("weights", "parts")}
    one = {"anyOf": [QUANTITY_SCHEMA, {**part, "properties": alone}]}
    part["properties"]["parts"]["items"] = one
    per_fact = {**part["properties"], **dict.fromkeys(FACT_OF, {"$ref": "#/definitions/stated"})}
    return {
        "stated": {"anyOf": [QUANTITY_SCHEMA, part]},
        "belief": {"anyOf": [QUANTITY_SCHEMA, {**part, "properties": per_fact}]},
    }


def _shared(found: Schema, vocabulary: Vocabulary) -> Schema:
    """Fill in what belief files and proposals have in common."""
    every = [p for p in vocabulary.values() if p.group is not Group.FACT]
    correlation = _form(CorrelationForm)
    correlation["properties"]["between"]["items"] = {"enum": list(vocabulary)}
    inside = found["properties"]
    inside["beliefs"] |= {"properties": _named(every, "belief"), "additionalProperties": False}
    inside["correlations"]["items"] = correlation
    outcomes = inside["outcomes"]
    chance = outcomes.pop("additionalProperties")
    outcomes |= {"patternProperties": {OUTCOME_PATTERN: chance}, "additionalProperties": False}
    return {**found, "definitions": _definitions()}


def _headed(name: str, title: str, found: Schema) -> Schema:
    head = {"$schema": "http://json-schema.org/draft-07/schema#", "$id": name, "title": title}
    return {**head, **found}


def beliefs(vocabulary: Vocabulary) -> Schema:
    """Return the schema of a belief file."""
    return _headed("difprog-beliefs", "Beliefs of difprog", _shared(_form(LayerForm), vocabulary))


def proposal(vocabulary: Vocabulary) -> Schema:
    """Return the schema of a proposal."""
    found = _shared(_form(ProposalForm), vocabulary)
    project, review = _form(ProjectForm), _form(ReviewForm)
    project["properties"] |= _named((p for p in vocabulary.values() if p.group is Group.FACT), "stated")
    effects = [p for p in vocabulary.values() if p.group is Group.EFFECT]
    review["properties"] |= _named(effects, "stated")
    review["additionalProperties"] = False
    found["properties"]["project"] = project
    found["properties"]["reviews"]["items"] = review
    return _headed("difprog-proposal", "A proposal for difprog", found)


def credences() -> Schema:
    """Return the schema of a file of credences."""
    return _headed("difprog-credences", "How much each model of difprog counts", _form(CredencesForm))


def files(vocabulary: Vocabulary) -> dict[str, str]:
    """Return the text of every schema file by its name in ``priors/``."""
    made = {"beliefs": beliefs(vocabulary), "proposal": proposal(vocabulary), "credences": credences()}
    return {
        f"difprog-{name}.schema.json": json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
        for name, schema in made.items()
    }
