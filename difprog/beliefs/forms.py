"""What may stand in a belief file, a proposal and a file of credences: keys and their types.

The loader (`difprog.beliefs.parse`, `project`, `credences`) checks every table against these forms, and
the JSON Schemas are written from them. What pydantic finds wrong is said in our own words. What the
numbers mean (units, supports, fits) is `difprog.beliefs.shapes`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Annotated, Any, Literal, cast

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    create_model,
)
from pydantic_core import PydanticCustomError

from difprog.base.errors import Problems
from difprog.base.limits import REVIEWERS, date_problem
from difprog.base.units import LONGEST_INTERVAL
from difprog.beliefs.families import FAMILIES
from difprog.race.parameters import CRITERIA, FACTS, Group, in_group

#: Most parts of a mixture and most characters of a text that a file may hold.
MOST_PARTS = 20
LONGEST_TEXT = 4000

DISTRIBUTIONS = (*FAMILIES, "mixture")
PERCENTILE = re.compile(r"p(\d{1,2})(?:_(\d{1,6}))?", re.ASCII)
#: As JSON Schema has it: from p1 to p99, p0_1 style for fractions.
PERCENTILE_PATTERN = r"^p(?!0{1,2}(_0{1,6})?$)[0-9]{1,2}(_[0-9]{1,6})?$"
OUTCOME_PATTERN = r"^(p_success|agi_by_[0-9]{4})$"

#: The quantities among the facts of a project: effort, duration, cost…
QUANTITIES = tuple(p.name for p in in_group(Group.FACT))

Schema = dict[str, Any]


def _number_or_text(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise PydanticCustomError("quantity", "not a number")
    return value


def _day(value: object) -> date:
    try:
        if type(value) is date:
            day = value
        elif isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            day = date.fromisoformat(value)
        else:
            raise ValueError
    except ValueError:
        raise PydanticCustomError("day", "is not a date") from None
    wrong = date_problem(day)
    if wrong is not None:
        raise PydanticCustomError("day", "{wrong}", {"wrong": wrong})
    return day


QUANTITY_SCHEMA: Schema = {
    "anyOf": [{"type": "number"}, {"type": "string", "minLength": 1, "maxLength": LONGEST_INTERVAL}]
}
Text = Annotated[str, Field(max_length=LONGEST_TEXT)]
Name = Annotated[str, Field(max_length=LONGEST_TEXT, pattern=r"\S")]
Quantity = Annotated[Any, BeforeValidator(_number_or_text), WithJsonSchema(QUANTITY_SCHEMA)]
Day = Annotated[
    Any, BeforeValidator(_day),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "format": "date"}),
]  # fmt: skip

class Form(BaseModel):
    """A table: its keys, their types, and nothing else."""

    model_config = ConfigDict(extra="forbid", strict=True)


class BeliefForm(Form):
    """One belief; its percentiles are keys of their own, p5, p50, p97_5."""

    model_config = ConfigDict(extra="allow", strict=True)
    __pydantic_extra__: dict[str, Quantity]

    value: Quantity = None
    distribution: Literal[DISTRIBUTIONS] | None = None  # type: ignore[valid-type]
    unit: str | None = Field(None, description="the unit of plain numbers, if not the parameter's own")
    bounds: list[Quantity] | None = Field(
        None, min_length=2, max_length=2, description="two numbers, the lower and the upper"
    )
    weights: list[Quantity] | None = Field(
        None, min_length=1, max_length=MOST_PARTS, description=f"a list of 1 to {MOST_PARTS} weights"
    )
    parts: list[Any] | None = Field(
        None, min_length=1, max_length=MOST_PARTS, description=f"a list of 1 to {MOST_PARTS} parts"
    )
    judgement: bool = Field(False, description="whether nobody has measured it: somebody's judgement")
    source: Text = Field("", description="who says so, with a link")
    note: Text = Field("", description="why")
    evidence: Text = Field("", description="the dataset that this prior is conditioned on")


class CorrelationForm(Form):
    """A rank correlation between two beliefs."""

    between: list[str] = Field(min_length=2, max_length=2, description="two different beliefs")
    rank: Quantity = Field(description="Spearman's rank correlation, by a Gaussian copula")
    source: Text = ""
    note: Text = ""


class LayerForm(Form):
    """A belief file."""

    as_of: Day = Field(None, description="the date from which years are counted")
    beliefs: dict[str, Any] = Field({}, description="a table")
    correlations: list[Any] = Field([], description="a list of tables, [[correlations]]")
    outcomes: dict[str, Quantity] = Field({}, description="a table of chances, such as p_success = 0.8")


class ProposalForm(Form):
    """A proposal file."""

    project: dict[str, Any] = Field(description="a table, [project]")
    beliefs: dict[str, Any] = Field({}, description="a table")
    correlations: list[Any] = Field([], description="a list of tables, [[correlations]]")
    outcomes: dict[str, Quantity] = Field({}, description="a table of chances, such as p_success = 0.8")
    reviews: list[Any] = Field(
        [], max_length=REVIEWERS.most, description=f"a list of at most {REVIEWERS.most} tables, [[reviews]]"
    )


class CredencesForm(Form):
    """How much each model counts."""

    credences: dict[str, Quantity] = Field(description="a table of weights per model")


class ReviewForm(Form):
    """One reviewer's intervals; the effects are keys of their own."""

    model_config = ConfigDict(extra="allow", strict=True)

    reviewer: Name | None = None
    source: Text = ""
    note: Text = ""


_FACT_FIELDS: dict[str, Any] = {
    fact: (Literal[values] | None, Field(None)) for fact, values in FACTS.items()
}
_QUANTITY_FIELDS: dict[str, Any] = {
    p.name: (Any, Field(None, description=f"{p.meaning}, {p.unit}")) for p in in_group(Group.FACT)
}
ProjectForm: type[Form] = create_model(
    "ProjectForm",
    __base__=Form,
    __doc__="The facts of a project.",
    name=(Name, Field(description="what the project is called")),
    summary=(Text, Field("", description="what it does, in a sentence or two")),
    group=(Text, Field("", description="rows of one group exclude each other: levels of one project")),
    criteria=(
        list[Literal[CRITERIA]],  # type: ignore[valid-type]
        Field([], description=f"a list of: {', '.join(CRITERIA)}"),
    ),
    source=(Text, ""),
    note=(Text, ""),
    **_FACT_FIELDS,
    **_QUANTITY_FIELDS,
)

BELIEF_KEYS = tuple(BeliefForm.model_fields)
CORRELATION_KEYS = tuple(CorrelationForm.model_fields)
PROJECT_KEYS = tuple(ProjectForm.model_fields)


def read[F: Form](
    form: type[F], content: object, key: str, problems: Problems, *, spare: Collection[str] | None = None,
    missing: str = "is missing",
) -> F | None:  # fmt: skip
    """Check a table against its form, adding everything that is wrong to ``problems``.

    Parameters
    ----------
    form : type of Form
        What may stand in it.
    content : object
        The table.
    key : str
        Where it stands, "" for the whole file.
    problems : Problems
        Collects what is wrong.
    spare : collection of str, optional
        Keys without which the rest can still be checked; all of them by default.
    missing : str
        What is said of a key that has to be there.

    Returns
    -------
    Form or None
        Without the faulty keys, where those can be spared; None where they cannot.
    """
    if not isinstance(content, Mapping):
        problems.add(key, "must be a table", content)
        return None
    try:
        return form.model_validate(dict(content))
    except ValidationError as error:
        faults = error.errors(include_url=False)
    for fault in faults:
        _say(form, fault, key, problems, missing)
    bad = {str(fault["loc"][0]) for fault in faults}
    if spare is not None and not bad <= {*spare}:
        return None
    rest: dict[str, Any] = {k: v for k, v in content.items() if k not in bad}
    required = {name for name, field in form.model_fields.items() if field.is_required()}
    return form.model_construct(**{**dict.fromkeys(required), **rest})


def _say(form: type[Form], fault: Mapping[str, Any], key: str, problems: Problems, missing: str) -> None:
    """Add one of pydantic's findings in our words."""
    where, kind, got = [*map(str, fault["loc"])], str(fault["type"]), fault["input"]
    name = where[0]
    path = ".".join(filter(None, (key, name)))
    path += "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in where[1:])
    field = form.model_fields.get(name)
    described = (field.description if field is not None else "") or ""
    if field is None and not PERCENTILE.fullmatch(name):
        known: Iterable[str] = form.model_fields
        usual = ("p5", "p10", "p50", "p90", "p95") if form is BeliefForm else ()
        problems.unknown(path, name, (*known, *usual))
    elif kind == "missing":
        known_by_name = described.startswith("a table, ")
        problems.add(path, missing, hint="" if known_by_name or not described else f"it is {described}")
    elif kind == "literal_error":
        values = literals(field.annotation) if field is not None else ()
        what = {"criteria": "criterion"}.get(name, name)
        if isinstance(got, str):
            problems.unknown(path, got, values, f"unknown {what}")
        else:
            problems.add(path, "must be a text", got, f"one of: {', '.join(values)}")
    elif kind in ("quantity", "day"):
        hint = 'write as_of = "2026-11-20"' if kind == "day" else ""
        if isinstance(got, list):
            hint = 'write an interval as text: "1 to 2"'
        problems.add(path, fault["msg"], got, hint)
    elif kind == "string_too_long":
        problems.add(path, f"is longer than {LONGEST_TEXT} characters")
    elif kind == "string_unicode":
        problems.add(path, "would hold text that is not UTF-8", got)
    elif kind.startswith("string"):
        problems.add(path, "must be a text", got)
    elif kind == "bool_type":
        problems.add(path, "must be true or false", got)
    elif len(where) == 1 and described:
        problems.add(path, f"must be {described}", len(got) if kind == "too_long" else got)
    else:
        problems.add(path, "is of the wrong type", got)


def literals(annotation: object) -> tuple[str, ...]:
    """Return the texts that an annotation allows, wherever in it its ``Literal`` stands."""
    from typing import get_args, get_origin

    if get_origin(annotation) is Literal:
        return cast("tuple[str, ...]", get_args(annotation))
    return tuple(text for inner in get_args(annotation) for text in literals(inner))
