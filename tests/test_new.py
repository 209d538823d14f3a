"""A proposal by questions: left and taken up again, by options, and never over a file."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from difprog.base.errors import BadInput
from difprog.beliefs.project import PROJECT_KEYS, read_project
from difprog.cli import main
from difprog.cli.new import KEYS
from difprog.forecast.request import Request
from difprog.library import interview, proposals
from difprog.library.outlook import Outlook
from difprog.race.parameters import FACTS


@pytest.fixture
def run(tmp_path, monkeypatch):
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def runner(*words, status=0, **kwargs):
        result = CliRunner().invoke(main, ["new", *map(str, words)], **kwargs)
        assert result.exit_code == status, (result.output, result.exception)
        return result

    return runner


ALL = "Mine\n\nalignment\nworst\ncognitivist\nniche\nclosed\n6 to 15\n18 months\n2,500,000\nhumans, useful\n"


def test_a_proposal_by_questions(run):
    out = run("mine.toml", input=ALL).output
    assert "Wrote mine.toml. Next: difprog score mine.toml" in out
    project = read_project(Path("mine.toml"))
    assert project.name == "Mine"
    assert project.facts == {
        "kind": "alignment", "focus": "worst", "approach": "cognitivist", "novelty": "niche",
        "publication": "closed",
    }  # fmt: skip
    assert project.criteria == {"humans", "useful"}
    effort = project.layer.beliefs["effort"][""]
    assert effort.stated == {0.05: 6, 0.95: 15}
    assert project.layer.beliefs["duration"][""].shape.value == 1.5
    assert project.layer.beliefs["cost"][""].shape.value == 2.5e6
    assert project.assumed == ()
    assert not proposals.resume(Path("mine.toml"))


def test_every_question_says_its_meaning_its_default_and_an_example_and_draws_back(run):
    out = run("mine.toml", input=ALL).output
    for asked in interview.QUESTIONS:
        if not asked.asked:
            assert f"\n{asked.key}:" not in out
            continue
        assert f"{asked.key}: {asked.meaning}." in " ".join(out.split())
        assert f"such as {asked.example}" in out
        assert not asked.default or f"[{asked.default}]" in out
    assert "▲" in out
    assert "1 in 20 above 15 FTE-years" in " ".join(out.split())
    assert "this says exactly 1.5 years" in " ".join(out.split())


def test_defaults_are_taken_on_empty_answers(run):
    run("mine", input="Mine\n" + "\n" * 10)
    project = read_project(Path("mine.toml"))
    assert project.facts == {fact: values[0] for fact, values in FACTS.items()}
    assert "cost" not in tomllib.loads(Path("mine.toml").read_text())["project"]


def test_blanks_are_no_answer_and_take_the_default(run):
    run("mine.toml", "--yes", "--name", "Mine", "--effort", " ")
    run("other.toml", input=ALL.replace("6 to 15", " ").replace("18 months", "leave out"))
    assert read_project(Path("mine.toml")).layer.beliefs["effort"][""].stated == {0.05: 1, 0.95: 5}
    assert read_project(Path("other.toml")).layer.beliefs["duration"][""].shape.value == 1


def test_wrong_answers_are_asked_again(run):
    out = run(
        "mine.toml", input=ALL.replace("worst\n", "wrost\nworst\n").replace("6 to 15", "15 to 6\n6 to 15")
    ).output
    assert 'unknown focus (got wrost); did you mean "worst"?' in out
    assert "p95 must be above p5" in out
    assert read_project(Path("mine.toml")).facts["focus"] == "worst"


def test_left_and_taken_up_again(run):
    done = ""
    lines = ALL.splitlines(keepends=True)
    for count, line in enumerate(lines):
        if count == len(lines) - 1:
            break
        result = run("mine.toml", input=line, status=130)
        assert "Kept your answers in " in result.output
        assert not Path("mine.toml").exists()
        done += result.output
        if count:
            assert f"{count} of 13 questions are answered" in result.output
    run("mine.toml", input=lines[-1])
    assert read_project(Path("mine.toml")).facts["publication"] == "closed"
    text = Path("mine.toml").read_text()
    Path("mine.toml").unlink()
    run("mine.toml", input=ALL)
    assert Path("mine.toml").read_text() == text


def test_interrupted_by_control_c(run, monkeypatch):
    answers = iter(["Mine", "", "alignment"])

    def prompt(*args, **kwargs):
        try:
            return next(answers)
        except StopIteration:
            raise click.Abort from None

    monkeypatch.setattr(click, "prompt", prompt)
    run("mine.toml", status=130)
    assert list(proposals.resume(Path("mine.toml"))) == ["name", "summary", "kind"]


def test_by_options_without_questions(run):
    run(
        "mine.toml",
        "--name",
        'A "name" # [x]',
        "--kind",
        "applications",
        "--focus",
        "worst",
        "--effort",
        "6 to 15",
        "--duration",
        "2",
        "--cost",
        "3e6",
        "--criteria",
        "humans",
        "--yes",
    )
    project = read_project(Path("mine.toml"))
    assert project.name == 'A "name" # [x]'
    assert project.facts["kind"] == "applications"
    assert project.layer.beliefs["cost"][""].shape.value == 3e6


def test_options_that_are_wrong_are_all_said_and_nothing_is_written(run):
    out = run(
        "mine.toml",
        "--name",
        "x",
        "--kind",
        "foo",
        "--effort",
        "9 to 1",
        "--duration",
        "3 apples",
        "--criteria",
        "zzz",
        "--yes",
        status=2,
    ).output
    for words in (
        "unknown kind",
        "p95 must be above p5",
        'unknown unit "apples"',
        "unknown criterion",
    ):
        assert words in out
    assert list(Path().iterdir()) == []
    assert "name: is what reports call it, and has no default" in run("mine.toml", "--yes", status=2).output


def test_a_file_that_is_there_is_never_replaced(run):
    Path("mine.toml").write_text("mine")
    out = run("mine.toml", "--name", "x", "--yes", status=2).output
    assert "is there already" in out
    assert Path("mine.toml").read_text() == "mine"


def test_the_questions_are_the_keys_of_a_proposal():
    assert tuple(q.key for q in interview.QUESTIONS) == KEYS
    assert set(KEYS) == set(PROJECT_KEYS) - {"source", "note"}
    for asked in interview.QUESTIONS:
        if asked.key in FACTS:
            assert tuple(asked.choices) == FACTS[asked.key]
            assert asked.default == FACTS[asked.key][0]
        interview.answer(asked, asked.example)


@given(st.sampled_from(interview.QUESTIONS), st.text(max_size=30))
def test_any_answer_is_taken_or_refused(asked, text):
    try:
        value = interview.answer(asked, text)
    except BadInput:
        return
    answers = {**interview.defaults(), "name": "x", asked.key: value}
    if asked.key != "name":
        read = tomllib.loads(proposals.text_of(answers))["project"]
        assert read.get(asked.key) == value or value is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2.5", 2.5),
        ("3", 3),
        ("1,100", 1100),
        ("18 months", "18 months"),
        ("1 to 2", "1 to 2"),
        ("$3M", "$3M"),
    ],
)
def test_quantities_are_kept_as_a_person_would_write_them(text, value):
    assert interview.kept(text, "USD") == value


def test_going_back_and_having_a_question_explained(run):
    typed = "<\nMine\n\nalignment\n?\nworst\n<\npessimistic\ncognitivist\nniche\nclosed\n" + (
        "8 people for 2 years\n<\n6 to 15\n18 months\n$2.5M\nhumans\n"
    )
    out = run("mine.toml", input=typed).output
    assert "This is the first question." in out
    assert "One axis of the research grid" in " ".join(out.split())
    project = read_project(Path("mine.toml"))
    assert project.facts["focus"] == "pessimistic"
    assert project.layer.beliefs["effort"][""].stated == {0.05: 6, 0.95: 15}
    assert project.layer.beliefs["cost"][""].shape.value == 2.5e6


def test_start_and_group_are_answered_by_option_only(run):
    run("mine.toml", "--name", "x", "--start", "6 months", "--group", "g", "--effort", "8 people for 2 years",
        "--cost", "$2-3M", "--yes")  # fmt: skip
    project = read_project(Path("mine.toml"))
    assert project.group == "g"
    assert project.layer.beliefs["start"][""].shape.value == 0.5
    assert project.layer.beliefs["effort"][""].shape.value == 16
    assert project.layer.beliefs["cost"][""].stated == {0.05: 2e6, 0.95: 3e6}


def test_a_hand_written_draft_beside_the_file_is_nobody_s_but_its_owner_s(run):
    Path("mine.draft.toml").write_text("precious")
    run("mine.toml", input="Mine\n", status=130)
    run("mine.toml", input=ALL.split("\n", 1)[1])
    assert Path("mine.draft.toml").read_text() == "precious"
    assert sorted(p.name for p in Path().iterdir()) == ["mine.draft.toml", "mine.toml"]


def test_whoever_answers_sees_what_it_does_to_the_effect(run, monkeypatch):
    """Only where somebody is at the keyboard; every answer moves the effect from the last."""
    monkeypatch.setattr("difprog.cli.new._somebody_waits", lambda: True)
    given = [
        "--name", "Mine", "--approach", "engineering", "--novelty", "niche", "--publication", "open",
        "--duration", "1", "--cost", "$1M", "--criteria", "", "--kind", "alignment", "--summary", "",
    ]  # fmt: skip
    out = run("mine.toml", *given, input="worst\n8 people for 2 years\n").output
    assert '"?" explains a question, "<" goes back' in out
    first, second = re.findall(r"effect so far: (.*)", out)
    start = re.match(r"([+−][\d.,]+ ± [\d.,]+) microdooms averted", first)
    assert start is not None
    assert re.fullmatch(rf"[+−][\d.,]+ ± [\d.,]+, was {re.escape(start[1])}\s*", second)


def test_no_effect_is_shown_where_a_belief_file_is_at_fault(home):
    outlook = Outlook(Request(priors=("no-such-file.toml",), draws=300))
    assert outlook.effect({}) is None
    assert outlook.broken
