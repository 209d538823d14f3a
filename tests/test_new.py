"""A proposal by questions: left and taken up again, by options, and never over a file."""

from __future__ import annotations

import tomllib
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from difprog import proposals
from difprog.cli import main
from difprog.cli.new import KEYS
from difprog.errors import BadInput
from difprog.parameters import FACTS
from difprog.project import PROJECT_KEYS, read_project


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
    assert not proposals.draft_of(Path("mine.toml")).exists()


def test_every_question_says_its_meaning_its_default_and_an_example_and_draws_back(run):
    out = run("mine.toml", input=ALL).output
    for asked in proposals.QUESTIONS:
        assert f"{asked.key}: {asked.meaning}." in out
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
        assert f"Kept your answers in {proposals.draft_of(Path('mine.toml'))}" in result.output
        assert not Path("mine.toml").exists()
        done += result.output
        if count:
            assert f"{count} of 11 questions are answered" in result.output
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
        "cannot be converted to years",
        "unknown criterion",
    ):
        assert words in out
    assert list(Path().iterdir()) == []
    assert "name: must be a text" in run("mine.toml", "--yes", status=2).output


def test_a_file_that_is_there_is_never_replaced(run):
    Path("mine.toml").write_text("mine")
    out = run("mine.toml", "--name", "x", "--yes", status=2).output
    assert "is there already" in out
    assert Path("mine.toml").read_text() == "mine"


def test_the_questions_are_the_keys_of_a_proposal():
    assert tuple(q.key for q in proposals.QUESTIONS) == KEYS
    assert set(KEYS) == set(PROJECT_KEYS) - {"source", "note"}
    for asked in proposals.QUESTIONS:
        if asked.key in FACTS:
            assert tuple(asked.choices) == FACTS[asked.key]
            assert asked.default == FACTS[asked.key][0]
        proposals.answer(asked, asked.example)


@given(st.sampled_from(proposals.QUESTIONS), st.text(max_size=30))
def test_any_answer_is_taken_or_refused(asked, text):
    try:
        value = proposals.answer(asked, text)
    except BadInput:
        return
    answers = {**proposals.defaults(), "name": "x", asked.key: value}
    if asked.key != "name":
        read = tomllib.loads(proposals.text_of(answers))["project"]
        assert read.get(asked.key) == value or value is None


@pytest.mark.parametrize(
    ("text", "value"),
    [("2.5", 2.5), ("3", 3), ("1,100", 1100), ("18 months", "18 months"), ("1 to 2", {"p5": 1, "p95": 2})],
)
def test_quantities_are_kept_as_a_person_would_write_them(text, value):
    assert proposals.quantity(text) == value
