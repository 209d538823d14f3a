"""JSON Schemas of belief files, proposals and credences, generated from the vocabulary.

They ship beside the files they describe, so that an editor completes and checks as one types.
Draft 7, since that is what editors' TOML plugins read. What a schema cannot say is left to the
loader alone: `LOADER_ONLY` lists it. Pure functions; nothing is read or written.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from difprog.beliefs.beliefs import DISTRIBUTIONS, LONGEST_TEXT, MOST_PARTS
from difprog.beliefs.project import MOST_REVIEWS
from difprog.race.effects import CRITERIA
from difprog.race.parameters import FACT_OF, FACTS, PARAMETERS, Group, Parameter, Support, in_group

Schema = dict[str, Any]

#: What only the loader finds: a pattern of its message, and why a schema cannot.
LOADER_ONLY = (
    (r"must be above p", "the order of percentiles compares values"),
    (r"states a percentile for the second time", "p5 and p05 are two keys"),
    (r"the upper bound must be above the lower", "compares values"),
    (r"a percentile lies outside the bounds", "compares values"),
    (r"needs at least \d percentiles|needs percentiles inside", "depends on the family"),
    (r"no \w+ (within the bounds )?has these percentiles", "needs the fit"),
    (r"too close together|too far apart|the fitted ends leave the support", "needs the fit"),
    (r"cannot be converted|unknown unit", "needs the conversion of units"),
    (r"must be (>|≥|integer|\(|\[)", "of a number with a unit, or inside a text"),
    (r"too large|not a finite number", "JSON knows neither infinities nor a largest number"),
    (r"must not all be 0|as many weights as parts", "compares two lists"),
    (r"must be an interval", "a text that looks like an interval and is none"),
    (r"reviews for the second time", "compares two tables"),
    (r"is not a date", "the calendar"),
    (r"must not be negative", "of a number inside a text"),
    (r"not a number", "a text too long to be one"),
    (r"strictly between", "of a number inside a text"),
)  # fmt: skip

_NUMBER = r"[-+]?([0-9]{1,3}(,[0-9]{3})+|[0-9][0-9_]*|(?=\.))(\.[0-9]+)?([eE][-+]?[0-9]+)?"
QUANTITY = rf"^\s*{_NUMBER}\s*(%|[^0-9\s].*)?\s*$"
INTERVAL = r"^\s*[^\s].*\s+(to|–|—)\s+[^\s].*$"
PERCENTILE = r"^p(?!0{1,2}(_0{1,6})?$)[0-9]{1,2}(_[0-9]{1,6})?$"
_PLAIN = ("value", "distribution", "unit", "bounds", "source", "note", "weights", "parts", "evidence")
_HEAD = {"$schema": "http://json-schema.org/draft-07/schema#"}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/definitions/{name}"}


def _kind(support: Support) -> str:
    """Return the name of a support in the schema's definitions."""
    names = {
        (0, math.inf): "positive" if support.open_lower else "nonnegative",
        (-math.inf, math.inf): "real",
        (0, 1): "share",
    }
    name = names[support.lower, support.upper]
    if name == "share":
        name = "positive-share" if support.open_lower else "fraction" if support.open_upper else "share"
    return "count" if support.integer else name


def _number(support: Support, with_unit: bool = False) -> Schema:
    """Return a plain number of a support; with a unit only its sign can be said."""
    number: Schema = {"type": "integer" if support.integer and not with_unit else "number"}
    if support.lower > -math.inf:
        number["exclusiveMinimum" if support.open_lower else "minimum"] = support.lower
    if support.upper < math.inf and not with_unit:
        number["exclusiveMaximum" if support.open_upper else "maximum"] = support.upper
    return number


def _quantity(support: Support, with_unit: bool = False) -> Schema:
    return {"anyOf": [_number(support, with_unit), _ref("quantity")]}


def _without(*keys: str) -> Schema:
    return {"not": {"anyOf": [{"required": [key]} for key in keys]}}


_SOME_PERCENTILE: Schema = {"not": {"propertyNames": {"not": {"pattern": PERCENTILE}}}}
_NO_PERCENTILE: Schema = {"propertyNames": {"not": {"pattern": PERCENTILE}}}
_MIXED = {"properties": {"distribution": {"const": "mixture"}}}
_POINT: Schema = {
    "required": ["value"],
    "allOf": [_NO_PERCENTILE, _without("distribution", "bounds", "weights", "parts")],
}
_FITTED: Schema = {
    "allOf": [
        _SOME_PERCENTILE,
        _without("value", "weights", "parts"),
        {"properties": {"distribution": {"enum": [d for d in DISTRIBUTIONS if d != "mixture"]}}},
    ]
}
_MIXTURE: Schema = {
    "required": ["weights", "parts"],
    "allOf": [_NO_PERCENTILE, _without("value", "bounds"), _MIXED],
}


def _table(support: Support, forms: list[Schema], parts: bool = True, with_unit: bool = False) -> Schema:
    """Return a belief's table: its keys, what numbers may be, and which keys go together."""
    kind = _kind(support)
    known: Schema = {key: True for key in _PLAIN if parts or key not in ("weights", "parts")}
    known |= {
        "distribution": {"enum": list(DISTRIBUTIONS if parts else DISTRIBUTIONS[:-1])},
        "unit": {"type": "string"},
        "source": _ref("text"),
        "note": _ref("text"),
        "evidence": _ref("text"),
    }
    if parts:
        known["weights"] = {
            "type": "array",
            "items": _quantity(Support(0, math.inf, "")),
            "minItems": 1,
            "maxItems": MOST_PARTS,
        }

    def numbers(loose: bool) -> Schema:
        unit = ".unit" if loose else ""
        # Percentiles of a count are those before rounding.
        quantity = _ref(f"quantity.{_kind(replace(support, integer=False))}{unit}")
        properties: Schema = {
            "value": _ref(f"quantity.{kind}{unit}"),
            "bounds": {"type": "array", "items": quantity, "minItems": 2, "maxItems": 2},
        }
        if parts:
            part = _ref(f"part.{kind}{unit}")
            properties["parts"] = {"type": "array", "items": part, "minItems": 1, "maxItems": MOST_PARTS}
        return {"properties": properties, "patternProperties": {PERCENTILE: quantity}}

    table: Schema = {
        "type": "object",
        "properties": known,
        "patternProperties": {PERCENTILE: True},
        "additionalProperties": False,
        "anyOf": forms,
    }
    if with_unit:
        return table | {"allOf": [numbers(True)]}
    return table | {"if": {"required": ["unit"]}, "then": numbers(True), "else": numbers(False)}


def _per_fact(support: Support) -> Schema:
    """Return a belief's table in which values of one fact may have beliefs of their own."""
    table = _table(support, [_ref("point"), _ref("fitted"), _ref("mixture")])
    inner = _ref(f"plain.{_kind(support)}")
    table["properties"] = table["properties"] | dict.fromkeys(FACT_OF, inner)
    only_facts = {"propertyNames": {"enum": list(FACT_OF)}, "minProperties": 1}
    table["anyOf"] = [only_facts, *table["anyOf"]]
    table["allOf"] = [_ref("one-fact")]
    return table


def _one_fact() -> list[Schema]:
    others = [[v for v, f in FACT_OF.items() if f != fact] for fact in FACTS]
    return [{"propertyNames": {"not": {"enum": values}}} for values in others]


def _definitions() -> Schema:
    found: Schema = {
        "point": _POINT,
        "fitted": _FITTED,
        "mixture": _MIXTURE,
        "text": {"type": "string", "maxLength": LONGEST_TEXT},
        "quantity": {"type": "string", "pattern": QUANTITY},
        "one-fact": {"anyOf": _one_fact()},
    }
    text = _ref("quantity")
    for support in {_kind(p.support): p.support for p in PARAMETERS.values()}.values():
        kind = _kind(support)
        forms = [_ref("point"), _ref("fitted"), _ref("mixture")]
        found |= {
            f"quantity.{kind}": _quantity(support),
            f"quantity.{kind}.unit": _quantity(support, with_unit=True),
            f"part.{kind}": {
                "anyOf": [_ref(f"quantity.{kind}"), _table(support, forms[:2], parts=False)]
            },
            f"part.{kind}.unit": {
                "anyOf": [
                    _ref(f"quantity.{kind}.unit"),
                    _table(support, forms[:2], parts=False, with_unit=True),
                ]
            },
            f"plain.{kind}": {"anyOf": [_number(support), text, _table(support, forms)]},
            f"belief.{kind}": {"anyOf": [_number(support), text, _per_fact(support)]},
            f"interval.{kind}": {
                "anyOf": [{"type": "string", "pattern": INTERVAL}, _table(support, forms[1:])]
            },
        }
    return found


def _described(parameter: Parameter, form: str = "belief") -> Schema:
    unit = f" Unit: {parameter.unit}." if parameter.unit else ""
    words = f"{parameter.meaning}.{unit} Support: {parameter.support}."
    return {"description": words, "allOf": [_ref(f"{form}.{_kind(parameter.support)}")]}


def _named(parameters: Iterable[Parameter]) -> Schema:
    return {
        "type": "object",
        "properties": {p.name: _described(p) for p in parameters if p.group is not Group.FACT},
        "additionalProperties": False,
    }


def _correlations(parameters: Iterable[Parameter]) -> Schema:
    pair = {
        "type": "array",
        "items": {"enum": [p.name for p in parameters]},
        "minItems": 2,
        "maxItems": 2,
        "uniqueItems": True,
    }
    rank = {
        "anyOf": [
            {"type": "number", "exclusiveMinimum": -1, "exclusiveMaximum": 1},
            _ref("quantity"),
        ],
        "description": "Spearman's rank correlation, by a Gaussian copula.",
    }
    entry = {
        "type": "object",
        "properties": {"between": pair, "rank": rank, "source": _ref("text"), "note": _ref("text")},
        "required": ["between", "rank"],
        "additionalProperties": False,
    }
    return {"type": "array", "items": entry}


def beliefs() -> Schema:
    """Return the schema of a belief file."""
    every = list(PARAMETERS.values())
    day = {"type": "string", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "format": "date"}
    return {
        **_HEAD,
        "$id": "difprog-beliefs",
        "title": "Beliefs of difprog",
        "type": "object",
        "properties": {
            "as_of": day | {"description": "The date from which years are counted."},
            "beliefs": _named(every),
            "correlations": _correlations(every),
        },
        "additionalProperties": False,
        "definitions": _definitions(),
    }


def proposal() -> Schema:
    """Return the schema of a proposal."""
    every = list(PARAMETERS.values())
    text = {"type": "string"}
    name = {"type": "string", "pattern": r"\S"}
    facts = {fact: {"enum": list(values)} for fact, values in FACTS.items()}
    project = {
        "type": "object",
        "properties": {
            "name": name, "summary": text, **facts,
            **{p.name: _described(p, "plain") for p in in_group(Group.FACT)},
            "criteria": {"type": "array", "items": {"enum": list(CRITERIA)}}, "source": text, "note": text,
        },
        "required": ["name"],
        "additionalProperties": False,
    }  # fmt: skip
    effects = {p.name: _described(p, "interval") for p in in_group(Group.EFFECT)}
    review = {
        "type": "object",
        "properties": {"reviewer": name, "source": text, "note": text, **effects},
        "additionalProperties": False,
        "anyOf": [{"required": [effect]} for effect in effects],
    }

    def has(*keys: str) -> Schema:
        return {"properties": {"beliefs": {"required": list(keys)}}, "required": ["beliefs"]}

    def states(key: str) -> Schema:
        return {"properties": {"project": {"required": [key]}}}

    return {
        **_HEAD,
        "$id": "difprog-proposal",
        "title": "A proposal for difprog",
        "type": "object",
        "properties": {
            "project": project,
            "beliefs": _named(every),
            "correlations": _correlations(every),
            "reviews": {"type": "array", "items": review, "maxItems": MOST_REVIEWS},
        },
        "required": ["project"],
        "additionalProperties": False,
        "allOf": [
            {"anyOf": [states("effort"), has("parallel_speedup", "capability_speedup")]},
            {"anyOf": [states("duration"), has("serial_speedup")]},
        ],
        "definitions": _definitions(),
    }


def credences() -> Schema:
    """Return the schema of a file of credences."""
    weight = _quantity(Support(0, math.inf, ""))
    return {
        **_HEAD,
        "$id": "difprog-credences",
        "title": "How much each model of difprog counts",
        "type": "object",
        "properties": {"credences": {"type": "object", "additionalProperties": weight}},
        "required": ["credences"],
        "additionalProperties": False,
        "definitions": {"quantity": {"type": "string", "pattern": QUANTITY}},
    }


def files() -> dict[str, str]:
    """Return the text of every schema file by its name in ``priors/``."""
    made = {"beliefs": beliefs(), "proposal": proposal(), "credences": credences()}
    return {
        f"difprog-{name}.schema.json": json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
        for name, schema in made.items()
    }
