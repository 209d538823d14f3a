"""The schemas accept and refuse the files that the loader does, as far as a schema can say."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from pathlib import Path

import jsonschema
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from difprog.base import files
from difprog.base.errors import Problems
from difprog.beliefs import schema
from difprog.beliefs.credences import parse_credences
from difprog.beliefs.forms import BELIEF_KEYS, DISTRIBUTIONS
from difprog.beliefs.parse import parse_layer
from difprog.beliefs.project import parse_project
from difprog.models.model import vocabulary
from difprog.race.parameters import FACT_OF

PARAMETERS = vocabulary()
VALIDATORS = {
    "beliefs": jsonschema.Draft7Validator(schema.beliefs(PARAMETERS)),
    "proposal": jsonschema.Draft7Validator(schema.proposal(PARAMETERS)),
    "credences": jsonschema.Draft7Validator(schema.credences()),
}
SOURCE = files.Source(Path("x"), "x", "")

#: What only the loader finds, since it hangs on several values at once, on units or on a fit.
MEANING = (
    r"must be above|second time|lies outside the bounds|must not be below|must not all be 0",
    r"needs (at least|percentiles)|has these percentiles|too close|the fitted ends|its tails",
    r"cannot be converted|unknown unit|read in two ways|not in US dollars|not one number",
    r"states (a|neither)|a mixture|as many weights|an interval|is missing|reviews no effect",
    r"must be (in |>|≥|an integer|\(|\[)|must not be negative|too large|strictly between",
    r"not a (finite )?number|is not a date|depends on more than one fact|percentiles run from",
    r"two different beliefs",
)


def plain(value):
    """TOML's dates as the texts that editors check."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value.isoformat() if isinstance(value, date) else value


def loader(kind, content):
    problems = Problems("x")
    {
        "beliefs": lambda: parse_layer(content, SOURCE, problems, PARAMETERS),
        "proposal": lambda: parse_project(content, SOURCE, problems, PARAMETERS),
        "credences": lambda: parse_credences(content, problems),
    }[kind]()
    return list(problems)


def agree(kind, content):
    """Whatever the schema refuses the loader refuses; what the form alone decides, both refuse."""
    refused = list(VALIDATORS[kind].iter_errors(plain(content)))
    problems = loader(kind, content)
    if refused:
        assert problems, (content, [e.message[:200] for e in refused])
    for problem in [] if refused else problems:
        assert any(re.search(p, problem.message) for p in MEANING), (content, str(problem))


@pytest.mark.parametrize("name", sorted(VALIDATORS))
def test_the_schemas_are_schemas(name):
    jsonschema.Draft7Validator.check_schema(VALIDATORS[name].schema)


@pytest.mark.parametrize(("name", "text"), schema.files(PARAMETERS).items())
def test_the_shipped_schemas_are_up_to_date(name, text):
    shipped = files.shipped("priors", name).read_text(encoding="utf-8")
    assert shipped == text, "write them again: difprog priors generate"


def shipped():
    root = files.shipped("priors")
    return sorted(root.glob("*.toml")) + sorted((root / "projects").glob("*.toml"))


@pytest.mark.parametrize("path", shipped(), ids=lambda p: p.stem)
def test_every_shipped_file_names_its_schema_and_meets_it(path):
    text = path.read_text(encoding="utf-8")
    first = text.split("\n")[0]
    match = re.fullmatch(r"#:schema (\S+)", first)
    assert match, first
    named = (path.parent / match[1]).resolve()
    assert named.is_file()
    kind = re.fullmatch(r"difprog-(\w+)\.schema\.json", named.name)[1]
    content = tomllib.loads(text)
    assert {"project": "proposal", "credences": "credences"}.get(
        next((k for k in ("project", "credences") if k in content), ""), "beliefs"
    ) == kind
    assert not list(VALIDATORS[kind].iter_errors(plain(content)))


NUMBERS = st.sampled_from([0, 1, 2, -1, 2.5, 30, 1e9, *([0.1, 0.25, 0.5, 0.9, 0.02] * 3)])
TEXTS = st.sampled_from(
    [
        "18 months",
        "2 to 45 years",
        "0.1 to 0.4",
        "10%",
        "5",
        "-1",
        "x",
        "",
        "2 to",
        "years",
        "1,100",
        ".5",
        ".",
        "1,5",
        "3 people",
        "1e3",
    ]
)
ODD = st.sampled_from([True, None, [], {}, [1, 2], {"p5": 1, "p95": 2}, "", {"value": 0.5}])


def mostly(strategy):
    """The strategy's values, and now and then something odd."""
    odd = ODD.filter(lambda x: x is not None)
    return st.integers(0, 14).flatmap(lambda n: odd if n == 14 else strategy)


QUANTITIES = mostly(st.one_of(NUMBERS, NUMBERS, TEXTS))
ALONE = mostly(NUMBERS)
PERCENTILES = st.sampled_from(
    ["p5", "p95", "p10", "p50", "p90", "p2_5", "p97_5", "p05", "p0", "p00_00", "p100", "P5"]
)
UNITS = mostly(st.sampled_from(["years", "months", "%", "", "FTE"]))
NOTES = mostly(st.text(max_size=5))


def shape(numbers, deep=True):
    two = st.tuples(numbers, numbers).map(
        lambda t: dict(zip(("p5", "p95"), sorted(t, key=repr), strict=True))
    )
    forms = [
        two,
        two,
        st.fixed_dictionaries({"value": numbers}),
        st.dictionaries(PERCENTILES, numbers, max_size=3),
        two,
    ]
    if deep:
        part = numbers | shape(numbers, deep=False)
        forms.append(
            st.fixed_dictionaries(
                {
                    "weights": mostly(st.lists(numbers, max_size=2)),
                    "parts": mostly(st.lists(part, max_size=2)),
                }
            )
        )
    extra = st.fixed_dictionaries(
        {},
        optional={
            "distribution": mostly(st.sampled_from([*DISTRIBUTIONS, "lognormla"])),
            "bounds": mostly(st.lists(numbers, min_size=2, max_size=2)),
            "source": NOTES,
            "note": NOTES,
            "evidence": NOTES,
            "judgement": mostly(st.booleans()),
        },
    )
    return st.tuples(st.one_of(forms), st.just({}) | extra).map(lambda t: {**t[0], **t[1]})


def table(units=True):
    inner = shape(QUANTITIES if units else ALONE)
    if units:
        inner = st.tuples(inner, st.just({}) | st.fixed_dictionaries({"unit": UNITS})).map(
            lambda t: {**t[0], **t[1]}
        )
    return inner


def belief(units=True):
    numbers = QUANTITIES if units else ALONE
    cases = st.dictionaries(
        st.sampled_from([*FACT_OF, "opne"]), table(units) | numbers, min_size=1, max_size=2
    )
    both = st.tuples(cases, table(units)).map(lambda t: {**t[0], **t[1]})
    odd = st.dictionaries(st.sampled_from([*BELIEF_KEYS, "notes"]), numbers, max_size=2)
    return st.one_of(*[table(units)] * 4, *[numbers] * 3, cases, cases, both, odd)


SOME = [
    "agi_arrival",
    "overhang",
    "labour_quality",
    "paradigm_fraction",
    "serial_chains",
    "researcher_growth",
    "grace_period",
    "capability_speedup",
]


def mostly_named(names):
    return st.one_of([st.sampled_from(names)] * 6 + [st.sampled_from(["effort", "agi_arival"])])


BETWEEN = mostly(st.lists(st.sampled_from(["leak", "skill", "skil"]), min_size=1, max_size=3))
CORRELATIONS = mostly(
    st.lists(
        st.fixed_dictionaries(
            {"between": BETWEEN, "rank": mostly(st.floats(-1, 1))}, optional={"note": NOTES, "x": NUMBERS}
        ),
        max_size=2,
    )
)


OUTCOMES = mostly(
    st.dictionaries(st.sampled_from(["p_success", "agi_by_2035", "agi_by_35", "p"]), QUANTITIES, max_size=2)
)


def belief_files(units):
    beliefs = st.dictionaries(mostly_named(SOME), belief(units), min_size=1, max_size=3)
    rest = st.fixed_dictionaries(
        {},
        optional={
            "correlations": CORRELATIONS,
            "outcomes": OUTCOMES,
            "beleifs": NUMBERS,
            "as_of": mostly(st.sampled_from([date(2026, 1, 1), "2026-11-20", "20261120", "2026-02-31", 3])),
        },
    )
    return st.tuples(
        st.fixed_dictionaries({"beliefs": mostly(beliefs)}),
        st.one_of(st.just({}), st.just({}), st.just({}), rest),
    ).map(lambda t: {**t[0], **t[1]})


PROJECTS = st.fixed_dictionaries(
    {
        "name": mostly(st.sampled_from(["x", "x", "  "])),
        "effort": table() | QUANTITIES,
        "duration": QUANTITIES,
    },
    optional={
        "kind": mostly(st.sampled_from(["alignment", "capabilities", "applicatons"])),
        "focus": mostly(st.just("worst")),
        "cost": QUANTITIES,
        "start": QUANTITIES,
        "group": NOTES,
        "summary": NOTES,
        "note": NOTES,
        "nmae": NOTES,
        "criteria": mostly(st.lists(st.sampled_from(["humans", "useful", "no"]), max_size=2)),
    },
)
REVIEWS = mostly(
    st.lists(
        st.dictionaries(
            st.sampled_from(["serial_speedup", "capability_speedup", "leak"]),
            table() | QUANTITIES,
            max_size=2,
        ).flatmap(
            lambda d: st.sampled_from([{"reviewer": "A"}, {}, {"reviewer": " "}]).map(lambda r: {**r, **d})
        ),
        max_size=2,
    )
)
PROPOSALS = st.tuples(
    st.fixed_dictionaries(
        {"project": mostly(PROJECTS)},
        optional={
            "reviews": REVIEWS,
            "correlations": CORRELATIONS,
            "beliefs": st.dictionaries(
                st.sampled_from(["capability_speedup", "parallel_speedup", "serial_speedup"]),
                table(),
                max_size=3,
            ),
        },
    ),
    st.sampled_from([(), (), ("effort",), ("duration",), ("name",)]),
).map(
    lambda t: {
        **t[0],
        "project": {k: v for k, v in t[0]["project"].items() if k not in t[1]}
        if isinstance(t[0]["project"], dict)
        else t[0]["project"],
    }
)


@given(st.booleans().flatmap(belief_files))
@example({"beliefs": {"serial_chains": ".5"}})
@settings(max_examples=60, deadline=None)
def test_belief_files_are_accepted_and_refused_alike(content):
    agree("beliefs", content)


@given(PROPOSALS)
@settings(max_examples=60, deadline=None)
def test_proposals_are_accepted_and_refused_alike(content):
    agree("proposal", content)


@given(
    st.fixed_dictionaries(
        {}, optional={"credences": mostly(st.dictionaries(st.text(max_size=3), QUANTITIES)), "x": NUMBERS}
    )
)
@settings(max_examples=100, deadline=None)
def test_credences_are_accepted_and_refused_alike(content):
    agree("credences", content)


@pytest.mark.slow
@given(st.one_of(belief_files(True), belief_files(False)), PROPOSALS)
@settings(max_examples=4000, deadline=None)
def test_many_files_are_accepted_and_refused_alike(layer, proposal):
    agree("beliefs", layer)
    agree("proposal", proposal)


@pytest.mark.parametrize("name", [n for n, p in PARAMETERS.items() if p.group != "facts of a project"])
def test_each_parameter_s_support_is_in_the_schema(name):
    support = PARAMETERS[name].support
    for value in (-1, 0, 0.5, 1, 1.5, 2):
        content = {"beliefs": {name: value}}
        refused = list(VALIDATORS["beliefs"].iter_errors(content))
        assert bool(refused) == (value not in support), (name, value)
        assert bool(loader("beliefs", content)) == bool(refused)


def test_most_generated_files_reach_the_deeper_checks():
    """A generator that is always refused at the door would test nothing."""
    from collections import Counter

    seen = Counter()

    @given(belief_files(False))
    @settings(max_examples=120, deadline=None, database=None, derandomize=True)
    def count(content):
        seen[bool(loader("beliefs", content))] += 1

    count()
    assert min(seen[True], seen[False]) > 20, seen
