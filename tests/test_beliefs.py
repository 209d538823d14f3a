"""Belief files: what is accepted, what is refused and in which words, how layers stack."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from difprog.base import files
from difprog.base.errors import BadInput, Problems
from difprog.beliefs.beliefs import Stack
from difprog.beliefs.distributions import Mixture, Point
from difprog.beliefs.outcomes import parse_believe
from difprog.beliefs.parse import parse_layer, read_layer
from difprog.beliefs.project import DEFAULT_FACTS
from difprog.beliefs.shapes import default_family
from difprog.models.model import vocabulary

PARAMETERS = vocabulary()


def layer_of(text, label="my.toml"):
    problems = Problems(label)
    source = files.Source(Path(label), label, "0" * 64)
    layer = parse_layer(files.parse_toml(text, label), source, problems, vocabulary())
    problems.check()
    return layer


def complaints(text):
    with pytest.raises(BadInput) as caught:
        layer_of(text)
    return [str(p) for p in caught.value.problems]


def belief(text, name="agi_arrival", case=""):
    return layer_of(text).beliefs[name][case]


def test_short_and_long_forms_mean_the_same():
    short = belief('[beliefs]\nagi_arrival = "2 to 45 years"')
    assert short.stated == {0.05: 2, 0.95: 45}
    assert short.shape == belief("[beliefs.agi_arrival]\np5 = 2\np95 = 45").shape
    assert short.shape == belief('[beliefs]\nagi_arrival = { p5 = "24 months", p95 = 45 }').shape
    assert belief("[beliefs]\nresearchers = 1100", "researchers").shape == Point(1100)
    assert belief('[beliefs]\nlead_time = "18 months"', "lead_time").shape == Point(1.5)


def test_a_unit_holds_for_plain_numbers_and_bounds():
    found = belief('[beliefs.agi_arrival]\np5 = 24\np95 = 120\nunit = "months"\nbounds = [12, "50 years"]')
    assert found.stated == {0.05: 2, 0.95: 10}
    assert (found.shape.lower, found.shape.upper) == (1, 50)


def test_fractional_percentiles():
    assert belief("[beliefs.agi_arrival]\np2_5 = 1\np97_5 = 9").stated == {0.025: 1, 0.975: 9}


def test_mixture():
    found = belief(
        '[beliefs.lead_time]\nweights = [7, 3]\nunit = "months"\n'
        'parts = [{ p5 = 1, p95 = 12 }, { value = "3 years" }]', "lead_time"
    )  # fmt: skip
    assert isinstance(found.shape, Mixture)
    assert found.shape.weights == (0.7, 0.3)
    assert found.shape.parts[1] == Point(3)
    assert found.shape.parts[0].percentile(0.95) == pytest.approx(1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "[beliefs.agi_arival]\nvalue = 1",
            'beliefs.agi_arival: unknown belief (got agi_arival); did you mean "agi_arrival"?',
        ),
        (
            "[beliefs.agi_arrival]\np5 = 1\np95 = 2\nnotes = 'x'",
            'unknown key (got notes); did you mean "note"?',
        ),
        ("[beliefs.agi_arrival]\np5 = 1\np95 = 2\nfamily = 'normal'", 'did you mean "distribution"?'),
        ("[beliefs.agi_arrival]\np10 = 2030\np90 = 2060", "reads like a date (got 2030)"),
        ("[beliefs]\nagi_arrival = 'soon'", "beliefs.agi_arrival: not a number (years) (got soon)"),
        ("[beliefs]\n'leak.open' = 0.5", "write [beliefs.leak.open], without quotes"),
        ("[beliefs]\nleak = 80", 'write "80%"'),
        ("[beliefs.agi_arrival]\np5 = 9\np95 = 2", "p95 must be above p5 (got 2 and 9)"),
        ("[beliefs.agi_arrival]\np5 = 2\np95 = 2", "p95 must be above p5"),
        ("[beliefs.agi_arrival]\np5 = nan\np95 = 2", "not a finite number (years)"),
        ("[beliefs.agi_arrival]\np5 = 1\np95 = inf", "not a finite number (years)"),
        ("[beliefs.agi_arrival]\np5 = -1\np95 = 2", "agi_arrival must be > 0 (got -1)"),
        ("[beliefs.agi_arrival]\np5 = 0\np95 = 2", "agi_arrival must be > 0 (got 0)"),
        ("[beliefs.overhang]\np5 = 0\np95 = 0.5", "a logitnormal needs percentiles above 0 and below 1"),
        ("[beliefs.serial_chains]\np5 = 0\np95 = 8", "a lognormal needs percentiles above 0 (got 0, 8)"),
        ("[beliefs.agi_arrival]\nvalue = '3 USD'", '"USD" cannot be converted to years'),
        ("[beliefs.agi_arrival]\nvalue = 3\nunit = 'metres'", 'unknown unit "metres"'),
        ("[beliefs.agi_arrival]\nvalue = 3\nunit = 7", "agi_arrival.unit: must be a text (got 7)"),
        ("[beliefs.agi_arrival]\nvalue = true", "not a number (got True)"),
        ("[beliefs.agi_arrival]\nvalue = 3\np5 = 1", "states a value and a distribution too"),
        ("[beliefs.agi_arrival]\n", "states neither a value nor percentiles"),
        ("[beliefs.agi_arrival]\np50 = 3", "a lognormal needs at least 2 percentiles"),
        ("[beliefs.agi_arrival]\np0 = 3\np50 = 5", "percentiles run from p1 to p99"),
        ("[beliefs.agi_arrival]\np5 = 3\np05 = 5\np95=9", "states a percentile for the second time"),
        ("[beliefs.agi_arrival]\np100 = 3", "p100: unknown key"),
        ("[beliefs.agi_arrival]\np5=1\np95=2\ndistribution='lognormla'", 'did you mean "lognormal"?'),
        ("[beliefs.agi_arrival]\np5=1\np95=2\ndistribution=['normal']", "distribution: must be a text"),
        ("[beliefs.agi_arrival]\np5=1\np95=2\nbounds=[3, 9]", "a percentile lies outside the bounds"),
        ("[beliefs.agi_arrival]\np5=1\np95=2\nbounds=[9, 3]", "the upper bound must be above the lower"),
        ("[beliefs.agi_arrival]\np5=1\np95=2\nbounds=3", "must be two numbers"),
        ("[beliefs.agi_arrival]\np5=1\np95=2\nsource=3", "agi_arrival.source: must be a text (got 3)"),
        ("[beliefs.serial_chains]\nvalue = 2.5", "serial_chains must be an integer ≥ 0 (got 2.5)"),
        ("[beliefs.effort]\nvalue = 2", "is a fact of a proposal, not a belief"),
        ("[beliefs.leak.opne]\nvalue = 0.5", 'did you mean "open"?'),
        (
            "[beliefs.leak.open]\nvalue=0.5\n[beliefs.leak.niche]\nvalue=0.5",
            "more than one fact: novelty, publication",
        ),
        ("[beliefs.leak]\nparts = []\nweights = []", "must be a list of 1 to 20"),
        ("[beliefs.leak]\nparts = [0.1]\nweights = [-1]", "must not be negative"),
        ("[beliefs.leak]\nparts = [0.1]\nweights = [0]", "must not all be 0"),
        ("[beliefs.leak]\nparts = [0.1, 0.2]\nweights = [1]", "as many weights as parts"),
        (
            "[beliefs.leak]\nparts = [{parts=[0.1], weights=[1]}]\nweights = [1]",
            "a mixture cannot hold a mixture",
        ),
        ("beliefs = 3", "beliefs: must be a table (got 3)"),
        ("as_of = 20261120", "as_of: is not a date (got 20261120)"),
        ("as_of = 2026-11-20T10:00:00", "as_of: is not a date"),
        ("belief = 3", 'did you mean "beliefs"?'),
        ("[[correlations]]\nbetween = ['leak', 'leak']\nrank = 0.1", "must be two different beliefs"),
        ("[[correlations]]\nbetween = ['leak', 'skil']\nrank = 0.1", 'did you mean "skill"?'),
        ("[[correlations]]\nbetween = ['leak', 'skill']\nrank = 1", "must be strictly between -1 and 1"),
        ("[[correlations]]\nbetween = ['leak', 'skill']", "rank: is missing"),
        ("[[correlations]]\nbetween = [1, 2]\nrank = 0.1", "between[0]: must be a text (got 1)"),
        ("[[correlations]]\nbetween = ['advance', 'skill']\nrank = 0.1", "serial_researchers"),
        ("correlations = [3]", "correlations[0]: must be a table (got 3)"),
        (
            "[beliefs]\nadvance = 0.1",
            "beliefs.advance: is no longer a belief; state serial_researchers and serial_exponent",
        ),
        ("[beliefs]\nleak = [1]", "beliefs.leak: not a number (got [1]); write an interval as text"),
        ("[beliefs.skill]\nvalue = 1\njudgement = 'yes'", "judgement: must be true or false (got yes)"),
        ("[beliefs.skill]\nvalue = 0x" + "f" * 4000, "holds too long a number"),
        ("[beliefs.skill]\nbounds = [1e200, {}]\np5=1\np95=2", "bounds[1]: not a number"),
        ("[beliefs.agi_arrival]\nvalue = '18m'", 'write "months", or "million"'),
        ("[beliefs.skill]\np49 = 1e-90\np51 = 1e90", "too far apart to fit"),
        ("[beliefs.skill]\nvalue = 1e150", "number too large (got 1e+150)"),
        ("[beliefs.skill]\nvalue = 1e-300", "number too small (got 1e-300); write 0 if that is meant"),
        ("outcomes = 3", "outcomes: must be a table of chances"),
        ("[outcomes]\np_sucess = 0.8", 'did you mean "p_success"?'),
        ("[outcomes]\np_success = 1", "must be strictly between 0 and 1 (got 1)"),
        ("[outcomes]\np_success = [0.5]", "outcomes.p_success: not a number"),
        (
            "[outcomes]\nagi_by_2030 = 0.5\nagi_by_2040 = '4 in 10'",
            "agi_by_2040: must not be below agi_by_2030, which it includes (got 0.4 and 0.5)",
        ),
        ("correlations = 3", "must be a list of tables"),
    ],
)
def test_what_is_wrong_is_said(text, said):
    found = complaints(text)
    assert any(said in line for line in found), found
    assert all("\n" not in line for line in found)


def test_all_problems_are_reported_at_once():
    found = complaints("[beliefs.leek]\nvalue=1\n[beliefs.skill]\nvalue=-1\n[beliefs.leak]\np5=2\np95=1\n")
    assert len(found) == 3
    assert all(line.startswith("my.toml: beliefs.") for line in found)


def test_control_characters_never_reach_a_message():
    found = complaints('[beliefs."\\u001b[31mevil\\u202e"]\nvalue = 1\n[beliefs.skill]\nvalue = "\\u0007x"')
    assert not any(c in line for line in found for c in "\x1b\u202e\x07")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda p: p.mkdir(), "is a folder"),
        (lambda p: p.write_bytes(b"\xff\xfe"), "is not UTF-8 text"),
        (lambda p: p.write_bytes(b"a = "), "is not valid TOML"),
        (lambda p: None, "no such file"),
        (lambda p: p.write_bytes(b"#" * (files.TOML_LIMIT + 1)), "too large"),
        (lambda p: p.write_bytes(b"a = " + b"[" * 5000), "nested too deeply"),
        (lambda p: p.write_bytes(b"a = " + b"9" * 5000), "too long a number"),
    ],
)
def test_what_is_no_belief_file_is_refused(tmp_path, make, said):
    path = tmp_path / "x.toml"
    make(path)
    with pytest.raises(BadInput, match=said):
        read_layer(path)


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path):
    path = tmp_path / "x.toml"
    path.write_bytes(b"\xef\xbb\xbf[beliefs]\r\nskill = 2\r\n")
    assert read_layer(path).beliefs["skill"][""].shape == Point(2)


def test_a_later_layer_replaces_a_whole_belief_but_only_its_own_cases():
    base = layer_of("as_of = 2026-01-01\n[beliefs]\nleak.open = 0.9\nleak.closed = 0.1\nskill = 2")
    top = layer_of("[beliefs]\nleak.open = 0.5")
    stack = Stack((base, top))
    assert stack.lookup("leak", DEFAULT_FACTS).shape == Point(0.5)
    assert stack.lookup("leak", {**DEFAULT_FACTS, "publication": "closed"}).shape == Point(0.1)
    assert stack.lookup("leak", {**DEFAULT_FACTS, "publication": "delayed"}) is None
    assert Stack((base, layer_of("[beliefs]\nleak = 0.7"))).lookup("leak", DEFAULT_FACTS).shape == Point(0.7)
    assert stack.as_of == date(2026, 1, 1)
    _, missing = stack.resolve(
        ["leak", "agi_arrival"], {**DEFAULT_FACTS, "publication": "delayed"}, PARAMETERS
    )
    assert [m.key for m in missing] == ["leak", "agi_arrival"]
    assert missing[0].hint == "stated only for: closed, open"


def test_a_later_correlation_replaces_an_earlier_one_of_the_same_pair():
    first = layer_of("[[correlations]]\nbetween = ['leak', 'skill']\nrank = 0.1")
    second = layer_of("[[correlations]]\nbetween = ['skill', 'leak']\nrank = -0.5")
    assert [c.rank for c in Stack((first, second)).correlations.values()] == [-0.5]


def test_several_faults_of_one_belief_are_all_said():
    found = complaints("[beliefs.skill]\np5 = 3\np95 = 1\nsource = 3\nnote = 4\njudgement = 5")
    assert len(found) == 4, found


def test_a_list_in_place_of_a_value_can_be_told_apart_from_others():
    """Problems are put together from many files, so that they have to be comparable."""
    with pytest.raises(BadInput) as caught:
        layer_of("[beliefs.leak]\nbounds = [0.9, 0.1]\np5 = 0.2\np95 = 0.3")
    assert len(set(caught.value.problems)) == 1


def test_outcomes_are_read_as_people_write_chances():
    layer = layer_of("[outcomes]\np_success = '80%'\nagi_by_2035 = '1 in 2'\nagi_by_2050 = 0.9")
    assert [(o.name, o.chance, o.year) for o in layer.outcomes] == [
        ("p_success", 0.8, None), ("agi_by_2035", 0.5, 2035), ("agi_by_2050", 0.9, 2050),
    ]  # fmt: skip
    over = layer_of("[outcomes]\np_success = 0.1", "over.toml")
    held = Stack((layer, over)).outcomes
    assert (held["p_success"].chance, held["p_success"].layer) == (0.1, "over.toml")
    assert held["agi_by_2035"].chance == 0.5


def test_outcomes_stated_as_options():
    assert [(o.name, o.chance) for o in parse_believe(["p_success=80%", "agi_by_2035 = 0.5"])] == [
        ("p_success", 0.8), ("agi_by_2035", 0.5),
    ]  # fmt: skip
    with pytest.raises(BadInput) as caught:
        parse_believe(["p_success", "p_success=2", "agi_by_2035=x"])
    assert len(caught.value.problems) == 3


def test_a_judgement_is_marked():
    assert belief("[beliefs.skill]\nvalue = 1\njudgement = true", "skill").judgement
    assert not belief("[beliefs.skill]\nvalue = 1", "skill").judgement


@pytest.mark.parametrize(
    ("name", "text", "family", "by_span"),
    [
        ("researcher_growth", "p5 = 0.01\np95 = 0.2", "lognormal", True),
        ("researcher_growth", "p5 = 0.1\np95 = 0.2", "normal", False),
        ("researcher_growth", "p5 = 0.02\np95 = 0.2", "normal", False),
        ("researcher_growth", "p5 = -0.01\np95 = 0.2", "normal", False),
        ("researcher_growth", "p5 = 0.01\np95 = 0.2\ndistribution = 'normal'", "normal", False),
        ("adoption_per_fte_year", "p5 = 0.001\np95 = 0.2", "lognormal", True),
        ("serial_speedup", "p5 = 0.1\np95 = 0.2", "lognormal", False),
        ("serial_speedup", "p5 = -0.1\np95 = 0.2", "normal", False),
        ("agi_arrival", "p5 = 1\np95 = 90", "lognormal", False),
        ("leak", "p5 = 0.01\np95 = 0.9", "logitnormal", False),
    ],
)
def test_no_interval_over_a_factor_of_ten_is_a_normal_by_default(name, text, family, by_span):
    found = belief(f"[beliefs.{name}]\n{text}", name)
    assert (found.shape.family.name, found.by_span) == (family, by_span)


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_the_family_that_is_meant_holds_the_support(name):
    support = PARAMETERS[name].support
    assert default_family(support, [1.0, 2.0]) in ("normal", "lognormal", "logitnormal")
    if support.signed:
        assert default_family(support, [-1.0, 2.0]) == "normal"


JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "p5",
                    "p95",
                    "p50",
                    "value",
                    "unit",
                    "bounds",
                    "distribution",
                    "parts",
                    "weights",
                    "open",
                    "source",
                    "x",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["leak", "skill", "agi_arrival", "serial_chains", "zzz"]), JSONISH))
@settings(max_examples=300, deadline=None)
def test_any_content_is_read_or_refused_without_a_crash(content):
    problems = Problems("x")
    source = files.Source(Path("x"), "x", "")
    layer = parse_layer({"beliefs": content}, source, problems)
    if not problems:
        for name, cases in layer.beliefs.items():
            assert cases
            for found in cases.values():
                assert all(found.shape.percentile(p) in PARAMETERS[name].support for p in (0.001, 0.5, 0.999))


def test_what_is_drawn_stays_in_the_support():
    import numpy as np

    for text, name in [
        ("p5 = 0.01\np95 = 0.5\ndistribution = 'normal'", "overhang"),
        ("p5 = 1\np95 = 9\ndistribution = 'normal'", "agi_arrival"),
        ("p10 = 0.2\np90 = 0.4\ndistribution = 'lognormal'", "leak"),
        ("p5 = 0.2\np95 = 3", "serial_chains"),
    ]:
        shape = belief(f"[beliefs.{name}]\n{text}", name).shape
        drawn = shape.quantile(np.linspace(-6, 6, 500))
        assert all(x in PARAMETERS[name].support for x in drawn), name
