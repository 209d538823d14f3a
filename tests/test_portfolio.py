"""Tables and folders become rows; a table means what a proposal file of the same words means."""

from __future__ import annotations

import csv
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from difprog.base import files
from difprog.base.errors import BadInput, Problems
from difprog.beliefs.distributions import Point
from difprog.beliefs.project import parse_project
from difprog.choose.portfolio import read_portfolio
from difprog.race.parameters import FACTS


def table(tmp_path: Path, text: str, name: str = "t.csv") -> str:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8", newline="")
    return str(path)


def test_a_row_is_the_project_that_a_file_of_the_same_words_is(tmp_path):
    given_ = table(
        tmp_path,
        "name,kind,focus,effort,duration,cost,criteria,capability_speedup,leak.open,reviewed by\n"
        'A,alignment,worst,6 to 15,18 months,2500000,"no-scaling; humans","0.001 to 0.01 years",'
        '"{ p5 = 0.1, p95 = 0.4 }",Kim\n',
    )
    row = read_portfolio([given_]).rows[0]
    content = {
        "project": {
            "name": "A", "kind": "alignment", "focus": "worst", "effort": {"p5": 6, "p95": 15},
            "duration": 1.5, "cost": 2.5e6, "criteria": ["no-scaling", "humans"],
        },
        "beliefs": {
            "capability_speedup": {"p5": 0.001, "p95": 0.01},
            "leak": {"open": {"p5": 0.1, "p95": 0.4}},
        },
    }  # fmt: skip
    problems = Problems("x")
    wanted = parse_project(content, row.source, problems)
    problems.check()
    got = row.project()
    assert (got.name, got.facts, got.criteria) == (wanted.name, wanted.facts, wanted.criteria)
    for name, cases in wanted.layer.beliefs.items():
        for case, belief in cases.items():
            assert got.layer.beliefs[name][case].shape == belief.shape
    assert row.extra == {"reviewed by": "Kim"}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters_of_spreadsheets_are_understood(tmp_path, delimiter):
    records = [["name", "effort", "duration"], ["A", "1", "2"]]
    text = "\ufeff" + "\r\n".join(delimiter.join(record) for record in records)
    project = read_portfolio([table(tmp_path, text)]).rows[0].project()
    assert project.layer.beliefs["effort"][""].shape == Point(1.0)


def test_rows_that_say_the_same_are_named_and_namesakes_that_differ_are_not(tmp_path):
    found = read_portfolio([table(tmp_path, "name,effort\nA,1\nB,1\nA,1\nA,2\nB,1\nA,1\n")])
    at = [row.where for row in found.rows]
    pairs = ((2, 0), (5, 0), (4, 1))
    said = [f"{at[again]}: the same as {at[first]}, and counted once more" for again, first in pairs]
    assert found.repeated() == said
    many = read_portfolio([table(tmp_path, "name,effort\n" + "A,1\n" * 30)]).repeated()
    assert (len(many), many[-1]) == (11, "and 19 more rows like that")
    twice = read_portfolio(["rlhf", "scaling", "rlhf"])
    assert [words.partition(":")[0] for words in twice.repeated()] == [twice.rows[2].where]


def test_a_bad_row_carries_its_problems_and_the_others_are_read(tmp_path):
    text = (
        "name,effort,duration,kind\n"
        "A,1,1,alignment\n"
        "B,many,1,alignment\n"
        "\n"
        "C,1,1,algnment\n"
        "D,1,1,alignment,and more\n"
        ",1,1,alignment\n"
    )
    rows = read_portfolio([table(tmp_path, text)]).rows
    assert [row.number for row in rows] == [1, 2, 3, 4, 5]
    assert rows[0].project().name == "A"
    for row, words in zip(rows[1:], ["effort", "did you mean", "6 cells|5 cells", "name"], strict=True):
        with pytest.raises(BadInput, match=words):
            row.project()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("name,effort\n", "no rows"),
        ("title,effort\nA,1\n", "no column called name"),
        ("name,effort,effort\nA,1,1\n", "twice"),
        ('name,effort\n"A,1\n', "not CSV"),
        ('name\n"A"B\n', "not CSV"),
        ("name\n" + "x" * 30_000 + "\n", "not CSV"),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path, text, words):
    with pytest.raises(BadInput, match=words):
        read_portfolio([table(tmp_path, text)])


@pytest.mark.parametrize(
    ("column", "meant"),
    [("Novelty", "novelty"), ("noveltty", "novelty"), ("novlty", "novelty"), ("duraiton", "duration"),
     ("effrt", "effort"), ("capability_speedp", "capability_speedup")],
)  # fmt: skip
def test_a_misspelt_column_is_refused_unless_it_is_kept(tmp_path, column, meant):
    path = table(tmp_path, f"name,{column},owner\nA,niche,me\n")
    with pytest.raises(BadInput, match=f'did you mean "{meant}"'):
        read_portfolio([path])
    assert read_portfolio([path], keep=[column]).rows[0].extra == {column: "niche", "owner": "me"}


def test_a_column_of_another_name_is_read_as_a_key(tmp_path):
    path = table(tmp_path, "grant,effort,duration,amount_usd\nA,1,2,50000\n")
    named = {"grant": "name", "amount_usd": "cost"}
    project = read_portfolio([path], renamed=named).rows[0].content["project"]
    assert project == {"name": "A", "effort": "1", "duration": "2", "cost": "50000"}
    with pytest.raises(BadInput, match="neither a key of a proposal nor a belief"):
        read_portfolio([path], renamed={"grant": "name", "amount_usd": "costs"})


def test_columns_that_are_refused_come_with_options_that_read_them(tmp_path):
    path = table(tmp_path, "Lead,Grant title,Effort\nMe,A,1\n")
    with pytest.raises(BadInput, match="--column 'name=Grant title'"):
        read_portfolio([path])
    with pytest.raises(BadInput, match="--column effort=Effort reads it so, --keep Effort carries"):
        read_portfolio([path], renamed={"Grant title": "name"})
    rows = read_portfolio([path], renamed={"Grant title": "name", "Effort": "effort"}).rows
    assert rows[0].content["project"] == {"name": "A", "effort": "1"}


def test_an_option_about_a_column_that_no_table_has_is_refused(tmp_path):
    path = table(tmp_path, "name,effort,remarks\nA,1,x\n")
    with pytest.raises(BadInput, match=r"--column: no table has a column of that name \(got amount\)"):
        read_portfolio([path], renamed={"amount": "cost"})
    with pytest.raises(BadInput, match=r'--keep: no table has.*did you mean "remarks"'):
        read_portfolio([path], keep=["remark"])


def test_a_misspelt_portfolio_gets_the_nearest_name():
    with pytest.raises(BadInput, match='no proposal and no portfolio of that name; did you mean "grants"'):
        read_portfolio(["grnts"])


def test_a_shipped_portfolio_is_found_by_its_bare_name():
    found = read_portfolio(["grants"])
    assert len(found.rows) > 30
    assert found.paths[0].name == "grants.csv"


def test_a_cell_in_braces_can_hold_nothing_but_a_belief(tmp_path):
    text = 'name,effort,duration\nA,"{ p5 = 1, p95 = 2 }\nother = 3",1\nB,"{ p5 = 1",1\n'
    rows = read_portfolio([table(tmp_path, text)]).rows
    for row in rows:
        with pytest.raises(BadInput, match="braces"):
            row.project()


def test_a_folder_is_read_in_order_of_names_and_a_broken_file_is_a_bad_row(tmp_path):
    for name, text in {"b": "[project", "a": '[project]\nname="A"\neffort=1\nduration=1\n'}.items():
        (tmp_path / f"{name}.toml").write_text(text)
    rows = [row.loaded() for row in read_portfolio([str(tmp_path)]).rows]
    assert rows[0].project().name == "A"
    with pytest.raises(BadInput, match="not valid TOML"):
        rows[1].project()


def test_all_missing_inputs_are_reported_at_once(tmp_path):
    with pytest.raises(BadInput) as caught:
        read_portfolio([str(tmp_path / "no.csv"), "rhlf", str(tmp_path)])
    assert len(caught.value.problems) == 3


def test_the_hash_of_a_row_tells_rows_apart(tmp_path):
    one, two, three = read_portfolio(
        [table(tmp_path, "name,effort,duration,tag\nA,1,1,x\nA,1,1,x\nA,1,1,y\n")]
    ).rows
    assert len({one.sha256, two.sha256, three.sha256}) == 3
    again = read_portfolio([table(tmp_path, "name,effort,duration,tag\nA,1,1,x\n")]).rows[0]
    assert again.sha256 == one.sha256


@given(st.lists(st.lists(st.text(max_size=12), min_size=1, max_size=5), min_size=1, max_size=5))
def test_no_table_is_a_crash(tmp_path_factory, records):
    path = tmp_path_factory.mktemp("t") / "t.csv"
    with path.open("w", newline="", encoding="utf-8", errors="replace") as stream:
        csv.writer(stream).writerows([["name", "effort", "duration", "kind"], *records])
    try:
        rows = read_portfolio([str(path)]).rows
    except BadInput:
        return
    for row in rows:
        with suppress(BadInput):
            assert row.project().name.strip()


def test_every_shipped_grant_is_a_project_with_a_source_and_a_reason():
    rows = read_portfolio([str(files.shipped("priors", "portfolios", "grants.csv"))]).rows
    assert len(rows) == 37
    assert len({row.name for row in rows}) == 37
    for row in rows:
        project = row.project()
        table_ = row.content["project"]
        assert project.assumed == ()
        assert "http" in table_["source"]
        assert "assumed" in table_["note"] or "from the description" in table_["note"]
        assert project.layer.beliefs["cost"][""].shape.mean > 0
        # No grant pays more than a million dollars, or less than 20,000, for a year of work.
        effort = project.layer.beliefs["effort"][""].shape.mean
        assert 2e4 < project.layer.beliefs["cost"][""].shape.mean / effort < 1e6
        assert set(project.facts) == set(FACTS)
