"""A new user's path, as the README tells it: every command of it, in order, in an empty folder."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from difprog.cli import main
from tests.test_new import ALL
from tests.test_readme import README, block

STEPS = [
    shlex.split(line, comments=True)[1:] for line in block(README, "sh", "difprog list").splitlines() if line
]
FAST = ["--no-evidence", "--draws", "400"]


def test_the_first_hour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    said = []
    for step in STEPS:
        options = FAST if step[0] in {"score", "explain", "report"} else []
        done = CliRunner().invoke(main, [*step, *options], input=ALL if step[0] == "new" else None)
        assert done.exit_code == 0, (step, done.output, done.exception)
        assert "Traceback" not in done.output
        said.append(done.output)
    heads = [step[0] for step in STEPS]
    assert heads == ["list", "score", "explain", "priors", "priors", "score", "priors", "new", "report"]

    listed, first, why, shown, _, changed, _, _, report = said
    assert "rlhf" in listed
    # The answer is on one screen, and says whose beliefs it rests on.
    assert len(first.splitlines()) <= 50
    assert "beliefs as they ship" in first
    assert "microdooms averted" in first
    assert "It hangs on" in why
    assert "agi_arrival" in shown
    assert "with your beliefs: agi_arrival" in changed
    assert re.sub(r"\s+", " ", changed) != re.sub(r"\s+", " ", first)
    # What was undone is undone: the memo, made after it, is of the beliefs that ship.
    page = tmp_path / report.strip()
    assert page.suffix == ".html"
    assert "beliefs as they ship" in page.read_text()
    again = CliRunner().invoke(main, ["score", "rlhf", *FAST])
    assert again.output == first
    assert CliRunner().invoke(main, ["score", "my-project.toml", *FAST]).exit_code == 0

    once_more = CliRunner().invoke(main, ["report", "--from", str(page), "-o", "again"])
    assert once_more.exit_code == 0
    assert (tmp_path / once_more.output.strip()).read_bytes() == page.read_bytes()


@pytest.mark.parametrize("word", ["microdooms", "EVPPI", "Shapley", "credence", "judgement"])
def test_a_word_is_explained(word: str) -> None:
    done = CliRunner().invoke(main, ["explain", word])
    assert done.exit_code == 0
    assert len(done.output.split()) > 8
